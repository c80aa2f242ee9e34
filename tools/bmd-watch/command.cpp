/// @file command.cpp  Commands of the person at the terminal.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "command.hpp"

#include <utility>

#include "bmd/code.hpp"
#include "bmd/dmp_control.hpp"

namespace bmd::watch {

namespace {

constexpr std::string_view blanks = " \t\r";

std::string take_word(std::string_view &line)
{
	line.remove_prefix(std::min(line.find_first_not_of(blanks), line.size()));
	const std::string_view word = line.substr(0, line.find_first_of(blanks));
	line.remove_prefix(word.size());
	return std::string(word);
}

// What is left, without the blanks around it.
std::string rest_of(std::string_view line)
{
	const std::size_t begin = line.find_first_not_of(blanks);
	if(begin == std::string_view::npos)
		return {};
	return std::string(line.substr(begin, line.find_last_not_of(blanks) + 1 - begin));
}

std::string action_of(const std::string &word)
{
	if(word == "ack")
		return "acknowledge";
	return word == "done" ? "resolve" : word;
}

// Who waits, and for which feed.
Result<Command> watcher_command(Command command, std::string_view line)
{
	for(std::string word = take_word(line); !word.empty(); word = take_word(line))
		command.control.arguments.push_back(std::move(word));
	const auto read = dmp::read_watcher_control(command.control);
	if(const auto *const refusal = std::get_if<dmp::Refusal>(&read))
		return malformed(refusal->reason);
	return command;
}

} // namespace

Result<Command> parse_command(std::string_view line)
{
	Command command;
	const std::string word = take_word(line);
	if(word.empty())
		return command;
	if(word == "help" || word == "quit") {
		command.kind = word == "help" ? Command::Kind::help : Command::Kind::quit;
		return command;
	}
	command.kind = Command::Kind::answer;
	command.control.action = action_of(word);
	if(dmp::is_watcher_control(command.control))
		return watcher_command(std::move(command), line);
	std::string alert = take_word(line);
	if(const auto code = parse_code(alert); code != 0)
		alert = code_text(code);
	if(!alert.empty())
		command.control.arguments.push_back(std::move(alert));
	const bool detailed =
			command.control.action == "resolve" || command.control.action == "silence";
	if(std::string detail = detailed ? take_word(line) : ""; !detail.empty())
		command.control.arguments.push_back(std::move(detail));
	if(std::string why = rest_of(line); !why.empty())
		command.control.arguments.push_back(std::move(why));
	const auto read = dmp::read_alert_control(command.control);
	if(const auto *const refusal = std::get_if<dmp::Refusal>(&read))
		return malformed(refusal->reason);
	return command;
}

std::string_view command_help() noexcept
{
	return "accept CODE, reject CODE, acknowledge CODE, resolve CODE actionable|false, "
		   "silence CODE SECONDS; each with [WHY]; approve USER FEED, refuse USER FEED; quit";
}

} // namespace bmd::watch
