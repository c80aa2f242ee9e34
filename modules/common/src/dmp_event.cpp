/// @file dmp_event.cpp  Event expressions of a Subscribe.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "bmd/dmp_subscribe.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

#include "bmd/words.hpp"
#include "dmp_text.hpp"

namespace bmd::dmp {

namespace {

constexpr std::size_t max_variable = 31;
constexpr std::size_t max_unit = 31;

struct Sign
{
	std::string_view text;
	Operator op;
};

// Longer signs first: "<=" begins with "<".
constexpr std::array<Sign, 6> signs{
		{{"<=", Operator::less_equal}, {">=", Operator::greater_equal}, {"!=", Operator::not_equal},
				{"<", Operator::less}, {">", Operator::greater}, {"=", Operator::equal}}};

constexpr bool letter(char c) noexcept
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

constexpr bool digit(char c) noexcept
{
	return c >= '0' && c <= '9';
}

// Takes the leading letters and digits off `text`.
std::string_view take_word(std::string_view &text) noexcept
{
	const auto *const end = std::find_if_not(
			text.begin(), text.end(), [](char c) { return letter(c) || digit(c); });
	const auto length = static_cast<std::size_t>(end - text.begin());
	const std::string_view word = text.substr(0, length);
	text = trim(text.substr(length));
	return word;
}

std::optional<Operator> take_operator(std::string_view &text) noexcept
{
	for(const Sign &sign : signs)
		if(text.substr(0, sign.text.size()) == sign.text) {
			text = trim(text.substr(sign.text.size()));
			return sign.op;
		}
	return std::nullopt;
}

// A unit that begins like a number would hide a mistyped one: "1.5.2", "0x5".
bool unit_is_good(std::string_view unit) noexcept
{
	if(unit.empty())
		return true;
	const char first = unit.front();
	return unit.size() <= max_unit && (letter(first) || std::string_view("%/[{").find(first) < 4)
		   && std::all_of(unit.begin(), unit.end(), [](char c) { return c > ' ' && c < 0x7F; });
}

Result<EventExpr> number_and_unit(EventExpr event, std::string_view text)
{
	const char *const end = text.data() + text.size();
	const auto [stop, error] = std::from_chars(text.data(), end, event.number);
	if(error != std::errc{} || !std::isfinite(event.number))
		return malformed("Event: " + quoted(text) + " does not begin with a number");
	const bool hex = stop != end && (*stop == 'x' || *stop == 'X');
	const std::string_view unit = trim({stop, static_cast<std::size_t>(end - stop)});
	if(hex || !unit_is_good(unit))
		return malformed("Event: " + quoted(text) + " is not a number with a unit");
	event.unit = unit;
	return event;
}

Result<EventExpr> word_alone(std::string_view word)
{
	EventExpr event;
	if(word == "any")
		return event;
	const auto condition = parse_condition(word);
	if(!condition || *condition == Condition::device)
		return malformed("Event: " + quoted(word) + " is not low, high, invalid, stale or any");
	event.kind = EventExpr::Kind::condition;
	event.condition = *condition;
	return event;
}

Result<EventExpr> at_least(Operator op, std::string_view text)
{
	if(op != Operator::greater_equal)
		return malformed("Event: priority is compared with >= only");
	const auto priority = parse_priority(text);
	if(!priority)
		return malformed("Event: " + quoted(text) + " is not high, medium or low");
	EventExpr event;
	event.kind = EventExpr::Kind::at_least;
	event.priority = *priority;
	return event;
}

} // namespace

std::string_view to_string(Operator op) noexcept
{
	for(const Sign &sign : signs)
		if(sign.op == op)
			return sign.text;
	return "?";
}

Result<EventExpr> parse_event(std::string_view text)
{
	std::string_view rest = trim(text);
	const std::string_view word = take_word(rest);
	if(word.empty())
		return malformed("Event: does not begin with a variable or a word");
	if(rest.empty())
		return word_alone(word);
	const auto op = take_operator(rest);
	if(!op)
		return malformed("Event: " + quoted(rest) + " is not < <= > >= = or !=");
	if(word == "priority")
		return at_least(*op, rest);
	if(!letter(word.front()) || word.size() > max_variable)
		return malformed("Event: " + quoted(word) + " cannot be a variable");
	EventExpr event;
	event.kind = EventExpr::Kind::comparison;
	event.variable = word;
	event.op = *op;
	return number_and_unit(std::move(event), rest);
}

} // namespace bmd::dmp
