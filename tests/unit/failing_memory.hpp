/// @file failing_memory.hpp  Memory that is refused at a chosen allocation, as it may be any time.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Replaces operator new of the whole program; without a FailingMemory it only allocates.

#pragma once

namespace bmd_test {

/// As long as it lives, allocation number `at` of this thread, counted from 0, throws
/// std::bad_alloc.
class FailingMemory
{
public:
	explicit FailingMemory(int at) noexcept;
	FailingMemory(const FailingMemory &) = delete;
	FailingMemory &operator=(const FailingMemory &) = delete;
	~FailingMemory();
	/// Has it been refused?
	[[nodiscard]] static bool failed() noexcept;
};

} // namespace bmd_test
