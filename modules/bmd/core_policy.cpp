/// @file core_policy.cpp  Who may see what, behind bmd_core_policy.h.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Needs no database: everything stands in shared memory.  Answers go to it through the rows that
/// wait, and come back as provisioning.

#include <algorithm>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <vector>

#include "bmd/words.hpp"
#include "bmd_core_policy.h"
#include "core_bridge.hpp"
#include "permits.hpp"
#include "registry.hpp"
#include "rows.hpp"
#include "subs.hpp"
#include "view.hpp"
#include "watchers.hpp"

namespace {

using bmd::answered;
using bmd::guarded;
using bmd::Index;
using bmd::Mutex;
using bmd::Permits;
using bmd::put;
using bmd::Standing;
using bmd::store;
using bmd::view_of;

using Registry = std::shared_lock<bmd::RwLock>;

constexpr std::size_t most_who = 31;

struct Said
{
	int status = 200;
	std::string reason;
};

std::string device_feed(std::string_view serial)
{
	return "dev." + std::string(serial);
}

// As a device that has never reported: what is asked of it has no answer, and nothing is wrong.
void show_quiet(Index index, bmd_device_view &view)
{
	view = {};
	put(view.serial, store()->devices[index].serial);
	put(view.type, store()->types[store()->devices[index].type].name);
	view.enabled = 1;
}

// Returns whether there is anything to be shown.
int device_for(std::string_view person, std::string_view serial, bmd_device_view &device,
		std::vector<bmd_metric_view> &metrics)
{
	bmd::Store &s = *store();
	const Registry registry(s.registry_lock);
	const Index i = bmd::find_device(serial);
	const bmd::Verdict verdict = Permits().on_feed(person, device_feed(serial));
	const Standing standing = standing_of(verdict);
	if(i == 0 || !verdict.shown.alerts)
		return 0;
	if(standing == Standing::decoy) {
		show_quiet(i, device);
		return 1;
	}
	if(standing != Standing::active)
		return 0;
	const std::lock_guard<Mutex> guard(s.stripe[i % bmd::stripes]);
	bmd::show_device(i, device, verdict.shown);
	bmd::show_window_of(i, device.window);
	for(Index m = s.devices[i].first_metric; m != 0; m = s.metrics[m].next)
		bmd::show_metric(s.devices[i], s.metrics[m], metrics.emplace_back());
	return 1;
}

// Copies under the locks, shown after them.
std::vector<bmd::AlertRec> alerts_of_device(Index device)
{
	bmd::Store &s = *store();
	std::vector<bmd::AlertRec> alerts;
	const std::lock_guard<Mutex> guard(s.stripe[device % bmd::stripes]);
	for(Index i = s.devices[device].first_alert; i != 0; i = s.alerts[i].next_of_device)
		if(s.alerts[i].state != bmd::AlertState::cleared)
			alerts.push_back(s.alerts[i]);
	return alerts;
}

std::vector<bmd_alert_view> device_alerts_for(std::string_view person, std::string_view serial)
{
	std::vector<bmd_alert_view> views;
	const Registry registry(store()->registry_lock);
	const Permits permits;
	const Index device = bmd::find_device(serial);
	const std::string feed = device_feed(serial);
	if(device == 0 || standing_of(permits.on_feed(person, feed)) != Standing::active)
		return views;
	for(const bmd::AlertRec &alert : alerts_of_device(device)) {
		const bmd::Verdict verdict = permits.on_alert(person, feed, alert);
		if(verdict.allows() && verdict.shown.alerts)
			bmd::show_alert(alert, views.emplace_back(), person, verdict.shown);
	}
	return views;
}

std::string_view state_word(Standing standing)
{
	switch(standing) {
		case Standing::active:
			return "active";
		case Standing::decoy:
			return "decoy";
		case Standing::pending:
			return "pending";
		default:
			return "refused";
	}
}

void show_verdict(const bmd::Verdict &verdict, bmd_verdict_view &view)
{
	view = {};
	put(view.decision, to_string(verdict.decision));
	put(view.shown, to_string(verdict.shown));
	put(view.by, verdict.rule != 0  ? "rule " + std::to_string(verdict.rule)
				 : verdict.built_in ? "built-in"
									: "no rule allows it");
	put(view.state, state_word(standing_of(verdict)));
	view.most = verdict.most;
}

Said explain(bmd_text person, bmd_text feed, bmd_text serial, bmd_verdict_view &verdict,
		std::vector<bmd::PolicyStep> &steps)
{
	if(person.len == 0 || feed.len == 0)
		return {400, "name a person and a feed: USER FEED [SERIAL]; FEED is USER, dev.SERIAL or "
					 "grp.NAME"};
	const Registry registry(store()->registry_lock);
	const Index device = serial.len == 0 ? 0 : bmd::find_device(view_of(serial));
	if(serial.len != 0 && device == 0)
		return {404, "no such device is provisioned"};
	show_verdict(Permits().explain(view_of(person), view_of(feed), device, steps), verdict);
	if(steps.empty())
		return {404, "there is no such person that is enabled, or no such feed"};
	return {};
}

bool waits(std::string_view person, std::string_view feed)
{
	const auto is_it = [&](const auto &one) { return one.user == person && one.feed == feed; };
	return std::ranges::any_of(bmd::pending_subs(), is_it)
		   || std::ranges::any_of(bmd::waiting_watchers(), is_it);
}

bmd::Cell cell(const char *name, std::string_view value)
{
	return {name, "=", std::string(value)};
}

// In force when the database has it.
Said kept()
{
	if(store()->database_up.load() == 0)
		return {202, "the database is away: this is in force when it is back"};
	return {};
}

Said nobody_waits()
{
	return {404, "nobody of that name waits for that feed, nor has been answered: bmd.pending"};
}

// Changes nothing: what has been answered is answered again, and nobody waits.
Said answer_in_vain(std::string_view person, std::string_view feed)
{
	const bmd::Policy::Pair pair{person, feed};
	return bmd::policy_now()->answers().contains(pair) ? kept() : nobody_waits();
}

Said answer_pending(
		std::string_view person, std::string_view feed, bool approved, std::string_view who)
{
	if(person.empty() || feed.empty() || who.empty())
		return {400, "name who waits, for which feed, and who answers: USER FEED WHO"};
	if(!bmd::valid_words(who, most_who))
		return {400, "WHO is UTF-8 without control characters, of at most 31 bytes"};
	const bmd::Policy::Pair pair{person, feed};
	if(!waits(person, feed) && !bmd::policy_now()->answers().contains(pair))
		return nobody_waits();
	bmd::RowChange change;
	change.action = bmd::RowAction::put;
	change.table = "bmd_policy_answer";
	change.replaces = true;
	change.cells = {cell("username", person), cell("feed", feed),
			cell("approved", approved ? "t" : "f"), cell("who", who),
			cell("answered_at", bmd::format_time(bmd::wall_now()))};
	if(bmd::keep_row(change) != bmd::RowOutcome::waits)
		return {500, "no memory for one more row that waits for the database"};
	return kept();
}

} // namespace

