/// @file player.hpp  Plays a recording or a scenario on a pseudo-terminal, in time.
/// SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include <atomic>
#include <chrono>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "pty.hpp"
#include "scenario.hpp"

namespace bmd {

struct PlayOptions
{
	std::string driver;                  ///< "nonin" or "pb840"
	std::optional<Scenario> scenario;    ///< otherwise recordings
	std::vector<std::string> recordings; ///< contents of the files
	std::vector<std::string> names;      ///< of the recordings
	bool loop = false;
	bool wait = false; ///< begin when the port is opened, not at once
	bool quiet = false;
	double speed = 1;    ///< of time and of the line
	double duration = 0; ///< seconds of the device's time; 0: until the end
	double frames_per_second = 75;
	unsigned baud = 9600; ///< 10 bits a byte
	unsigned seed = 1;
};

class Player
{
public:
	Player(Pty &pty, PlayOptions options);

	/// Returns when the recording or scenario or duration is over, or when `end` becomes true.
	void play(const std::atomic<bool> &end);

private:
	using Clock = std::chrono::steady_clock;

	void play_nonin_recordings();
	void play_nonin_scenario();
	void play_pb840();
	void answer(std::size_t turn);
	void send_frames(std::string_view bytes);
	void send_paced(std::string_view bytes);
	void write(std::string_view bytes);
	void say(const std::string &event);
	void say_step();
	[[nodiscard]] double now() const;
	[[nodiscard]] double scenario_time() const;
	[[nodiscard]] bool over() const;
	void sleep_until(double seconds) const;

	Pty &pty_;
	const PlayOptions options_;
	const std::atomic<bool> *end_ = nullptr;
	Clock::time_point begin_{};
	std::mt19937 random_;
	bool listened_ = false;
	std::size_t step_ = static_cast<std::size_t>(-1);
	std::size_t round_ = 0;
};

} // namespace bmd
