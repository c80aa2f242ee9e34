/// @file filters.cpp  Filters of subscriptions in shared memory.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "filters.hpp"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <new>

#include "bmd_host.h"

namespace bmd {

/// Followed by its ends, the places of what it compares with, and its text.
struct FilterRec
{
	FilterRec *next; ///< of the same bucket
	std::uint64_t hash;
	std::uint32_t number;
	std::uint32_t refs;
	std::uint32_t length;
	std::uint16_t ends;
	std::uint16_t compared;
	bool hides_urgent;

	[[nodiscard]] TimeUs *end_at() noexcept { return reinterpret_cast<TimeUs *>(this + 1); }
	[[nodiscard]] std::uint16_t *places() noexcept
	{
		return reinterpret_cast<std::uint16_t *>(end_at() + ends);
	}
	[[nodiscard]] char *data() noexcept { return reinterpret_cast<char *>(places() + compared); }
	[[nodiscard]] std::string_view text() noexcept { return {data(), length}; }
	[[nodiscard]] std::size_t size() const noexcept
	{
		return sizeof(FilterRec) + ends * sizeof(TimeUs) + compared * sizeof(std::uint16_t)
			   + length;
	}
};

namespace {

FilterTable &table() noexcept
{
	return store()->filters;
}

FilterRec *&head_of(std::uint32_t number) noexcept
{
	return table().head[number % filter_buckets];
}

// Its low bits are those of the hash, so that a text is found as well as a number.
std::uint32_t bucket_of(std::uint64_t hash) noexcept
{
	return static_cast<std::uint32_t>(hash % filter_buckets);
}

FilterRec *find(std::uint32_t number) noexcept
{
	FilterRec *rec = number == 0 ? nullptr : head_of(number);
	while(rec != nullptr && rec->number != number)
		rec = rec->next;
	return rec;
}

FilterRec *find(std::uint64_t hash, std::string_view text) noexcept
{
	FilterRec *rec = table().head[bucket_of(hash)];
	while(rec != nullptr && (rec->hash != hash || rec->text() != text))
		rec = rec->next;
	return rec;
}

std::uint32_t new_number(std::uint64_t hash) noexcept
{
	constexpr std::uint32_t most = UINT32_MAX / filter_buckets;
	std::uint32_t number = 0;
	do {
		table().last = table().last % (most - 1) + 1;
		number = table().last * static_cast<std::uint32_t>(filter_buckets) + bucket_of(hash);
	} while(find(number) != nullptr);
	return number;
}

void note_end(TimeUs end) noexcept
{
	const TimeUs next = table().next_end.load();
	if(next == 0 || end < next)
		table().next_end.store(end);
}

// One reference less of each.
void release_compared(std::span<const std::uint16_t> places) noexcept
{
	FilterTable &t = table();
	for(const std::uint16_t place : places)
		--t.compared[place].refs;
	std::uint32_t used = t.compared_used.load();
	while(used > 0 && t.compared[used - 1].refs == 0)
		--used;
	t.compared_used.store(used);
}

// The place of one number, with one reference more; nullopt: no room.
std::optional<std::uint16_t> refer(MetricId metric, bool below, double number) noexcept
{
	FilterTable &t = table();
	std::optional<std::size_t> free;
	for(std::size_t i = 0; i < max_compared; ++i) {
		ComparedRec &rec = t.compared[i];
		if(rec.refs == 0) {
			free = free.value_or(i);
		} else if(rec.metric == metric && rec.below == below && rec.number == number) {
			++rec.refs;
			return static_cast<std::uint16_t>(i);
		}
	}
	if(!free)
		return std::nullopt;
	t.compared[*free] = ComparedRec{number, 1, metric, below};
	t.compared_used.store(std::max(t.compared_used.load(), static_cast<std::uint32_t>(*free + 1)));
	return static_cast<std::uint16_t>(*free);
}

// Of one case; the metric is named beside the number.
bool refer_all(const FilterCase &terms, std::vector<std::uint16_t> &places)
{
	MetricId metric = 0;
	for(const FilterTerm &term : terms)
		if(const MetricInfo *info = find_metric(term.name);
				term.field == FilterField::metric && info != nullptr)
			metric = info->id;
	for(const FilterTerm &term : terms) {
		if(term.field != FilterField::below && term.field != FilterField::above)
			continue;
		const auto place = refer(metric, term.field == FilterField::below, term.number);
		if(!place)
			return false;
		places.push_back(*place);
	}
	return true;
}

bool refer_all(const Filter &filter, std::vector<std::uint16_t> &places)
{
	for(const FilterItem &item : filter.items)
		for(const FilterCase &event : item.events)
			if(!refer_all(event, places))
				return false;
	return true;
}

// nullptr: no room.
FilterRec *make(const Filter &filter, std::string_view text, std::uint64_t hash,
		std::span<const std::uint16_t> places, std::size_t bound)
{
	const std::vector<TimeUs> ends = filter.ends();
	FilterRec shape{};
	shape.hash = hash;
	shape.ends = static_cast<std::uint16_t>(ends.size());
	shape.compared = static_cast<std::uint16_t>(places.size());
	shape.length = static_cast<std::uint32_t>(text.size());
	shape.hides_urgent = filter.hides_urgent;
	const std::size_t size = shape.size();
	if(table().bytes + size > bound)
		return nullptr;
	void *memory = bmd_host_shm_alloc(size);
	if(memory == nullptr)
		return nullptr;
	auto *rec = new (memory) FilterRec(shape);
	std::ranges::copy(ends, rec->end_at());
	std::ranges::copy(places, rec->places());
	std::memcpy(rec->data(), text.data(), text.size());
	return rec;
}

std::optional<std::uint32_t> enter(const Filter &filter, std::string_view text, std::size_t bound)
{
	FilterTable &t = table();
	const std::uint64_t hash = hash_name(text);
	if(FilterRec *known = find(hash, text); known != nullptr) {
		++known->refs;
		return known->number;
	}
	std::vector<std::uint16_t> places;
	places.reserve(max_compared);
	FilterRec *rec = refer_all(filter, places) ? make(filter, text, hash, places, bound) : nullptr;
	if(rec == nullptr) {
		release_compared(places);
		return std::nullopt;
	}
	rec->number = new_number(hash);
	rec->refs = 1;
	rec->next = head_of(rec->number);
	head_of(rec->number) = rec;
	++t.count;
	t.bytes += rec->size();
	for(std::size_t i = 0; i < rec->ends; ++i)
		note_end(rec->end_at()[i]);
	return rec->number;
}

void drop(FilterRec *rec) noexcept
{
	FilterRec **at = &head_of(rec->number);
	while(*at != rec)
		at = &(*at)->next;
	*at = rec->next;
	release_compared({rec->places(), rec->compared});
	--table().count;
	table().bytes -= rec->size();
	bmd_host_shm_free(rec);
}

} // namespace

std::optional<std::uint32_t> keep_filter(
		const Filter &filter, std::string_view text, bool replaces) noexcept
{
	const std::size_t bound = store()->limits.filter_bytes;
	std::optional<std::uint32_t> number;
	try {
		const std::lock_guard<Mutex> guard(table().lock);
		number = enter(filter, text, bound + (replaces ? bound / 8 : 0));
	} catch(const std::bad_alloc &) { // as without room
		number.reset();
	}
	if(!number)
		complain(count_filters_no_room,
				"no room for the filter of one more subscription: raise the parameter "
				"\"filter_kb\"");
	return number;
}

void release_filter(std::uint32_t number) noexcept
{
	if(number == 0)
		return;
	const std::lock_guard<Mutex> guard(table().lock);
	if(FilterRec *rec = find(number); rec != nullptr && --rec->refs == 0)
		drop(rec);
}

std::string filter_text(std::uint32_t number)
{
	const std::lock_guard<Mutex> guard(table().lock);
	FilterRec *rec = find(number);
	return rec == nullptr ? std::string() : std::string(rec->text());
}

bool hides_urgent(std::uint32_t number) noexcept
{
	if(number == 0)
		return false;
	const std::lock_guard<Mutex> guard(table().lock);
	const FilterRec *rec = find(number);
	return rec != nullptr && rec->hides_urgent;
}

void note_filter_ended(std::uint64_t dialog) noexcept
{
	FilterTable &t = table();
	const std::lock_guard<Mutex> guard(t.lock);
	if(t.ended_count < ended_filters) // otherwise the next start removes its row
		t.ended[t.ended_count++] = dialog;
}

std::vector<std::uint64_t> take_ended_filters()
{
	FilterTable &t = table();
	std::vector<std::uint64_t> dialogs;
	dialogs.reserve(ended_filters);
	const std::lock_guard<Mutex> guard(t.lock);
	dialogs.assign(t.ended, t.ended + t.ended_count);
	t.ended_count = 0;
	return dialogs;
}

bool filter_ends_within(std::uint32_t number, TimeUs from, TimeUs until) noexcept
{
	const std::lock_guard<Mutex> guard(table().lock);
	FilterRec *rec = find(number);
	if(rec == nullptr)
		return false;
	const std::span<const TimeUs> ends(rec->end_at(), rec->ends);
	return std::ranges::any_of(ends, [&](TimeUs end) { return end > from && end <= until; });
}

bool some_filter_ends(TimeUs now) noexcept
{
	FilterTable &t = table();
	const TimeUs next = t.next_end.load();
	if(next == 0 || next > now)
		return false;
	const std::lock_guard<Mutex> guard(t.lock);
	t.next_end.store(0);
	for(FilterRec *first : t.head)
		for(FilterRec *rec = first; rec != nullptr; rec = rec->next)
			for(std::size_t i = 0; i < rec->ends; ++i)
				if(rec->end_at()[i] > now)
					note_end(rec->end_at()[i]);
	return true;
}

bool is_compared(MetricId metric, bool below, float from, float to) noexcept
{
	FilterTable &t = table();
	if(t.compared_used.load(std::memory_order_relaxed) == 0)
		return false;
	const std::lock_guard<Mutex> guard(t.lock);
	for(std::size_t i = 0; i < t.compared_used.load(); ++i) {
		const ComparedRec &rec = t.compared[i];
		const auto number = static_cast<float>(rec.number);
		const bool between =
				below ? to <= number && number <= from : from <= number && number <= to;
		if(rec.refs > 0 && rec.metric == metric && rec.below == below && between)
			return true;
	}
	return false;
}

} // namespace bmd
