/// @file core_answer.cpp  Answers to alerts, maintenance and the report of alarms, behind
/// bmd_core.h. SPDX-License-Identifier: GPL-2.0-or-later

#include <algorithm>
#include <shared_mutex>
#include <string>
#include <string_view>

#include "answer.hpp"
#include "bmd/words.hpp"
#include "bmd_core.h"
#include "bmd_host.h"
#include "core_bridge.hpp"
#include "core_conninfo.hpp"
#include "journal.hpp"
#include "pg.hpp"
#include "registry.hpp"
#include "view.hpp"
#include "windows.hpp"

namespace {

using bmd::answered;
using bmd::store;
using bmd::view_of;

constexpr std::size_t most_who = bmd::answerer_size - 1;
constexpr std::size_t most_through = sizeof(bmd::AlertEvent::through) - 1;
constexpr std::size_t most_why = sizeof(bmd::AlertEvent::why) - 1;
constexpr std::size_t most_window_why = bmd::window_why_size - 1;
constexpr int report_ms = 900; // for all of the report: other commands wait behind it
constexpr int most_rows = 1'000;
constexpr long most_days = 36'500;

struct Said
{
	int status;
	std::string reason;
};

std::string words_wrong(std::string_view who, std::string_view why, std::size_t longest_why)
{
	if(!bmd::valid_words(who, most_who))
		return "WHO is UTF-8 without control characters, of at most " + std::to_string(most_who)
			   + " bytes";
	if(!bmd::valid_words(why, longest_why))
		return "WHY is UTF-8 without control characters, of at most " + std::to_string(longest_why)
			   + " bytes";
	return {};
}

Said take_answer(const bmd_answer &from)
{
	bmd::AnswerTo to;
	const auto act = bmd::parse_act(view_of(from.act));
	if(!act)
		return {400, "an answer is deliver, accept, reject, escalate, acknowledge, silence, "
					 "resolve or end"};
	to.answer.act = *act;
	to.alert = view_of(from.alert);
	to.answer.who = view_of(from.who);
	to.through = view_of(from.through);
	to.why = view_of(from.why);
	if(std::string wrong = words_wrong(to.answer.who, to.why, most_why); !wrong.empty())
		return {400, wrong};
	if(to.through.size() > most_through)
		return {400, "the way of an answer is named with at most 15 bytes"};
	if(from.outcome.len > 0) {
		const auto outcome = bmd::parse_outcome(view_of(from.outcome));
		if(!outcome || *outcome == bmd::Outcome::none)
			return {400, "an outcome is actionable or false"};
		to.answer.outcome = *outcome;
	}
	if(from.seconds < 0 || from.seconds > 86'400 || from.step < 0 || from.step > 255)
		return {400, "seconds are 0 to 86400, steps 1 to 255"};
	to.answer.until = from.seconds * bmd::second_us;
	to.answer.step = static_cast<std::uint8_t>(from.step);
	to.entitled = to.answer.any_persons = from.by_operator != 0;
	bmd::Answered outcome = bmd::answer_alert(to);
	if(outcome.status == 200 && store()->database_up.load() == 0)
		return {202, "the database is away: this is not stored yet"};
	return {outcome.status, std::move(outcome.reason)};
}

Said set_maintenance(bmd_text serial, long seconds, bmd_text who, bmd_text why)
{
	if(who.len == 0 || why.len == 0)
		return {400, "say who sets the window, and why"};
	if(std::string wrong = words_wrong(view_of(who), view_of(why), most_window_why); !wrong.empty())
		return {400, wrong};
	if(seconds < 0 || seconds * bmd::second_us > bmd::longest_window)
		return {400, "SECONDS is 1 to 86400, or 0 to end the windows of the device"};
	const std::shared_lock<bmd::RwLock> registry(store()->registry_lock);
	if(bmd::find_device(view_of(serial)) == 0)
		return {404, "no such device is provisioned"};
	const bmd::TimeUs now = bmd::wall_now();
	switch(bmd::set_window(
			view_of(serial), now, now + seconds * bmd::second_us, view_of(who), view_of(why))) {
		case bmd::WindowSet::done:
			return {200, {}};
		case bmd::WindowSet::none_to_end:
			return {404, "there is no window of this very device; those of its type, its groups or "
						 "all are ended by SQL"};
		case bmd::WindowSet::no_room:
			break;
	}
	return {503, "no room for one more window: 1024 are possible, and as many waiting for the "
				 "database"};
}

constexpr const char *report_query =
		"SELECT serial, metric, condition, count(*), count(*) FILTER (WHERE accepted), "
		"count(*) FILTER (WHERE false_alarm), round((percentile_cont(0.5) WITHIN GROUP "
		"(ORDER BY seconds_to_answer))::numeric, 3) FROM bmd_alarm "
		"WHERE ($1 = '' OR serial = $1) AND ($2::integer = 0 "
		"OR raised_at >= now() - $2::integer * interval '1 day') "
		"GROUP BY serial, metric, condition ORDER BY count(*) DESC, serial, metric, condition "
		"LIMIT 1001";

Said report_alarms(bmd_text serial, long days, bmd_each_alarm each, void *arg, int &more)
{
	if(days < 0 || days > most_days)
		return {400, "DAYS is 0 (all) to 36500"};
	const bmd::TimeUs until = bmd::mono_now() + report_ms * 1'000;
	const auto left = [until] {
		return std::max(1, static_cast<int>((until - bmd::mono_now()) / 1'000));
	};
	bmd::Pg pg(report_ms);
	if(auto connected = pg.connect_within(report_ms, bmd::database_conninfo(), "bmd report");
			!connected)
		return {503, "the database is not reached: " + connected.error().reason};
	pg.wait_at_most(left());
	// a query that nobody waits for any more must not run on over the whole history
	if(auto set = pg.run(("SET statement_timeout = " + std::to_string(left())).c_str()); !set)
		return {503, "the database does not answer: " + set.error().reason};
	pg.wait_at_most(left());
	auto rows = pg.run(report_query, {std::string(view_of(serial)), std::to_string(days)});
	if(!rows)
		return {503, "the database does not answer in time: " + rows.error().reason
							 + "; ask of fewer days, or by SQL of bmd_alarm_report"};
	more = PQntuples(rows->get()) > most_rows ? 1 : 0;
	for(int i = 0; i < std::min(PQntuples(rows->get()), most_rows); ++i) {
		const auto field = [&](int column) { return PQgetvalue(rows->get(), i, column); };
		const bmd_alarm_view view{
				field(0), field(1), field(2), field(3), field(4), field(5), field(6)};
		each(&view, arg);
	}
	return {200, {}};
}

} // namespace

int bmd_core_answer(const bmd_answer *answer, char *reason, size_t reason_size)
{
	return answered(reason, reason_size, [&] { return take_answer(*answer); });
}

int bmd_core_maintenance(
		bmd_text serial, long seconds, bmd_text who, bmd_text why, char *reason, size_t reason_size)
{
	return answered(
			reason, reason_size, [&] { return set_maintenance(serial, seconds, who, why); });
}

void bmd_core_windows(bmd_each_window each, void *arg)
{
	try {
		const bmd::TimeUs now = bmd::wall_now();
		for(const bmd::WindowRec &window : bmd::all_windows(now)) {
			bmd_window_view view;
			bmd::show_window(window, now, view);
			each(&view, arg);
		}
	} catch(const std::exception &failure) {
		bmd_host_log(BMD_LOG_ERROR, failure.what());
	}
}

int bmd_core_report_alarms(bmd_text serial, long days, bmd_each_alarm each, void *arg, int *more,
		char *reason, size_t reason_size)
{
	return answered(
			reason, reason_size, [&] { return report_alarms(serial, days, each, arg, *more); });
}
