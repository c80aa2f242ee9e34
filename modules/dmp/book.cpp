/// @file book.cpp  The alert book and the devices as a person may see and change them.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "book.hpp"

#include <array>

namespace bmd::dmp {

namespace {

void add(const bmd_alert_view *alert, void *list)
{
	static_cast<std::vector<bmd_alert_view> *>(list)->push_back(*alert);
}

Carried refused(ResultCode code, std::string reason)
{
	return {code, std::move(reason), {}};
}

} // namespace

bool responsible(std::string_view user, std::string_view serial)
{
	const std::string feed = "dev." + std::string(serial);
	return book().may_watch(text_of(user), text_of(feed)) != 0;
}

Carried carry_out(std::string_view user, std::string_view device, const AlertControl &control,
		std::string_view through)
{
	constexpr const char *not_yours = "not yours to answer";
	Carried carried{};
	if(book().alert(text_of(control.alert), &carried.alert) != 1)
		return refused(ResultCode::unknown_alert, "no alert that is open has this code or id");
	if(book().may_answer(text_of(user), text_of(carried.alert.id)) == 0)
		return refused(ResultCode::forbidden, not_yours);
	if(device != any_device && device != carried.alert.serial)
		return refused(ResultCode::bad_value, "the alert is of another device");
	bmd_answer answer{};
	answer.alert = text_of(control.alert);
	answer.act = text_of(to_string(control.act));
	answer.who = text_of(user);
	answer.through = text_of(through);
	answer.why = text_of(control.why);
	if(control.outcome != Outcome::none)
		answer.outcome = text_of(to_string(control.outcome));
	answer.seconds = control.seconds;
	std::array<char, 256> reason{};
	carried.code = result_of(book().answer(&answer, reason.data(), reason.size()));
	if(carried.code == ResultCode::forbidden) // the assignment has just gone
		return refused(carried.code, not_yours);
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

std::vector<bmd_alert_view> alerts_of_device(std::string_view serial, long most)
{
	std::vector<bmd_alert_view> alerts;
	alerts.reserve(static_cast<std::size_t>(most));
	book().alerts(text_of(serial), most, add, &alerts);
	return alerts;
}

} // namespace bmd::dmp
