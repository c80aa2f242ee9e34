/// @file console.cpp  The keys of the person at the terminal.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "console.hpp"

#include <algorithm>

#include "bmd/code.hpp"

namespace bmd::watch {

namespace {

constexpr const char *silence_seconds = "60"; // as long as the shortest limit leaves room for
constexpr std::size_t longest_key = 8;
constexpr DurationUs reaction = second_us; // what came later was not seen
constexpr DurationUs second_look = 7 * second_us / 10;
constexpr char escape = '\x1B';
constexpr char end_of_input = '\x04'; // Ctrl-D

} // namespace

void Console::show(std::vector<AlertView> open, TimeUs now)
{
	came_.resize(open.size(), now);
	for(std::size_t i = 0; i < open.size(); ++i)
		if(i >= open_.size() || open_[i].id != open[i].id)
			came_[i] = now;
	open_ = std::move(open);
	if(chosen_.empty() || chosen() != open_.size())
		return;
	chosen_.clear();
	// a code being typed is of no alert yet: its letters must not become keys
	if(mode_ == Mode::outcome)
		leave_mode();
}

std::size_t Console::chosen() const noexcept
{
	const auto found = std::find_if(open_.begin(), open_.end(),
			[this](const AlertView &alert) { return !chosen_.empty() && alert.id == chosen_; });
	return static_cast<std::size_t>(found - open_.begin());
}

std::vector<Command> Console::press(std::string_view bytes, TimeUs now)
{
	std::vector<Command> commands;
	now_ = now;
	while(!bytes.empty()) {
		const std::string_view three = bytes.substr(0, 3);
		if(three == "\x1B[A" || three == "\x1BOA" || three == "\x1B[B" || three == "\x1BOB") {
			leave_mode();
			move(three.back() == 'A' ? -1 : 1);
			bytes.remove_prefix(3);
		} else if(bytes.size() > 1 && bytes.front() == escape) {
			// another key of several bytes: none of ours
			const auto last = bytes.substr(0, longest_key).find_first_not_of("0123456789;[O", 1);
			bytes.remove_prefix(last == std::string_view::npos ? bytes.size() : last + 1);
		} else {
			key(bytes.front(), commands);
			bytes.remove_prefix(1);
		}
	}
	return commands;
}

void Console::key(char key, std::vector<Command> &commands)
{
	if(key == escape)
		return leave_mode();
	switch(mode_) {
		case Mode::keys:
			return plain_key(key, commands);
		case Mode::outcome:
			return outcome_key(key, commands);
		case Mode::code:
			return code_key(key);
	}
}

void Console::plain_key(char key, std::vector<Command> &commands)
{
	prompt_.clear();
	if(key >= '1' && key <= '9')
		return choose_line(static_cast<std::size_t>(key - '1'));
	switch(key) {
		case 'a':
			return answer("accept", commands);
		case 'r':
			return answer("reject", commands);
		case 'k':
			return answer("acknowledge", commands);
		case 's':
			return answer("silence", commands, silence_seconds);
		case 'd':
			if(chosen() == open_.size() || now_ < held_until_)
				return answer("resolve", commands);
			mode_ = Mode::outcome;
			prompt_ = "Resolve " + open_[chosen()].code
					  + ": t it was a true alarm, f a false one, Esc back";
			return;
		case '/':
			mode_ = Mode::code;
			typed_.clear();
			prompt_ = "Code: ";
			return;
		case 'q':
		case end_of_input:
			commands.push_back({Command::Kind::quit, {}});
			return;
		default:
			return;
	}
}

void Console::outcome_key(char key, std::vector<Command> &commands)
{
	if(key != 't' && key != 'f')
		return;
	leave_mode();
	answer("resolve", commands, key == 't' ? "actionable" : "false");
}

void Console::code_key(char key)
{
	if((key == '\x7F' || key == '\b') && !typed_.empty())
		typed_.pop_back();
	else if(key > ' ' && key < '\x7F')
		typed_ += key;
	prompt_ = "Code: " + typed_;
	if(typed_.size() < code_length)
		return;
	const std::string code = code_text(parse_code(typed_));
	leave_mode();
	const auto found = std::find_if(open_.begin(), open_.end(),
			[&](const AlertView &alert) { return !code.empty() && alert.code == code; });
	held_until_ = 0;
	chosen_ = found != open_.end() ? found->id : "";
	if(found == open_.end())
		prompt_ = "No alert here has the code " + typed_;
}

void Console::move(int by)
{
	if(open_.empty())
		return;
	const std::size_t now = chosen();
	if(now == open_.size())
		return choose(by > 0 ? 0 : open_.size() - 1);
	if((by > 0 && now + 1 < open_.size()) || (by < 0 && now > 0))
		choose(by > 0 ? now + 1 : now - 1);
}

void Console::choose_line(std::size_t index)
{
	choose(index);
	if(index < open_.size() && now_ - came_[index] < reaction)
		held_until_ = now_ + second_look;
}

void Console::choose(std::size_t index)
{
	held_until_ = 0;
	if(index < open_.size())
		chosen_ = open_[index].id;
	else
		prompt_ = "There is no alert " + std::to_string(index + 1);
}

void Console::answer(const char *action, std::vector<Command> &commands, const std::string &detail)
{
	const std::size_t index = chosen();
	if(index == open_.size()) {
		prompt_ = "Choose an alert first: up, down, 1 to 9, or / and its code";
		return;
	}
	const AlertView &alert = open_[index];
	if(now_ < held_until_) {
		prompt_ = "This line has just changed: look, then answer again.  Nothing was sent";
		return;
	}
	Command command{Command::Kind::answer, {action, {alert.code.empty() ? alert.id : alert.code}}};
	if(!detail.empty())
		command.control.arguments.push_back(detail);
	commands.push_back(std::move(command));
}

void Console::leave_mode()
{
	mode_ = Mode::keys;
	prompt_.clear();
}

std::string_view key_help() noexcept
{
	return "up/down 1-9 /code choose | a accept  r reject  k acknowledge  d done  s silence 60 s | "
		   "q quit";
}

} // namespace bmd::watch
