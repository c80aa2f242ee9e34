/// @file message.cpp  Texts of alerts: what a task asks for.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "message.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>

#include "bmd/alert_text.hpp"

namespace bmd::reach {

namespace {

constexpr DurationUs subscribes_within = 2 * second_us; // of registering: then it needs no texts
constexpr DurationUs starts_within = 3 * second_us;     // until usrloc and presence know everybody
constexpr DurationUs sweeps_again = 30 * second_us;
constexpr DurationUs comes_back_within = 5 * second_us;
constexpr std::size_t most_texts = 10; // at a registration
constexpr long most_read = 256;

void add_alert(const bmd_alert_view *alert, void *list)
{
	static_cast<std::vector<bmd_alert_view> *>(list)->push_back(*alert);
}

void add_contact(const reach_contact *contact, void *list)
{
	static_cast<std::vector<reach_contact> *>(list)->push_back(*contact);
}

std::vector<reach_contact> contacts_of(const std::string &person)
{
	constexpr std::size_t likely = 16;
	std::vector<reach_contact> contacts;
	contacts.reserve(likely);
	(void)reach_contacts(person.c_str(), add_contact, &contacts);
	return contacts;
}

bmd_text text(const std::string &words)
{
	return {words.data(), words.size()};
}

bool rests(const bmd_alert_view &alert)
{
	return std::string_view(alert.suppressed) != "none" || alert.silenced_until[0] != '\0';
}

} // namespace

void Messenger::step(const bmd_task &task, TimeUs now)
{
	bmd_alert_view alert{};
	if(api_.alert_for(text(task.person), text(task.alert), &alert) != 1
			|| !bmd_told_waits(told_by(alert)) || std::string_view(alert.suppressed) != "none")
		return;
	const Contacts contacts = contacts_of(task.person);
	if(contacts.empty())
		return reach_failed(&task, 480);
	if(!may(alert, task.person, now))
		return;
	const Text words = text_of(alert);
	const bool first = task.step <= 1 && task.round == 0;
	for(const reach_contact &contact : contacts)
		if(!first || !just_told(task.alert, task.person, contact, words.told, now))
			send(contact, task.person, words, now);
}

void Messenger::registered(const std::string &person, TimeUs now)
{
	registered_.try_emplace(person, now + subscribes_within);
}

void Messenger::unheard(const std::string &person, TimeUs now)
{
	look_at(person, false, now);
}

void Messenger::everything(TimeUs now)
{
	const auto add = [](const char *person, void *list) {
		static_cast<std::vector<std::string> *>(list)->emplace_back(person);
	};
	std::vector<std::string> people;
	api_.outstanding_people(add, &people);
	for(const std::string &person : people)
		registered_.try_emplace(person, now + starts_within);
	sweep_at_ = now + sweeps_again;
	learn_words();
}

// Most urgent first; what is beyond the number, or held back, is only counted.
void Messenger::look_at(const std::string &person, bool new_terminal, TimeUs now)
{
	const Contacts contacts = contacts_of(person);
	if(contacts.empty())
		return;
	std::vector<bmd_alert_view> alerts;
	alerts.reserve(most_read);
	const long all = api_.outstanding(text(person), most_read, add_alert, &alerts);
	std::size_t texts = 0;
	auto left = static_cast<std::size_t>(all) - alerts.size();
	for(const bmd_alert_view &alert : alerts) {
		if(!new_terminal && api_.was_notified(text(alert.id), text(person)))
			continue;
		const Contacts targets = untold(alert, person, contacts, new_terminal, now);
		if(targets.empty())
			continue;
		if(texts == most_texts) {
			++left;
			continue;
		}
		if(!may(alert, person, now))
			continue;
		++texts;
		const Text words = text_of(alert);
		for(const reach_contact &contact : targets)
			send(contact, person, words, now);
	}
	if(texts == most_texts && left > 0)
		tell_more(person, left);
}

void Messenger::changed(const bmd_task &task, TimeUs now)
{
	const std::string alert = task.alert;
	bmd_alert_view view{};
	const bool there = api_.alert(text(alert), &view) == 1;
	const int told = there ? told_by(view) : BMD_TOLD_OVER;
	if(told == BMD_TOLD_OVER) {
		Over &over =
				over_.try_emplace(alert, Over{now + comes_back_within, task.person}).first->second;
		if(!there) // it does not come back: not to be lost in a restart
			over.at = now;
		return;
	}
	over_.erase(alert);
	tell_change(alert, &view, told, view.answered_by, now);
}

// Policies may have changed since the person was told, or who is responsible.  What waits is told
// as that person may see it: a storm of the own devices.
bool Messenger::may_be_told(const std::string &person, const std::string &alert, int told,
		const std::string &serial, Text &change)
{
	bmd_alert_view own{};
	if(!bmd_told_waits(told))
		return api_.may_be_told(text(person), text(serial)) != 0;
	if(api_.may_answer(text(person), text(alert)) != 1
			|| api_.alert_for(text(person), text(alert), &own) != 1)
		return false;
	change = text_of(own);
	return true;
}

// Each terminal that took a text, and was told otherwise last.  Another priority is told when the
// alert does not rest.
void Messenger::tell_change(const std::string &alert, const bmd_alert_view *view, int told,
		const std::string &who, TimeUs now)
{
	const Words *words = words_of(alert, view);
	const Told reached = told_of(alert);
	if(words == nullptr)
		return;
	Text change{
			{}, alert, words->priority, view == nullptr ? words->revision : view->revision, told};
	if(bmd_told_waits(told))
		change = text_of(*view);
	else if(told == BMD_TOLD_TAKEN)
		change.body = taken_text(words->brief, words->code, who);
	else
		change.body = over_text(words->brief, words->code, who);
	std::set<std::string> people;
	for(const bmd_reached &one : reached)
		if(one.terminal != 0)
			people.emplace(one.person);
	for(const std::string &person : people) {
		if(!may_be_told(person, alert, told, words->serial, change))
			continue;
		std::optional<bool> allowed; // another priority of what it was told waits
		for(const reach_contact &contact : contacts_of(person)) {
			const int before = told_to(alert, person, contact, reached, now);
			if(before == BMD_TOLD_NOTHING || before == change.told)
				continue;
			if(view != nullptr && bmd_told_waits(before) && bmd_told_waits(change.told)) {
				if(!allowed)
					allowed = !rests(*view) && may(*view, person, now);
				if(!*allowed)
					continue;
			}
			if(person == who) // has the answer to the text, say
				recent_[{alert, person, api_.terminal_hash(text(contact.uri))}] = {
						change.told, now};
			else
				send(contact, person, change, now);
		}
	}
}

void Messenger::tell_more(const std::string &person, std::size_t count)
{
	const Text words{more_text(count), {}, {}, 0, BMD_TOLD_NOTHING};
	for(const reach_contact &contact : contacts_of(person))
		send(contact, person, words, 0);
}

void Messenger::due(TimeUs now)
{
	for(auto at = registered_.begin(); at != registered_.end();) {
		if(at->second > now) {
			++at;
			continue;
		}
		const std::string person = at->first;
		at = registered_.erase(at);
		look_at(person, true, now);
	}
	for(auto at = over_.begin(); at != over_.end();) {
		if(at->second.at > now) {
			++at;
			continue;
		}
		const auto [alert, over] = *at;
		at = over_.erase(at);
		bmd_alert_view view{};
		const bool there = api_.alert(text(alert), &view) == 1;
		if(!there || told_by(view) == BMD_TOLD_OVER)
			tell_change(alert, there ? &view : nullptr, BMD_TOLD_OVER, over.who, now);
	}
	for(const Pace::Held &held : pace_.ended(now))
		tell_more(held.person, held.texts);
	if(sweep_at_ != 0 && sweep_at_ <= now) {
		everything(now);
		sweep_at_ = 0;
	}
	forget(now);
}

} // namespace bmd::reach