int bmd_core_device_for(
		bmd_text person, bmd_text serial, bmd_device_view *device, bmd_each_metric each, void *arg)
{
	return guarded(0, [&] {
		std::vector<bmd_metric_view> metrics;
		if(device_for(view_of(person), view_of(serial), *device, metrics) == 0)
			return 0;
		for(const bmd_metric_view &metric : metrics)
			each(&metric, arg);
		return 1;
	});
}

long bmd_core_device_alerts_for(
		bmd_text person, bmd_text serial, long most, bmd_each_alert each, void *arg)
{
	return guarded(0L, [&] {
		const auto views = device_alerts_for(view_of(person), view_of(serial));
		for(std::size_t i = 0; i < views.size() && i < static_cast<std::size_t>(most); ++i)
			each(&views[i], arg);
		return static_cast<long>(views.size());
	});
}

int bmd_core_may_be_told(bmd_text person, bmd_text serial)
{
	return guarded(0, [&] {
		const Registry registry(store()->registry_lock);
		const Permits permits;
		const Index device = bmd::find_device(view_of(serial));
		if(device == 0 || !permits.restricts(view_of(person)))
			return 1;
		return permits.in_person(view_of(person), device) ? 1 : 0;
	});
}

int bmd_core_policy(bmd_text person, bmd_text feed, bmd_text serial, bmd_verdict_view *verdict,
		bmd_each_policy_step each, void *arg, char *reason, size_t reason_size)
{
	return answered(reason, reason_size, [&] {
		std::vector<bmd::PolicyStep> steps;
		Said said = explain(person, feed, serial, *verdict, steps);
		for(const bmd::PolicyStep &step : steps) {
			bmd_policy_step_view view{};
			view.rule = step.rule;
			put(view.says, step.says);
			view.decides = step.decides ? 1 : 0;
			put(view.why, step.why);
			each(&view, arg);
		}
		return said;
	});
}

void bmd_core_pending(bmd_each_pending each, void *arg)
{
	(void)guarded(0, [&] {
		const auto show = [&](const std::string &person, const std::string &feed, bmd::TimeUs since,
								  const char *status) {
			bmd_pending_view view{};
			put(view.person, person);
			put(view.feed, feed);
			put(view.since, bmd::format_time(since));
			put(view.status, status);
			each(&view, arg);
		};
		for(const bmd::PendingSub &sub : bmd::pending_subs())
			show(sub.user, sub.feed, sub.since, "pending");
		for(const bmd::WatcherNow &watcher : bmd::waiting_watchers())
			show(watcher.user, watcher.feed, watcher.begun_at, "waiting");
		return 0;
	});
}

int bmd_core_answer_pending(bmd_text person, bmd_text feed, int approved, bmd_text who,
		char *reason, size_t reason_size)
{
	return answered(reason, reason_size, [&] {
		return answer_pending(view_of(person), view_of(feed), approved != 0, view_of(who));
	});
}

int bmd_core_answer_in_vain(bmd_text person, bmd_text feed, char *reason, size_t reason_size)
{
	return answered(
			reason, reason_size, [&] { return answer_in_vain(view_of(person), view_of(feed)); });
}
