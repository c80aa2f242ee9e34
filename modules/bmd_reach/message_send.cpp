/// @file message_send.cpp  Texts of alerts: their words, what a terminal knows, sending.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include <algorithm>
#include <chrono>
#include <cstring>
#include <string_view>

#include "bmd/alert_text.hpp"
#include "message.hpp"

namespace bmd::reach {

namespace {

constexpr DurationUs answers_within = 60 * second_us; // tm gives up before
constexpr DurationUs same_moment = 5 * second_us;
constexpr DurationUs forget_interval = 60 * second_us;

template <std::size_t N> void put(char (&to)[N], std::string_view words)
{
	const std::string_view cut = cut_text(words, N - 1);
	std::memcpy(to, cut.data(), cut.size());
	to[cut.size()] = '\0';
}

std::int64_t wall_clock()
{
	using namespace std::chrono;
	return duration_cast<microseconds>(system_clock::now().time_since_epoch()).count();
}

AlertWords words(const bmd_alert_view &alert, std::string_view since)
{
	return {alert.code, alert.priority, alert.metric, alert.condition, alert.state, alert.value,
			alert.limit, alert.unit, alert.serial, alert.type, alert.location, alert.patient,
			alert.patient_address, since, alert.cause, alert.devices, alert.priority_before};
}

void add_reached(const bmd_reached *reached, void *list)
{
	static_cast<std::vector<bmd_reached> *>(list)->push_back(*reached);
}

} // namespace

std::string message_text(const bmd_api_t &api, const bmd_alert_view &alert)
{
	char since[64];
	api.local_time({alert.onset_at, std::strlen(alert.onset_at)}, since, sizeof since);
	return alert_text(words(alert, since));
}

std::string message_brief(const bmd_alert_view &alert)
{
	return alert_brief(words(alert, {}));
}

int told_by(const bmd_alert_view &alert)
{
	const std::string_view response = alert.response;
	if(std::string_view(alert.state) == "cleared")
		return BMD_TOLD_OVER;
	if(response == "accepted" || response == "acknowledged")
		return BMD_TOLD_TAKEN;
	const std::string_view priority = alert.priority;
	return priority == "low"      ? BMD_TOLD_LOW
		   : priority == "medium" ? BMD_TOLD_MEDIUM
								  : BMD_TOLD_HIGH;
}

Messenger::Told Messenger::told_of(const std::string &alert) const
{
	Told told;
	api_.messages({alert.data(), alert.size()}, add_reached, &told);
	return told;
}

// What was sent a moment ago counts as told until its answer is known.
int Messenger::told_to(const std::string &alert, const std::string &person,
		const reach_contact &contact, const Told &told, TimeUs now) const
{
	const std::uint64_t terminal = api_.terminal_hash({contact.uri, std::strlen(contact.uri)});
	const auto found = recent_.find({alert, person, terminal});
	const Recent recent = found == recent_.end() ? Recent{} : found->second;
	for(const bmd_reached &one : told)
		if(person == one.person && one.terminal != 0
				&& (one.terminal == terminal
						|| (contact.instance != 0 && one.instance == contact.instance)))
			return one.tried_at >= recent.since ? one.told : recent.told;
	return now - recent.since < answers_within ? recent.told : BMD_TOLD_NOTHING;
}

// A terminal that registered as the alert was raised has the text already when the first step,
// which waited for the database, asks for it.
bool Messenger::just_told(const std::string &alert, const std::string &person,
		const reach_contact &contact, int told, TimeUs now) const
{
	const std::uint64_t terminal = api_.terminal_hash({contact.uri, std::strlen(contact.uri)});
	const auto found = recent_.find({alert, person, terminal});
	return found != recent_.end() && found->second.told == told
		   && now - found->second.since < same_moment;
}

// Terminals that have not been told that it waits for an answer, at the priority it has; those that
// did not take it only if they are to be tried `again`.
Messenger::Contacts Messenger::untold(const bmd_alert_view &alert, const std::string &person,
		const Contacts &contacts, bool again, TimeUs now) const
{
	const Told told = told_of(alert.id);
	const auto failed = [&](const reach_contact &contact) {
		const std::uint64_t terminal = api_.terminal_hash({contact.uri, std::strlen(contact.uri)});
		return std::ranges::any_of(told, [&](const bmd_reached &one) {
			return one.failed != 0 && one.terminal == terminal && person == one.person;
		});
	};
	Contacts targets;
	for(const reach_contact &contact : contacts)
		if(told_to(alert.id, person, contact, told, now) != told_by(alert)
				&& (again || !failed(contact)))
			targets.push_back(contact);
	return targets;
}

bool Messenger::may(const bmd_alert_view &alert, const std::string &person, TimeUs now)
{
	if(std::string_view(alert.priority) == "high"
			|| pace_.may(person, api_.messages_per_minute(), now))
		return true;
	api_.message_held();
	return false;
}

Messenger::Text Messenger::text_of(const bmd_alert_view &alert)
{
	(void)words_of(alert.id, &alert);
	return {message_text(api_, alert), alert.id, alert.priority, alert.revision, told_by(alert)};
}

// nullptr: it has left the book, and nothing was sent of it since the start.
const Messenger::Words *Messenger::words_of(const std::string &alert, const bmd_alert_view *view)
{
	if(view != nullptr)
		words_[alert] = {
				message_brief(*view), view->code, view->priority, view->revision, view->serial};
	const auto found = words_.find(alert);
	return found == words_.end() ? nullptr : &found->second;
}

void Messenger::learn_words()
{
	constexpr long most = 4'096; // the newest; a copy of each is made meanwhile
	const auto add = [](const bmd_alert_view *alert, void *self) {
		auto &messenger = *static_cast<Messenger *>(self);
		if(!messenger.told_of(alert->id).empty())
			(void)messenger.words_of(alert->id, alert);
	};
	(void)api_.alerts({"", 0}, most, add, this);
}

void Messenger::send(
		const reach_contact &contact, const std::string &person, const Text &text, TimeUs now)
{
	bmd_attempt attempt{};
	attempt.kind = BMD_TASK_MESSAGE;
	put(attempt.alert, text.alert);
	attempt.revision = text.revision;
	put(attempt.person, person);
	put(attempt.terminal, contact.uri);
	attempt.instance = contact.instance;
	attempt.told = text.told;
	attempt.sent_at = wall_clock();
	if(!text.alert.empty())
		recent_[{text.alert, person, api_.terminal_hash({contact.uri, std::strlen(contact.uri)})}] =
				{text.told, now};
	const std::string_view body = cut_text(text.body, most_message);
	if(reach_send_message(&contact, text.priority.c_str(), body.data(), body.size(), &attempt) == 0)
		return;
	attempt.code = BMD_NOT_SENT;
	reach_attempted(&attempt);
}

void Messenger::forget(TimeUs now)
{
	if(now - forgot_ < forget_interval)
		return;
	forgot_ = now;
	std::erase_if(words_, [&](const auto &entry) { return told_of(entry.first).empty(); });
	std::erase_if(recent_, [&](const auto &entry) {
		return now - entry.second.since >= answers_within
			   && !words_.contains(std::get<0>(entry.first));
	});
}

} // namespace bmd::reach
