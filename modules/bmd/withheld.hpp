/// @file withheld.hpp  An operator's alert for each technician from whom documents are withheld.
/// SPDX-License-Identifier: GPL-2.0-or-later
///
/// Who gets encrypted documents only, and has no good certificate, is told nothing of a patient:
/// that is a fault of the service, and somebody has to mend it.  The alert is one of no device, as
/// that of a storm is: of device 0, and in the list of that slot.  Nobody is responsible for it, so
/// its escalation begins with the default team.

#pragma once

#include <map>
#include <string>
#include <string_view>

#include "encryption.hpp"

namespace bmd {

/// What stands for the serial number in the alert; no device is called so.
[[nodiscard]] std::string withheld_name(std::string_view user);

/// The name in words: "technician carol".
[[nodiscard]] std::string withheld_cause(std::string_view name);

/// Raises and ends these alerts; in one process, with storms.
class WithheldKeeper
{
public:
	/// Looks when something has changed, and every 5 s.  Never throws; what goes wrong is logged
	/// and tried again.
	void round() noexcept;

private:
	struct Open
	{
		Uuid id;
		Index slot;
	};

	void begin();
	void look();
	[[nodiscard]] bool is_open(const Open &open) const noexcept;
	void raise(const std::string &user);
	void end(const Open &open, std::string_view why);

	std::map<std::string, Open> open_; ///< by user name
	TimeUs look_at_ = 0;               ///< monotonic
	bool begun_ = false;
};

} // namespace bmd
