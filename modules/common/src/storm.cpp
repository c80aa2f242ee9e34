/// @file storm.cpp  Which silent devices have one cause.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "bmd/storm.hpp"

#include <algorithm>
#include <map>

namespace bmd {

namespace {

constexpr char mark = '@'; // in no serial number and no name of a collector
constexpr std::size_t longest = 31;
constexpr std::string_view whole_site = "@";

std::uint32_t short_hash(std::string_view text) noexcept
{
	std::uint32_t hash = 2166136261U; // FNV-1a
	for(const char c : text)
		hash = (hash ^ static_cast<std::uint8_t>(c)) * 16777619U;
	return hash;
}

// Groups what is left after each step.
class Grouper
{
public:
	Grouper(const StormRules &rules, std::span<const OpenStorm> open,
			std::span<const SilentDevice> devices)
		: rules_(rules), open_(open), devices_(devices)
	{
		grouping_.storm.assign(devices.size(), alone);
		collectors_ = static_cast<std::size_t>(std::ranges::count_if(
				open, [](const OpenStorm &storm) { return storm.cause != site_cause; }));
	}

	Grouping group() &&
	{
		join([](const SilentDevice &device) { return device.cause; });
		begin_of_collectors();
		join([](const SilentDevice &) { return site_cause; });
		begin(site_cause, left());
		return std::move(grouping_);
	}

private:
	using Members = std::vector<std::size_t>;

	[[nodiscard]] std::size_t find(std::uint64_t cause) const
	{
		const auto at = std::ranges::find(open_, cause, &OpenStorm::cause);
		if(at != open_.end())
			return static_cast<std::size_t>(at - open_.begin());
		return alone;
	}
	[[nodiscard]] Members left() const
	{
		Members members;
		for(std::size_t i = 0; i < devices_.size(); ++i)
			if(grouping_.storm[i] == alone)
				members.push_back(i);
		return members;
	}
	template <class CauseOf> void join(const CauseOf &cause_of)
	{
		for(const std::size_t i : left()) {
			const std::size_t storm = find(cause_of(devices_[i]));
			if(storm != alone && open_[storm].span.takes(devices_[i].heard))
				grouping_.storm[i] = storm;
		}
	}
	void begin_of_collectors()
	{
		std::map<std::uint64_t, Members> of;
		for(const std::size_t i : left())
			if(devices_[i].cause != site_cause)
				of[devices_[i].cause].push_back(i);
		std::vector<std::pair<std::uint64_t, Members>> largest(of.begin(), of.end());
		std::ranges::stable_sort(largest,
				[](const auto &a, const auto &b) { return a.second.size() > b.second.size(); });
		for(const auto &[cause, members] : largest)
			if(find(cause) != alone || collectors_ < most_collector_storms)
				begin(cause, members);
	}
	void begin(std::uint64_t cause, const Members &members)
	{
		const std::uint32_t threshold = threshold_of(rules_, cause);
		if(threshold == 0 || members.size() < threshold)
			return;
		std::size_t storm = find(cause);
		if(storm == alone) {
			storm = open_.size() + grouping_.opened.size();
			grouping_.opened.push_back(cause);
			collectors_ += cause == site_cause ? 0 : 1;
		}
		for(const std::size_t i : members)
			grouping_.storm[i] = storm;
	}

	const StormRules &rules_;
	std::span<const OpenStorm> open_;
	std::span<const SilentDevice> devices_;
	Grouping grouping_;
	std::size_t collectors_ = 0; ///< storms of collectors, open or beginning
};

} // namespace

std::uint32_t threshold_of(const StormRules &rules, std::uint64_t cause) noexcept
{
	if(cause != site_cause)
		return rules.devices == 0 ? 0 : std::max(rules.devices, least_of_storm);
	if(rules.site_devices == 0)
		return 0;
	return std::max({rules.site_devices, least_of_storm, rules.devices_in_use / devices_a_chance});
}

void StormSpan::took(TimeUs heard, const StormRules &rules, std::uint64_t cause) noexcept
{
	latest_ = std::max(latest_, heard);
	if(++since_ < threshold_of(rules, cause))
		return;
	until_ = std::max(until_, latest_ + rules.window);
	since_ = 0;
}

Grouping group_silent(const StormRules &rules, std::span<const OpenStorm> open,
		std::span<const SilentDevice> devices)
{
	return Grouper(rules, open, devices).group();
}

bool few_of_storm(const StormRules &rules, std::uint32_t left) noexcept
{
	return left < std::max(rules.devices, least_of_storm);
}

bool storm_over(const StormRules &rules, std::uint32_t left, TimeUs few_since, TimeUs now) noexcept
{
	return left < least_of_storm || (few_since != 0 && now - few_since >= rules.rest);
}

std::string storm_name(std::string_view collector)
{
	std::string name = mark + std::string(collector);
	if(name.size() <= longest)
		return name;
	constexpr std::size_t digits = 8;
	constexpr std::string_view hex = "0123456789abcdef";
	name.resize(longest - digits - 1);
	name += '~';
	const std::uint32_t hash = short_hash(collector);
	for(std::size_t i = 0; i < digits; ++i)
		name += hex[hash >> (4 * (digits - 1 - i)) & 15U];
	return name;
}

std::string storm_cause(std::string_view name)
{
	if(!name.starts_with(mark))
		return {};
	return name == whole_site ? "site" : "collector " + std::string(name.substr(1));
}

} // namespace bmd
