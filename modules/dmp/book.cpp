/// @file book.cpp  The alert book and the devices as a person may see and change them.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "book.hpp"

#include <algorithm>
#include <array>
#include <chrono>

#include "bmd/code.hpp"
#include "bmd/words.hpp"

namespace bmd::dmp {

namespace {

void add(const bmd_alert_view *alert, void *list)
{
	static_cast<std::vector<bmd_alert_view> *>(list)->push_back(*alert);
}

constexpr std::size_t most_why = 95; // of bmd_answer
constexpr DurationUs closing_window = 600 * second_us;

template <std::size_t N> void put(char (&to)[N], std::string_view text) noexcept
{
	to[text.copy(to, N - 1)] = '\0';
}

// Carried out, stored or not yet.
bool done(ResultCode code) noexcept
{
	return code == ResultCode::ok || code == ResultCode::accepted;
}

void remember(std::string_view user, const AlertControl &control, const Carried &carried,
		bool bare) noexcept
{
	Lately answer;
	answer.at = mono_now();
	answer.act = control.act;
	answer.outcome = control.outcome;
	answer.done = done(carried.code);
	answer.bare = bare;
	put(answer.id, carried.alert.id);
	put(answer.code, carried.alert.code);
	put(answer.priority, carried.alert.priority);
	put(answer.metric, carried.alert.metric);
	put(answer.condition, carried.alert.condition);
	put(answer.serial, carried.alert.serial);
	memory().remember(user, answer);
}

bool same(std::string_view a, std::string_view b) noexcept
{
	return std::ranges::equal(a, b, [](char x, char y) { return (x | 0x20) == (y | 0x20); });
}

// Of an alert that is not there: has this very answer of this person closed it?
Carried closed_by_them(std::string_view user, std::string_view device, const AlertControl &control)
{
	const bool closes = control.act == Act::acknowledge || control.act == Act::resolve;
	if(closes)
		for(const Lately &known : memory().answers(user, mono_now() - closing_window))
			if(known.done && known.act == control.act && known.outcome == control.outcome
					&& (same(known.id, control.alert) || same(known.code, control.alert))
					&& (device == any_device || device == known.serial))
				return {ResultCode::ok, {}, shown(known)};
	return {ResultCode::unknown_alert, "no alert that is open has this code or id", {}};
}

Carried refused(ResultCode code, std::string reason)
{
	return {code, std::move(reason), {}};
}

} // namespace

Carried carry_out(std::string_view user, std::string_view device, const AlertControl &control,
		std::string_view through, bool bare)
{
	constexpr const char *not_yours = "not yours to answer";
	Carried carried{};
	if(book().alert(text_of(control.alert), &carried.alert) != 1)
		return closed_by_them(user, device, control);
	const int may = book().may_answer(text_of(user), text_of(carried.alert.id));
	if(may < 0)
		return closed_by_them(user, device, control);
	if(may == 0)
		return refused(ResultCode::forbidden, not_yours);
	// from here on as that person may see it; but whoever answers a storm does so for all its
	// devices
	bmd_alert_view own{};
	if(book().alert_for(text_of(user), text_of(carried.alert.id), &own) != 1)
		return closed_by_them(user, device, control);
	if(own.cause[0] != '\0')
		put(own.value, carried.alert.value);
	carried.alert = own;
	if(device != any_device && device != carried.alert.serial)
		return refused(ResultCode::bad_value, "the alert is of another device");
	bmd_answer answer{};
	answer.alert = text_of(control.alert);
	answer.act = text_of(to_string(control.act));
	answer.who = text_of(user);
	answer.through = text_of(through);
	answer.why = text_of(cut_words(control.why, most_why));
	if(control.outcome != Outcome::none)
		answer.outcome = text_of(to_string(control.outcome));
	answer.seconds = control.seconds;
	std::array<char, 256> reason{};
	carried.code = result_of(book().answer(&answer, reason.data(), reason.size()));
	if(carried.code == ResultCode::forbidden) // the assignment has just gone
		return refused(carried.code, not_yours);
	if(carried.code == ResultCode::unknown_alert) // it has just been closed
		return closed_by_them(user, device, control);
	if(done(carried.code) || carried.code == ResultCode::conflict)
		remember(user, control, carried, bare);
	carried.reason = reason.data();
	return carried;
}

std::vector<bmd_alert_view> alerts_of(std::string_view user, long most, long &open)
{
	std::vector<bmd_alert_view> alerts;
	alerts.reserve(static_cast<std::size_t>(most)); // so that add() allocates nothing
	open = book().alerts_of(text_of(user), most, add, &alerts);
	return alerts;
}

bmd_alert_view shown(const Lately &answer) noexcept
{
	bmd_alert_view view{};
	put(view.id, answer.id);
	put(view.code, answer.code);
	put(view.priority, answer.priority);
	put(view.metric, answer.metric);
	put(view.condition, answer.condition);
	put(view.serial, answer.serial);
	return view;
}

TimeUs mono_now() noexcept
{
	using namespace std::chrono;
	return duration_cast<microseconds>(steady_clock::now().time_since_epoch()).count();
}

std::vector<bmd_alert_view> alerts_of_device(
		std::string_view user, std::string_view serial, long most)
{
	std::vector<bmd_alert_view> alerts;
	alerts.reserve(static_cast<std::size_t>(most));
	(void)book().device_alerts_for(text_of(user), text_of(serial), most, add, &alerts);
	return alerts;
}

} // namespace bmd::dmp
