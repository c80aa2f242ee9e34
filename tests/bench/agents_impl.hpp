/// @file agents_impl.hpp  The many subscribers at work.
/// SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include <sys/epoll.h>

#include <limits>
#include <random>
#include <utility>

#include "agents.hpp"

namespace bench {

inline constexpr std::int64_t t1_us = 500'000;       // RFC 3261, 17.1.2.2
inline constexpr std::int64_t t2_us = 4'000'000;     // the same
inline constexpr std::int64_t limit_us = 64 * t1_us; // timer F
inline constexpr std::int64_t timers_us = 20'000;    // how often timers are looked at
inline constexpr std::int64_t no_timer = std::numeric_limits<std::int64_t>::max();

// In a flood datagrams are let gather: the server need not wake this program for each.  Their times
// are the kernel's.
inline constexpr std::size_t many = 16;
inline constexpr useconds_t gather_us = 500;

inline std::int64_t mono_us()
{
	return now_ns() / 1000;
}

inline std::string hex_of_random()
{
	std::random_device device;
	char text[16];
	std::snprintf(text, sizeof text, "%08x", device());
	return text;
}

inline Agents::Agents(AgentOptions options)
	: options_(std::move(options)), run_(hex_of_random()), epoll_(epoll_create1(0))
{
	const sockaddr_in server = address_of(options_.server);
	for(std::int64_t i = 0; i < options_.ports; ++i) {
		ports_.emplace_back(server);
		epoll_event event{EPOLLIN, {.u64 = static_cast<std::uint64_t>(i)}};
		epoll_ctl(epoll_, EPOLL_CTL_ADD, ports_.back().fd(), &event);
	}
	watchers_.resize(static_cast<std::size_t>(options_.users));
	for(std::size_t i = 0; i < watchers_.size(); ++i) {
		Watcher &watcher = watchers_[i];
		char number[16];
		std::snprintf(number, sizeof number, "%06lld",
				static_cast<long long>(options_.first) + static_cast<long long>(i));
		watcher.user = options_.prefix + number;
		watcher.feed = "sip:" + (options_.feed.empty() ? watcher.user : options_.feed) + "@"
					   + options_.domain;
	}
}

inline Agents::~Agents()
{
	close(epoll_);
}

inline void Agents::also_watch(int fd)
{
	other_ = fd;
	epoll_event event{EPOLLIN, {.u64 = ports_.size()}};
	epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
}

inline bool Agents::other_ready()
{
	return std::exchange(other_ready_, false);
}

inline std::size_t Agents::active() const
{
	std::size_t count = 0;
	for(const Watcher &watcher : watchers_)
		count += watcher.state == State::active ? 1 : 0;
	return count;
}

inline std::string Agents::request_of(std::size_t index, std::int64_t expires)
{
	Watcher &w = watchers_[index];
	const std::string uri = w.target.empty() ? w.feed : w.target;
	const std::string &here = port_of(index).name();
	const std::string number = std::to_string(index);
	const std::string cseq = std::to_string(w.cseq);
	std::string out =
			"SUBSCRIBE " + uri + " SIP/2.0\r\nVia: SIP/2.0/UDP " + here + ";rport;branch=z9hG4bK"
			+ number + "." + cseq + "." + run_ + "\r\nMax-Forwards: 70\r\nFrom: <sip:" + w.user
			+ "@" + options_.domain + ">;tag=f" + number + "\r\nTo: <" + w.feed + ">"
			+ (w.to_tag.empty() ? "" : ";tag=" + w.to_tag) + "\r\nCall-ID: " + number + "." + run_
			+ "\r\nCSeq: " + cseq + " SUBSCRIBE\r\nContact: <sip:" + w.user + "@" + here
			+ ">\r\nEvent: " + options_.event + "\r\nAccept: " + options_.accept
			+ "\r\nExpires: " + std::to_string(expires) + "\r\n";
	out += authorization(w.challenge, w.user, options_.password, "SUBSCRIBE", uri, ++w.nonce_count);
	return out + "Content-Length: 0\r\n\r\n";
}

inline void Agents::ask(std::size_t index, std::int64_t expires)
{
	Watcher &w = watchers_[index];
	++w.cseq;
	w.request = request_of(index, expires);
	w.answered = false;
	w.interval = t1_us;
	const std::int64_t now = mono_us();
	w.send_again = now + w.interval;
	w.give_up = now + limit_us;
	due_ = std::min(due_, w.send_again);
	port_of(index).put(w.request);
}

inline std::size_t Agents::index_of(std::string_view message) const
{
	const std::string_view id = header(message, "Call-ID");
	const std::size_t index = number_of(id);
	const bool ours = id.ends_with(run_) && id.find('.') + 1 + run_.size() == id.size();
	return ours && index < watchers_.size() ? index : watchers_.size();
}

inline void Agents::fail(std::size_t index, std::string_view why)
{
	watchers_[index].state = State::ended;
	watchers_[index].send_again = 0;
	++failed;
	if(failure.empty())
		failure = watchers_[index].user + ": " + std::string(why);
}

// A subscription is made when it is answered and has told its state, in either order.
inline void Agents::step(std::size_t index)
{
	Watcher &w = watchers_[index];
	if(!w.answered)
		return;
	if(w.state == State::asking && w.told) {
		w.state = State::active;
		setup_us.push_back(mono_us() - w.begun);
	} else if(w.state == State::ending) {
		w.state = State::ended;
	}
}

inline void Agents::take_success(std::size_t index, std::string_view message)
{
	Watcher &w = watchers_[index];
	w.send_again = 0;
	w.answered = true;
	w.to_tag = tag_of(header(message, "To"));
	w.target = between(header(message, "Contact"), "<", ">");
	const auto expires = static_cast<std::int64_t>(number_of(header(message, "Expires")));
	w.refresh_at = mono_us() + std::max<std::int64_t>(expires, 60) * 900'000;
	due_ = std::min(due_, w.refresh_at);
	step(index);
}

inline void Agents::take_answer(std::string_view message)
{
	const std::size_t index = index_of(message);
	if(index == watchers_.size())
		return;
	Watcher &w = watchers_[index];
	const std::uint64_t status = number_of(message.substr(8, 3));
	if(w.send_again == 0 || number_of(header(message, "CSeq")) != w.cseq)
		return; // of an earlier request, or a repeated one
	if(status < 200) {
		w.interval = t2_us;
	} else if(status < 300) {
		take_success(index, message);
	} else if(auto challenge = challenge_of(message);
			  status == 401 && challenge && challenge->nonce != w.challenge.nonce) {
		w.challenge = std::move(*challenge);
		w.nonce_count = 0;
		ask(index, w.state == State::ending ? 0 : options_.expires);
	} else if(w.state == State::ending) {
		w.send_again = 0;
		w.state = State::ended;
	} else {
		fail(index, message.substr(0, message.find("\r\n")));
	}
}

inline void Agents::take_notify(std::string_view message, const Arrival &arrival)
{
	const std::size_t index = index_of(message);
	if(index == watchers_.size()) {
		++tally.foreign;
		return;
	}
	Watcher &w = watchers_[index];
	const std::uint64_t cseq = number_of(header(message, "CSeq"));
	if(cseq <= w.notify_cseq) {
		++tally.duplicates;
		return;
	}
	w.notify_cseq = cseq;
	const std::string_view body = body_of(message);
	const std::uint64_t version = number_of(between(body, "bmd:version=\"", "\""));
	if(w.version != 0 && version > w.version + 1)
		++tally.gaps;
	w.version = version;
	w.told = true;
	tally.take(body, arrival);
	step(index);
}

inline void Agents::take(std::string_view message, const Arrival &arrival, Port &port)
{
	if(message.starts_with("SIP/2.0 ")) {
		take_answer(message);
	} else if(message.starts_with("NOTIFY ")) {
		std::string answer;
		append_ok(answer, message);
		port.put(std::move(answer));
		take_notify(message, arrival);
	}
}

// What is due of a watcher next, not before the moment it gives; no_timer: nothing.
inline std::int64_t Agents::due_of(const Watcher &w)
{
	if(w.send_again != 0)
		return std::min(w.send_again, w.give_up);
	return w.state == State::active ? w.refresh_at : no_timer;
}

inline void Agents::timer(std::size_t index, std::int64_t now)
{
	Watcher &w = watchers_[index];
	if(w.send_again == 0) {
		w.refresh_at = now + limit_us;
		ask(index, options_.expires);
	} else if(now >= w.give_up) {
		fail(index, "no answer");
	} else {
		++repeated;
		w.interval = std::min(2 * w.interval, t2_us);
		w.send_again = now + w.interval;
		port_of(index).put(w.request);
	}
}

// Ten thousand watchers are not looked through while none of them has anything due.
inline void Agents::timers()
{
	const std::int64_t now = mono_us();
	if(now < timers_at_)
		return;
	timers_at_ = now + timers_us;
	if(now >= due_) {
		due_ = no_timer;
		for(std::size_t i = 0; i < watchers_.size(); ++i) {
			if(now >= due_of(watchers_[i]))
				timer(i, now);
			due_ = std::min(due_, due_of(watchers_[i]));
		}
	}
	for(Port &port : ports_)
		port.flush();
}

inline void Agents::pump(int milliseconds)
{
	epoll_event events[32];
	std::size_t taken = 0;
	const int n = epoll_wait(epoll_, events, 32, milliseconds);
	for(int e = 0; e < n; ++e) {
		if(events[e].data.u64 == ports_.size()) {
			other_ready_ = true;
			continue;
		}
		Port &port = ports_[events[e].data.u64];
		const std::size_t got = port.receive(*inbox_);
		taken += got;
		const std::int64_t seen = wall_us();
		for(std::size_t i = 0; i < got; ++i)
			take(inbox_->text(i), Arrival{inbox_->stamp(i, seen), seen}, port);
		port.flush();
	}
	if(taken >= many)
		usleep(gather_us);
	timers();
}

// Brings all watchers to a state, a bounded number at a time and at the given pace.
inline void Agents::run(State wanted)
{
	const State passing = wanted == State::active ? State::asking : State::ending;
	const std::int64_t begun = mono_us();
	std::size_t next = 0, begun_count = 0;
	open_.clear();
	while(next < watchers_.size() || !open_.empty()) {
		const std::int64_t now = mono_us();
		const auto due = options_.rate == 0 ? static_cast<std::int64_t>(watchers_.size())
											: (now - begun) * options_.rate / 1'000'000 + 1;
		while(next < watchers_.size() && static_cast<std::int64_t>(begun_count) < due
				&& static_cast<std::int64_t>(open_.size()) < options_.inflight) {
			Watcher &w = watchers_[next];
			if(w.state == (wanted == State::active ? State::idle : State::active)) {
				w.state = passing;
				w.begun = now;
				open_.push_back(next);
				++begun_count;
				ask(next, wanted == State::active ? options_.expires : 0);
			}
			++next;
		}
		for(Port &port : ports_)
			port.flush();
		pump(options_.rate == 0 ? 20 : 1);
		std::erase_if(open_, [&](std::size_t i) {
			Watcher &w = watchers_[i];
			// answered but not told its state: as good as unanswered after the same time
			if(w.state == State::asking && mono_us() > w.give_up)
				fail(i, "no NOTIFY");
			return w.state != passing;
		});
	}
}

inline void Agents::subscribe_all()
{
	run(State::active);
}

inline void Agents::unsubscribe_all()
{
	run(State::ended);
}

} // namespace bench
