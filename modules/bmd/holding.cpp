/// @file holding.cpp  What a notifier holds back, and until when.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "holding.hpp"

#include <algorithm>
#include <shared_mutex>

#include "documents.hpp"
#include "held.hpp"
#include "registry.hpp"
#include "watcher_text.hpp"

namespace bmd {

namespace {

constexpr std::size_t most_held = 256; // of one subscription; then all of it is told
constexpr TimeUs sweep_interval = 10 * second_us;
constexpr std::string_view group_prefix = "grp.";

// As names of groups, without the prefix of their feeds.
std::vector<std::string> groups_of(const DeviceRec &device)
{
	const Store &s = *store();
	std::vector<std::string> groups;
	for(Index e = device.first_member; e != 0; e = s.members[e].next_of_device)
		if(const std::string_view feed = s.feeds[s.members[e].feed].name;
				feed.starts_with(group_prefix))
			groups.emplace_back(feed.substr(group_prefix.size()));
	return groups;
}

// How long one that chatters must be over before it counts as over; 0: at once.
DurationUs chatters(const AlertRec &alert) noexcept
{
	return alert.chattering && alert.closed_at == 0 ? store()->settings.reopen.load() : 0;
}

} // namespace

SeenChange see_change(const AlertRec &change, bool begins)
{
	SeenChange seen;
	seen.begins = begins;
	seen.state = present_state(change);
	const AlertRec &alert = seen.state ? *seen.state : change;
	seen.subject.priority = alert.priority;
	seen.subject.kind = alert.kind;
	seen.subject.metric = metric_name(alert.metric);
	const Store &s = *store();
	const std::shared_lock<RwLock> registry(store()->registry_lock);
	if(const Index device = find_device(alert.serial); device != 0) {
		seen.subject.device_type = s.types[s.devices[device].type].name;
		seen.subject.groups = groups_of(s.devices[device]);
	}
	return seen;
}

void Holding::follow_rules()
{
	std::shared_ptr<const WatcherRules> now = watcher_rules_now();
	if(now == rules_)
		return;
	rules_ = std::move(now);
	for(auto &[dialog, queue] : queues_) {
		for(auto &[alert, entry] : queue.held)
			entry.until = 1;
		if(!queue.held.empty()) // it stays
			settle(dialog, queue);
	}
}

bool Holding::concerns(const SubTarget &target, std::string_view feed) const
{
	return queues_.contains(target.dialog) || rules_->any(target.user, feed);
}

// A full state told meanwhile has told all that was held before it.
Holding::Queue &Holding::queue_of(const SubTarget &target)
{
	SubTarget now{};
	const TimeUs full_at = find_sub(target.ref, now) ? now.full_at : 0;
	const auto [at, is_new] = queues_.try_emplace(target.dialog);
	Queue &queue = at->second;
	if(!is_new
			&& (queue.full_at != full_at || queue.ref.slot != target.ref.slot
					|| queue.ref.generation != target.ref.generation))
		drop_all(queue);
	queue.ref = target.ref;
	queue.full_at = full_at;
	return queue;
}

// A clock that is set back meanwhile must not make it younger.
TimeUs Holding::began_at(const AlertRec &alert, const Entry *entry, TimeUs now) noexcept
{
	if(entry != nullptr && entry->began == alert.began)
		return entry->began_at;
	return std::min(monotonic_of(alert.began_at), now);
}

WatchedAlert Holding::watched(
		const Queue &queue, const SeenChange &change, const Entry *entry, TimeUs now) noexcept
{
	const AlertRec &alert = *change.state;
	// A clock that was set back says nothing of what came first.
	const bool unknown = entry != nullptr ? entry->lasts_at != 0
										  : change.begins && queue.full_at < alert.began_at
													&& alert.began_at <= wall_now();
	const bool quiet_enough =
			entry != nullptr && entry->until <= now && entry->revision == alert.revision;
	return {.priority = alert.priority,
			.was_high = alert.was_high,
			.escalated = alert.response.response == Response::escalated || alert.response.step > 0,
			.open = alert.state != AlertState::cleared,
			.unknown = unknown,
			.began = began_at(alert, entry, now),
			.chatters = quiet_enough ? 0 : chatters(alert),
			.is_back = alert.revision == alert.began};
}

Hold Holding::judge(Queue &queue, const WatcherRule *rule, const SeenChange &change,
		const Entry *entry, TimeUs now) const
{
	WatchedPast past;
	past.held_since = entry == nullptr ? 0 : entry->since;
	past.digest_since = past.held_since;
	const std::int32_t number = rule == nullptr ? 0 : rule->id;
	std::deque<TimeUs> &log = queue.told[number];
	while(!log.empty() && log.front() + rate_window <= now)
		log.pop_front();
	const std::vector<TimeUs> told(log.begin(), log.end());
	past.told = told;
	TimeUs others = 0; // wait for the rate until then
	for(const auto &[id, held] : queue.held) {
		if(held.rule != number)
			continue;
		if(held.why == HoldReason::digest
				&& (past.digest_since == 0 || held.since < past.digest_since))
			past.digest_since = held.since;
		if(held.why == HoldReason::rate)
			others = std::max(held.until, now);
	}
	const Hold hold = hold_back(rule, watched(queue, change, entry, now), past, now);
	// not before those that wait already, but with them
	return hold.counts && entry == nullptr && others != 0 ? Hold{HoldReason::rate, others} : hold;
}

bool Holding::keep(std::uint64_t dialog, Queue &queue, const AlertRec &alert,
		const WatcherRule *rule, const Hold &hold, TimeUs now)
{
	const auto known = queue.held.find(alert.id);
	const Entry *before = known == queue.held.end() ? nullptr : &known->second;
	Entry entry{0, rule == nullptr ? 0 : rule->id, hold.why, now, hold.until, hold.lasts_at,
			began_at(alert, before, now), alert.began, alert.revision};
	HeldRec held{};
	if(before != nullptr) {
		entry.slot = before->slot;
		entry.since = before->since;
		held = held_at(entry.slot);
	} else {
		held.since = wall_now();
	}
	held.alert = alert;
	held.dialog = dialog;
	held.until = hold.until;
	held.rule = entry.rule;
	held.why = hold.why;
	if(entry.slot != 0)
		change_held(entry.slot, held);
	else if(queue.held.size() < most_held)
		entry.slot = put_held(held);
	if(entry.slot == 0)
		return false;
	queue.held[alert.id] = entry;
	return true;
}

void Holding::drop(Queue &queue, const Uuid &alert)
{
	const auto at = queue.held.find(alert);
	if(at == queue.held.end())
		return;
	drop_held(at->second.slot);
	queue.held.erase(at);
}

void Holding::drop_all(Queue &queue)
{
	for(const auto &[alert, entry] : queue.held)
		drop_held(entry.slot);
	queue.held.clear();
}

// After any change of a queue: when it is due; without anything to remember it goes.
void Holding::settle(std::uint64_t dialog, Queue &queue)
{
	if(queue.due != 0)
		dues_.erase({queue.due, dialog});
	queue.due = 0;
	for(const auto &[alert, entry] : queue.held)
		queue.due = queue.due == 0 ? entry.until : std::min(queue.due, entry.until);
	if(queue.due != 0)
		dues_.insert({queue.due, dialog});
	std::erase_if(queue.told, [](const auto &log) { return log.second.empty(); });
	if(queue.held.empty() && queue.told.empty())
		queues_.erase(dialog);
}

Sifted Holding::sift(const SubTarget &target, std::string_view feed,
		const std::vector<const SeenChange *> &changes)
{
	const TimeUs now = mono_now();
	Queue &queue = queue_of(target);
	Sifted sifted;
	std::set<std::int32_t> counted;
	for(std::size_t i = 0; i < changes.size(); ++i) {
		const SeenChange &change = *changes[i];
		if(!change.state)
			continue; // newer news of it is on the way
		const Uuid &id = change.state->id;
		const auto known = queue.held.find(id);
		const Entry *entry = known == queue.held.end() ? nullptr : &known->second;
		const bool is_new = entry == nullptr;
		const WatcherRule *rule = rules_->find(target.user, feed, change.subject);
		const Hold hold = judge(queue, rule, change, entry, now);
		if(hold.never)
			count(count_watcher_passed);
		else if(hold.why == HoldReason::none)
			sifted.now.push_back(i);
		else if(keep(target.dialog, queue, *change.state, rule, hold, now)) {
			count(count_watcher_held, is_new ? 1 : 0);
			continue;
		} else {
			sifted.now.push_back(i);
			sifted.full = true;
		}
		drop(queue, id);
		if(hold.counts)
			counted.insert(rule->id);
	}
	for(const std::int32_t rule : counted)
		queue.told[rule].push_back(now);
	if(sifted.full)
		count(count_watcher_full);
	settle(target.dialog, queue);
	return sifted;
}

std::vector<std::uint64_t> Holding::due(TimeUs now) const
{
	std::vector<std::uint64_t> dialogs;
	for(auto at = dues_.begin(); at != dues_.end() && at->first <= now; ++at)
		dialogs.push_back(at->second);
	return dialogs;
}

// Those that are told now or never; the others wait on.
std::vector<Uuid> Holding::judge_due(std::uint64_t dialog, Queue &queue, const SubTarget &target,
		std::string_view feed, std::vector<AlertRec> &news)
{
	const TimeUs now = mono_now();
	std::vector<Uuid> done;
	std::set<std::int32_t> counted;
	bool digest = false;
	for(auto &[id, entry] : queue.held) {
		if(entry.until > now)
			continue;
		SeenChange change = see_change(held_at(entry.slot).alert, false);
		if(!change.state) { // its end is on the way, and finds it here
			entry.until = now + second_us;
			continue;
		}
		const WatcherRule *rule = rules_->find(target.user, feed, change.subject);
		const Hold hold = judge(queue, rule, change, &entry, now);
		if(hold.why != HoldReason::none && !hold.never) {
			(void)keep(dialog, queue, *change.state, rule, hold, now);
			continue;
		}
		done.push_back(id);
		count(count_watcher_passed, hold.never ? 1 : 0);
		if(hold.never)
			continue;
		digest = digest || entry.why == HoldReason::digest;
		news.push_back(*change.state);
		if(hold.counts)
			counted.insert(rule->id);
	}
	for(const std::int32_t rule : counted)
		queue.told[rule].push_back(now);
	count(count_watcher_digests, digest ? 1 : 0);
	return done;
}

std::vector<AlertRec> Holding::take_due(const SubTarget &target, std::string_view feed)
{
	std::vector<AlertRec> news;
	if(!queues_.contains(target.dialog))
		return news;
	Queue &queue = queue_of(target);
	for(const Uuid &alert : judge_due(target.dialog, queue, target, feed, news))
		drop(queue, alert);
	settle(target.dialog, queue);
	return news;
}

std::vector<AlertRec> Holding::take_all(std::uint64_t dialog)
{
	std::vector<AlertRec> news;
	const auto at = queues_.find(dialog);
	if(at == queues_.end())
		return news;
	for(const auto &[alert, entry] : at->second.held)
		if(const auto state = present_state(held_at(entry.slot).alert); state)
			news.push_back(*state);
	drop_all(at->second);
	settle(dialog, at->second);
	return news;
}

void Holding::forget(std::uint64_t dialog)
{
	const auto at = queues_.find(dialog);
	if(at == queues_.end())
		return;
	drop_all(at->second);
	at->second.told.clear();
	settle(dialog, at->second);
}

int Holding::patience(int most) const noexcept
{
	if(dues_.empty())
		return most;
	const TimeUs left = dues_.begin()->first - mono_now();
	return left <= 0 ? 0 : static_cast<int>(std::min<TimeUs>(most, left / 1'000 + 1));
}

void Holding::sweep()
{
	const TimeUs now = mono_now();
	if(now - swept_ < sweep_interval)
		return;
	swept_ = now;
	std::vector<std::uint64_t> gone;
	for(auto &[dialog, queue] : queues_) {
		SubTarget target{};
		const bool over =
				queue.held.empty() && std::ranges::all_of(queue.told, [now](const auto &log) {
					return log.second.empty() || log.second.back() + rate_window <= now;
				});
		if(over || !find_sub(queue.ref, target))
			gone.push_back(dialog);
	}
	for(const std::uint64_t dialog : gone)
		forget(dialog);
}

} // namespace bmd
