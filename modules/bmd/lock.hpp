/// @file lock.hpp  Locks between processes, and a wake-up, in shared memory.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// POSIX process-shared objects behind RAII guards.  A process that dies inside a lock takes the
/// whole Kamailio with it: its main process sees to that, and all end with the main process.  At an
/// orderly stop children end wherever they are; the main process, alone then, makes all locks anew
/// (free_locks()).

#pragma once

#include <pthread.h>
#include <semaphore.h>

#include <atomic>

namespace bmd {

class Mutex
{
public:
	void init() noexcept;
	void lock() noexcept { pthread_mutex_lock(&mutex_); }
	[[nodiscard]] bool try_lock() noexcept { return pthread_mutex_trylock(&mutex_) == 0; }
	void unlock() noexcept { pthread_mutex_unlock(&mutex_); }

private:
	pthread_mutex_t mutex_;
};

/// Writers are preferred; a reader must not lock it twice.
class RwLock
{
public:
	void init() noexcept;
	void lock() noexcept { pthread_rwlock_wrlock(&lock_); }
	void unlock() noexcept { pthread_rwlock_unlock(&lock_); }
	void lock_shared() noexcept { pthread_rwlock_rdlock(&lock_); }
	void unlock_shared() noexcept { pthread_rwlock_unlock(&lock_); }

private:
	pthread_rwlock_t lock_;
};

/// Wakes one sleeping process.  Posts are not counted: one wake-up stands for all since the last.
class Waker
{
public:
	void init() noexcept;
	void wake() noexcept;
	/// Sleeps until woken or for `milliseconds`.
	void wait(int milliseconds) noexcept;

private:
	sem_t semaphore_;
	std::atomic<int> pending_;
};

} // namespace bmd
