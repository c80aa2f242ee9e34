/// @file outbox.cpp  Where ports leave readings and the uplink takes them, between threads.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "outbox.hpp"

#include <algorithm>
#include <utility>

namespace bmd {

void Outbox::add(std::string_view serial, TimeUs time, std::span<const Reading> readings)
{
	if(readings.empty())
		return;
	{
		const std::lock_guard lock(mutex_);
		if(waiting_.size() > max_waiting) {
			lost_++;
			return;
		}
		has_alarm_ = note_alarms(serial, readings) || has_alarm_;
		writer_.clear();
		writer_.begin(serial, time);
		for(const auto &reading : readings)
			writer_.add(reading);
		waiting_ += writer_.text();
		if(!waiting_.ends_with('\n'))
			waiting_ += '\n';
	}
	if(wake_)
		wake_();
}

bool Outbox::note_alarms(std::string_view serial, std::span<const Reading> readings)
{
	bool news = false;
	auto &on = on_[std::string(serial)];
	for(const auto &r : readings) {
		if(r.kind == ReadingKind::value)
			continue;
		if(r.kind != ReadingKind::alarm_off) {
			news = true;
			on[r.metric] = r.kind == ReadingKind::alarm_on;
			continue;
		}
		const auto state = on.try_emplace(r.metric, true).first; // first word of it: news
		news = news || state->second;
		state->second = false;
	}
	return news;
}

Outbox::Taken Outbox::take()
{
	const std::lock_guard lock(mutex_);
	if(waiting_.size() <= max_batch)
		return {std::exchange(waiting_, {}), std::exchange(has_alarm_, false)};
	// A line is far shorter than a batch, so there is an end of line.
	const auto end = waiting_.rfind('\n', max_batch - 1) + 1;
	Taken taken{waiting_.substr(0, end), has_alarm_};
	waiting_.erase(0, end);
	return taken;
}

std::size_t Outbox::waiting() const
{
	const std::lock_guard lock(mutex_);
	return waiting_.size();
}

std::uint64_t Outbox::lost() const
{
	const std::lock_guard lock(mutex_);
	return lost_;
}

} // namespace bmd
