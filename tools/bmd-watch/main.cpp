/// @file main.cpp  bmd-watch: a technician's terminal.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Options and signals are in bmd-watch(1).

#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>
#include <iostream>
#include <memory>
#include <vector>

#include "heartbeat.hpp"
#include "registration.hpp"
#include "screen_output.hpp"
#include "seat.hpp"
#include "sip_agent.hpp"
#include "subscription.hpp"
#include "watch_options.hpp"
#include "watch_output.hpp"

namespace {

using namespace bmd::watch;

// The server may be gone when we leave: it is not waited for longer than this.
constexpr std::uint32_t longest_goodbye_ms = 5000;

/// Registration and subscriptions together, from the first REGISTER to the last answer.
class Terminal
{
public:
	Terminal(const Options &options, SipAgent &agent, Output &output, ScreenOutput *screen)
		: options_(options), agent_(agent), output_(output),
		  registration_(agent, options, output,
				  {[this] { subscribe(); }, [this] { leave(exit_refused); }, [this] { quit(); }}),
		  duration_(agent.root(), [this] { on_duration(); }), heartbeat_(agent, options, output),
		  goodbye_(agent.root(), [this] { su_root_break(agent_.root()); }),
		  seat_(agent, options, output, screen, [this] { leave(exit_done); })
	{
		agent.on_proof([this](Proof proof, const SipEvent &event) { on_proof(proof, event); });
		agent.on_replay([this] { on_replay(); });
		for(const std::string &feed : options.feeds)
			add(feed, Topic::alerts);
		if(options.watchers)
			add(options.aor, Topic::watchers);
	}

	int run()
	{
		if(options_.duration != 0)
			duration_.start(options_.duration * 1000);
		if(options_.do_register)
			registration_.begin();
		else
			subscribe();
		heartbeat_.begin();
		seat_.begin();
		agent_.run();
		output_.event({wall_clock(), "end", "", 0, "exit status " + std::to_string(status_), {}, {},
				"", 0, agent_.replayed()});
		return status_;
	}

	void on_signal(int number)
	{
		if(number == SIGUSR1)
			_exit(exit_crash);
		if(leaving_)
			su_root_break(agent_.root()); // the second one: no goodbye
		else
			leave(exit_done);
	}

private:
	void add(const std::string &feed, Topic topic)
	{
		subscriptions_.push_back(
				std::make_unique<Subscription>(agent_, options_, feed, topic, output_,
						Subscription::Handlers{[this](const Outcome &o) { on_changes(o); },
								[this] { on_refused(); }, [this] { on_ended(); }}));
	}

	void subscribe()
	{
		if(std::exchange(subscribed_, true))
			return; // registered again
		for(const auto &subscription : subscriptions_)
			subscription->begin();
	}

	// Whoever answers in the server's place can keep every alert from the technician.
	void on_proof(Proof proof, const SipEvent &event)
	{
		const bool right = proof == Proof::right;
		const char *const what = right ? "the server has proved that it knows the password"
								 : proof == Proof::wrong
										 ? "who answers does not know the password: it may not be "
										   "the server"
										 : "the server does not prove that it knows the password";
		output_.event(
				{event.at, right ? "proven" : "unproven", "", event.status, what, {}, {}, ""});
	}

	// Somebody has recorded what was told, and tells it again.
	void on_replay()
	{
		output_.event({wall_clock(), "replayed", "", 0, "", {}, {}, "", 0, agent_.replayed()});
	}

	void on_changes(const Outcome &outcome)
	{
		informed_ = true;
		for(const Change &change : outcome.changes)
			seen_ += change.kind == ChangeKind::raised ? 1 : 0;
		if(options_.until_alerts != 0 && seen_ >= options_.until_alerts)
			leave(exit_done);
	}

	void on_duration()
	{
		leave(!informed_ || seen_ < options_.until_alerts ? exit_too_few : exit_done);
	}

	// One feed that is refused does not take the others from the technician.
	void on_refused()
	{
		for(const auto &subscription : subscriptions_)
			if(!subscription->over())
				return;
		leave(exit_refused);
	}

