/// @file exclusive.hpp  The registry lock, held exclusively for a moment at a time.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Intake waits while it is held, so long work gives way again and again.  Only one process
/// changes the registry: what it was doing is as it left it when it has the lock again.

#pragma once

#include "store.hpp"

namespace bmd {

class RegistryWrite
{
public:
	RegistryWrite() noexcept { take(); }
	~RegistryWrite() { release(); }
	RegistryWrite(const RegistryWrite &) = delete;
	RegistryWrite &operator=(const RegistryWrite &) = delete;

	/// Between two steps that are each complete in themselves: lets the readers in when the lock
	/// has been held for a quarter of a millisecond.
	void breathe() noexcept;

private:
	void take() noexcept;
	void release() noexcept;
	TimeUs since_ = 0; ///< monotonic
};

} // namespace bmd
