/// @file policy.hpp  Who may see what: rules for watchers and resources, and what they decide.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Pure: facts and times are passed in.  Says nothing of who may answer an alert.

#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bmd/civil.hpp"
#include "bmd/result.hpp"
#include "bmd/time.hpp"

namespace bmd {

/// Whom a rule is for.
enum class PolicyWatcher : std::uint8_t
{
	person = 1,
	role = 2,
	team = 3,
	anyone = 4, ///< every person of our own domain
	domain = 5  ///< people of another domain
};

/// What a rule is about; a smaller one is more specific.
enum class PolicyResource : std::uint8_t
{
	device = 1,
	patient = 2,
	feed = 3,
	group = 4,
	area = 5,
	type = 6,
	everything = 7
};

/// The greater, the stricter.
enum class Decision : std::uint8_t
{
	allow = 0,
	confirm = 1,     ///< pending until somebody approves
	block = 2,       ///< refused like what does not exist
	polite_block = 3 ///< shown a feed on which nothing happens, in the form of what else decided
};

/// What is left out of what is shown.
struct Shown
{
	bool identity = true; ///< name and address of the patient
	bool location = true; ///< where the device is, and the address
	bool alerts = true;   ///< false: only how many are open

	[[nodiscard]] bool full() const noexcept { return identity && location && alerts; }
	auto operator<=>(const Shown &) const = default; // NOLINT(modernize-use-nullptr): none here
};

[[nodiscard]] std::string_view to_string(Decision) noexcept;
[[nodiscard]] std::string_view to_string(PolicyWatcher) noexcept;
[[nodiscard]] std::string_view to_string(PolicyResource) noexcept;
/// "full", "no-identity", "no-location", "neither" or "count".
[[nodiscard]] std::string_view to_string(const Shown &) noexcept;
/// Errors: malformed.
[[nodiscard]] Result<Decision> parse_decision(std::string_view);
[[nodiscard]] Result<Shown> parse_shown(std::string_view);

struct PolicyRule
{
	std::int32_t id = 0; ///< 0: the built-in one
	PolicyWatcher watcher = PolicyWatcher::anyone;
	std::string who; ///< user, role, team or domain ("*": any other); empty for anyone
	PolicyResource resource = PolicyResource::everything;
	std::string what; ///< serial, feed, group, area, type, number of a patient; empty: everything
	Decision decision = Decision::block;
	Shown shown;
	std::uint32_t most = 0; ///< subscriptions of one person to one feed; 0: any number
	TimeUs from = 0;        ///< in force from then on, wall clock; 0: always was
	TimeUs until = 0;       ///< 0: for ever
	Hours hours;            ///< and only then, by the hospital's clock
};

/// Somebody who was authenticated.
struct PolicyPerson
{
	std::string_view user;    ///< without the domain
	std::string_view domain;  ///< of somebody of another domain; empty: one of ours
	bool responsible = false; ///< the built-in rule fits: responsible, or the alert was escalated
};

/// What is asked for.  Of the feed of a person or a group there is no device; an alert is told by a
/// feed and is of a device.
struct PolicyTarget
{
	std::string_view feed;
	std::string_view serial;
	std::string_view type;
	std::string_view patient; ///< number, in decimal
	std::vector<std::string_view> groups;
	std::vector<std::string_view> areas;
};

struct Verdict
{
	Decision decision = Decision::block;
	Shown shown;            ///< who is blocked politely: as without the rules that do so
	std::uint32_t most = 0; ///< the same
	std::int32_t rule = 0;  ///< that decided; 0: the built-in one, or none
	bool decided = false;   ///< some rule fitted: else it is refused because nothing is allowed
	bool answered = false;  ///< `confirm` of the rule has been answered
	bool built_in = false;  ///< the built-in rule decided

	/// May it be watched now?
	[[nodiscard]] bool allows() const noexcept { return decision == Decision::allow; }
};

/// A rule that was looked at, for people.
struct PolicyStep
{
	std::int32_t rule = 0; ///< 0: the built-in one
	std::string says;
	bool decides = false;
	std::string why; ///< it decides, or does not
};

/// All rules of a hospital, who the members of the roles and teams they name are, and how those who
/// ask were answered.
class Policy
{
public:
	using Pair = std::pair<std::string, std::string>;

	Policy() = default;
	/// `members`: ("role NAME" or "team NAME", user).  `answers`: (user, feed) and approved.
	Policy(std::vector<PolicyRule> rules, std::vector<Pair> members, std::map<Pair, bool> answers,
			std::string zone);

	[[nodiscard]] bool empty() const noexcept { return rules_.empty(); }
	/// Those that are tried first stand first.
	[[nodiscard]] const std::vector<PolicyRule> &rules() const noexcept { return rules_; }
	[[nodiscard]] const std::vector<Pair> &members() const noexcept { return members_; }
	[[nodiscard]] const std::map<Pair, bool> &answers() const noexcept { return answers_; }
	[[nodiscard]] const std::string &zone() const noexcept { return zone_name_; }

	/// Places in rules() of those that may decide for this person, whatever they are about and
	/// whenever: if responsible only those that are tried before the built-in one.
	[[nodiscard]] std::vector<std::size_t> rules_for(const PolicyPerson &person) const;

	/// The first rule that fits decides, at that moment of the wall clock.  `places`: of
	/// rules_for(), so that others need not be looked at.
	[[nodiscard]] Verdict decide(const PolicyPerson &person, const PolicyTarget &target, TimeUs at,
			std::span<const std::size_t> places) const;
	/// The same, with every rule and what it says of this, in their order.
	[[nodiscard]] Verdict explain(const PolicyPerson &person, const PolicyTarget &target, TimeUs at,
			std::vector<PolicyStep> &steps) const;

	/// The next moment after `at` when a rule begins or ends; 0: never.
	[[nodiscard]] TimeUs next_change(TimeUs at) const;

private:
	[[nodiscard]] bool is_for(const PolicyRule &rule, const PolicyPerson &person) const;
	[[nodiscard]] bool in_force(const PolicyRule &rule, TimeUs at) const;
	[[nodiscard]] std::string why_not(const PolicyRule &rule, const PolicyPerson &person,
			const PolicyTarget &target, TimeUs at) const;
	[[nodiscard]] Verdict verdict_of(
			const PolicyRule &rule, const PolicyPerson &person, const PolicyTarget &target) const;
	[[nodiscard]] Verdict try_rules(const PolicyPerson &person, const PolicyTarget &target,
			TimeUs at, std::span<const std::size_t> places, std::vector<PolicyStep> *steps) const;

	std::vector<PolicyRule> rules_;
	std::vector<Pair> members_; ///< sorted
	std::map<Pair, bool> answers_;
	std::string zone_name_;
	Zone zone_ = Zone::utc();
};

/// For people: "rule 3 for team night, group ward: allow, no-identity, at most 2 subscriptions".
[[nodiscard]] std::string in_words(const PolicyRule &rule);

/// Lines of fields with tabs between them; no name may hold control characters.
[[nodiscard]] std::string write_policy(const Policy &policy);
/// Errors: malformed, with the number of the line.
[[nodiscard]] Result<Policy> read_policy(std::string_view text);

} // namespace bmd
