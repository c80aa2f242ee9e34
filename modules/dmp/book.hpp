/// @file book.hpp  The alert book and the devices as a person may see and change them, through
/// bmd_api. SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bmd/dmp_control.hpp"
#include "dmp_core.h"
#include "memory.hpp"

namespace bmd::dmp {

/// Set once by dmp_core_init().
[[nodiscard]] const bmd_api_t &book() noexcept;
[[nodiscard]] Memory &memory() noexcept;

/// The clock of Memory.
[[nodiscard]] TimeUs mono_now() noexcept;

[[nodiscard]] inline bmd_text text_of(std::string_view text) noexcept
{
	return {text.data(), text.size()};
}

struct Carried
{
	ResultCode code = ResultCode::ok; ///< accepted: carried out, but not stored yet
	std::string reason;               ///< of what was not carried out, or is not stored
	bmd_alert_view alert;             ///< as it was before; only with ok, accepted and conflict
	[[nodiscard]] bool done() const noexcept
	{
		return code == ResultCode::ok || code == ResultCode::accepted;
	}
};

/// Answers an alert for this person.  `device`: its serial number, or any_device.  Nobody learns
/// more of an alert of somebody else than that it has the code.  `bare`: it was said without a
/// code.  A WHY that is too long is cut.  Who closed an alert within the last ten minutes and says
/// so again is told ok.
[[nodiscard]] Carried carry_out(std::string_view user, std::string_view device,
		const AlertControl &control, std::string_view through, bool bare = false);

/// At most `most` open alerts that this person may answer, most urgent first; `open`
/// is how many there are.
[[nodiscard]] std::vector<bmd_alert_view> alerts_of(std::string_view user, long most, long &open);

/// What can still be said of an alert that is over.
[[nodiscard]] bmd_alert_view shown(const Lately &answer) noexcept;

/// Open alerts of a device, newest first, as this person may see them.
[[nodiscard]] std::vector<bmd_alert_view> alerts_of_device(
		std::string_view user, std::string_view serial, long most);

} // namespace bmd::dmp
