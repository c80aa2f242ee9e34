/// @file seat.hpp  The person at the terminal: what is typed becomes answers to alerts.
/// SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include <functional>
#include <memory>
#include <string>

#include "answers.hpp"
#include "command.hpp"
#include "input.hpp"
#include "screen_output.hpp"

namespace bmd::watch {

/// Keys where there is a screen, else a command a line.
class Seat
{
public:
	/// `screen`: nullptr where there is none.  `quit` is called when the person wants to leave and
	/// no answer is under way any more.
	Seat(SipAgent &agent, const Options &options, Output &output, ScreenOutput *screen,
			std::function<void()> quit);

	void begin() { input_.begin(); }

private:
	void on_bytes(std::string_view bytes);
	void on_line(const std::string &line);
	void on_end();
	void carry_out(const Command &command);
	void leave();
	[[nodiscard]] std::string device_of(const dmp::Control &control) const;

	Output &output_;
	ScreenOutput *screen_;
	std::function<void()> quit_;
	bool leaving_ = false;
	std::string line_;
	Answers answers_;
	Input input_;
};

} // namespace bmd::watch
