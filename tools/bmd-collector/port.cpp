/// @file port.cpp  One serial port: opened, read, polled, opened again when it vanishes.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "port.hpp"

#include <algorithm>
#include <asio/buffer.hpp>
#include <asio/write.hpp>
#include <spdlog/spdlog.h>

#include "clock.hpp"

namespace bmd {

namespace {

using namespace std::chrono_literals;

constexpr auto tick_interval = 100ms;
constexpr auto first_pause = 500ms;
constexpr auto longest_pause = 10000ms;
constexpr int quiet_ticks = 10; // a second
constexpr auto damage_log_interval = 60s;

void set_line(asio::serial_port &serial, const PortConfig &config)
{
	using Base = asio::serial_port_base;
	serial.set_option(Base::baud_rate(config.baud));
	serial.set_option(Base::character_size(8));
	serial.set_option(Base::parity(Base::parity::none));
	serial.set_option(Base::stop_bits(Base::stop_bits::one));
	serial.set_option(Base::flow_control(
			config.rtscts ? Base::flow_control::hardware : Base::flow_control::none));
}

} // namespace

Port::Port(asio::io_context &io, const PortConfig &config, Outbox &outbox)
	: config_(config), outbox_(outbox),
	  driver_(std::move(make_driver(config.driver, config.options)).value()), serial_(io),
	  ticker_(io), reopen_(io), pause_(first_pause)
{
}

void Port::start()
{
	last_frame_ = Clock::now();
	open();
	tick();
}

void Port::stop()
{
	stopped_ = true;
	ticker_.cancel();
	reopen_.cancel();
	asio::error_code ignored;
	serial_.close(ignored);
}

void Port::open()
{
	asio::error_code error;
	serial_.open(config_.device, error);
	if(!error) {
		try {
			set_line(serial_, config_);
		} catch(const std::system_error &e) {
			error = e.code();
		}
	}
	if(error) {
		lost(error.message());
		return;
	}
	spdlog::info("port {} of {}: open", config_.device, config_.serial);
	opened_++;
	complained_ = false;
	sending_ = false;
	ticks_without_bytes_ = 0;
	read();
}

void Port::read()
{
	serial_.async_read_some(
			asio::buffer(input_), [this](const asio::error_code &error, std::size_t count) {
				if(stopped_ || error == asio::error::operation_aborted)
					return;
				const auto arrival = wall_clock(); // of the last byte
				if(error) {
					driver_->reset(*this);
					lost(error.message());
					return;
				}
				pause_ = first_pause;
				ticks_without_bytes_ = 0;
				driver_->push({input_.data(), count}, arrival, *this);
				read();
			});
}

void Port::lost(const std::string &why)
{
	if(!complained_)
		spdlog::error("port {} of {}: {}; trying again", config_.device, config_.serial, why);
	complained_ = true;
	asio::error_code ignored;
	serial_.close(ignored);
	reopen_.expires_after(pause_);
	pause_ = std::min<std::chrono::milliseconds>(2 * pause_, longest_pause);
	reopen_.async_wait([this](const asio::error_code &error) {
		if(!error && !stopped_)
			open();
	});
}

void Port::tick()
{
	if(serial_.is_open() && !sending_)
		if(const auto request = driver_->poll(monotonic_clock()))
			send(*request);
	// Ticks, not a clock: in a process that stood still they have not gone on.
	if(serial_.is_open() && ++ticks_without_bytes_ == quiet_ticks)
		driver_->quiet(*this);
	watch_silence();
	ticker_.expires_after(tick_interval);
	ticker_.async_wait([this](const asio::error_code &error) {
		if(!error && !stopped_)
			tick();
	});
}

void Port::send(std::string_view bytes)
{
	output_ = bytes;
	sending_ = true;
	asio::async_write(serial_, asio::buffer(output_),
			[this](const asio::error_code & /*error*/, std::size_t /*count*/) {
				sending_ = false; // an error shows in reading too, and is dealt with there
			});
}

// The server raises the alert; here it is said once for the operator.
void Port::watch_silence()
{
	const auto now = Clock::now();
	if(driver_->stats().frames != frames_) {
		frames_ = driver_->stats().frames;
		last_frame_ = now;
		if(silent_)
			spdlog::info("port {} of {}: device sends again", config_.device, config_.serial);
		silent_ = false;
	} else if(!silent_
			  && now - last_frame_ > std::chrono::duration<double>(config_.silence_seconds)) {
		silent_ = true;
		spdlog::warn("port {} of {}: no sound frame for {} s", config_.device, config_.serial,
				config_.silence_seconds);
	}
}

void Port::readings(std::span<const Reading> readings, TimeUs time)
{
	outbox_.add(config_.serial, time, readings);
}

void Port::damaged(std::string_view reason)
{
	damaged_unlogged_++;
	const auto now = Clock::now();
	if(last_damage_log_ != Clock::time_point{} && now - last_damage_log_ < damage_log_interval)
		return;
	spdlog::warn("port {} of {}: {} damaged frames skipped, the last: {}", config_.device,
			config_.serial, damaged_unlogged_, reason);
	last_damage_log_ = now;
	damaged_unlogged_ = 0;
}

void Port::log_stats() const
{
	const auto &s = driver_->stats();
	spdlog::info(
			"port {} of {}: bytes={} frames={} damaged={} resyncs={} skipped={} implausible={} "
			"polls={} unanswered={} opened={}{}",
			config_.device, config_.serial, s.bytes, s.frames, s.damaged, s.resyncs, s.skipped,
			s.implausible, s.polls, s.unanswered, opened_, silent_ ? " silent" : "");
}

} // namespace bmd
