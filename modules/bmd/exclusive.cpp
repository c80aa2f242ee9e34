/// @file exclusive.cpp  The registry lock, held exclusively for a moment at a time.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "exclusive.hpp"

#include <ctime>

namespace bmd {

namespace {

constexpr TimeUs longest_hold = 250;
constexpr long pause_ns = 200'000; // readers that wait get in, and some work done

} // namespace

void RegistryWrite::take() noexcept
{
	store()->registry_lock.lock();
	since_ = mono_now();
}

void RegistryWrite::release() noexcept
{
	Store &s = *store();
	const auto held = static_cast<std::uint64_t>(mono_now() - since_);
	if(s.loaded && held > s.registry_lock_longest.load(std::memory_order_relaxed))
		s.registry_lock_longest.store(held, std::memory_order_relaxed);
	s.registry_lock.unlock();
}

void RegistryWrite::breathe() noexcept
{
	// Before the fork nobody waits.
	if(!store()->loaded || mono_now() - since_ < longest_hold)
		return;
	release();
	const timespec pause{0, pause_ns};
	nanosleep(&pause, nullptr);
	take();
}

} // namespace bmd
