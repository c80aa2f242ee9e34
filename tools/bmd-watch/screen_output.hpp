/// @file screen_output.hpp  A terminal's whole screen, drawn anew whenever something changes.
/// SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include <map>
#include <string>
#include <vector>

#include "console.hpp"
#include "screen.hpp"
#include "watch_output.hpp"

namespace bmd::watch {

/// Uses the alternate screen while it lives.  The bell rings once for each new alert of high
/// priority that is not suppressed.
class ScreenOutput : public Output
{
public:
	explicit ScreenOutput(std::string person);
	~ScreenOutput() override;

	void notification(const Notification &notification) override;
	void event(const Event &event) override;
	void answered(const Answered &answered) override;

	[[nodiscard]] Console &console() noexcept { return console_; }
	void draw();

private:
	std::map<std::string, std::vector<AlertView>> feeds_; // open alerts by feed
	Console console_;
	ScreenState state_;
	bool colour_;
};

} // namespace bmd::watch
