/// @file nonin.hpp  Nonin pulse oximeters, serial data format 2.
/// SPDX-License-Identifier: GPL-2.0-or-later
///
/// 9600 8N1, 75 frames a second, 25 frames a packet.  A frame is 5 bytes: 01, STATUS, PLETH, FLOAT
/// and the sum of these four modulo 256.  STATUS bit 7 is always set, bit 0 marks the first frame
/// of a packet.  What FLOAT means depends on the place in the packet (Nonin OEM III specification).

#pragma once

#include <array>
#include <cstddef>

#include "drivers/driver.hpp"

namespace bmd {

/// Reports SpO2 and PulseRate once a packet, three times a second; alarms when they change.
/// A value counts only when every frame that carries it has a right checksum and its place in a
/// packet of exactly 25 frames is certain.
class NoninDriver final : public Driver
{
public:
	static constexpr std::size_t frame_size = 5;
	static constexpr std::size_t packet_frames = 25;

	explicit NoninDriver(const DriverOptions &options) : extended_(options.extended) {}

	void push(std::span<const std::uint8_t> bytes, TimeUs arrival, DriverSink &sink) override;
	void reset(DriverSink &sink) override;

private:
	using Frame = std::array<std::uint8_t, frame_size>;
	static constexpr int no_slot = -1; ///< frames are in step, the first of a packet is awaited

	/// One of the device's status bits as an alarm: changes after `need` packets that agree.
	struct Flag
	{
		const AlarmInfo *alarm;
		int need;
		int agree = 0;
		bool seen = false; ///< what the last packets said
		bool known = false;
		bool on = false; ///< what was reported
	};

	void byte(std::uint8_t value, TimeUs arrival, DriverSink &sink);
	void frame_complete(TimeUs arrival, DriverSink &sink);
	void search(TimeUs arrival, DriverSink &sink);
	void bad_frame(DriverSink &sink);
	void begin_packet();
	void place(TimeUs arrival, DriverSink &sink);
	void finish_packet(TimeUs arrival, DriverSink &sink);
	void lose_step();
	void add_alarms(TimeUs arrival);
	void add_flag(Flag &flag, bool on, bool restate);
	void add_averages(bool connected);
	void add_rate(std::string_view name, std::size_t msb_slot, bool connected);
	void add_saturation(std::string_view name, std::size_t slot, bool connected);

	bool extended_;
	Frame frame_{};
	std::size_t have_ = 0;  ///< bytes of frame_ that are filled
	bool in_step_ = false;  ///< the frame boundary is known
	bool last_bad_ = false; ///< the frame before had a wrong checksum
	Frame bad_{};           ///< that frame
	int slot_ = no_slot;    ///< place of the next frame in its packet, 0 to 24; 25: end unconfirmed
	std::array<std::uint8_t, packet_frames> float_{};
	std::array<bool, packet_frames> sound_{};
	std::uint8_t status_or_ = 0; ///< status bits seen anywhere in this packet
	bool red_ = false;
	bool green_ = false;
	TimeUs last_byte_ = 0;
	TimeUs restated_ = 0;
	std::vector<Reading> out_;
	Flag disconnected_{find_alarm("SensorDisconnected"), 1};
	Flag fault_{find_alarm("SensorFault"), 3};
	Flag out_of_track_{find_alarm("OutOfTrack"), 3};
	Flag low_perfusion_{find_alarm("LowPerfusion"), 3};
};

} // namespace bmd
