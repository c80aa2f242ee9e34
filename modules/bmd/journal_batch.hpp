/// @file journal_batch.hpp  The piece of the journal that a batch of readings is written into.
/// SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include <cstddef>
#include <exception>

#include "bmd/time.hpp"
#include "intake.hpp"
#include "journal.hpp"
#include "registry.hpp"

namespace bmd {

/// A reserved piece of the journal that is published whatever happens: empty when an exception
/// passes or when it is given up, so that nothing of it is called durable.
class JournalBatch
{
public:
	/// Without room, or without being wanted, it takes nothing: ok() tells.
	JournalBatch(Index collector, const BatchId &id, std::size_t readings, bool wanted) noexcept
		: block_(wanted ? store()->journal.reserve(bytes(readings)) : nullptr)
	{
		if(block_ == nullptr)
			return;
		head() = BatchRec{wall_now(), id.epoch, id.seq, collector, 0};
	}
	JournalBatch(const JournalBatch &) = delete;
	JournalBatch &operator=(const JournalBatch &) = delete;
	~JournalBatch()
	{
		if(block_ == nullptr)
			return;
		if(std::uncaught_exceptions() > exceptions_)
			give_up();
		ByteRing::publish(block_);
		store()->writer_waker.wake();
	}
	void give_up() noexcept
	{
		head().collector = 0;
		head().count = 0;
	}
	[[nodiscard]] static std::size_t bytes(std::size_t readings) noexcept
	{
		return sizeof(BatchRec) + readings * sizeof(ReadingRec);
	}
	[[nodiscard]] bool ok() const noexcept { return block_ != nullptr; }
	[[nodiscard]] BatchRec &head() noexcept { return *static_cast<BatchRec *>(block_->data()); }
	void add(const ReadingRec &reading) noexcept
	{
		if(block_ == nullptr)
			return;
		reinterpret_cast<ReadingRec *>(&head() + 1)[head().count++] = reading;
	}

private:
	ByteRing::Block *block_;
	int exceptions_ = std::uncaught_exceptions();
};

} // namespace bmd
