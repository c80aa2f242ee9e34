/// @file roster.cpp  Who is on call, and why.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "bmd/roster.hpp"

#include <algorithm>

namespace bmd {

namespace {

constexpr DurationUs horizon = 366 * civil_day * second_us;
constexpr int most_looks = 3000; // edges at which nothing changes

// Number of the layer's shift at a moment, -1 before the first.  By instants, not by the clock: in
// the hour that is shown twice the clock alone does not tell.
CivilTime shift_at(const RosterLayer &layer, const Zone &zone, TimeUs at)
{
	CivilTime number = (zone.civil(at) - layer.first_shift) / layer.shift;
	const auto begin = [&](CivilTime k) {
		return zone.instant(layer.first_shift + k * layer.shift);
	};
	while(number >= 0 && begin(number) > at)
		--number;
	while(begin(number + 1) <= at)
		++number;
	return std::max<CivilTime>(number, -1);
}

bool usable(const RosterLayer &layer) noexcept
{
	return !layer.rotation.empty() && layer.shift > 0;
}

// What covers a moment; turn -1: nothing of this layer.
CivilTime turn_at(const RosterLayer &layer, const Zone &zone, TimeUs at)
{
	if(!usable(layer) || !within(layer.hours, zone, at))
		return -1;
	const CivilTime shift = shift_at(layer, zone, at);
	return shift < 0 ? -1 : shift % static_cast<CivilTime>(layer.rotation.size());
}

const RosterOverride *override_at(const Roster &roster, TimeUs at) noexcept
{
	const RosterOverride *latest = nullptr;
	for(const RosterOverride &one : roster.overrides) {
		if(at < one.from || at >= one.until)
			continue;
		if(latest == nullptr || one.created_at > latest->created_at
				|| (one.created_at == latest->created_at && one.id > latest->id))
			latest = &one;
	}
	return latest;
}

OnCall look(const Roster &roster, const Zone &zone, TimeUs at)
{
	OnCall answer;
	if(const RosterOverride *one = override_at(roster, at); one != nullptr) {
		answer.person = one->person;
		answer.why = "override " + std::to_string(one->id);
		return answer;
	}
	for(auto layer = roster.layers.rbegin(); layer != roster.layers.rend(); ++layer) {
		const CivilTime turn = turn_at(*layer, zone, at);
		if(turn < 0)
			continue;
		answer.person = layer->rotation[static_cast<std::size_t>(turn)];
		answer.why = "layer " + layer->name + ", turn " + std::to_string(turn + 1) + " of "
					 + std::to_string(layer->rotation.size());
		return answer;
	}
	answer.why = "no layer and no override covers this time";
	return answer;
}

// The next moment after `at` at which anything of the roster begins or ends; 0: never.
TimeUs next_look(const Roster &roster, const Zone &zone, TimeUs at)
{
	TimeUs next = 0;
	const auto consider = [&](TimeUs edge) {
		if(edge > at && (next == 0 || edge < next))
			next = edge;
	};
	for(const RosterOverride &one : roster.overrides) {
		consider(one.from);
		consider(one.until);
	}
	for(const RosterLayer &layer : roster.layers) {
		if(!usable(layer))
			continue;
		consider(next_edge(layer.hours, zone, at));
		const CivilTime shift = shift_at(layer, zone, at);
		if(shift < 0 || layer.rotation.size() > 1)
			consider(zone.instant(layer.first_shift + (shift + 1) * layer.shift));
	}
	return next;
}

} // namespace

Result<OnCall> on_call_now(const Roster &roster, TimeUs at)
{
	const auto zone = Zone::find(roster.zone);
	if(!zone)
		return zone.error();
	return look(roster, *zone, at);
}

Result<OnCall> on_call(const Roster &roster, TimeUs at)
{
	const auto zone = Zone::find(roster.zone);
	if(!zone)
		return zone.error();
	OnCall answer = look(roster, *zone, at);
	TimeUs next = at;
	for(int looks = 0; looks < most_looks; ++looks) {
		next = next_look(roster, *zone, next);
		if(next == 0 || next > at + horizon)
			break;
		const OnCall then = look(roster, *zone, next);
		if(then.person != answer.person || then.why != answer.why) {
			answer.until = next;
			break;
		}
	}
	return answer;
}

} // namespace bmd
