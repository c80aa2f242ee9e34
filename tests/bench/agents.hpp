/// @file agents.hpp  Many subscribers: SUBSCRIBE with digest and retransmission, 200 to every
/// NOTIFY. SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "datagrams.hpp"
#include "sip.hpp"
#include "tally.hpp"

namespace bench {

/// What all watchers have in common.
struct AgentOptions
{
	std::string server;   ///< ADDRESS:PORT
	std::string domain;   ///< of the users, and realm's owner
	std::string password; ///< the same for all
	std::string prefix;   ///< user name: prefix and six digits
	std::string feed;     ///< user part of what all subscribe to; empty: each its own name
	std::string event;
	std::string accept;
	std::int64_t first = 1;
	std::int64_t users = 1;
	std::int64_t ports = 8;
	std::int64_t inflight = 64; ///< unfinished subscriptions at a time
	std::int64_t rate = 0;      ///< new ones a second; 0: as fast as they are answered
	std::int64_t expires = 3600;
};

/// All watchers.  One thread; time is monotonic microseconds unless said otherwise.
class Agents
{
public:
	explicit Agents(AgentOptions options);
	Agents(const Agents &) = delete;
	Agents &operator=(const Agents &) = delete;
	~Agents();

	/// Subscribes all that have no subscription; returns when each is done or has failed.
	void subscribe_all();
	/// Ends all subscriptions.
	void unsubscribe_all();
	/// Handles what comes for at most so many milliseconds, at least once.
	void pump(int milliseconds);
	/// Has another descriptor made pump() return?  For the commands of the caller.
	void also_watch(int fd);
	[[nodiscard]] bool other_ready();

	Tally tally;
	/// Microseconds from the first SUBSCRIBE to its 200 and full NOTIFY, one for each done.
	std::vector<std::int64_t> setup_us;
	std::uint64_t failed = 0;
	std::uint64_t repeated = 0; ///< SUBSCRIBEs sent again for want of an answer
	std::string failure;        ///< the first, in words
	[[nodiscard]] std::size_t active() const;

private:
	enum class State
	{
		idle,
		asking,
		active,
		ending,
		ended
	};
	struct Watcher
	{
		std::string user;
		std::string feed;
		std::string to_tag;
		std::string target;
		Challenge challenge;
		std::string request;
		State state = State::idle;
		bool answered = false;
		bool told = false;
		unsigned nonce_count = 0;
		unsigned cseq = 0;
		std::uint64_t notify_cseq = 0;
		std::uint64_t version = 0;
		std::int64_t begun = 0;
		std::int64_t send_again = 0; ///< 0: nothing waits for an answer
		std::int64_t interval = 0;
		std::int64_t give_up = 0;
		std::int64_t refresh_at = 0;
	};

	Port &port_of(std::size_t index) { return ports_[index % ports_.size()]; }
	[[nodiscard]] std::string request_of(std::size_t index, std::int64_t expires);
	void ask(std::size_t index, std::int64_t expires);
	void take(std::string_view message, const Arrival &arrival, Port &port);
	void take_answer(std::string_view message);
	void take_success(std::size_t index, std::string_view message);
	void take_notify(std::string_view message, const Arrival &arrival);
	void step(std::size_t index);
	void fail(std::size_t index, std::string_view why);
	static std::int64_t due_of(const Watcher &w);
	void timer(std::size_t index, std::int64_t now);
	void timers();
	void run(State wanted);
	/// Index of the watcher of a message of ours; the number of watchers when it is none.
	[[nodiscard]] std::size_t index_of(std::string_view message) const;

	AgentOptions options_;
	std::string run_; // tells this run's dialogs from an earlier one's
	std::vector<Port> ports_;
	std::vector<Watcher> watchers_;
	std::vector<std::size_t> open_; // waiting for an answer or a NOTIFY
	std::unique_ptr<Inbox> inbox_ = std::make_unique<Inbox>();
	int epoll_ = -1;
	int other_ = -1;
	bool other_ready_ = false;
	std::int64_t timers_at_ = 0;
	std::int64_t due_ = 0; // not before it is anything due of a watcher
};

} // namespace bench
