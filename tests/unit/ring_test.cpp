/// @file ring_test.cpp  Unit tests of the rings between processes.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "ring.hpp"

#include <array>

#include "suites.hpp"

namespace {

constexpr std::size_t block = 32; // of 16 bytes of data

struct Bytes
{
	alignas(16) std::array<unsigned char, 4 * block> memory{};
	bmd::ByteRing ring{};
	Bytes() { ring.init(memory.data(), memory.size()); }
};

void a_block_that_is_being_filled_hides_what_comes_after_it()
{
	Bytes bytes;
	bmd::ByteRing &ring = bytes.ring;
	bmd::ByteRing::Block *first = ring.reserve(16);
	const std::uint64_t one = ring.head();
	bmd::ByteRing::publish(ring.reserve(16));
	std::uint64_t at = ring.tail();
	CU_ASSERT_PTR_NULL(ring.next(at));
	CU_ASSERT(!ring.published(one));
	CU_ASSERT(ring.published(ring.tail()));
	bmd::ByteRing::publish(first);
	CU_ASSERT(ring.published(ring.head()));
}

void what_is_reserved_later_does_not_matter_to_an_earlier_end()
{
	Bytes bytes;
	bmd::ByteRing::publish(bytes.ring.reserve(16));
	const std::uint64_t end = bytes.ring.head();
	(void)bytes.ring.reserve(16);
	CU_ASSERT(bytes.ring.published(end));
	CU_ASSERT(!bytes.ring.published(bytes.ring.head()));
}

void the_unused_end_of_the_memory_counts_as_published()
{
	Bytes bytes;
	bmd::ByteRing &ring = bytes.ring;
	for(int i = 0; i < 3; ++i)
		bmd::ByteRing::publish(ring.reserve(16));
	std::uint64_t at = ring.tail();
	while(ring.next(at) != nullptr) {
	}
	ring.release(at);
	bmd::ByteRing::Block *around = ring.reserve(48); // 64 bytes; 32 are left before the end
	BMD_EQUAL(ring.head() - at, std::uint64_t{96});
	CU_ASSERT(!ring.published(ring.head()));
	bmd::ByteRing::publish(around);
	CU_ASSERT(ring.published(ring.head()));
}

void a_slot_that_is_being_filled_hides_what_comes_after_it()
{
	constexpr std::size_t size = bmd::SlotRing::slot_bytes(8);
	alignas(16) std::array<unsigned char, 4 * size> memory{};
	bmd::SlotRing ring{};
	ring.init(memory.data(), 4, size);
	std::uint64_t first = 0;
	std::uint64_t second = 0;
	CU_ASSERT_PTR_NOT_NULL(ring.reserve(first));
	CU_ASSERT_PTR_NOT_NULL(ring.reserve(second));
	ring.publish(second);
	CU_ASSERT(!ring.published(ring.head()));
	CU_ASSERT(ring.published(ring.tail()));
	ring.publish(first);
	CU_ASSERT(ring.published(ring.head()));
}

CU_TestInfo cases[] = {BMD_CASE(a_block_that_is_being_filled_hides_what_comes_after_it),
		BMD_CASE(what_is_reserved_later_does_not_matter_to_an_earlier_end),
		BMD_CASE(the_unused_end_of_the_memory_counts_as_published),
		BMD_CASE(a_slot_that_is_being_filled_hides_what_comes_after_it), CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo ring_suite;
const CU_SuiteInfo ring_suite = BMD_SUITE("ring", cases);
