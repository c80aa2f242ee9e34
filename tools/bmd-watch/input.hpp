/// @file input.hpp  Standard input: keys of a terminal, or lines.
/// SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include <functional>
#include <string_view>

#include <sofia-sip/su_wait.h>
#include <termios.h>

namespace bmd::watch {

/// Is standard input a terminal that this process may not read, since another is in front?
[[nodiscard]] bool in_background() noexcept;

/// Reads standard input as it comes, from the loop.  Of a terminal single keys without echo until
/// the object ends.
class Input
{
public:
	/// `bytes` gets what came, `ended` is called once at the end of input.
	struct Handlers
	{
		std::function<void(std::string_view)> bytes;
		std::function<void()> ended;
	};

	Input(su_root_t *root, bool keys, Handlers handlers);
	~Input();
	Input(const Input &) = delete;
	Input &operator=(const Input &) = delete;

	/// From here on the handlers are called; at once for a file; never in the background.
	void begin();

private:
	static int on_readable(su_root_magic_t *, su_wait_t *, su_wakeup_arg_t *self);
	bool read_some();
	void stop() noexcept;

	su_root_t *root_;
	Handlers handlers_;
	su_wait_t wait_{};
	int index_ = -1;
	termios before_{}; // read before keys_ is known
	bool keys_;
};

} // namespace bmd::watch
