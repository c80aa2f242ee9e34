/// @file pty.cpp  The serial line of a simulated device: a pseudo-terminal at true line speed.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "pty.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <system_error>
#include <termios.h>
#include <thread>
#include <unistd.h>

namespace bmd {

namespace {

[[noreturn]] void fail(const std::string &what)
{
	throw std::system_error(errno, std::generic_category(), what);
}

// No echo, no line editing: also before the program at the other end has set the line.
void make_raw(const char *slave)
{
	const int fd = ::open(slave, O_RDWR | O_NOCTTY | O_CLOEXEC);
	termios line{};
	if(fd < 0 || tcgetattr(fd, &line) != 0)
		fail(slave);
	cfmakeraw(&line);
	cfsetspeed(&line, B9600);
	if(tcsetattr(fd, TCSANOW, &line) != 0)
		fail(slave);
	::close(fd); // from now on listened() tells whether somebody else has it open
}

void make_link(const std::string &target, const std::string &link)
{
	struct stat about
	{
	};
	if(lstat(link.c_str(), &about) == 0 && S_ISLNK(about.st_mode))
		unlink(link.c_str());
	if(symlink(target.c_str(), link.c_str()) != 0)
		fail(link);
}

} // namespace

Pty::Pty(std::string link) : link_(std::move(link)), fd_(posix_openpt(O_RDWR | O_NOCTTY))
{
	std::array<char, 128> name{};
	if(fd_ < 0 || grantpt(fd_) != 0 || unlockpt(fd_) != 0
			|| ptsname_r(fd_, name.data(), name.size()) != 0)
		fail("pseudo-terminal");
	fcntl(fd_, F_SETFD, FD_CLOEXEC);
	fcntl(fd_, F_SETFL, O_NONBLOCK);
	path_ = name.data();
	make_raw(path_.c_str());
	if(!link_.empty())
		make_link(path_, link_);
}

Pty::~Pty()
{
	if(!link_.empty())
		unlink(link_.c_str());
	::close(fd_);
}

bool Pty::listened() const
{
	pollfd entry{fd_, POLLOUT, 0};
	::poll(&entry, 1, 0);
	return (entry.revents & POLLHUP) == 0;
}

bool Pty::write(std::string_view bytes)
{
	if(!listened())
		return false;
	while(!bytes.empty()) {
		const auto count = ::write(fd_, bytes.data(), bytes.size());
		if(count < 0 && errno == EINTR)
			continue;
		if(count <= 0)
			return false; // the other end is full or gone
		bytes.remove_prefix(static_cast<std::size_t>(count));
	}
	return true;
}

std::string Pty::read(double seconds)
{
	const auto wait = std::chrono::duration<double>(seconds);
	if(!listened()) { // poll() would return at once, for ever
		std::this_thread::sleep_for(wait);
		return {};
	}
	pollfd entry{fd_, POLLIN, 0};
	const auto wait_ms = std::chrono::ceil<std::chrono::milliseconds>(wait).count();
	if(::poll(&entry, 1, static_cast<int>(wait_ms)) <= 0 || (entry.revents & POLLIN) == 0)
		return {};
	std::array<char, 256> buffer{};
	const auto count = ::read(fd_, buffer.data(), buffer.size());
	return count > 0 ? std::string(buffer.data(), static_cast<std::size_t>(count)) : std::string();
}

} // namespace bmd
