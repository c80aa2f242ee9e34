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

constexpr auto store_interval = 1s; // readings wait no longer for the disk
constexpr auto probe_interval = 1s; // asks for durability when nothing new comes
constexpr auto first_patience = 5s; // without progress: send all that is not durable again
constexpr auto longest_patience = 60s;
constexpr auto first_pause = 250ms;
constexpr auto longest_pause = 15s;
constexpr unsigned longest_exponent = 6;
constexpr auto stop_patience = 5s;
constexpr auto idle_wait = 1000ms;

} // namespace

Uplink::Uplink(const Config &config, Outbox &outbox, Spool spool)
	: server_(config.server), limit_(config.spool.size_mb * 1'000'000), outbox_(outbox),
	  spool_(std::move(spool)), http_(config.server), next_(spool_.forgotten() + 1),
	  accepted_(spool_.forgotten()), patience_(first_patience)
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
	if(const auto tidied = spool().tidy(); !tidied)
		spdlog::error("spool: {}", tidied.error().reason);
	publish();
	const auto left = spool().last() - spool().forgotten();
	spdlog::info("uplink ends; {} batches stay in the spool", left);
}

bool Uplink::finished(Clock::time_point now) const
{
	if(now >= deadline_)
		return true;
	const bool nothing_to_send = outbox_.waiting() == 0 && next_ > spool().last();
	return !http_.busy() && (nothing_to_send || failures_running_ > 0);
}

void Uplink::store(Clock::time_point now)
{
	const auto waiting = outbox_.waiting();
	const bool soon = !http_.busy() || stopping_ || waiting >= Outbox::max_batch;
	if(waiting == 0 || (!soon && now - stored_ < store_interval))
		return;
	stored_ = now;
	for(auto taken = outbox_.take(); !taken.text.empty(); taken = outbox_.take())
		store_one(taken);
	const auto &dropped = spool().dropped();
	if(dropped.plain + dropped.alarms > logged_.plain + logged_.alarms)
		spdlog::error("spool is full: gave up {} batches without and {} with alarm information",
				dropped.plain - logged_.plain, dropped.alarms - logged_.alarms);
	logged_ = dropped;
}

void Uplink::store_one(const Outbox::Taken &taken)
{
	auto stored = spool().add(taken.text, taken.has_alarm);
	if(!stored && !memory_) {
		go_to_memory(stored.error().reason);
		stored = spool().add(taken.text, taken.has_alarm);
	}
	if(stored)
		counts_.batches++;
	else
		spdlog::critical("readings lost: {}", stored.error().reason);
}

// A full or broken disk must not keep alarms from the server.
void Uplink::go_to_memory(const std::string &why)
{
	spdlog::critical("spool cannot be written: {}; readings are kept in memory only until the next "
					 "start, and what is in the spool now is sent then",
			why);
	auto opened = Spool::open(":memory:", limit_, wall_clock());
	if(!opened)
		return;
	memory_.emplace(std::move(opened).value());
	next_ = 1;
	accepted_ = 0;
	refused_.clear();
	logged_ = {};
}

// Returns the number to send now; 0: none.
std::uint64_t Uplink::choose(Clock::time_point now)
{
	if(next_ <= spool().last())
		return next_;
	if(accepted_ <= spool().forgotten())
		return 0;
	if(now - std::max(progress_, answered_) < probe_interval && now - progress_ < patience_)
		return 0;
	if(now - progress_ < patience_)
		return accepted_; // the reply says what is durable by now
	patience_ = std::min<std::chrono::seconds>(2 * patience_, longest_patience);
	progress_ = now;
	next_ = spool().forgotten() + 1;
	return next_;
}

void Uplink::send(Clock::time_point now)
{
	if(http_.busy() || now < not_before_)
		return;
	const auto seq = choose(now);
	if(seq == 0) {
		if(const auto tidied = spool().tidy(); !tidied && !store_failed_) {
			store_failed_ = true;
			spdlog::error("spool: {}", tidied.error().reason);
		}
		return;
	}
	const auto batch = spool().next(seq);
	if(!batch) {
		back_off("spool cannot be read: " + batch.error().reason, false, now);
		return;
	}
	if(!*batch) { // given up for want of space
		if(seq <= spool().forgotten() + 1)
			spool().forget(spool().last());
		next_ = seq <= accepted_ ? spool().forgotten() + 1 : spool().last() + 1;
		return;
	}
	const bool follows = accepted_ > spool().forgotten() && seq > spool().forgotten() + 1;
	in_flight_ = (*batch)->seq;
	counts_.requests++;
	http_.start(
			make_request(server_.collector, spool().epoch(), in_flight_, (*batch)->text), follows);
}

