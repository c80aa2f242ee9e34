/// @file answer.cpp  Answers of people to alerts.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "answer.hpp"

#include <algorithm>
#include <limits>
#include <mutex>
#include <new>
#include <shared_mutex>

#include "bmd/code.hpp"
#include "book.hpp"
#include "changes.hpp"
#include "escalation_wanted.hpp"
#include "evaluate.hpp"
#include "feeds.hpp"
#include "permits.hpp"
#include "reached.hpp"
#include "recipients.hpp"
#include "rejections.hpp"
#include "slots.hpp"
#include "suppress.hpp"
#include "tend.hpp"

namespace bmd {

namespace {

Index find_within_lock(std::string_view alert) noexcept
{
	if(const std::uint32_t code = parse_code(alert); code != 0)
		return find_by_code(code);
	const auto id = parse_uuid(alert);
	return id ? find_by_id(*id) : 0;
}

Circumstances circumstances_of(const AlertRec &alert) noexcept
{
	return {alert.state, alert.priority, alert.closed_at != 0, longest_silence(alert)};
}

Answered refused(const Error &error)
{
	return {error.code == Errc::malformed ? 400 : 409, error.reason};
}

// Whoever holds the alert sees it, whatever becomes of the responsibility for its device.  True:
// only from now on.
bool show_to_holder(Index i) noexcept
{
	const AlertRec &alert = store()->alerts[i];
	const Index holder = find_feed(alert.response.by);
	if(holder == 0 || carries(holder, alert.device))
		return false;
	// of a storm it goes on showing the person's own devices
	const bool of_storm = alert.condition == Condition::storm;
	return add_recipient(alert.id, i, holder, of_storm ? recipient_holds : recipient_called)
		   == Addition::done;
}

// Whoever holds it may hand it back.
bool hands_back(std::string_view who, const Answer &answer, const AlertRec &alert) noexcept
{
	return answer.act == Act::reject && alert.response.response == Response::accepted
		   && who == alert.response.by;
}

// Caller holds the device's stripe.
void carry_out(
		Index i, const Transition &transition, const Answer &answer, const Actor &actor) noexcept
{
	AlertRec &alert = store()->alerts[i];
	const Index device = alert.device;
	const ResponseState before = alert.response;
	if(alert.response.silenced_until != transition.state.silenced_until)
		alert.silence_ends =
				transition.state.silenced_until == 0 ? 0 : mono_now() + answer.until - answer.at;
	alert.response = transition.state;
	if(transition.closes) {
		forget_slot(device, i); // before its end: the next reading raises again what holds
		end_alert(i, transition.event, actor, answer.at, Ending::closed);
		return match_suppression(device, answer.at);
	}
	await_answer(alert);
	if(answer.act == Act::accept)
		(void)show_to_holder(i);
	record_change(alert, transition.event, actor, answer.at);
	if(answer.act == Act::reject)
		reject_escalation(i, before, answer.who);
	else if(answer.act == Act::silence)
		resume_escalations();
}

Actor actor_of(const AnswerTo &to, const Answer &answer) noexcept
{
	return {answer.who, to.through, to.why, !answer.who.empty()};
}

// `alert` is as it was found.  Status 0: it is another one by now.
Answered answer_open(Index i, const AlertRec &found, const AnswerTo &to, const Answer &answer)
{
	Store &s = *store();
	const std::lock_guard<Mutex> guard(s.stripe[found.device % stripes]);
	const AlertRec &alert = s.alerts[i];
	if(alert.id != found.id || alert.device != found.device || alert.list != AlertList::open)
		return {0, {}};
	if(answer.act == Act::end && alert.condition == Condition::stale)
		return {409, "nothing is heard of the device: that ends when it is heard, or disabled"};
	if(answer.act == Act::end && alert.condition == Condition::storm)
		return {409, "the devices are silent: that ends when they are heard, or disabled"};
	if(answer.act == Act::reject && !taken(alert.response) && has_rejected(i, answer.who))
		return {}; // also when others have been called since
	const auto transition = apply(alert.response, circumstances_of(alert), answer);
	if(!transition)
		return refused(transition.error());
	if(!transition->event.empty())
		carry_out(i, *transition, answer, actor_of(to, answer));
	return {};
}

// Of a cleared alert, whose owner is who holds the book lock.
Answered answer_kept(Index i, const AlertRec &found, const AnswerTo &to, const Answer &answer)
{
	Store &s = *store();
	const std::lock_guard<Mutex> guard(s.book_lock);
	AlertRec &alert = s.alerts[i];
	if(alert.id != found.id || !is_kept(alert))
		return {0, {}};
	const auto transition = apply(alert.response, circumstances_of(alert), answer);
	if(!transition)
		return refused(transition.error());
	if(!transition->event.empty()) {
		alert.response = transition->state;
		close_kept_slot(i, transition->event, actor_of(to, answer), answer.at, true);
	}
	return {};
}

// Whoever accepts is counted on: so it must be somebody.
Answered not_for_them(const AnswerTo &to)
{
	const std::string who(to.answer.who);
	if(to.answer.act == Act::end && !to.entitled)
		return {403, who + " is no operator: an alert that holds ends by its readings"};
	if(to.answer.act == Act::end && to.why.empty())
		return {400, "say why it is over"};
	if(to.answer.act != Act::accept || !to.entitled || who.empty())
		return {};
	const std::shared_lock<RwLock> registry(store()->registry_lock);
	if(!may_watch(who, who))
		return {403, who + " is no enabled technician: name the person who sees to it"};
	return {};
}

std::string device_feed(const AlertRec &alert)
{
	return std::string("dev.") + alert.serial;
}

Answered try_answer(const AnswerTo &to, const Answer &answer)
{
	Store &s = *store();
	const std::shared_lock<RwLock> registry(s.registry_lock);
	AlertRec found{};
	Index i = 0;
	{
		const std::lock_guard<Mutex> book(s.book_lock);
		i = find_within_lock(to.alert);
		if(i != 0)
			found = s.alerts[i];
	}
	if(i == 0)
		return unknown_alert(to.alert);
	if(!to.entitled && !hands_back(answer.who, answer, found) && !may_answer(answer.who, found))
		return {403, std::string(answer.who) + " is not responsible for device " + found.serial
							 + ", and the alert was not escalated to that person"};
	if(!to.entitled)
		note_seen(found.id, answer.who);
	return is_kept(found) ? answer_kept(i, found, to, answer) : answer_open(i, found, to, answer);
}

} // namespace

bool may_answer(std::string_view who, const AlertRec &alert)
{
	const auto watches = [&](Index feed) { return may_watch(who, store()->feeds[feed].name); };
	const bool called = may_watch(who, device_feed(alert))
						|| std::ranges::any_of(recipients_of(alert.id), watches);
	return called && Permits().in_person(who, alert);
}

bool is_kept_quiet(std::string_view who, const AlertRec &alert)
{
	const Permits permits;
	const auto quiet = [&](std::string_view feed) {
		return permits.on_alert(who, feed, alert).decision == Decision::polite_block;
	};
	return quiet(who) || quiet(device_feed(alert));
}

Answered unknown_alert(std::string_view alert)
{
	if(parse_code(alert) != 0)
		return {404, "no alert has this code that is not closed"};
	if(parse_uuid(alert))
		return {404, "no alert has this id that is not closed"};
	return {400,
			"an alert is named by its code (5 characters) or its id (a UUID), as bmd.alerts shows "
			"them"};
}

DurationUs longest_silence(const AlertRec &alert) noexcept
{
	const Settings &settings = store()->settings;
	return alert.priority == Priority::high ? settings.silence_high.load()
											: settings.silence.load();
}

Answered answer_alert(const AnswerTo &to)
{
	constexpr int tries = 5; // it may clear, or come back, between the look and the lock
	Answer answer = to.answer;
	answer.at = wall_now();
	answer.until = answer.at + to.answer.until;
	if(auto wrong = not_for_them(to); wrong.status != 200)
		return wrong;
	Answered outcome{0, {}};
	for(int n = 0; n < tries && outcome.status == 0; ++n)
		outcome = try_answer(to, answer);
	if(outcome.status == 0)
		outcome = unknown_alert(to.alert);
	count(outcome.status == 200 ? count_answers : count_answers_refused);
	return outcome;
}

bool escalate_alert(Index alert, std::uint32_t step, std::string_view through, std::string_view why)
{
	constexpr std::uint32_t last = std::numeric_limits<std::uint8_t>::max();
	const AlertRec &rec = store()->alerts[alert];
	Answer answer;
	answer.act = Act::escalate;
	answer.at = wall_now();
	answer.step = static_cast<std::uint8_t>(std::min(step, last));
	const auto transition = apply(rec.response, circumstances_of(rec), answer);
	if(transition)
		carry_out(alert, *transition, answer, {{}, through, why});
	return transition.ok();
}

void look_at_holder(Index alert) noexcept
{
	const AlertRec &rec = store()->alerts[alert];
	if(rec.response.response != Response::accepted)
		return;
	if(find_feed(rec.response.by) != 0) {
		if(show_to_holder(alert))
			queue_refresh(rec.response.by);
		return;
	}
	Answer answer;
	answer.act = Act::hand_back;
	answer.at = wall_now();
	try {
		const auto transition = apply(rec.response, circumstances_of(rec), answer);
		if(!transition || transition->event.empty())
			return;
		const std::string why = std::string(rec.response.by)
								+ ", who had accepted it, is disabled or gone: handed back";
		carry_out(alert, *transition, answer, {{}, "system", why});
		hasten_escalation(alert);
	} catch(const std::bad_alloc &) {
		note_due(0); // again
	}
}

Index find_alert(std::string_view alert, AlertRec &found) noexcept
{
	Store &s = *store();
	const std::lock_guard<Mutex> book(s.book_lock);
	const Index i = find_within_lock(alert);
	if(i != 0)
		found = s.alerts[i];
	return i;
}

} // namespace bmd
