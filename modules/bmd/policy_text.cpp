/// @file policy_text.cpp  Policies in shared memory.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "policy_text.hpp"

#include <cstring>
#include <mutex>

#include "bmd_host.h"

namespace bmd {

bool publish_policy(const Policy &policy)
{
	const std::string text = write_policy(policy);
	Store &s = *store();
	DutyText &shared = s.policy;
	const std::lock_guard<Mutex> guard(s.duty_lock);
	if(text.size() > shared.capacity) {
		complain(count_rows_lost_memory,
				"provisioning: no room for " + std::to_string(text.size())
						+ " bytes of policies, the old ones stay: raise the parameter \"duty_kb\"");
		return false;
	}
	if(text == std::string_view(shared.text, shared.size))
		return true;
	std::memcpy(shared.text, text.data(), text.size());
	shared.size = text.size();
	s.policy_version.fetch_add(1);
	for(std::size_t i = 0; i < s.limits.notifiers; ++i)
		s.notifier[i].waker.wake();
	return true;
}

// What cannot be read leaves the old one in force: it never opens what a rule closes.
std::shared_ptr<const Policy> policy_now()
{
	static std::shared_ptr<const Policy> known = std::make_shared<Policy>();
	static std::uint64_t version = 0; // both of this process
	if(store()->policy_version.load(std::memory_order_relaxed) == version)
		return known;
	std::string text;
	std::uint64_t present = 0;
	{
		const DutyText &shared = store()->policy;
		const std::lock_guard<Mutex> guard(store()->duty_lock);
		present = store()->policy_version.load();
		text.assign(shared.text, shared.size);
	}
	auto read = read_policy(text);
	if(read)
		known = std::make_shared<Policy>(std::move(*read));
	else
		bmd_host_log(BMD_LOG_ERROR, ("policy: cannot read " + read.error().reason).c_str());
	version = present; // only now: without memory to read it, it is read the next time
	return known;
}

} // namespace bmd
