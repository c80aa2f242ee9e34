/// @file console.hpp  The keys of the person at the terminal: which alert is chosen, what is asked.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Pure: bytes of the keyboard in, commands out.
///
/// The choice belongs to an alert, not to a place on the screen: when alerts come and go it stays
/// with its alert, and when that one goes nothing is chosen.  So no key ever answers an alert that
/// slipped under it.  A digit means what the eye saw: of a line whose alert came there within the
/// last second nothing is answered for 0.7 s.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bmd/alert.hpp"
#include "command.hpp"

namespace bmd::watch {

class Console
{
public:
	/// The alerts as they are shown from `now` on, in their order.
	void show(std::vector<AlertView> open, TimeUs now);

	/// Bytes of the keyboard, a whole key at a time or several.  Commands to carry out, in order.
	/// `now` is by the clock of show().
	[[nodiscard]] std::vector<Command> press(std::string_view bytes, TimeUs now);

	[[nodiscard]] const std::vector<AlertView> &open() const noexcept { return open_; }
	/// Index of the chosen alert; open().size(): none.
	[[nodiscard]] std::size_t chosen() const noexcept;
	/// What is asked or was wrong; empty: nothing.
	[[nodiscard]] const std::string &prompt() const noexcept { return prompt_; }

private:
	enum class Mode : std::uint8_t
	{
		keys,
		outcome, // of resolve
		code     // is being typed
	};

	void key(char key, std::vector<Command> &commands);
	void plain_key(char key, std::vector<Command> &commands);
	void outcome_key(char key, std::vector<Command> &commands);
	void code_key(char key);
	void move(int by);
	void choose(std::size_t index);
	void choose_line(std::size_t index);
	void answer(const char *action, std::vector<Command> &commands, const std::string &detail = "");
	void leave_mode();

	std::vector<AlertView> open_;
	std::vector<TimeUs> came_; // when the alert of each line came to stand there
	TimeUs now_ = 0;
	TimeUs held_until_ = 0; // no answer before
	std::string chosen_;    // id
	std::string typed_;
	std::string prompt_;
	Mode mode_ = Mode::keys;
};

/// The keys, in one line.
[[nodiscard]] std::string_view key_help() noexcept;

} // namespace bmd::watch
