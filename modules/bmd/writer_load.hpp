/// @file writer_load.hpp  What one transaction of the writer writes.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Private to the writer's files.

#pragma once

#include "writer.hpp"

namespace bmd {

struct Writer::Load
{
	std::vector<BatchRec *> batches;
	std::vector<const AlertEvent *> events;
	std::vector<const Delivery *> deliveries;
	std::vector<const WindowRec *> windows;
	std::vector<const EscalationRow *> escalations;
	std::vector<Watermark> watermarks;
	std::vector<std::int32_t> first_seen;
	std::uint64_t journal_end = 0;
	std::uint64_t events_end = 0;
	std::uint64_t deliveries_end = 0;
	std::uint64_t windows_end = 0;
	std::uint64_t escalations_end = 0;
	std::uint64_t readings = 0;
	std::uint64_t refused = 0; ///< rows set aside
	[[nodiscard]] bool empty() const
	{
		return batches.empty() && events.empty() && deliveries.empty() && windows.empty()
			   && escalations.empty();
	}
};

struct Writer::Refused
{
	struct Row
	{
		std::int32_t device;
		const Uuid *alert; ///< nullptr: a reading
		std::string reason;
		std::string content;
	};
	std::vector<Row> rows;
};

} // namespace bmd
