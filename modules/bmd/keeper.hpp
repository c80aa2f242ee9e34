/// @file keeper.hpp  Partitions of readings: created ahead, dropped when the setting says so.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// On a connection of its own with short time-outs: neither it nor who makes it wait (a dump, a
/// long report) holds up the writer.

#pragma once

#include <string>

#include "pg.hpp"
#include "store.hpp"

namespace bmd {

class Keeper
{
public:
	explicit Keeper(std::string conninfo);

	/// Does what is due; returns at once when nothing is.  Never throws; what goes wrong is logged,
	/// counted and tried again soon.
	void round() noexcept;

private:
	[[nodiscard]] Result<bool> connect();
	[[nodiscard]] Result<bool> create();
	[[nodiscard]] Result<bool> drop();
	[[nodiscard]] Result<bool> drop_deliveries();
	void failed(const Error &error);

	std::string conninfo_;
	Pg pg_;
	TimeUs due_ = 0; ///< monotonic
	int failures_ = 0;
};

} // namespace bmd
