/// @file input.cpp  Standard input: keys of a terminal, or lines.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "input.hpp"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace bmd::watch {

bool in_background() noexcept
{
	return isatty(STDIN_FILENO) != 0 && tcgetpgrp(STDIN_FILENO) != getpgrp();
}

Input::Input(su_root_t *root, bool keys, Handlers handlers)
	: root_(root), handlers_(std::move(handlers)),
	  keys_(keys && tcgetattr(STDIN_FILENO, &before_) == 0)
{
	if(!keys_)
		return;
	termios single = before_;
	single.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO); // signals stay
	single.c_cc[VMIN] = 1;
	single.c_cc[VTIME] = 0;
	tcsetattr(STDIN_FILENO, TCSANOW, &single);
}

Input::~Input()
{
	stop();
	if(keys_)
		tcsetattr(STDIN_FILENO, TCSANOW, &before_);
}

void Input::begin()
{
	if(in_background())
		return; // reading would stop the whole program
	su_wait_create(&wait_, STDIN_FILENO, SU_WAIT_IN);
	index_ = su_root_register(
			root_, &wait_, on_readable, reinterpret_cast<su_wakeup_arg_t *>(this), 0);
	if(index_ >= 0)
		return;
	while(read_some()) // a file, or /dev/null: the loop cannot wait for it, and need not
		;
}

void Input::stop() noexcept
{
	if(index_ >= 0)
		su_root_deregister(root_, std::exchange(index_, -1));
}

int Input::on_readable(su_root_magic_t *, su_wait_t *, su_wakeup_arg_t *self)
{
	(void)reinterpret_cast<Input *>(self)->read_some();
	return 0;
}

// False at the end.
bool Input::read_some()
{
	std::array<char, 4096> buffer{};
	const ssize_t length = read(STDIN_FILENO, buffer.data(), buffer.size());
	if(length > 0) {
		handlers_.bytes({buffer.data(), static_cast<std::size_t>(length)});
		return true;
	}
	if(length < 0 && (errno == EINTR || errno == EAGAIN))
		return index_ >= 0;
	stop();
	handlers_.ended();
	return false;
}

} // namespace bmd::watch