	void leave(int status)
	{
		if(std::exchange(leaving_, true))
			return;
		status_ = status;
		heartbeat_.end();
		goodbye_.start(longest_goodbye_ms);
		if(!subscribed_ || all_over())
			on_ended();
		else
			for(const auto &subscription : subscriptions_)
				if(!subscription->over())
					subscription->end();
	}

	[[nodiscard]] bool all_over() const
	{
		for(const auto &subscription : subscriptions_)
			if(!subscription->over())
				return false;
		return true;
	}

	void on_ended()
	{
		if(subscribed_ && !all_over())
			return;
		if(!std::exchange(unregistering_, true))
			registration_.end();
	}

	void quit() { agent_.quit(); }

	const Options &options_;
	SipAgent &agent_;
	Output &output_;
	Registration registration_;
	std::vector<std::unique_ptr<Subscription>> subscriptions_;
	Timer duration_;
	Heartbeat heartbeat_;
	Timer goodbye_;
	Seat seat_;
	std::uint32_t seen_ = 0;
	int status_ = exit_done;
	bool informed_ = false; // a document has come
	bool subscribed_ = false;
	bool leaving_ = false;
	bool unregistering_ = false;
};

/// Signals as events of the loop.
class Signals
{
public:
	Signals(su_root_t *root, Terminal &terminal) : root_(root), terminal_(terminal)
	{
		su_wait_create(&wait_, fd(), SU_WAIT_IN);
		index_ = su_root_register(
				root_, &wait_, on_readable, reinterpret_cast<su_wakeup_arg_t *>(this), 0);
	}
	~Signals() { su_root_deregister(root_, index_); }
	Signals(const Signals &) = delete;
	Signals &operator=(const Signals &) = delete;

	/// The one descriptor; call first before any thread or the stack exists.
	static int fd()
	{
		static const int descriptor = [] {
			sigset_t set;
			sigemptyset(&set);
			for(const int number : {SIGINT, SIGTERM, SIGUSR1})
				sigaddset(&set, number);
			sigprocmask(SIG_BLOCK, &set, nullptr);
			return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
		}();
		return descriptor;
	}

private:
	static int on_readable(su_root_magic_t *, su_wait_t *, su_wakeup_arg_t *self)
	{
		signalfd_siginfo info{};
		while(read(fd(), &info, sizeof info) == sizeof info)
			reinterpret_cast<Signals *>(self)->terminal_.on_signal(
					static_cast<int>(info.ssi_signo));
		return 0;
	}

	su_root_t *root_;
	Terminal &terminal_;
	su_wait_t wait_{};
	int index_ = -1;
};

int watch(const Options &options)
{
	const auto protection = Protection::load(options);
	if(!protection) {
		std::cerr << "bmd-watch: " << protection.error().reason << '\n';
		return exit_usage;
	}
	SipAgent agent(options, **protection);
	if(!agent.ok()) {
		std::cerr << "bmd-watch: cannot bind " << options.local_host << " port "
				  << options.local_port << '\n';
		return exit_usage;
	}
	const bool on_screen = options.screen && isatty(STDIN_FILENO) != 0 && isatty(STDOUT_FILENO) != 0
						   && !in_background();
	ScreenOutput *screen = nullptr;
	std::unique_ptr<Output> output = options.json ? json_output() : nullptr;
	if(output == nullptr && on_screen) {
		auto drawn = std::make_unique<ScreenOutput>(options.aor);
		screen = drawn.get();
		output = std::move(drawn);
	} else if(output == nullptr) {
		output = text_output();
	}
	Terminal terminal(options, agent, *output, screen);
	const Signals signals(agent.root(), terminal);
	return terminal.run();
}

} // namespace

int main(int argc, char **argv)
{
	try {
		(void)Signals::fd();
		std::signal(SIGPIPE, SIG_IGN);
		int status = exit_done;
		const auto options = read_options(argc, argv, status);
		return options ? watch(*options) : status;
	} catch(const std::exception &e) {
		std::cerr << "bmd-watch: " << e.what() << '\n';
		return exit_usage;
	}
}
