/// @file seat.cpp  The person at the terminal.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "seat.hpp"

#include <utility>

#include "bmd/dmp_control.hpp"

namespace bmd::watch {

namespace {

constexpr std::size_t longest_line = 1024;

} // namespace

Seat::Seat(SipAgent &agent, const Options &options, Output &output, ScreenOutput *screen,
		std::function<void()> quit)
	: output_(output), screen_(screen), quit_(std::move(quit)), answers_(agent, options, output,
																		[this] {
																			if(leaving_)
																				quit_();
																		}),
	  input_(agent.root(), screen != nullptr,
			  {[this](std::string_view bytes) { on_bytes(bytes); }, [this] { on_end(); }})
{
}

void Seat::on_bytes(std::string_view bytes)
{
	if(screen_ != nullptr) {
		for(const Command &command : screen_->console().press(bytes, wall_clock()))
			carry_out(command);
		screen_->draw();
		return;
	}
	for(const char c : bytes) {
		if(c == '\n')
			on_line(std::exchange(line_, {}));
		else if(line_.size() <= longest_line)
			line_ += c;
	}
}

void Seat::on_line(const std::string &line)
{
	auto command = line.size() > longest_line ? Result<Command>(malformed("the line is too long"))
											  : parse_command(line);
	if(command)
		carry_out(*command);
	else
		output_.answered({wall_clock(), "", "", 0, "", command.error().reason});
}

// A person whose terminal is gone leaves; who gave commands from a file does not.
void Seat::on_end()
{
	if(!line_.empty())
		on_line(std::exchange(line_, {}));
	if(screen_ != nullptr)
		leave();
}

void Seat::carry_out(const Command &command)
{
	switch(command.kind) {
		case Command::Kind::none:
			return;
		case Command::Kind::answer:
			return answers_.send(device_of(command.control), command.control);
		case Command::Kind::help:
			return output_.event(
					{wall_clock(), "help", "", 0, std::string(command_help()), {}, {}, ""});
		case Command::Kind::quit:
			return leave();
	}
}

void Seat::leave()
{
	leaving_ = true;
	if(!answers_.busy())
		quit_();
}

// What was chosen on the screen names its device, too: the server checks that they belong together.
std::string Seat::device_of(const dmp::Control &control) const
{
	if(screen_ != nullptr)
		for(const AlertView &alert : screen_->console().open())
			if(alert.code == control.arguments.front() || alert.id == control.arguments.front())
				return alert.serial;
	return std::string(dmp::any_device);
}

} // namespace bmd::watch
