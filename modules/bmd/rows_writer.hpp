/// @file rows_writer.hpp  The one process that writes rows of Kamailio's own tables.
/// SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include <span>
#include <string>

#include "pg.hpp"
#include "rows.hpp"

namespace bmd {

class RowsWriter
{
public:
	/// `patience`: how long the server may be silent within a statement, milliseconds.
	RowsWriter(std::string conninfo, int patience);

	/// One round: connect if need be, wait for work up to `milliseconds`, write it.  Never throws;
	/// a failure is logged, counted, and what was to be written is tried again in a later round.
	void round(int milliseconds) noexcept;

private:
	[[nodiscard]] Result<bool> transact(std::span<const WaitingChange> changes);
	[[nodiscard]] Result<bool> write_together(std::span<const WaitingChange> changes);
	/// One that may be refused: false when it is.
	[[nodiscard]] Result<bool> write_one(const WaitingChange &waiting);
	/// A refused one as far as the database takes it: false when not all of it.
	[[nodiscard]] Result<bool> write_in_part(WaitingChange waiting);
	/// Each for itself; what the database refuses is given up.
	[[nodiscard]] Result<bool> write_singly(std::span<const WaitingChange> changes);
	[[nodiscard]] Result<bool> connect();
	void failed(const Error &error);
	std::string conninfo_;
	Pg pg_;
	TimeUs next_connect_ = 0; ///< monotonic
	std::string refusal_;     ///< why the last one was refused
	int failures_ = 0;
	int backend_ = 0; ///< of the last connection
};

} // namespace bmd