std::chrono::milliseconds Uplink::pause(Clock::time_point now) const
{
	auto wait = idle_wait;
	if(!http_.busy() && now < not_before_)
		wait = std::min(wait, std::chrono::ceil<std::chrono::milliseconds>(not_before_ - now));
	else if(!http_.busy() && (next_ <= spool().last() || outbox_.waiting() > 0))
		wait = 0ms;
	return wait;
}

void Uplink::handle(const HttpPost::Answer &answer, Clock::time_point now)
{
	answered_ = now;
	if(answer.not_sent) {
		next_ = spool().forgotten() + 1;
		return;
	}
	if(!answer.error.empty()) {
		counts_.failures++;
		back_off(answer.error, true, now);
		return;
	}
	const Reply reply = read_reply(answer.status, answer.body);
	switch(reply.verdict) {
		case Reply::Verdict::accepted:
			taken(reply, now);
			break;
		case Reply::Verdict::refused:
			refused();
			break;
		case Reply::Verdict::outdated:
			outdated(now);
			break;
		case Reply::Verdict::busy:
			counts_.busy++;
			back_off(reply.reason, false, now);
			break;
		case Reply::Verdict::failed:
			counts_.failures++;
			back_off(reply.reason, true, now);
			break;
	}
}

void Uplink::taken(const Reply &reply, Clock::time_point now)
{
	if(failures_running_ > 0)
		spdlog::info("server answers again");
	failures_running_ = 0;
	counts_.accepted += static_cast<std::uint64_t>(reply.accepted);
	counts_.refused += reply.refused;
	counts_.duplicates += reply.duplicate ? 1 : 0;
	if(reply.refused > 0) // their text could tell of a patient: only the number is logged
		spdlog::warn("server refused {} readings of batch {}", reply.refused, in_flight_);
	if(accepted_ <= spool().forgotten())
		progress_ = now; // the clock of durability starts
	const bool forgot = !reply.duplicate && in_flight_ <= accepted_ && next_ > in_flight_;
	accepted_ = std::max(accepted_, in_flight_);
	next_ = std::max(next_, in_flight_ + 1);
	durable(reply.durable, now);
	if(forgot) { // a probe was new to it: the server has lost what it had accepted
		spdlog::warn("server does not know batch {} any more; sending again", in_flight_);
		next_ = spool().forgotten() + 1;
	}
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

// Numbers of another life have been used after these (a spool restored, or kept while memory stood
// in for it): the same batches go under a new epoch.
void Uplink::outdated(Clock::time_point now)
{
	spdlog::warn("server knows a later epoch than the spool's; the spool gets a new one");
	const auto renewed = spool().renew(wall_clock());
	back_off(renewed ? "epoch was outdated" : renewed.error().reason, true, now);
}

void Uplink::durable(std::uint64_t seq, Clock::time_point now)
{
	if(seq > spool().last()) {
		spdlog::error("server says batch {} is durable, the last one is {}; ignored", seq,
				spool().last());
		return;
	}
	if(seq <= spool().forgotten())
		return;
	progress_ = now;
	patience_ = first_patience;
	spool().forget(seq);
	skip_refused();
	next_ = std::max(next_, spool().forgotten() + 1);
}

// A refused batch never becomes durable: it goes when all before it are gone.
void Uplink::skip_refused()
{
	while(!refused_.empty() && *refused_.begin() <= spool().forgotten() + 1) {
		spool().forget(*refused_.begin());
		refused_.erase(refused_.begin());
	}
}

void Uplink::back_off(const std::string &why, bool again_from_start, Clock::time_point now)
{
	failures_running_++;
	if(std::has_single_bit(failures_running_)) // 1, 2, 4 …: not every time of a long outage
		spdlog::warn("batch {} not delivered ({} times): {}", in_flight_, failures_running_, why);
	if(again_from_start)
		next_ = spool().forgotten() + 1;
	const auto longest = std::min<std::chrono::milliseconds>(
			first_pause * (1U << std::min(failures_running_ - 1, longest_exponent)), longest_pause);
	// Jitter: many collectors must not come back in the same moment.
	std::uniform_real_distribution<double> part(0.5, 1.0);
	not_before_ = now + std::chrono::duration_cast<Clock::duration>(longest * part(random_));
}

void Uplink::publish()
{
	const auto &dropped = spool().dropped();
	counts_.dropped = dropped.plain;
	counts_.dropped_alarms = dropped.alarms;
	counts_.lost_frames = outbox_.lost();
	counts_.waiting_batches = spool().last() - spool().forgotten();
	counts_.spool_bytes = spool().bytes();
	const std::lock_guard lock(mutex_);
	published_ = counts_;
}

} // namespace bmd
