/// @file call_core.cpp  Whom to call, of what, in which words.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "call_core.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <exception>

#include "bmd/invite.hpp"
#include "call_queue.hpp"
#include "call_words.hpp"
#include "message.hpp"
#include "reach_core.h"

namespace {

using namespace bmd::reach;

const bmd_api_t *api = nullptr;
CallQueue queue;

template <class Work> auto guarded(decltype(std::declval<Work>()()) otherwise, Work work) noexcept
{
	try {
		return work();
	} catch(const std::exception &failure) {
		reach_log_error(failure.what());
		return otherwise; // out of memory
	}
}

bmd_text text_of(std::string_view text) noexcept
{
	return {text.data(), text.size()};
}

template <std::size_t N> void put(char (&to)[N], std::string_view text)
{
	const std::size_t length = std::min(text.size(), N - 1);
	std::memcpy(to, text.data(), length);
	to[length] = '\0';
}

// What this person still has to be told of it; false: nothing.
bool waits_for(std::string_view person, std::string_view id, bmd_alert_view &view)
{
	return api->alert_for(text_of(person), text_of(id), &view) == 1 && still_waits(view, person);
}

void ask(const char *person, const char *alert, bool again)
{
	bmd_alert_view view{};
	if(waits_for(person, alert, view))
		queue.ask(person, {view.id, view.revision, priority_of(view), again});
}

void add(const bmd_alert_view *alert, void *list)
{
	static_cast<std::vector<bmd_alert_view> *>(list)->push_back(*alert);
}

bool among(const std::vector<bmd_alert_view> &alerts, const char *id)
{
	return std::any_of(alerts.begin(), alerts.end(),
			[id](const bmd_alert_view &alert) { return std::strcmp(alert.id, id) == 0; });
}

// Beside what was asked for: whatever else is open and may be answered by this person.
std::vector<bmd_alert_view> outstanding(
		std::string_view person, const std::vector<bmd_alert_view> &asked)
{
	constexpr long looked_at = 64;
	std::vector<bmd_alert_view> others;
	others.reserve(looked_at); // so that add() allocates nothing
	(void)api->alerts_of(text_of(person), looked_at, add, &others);
	std::erase_if(others, [&](const bmd_alert_view &alert) {
		return !still_waits(alert, person) || among(asked, alert.id);
	});
	return others;
}

bool encrypted_only(std::string_view person)
{
	std::array<char, 1> no_certificate{};
	return api->encryption(text_of(person), no_certificate.data(), no_certificate.size())
		   == BMD_ENCRYPTED_ONLY;
}

CallTold told_of(const bmd_alert_view &alert)
{
	return {alert, message_brief(alert), message_text(*api, alert)};
}

void show(const std::vector<bmd_alert_view> &alerts, const std::vector<bmd_alert_view> &asked,
		call_invitation &invitation)
{
	for(const bmd_alert_view &alert : alerts) {
		call_alert &place = invitation.alert[invitation.alerts++];
		put(place.id, alert.id);
		place.revision = alert.revision;
		place.asked = among(asked, alert.id) ? 1 : 0;
	}
}

struct Asked
{
	std::vector<bmd_alert_view> alerts;
	bool again = true; // every one of them
};

// What this person was asked to be called for and still waits.
Asked asked_of(const std::string &person)
{
	Asked asked;
	bmd_alert_view view{};
	for(const CallAlert &alert : queue.waiting(person)) {
		if(!waits_for(person, alert.id, view))
			continue;
		asked.alerts.push_back(view);
		asked.again = asked.again && alert.again;
	}
	return asked;
}

// The most urgent first.
std::vector<bmd_alert_view> with_outstanding(const std::string &person, const Asked &asked)
{
	std::vector<bmd_alert_view> alerts = outstanding(person, asked.alerts);
	alerts.insert(alerts.begin(), asked.alerts.begin(), asked.alerts.end());
	std::stable_sort(
			alerts.begin(), alerts.end(), [](const bmd_alert_view &a, const bmd_alert_view &b) {
				return priority_of(a) > priority_of(b);
			});
	return alerts;
}

// Nothing waits any less when this fails.  False when nothing of what was asked for still does.
bool invite(const std::string &person, call_invitation &invitation)
{
	const Asked asked = asked_of(person);
	if(asked.alerts.empty()) {
		(void)queue.take(person);
		return false;
	}
	std::vector<bmd_alert_view> alerts = with_outstanding(person, asked);
	const std::size_t told = std::min<std::size_t>(alerts.size(), CALL_ALERTS);
	const std::size_t others = alerts.size() - told;
	alerts.resize(told);
	std::vector<CallTold> words_for;
	words_for.reserve(alerts.size());
	for(const bmd_alert_view &alert : alerts)
		words_for.push_back(told_of(alert));
	invitation = {};
	put(invitation.person, person);
	invitation.urgency = static_cast<int>(priority_of(alerts.front()));
	invitation.again = asked.again ? 1 : 0;
	show(alerts, asked.alerts, invitation);
	const CallWords words = encrypted_only(person)
									? words_of_silent_call(priority_of(alerts.front()))
									: words_of_call(words_for, others);
	put(invitation.display, words.display);
	put(invitation.headers, words.headers);
	put(invitation.text, words.text);
	(void)queue.take(person);
	queue.calling(person, priority_of(alerts.front()));
	return true;
}

std::size_t copy_out(const std::string &text, char *to, std::size_t size)
{
	if(text.size() >= size)
		return 0;
	std::memcpy(to, text.c_str(), text.size() + 1);
	return text.size();
}

bmd::SdpHost host_of(const call_host &host)
{
	return {host.address, host.ip6 != 0, host.session};
}

} // namespace

void call_core_init(const bmd_api_t *bound)
{
	api = bound;
}

void call_core_ask(const bmd_task *task)
{
	(void)guarded(0, [&] {
		ask(task->person, task->alert, false);
		return 0;
	});
}

int call_core_next(call_invitation *invitation)
{
	return guarded(0, [&] {
		while(const auto person = queue.next()) {
			if(invite(*person, *invitation))
				return 1;
			queue.over(*person);
		}
		return 0;
	});
}

void call_core_ask_again(const call_invitation *invitation, int refused)
{
	(void)guarded(0, [&] {
		const bool again = refused != 0 || invitation->again != 0;
		for(int i = 0; i < invitation->alerts; ++i)
			if(invitation->alert[i].asked != 0)
				ask(invitation->person, invitation->alert[i].id, again);
		return 0;
	});
}

int call_core_goes_on(const call_invitation *invitation)
{
	return guarded(1, [&] {
		bmd_alert_view view{};
		for(int i = 0; i < invitation->alerts; ++i)
			if(invitation->alert[i].asked != 0
					&& waits_for(invitation->person, invitation->alert[i].id, view))
				return 1;
		return 0;
	});
}

int call_core_overtaken(const char *person)
{
	return queue.overtaken(person) ? 1 : 0;
}

void call_core_over(const char *person)
{
	queue.over(person);
}

size_t call_core_body(
		const call_host *host, const char *text, const char *boundary, char *body, size_t size)
{
	return guarded(std::size_t{0}, [&] {
		return copy_out(bmd::multipart(bmd::sdp_offer(host_of(*host)), text, boundary), body, size);
	});
}

size_t call_core_answer(const call_host *host, bmd_text offer, char *answer, size_t size)
{
	return guarded(std::size_t{0}, [&] {
		const auto made = bmd::sdp_answer({offer.s, offer.len}, host_of(*host));
		return made ? copy_out(made.value(), answer, size) : 0;
	});
}
