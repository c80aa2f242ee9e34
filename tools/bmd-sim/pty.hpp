/// @file pty.hpp  The serial line of a simulated device: a pseudo-terminal at true line speed.
/// SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include <string>
#include <string_view>

namespace bmd {

class Pty
{
public:
	/// Opens a pseudo-terminal; `link`, when not empty, becomes a symbolic link to it (an existing
	/// link is replaced, any other file is not).  Throws std::system_error.
	explicit Pty(std::string link);
	~Pty();
	Pty(const Pty &) = delete;
	Pty &operator=(const Pty &) = delete;

	/// What a program opens as the device.
	[[nodiscard]] const std::string &path() const noexcept { return path_; }

	/// Is a program on the other end?
	[[nodiscard]] bool listened() const;

	/// Writes at once.  Like a real line it forgets what nobody takes.  Returns false then.
	bool write(std::string_view bytes);

	/// Takes what has been received, waiting up to `seconds` for the first byte; empty: nothing.
	[[nodiscard]] std::string read(double seconds);

private:
	std::string link_;
	std::string path_;
	int fd_;
};

} // namespace bmd
