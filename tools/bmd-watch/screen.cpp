/// @file screen.cpp  The whole screen of a terminal.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "screen.hpp"

#include <algorithm>
#include <string_view>

#include "alert_words.hpp"

namespace bmd::watch {

namespace {

constexpr std::size_t lines_of_alert = 2;
constexpr std::size_t other_lines = 4; // heading, rule, what was said, keys

constexpr std::string_view colour_of(Priority priority) noexcept
{
	switch(priority) {
		case Priority::high:
			return "\x1B[1;31m";
		case Priority::medium:
			return "\x1B[1;33m";
		case Priority::low:
			return "\x1B[1;36m";
	}
	return "";
}

bool continues(char c) noexcept
{
	return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

// At most so many characters, the last one "~" where more were cut.
std::string cut(const std::string &text, std::size_t columns)
{
	std::size_t width = 0;
	std::size_t last = 0;
	for(std::size_t i = 0; i < text.size(); ++i) {
		if(continues(text[i]))
			continue;
		if(++width > columns)
			return text.substr(0, last) + '~';
		last = i;
	}
	return text;
}

// Of the alerts that fit, the first one: the chosen one is among them.
std::size_t first_shown(const Console &console, std::size_t fit)
{
	const std::size_t chosen = console.chosen();
	return chosen < console.open().size() && chosen >= fit ? chosen + 1 - fit : 0;
}

class Lines
{
public:
	Lines(ScreenSize size, bool colour) : size_(size), colour_(colour) {}

	void add(const std::string &text, std::string_view paint = "")
	{
		if(used_ == size_.rows)
			return;
		const bool painted = colour_ && !paint.empty();
		out_ += painted ? std::string(paint) : "";
		out_ += cut(text, size_.columns);
		out_ += painted ? "\x1B[0m" : "";
		out_ += ++used_ < size_.rows ? "\n" : "";
	}
	void fill_to(std::size_t row)
	{
		while(used_ < row)
			add("");
	}
	[[nodiscard]] std::string text() && { return std::move(out_); }

private:
	ScreenSize size_;
	bool colour_;
	std::string out_;
	std::size_t used_ = 0;
};

// What people made of it comes first: that is looked for, and the end of the line may be cut off.
void add_alert(Lines &lines, const Console &console, std::size_t index)
{
	const AlertView &alert = console.open()[index];
	const bool chosen = index == console.chosen();
	const bool quiet = alert.suppressed != Suppression::none;
	const std::string number = index < 9 ? std::to_string(index + 1) : " ";
	lines.add((chosen ? "> " : "  ") + number + ' ' + printable(alert.code) + ' '
					  + upper(to_string(alert.priority)) + "  " + what(alert) + "  "
					  + printable(alert.serial),
			quiet ? "" : colour_of(alert.priority));
	const std::string said = answers(alert);
	lines.add(std::string(chosen ? ">          " : "           ") + (quiet ? "quiet: " : "")
			  + (said.empty() ? "" : said.substr(3) + " | ") + where(alert) + " | since "
			  + time_of_day(alert.onset_at) + ", " + std::string(to_string(alert.state)));
}

// What keeps alerts from this screen; empty: nothing.
std::string trouble(const ScreenState &state)
{
	if(state.deaf_since != 0)
		return "NO ANSWER FROM THE SERVER since " + time_of_day(state.deaf_since) + "  ";
	if(state.links.empty())
		return "NOT CONNECTED  ";
	if(state.unproven)
		return "THIS MAY NOT BE THE SERVER: it does not prove that it knows the password  ";
	std::string missing;
	for(const auto &[link, in_force] : state.links)
		if(!in_force)
			missing += (missing.empty() ? ": " : ", ") + printable(link);
	return missing.empty() ? "" : "NOT CONNECTED" + missing + "  ";
}

bool taken(const AlertView &alert) noexcept
{
	return alert.response == Response::accepted || alert.response == Response::acknowledged;
}

std::string heading(const ScreenState &state, const Console &console)
{
	const std::size_t open = console.open().size();
	std::string text = printable(state.person) + "  " + trouble(state)
					   + (open == 0        ? "no open alert"
							   : open == 1 ? "1 open alert"
										   : std::to_string(open) + " open alerts");
	std::uint32_t left_out = 0;
	for(const auto &[feed, count] : state.left_out)
		left_out += count;
	if(!state.left_out.empty())
		text += ", FILTERED: " + std::to_string(left_out) + " left out";
	return state.changed_at == 0 ? text : text + "  as of " + time_of_day(state.changed_at);
}

} // namespace

bool rings(const Change &change) noexcept
{
	const AlertView &now = change.alert;
	if(change.kind == ChangeKind::cleared || now.priority != Priority::high
			|| now.suppressed != Suppression::none)
		return false;
	if(change.kind == ChangeKind::raised || !change.before)
		return true;
	const AlertView &before = *change.before;
	return before.priority != Priority::high || before.suppressed != Suppression::none
		   || (before.state != AlertState::active && now.state == AlertState::active)
		   || (taken(before) && !taken(now));
}

std::string screen_of(
		const ScreenState &state, const Console &console, ScreenSize size, bool colour)
{
	Lines lines(size, colour);
	lines.add(heading(state, console), trouble(state).empty() ? "\x1B[1m" : "\x1B[1;7m");
	const std::size_t room = size.rows > other_lines ? size.rows - other_lines : 0;
	const std::size_t fit = room / lines_of_alert;
	const std::size_t open = console.open().size();
	const std::size_t first = first_shown(console, fit);
	const std::size_t end = std::min(open, first + fit);
	for(std::size_t i = first; i < end; ++i)
		add_alert(lines, console, i);
	lines.fill_to(size.rows > 3 ? size.rows - 3 : 1);
	const std::size_t hidden = open - (end > first ? end - first : 0);
	lines.add(hidden == 0 ? std::string() : std::to_string(hidden) + " more alerts: up, down");
	lines.add(printable(state.said), "\x1B[1m");
	lines.add(console.prompt().empty() ? std::string(key_help()) : printable(console.prompt()),
			console.prompt().empty() ? "" : "\x1B[1;7m");
	return std::move(lines).text();
}

} // namespace bmd::watch
