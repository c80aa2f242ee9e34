/// @file message.hpp  Texts of alerts to the terminals of people: who gets which, and when.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Of one process.  What a terminal was told last is known to bmd (struct bmd_reached), so that
/// every task may be repeated: only what differs is sent.

#pragma once

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "bmd/time.hpp"
#include "pace.hpp"
#include "reach_core.h"

namespace bmd::reach {

class Messenger
{
public:
	explicit Messenger(const bmd_api_t &api) : api_(api) {}

	/// A step of an escalation: a text to each terminal of the person.
	void step(const bmd_task &task, TimeUs now);
	/// The person has a new terminal: it gets what is outstanding, unless it subscribes first.
	void registered(const std::string &person, TimeUs now);
	/// A terminal did not take a NOTIFY: its person gets what none of the person's terminals took.
	void unheard(const std::string &person, TimeUs now);
	/// An alert that was told by text has changed: who was told otherwise is told.
	void changed(const bmd_task &task, TimeUs now);
	/// Everybody is as if just registered.
	void everything(TimeUs now);
	/// Does what has become due by now.
	void due(TimeUs now);

private:
	using Contacts = std::vector<reach_contact>;
	using Told = std::vector<bmd_reached>;
	/// Alert, person, terminal.
	using Key = std::tuple<std::string, std::string, std::uint64_t>;

	/// What a terminal counts as told of although bmd does not know it (yet).
	struct Recent
	{
		int told = BMD_TOLD_NOTHING;
		TimeUs since = 0; ///< until an outcome is newer
	};
	/// The words for an alert that has left the book.
	struct Words
	{
		std::string brief;
		std::string code;
		std::string priority;
		unsigned int revision = 0;
		std::string serial;
	};
	struct Text
	{
		std::string body;
		std::string alert; ///< empty: of several
		std::string priority;
		unsigned int revision = 0;
		int told = BMD_TOLD_NOTHING;
	};
	/// An alert is over; told a little later, since it may come back.
	struct Over
	{
		TimeUs at = 0;
		std::string who;
	};

	[[nodiscard]] Told told_of(const std::string &alert) const;
	[[nodiscard]] int told_to(const std::string &alert, const std::string &person,
			const reach_contact &contact, const Told &told, TimeUs now) const;
	[[nodiscard]] bool just_told(const std::string &alert, const std::string &person,
			const reach_contact &contact, int told, TimeUs now) const;
	[[nodiscard]] Contacts untold(const bmd_alert_view &alert, const std::string &person,
			const Contacts &contacts, bool again, TimeUs now) const;
	[[nodiscard]] bool may(const bmd_alert_view &alert, const std::string &person, TimeUs now);
	[[nodiscard]] Text text_of(const bmd_alert_view &alert);
	[[nodiscard]] const Words *words_of(const std::string &alert, const bmd_alert_view *view);
	/// Of alerts that were told before the start: they may leave the book before they change.
	void learn_words();
	void look_at(const std::string &person, bool new_terminal, TimeUs now);
	bool may_be_told(const std::string &person, const std::string &alert, int told,
			const std::string &serial, Text &change);
	void tell_change(const std::string &alert, const bmd_alert_view *view, int told,
			const std::string &who, TimeUs now);
	void tell_more(const std::string &person, std::size_t count);
	void send(
			const reach_contact &contact, const std::string &person, const Text &text, TimeUs now);
	void forget(TimeUs now);

	const bmd_api_t &api_;
	Pace pace_;
	std::map<std::string, TimeUs> registered_; ///< when to look at the person
	std::map<std::string, Over> over_;         ///< by alert
	std::map<Key, Recent> recent_;
	std::map<std::string, Words> words_; ///< by alert
	TimeUs sweep_at_ = 0;                ///< look at everybody once more; 0: no
	TimeUs forgot_ = 0;
};

/// The text of an alert that waits for an answer, and one line of it.
[[nodiscard]] std::string message_text(const bmd_api_t &api, const bmd_alert_view &alert);
[[nodiscard]] std::string message_brief(const bmd_alert_view &alert);
/// What a text tells of it: enum bmd_told.
[[nodiscard]] int told_by(const bmd_alert_view &alert);

} // namespace bmd::reach
