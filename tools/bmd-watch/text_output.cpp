/// @file text_output.cpp  Lines for people, to be understood at three in the morning.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include <cmath>
#include <iostream>
#include <vector>

#include "alert_words.hpp"
#include "watch_output.hpp"

namespace bmd::watch {

namespace {

// Everything of an alert but the time.
std::string description(const AlertView &alert)
{
	std::string out = upper(to_string(alert.priority));
	out += "  " + what(alert) + " | " + printable(alert.serial);
	if(!alert.device_type.empty())
		out += " (" + printable(alert.device_type) + ')';
	out += " | " + where(alert) + " | ";
	out += to_string(alert.kind);
	out += ", ";
	out += to_string(alert.state);
	out += answers(alert);
	if(!alert.code.empty())
		out += " | code " + printable(alert.code);
	return out;
}

std::string by(const AlertView &alert)
{
	return alert.answered_by.empty() ? "" : " by " + printable(alert.answered_by);
}

// What has changed, in capitals; what calls for somebody again comes before what quietens.
std::string change_words(const AlertView &before, const AlertView &now)
{
	std::vector<std::string> words;
	if(before.state != now.state)
		words.emplace_back(now.state == AlertState::active ? "BACK" : upper(to_string(now.state)));
	if(before.priority != now.priority)
		words.push_back((now.priority > before.priority ? "RISEN from " : "FALLEN from ")
						+ std::string(to_string(before.priority)));
	if(before.suppressed != now.suppressed)
		words.push_back(now.suppressed == Suppression::none
								? "RESUMED"
								: "SUPPRESSED: " + std::string(to_string(now.suppressed)));
	if(before.silenced_until != now.silenced_until)
		words.push_back(now.silenced_until == 0
								? "SILENCE OVER"
								: "SILENCED until " + time_of_day(now.silenced_until));
	if(before.response != now.response || before.answered_by != now.answered_by)
		words.push_back(now.response == Response::none ? "NOBODY HAS IT"
													   : upper(to_string(now.response)) + by(now));
	if(before.outcome != now.outcome && now.outcome != bmd::Outcome::none)
		words.push_back("RESOLVED: " + std::string(to_string(now.outcome)));
	if(before.devices != now.devices)
		words.push_back("NOW " + std::to_string(now.devices));
	if(before.mutes != now.mutes)
		words.push_back("MUTES " + std::to_string(now.mutes));
	std::string out;
	for(const std::string &word : words)
		out += (out.empty() ? "" : ", ") + word;
	return out.empty() ? "CHANGED" : out;
}

std::string age(const AlertView &alert, TimeUs received)
{
	const auto latency = latency_ms(alert, received);
	return latency ? " | " + number(std::round(*latency)) + " ms since the last byte" : "";
}

std::string state_table(const Notification &n)
{
	std::string out = "STATE " + time_of_day(n.received) + ' ' + printable(n.feed->feed) + ": ";
	out += n.open.empty() ? "no open alert"
						  : std::to_string(n.open.size())
									+ (n.open.size() == 1 ? " open alert" : " open alerts");
	if(n.feed->more != 0)
		out += ", " + std::to_string(n.feed->more) + " more follow";
	if(n.feed->counted)
		out += ", " + std::to_string(*n.feed->counted) + " not shown";
	if(n.feed->filtered)
		out += ", " + std::to_string(*n.feed->filtered) + " left out by the filter";
	out += '\n';
	for(const AlertView &alert : n.open) {
		out += "      since " + (alert.onset_at != 0 ? time_of_day(alert.onset_at) : "?");
		out += ' ' + description(alert) + '\n';
	}
	return out;
}

std::string line_of(const Change &change, TimeUs received)
{
	const std::string rest = ' ' + time_of_day(received) + ' ' + description(change.alert);
	if(change.kind == ChangeKind::cleared)
		return "CLEAR" + rest + '\n';
	if(!change.before)
		return "ALERT" + rest + age(change.alert, received) + '\n';
	const bool read_again = change.before->measured_at != change.alert.measured_at;
	return change_words(*change.before, change.alert) + rest
		   + (read_again ? age(change.alert, received) : "") + '\n';
}

// "sip:ann@home waits for sip:dev.A@home since 03:00:12Z (approve ann dev.A, or refuse ann dev.A)"
std::string line_of(const WatcherChange &change, TimeUs received)
{
	const WatcherEntry &watcher = change.watcher;
	const std::string since =
			watcher.subscribed
					? " since "
							  + time_of_day(received
											- static_cast<TimeUs>(*watcher.subscribed) * second_us)
					: "";
	const std::string who = time_of_day(received) + ' ' + printable(watcher.uri);
	const std::string state =
			std::string(to_string(watcher.status)) + ", " + std::string(to_string(watcher.event));
	if(!waits(watcher))
		return "WATCH " + who + ' ' + printable(change.resource) + since + ": " + state + '\n';
	const std::string names =
			printable(user_of(watcher.uri)) + ' ' + printable(user_of(change.resource));
	return "WAITS " + who + " waits for " + printable(change.resource) + since + " (" + state
		   + "): approve " + names + ", or refuse " + names + '\n';
}

void write(const std::string &text)
{
	std::cout << text << std::flush;
}

class TextOutput : public Output
{
public:
	void notification(const Notification &n) override { write(text_of(n)); }
	void event(const Event &e) override { write(text_of(e)); }
	void answered(const Answered &a) override { write("-- " + text_of(a) + '\n'); }
};

} // namespace

std::optional<double> latency_ms(const AlertView &alert, TimeUs received) noexcept
{
	if(alert.measured_at == 0)
		return std::nullopt;
	return static_cast<double>(received - alert.measured_at) / 1000.0;
}

std::string text_of(const Notification &n)
{
	std::string out;
	if(!n.mistake.empty())
		out += "-- a document could not be read: " + printable(n.mistake) + '\n';
	if(n.watchers && n.news.verdict != Verdict::old)
		for(const WatcherChange &change : n.news.changes)
			out += line_of(change, n.received);
	if(!n.feed || n.outcome.verdict == Verdict::old)
		return out;
	// at the first document of a subscription the table says it all
	const bool first = n.feed->full && !n.outcome.last;
	for(const Change &change : n.outcome.changes) {
		if(!first || change.kind == ChangeKind::cleared)
			out += line_of(change, n.received);
	}
	// the last document of a subscription says nothing new
	if(n.feed->full && n.subscription_state != "terminated")
		out += state_table(n);
	return out;
}

std::string text_of(const Event &e)
{
	std::string out = "-- " + time_of_day(e.at) + ' ' + printable(e.name);
	if(!e.feed.empty())
		out += ' ' + printable(e.feed);
	if(e.status != 0)
		out += ": " + std::to_string(e.status);
	if(!e.reason.empty())
		out += (e.status != 0 ? " " : ": ") + printable(e.reason);
	if(e.since != 0)
		out += " since " + time_of_day(e.since);
	if(e.expires)
		out += ", for " + std::to_string(*e.expires) + " s";
	if(e.in_ms)
		out += ", trying again in " + std::to_string(*e.in_ms) + " ms";
	if(e.replayed.value_or(0) != 0)
		out += ", NOTIFYs that had come before, and changed nothing: "
			   + std::to_string(*e.replayed);
	return out + '\n';
}

std::string text_of(const Answered &a)
{
	std::string out = time_of_day(a.at);
	if(a.action.empty())
		return out + " not understood: " + printable(a.reason);
	out += ' ' + printable(a.action) + ' ' + printable(a.alert) + ": ";
	out += a.status != 0 ? printable(a.result) : a.unknown ? "UNKNOWN" : "NOT DONE";
	return a.reason.empty() ? out : out + ", " + printable(a.reason);
}

std::unique_ptr<Output> text_output()
{
	return std::make_unique<TextOutput>();
}

} // namespace bmd::watch
