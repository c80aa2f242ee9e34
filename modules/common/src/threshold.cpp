/// @file threshold.cpp  Compare measurements with their alarm limits, over time.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "bmd/threshold.hpp"

#include <cmath>

namespace bmd {

Breach classify(double value, const Rule &rule) noexcept
{
	return classify(value, rule, Breach::none);
}

Breach classify(double value, const Rule &rule, Breach in_force) noexcept
{
	if(!std::isfinite(value))
		return Breach::invalid;
	if(value < rule.low)
		return Breach::low;
	if(value > rule.high)
		return Breach::high;
	// A breach in force ends only when the value has come back past the limit by the hysteresis.
	if(in_force == Breach::low && value < rule.low + rule.hysteresis)
		return Breach::low;
	if(in_force == Breach::high && value > rule.high - rule.hysteresis)
		return Breach::high;
	return Breach::none;
}

namespace {

Step breach_goes_on(Watch &watch, Breach now, DurationUs delay, TimeUs time) noexcept
{
	if(watch.breach != now) {
		watch.breach = now;
		watch.since = time;
	}
	const Breach before = watch.raised;
	if(time - watch.since >= delay) {
		watch.raised = now;
		return Step{
				before == Breach::none ? Change::raise : Change::swap, now, before, watch.since};
	}
	if(before != Breach::none) {
		watch.raised = Breach::none;
		return Step{Change::clear, Breach::none, before, 0};
	}
	return Step{};
}

Step advance(Watch &watch, Breach now, DurationUs delay, TimeUs time) noexcept
{
	if(now == Breach::none) {
		const Breach before = watch.raised;
		watch = Watch{};
		if(before == Breach::none)
			return Step{};
		return Step{Change::clear, Breach::none, before, 0};
	}
	if(now == watch.raised) {
		watch.breach = now;
		return Step{};
	}
	return breach_goes_on(watch, now, delay, time);
}

} // namespace

Step step(Watch &watch, const Rule &rule, double value, TimeUs time) noexcept
{
	const Breach now = classify(value, rule, watch.raised);
	if(now == Breach::invalid)
		return Step{};
	return advance(watch, now, rule.delay, time);
}

Step step_validity(Watch &watch, DurationUs delay, bool valid, TimeUs time) noexcept
{
	return advance(watch, valid ? Breach::none : Breach::invalid, delay, time);
}

bool past_second_limit(double value, const Rule &rule, Breach side, bool before) noexcept
{
	if(!std::isfinite(value))
		return before;
	const double back = before ? rule.hysteresis : 0.0;
	if(side == Breach::low)
		return value < rule.low_low + back;
	if(side == Breach::high)
		return value > rule.high_high - back;
	return false;
}

bool has_second_limit(const Rule &rule, Breach side) noexcept
{
	return side == Breach::low ? std::isfinite(rule.low_low)
							   : side == Breach::high && std::isfinite(rule.high_high);
}

Priority risen(Priority priority, unsigned steps) noexcept
{
	constexpr auto highest = static_cast<unsigned>(Priority::high);
	const unsigned level = static_cast<unsigned>(priority) + steps;
	return static_cast<Priority>(level < highest ? level : highest);
}

} // namespace bmd
