/// @file port.hpp  One serial port: opened, read, polled, opened again when it vanishes.
/// SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include <array>
#include <asio/io_context.hpp>
#include <asio/serial_port.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <string>

#include "config.hpp"
#include "drivers/driver.hpp"
#include "outbox.hpp"

namespace bmd {

/// Lives on one io_context thread; the outbox is the only thing shared.
class Port final : private DriverSink
{
public:
	/// `config.driver` must name a driver.
	Port(asio::io_context &io, const PortConfig &config, Outbox &outbox);

	void start();
	void stop();
	/// Writes one line of counters to the log.
	void log_stats() const;

private:
	void readings(std::span<const Reading> readings, TimeUs time) override;
	void damaged(std::string_view reason) override;

	void open();
	void read();
	void tick();
	void send(std::string_view bytes);
	void lost(const std::string &why);
	void watch_silence();

	using Clock = std::chrono::steady_clock;

	const PortConfig config_;
	Outbox &outbox_;
	std::unique_ptr<Driver> driver_;
	asio::serial_port serial_;
	asio::steady_timer ticker_;
	asio::steady_timer reopen_;
	std::array<std::uint8_t, 4096> input_{};
	std::string output_;
	bool sending_ = false;
	int ticks_without_bytes_ = 0;
	bool stopped_ = false;
	std::chrono::milliseconds pause_;
	bool complained_ = false; ///< that the port does not open
	bool silent_ = false;
	std::uint64_t frames_ = 0; ///< at last_frame_
	Clock::time_point last_frame_{};
	Clock::time_point last_damage_log_{};
	std::uint64_t damaged_unlogged_ = 0;
	std::uint64_t opened_ = 0;
};

} // namespace bmd
