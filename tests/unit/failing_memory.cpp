/// @file failing_memory.cpp  Memory that is refused at a chosen allocation.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "failing_memory.hpp"

#include <cstdlib>
#include <new>

namespace {

thread_local int left = -1; // allocations until the one that fails; less than 0: none fails

void *allocate(std::size_t size) noexcept
{
	if(left >= 0 && left-- == 0)
		return nullptr;
	return std::malloc(size == 0 ? 1 : size);
}

void *allocate_or_throw(std::size_t size)
{
	void *memory = allocate(size);
	if(memory == nullptr)
		throw std::bad_alloc();
	return memory;
}

} // namespace

// All forms but those for great alignments: what one allocates another may free.
void *operator new(std::size_t size)
{
	return allocate_or_throw(size);
}
void *operator new[](std::size_t size)
{
	return allocate_or_throw(size);
}
void *operator new(std::size_t size, const std::nothrow_t &) noexcept
{
	return allocate(size);
}
void *operator new[](std::size_t size, const std::nothrow_t &) noexcept
{
	return allocate(size);
}
void operator delete(void *memory) noexcept
{
	std::free(memory);
}
void operator delete[](void *memory) noexcept
{
	std::free(memory);
}
void operator delete(void *memory, std::size_t) noexcept
{
	std::free(memory);
}
void operator delete[](void *memory, std::size_t) noexcept
{
	std::free(memory);
}
void operator delete(void *memory, const std::nothrow_t &) noexcept
{
	std::free(memory);
}
void operator delete[](void *memory, const std::nothrow_t &) noexcept
{
	std::free(memory);
}

namespace bmd_test {

FailingMemory::FailingMemory(int at) noexcept
{
	left = at;
}

FailingMemory::~FailingMemory()
{
	left = -1;
}

bool FailingMemory::failed() noexcept
{
	return left < 0;
}

} // namespace bmd_test
