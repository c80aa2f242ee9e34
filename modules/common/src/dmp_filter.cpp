/// @file dmp_filter.cpp  A DMP document as a filter.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "bmd/dmp_filter.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "bmd/dmp_subscribe.hpp"
#include "bmd/metric.hpp"
#include "bmd/words.hpp"
#include "dmp_text.hpp"

namespace bmd::dmp {

namespace {

constexpr std::size_t longest_name = 31;
constexpr std::string_view any = "*";
constexpr std::string_view for_ever = "always";

constexpr std::array<std::pair<std::string_view, FilterField>, 5> named{
		{{"kind", FilterField::kind}, {"type", FilterField::type}, {"group", FilterField::group},
				{"area", FilterField::area}, {"rule", FilterField::rule}}};

bool space(char c) noexcept
{
	return std::isspace(static_cast<unsigned char>(c)) != 0;
}

// Takes the first word off `text`, up to a space or "=".
std::string_view take_word(std::string_view &text) noexcept
{
	const auto *const end = std::ranges::find_if(text, [](char c) { return space(c) || c == '='; });
	const std::string_view word = text.substr(0, static_cast<std::size_t>(end - text.begin()));
	text = trim(text.substr(word.size()));
	return word;
}

// What stands between the words "and"; within double quotes it is none.
std::vector<std::string_view> terms_of(std::string_view text)
{
	constexpr std::string_view word = "and";
	std::vector<std::string_view> parts;
	bool in_quotes = false;
	std::size_t begin = 0;
	for(std::size_t i = 0; i < text.size(); ++i) {
		in_quotes = in_quotes != (text[i] == '"');
		if(in_quotes || i == 0 || !space(text[i - 1]) || text.substr(i, word.size()) != word
				|| i + word.size() >= text.size() || !space(text[i + word.size()]))
			continue;
		parts.push_back(trim(text.substr(begin, i - begin)));
		begin = i + word.size();
	}
	parts.push_back(trim(text.substr(begin)));
	return parts;
}

Result<FilterTerm> name_term(FilterField field, std::string_view word, std::string_view text)
{
	if(text.starts_with('='))
		text = trim(text.substr(1));
	if(text.size() >= 2 && text.front() == '"' && text.back() == '"')
		text = text.substr(1, text.size() - 2);
	if(text.empty() || text.find('"') != std::string_view::npos || !valid_words(text, longest_name))
		return malformed(
				"'" + std::string(word) + "' wants a name of 1 to 31 bytes, not " + quoted(text));
	FilterTerm term;
	term.field = field;
	if(field != FilterField::kind) {
		term.name = text;
		return term;
	}
	const auto kind = parse_kind(text);
	if(!kind)
		return malformed("kind: " + quoted(text) + " is not physiological or technical");
	term.kind = *kind;
	return term;
}

std::string unit_of(const MetricInfo &metric)
{
	return metric.ucum == "1" ? "none" : std::string(metric.ucum);
}

Result<FilterCase> comparison(const EventExpr &event, std::string_view variable)
{
	const MetricInfo *const metric = find_metric(event.variable);
	if(metric == nullptr)
		return malformed(quoted(event.variable) + " is no metric of the catalogue");
	if(variable != any && variable != event.variable)
		return malformed(
				"compares " + quoted(event.variable) + ", the Variable is " + quoted(variable));
	if(!event.unit.empty() && event.unit != metric->ucum)
		return malformed(quoted(event.unit) + " is not the unit of " + event.variable + ", "
						 + unit_of(*metric));
	if(event.op == Operator::equal || event.op == Operator::not_equal)
		return malformed("a measured value is compared with < <= > or >= only");
	const bool below = event.op == Operator::less || event.op == Operator::less_equal;
	FilterTerm of;
	of.name = event.variable;
	FilterTerm term;
	term.field = below ? FilterField::below : FilterField::above;
	term.number = event.number;
	term.or_equal = event.op == Operator::less_equal || event.op == Operator::greater_equal;
	return FilterCase{of, term};
}

Result<FilterCase> terms_of_event(const EventExpr &event, std::string_view variable)
{
	FilterTerm term;
	switch(event.kind) {
		case EventExpr::Kind::any:
			return FilterCase{};
		case EventExpr::Kind::comparison:
			return comparison(event, variable);
		case EventExpr::Kind::condition:
			term.field = FilterField::condition;
			term.condition = event.condition;
			break;
		case EventExpr::Kind::at_least:
			term.field = FilterField::priority;
			term.priority = event.priority;
			break;
	}
	return FilterCase{term};
}

Result<FilterCase> read_event(std::string_view text, std::string_view variable)
{
	FilterCase all;
	for(const std::string_view part : terms_of(text)) {
		std::string_view rest = part;
		const std::string_view word = take_word(rest);
		const auto *const found =
				std::ranges::find(named, word, &std::pair<std::string_view, FilterField>::first);
		if(found != named.end()) {
			auto term = name_term(found->second, word, rest);
			if(!term)
				return term.error();
			all.push_back(std::move(term).value());
			continue;
		}
		const auto event = parse_event(part);
		if(!event)
			return event.error();
		auto terms = terms_of_event(*event, variable);
		if(!terms)
			return terms;
		all.insert(all.end(), terms->begin(), terms->end());
	}
	return all;
}

bool valid_serial(std::string_view text) noexcept
{
	constexpr std::string_view others = "._-";
	return !text.empty() && text.size() <= longest_name && std::ranges::all_of(text, [&](char c) {
		return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')
			   || others.find(c) != std::string_view::npos;
	});
}

Result<FilterCase> read_device(std::string_view text)
{
	if(text == any)
		return FilterCase{};
	if(valid_serial(text)) {
		FilterTerm term;
		term.field = FilterField::serial;
		term.name = text;
		return FilterCase{term};
	}
	std::string_view rest = text;
	const std::string_view word = take_word(rest);
	const auto *const found =
			std::ranges::find(named, word, &std::pair<std::string_view, FilterField>::first);
	if(found == named.end() || found->second == FilterField::kind
			|| found->second == FilterField::rule)
		return malformed(
				"Device: " + quoted(text)
				+ " is not '*', a serial number, 'type NAME', 'group NAME' or 'area NAME'");
	auto term = name_term(found->second, word, rest);
	if(!term)
		return malformed("Device: " + term.error().reason);
	return FilterCase{std::move(term).value()};
}

Result<TimeUs> read_end(std::string_view text, TimeUs now, DurationUs utc_offset, bool once)
{
	if(text == for_ever)
		return TimeUs{0};
	// terminals repeat their body when they refresh: what has ended meanwhile is no mistake
	if(const auto moment = parse_time(text); moment && (*moment < now || now == 0))
		return std::max<TimeUs>(*moment, 1);
	auto end = parse_duration(text, now, utc_offset);
	if(!end || *end != now)
		return end;
	if(once)
		return TimeUs{0};
	return malformed("Duration: 0 asks for the present state once: subscribe with Expires 0");
}

/// Follows the entries; says where it is.
class Reader
{
public:
	Reader(TimeUs now, DurationUs utc_offset, bool once)
		: now_(now), utc_offset_(utc_offset), once_(once)
	{
	}

