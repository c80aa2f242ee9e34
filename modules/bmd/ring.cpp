/// @file ring.cpp  Rings between processes.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "ring.hpp"

#include <mutex>

namespace bmd {

namespace {

constexpr std::uint32_t block_filling = 1;
constexpr std::uint32_t block_ready = 2;
constexpr std::uint32_t block_pad = 3;

} // namespace

void ByteRing::init(void *memory, std::size_t bytes) noexcept
{
	lock_.init();
	memory_ = static_cast<unsigned char *>(memory);
	bytes_ = bytes / 16 * 16;
	head_.store(0);
	tail_.store(0);
}

ByteRing::Block *ByteRing::reserve(std::size_t bytes) noexcept
{
	const std::size_t size = (bytes + sizeof(Block) + 15) / 16 * 16;
	const std::lock_guard<Mutex> guard(lock_);
	std::uint64_t head = head_.load(std::memory_order_relaxed);
	const std::uint64_t tail = tail_.load(std::memory_order_acquire);
	const std::size_t to_end = bytes_ - head % bytes_;
	const std::size_t pad = to_end < size ? to_end : 0;
	if(size > bytes_ || head - tail + pad + size > bytes_)
		return nullptr;
	if(pad > 0) {
		auto *filler = reinterpret_cast<Block *>(memory_ + head % bytes_);
		filler->size = static_cast<std::uint32_t>(pad);
		filler->state.store(block_pad, std::memory_order_release);
		head += pad;
	}
	auto *block = reinterpret_cast<Block *>(memory_ + head % bytes_);
	block->size = static_cast<std::uint32_t>(size);
	block->state.store(block_filling, std::memory_order_relaxed);
	head_.store(head + size, std::memory_order_release);
	return block;
}

void ByteRing::publish(Block *block) noexcept
{
	block->state.store(block_ready, std::memory_order_release);
}

ByteRing::Block *ByteRing::next(std::uint64_t &at) noexcept
{
	while(at < head_.load(std::memory_order_acquire)) {
		auto *block = reinterpret_cast<Block *>(memory_ + at % bytes_);
		const std::uint32_t state = block->state.load(std::memory_order_acquire);
		if(state == block_filling)
			return nullptr;
		at += block->size;
		if(state == block_ready)
			return block;
	}
	return nullptr;
}

bool ByteRing::published(std::uint64_t end) noexcept
{
	std::uint64_t at = tail();
	while(at < end)
		if(next(at) == nullptr)
			return at >= end; // only what fills up the end of the ring came
	return true;
}

void SlotRing::init(void *memory, std::size_t slots, std::size_t slot_bytes) noexcept
{
	lock_.init();
	memory_ = static_cast<unsigned char *>(memory);
	slots_ = slots;
	slot_bytes_ = slot_bytes;
	head_.store(0);
	tail_.store(0);
}

void *SlotRing::reserve(std::uint64_t &ticket, std::size_t keep_free) noexcept
{
	const std::lock_guard<Mutex> guard(lock_);
	const std::uint64_t head = head_.load(std::memory_order_relaxed);
	if(head - tail_.load(std::memory_order_acquire) + keep_free >= slots_)
		return nullptr;
	ticket = head;
	// A slot is published when it holds its own ticket + 1, so an old value never looks published.
	head_.store(head + 1, std::memory_order_release);
	return slot(ticket) + sizeof(std::atomic<std::uint64_t>);
}

void SlotRing::publish(std::uint64_t ticket) noexcept
{
	reinterpret_cast<std::atomic<std::uint64_t> *>(slot(ticket))
			->store(ticket + 1, std::memory_order_release);
}

void *SlotRing::next(std::uint64_t &at) noexcept
{
	if(at >= head_.load(std::memory_order_acquire))
		return nullptr;
	unsigned char *begin = slot(at);
	if(reinterpret_cast<std::atomic<std::uint64_t> *>(begin)->load(std::memory_order_acquire)
			!= at + 1)
		return nullptr;
	++at;
	return begin + sizeof(std::atomic<std::uint64_t>);
}

bool SlotRing::published(std::uint64_t end) noexcept
{
	std::uint64_t at = tail();
	while(at < end)
		if(next(at) == nullptr)
			return false;
	return true;
}

} // namespace bmd
