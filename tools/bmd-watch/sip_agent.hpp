/// @file sip_agent.hpp  The SIP stack (sofia-sip, nua) as bmd-watch uses it: one thread, one event
/// loop. SPDX-License-Identifier: GPL-2.0-or-later Does not know what a registration or a
/// subscription is.

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "bmd/time.hpp"
#include "digest_client.hpp"
#include "protection.hpp"
#include "replays.hpp"
#include "sealing.hpp"
#include "watch_options.hpp"

// the types of nua's two context pointers
#define NUA_MAGIC_T void
#define NUA_HMAGIC_T void
#include <sofia-sip/nua.h>
#include <sofia-sip/su_wait.h>

namespace bmd::watch {

/// One thing that nua told about a handle.
struct SipEvent
{
	nua_event_t type;
	int status;
	const char *phrase; ///< never null
	nua_handle_t *handle;
	const sip_t *sip; ///< null for some errors made up by the stack
	tagi_t *tags;
	TimeUs at; ///< when it reached us
};

/// Did this response come from the network?  False for what the stack makes up, when the time is
/// over or nobody is there.
[[nodiscard]] bool from_network(const SipEvent &event) noexcept;

/// Whoever owns a handle: gets its events.
class SipUser
{
public:
	SipUser() = default;
	SipUser(const SipUser &) = delete;
	SipUser &operator=(const SipUser &) = delete;
	virtual ~SipUser() = default;
	virtual void on_sip(const SipEvent &event) = 0;
};

/// Gets the MESSAGEs that come; they are answered with 200 already.
class MessageTaker
{
public:
	MessageTaker() = default;
	MessageTaker(const MessageTaker &) = delete;
	MessageTaker &operator=(const MessageTaker &) = delete;
	virtual ~MessageTaker() = default;
	virtual void on_message(const SipEvent &event) = 0;
};

/// A timer that fires once.
class Timer
{
public:
	Timer(su_root_t *root, std::function<void()> action);
	~Timer();
	Timer(const Timer &) = delete;
	Timer &operator=(const Timer &) = delete;
	/// Fires after `ms`; starts anew when it is running.
	void start(std::uint32_t ms);
	void stop() noexcept;

private:
	static void fire(su_root_magic_t *, su_timer_t *, su_timer_arg_t *self);
	su_timer_t *timer_;
	std::function<void()> action_;
};

/// The stack.  Construct one; all calls from its own thread.
class SipAgent
{
public:
	/// Both of the caller, and longer than this.
	SipAgent(const Options &options, const Protection &protection);
	~SipAgent();
	SipAgent(const SipAgent &) = delete;
	SipAgent &operator=(const SipAgent &) = delete;

	/// False: the local address could not be bound.
	[[nodiscard]] bool ok() const noexcept { return nua_ != nullptr; }
	[[nodiscard]] nua_t *nua() const noexcept { return nua_; }
	[[nodiscard]] su_root_t *root() const noexcept { return root_; }

	/// Runs until quit().
	void run();
	/// Shuts the stack down; run() returns when that is done.
	void quit();

	/// nullptr: nobody.  The taker is the caller's.
	void give_messages_to(MessageTaker *taker) noexcept { taker_ = taker; }

	/// Called when it changes whether the server proves that it knows the password; at first it is
	/// taken to.
	void on_proof(std::function<void(Proof, const SipEvent &)> taker)
	{
		on_proof_ = std::move(taker);
	}
	[[nodiscard]] const Protection &protection() const noexcept { return protection_; }

	/// What is sent sealed.
	[[nodiscard]] Sealing &sealing() noexcept { return sealing_; }

	/// A NOTIFY that the stack has handed on: false when it has come before and was counted.
	[[nodiscard]] bool is_new(const sip_t *notify);
	/// Counts one whose document says that it has come before.
	void count_replay();
	/// NOTIFYs that had come before; they changed nothing.
	[[nodiscard]] std::uint64_t replayed() const noexcept { return replayed_; }
	/// Called with the first of them, the tenth, the hundredth ...
	void on_replay(std::function<void()> taker) { on_replay_ = std::move(taker); }

	/// Answers a 401 or 407 of `event` with the user's password.  False: there is no challenge in
	/// it.
	bool authenticate(const SipEvent &event);

private:
	static void callback(nua_event_t type, int status, char const *phrase, nua_t *, void *self,
			nua_handle_t *handle, void *user, sip_t const *sip, tagi_t tags[]);

	void look_at_proof(const SipEvent &event);

	Sealing sealing_;
	Replays replays_;
	std::uint64_t replayed_ = 0;
	std::uint64_t told_next_ = 1;
	std::function<void()> on_replay_;
	const Options &options_;
	std::function<void(Proof, const SipEvent &)> on_proof_;
	Proof proof_ = Proof::right;
	const Protection &protection_;
	su_root_t *root_ = nullptr;
	nua_t *nua_ = nullptr;
	MessageTaker *taker_ = nullptr;
	bool shut_down_ = false;
};

/// Wall clock.
[[nodiscard]] TimeUs wall_clock() noexcept;

/// Seconds of the response's Retry-After; 0 when it has none.
[[nodiscard]] std::uint32_t retry_after(const sip_t *sip) noexcept;

/// What to do about a failed REGISTER or SUBSCRIBE.
enum class Failure : std::uint8_t
{
	again,  ///< a fault of the network or the server
	refused ///< asking again will not help
};
[[nodiscard]] Failure classify_failure(int status) noexcept;

/// "METHOD: phrase", in words that help the person who reads it.
[[nodiscard]] std::string refusal(const char *method, const SipEvent &event);

} // namespace bmd::watch