	// Takes one Subscribe over; its ends become moments in it.
	std::optional<Error> take(const FilterCase &device, Subscribe &subscribe)
	{
		++subscribes_;
		for(std::size_t i = 0; i < subscribe.items.size(); ++i) {
			if(filter.items.size() == max_filter_items)
				return malformed("more than " + std::to_string(max_filter_items) + " Variables");
			if(auto error = take_item(device, subscribe.items[i]))
				return malformed("Subscribe " + std::to_string(subscribes_) + ", Variable "
								 + std::to_string(i + 1) + ": " + error->reason);
		}
		return std::nullopt;
	}

	Filter filter;

private:
	std::optional<Error> take_item(const FilterCase &device, Subscribe::Item &from)
	{
		FilterItem item;
		item.of = device;
		if(from.variable != any) {
			if(find_metric(from.variable) == nullptr && find_alarm(from.variable) == nullptr)
				return malformed(quoted(from.variable)
								 + " is not '*', nor a metric or alarm of the catalogue");
			FilterTerm &term = item.of.emplace_back();
			term.name = from.variable;
		}
		for(std::size_t i = 0; i < from.events.size(); ++i) {
			auto event = read_event(from.events[i], from.variable);
			if(!event)
				return malformed(
						"Event " + std::to_string(i + 1) + ": " + without_prefix(event.error()));
			item.events.push_back(std::move(event).value());
		}
		const auto end = read_end(from.duration, now_, utc_offset_, once_);
		if(!end)
			return end.error();
		item.until = *end;
		from.duration = item.until == 0 ? std::string(for_ever) : format_time(item.until);
		filter.items.push_back(std::move(item));
		return std::nullopt;
	}

	// Which Event it is has been said.
	static std::string without_prefix(const Error &error)
	{
		constexpr std::string_view prefix = "Event: ";
		const bool has = error.reason.starts_with(prefix);
		return has ? error.reason.substr(prefix.size()) : error.reason;
	}

	TimeUs now_;
	DurationUs utc_offset_;
	bool once_;
	std::size_t subscribes_ = 0;
};

} // namespace

Result<FilterDocument> read_filter(
		const Document &document, TimeUs now, DurationUs utc_offset, bool once)
{
	if(document.root != Root::action)
		return malformed("the root of a filter is DMPAction");
	Document settled;
	settled.root = Root::action;
	settled.attributes.urgent_filtered = document.attributes.urgent_filtered;
	settled.devices = document.devices;
	Reader reader(now, utc_offset, once);
	for(Device &device : settled.devices) {
		const auto of = read_device(device.name);
		if(!of)
			return of.error();
		for(Entry &entry : device.entries) {
			auto *const subscribe = std::get_if<Subscribe>(&entry);
			if(subscribe == nullptr)
				return malformed("Device " + quoted(device.name)
								 + ": a SUBSCRIBE takes Subscribe only; Control and Query go by "
								   "MESSAGE");
			if(auto error = reader.take(*of, *subscribe))
				return std::move(*error);
		}
	}
	FilterDocument read{std::move(reader.filter), write(settled)};
	read.filter.hides_urgent = document.attributes.urgent_filtered;
	if(read.text.size() > max_filter_bytes)
		return malformed("the filter takes " + std::to_string(read.text.size()) + " bytes, at most "
						 + std::to_string(max_filter_bytes) + " are kept");
	return read;
}

Result<Filter> parse_filter(std::string_view text)
{
	const auto document = parse(text);
	if(!document)
		return document.error();
	auto read = read_filter(*document, 0);
	if(!read)
		return read.error();
	return std::move(read->filter);
}

} // namespace bmd::dmp
