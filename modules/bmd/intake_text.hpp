/// @file intake_text.hpp  Takes the text of a batch: reads, judges, journals.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// What its number says is decided before (intake.cpp).

#pragma once

#include "intake.hpp"
#include "store.hpp"

namespace bmd {

/// A batch that finds no room in the journal is judged at once, so that its alerts go out, and
/// stored when it is sent again; so are those that come after it meanwhile.
enum class Mode
{
	both,
	judge,
	store
};

/// Everything of a batch but its numbering.  `collector` 0: by hand.  `share` is of the collector
/// and held by the caller; nullptr: there is none.
void take_text(Index collector, CollectorShare *share, const BatchId &id, std::string_view text,
		Mode mode, Receipt &receipt);

/// Would anything of it be taken?  If not, the receipt says why: 400.
[[nodiscard]] bool takes_any(const BatchId &id, std::string_view text, Receipt &receipt);

} // namespace bmd
