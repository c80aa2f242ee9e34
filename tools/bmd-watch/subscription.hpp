/// @file subscription.hpp  One subscription to one feed: made, kept, ended.
/// SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include <functional>
#include <string>

#include "backoff.hpp"
#include "feed_state.hpp"
#include "sip_agent.hpp"
#include "watch_output.hpp"

namespace bmd::watch {

/// The event package of a subscription: of alerts, or of those who watch the feed (RFC 3857).
enum class Topic : std::uint8_t
{
	alerts,
	watchers
};

/// The stack refreshes it in time; this asks for full state after a gap and subscribes anew when
/// the subscription is lost (RFC 6665, 4.1.2 and 4.1.3).
class Subscription : public SipUser
{
public:
	struct Handlers
	{
		std::function<void(const Outcome &)> changed; ///< a document has been taken
		std::function<void()> refused;                ///< asking again will not help
		std::function<void()> ended;                  ///< after end()
	};

	Subscription(SipAgent &agent, const Options &options, std::string feed, Topic topic,
			Output &output, Handlers handlers);
	~Subscription() override;

	void begin();
	/// Unsubscribes and waits for the final NOTIFY, 2 s at most.
	void end();
	[[nodiscard]] bool over() const noexcept { return phase_ == Phase::over; }
	void on_sip(const SipEvent &event) override;

private:
	enum class Phase : std::uint8_t
	{
		idle,   // waits to subscribe (anew)
		trying, // SUBSCRIBE is out
		active,
		ending,
		over
	};

	void on_answer(const SipEvent &event);
	void on_accepted(const SipEvent &event);
	void on_unsubscribed(const SipEvent &event);
	void on_notify(const SipEvent &event);
	void on_terminated(const SipEvent &event, const std::string &reason);
	void tell_withheld(const SipEvent &event);
	void leave_dialog(const SipEvent &event);
	void read_body(const SipEvent &event, Notification &notification);
	void read_alerts(const std::string &body, Notification &notification);
	void read_watchers(const std::string &body, Notification &notification);
	void after(const SipEvent &event, const Notification &notification);
	void refresh();
	void try_again(const SipEvent &event, const std::string &why, bool at_once);
	void finish();
	void drop_handle() noexcept;
	void say(const SipEvent &event, const char *name, std::string reason);

	SipAgent &agent_;
	const Options &options_;
	std::string feed_;
	Topic topic_;
	std::string label_; // what it is called on the terminal
	Output &output_;
	Handlers handlers_;
	Timer timer_;
	Backoff backoff_;
	FeedState state_;
	WatchersState watchers_;
	std::uint32_t expires_;
	nua_handle_t *handle_ = nullptr;
	Phase phase_ = Phase::idle;
	bool password_given_ = false; // since the last answer that was no challenge
	bool refreshing_ = false;     // full state has been asked for
	bool untrusted_ = false;      // the last NOTIFY was
};

} // namespace bmd::watch
