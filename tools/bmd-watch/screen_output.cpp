/// @file screen_output.cpp  A terminal's whole screen.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "screen_output.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>

#include "feed_state.hpp"

namespace bmd::watch {

namespace {

ScreenSize size_of_terminal()
{
	winsize size{};
	if(ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0)
		return {};
	return {size.ws_row, size.ws_col};
}

bool any_rings(const Notification &n)
{
	return std::ranges::any_of(
			n.outcome.changes, [](const Change &change) { return rings(change); });
}

// One alert may be in several feeds.
std::vector<AlertView> merged(const std::map<std::string, std::vector<AlertView>> &feeds)
{
	std::map<std::string, AlertView> all;
	for(const auto &[feed, open] : feeds)
		for(const AlertView &alert : open) {
			const auto known = all.find(alert.id);
			// a storm tells each feed of its own devices
			if(known == all.end() || known->second.revision < alert.revision
					|| (known->second.revision == alert.revision
							&& known->second.devices < alert.devices))
				all.insert_or_assign(alert.id, alert);
		}
	std::vector<AlertView> list;
	list.reserve(all.size());
	for(auto &[id, alert] : all)
		list.push_back(std::move(alert));
	sort_by_urgency(list);
	return list;
}

} // namespace

ScreenOutput::ScreenOutput(std::string person) : colour_(std::getenv("NO_COLOR") == nullptr)
{
	state_.person = std::move(person);
	std::cout << "\x1B[?1049h\x1B[?25l";
	draw();
}

ScreenOutput::~ScreenOutput()
{
	std::cout << "\x1B[?25h\x1B[?1049l" << state_.said << '\n' << std::flush;
}

void ScreenOutput::notification(const Notification &n)
{
	if(!n.watchers)
		feeds_[n.subscribed] = n.open;
	console_.show(merged(feeds_), n.received);
	state_.changed_at = n.received;
	state_.links[n.subscribed] = n.subscription_state != "terminated";
	if(n.feed && n.feed->full)
		state_.left_out.erase(n.subscribed);
	if(n.feed && n.feed->filtered)
		state_.left_out[n.subscribed] = *n.feed->filtered;
	if(!n.mistake.empty())
		state_.said = "a document could not be read: " + n.mistake;
	for(const WatcherChange &change : n.news.changes)
		if(waits(change.watcher))
			state_.said = user_of(change.watcher.uri) + " waits for " + user_of(change.resource);
	if(any_rings(n))
		std::cout << '\a';
	draw();
}

void ScreenOutput::event(const Event &e)
{
	const bool lost = e.name == "retry" || e.name == "refused" || e.name == "unsubscribed";
	if(lost || e.name == "subscribed" || e.name == "registered")
		state_.links[e.feed.empty() ? "the registration" : e.feed] = !lost;
	if(e.name == "deaf" || e.name == "heard")
		state_.deaf_since = e.since;
	if(e.name == "unproven" || e.name == "proven")
		state_.unproven = e.name == "unproven";
	std::string line = text_of(e);
	line.pop_back();
	// what goes as it should is not worth more than the last answer
	if(e.name != "registered" && e.name != "subscribed")
		state_.said = std::move(line);
	draw();
}

void ScreenOutput::answered(const Answered &a)
{
	state_.said = text_of(a);
	draw();
}

void ScreenOutput::draw()
{
	std::string text = "\x1B[H";
	for(const char c : screen_of(state_, console_, size_of_terminal(), colour_))
		text += c == '\n' ? std::string("\x1B[K\n") : std::string(1, c);
	std::cout << text << "\x1B[K" << std::flush;
}

} // namespace bmd::watch
