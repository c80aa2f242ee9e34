/// @file metric.cpp  The catalogue as constant tables, and its look-ups.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Built by the compiler: nothing to initialise, nothing to fail, safe before main() and in fork().

#include "bmd/metric.hpp"

#include <array>
#include <cstddef>

namespace bmd {

namespace {

constexpr auto physiological = AlertKind::physiological;
constexpr auto technical = AlertKind::technical;
constexpr auto low = Priority::low;
constexpr auto medium = Priority::medium;
constexpr auto high = Priority::high;

#define METRIC(id, name, mdc, ucum, min, max, text) \
	MetricInfo{id, #name, mdc, ucum, min, max, text},
#define ALARM(id, name, kind, priority, text) AlarmInfo{#name, text, id, kind, priority},
constexpr MetricInfo metric_table[] = {
#include "metrics.inc"
};
constexpr AlarmInfo alarm_table[] = {
#include "alarms.inc"
};
#undef METRIC
#undef ALARM

constexpr MetricId first_alarm = 1001;
constexpr std::size_t ids_per_kind = 1000;
constexpr std::size_t slots = 1024; // a power of two, several times the entries: short probes
constexpr std::uint16_t none = 0xffff;

constexpr std::size_t hash(std::string_view name) noexcept
{
	std::uint32_t h = 2166136261U; // FNV-1a
	for(const char c : name)
		h = (h ^ static_cast<unsigned char>(c)) * 16777619U;
	return (h ^ (h >> 15)) & (slots - 1);
}

constexpr bool good_name(std::string_view name) noexcept
{
	if(name.empty() || name.size() > 31)
		return false;
	for(std::size_t i = 0; i < name.size(); i++) {
		const char c = name[i];
		const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
		if(!letter && (i == 0 || c < '0' || c > '9'))
			return false;
	}
	return true;
}

/// Ids ascending and in range, names well formed and unique: else it does not compile.
template <class T, std::size_t N>
constexpr bool well_formed(const T (&table)[N], MetricId first, MetricId last)
{
	for(std::size_t i = 0; i < N; i++) {
		if(table[i].id < first || table[i].id > last || !good_name(table[i].name))
			return false;
		if(i > 0 && table[i].id <= table[i - 1].id)
			return false;
		for(std::size_t k = 0; k < i; k++)
			if(table[i].name == table[k].name)
				return false;
	}
	return true;
}

static_assert(well_formed(metric_table, 1, 999));
static_assert(well_formed(alarm_table, first_alarm, 1999));

template <class T, std::size_t N> constexpr auto index_names(const T (&table)[N])
{
	static_assert(N * 2 < slots);
	std::array<std::uint16_t, slots> index{};
	index.fill(none);
	for(std::size_t i = 0; i < N; i++) {
		std::size_t slot = hash(table[i].name);
		while(index[slot] != none)
			slot = (slot + 1) & (slots - 1);
		index[slot] = static_cast<std::uint16_t>(i);
	}
	return index;
}

template <class T, std::size_t N> constexpr auto index_ids(const T (&table)[N], MetricId first)
{
	std::array<std::uint16_t, ids_per_kind> index{};
	index.fill(none);
	for(std::size_t i = 0; i < N; i++)
		index[table[i].id - first] = static_cast<std::uint16_t>(i);
	return index;
}

constexpr auto metric_names = index_names(metric_table);
constexpr auto alarm_names = index_names(alarm_table);
constexpr auto metric_ids = index_ids(metric_table, 0);
constexpr auto alarm_ids = index_ids(alarm_table, first_alarm);

template <class T, std::size_t N>
const T *by_name(const T (&table)[N], const std::array<std::uint16_t, slots> &index,
		std::string_view name) noexcept
{
	for(std::size_t slot = hash(name); index[slot] != none; slot = (slot + 1) & (slots - 1))
		if(table[index[slot]].name == name)
			return &table[index[slot]];
	return nullptr;
}

} // namespace

std::span<const MetricInfo> metrics() noexcept
{
	return metric_table;
}

std::span<const AlarmInfo> alarms() noexcept
{
	return alarm_table;
}

const MetricInfo *find_metric(std::string_view name) noexcept
{
	return by_name(metric_table, metric_names, name);
}

const AlarmInfo *find_alarm(std::string_view name) noexcept
{
	return by_name(alarm_table, alarm_names, name);
}

const MetricInfo *metric_info(MetricId id) noexcept
{
	return id < ids_per_kind && metric_ids[id] != none ? &metric_table[metric_ids[id]] : nullptr;
}

const AlarmInfo *alarm_info(MetricId id) noexcept
{
	const std::size_t i = static_cast<std::size_t>(id) - first_alarm; // wraps below first_alarm
	return i < ids_per_kind && alarm_ids[i] != none ? &alarm_table[alarm_ids[i]] : nullptr;
}

std::string_view metric_name(MetricId id) noexcept
{
	if(const auto *metric = metric_info(id))
		return metric->name;
	if(const auto *alarm = alarm_info(id))
		return alarm->name;
	return "?";
}

} // namespace bmd
