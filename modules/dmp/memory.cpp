/// @file memory.cpp  What people asked for and answered a short time ago.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "memory.hpp"

#include <pthread.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <mutex>

namespace bmd::dmp {

namespace {

constexpr std::size_t person_sets = 256; // powers of two
constexpr std::size_t request_sets = 1024;
constexpr std::size_t ways = 8;
constexpr std::size_t kept = 4;
constexpr std::array<std::uint32_t, 2> most{300, 10}; // by Budget

struct Person
{
	char user[32];
	TimeUs used; // 0: free
	std::int64_t minute;
	std::array<std::uint32_t, most.size()> spent; // in it
	std::size_t next;
	std::array<Lately, kept> lately;
};

struct Request
{
	std::uint64_t key[2];
	TimeUs used; // when it was answered; 0: free
	int status;
};

class SharedMutex
{
public:
	void init() noexcept
	{
		pthread_mutexattr_t shared;
		pthread_mutexattr_init(&shared);
		pthread_mutexattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
		pthread_mutex_init(&mutex_, &shared);
		pthread_mutexattr_destroy(&shared);
	}
	void lock() noexcept { pthread_mutex_lock(&mutex_); }
	void unlock() noexcept { pthread_mutex_unlock(&mutex_); }

private:
	pthread_mutex_t mutex_;
};

struct Tables
{
	SharedMutex person_lock[person_sets];
	SharedMutex request_lock[person_sets];
	Person persons[person_sets][ways];
	Request requests[request_sets][ways];
};

using Guard = std::lock_guard<SharedMutex>;

constexpr std::uint64_t first_seed = 0xcbf29ce484222325ULL;
constexpr std::uint64_t second_seed = 0x9e3779b97f4a7c15ULL;

// FNV-1a, mixed at the end so that all bits choose the set.
std::uint64_t hash(std::string_view text, std::uint64_t seed) noexcept
{
	for(const char c : text)
		seed = (seed ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
	seed ^= text.size();
	seed *= 0xff51afd7ed558ccdULL;
	return seed ^ seed >> 33;
}

Tables &tables(Memory *memory) noexcept
{
	return *reinterpret_cast<Tables *>(memory);
}

// The one that was not used for longest.
template <class T> T &oldest(T (&set)[ways]) noexcept
{
	return *std::min_element(
			std::begin(set), std::end(set), [](const T &a, const T &b) { return a.used < b.used; });
}

Person *find(Person (&set)[ways], std::string_view user) noexcept
{
	for(Person &person : set)
		if(person.used != 0 && user == person.user)
			return &person;
	return nullptr;
}

// Names of people have at most 31 bytes: a longer one is nobody's, and shares what it is cut to.
std::string_view name_of(std::string_view user) noexcept
{
	return user.substr(0, sizeof Person::user - 1);
}

Person &person_of(Person (&set)[ways], std::string_view user, TimeUs now) noexcept
{
	Person *person = find(set, user);
	if(person == nullptr) {
		person = &oldest(set);
		*person = Person{};
		user.copy(person->user, sizeof person->user - 1);
	}
	person->used = std::max<TimeUs>(now, 1);
	return *person;
}

struct Key
{
	std::uint64_t part[2];

	explicit Key(const RequestName &request) noexcept : part{first_seed, second_seed}
	{
		for(std::uint64_t &value : part)
			for(const std::string_view text : {request.user, request.tag, request.call_id,
						request.cseq, request.body, request.source})
				value = hash(text, value);
	}
	[[nodiscard]] bool names(const Request &request) const noexcept
	{
		return request.used != 0 && request.key[0] == part[0] && request.key[1] == part[1];
	}
	[[nodiscard]] std::size_t set() const noexcept { return part[0] % request_sets; }
};

} // namespace

std::size_t Memory::bytes() noexcept
{
	return sizeof(Tables);
}

Memory *Memory::place(void *zeros) noexcept
{
	auto *const memory = static_cast<Memory *>(zeros);
	for(SharedMutex &mutex : tables(memory).person_lock)
		mutex.init();
	for(SharedMutex &mutex : tables(memory).request_lock)
		mutex.init();
	return memory;
}

unsigned Memory::take(std::string_view user, Budget budget, TimeUs now) noexcept
{
	constexpr DurationUs minute = 60 * second_us;
	user = name_of(user);
	const std::size_t set = hash(user, first_seed) % person_sets;
	const Guard guard(tables(this).person_lock[set]);
	Person &person = person_of(tables(this).persons[set], user, now);
	if(person.minute != now / minute)
		person.spent = {};
	person.minute = now / minute;
	const auto which = static_cast<std::size_t>(budget);
	if(person.spent[which] >= most[which])
		return static_cast<unsigned>((minute - now % minute) / second_us + 1);
	++person.spent[which];
	return 0;
}

void Memory::remember(std::string_view user, const Lately &answer) noexcept
{
	user = name_of(user);
	const std::size_t set = hash(user, first_seed) % person_sets;
	const Guard guard(tables(this).person_lock[set]);
	Person &person = person_of(tables(this).persons[set], user, answer.at);
	// the same again is one answer: it must not push out others
	for(Lately &known : person.lately)
		if(known.at != 0 && known.act == answer.act && std::strcmp(known.id, answer.id) == 0) {
			const bool bare = known.bare || answer.bare;
			known = answer;
			known.bare = bare;
			return;
		}
	person.lately[person.next++ % kept] = answer;
}

std::vector<Lately> Memory::answers(std::string_view user, TimeUs since)
{
	user = name_of(user);
	std::vector<Lately> found;
	found.reserve(kept);
	const std::size_t set = hash(user, first_seed) % person_sets;
	{
		const Guard guard(tables(this).person_lock[set]);
		const Person *const person = find(tables(this).persons[set], user);
		if(person != nullptr)
			std::ranges::copy_if(person->lately, std::back_inserter(found),
					[&](const Lately &one) { return one.at != 0 && one.at > since; });
	}
	std::ranges::sort(found, [](const Lately &a, const Lately &b) { return a.at > b.at; });
	return found;
}

void Memory::remember(const RequestName &request, int status, TimeUs now) noexcept
{
	const Key key(request);
	const Guard guard(tables(this).request_lock[key.set() % person_sets]);
	auto &set = tables(this).requests[key.set()];
	Request &slot = oldest(set);
	slot = {{key.part[0], key.part[1]}, std::max<TimeUs>(now, 1), status};
}

int Memory::answered(const RequestName &request, TimeUs now) noexcept
{
	const Key key(request);
	const Guard guard(tables(this).request_lock[key.set() % person_sets]);
	for(const Request &known : tables(this).requests[key.set()])
		if(key.names(known) && now - known.used < request_window)
			return known.status;
	return 0;
}

} // namespace bmd::dmp
