/// @file nonin.cpp  Nonin pulse oximeters, serial data format 2.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "drivers/nonin.hpp"

#include <algorithm>

namespace bmd {

namespace {

constexpr std::uint8_t start_byte = 0x01;
constexpr std::uint8_t status_always = 0x80;
constexpr std::uint8_t status_disconnected = 0x40;
constexpr std::uint8_t status_out_of_track = 0x10;
constexpr std::uint8_t status_sensor_alarm = 0x08;
constexpr std::uint8_t status_red = 0x04;
constexpr std::uint8_t status_green = 0x02;
constexpr std::uint8_t status_sync = 0x01;
constexpr unsigned rate_invalid = 511;
constexpr unsigned saturation_invalid = 127;
constexpr std::uint8_t seven_bits = 0x7f;
constexpr DurationUs restate_interval = 60 * second_us; // alarm states are repeated so often

// Places in a packet, counted from 0 (the specification counts frames from 1).
constexpr std::size_t slot_rate = 0;
constexpr std::size_t slot_saturation = 2;
constexpr std::size_t slot_saturation_d = 8;
constexpr std::size_t slot_saturation_fast = 9;
constexpr std::size_t slot_saturation_beat = 10;
constexpr std::size_t slot_rate_ext = 13;
constexpr std::size_t slot_saturation_ext = 15;
constexpr std::size_t slot_saturation_ext_d = 16;
constexpr std::size_t slot_rate_d = 19;
constexpr std::size_t slot_rate_ext_d = 21;

bool sound(const std::array<std::uint8_t, NoninDriver::frame_size> &f) noexcept
{
	const auto sum = static_cast<std::uint8_t>(f[0] + f[1] + f[2] + f[3]);
	return f[0] == start_byte && (f[1] & status_always) != 0 && f[4] == sum;
}

} // namespace

void NoninDriver::push(std::span<const std::uint8_t> bytes, TimeUs arrival, DriverSink &sink)
{
	last_byte_ = arrival;
	stats_.bytes += bytes.size();
	for(const std::uint8_t value : bytes)
		byte(value, arrival, sink);
}

void NoninDriver::reset(DriverSink &sink)
{
	if(in_step_ && have_ > 0) {
		stats_.damaged++;
		sink.damaged("frame is cut short");
	}
	stats_.skipped += have_;
	have_ = 0;
	lose_step();
}

void NoninDriver::lose_step()
{
	in_step_ = false;
	last_bad_ = false;
	slot_ = no_slot;
}

void NoninDriver::byte(std::uint8_t value, TimeUs arrival, DriverSink &sink)
{
	frame_[have_++] = value;
	if(have_ < frame_size)
		return;
	if(!in_step_) {
		search(arrival, sink);
		return;
	}
	have_ = 0;
	if(sound(frame_))
		frame_complete(arrival, sink);
	else
		bad_frame(sink);
}

// Out of step: slide over the bytes until five of them make a frame.
void NoninDriver::search(TimeUs arrival, DriverSink &sink)
{
	if(sound(frame_)) {
		in_step_ = true;
		have_ = 0;
		frame_complete(arrival, sink);
		return;
	}
	std::copy(frame_.begin() + 1, frame_.end(), frame_.begin());
	have_--;
	stats_.skipped++;
}

// One bad frame may be a damaged byte: keep step, leave its place empty.  Two running mean that the
// boundary is lost: look for it again from the second byte of the first.
void NoninDriver::bad_frame(DriverSink &sink)
{
	if(!last_bad_) {
		last_bad_ = true;
		bad_ = frame_;
		stats_.damaged++;
		sink.damaged("checksum of a frame is wrong");
		if(slot_ != no_slot && slot_ != packet_frames)
			sound_[static_cast<std::size_t>(slot_++)] = false;
		return;
	}
	stats_.resyncs++;
	stats_.skipped++;
	const Frame first = bad_;
	const Frame second = frame_;
	lose_step();
	for(std::size_t i = 1; i < frame_size; i++)
		byte(first[i], last_byte_, sink);
	for(const std::uint8_t value : second)
		byte(value, last_byte_, sink);
}

void NoninDriver::frame_complete(TimeUs arrival, DriverSink &sink)
{
	stats_.frames++;
	last_bad_ = false;
	if((frame_[1] & status_sync) != 0) {
		if(slot_ == packet_frames) { // its last frame was a bad one
			finish_packet(arrival, sink);
		} else if(slot_ > 0) { // the packet before is short: its places are not certain
			stats_.resyncs++;
			stats_.damaged++;
			sink.damaged("packet has fewer than 25 frames");
		}
		begin_packet();
	} else if(slot_ == 0 || slot_ == packet_frames) { // more than 25 frames
		slot_ = no_slot;
	}
	if(slot_ != no_slot)
		place(arrival, sink);
}

void NoninDriver::place(TimeUs arrival, DriverSink &sink)
{
	const auto i = static_cast<std::size_t>(slot_++);
	sound_[i] = true;
	float_[i] = frame_[3];
	status_or_ |= frame_[1];
	red_ = red_ || (frame_[1] & (status_red | status_green)) == status_red;
	green_ = green_ || (frame_[1] & status_green) != 0;
	if(slot_ == packet_frames)
		finish_packet(arrival, sink);
}

void NoninDriver::begin_packet()
{
	slot_ = 0;
	status_or_ = 0;
	red_ = green_ = false;
}

void NoninDriver::finish_packet(TimeUs arrival, DriverSink &sink)
{
	out_.clear();
	add_alarms(arrival);
	add_averages((status_or_ & status_disconnected) == 0);
	begin_packet();
	if(!out_.empty())
		sink.readings(out_, arrival);
}

void NoninDriver::add_alarms(TimeUs arrival)
{
	// a clock set back must not put it off
	const bool restate = arrival - restated_ >= restate_interval || arrival < restated_;
	if(restate)
		restated_ = arrival;
	add_flag(disconnected_, (status_or_ & status_disconnected) != 0, restate);
	add_flag(fault_, (status_or_ & status_sensor_alarm) != 0, restate);
	add_flag(out_of_track_, (status_or_ & status_out_of_track) != 0, restate);
	// The colour is given only while the pulse beats: a packet without a beat says nothing.
	add_flag(low_perfusion_, red_ || (low_perfusion_.seen && !green_), restate);
}

void NoninDriver::add_flag(Flag &flag, bool on, bool restate)
{
	flag.agree = on == flag.seen ? flag.agree + 1 : 1;
	flag.seen = on;
	const bool settled = flag.agree >= flag.need;
	if(!settled && !(restate && flag.known))
		return;
	const bool state = settled ? on : flag.on;
	flag.agree = settled ? flag.need : flag.agree; // must not overflow
	if(flag.known && flag.on == state && !restate)
		return;
	flag.known = true;
	flag.on = state;
	const auto kind = state ? ReadingKind::alarm_on : ReadingKind::alarm_off;
	out_.push_back({flag.alarm->id, kind, flag.alarm->priority, 0.0});
}

void NoninDriver::add_averages(bool connected)
{
	add_saturation("SpO2", slot_saturation, connected);
	add_rate("PulseRate", slot_rate, connected);
	if(!extended_)
		return;
	add_saturation("SpO2Ext", slot_saturation_ext, connected);
	add_rate("PulseRateExt", slot_rate_ext, connected);
	add_saturation("SpO2D", slot_saturation_d, connected);
	add_rate("PulseRateD", slot_rate_d, connected);
	add_saturation("SpO2Fast", slot_saturation_fast, connected);
	add_saturation("SpO2Beat", slot_saturation_beat, connected);
	add_saturation("SpO2ExtD", slot_saturation_ext_d, connected);
	add_rate("PulseRateExtD", slot_rate_ext_d, connected);
}

void NoninDriver::add_rate(std::string_view name, std::size_t msb_slot, bool connected)
{
	if(!sound_[msb_slot] || !sound_[msb_slot + 1])
		return;
	const auto *metric = find_metric(name);
	const unsigned rate =
			(float_[msb_slot] & 0x03U) << 7 | (float_[msb_slot + 1] & seven_bits); // 9 bits
	if(!connected || rate == rate_invalid)
		out_.push_back({metric->id, ReadingKind::invalid, Priority::high, 0.0});
	else
		add_value(out_, *metric, rate, stats_);
}

void NoninDriver::add_saturation(std::string_view name, std::size_t slot, bool connected)
{
	if(!sound_[slot])
		return;
	const auto *metric = find_metric(name);
	const unsigned saturation = float_[slot] & seven_bits;
	if(!connected || saturation == saturation_invalid)
		out_.push_back({metric->id, ReadingKind::invalid, Priority::high, 0.0});
	else
		add_value(out_, *metric, saturation, stats_);
}

} // namespace bmd
