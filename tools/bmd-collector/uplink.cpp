/// @file uplink.cpp  Brings what waits in the outbox to the server, through the spool.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "uplink.hpp"

#include <algorithm>
#include <bit>
#include <spdlog/spdlog.h>

#include "clock.hpp"

namespace bmd {

namespace {

using namespace std::chrono_literals;

constexpr auto store_interval = 1s;   // readings wait no longer for the disk
constexpr auto probe_interval = 1s;   // asks for durability when nothing new comes
constexpr auto judge_interval = 20ms; // between batches that are judged and not stored
constexpr auto first_pause = 250ms;
constexpr auto longest_pause = 15s;
constexpr unsigned longest_exponent = 6;
constexpr auto stop_patience = 5s;
constexpr auto idle_wait = 1000ms;

} // namespace

Uplink::Uplink(const Config &config, Outbox &outbox, Spool spool)
	: server_(config.server), outbox_(outbox), spool_(std::move(spool)), http_(config.server),
	  next_(spool_.forgotten() + 1), accepted_(spool_.forgotten())
{
	outbox_.on_waiting([this] { http_.wake(); });
	publish();
}

Uplink::~Uplink()
{
	stop();
}

void Uplink::start()
{
	if(spool_.last() > spool_.forgotten())
		spdlog::info("spool has {} batches to send", spool_.last() - spool_.forgotten());
	thread_ = std::thread([this] { run(); });
}

void Uplink::stop()
{
	if(!thread_.joinable())
		return;
	stopping_ = true;
	http_.wake();
	thread_.join();
}

UplinkStats Uplink::stats() const
{
	const std::lock_guard lock(mutex_);
	return published_;
}

void Uplink::run()
{
	for(;;) {
		const auto now = Clock::now();
		if(stopping_ && deadline_ == Clock::time_point{})
			deadline_ = now + stop_patience;
		store(now);
		send(now);
		publish();
		if(stopping_ && finished(now))
			break;
		if(const auto answer = http_.wait(pause(now)))
			handle(*answer, Clock::now());
	}
	settle_all();
	publish();
	const auto left = spool_.last() - spool_.forgotten();
	spdlog::info("uplink ends; {} batches stay in the spool", left);
}

// For the end.
void Uplink::settle_all()
{
	auto before = spool_.held_bytes() + 1;
	while(spool_.held_bytes() < before && !spool_.on_disk()) {
		before = spool_.held_bytes();
		spool_.settle();
	}
	if(const auto tidied = spool_.tidy(); !tidied)
		spdlog::error("spool: {}", tidied.error().reason);
}

bool Uplink::finished(Clock::time_point now) const
{
	if(now >= deadline_)
		return true;
	const bool nothing_to_send = outbox_.waiting() == 0 && next_ > spool_.last();
	return !http_.busy() && (nothing_to_send || (failures_running_ > 0 && !to_judge()));
}

void Uplink::store(Clock::time_point now)
{
	const auto waiting = outbox_.waiting();
	// What the server cannot store it judges at a limited pace: fewer and larger batches then.
	const bool ready = !http_.busy() && !to_judge() && now >= judge_after_;
	const bool soon = ready || stopping_ || waiting >= Outbox::max_batch;
	if(waiting == 0 || (!soon && now - stored_ < store_interval))
		return;
	stored_ = now;
	for(auto taken = outbox_.take(); !taken.text.empty(); taken = outbox_.take()) {
		spool_.add(taken.text, taken.has_alarm);
		counts_.batches++;
	}
	look_at_disk();
	const auto &dropped = spool_.dropped();
	if(dropped.plain + dropped.alarms > logged_.plain + logged_.alarms)
		spdlog::error("spool is full: gave up {} batches without and {} with alarm information",
				dropped.plain - logged_.plain, dropped.alarms - logged_.alarms);
	logged_ = dropped;
}

// A full or broken disk must not keep alarms from the server.
void Uplink::look_at_disk()
{
	if(spool_.on_disk() == !disk_failed_)
		return;
	disk_failed_ = !disk_failed_;
	if(disk_failed_)
		spdlog::critical("spool cannot be written: {}; readings are held in memory until it can",
				spool_.reason());
	else
		spdlog::info("spool is written again");
}

// Is there a newer batch than those the server has judged and had no room for?
bool Uplink::to_judge() const
{
	return judged_ >= next_ && judged_ < spool_.last();
}

// Returns the number to send now; 0: none.
std::uint64_t Uplink::choose(Clock::time_point now) const
{
	if(now < not_before_)
		return 0;
	if(to_judge() && now >= judge_after_)
		return judged_ + 1; // its alerts do not wait for what is older
	return next_ <= spool_.last() && now >= store_after_ ? next_ : 0;
}

void Uplink::send(Clock::time_point now)
{
	if(http_.busy())
		return;
	const auto seq = choose(now);
	if(seq == 0)
		return idle(now);
	if(!known_)
		return ask(spool_.found() + 1);
	const auto batch = spool_.next(seq);
	if(!batch)
		return failed("spool cannot be read: " + batch.error().reason, now);
	if(!*batch) { // given up for want of space, and nothing after it
		if(seq <= spool_.forgotten() + 1)
			spool_.forget(spool_.last());
		next_ = spool_.last() + 1;
		return;
	}
	// What lies between is not in the spool any more: given up, or long durable.
	if((*batch)->seq > seq && disk_failed_ && std::has_single_bit(failures_running_ + 1))
		spdlog::critical("batches {} to {} are given up unless the disk can be read", seq,
				(*batch)->seq - 1);
	asked_ = false;
	first_ = seq;
	in_flight_ = (*batch)->seq;
	sent_ = std::max(sent_, in_flight_);
	counts_.requests++;
	http_.start(
			make_request(server_.collector, spool_.epoch(), first_, in_flight_, (*batch)->text));
}

void Uplink::idle(Clock::time_point now)
{
	spool_.settle();
	look_at_disk();
	if(const auto tidied = spool_.tidy(); !tidied && !store_failed_) {
		store_failed_ = true;
		spdlog::error("spool: {}", tidied.error().reason);
	}
	if(accepted_ > spool_.forgotten() && now >= not_before_ && now - answered_ >= probe_interval)
		ask(accepted_);
}

// An empty batch asks how far the server is.
void Uplink::ask(std::uint64_t seq)
{
	asked_ = true;
	first_ = in_flight_ = seq;
	counts_.requests++;
	http_.start(make_request(server_.collector, spool_.epoch(), first_, in_flight_, ""));
}

// The highest number that the server can have of us: it was in the file, or sent since.
std::uint64_t Uplink::own() const noexcept
{
	return std::max(spool_.found(), sent_);
}

std::chrono::milliseconds Uplink::pause(Clock::time_point now) const
{
	if(http_.busy())
		return idle_wait;
	auto due = now + idle_wait;
	if(next_ <= spool_.last())
		due = std::min(due, store_after_);
	if(to_judge() || outbox_.waiting() > 0)
		due = std::min(due, judge_after_);
	due = std::max(due, not_before_);
	return std::clamp(std::chrono::ceil<std::chrono::milliseconds>(due - now), 0ms, idle_wait);
}

void Uplink::handle(const HttpPost::Answer &answer, Clock::time_point now)
{
	answered_ = now;
	if(!answer.error.empty()) {
		counts_.failures++;
		return failed(answer.error, now);
	}
	const Reply reply = read_reply(answer.status, answer.body);
	if(asked_
			&& (reply.verdict == Reply::Verdict::refused
					|| reply.verdict == Reply::Verdict::too_large))
		return failed(reply.reason, now);
	switch(reply.verdict) {
		case Reply::Verdict::accepted:
			taken(reply, now);
			break;
		case Reply::Verdict::refused:
			refused();
			break;
		case Reply::Verdict::too_large:
			too_large(now);
			break;
		case Reply::Verdict::outdated:
			outdated(reply, now);
			break;
		case Reply::Verdict::expects:
			expects(reply, now);
			break;
		case Reply::Verdict::busy:
			busy(reply, now);
			break;
		case Reply::Verdict::failed:
			counts_.failures++;
			failed(reply.reason, now);
			break;
	}
}

void Uplink::taken(const Reply &reply, Clock::time_point now)
{
	if(asked_ && in_flight_ > own())
		return other_life(in_flight_, reply.durable, now);
	if(asked_)
		return durable(reply.durable, now);
	if(failures_running_ > 0)
		spdlog::info("server answers again");
	failures_running_ = 0;
	counts_.accepted += static_cast<std::uint64_t>(reply.accepted);
	counts_.refused += reply.refused;
	counts_.duplicates += reply.duplicate ? 1 : 0;
	if(reply.refused > 0) // their text could tell of a patient: only the number is logged
		spdlog::warn("server refused {} readings of batch {}", reply.refused, in_flight_);
	accepted_ = std::max(accepted_, in_flight_);
	next_ = std::max(next_, in_flight_ + 1);
	durable(reply.durable, now);
}

void Uplink::refused()
{
	failures_running_ = 0;
	counts_.refused_batches++;
	spdlog::error("server refused batch {} whole; it is not sent again", in_flight_);
	refused_.insert(in_flight_);
	next_ = std::max(next_, in_flight_ + 1);
	skip_refused();
}

// It would hold up all that come after it.
void Uplink::too_large(Clock::time_point now)
{
	spdlog::critical("server cannot take batch {}: too large, given up, readings lost", in_flight_);
	if(const auto gone = spool_.give_up(in_flight_); !gone)
		return failed("spool: " + gone.error().reason, now);
	logged_ = spool_.dropped();
	failures_running_ = 0;
}

// The server has fewer batches than were sent: it was killed, or its database is another one.
void Uplink::expects(const Reply &reply, Clock::time_point now)
{
	const bool judged_it = in_flight_ > next_ && reply.judged >= in_flight_;
	if(reply.expected == 0 || (reply.expected == first_ && !judged_it && !asked_))
		return failed("server expects what it was sent", now);
	if(reply.expected > own() + 1)
		return other_life(reply.expected - 1, reply.durable, now);
	known_ = true;
	if(reply.expected <= accepted_)
		spdlog::warn("server expects batch {} after {}; sending again", reply.expected, accepted_);
	failures_running_ = 0;
	counts_.judged += judged_it ? 1 : 0;
	next_ = reply.expected;
	accepted_ = reply.expected - 1;
	judged_ = reply.judged;
	store_after_ = now;
	judge_after_ = now + judge_interval;
	durable(reply.durable, now);
}

void Uplink::busy(const Reply &reply, Clock::time_point now)
{
	const bool only_judged = !asked_ && in_flight_ > next_;
	counts_.judged += reply.judged >= in_flight_ ? 1 : 0;
	judge_after_ = now + (reply.judged >= in_flight_ ? judge_interval : first_pause);
	if(reply.has_durable) {
		judged_ = reply.judged;
		durable(reply.durable, now);
	}
	if(only_judged)
		return;
	counts_.busy++;
	(reply.judged == 0 ? not_before_ : store_after_) = back_off(reply.reason, now);
}

void Uplink::durable(std::uint64_t seq, Clock::time_point now)
{
	if(seq > own())
		return other_life(seq, seq, now);
	if(seq <= spool_.forgotten())
		return;
	spool_.forget(seq);
	skip_refused();
	next_ = std::max(next_, spool_.forgotten() + 1);
}

// A refused batch never becomes durable: it goes when all before it are gone.
void Uplink::skip_refused()
{
	while(!refused_.empty() && *refused_.begin() <= spool_.forgotten() + 1) {
		spool_.forget(*refused_.begin());
		refused_.erase(refused_.begin());
	}
}

Uplink::Clock::time_point Uplink::back_off(const std::string &why, Clock::time_point now)
{
	failures_running_++;
	if(std::has_single_bit(failures_running_)) // 1, 2, 4 …: not every time of a long outage
		spdlog::warn("batch {} not delivered ({} times): {}", in_flight_, failures_running_, why);
	const auto longest = std::min<std::chrono::milliseconds>(
			first_pause * (1U << std::min(failures_running_ - 1, longest_exponent)), longest_pause);
	// Jitter: many collectors must not come back in the same moment.
	std::uniform_real_distribution<double> part(0.5, 1.0);
	return now + std::chrono::duration_cast<Clock::duration>(longest * part(random_));
}

// No answer that helps.  It goes on where it was: a server that has lost something says so.
void Uplink::failed(const std::string &why, Clock::time_point now)
{
	not_before_ = back_off(why, now);
	judged_ = 0;
}

void Uplink::publish()
{
	const auto &dropped = spool_.dropped();
	counts_.dropped = dropped.plain;
	counts_.dropped_alarms = dropped.alarms;
	counts_.lost_frames = outbox_.lost();
	counts_.waiting_batches = spool_.last() - spool_.forgotten();
	counts_.spool_bytes = spool_.bytes();
	counts_.held_bytes = spool_.held_bytes();
	const std::lock_guard lock(mutex_);
	published_ = counts_;
}

} // namespace bmd
