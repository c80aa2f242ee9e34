/// @file core_bridge.hpp  What all functions of bmd_core.h do alike: words in, answers out, no
/// exception. SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include <cstring>
#include <exception>
#include <string>
#include <string_view>

#include "bmd_core.h"
#include "bmd_host.h"
#include "store.hpp"

namespace bmd {

inline std::string_view view_of(bmd_text text) noexcept
{
	return {text.s, text.len};
}

/// Into a field of fixed size; what does not fit is cut off.
template <std::size_t N> void put(char (&to)[N], std::string_view text) noexcept
{
	copy_text(to, N, text);
}

/// Runs `work`, which may run out of memory; `otherwise` is the answer then, and the log says why.
template <class Work, class T> T guarded(T otherwise, Work work) noexcept
{
	try {
		return work();
	} catch(const std::exception &failure) {
		bmd_host_log(BMD_LOG_ERROR, failure.what());
		return otherwise;
	}
}

/// The same of what may be refused: `work` returns a status and a reason, which goes into the
/// caller's buffer; 500 when it runs out of memory.
template <class Work> int answered(char *reason, std::size_t size, Work work) noexcept
{
	try {
		const auto [status, words] = work();
		copy_text(reason, size, words);
		return status;
	} catch(const std::exception &failure) {
		copy_text(reason, size, std::string_view(failure.what()));
		return 500;
	}
}

/// A copy in memory of the caller's, ended by a zero; nullptr: there is none left.
inline char *copy_out(const std::string &body, void *(*allocate)(size_t), size_t *length) noexcept
{
	auto *memory = static_cast<char *>(allocate(body.size() + 1));
	if(memory == nullptr)
		return nullptr;
	std::memcpy(memory, body.c_str(), body.size() + 1);
	*length = body.size();
	return memory;
}

} // namespace bmd
