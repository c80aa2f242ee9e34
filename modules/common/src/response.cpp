/// @file response.cpp  The answers to an alert.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "bmd/response.hpp"

#include <array>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>

namespace bmd {

namespace {

constexpr std::array<std::string_view, 9> acts{"deliver", "accept", "reject", "escalate",
		"acknowledge", "silence", "resolve", "end", "hand-back"};

// A second silence that ends at hardly another time is the same one, asked for again.
constexpr DurationUs same_silence = second_us;

Error refused(std::string reason)
{
	return Error{Errc::denied, std::move(reason)};
}

bool by_system(Act act) noexcept
{
	return act == Act::deliver || act == Act::escalate || act == Act::hand_back;
}

std::optional<Error> mistake(const Answer &answer, const Circumstances &now)
{
	if(answer.who.empty() && !by_system(answer.act))
		return malformed("nobody is named who answers");
	if(answer.who.size() >= answerer_size)
		return malformed("the name of who answers is longer than 31 bytes");
	if(answer.act == Act::resolve && answer.outcome == Outcome::none)
		return malformed("resolve needs an outcome: actionable or false");
	if(answer.act == Act::escalate && answer.step == 0)
		return malformed("the steps of an escalation count from 1");
	if(answer.act == Act::silence && answer.until - answer.at > now.longest_silence)
		return malformed("an alert of priority " + std::string(to_string(now.priority))
						 + " is silenced for at most "
						 + std::to_string(now.longest_silence / second_us) + " s");
	return std::nullopt;
}

std::string held_by(const ResponseState &state)
{
	return std::string(to_string(state.response)) + " by " + state.by + " already";
}

bool theirs(const ResponseState &state, const Answer &answer) noexcept
{
	return answer.who == state.by;
}

// Whoever took it decides; nobody else answers over that person's head.
std::optional<Error> of_another(const ResponseState &state, const Answer &answer)
{
	if(!taken(state) || theirs(state, answer))
		return std::nullopt;
	return refused(held_by(state));
}

Transition unchanged(const ResponseState &state)
{
	return Transition{state, {}, false};
}

void put_name(ResponseState &state, std::string_view who) noexcept
{
	std::memset(state.by, 0, sizeof state.by);
	who.copy(state.by, who.size());
}

void respond(ResponseState &state, Response response, const Answer &answer) noexcept
{
	put_name(state, answer.who);
	state.response = response;
	state.at = answer.at;
	if(taken(state) && state.taken_at == 0)
		state.taken_at = answer.at;
}

Transition answered(ResponseState state, Response response, const Answer &answer,
		std::string_view event, bool closes = false)
{
	respond(state, response, answer);
	return Transition{state, event, closes};
}

Result<Transition> deliver(const ResponseState &state, const Answer &answer)
{
	if(state.response != Response::none)
		return unchanged(state);
	return answered(state, Response::delivered, answer, "delivered");
}

Result<Transition> accept(const ResponseState &state, const Answer &answer)
{
	if(auto error = of_another(state, answer))
		return *error;
	if(state.response == Response::accepted)
		return unchanged(state);
	Transition after = answered(state, Response::accepted, answer, "accepted");
	after.state.outcome = Outcome::none;
	return after;
}

Result<Transition> reject(const ResponseState &state, const Answer &answer)
{
	if(!answer.any_persons)
		if(auto error = of_another(state, answer))
			return *error;
	if(state.response == Response::rejected && theirs(state, answer))
		return unchanged(state);
	Transition after = answered(state, Response::rejected, answer, "rejected");
	after.state.outcome = Outcome::none;
	return after;
}

Result<Transition> escalate(const ResponseState &state, const Answer &answer)
{
	if(taken(state))
		return refused(held_by(state));
	if(state.suppressed != Suppression::none)
		return refused("suppressed: " + std::string(to_string(state.suppressed)));
	if(state.silenced_until > answer.at)
		return refused("silenced until " + format_time(state.silenced_until));
	if(answer.step < state.step)
		return refused("step " + std::to_string(state.step) + " has begun already");
	Transition after = answered(state, Response::escalated, answer, "escalated");
	after.state.step = answer.step;
	return after;
}

Result<Transition> hand_back(const ResponseState &state, const Answer &answer)
{
	if(state.response != Response::accepted)
		return unchanged(state);
	Transition after = answered(state, Response::rejected, answer, "rejected");
	after.state.outcome = Outcome::none;
	return after;
}

Result<Transition> acknowledge(
		const ResponseState &state, const Circumstances &now, const Answer &answer)
{
	if(auto error = of_another(state, answer))
		return *error;
	if(state.response == Response::acknowledged)
		return unchanged(state);
	return answered(state, Response::acknowledged, answer, "acknowledged",
			now.state == AlertState::latched);
}

Result<Transition> silence(const ResponseState &state, const Answer &answer)
{
	ResponseState after = state;
	if(answer.until <= answer.at) {
		after.silenced_until = 0;
		return Transition{after, state.silenced_until == 0 ? "" : "silence-over", false};
	}
	if(state.silenced_until > answer.at
			&& std::abs(answer.until - state.silenced_until) <= same_silence)
		return unchanged(state);
	after.silenced_until = answer.until;
	return Transition{after, "silenced", false};
}

// Also when the condition has gone already, as long as the alert is kept.
Result<Transition> resolve(
		const ResponseState &state, const Circumstances &now, const Answer &answer)
{
	if(auto error = of_another(state, answer))
		return *error;
	if(state.response == Response::acknowledged && state.outcome == answer.outcome)
		return unchanged(state);
	Transition after = answered(
			state, Response::acknowledged, answer, "resolved", now.state != AlertState::active);
	after.state.outcome = answer.outcome;
	return after;
}

} // namespace

std::string_view to_string(Act act) noexcept
{
	const auto i = static_cast<std::size_t>(act) - 1;
	return i < acts.size() ? acts[i] : "?";
}

std::optional<Act> parse_act(std::string_view text) noexcept
{
	for(std::size_t i = 0; i < acts.size(); ++i)
		if(acts[i] == text)
			return static_cast<Act>(i + 1);
	return std::nullopt;
}

Result<Transition> apply(
		const ResponseState &before, const Circumstances &now, const Answer &answer)
{
	if(auto error = mistake(answer, now))
		return *error;
	if(now.closed)
		return refused("it is closed");
	if(now.state == AlertState::cleared && answer.act != Act::resolve)
		return refused("its condition has gone: it takes no answer any more but resolve");
	switch(answer.act) {
		case Act::deliver:
			return deliver(before, answer);
		case Act::accept:
			return accept(before, answer);
		case Act::reject:
			return reject(before, answer);
		case Act::escalate:
			return escalate(before, answer);
		case Act::acknowledge:
			return acknowledge(before, now, answer);
		case Act::silence:
			return silence(before, answer);
		case Act::resolve:
			return resolve(before, now, answer);
		case Act::end:
			return Transition{before, "ended", true};
		case Act::hand_back:
			return hand_back(before, answer);
	}
	return malformed("no such answer");
}

bool taken(const ResponseState &state) noexcept
{
	return state.response == Response::accepted || state.response == Response::acknowledged;
}

namespace {

void begin_anew(ResponseState &state, TimeUs at) noexcept
{
	put_name(state, {});
	state.response = Response::none;
	state.outcome = Outcome::none;
	state.step = 0;
	state.at = at;
}

} // namespace

void come_back(ResponseState &state, TimeUs at) noexcept
{
	if(state.response != Response::accepted || at - state.at > longest_acceptance)
		return begin_anew(state, at);
	state.outcome = Outcome::none;
}

void worsen(ResponseState &state, TimeUs at) noexcept
{
	state.silenced_until = 0;
	if(state.response == Response::acknowledged)
		begin_anew(state, at);
}

} // namespace bmd
