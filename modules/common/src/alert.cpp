/// @file alert.cpp  The words of alert.hpp and back.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "bmd/alert.hpp"

#include <array>
#include <cstddef>

namespace bmd {

namespace {

/// Words of an enumeration that counts from 1, in order.
using Words3 = std::array<std::string_view, 3>;
constexpr Words3 priorities{"low", "medium", "high"};
constexpr std::array<std::string_view, 2> kinds{"physiological", "technical"};
constexpr std::array<std::string_view, 7> conditions{
		"low", "high", "invalid", "stale", "device", "storm", "withheld"};
constexpr Words3 states{"active", "latched", "cleared"};

/// The same of enumerations that count from 0.
constexpr std::array<std::string_view, 6> responses{
		"none", "delivered", "accepted", "rejected", "escalated", "acknowledged"};
constexpr std::array<std::string_view, 4> suppressions{
		"none", "maintenance", "inhibition", "storm"};
constexpr Words3 outcomes{"none", "actionable", "false"};

template <std::size_t N, class E>
std::string_view word(const std::array<std::string_view, N> &words, E value) noexcept
{
	const auto i = static_cast<std::size_t>(value) - 1; // 0 wraps and is refused below
	return i < N ? words[i] : "?";
}

template <class E, std::size_t N>
std::optional<E> parse(const std::array<std::string_view, N> &words, std::string_view text) noexcept
{
	for(std::size_t i = 0; i < N; i++)
		if(words[i] == text)
			return static_cast<E>(i + 1);
	return std::nullopt;
}

template <std::size_t N, class E>
std::string_view word_from_0(const std::array<std::string_view, N> &words, E value) noexcept
{
	const auto i = static_cast<std::size_t>(value);
	return i < N ? words[i] : "?";
}

template <class E, std::size_t N>
std::optional<E> parse_from_0(
		const std::array<std::string_view, N> &words, std::string_view text) noexcept
{
	for(std::size_t i = 0; i < N; i++)
		if(words[i] == text)
			return static_cast<E>(i);
	return std::nullopt;
}

} // namespace

std::string_view to_string(Priority value) noexcept
{
	return word(priorities, value);
}

std::string_view to_string(AlertKind value) noexcept
{
	return word(kinds, value);
}

std::string_view to_string(Condition value) noexcept
{
	return word(conditions, value);
}

std::string_view to_string(AlertState value) noexcept
{
	return word(states, value);
}

std::string_view to_string(Response value) noexcept
{
	return word_from_0(responses, value);
}

std::string_view to_string(Suppression value) noexcept
{
	return word_from_0(suppressions, value);
}

std::string_view to_string(Outcome value) noexcept
{
	return word_from_0(outcomes, value);
}

std::optional<Priority> parse_priority(std::string_view text) noexcept
{
	return parse<Priority>(priorities, text);
}

std::optional<AlertKind> parse_kind(std::string_view text) noexcept
{
	return parse<AlertKind>(kinds, text);
}

std::optional<Condition> parse_condition(std::string_view text) noexcept
{
	return parse<Condition>(conditions, text);
}

std::optional<AlertState> parse_state(std::string_view text) noexcept
{
	return parse<AlertState>(states, text);
}

std::optional<Response> parse_response(std::string_view text) noexcept
{
	return parse_from_0<Response>(responses, text);
}

std::optional<Suppression> parse_suppression(std::string_view text) noexcept
{
	return parse_from_0<Suppression>(suppressions, text);
}

std::optional<Outcome> parse_outcome(std::string_view text) noexcept
{
	return parse_from_0<Outcome>(outcomes, text);
}

} // namespace bmd
