/// @file permits.hpp  Who may see what at one moment: responsibilities and policies together.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Callers hold the registry lock.  Says nothing of who may answer an alert.

#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "policy_text.hpp"
#include "shown.hpp"

namespace bmd {

/// What a verdict means for a subscription.
enum class Standing : std::uint8_t
{
	active,
	decoy,   ///< it is shown a feed on which nothing happens
	pending, ///< until somebody approves
	refused, ///< by a rule
	none     ///< nothing allows it, as before there were rules
};
[[nodiscard]] Standing standing_of(const Verdict &verdict) noexcept;

class Permits
{
public:
	/// By the policy in force now.
	Permits();
	Permits(std::shared_ptr<const Policy> policy, TimeUs at);

	/// Is there any rule for this person?
	[[nodiscard]] bool restricts(std::string_view user) const;
	/// The same on a feed: not where the built-in rule decides.  Otherwise who may watch the feed
	/// sees all of it.
	[[nodiscard]] bool restricts(std::string_view user, std::string_view feed) const;

	/// May this person watch this feed?  One that does not exist nobody may.
	[[nodiscard]] Verdict on_feed(std::string_view user, std::string_view feed) const;

	/// What a feed that this person watches shows of an alert.
	[[nodiscard]] Verdict on_alert(
			std::string_view user, std::string_view feed, const AlertRec &alert) const;
	/// The same of a device.
	[[nodiscard]] Verdict on_device(
			std::string_view user, std::string_view feed, Index device) const;

	/// The alert itself, not a count, to somebody who is called for it or asks for it by name: as
	/// the personal feed would show it.  nullopt: not at all.
	[[nodiscard]] std::optional<Shown> in_person(
			std::string_view user, const AlertRec &alert) const;
	/// The same of a device, and of any of a storm.
	[[nodiscard]] std::optional<Shown> in_person(std::string_view user, Index device) const;
	/// For describe_storm(); empty when nothing is left out.  Not to be kept.
	[[nodiscard]] ShownDevice shown_to(std::string_view user, std::string_view feed) const;

	/// Every rule, with what it says of this feed, or of a device in it (0: none).
	[[nodiscard]] Verdict explain(std::string_view user, std::string_view feed, Index device,
			std::vector<PolicyStep> &steps) const;

private:
	[[nodiscard]] bool restricts(std::string_view user, const PolicyPerson &person) const;

	std::shared_ptr<const Policy> policy_;
	TimeUs at_;
};

} // namespace bmd
