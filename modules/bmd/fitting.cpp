/// @file fitting.cpp  Which alerts fit the filter of a subscription.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "fitting.hpp"

#include <algorithm>
#include <mutex>
#include <unordered_map>

#include "bmd/dmp_filter.hpp"
#include "bmd_host.h"
#include "changes.hpp"
#include "filters.hpp"
#include "registry.hpp"
#include "subs.hpp"

namespace bmd {

namespace {

constexpr std::string_view group_prefix = "grp.";
constexpr std::string_view area_prefix = "#";

// A number is given again after 16 million others: what was read is forgotten long before.
std::shared_ptr<const Filter> filter_of(std::uint32_t number)
{
	constexpr std::size_t most = 50'000;
	constexpr DurationUs kept_for = 3600 * second_us;
	static std::unordered_map<std::uint32_t, std::shared_ptr<const Filter>> known; // this process's
	static TimeUs since = 0;
	static std::int64_t start = 0;
	if(known.size() > most || start != store()->started_at || mono_now() - since > kept_for) {
		known.clear();
		since = mono_now();
		start = store()->started_at;
	}
	const auto at = known.find(number);
	if(at != known.end())
		return at->second;
	const std::string text = filter_text(number);
	if(text.empty())
		return nullptr; // its subscription has another one by now
	auto read = dmp::parse_filter(text);
	if(!read)
		bmd_host_log(BMD_LOG_ERROR,
				("notifier: a filter cannot be read: " + read.error().reason).c_str());
	auto filter = read ? std::make_shared<const Filter>(std::move(*read)) : nullptr;
	known.emplace(number, filter);
	return filter;
}

Priority highest_of(const AlertRec &alert) noexcept
{
	return alert.was_high ? Priority::high : std::max(alert.priority, alert.priority_before);
}

// As watchers' rules see it: somebody was, or is, called for it.
bool is_urgent(const AlertRec &alert) noexcept
{
	return alert.was_high || alert.was_escalated || alert.priority == Priority::high
		   || alert.response.response == Response::escalated || alert.response.step > 0;
}

void add_device(Index index, FilterSubject &subject)
{
	const Store &s = *store();
	const DeviceRec &device = s.devices[index];
	subject.type = s.types[device.type].name;
	for(Index e = device.first_member; e != 0; e = s.members[e].next_of_device) {
		const std::string_view feed = s.feeds[s.members[e].feed].name;
		if(feed.starts_with(group_prefix))
			subject.groups.push_back(feed.substr(group_prefix.size()));
		else if(feed.starts_with(area_prefix))
			subject.areas.push_back(feed.substr(area_prefix.size()));
	}
}

FilterSubject subject_of(const AlertRec &alert)
{
	FilterSubject subject;
	subject.serial = alert.serial;
	subject.metric = metric_name(alert.metric);
	subject.condition = alert.condition;
	subject.kind = alert.kind;
	subject.highest = highest_of(alert);
	subject.worst = worst_of(alert);
	subject.urgent = is_urgent(alert);
	if(const Index device = find_device(alert.serial); device != 0)
		add_device(device, subject);
	return subject;
}

} // namespace

Fitting::Fitting(std::uint32_t number) : now_(wall_now())
{
	if(number == 0)
		return;
	filter_ = filter_of(number);
	rules_ = filter_rules_now();
}

bool Fitting::fits(const AlertRec &alert, const Shown &shown) const
{
	if(!any())
		return true;
	FilterSubject subject = subject_of(alert);
	subject.area_shown = shown.location;
	return filter_->fits(*rules_, subject, now_);
}

void Fitting::apply(Telling &telling) const
{
	if(!any())
		return;
	Telling fitting;
	fitting.counted = telling.counted;
	fitting.user = telling.user;
	for(std::size_t i = 0; i < telling.alerts.size(); ++i) {
		if(!fits(telling.alerts[i], telling.of(i)))
			continue;
		fitting.alerts.push_back(telling.alerts[i]);
		if(!telling.shown.empty())
			fitting.shown.push_back(telling.shown[i]);
	}
	fitting.filtered = static_cast<std::uint32_t>(telling.alerts.size() - fitting.alerts.size());
	telling = std::move(fitting);
}

namespace {

// All numbers that rules compare with, as one filter has them.
Filter as_filter(const FilterRules &rules)
{
	Filter filter;
	for(const auto &[name, cases] : rules.all())
		filter.items.push_back(FilterItem{{}, cases, 0});
	return filter;
}

} // namespace

bool publish_filter_rules(const FilterRules &rules)
{
	FilterTable &table = store()->filters;
	const std::string text = write_filter_rules(rules);
	const std::uint32_t old = table.rules.load();
	if(text == filter_text(old))
		return true;
	std::uint32_t now = 0;
	if(!text.empty()) {
		const auto number = keep_filter(as_filter(rules), text);
		if(!number)
			return false;
		now = *number;
	}
	table.rules.store(now);
	release_filter(old);
	refresh_filtered();
	return true;
}

void refresh_filtered()
{
	for(const FilteredSub &sub : filtered_subs())
		queue_refresh_sub(sub.ref, sub.dialog);
}

std::shared_ptr<const FilterRules> filter_rules_now()
{
	static std::shared_ptr<const FilterRules> known = std::make_shared<FilterRules>();
	static std::uint32_t number = 0; // both of this process
	static std::int64_t start = 0;
	const std::atomic<std::uint32_t> &rules = store()->filters.rules;
	if(rules.load() != number || start != store()->started_at) {
		start = store()->started_at;
		number = rules.load();
		const std::string text =
				filter_text(number); // empty: replaced meanwhile, by another number
		auto read = read_filter_rules(text);
		if(!read)
			bmd_host_log(BMD_LOG_ERROR, ("notifier: cannot read " + read.error().reason).c_str());
		known = read ? std::make_shared<FilterRules>(std::move(*read))
					 : std::make_shared<FilterRules>();
	}
	return known;
}

} // namespace bmd
