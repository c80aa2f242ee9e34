/// @file uplink.hpp  Brings what waits in the outbox to the server, through the spool.
/// SPDX-License-Identifier: GPL-2.0-or-later
///
/// One thread.  Waiting readings become a batch at once when no request is under way, else when it
/// ends or after a second; a batch is on disk before it is sent.  One request at a time, in order.
/// A batch is forgotten when the server says that it is durable.  The server takes numbers without
/// gaps and says which one it expects: so after a kill that cost it what was accepted but not
/// durable it is sent again from there, and what is no longer in the spool is said not to come.
/// While the server has no room to store, it judges what it is sent, each batch once: the newer
/// batches go to it in their order, so that their alerts go out, and all are sent again from the
/// first one not stored when there is room.

#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <random>
#include <set>
#include <thread>

#include "config.hpp"
#include "http.hpp"
#include "outbox.hpp"
#include "rpc.hpp"
#include "spool.hpp"

namespace bmd {

/// Counters since the start, but for `waiting_batches`, `spool_bytes` and `held_bytes`.
struct UplinkStats
{
	std::uint64_t batches = 0;         ///< stored
	std::uint64_t requests = 0;        ///< sent
	std::uint64_t accepted = 0;        ///< readings the server took
	std::uint64_t refused = 0;         ///< readings the server refused
	std::uint64_t refused_batches = 0; ///< batches of which it took nothing
	std::uint64_t duplicates = 0;      ///< batches it had seen
	std::uint64_t busy = 0;            ///< times it asked to keep a batch
	std::uint64_t judged = 0;          ///< batches it judged without room to store them
	std::uint64_t failures = 0;        ///< requests without a usable reply
	std::uint64_t dropped = 0;         ///< batches given up, spool full, without alarm information
	std::uint64_t dropped_alarms = 0;  ///< the same with alarm information
	std::uint64_t lost_frames = 0;     ///< frames given up in memory, no disk
	std::uint64_t waiting_batches = 0; ///< not yet durable
	std::uint64_t spool_bytes = 0;
	std::uint64_t held_bytes = 0; ///< in memory, for want of a disk
};

class Uplink
{
public:
	/// Takes over the spool.  Throws std::runtime_error when libcurl cannot be set up.
	Uplink(const Config &config, Outbox &outbox, Spool spool);
	~Uplink();
	Uplink(const Uplink &) = delete;
	Uplink &operator=(const Uplink &) = delete;

	void start();
	/// Sends what waits, for five seconds at most, stores the rest, and ends the thread.
	void stop();
	[[nodiscard]] UplinkStats stats() const;

private:
	using Clock = std::chrono::steady_clock;

	void run();
	[[nodiscard]] bool finished(Clock::time_point now) const;
	void store(Clock::time_point now);
	void look_at_disk();
	void settle_all();
	void send(Clock::time_point now);
	void idle(Clock::time_point now);
	[[nodiscard]] bool to_judge() const;
	[[nodiscard]] std::uint64_t choose(Clock::time_point now) const;
	void ask(std::uint64_t seq);
	[[nodiscard]] std::uint64_t own() const noexcept;
	[[nodiscard]] std::chrono::milliseconds pause(Clock::time_point now) const;
	void handle(const HttpPost::Answer &answer, Clock::time_point now);
	void taken(const Reply &reply, Clock::time_point now);
	void refused();
	void too_large(Clock::time_point now);
	void outdated(const Reply &reply, Clock::time_point now);
	void expects(const Reply &reply, Clock::time_point now);
	void busy(const Reply &reply, Clock::time_point now);
	[[nodiscard]] Clock::time_point back_off(const std::string &why, Clock::time_point now);
	void failed(const std::string &why, Clock::time_point now);
	void durable(std::uint64_t seq, Clock::time_point now);
	void begin_epoch(std::uint64_t epoch, Clock::time_point now);
	void other_life(std::uint64_t seq, std::uint64_t durable, Clock::time_point now);
	void skip_refused();
	void publish();

	const ServerConfig server_;
	Outbox &outbox_;
	Spool spool_;
	HttpPost http_;
	std::thread thread_;
	std::atomic<bool> stopping_{false};
	Clock::time_point deadline_{};

	std::uint64_t next_ = 1;      ///< number whose turn it is: first one not accepted
	std::uint64_t accepted_ = 0;  ///< highest number accepted
	std::uint64_t judged_ = 0;    ///< all up to here are judged, from next_ on without being stored
	std::uint64_t first_ = 0;     ///< of the request under way: numbers it accounts for …
	std::uint64_t in_flight_ = 0; ///< … up to that of the batch it carries
	bool asked_ = false;          ///< it carries none
	bool known_ = false;          ///< the server knows no number of this epoch but our own
	std::uint64_t sent_ = 0;      ///< highest number sent under this epoch
	Clock::time_point leaving_{}; ///< since when a life of others is being left
	std::set<std::uint64_t> refused_;
	unsigned failures_running_ = 0;
	Clock::time_point not_before_{};  ///< back-off of everything
	Clock::time_point store_after_{}; ///< back-off of what the server has no room for
	Clock::time_point judge_after_{}; ///< pace of what it only judges
	Clock::time_point stored_{};      ///< when the outbox was emptied last
	Clock::time_point answered_{};
	std::mt19937 random_{std::random_device{}()};
	Spool::Dropped logged_;
	bool store_failed_ = false;
	bool disk_failed_ = false;

	mutable std::mutex mutex_; ///< of published_
	UplinkStats counts_;
	UplinkStats published_;
};

} // namespace bmd
