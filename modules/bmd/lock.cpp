/// @file lock.cpp  Process-shared locks.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "lock.hpp"

#include <cerrno>
#include <ctime>

namespace bmd {

void Mutex::init() noexcept
{
	pthread_mutexattr_t attributes;
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&mutex_, &attributes);
	pthread_mutexattr_destroy(&attributes);
}

void RwLock::init() noexcept
{
	pthread_rwlockattr_t attributes;
	pthread_rwlockattr_init(&attributes);
	pthread_rwlockattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&lock_, &attributes);
	pthread_rwlockattr_destroy(&attributes);
}

void Waker::init() noexcept
{
	sem_init(&semaphore_, 1, 0);
	pending_.store(0);
}

void Waker::wake() noexcept
{
	if(pending_.exchange(1) == 0)
		sem_post(&semaphore_);
}

void Waker::wait(int milliseconds) noexcept
{
	timespec until{};
	clock_gettime(CLOCK_MONOTONIC, &until);
	const long nanoseconds = until.tv_nsec + static_cast<long>(milliseconds % 1000) * 1'000'000;
	until.tv_sec += milliseconds / 1000 + nanoseconds / 1'000'000'000;
	until.tv_nsec = nanoseconds % 1'000'000'000;
	while(sem_clockwait(&semaphore_, CLOCK_MONOTONIC, &until) != 0 && errno == EINTR) {
	}
	pending_.store(0);
}

} // namespace bmd
