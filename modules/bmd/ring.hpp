/// @file ring.hpp  Rings between processes: many producers, one consumer, never overwritten.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// A producer reserves, fills outside the lock, then publishes; the consumer sees a prefix of
/// published entries in the order of reservation and releases it when it is done with it.

#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "lock.hpp"

namespace bmd {

/// Variable-sized blocks.
class ByteRing
{
public:
	struct Block
	{
		std::uint32_t size; ///< of the block with this header, multiple of 16
		std::atomic<std::uint32_t> state;
		std::uint64_t reserved;
		[[nodiscard]] void *data() noexcept { return this + 1; }
	};

	/// `memory` of `bytes` (multiple of 16) belongs to the ring.
	void init(void *memory, std::size_t bytes) noexcept;

	/// Room for `bytes` of data in one piece; nullptr when the ring is full now.
	[[nodiscard]] Block *reserve(std::size_t bytes) noexcept;
	static void publish(Block *block) noexcept;

	/// Next published block after position `at` (begin with tail()); nullptr when there is none
	/// yet. Moves `at` past it.
	[[nodiscard]] Block *next(std::uint64_t &at) noexcept;
	/// Are all blocks before `end` (a head() of now or before) published?
	[[nodiscard]] bool published(std::uint64_t end) noexcept;
	[[nodiscard]] std::uint64_t head() const noexcept { return head_.load(); }
	[[nodiscard]] std::uint64_t tail() const noexcept { return tail_.load(); }
	/// Frees everything before `at`.
	void release(std::uint64_t at) noexcept { tail_.store(at, std::memory_order_release); }

	[[nodiscard]] std::size_t used() const noexcept { return head_.load() - tail_.load(); }
	[[nodiscard]] std::size_t capacity() const noexcept { return bytes_; }

private:
	Mutex lock_;
	unsigned char *memory_;
	std::size_t bytes_;
	std::atomic<std::uint64_t> head_;
	std::atomic<std::uint64_t> tail_;
};

/// Slots of one size.
class SlotRing
{
public:
	/// `memory` of slots * slot_bytes; each slot begins with a std::atomic<uint64_t> of the ring's.
	void init(void *memory, std::size_t slots, std::size_t slot_bytes) noexcept;
	[[nodiscard]] static constexpr std::size_t slot_bytes(std::size_t payload) noexcept
	{
		return (payload + sizeof(std::atomic<std::uint64_t>) + 15) / 16 * 16;
	}

	/// A slot to fill, nullptr when full; with `keep_free` > 0 it counts as full that much earlier.
	[[nodiscard]] void *reserve(std::uint64_t &ticket, std::size_t keep_free = 0) noexcept;
	void publish(std::uint64_t ticket) noexcept;

	[[nodiscard]] void *next(std::uint64_t &at) noexcept;
	/// Are all slots before `end` (a head() of now or before) published?
	[[nodiscard]] bool published(std::uint64_t end) noexcept;
	[[nodiscard]] std::uint64_t head() const noexcept { return head_.load(); }
	[[nodiscard]] std::uint64_t tail() const noexcept { return tail_.load(); }
	void release(std::uint64_t at) noexcept { tail_.store(at, std::memory_order_release); }
	[[nodiscard]] std::size_t used() const noexcept { return head_.load() - tail_.load(); }
	[[nodiscard]] std::size_t capacity() const noexcept { return slots_; }

private:
	[[nodiscard]] unsigned char *slot(std::uint64_t ticket) noexcept
	{
		return memory_ + (ticket % slots_) * slot_bytes_;
	}
	Mutex lock_;
	unsigned char *memory_;
	std::size_t slots_;
	std::size_t slot_bytes_;
	std::atomic<std::uint64_t> head_;
	std::atomic<std::uint64_t> tail_;
};

} // namespace bmd
