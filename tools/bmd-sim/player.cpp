/// @file player.cpp  Plays a recording or a scenario on a pseudo-terminal, in time.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "player.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <thread>

#include "device.hpp"
#include "drivers/pb840_fields.hpp"

namespace bmd {

namespace {

constexpr std::size_t frame_size = 5;
constexpr std::size_t packet_frames = 25;
constexpr std::size_t piece_size = 16; // bytes written together, as a serial chip's buffer does
constexpr double bits_per_byte = 10;
constexpr double request_wait = 0.05;
constexpr std::chrono::milliseconds linger(300);

std::string clock_text()
{
	const std::time_t now = std::time(nullptr);
	std::tm parts{};
	gmtime_r(&now, &parts);
	std::array<char, 8> text{};
	std::strftime(text.data(), text.size(), "%H:%M", &parts);
	return text.data();
}

std::string plain(double value)
{
	std::array<char, 40> text{};
	std::snprintf(text.data(), text.size(), "%g", value);
	return text.data();
}

} // namespace

Player::Player(Pty &pty, PlayOptions options)
	: pty_(pty), options_(std::move(options)), random_(options_.seed)
{
}

void Player::play(const std::atomic<bool> &end)
{
	end_ = &end;
	while(options_.wait && !pty_.listened() && !end)
		std::this_thread::sleep_for(std::chrono::milliseconds(1));
	begin_ = Clock::now();
	if(options_.driver == "pb840")
		play_pb840();
	else if(options_.scenario)
		play_nonin_scenario();
	else
		play_nonin_recordings();
	// Closing throws away what the other end has not read yet.
	std::this_thread::sleep_for(linger);
	say("ends");
}

double Player::now() const
{
	return std::chrono::duration<double>(Clock::now() - begin_).count() * options_.speed;
}

double Player::scenario_time() const
{
	const double length = options_.scenario->length();
	return options_.loop && length > 0 ? std::fmod(now(), length) : now();
}

bool Player::over() const
{
	if(*end_ || (options_.duration > 0 && now() >= options_.duration))
		return true;
	const double length = options_.scenario ? options_.scenario->length() : 0;
	return !options_.loop && length > 0 && now() >= length;
}

void Player::sleep_until(double seconds) const
{
	const auto at = std::chrono::duration<double>(seconds / options_.speed);
	std::this_thread::sleep_until(begin_ + std::chrono::duration_cast<Clock::duration>(at));
}

void Player::say(const std::string &event)
{
	if(options_.quiet)
		return;
	std::printf("%.3f %s\n", now(), event.c_str());
	std::fflush(stdout);
}

void Player::say_step()
{
	const double time = scenario_time();
	const std::size_t step = options_.scenario->step_at(time);
	const double length = options_.scenario->length();
	const auto round = length > 0 ? static_cast<std::size_t>(now() / length) : 0;
	if(step == step_ && round == round_)
		return;
	step_ = step;
	round_ = round;
	const auto &entry = options_.scenario->steps()[step];
	const Moment &m = entry.moment;
	std::string text = "step " + std::to_string(step + 1) + ":";
	if(!entry.note.empty())
		text.append(" ").append(entry.note).append(";");
	const auto add = [&text](const std::string &name, const std::string &value) {
		text.append(" ").append(name).append("=").append(value);
	};
	for(const auto &[name, value] : m.values)
		add(name, plain(value));
	for(const auto &[name, pair] : entry.flap)
		add(name, plain(pair.first) + "|" + plain(pair.second));
	for(const auto &[name, word] : m.alarms)
		add(name, word);
	text += m.silence ? " silence" : "";
	text += m.unplugged ? " unplugged" : "";
	text += m.noise > 0 ? " noise=" + plain(m.noise) : "";
	text += m.lost > 0 ? " lost=" + plain(m.lost) : "";
	say(text);
}

void Player::write(std::string_view bytes)
{
	const bool listened = pty_.listened();
	if(listened != listened_)
		say(listened ? "port opened" : "port closed");
	listened_ = listened;
	pty_.write(bytes);
}

// Frame by frame, each at its own moment: so late is the last byte of a packet in reality, too.
void Player::send_frames(std::string_view bytes)
{
	double at = now();
	for(; !bytes.empty() && !over(); bytes.remove_prefix(std::min(bytes.size(), frame_size))) {
		at += 1 / options_.frames_per_second;
		sleep_until(at);
		write(bytes.substr(0, frame_size));
	}
}

void Player::send_paced(std::string_view bytes)
{
	double at = now();
	for(; !bytes.empty() && !over(); bytes.remove_prefix(std::min(bytes.size(), piece_size))) {
		const auto piece = bytes.substr(0, piece_size);
		at += static_cast<double>(piece.size()) * bits_per_byte / options_.baud;
		sleep_until(at);
		write(piece);
	}
}

void Player::play_nonin_recordings()
{
	do {
		for(std::size_t i = 0; i < options_.recordings.size() && !over(); i++) {
			say("recording " + options_.names[i]);
			send_frames(options_.recordings[i]);
		}
	} while(options_.loop && !over());
}

void Player::play_nonin_scenario()
{
	const double packet_time = packet_frames / options_.frames_per_second;
	for(double next = 0; !over(); next += packet_time) {
		say_step();
		const Moment moment = options_.scenario->at(scenario_time());
		if(!moment.silence)
			send_frames(damage(nonin_packet(moment), moment, random_));
		sleep_until(next + packet_time);
	}
}

void Player::play_pb840()
{
	std::string asked;
	std::size_t turn = 0;
	const std::size_t turns = options_.recordings.size();
	while(!over() && (options_.scenario || options_.loop || turn < turns)) {
		if(options_.scenario)
			say_step();
		const std::string received = pty_.read(request_wait);
		const bool listened = pty_.listened();
		if(listened != listened_)
			say(listened ? "port opened" : "port closed");
		listened_ = listened;
		asked += received;
		for(auto end = asked.find('\r'); end != std::string::npos; end = asked.find('\r')) {
			const std::string request = asked.substr(0, end + 1);
			asked.erase(0, end + 1);
			if(request.ends_with(pb840::request))
				answer(turn++);
			else
				say("request not known");
		}
	}
}

void Player::answer(std::size_t turn)
{
	if(!options_.scenario) {
		const std::size_t i = turn % options_.recordings.size();
		say("reply " + options_.names[i]);
		send_paced(options_.recordings[i]);
		return;
	}
	const Moment moment = options_.scenario->at(scenario_time());
	if(moment.silence)
		return;
	send_paced(damage(pb840_reply(moment, clock_text()), moment, random_));
}

} // namespace bmd
