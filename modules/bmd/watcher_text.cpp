/// @file watcher_text.cpp  Rules of watchers in shared memory.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "watcher_text.hpp"

#include <cstring>
#include <mutex>

#include "bmd_host.h"

namespace bmd {

bool publish_watcher_rules(const std::vector<WatcherRule> &rules)
{
	const std::string text = write_watcher_rules(rules);
	Store &s = *store();
	DutyText &shared = s.watcher_rules;
	const std::lock_guard<Mutex> guard(s.duty_lock);
	if(text.size() > shared.capacity) {
		complain(count_rows_lost_memory,
				"provisioning: no room for " + std::to_string(text.size())
						+ " bytes of watchers' rules, the old ones stay: raise the parameter "
						  "\"duty_kb\"");
		return false;
	}
	if(text == std::string_view(shared.text, shared.size))
		return true;
	std::memcpy(shared.text, text.data(), text.size());
	shared.size = text.size();
	s.watcher_version.fetch_add(1);
	for(std::size_t i = 0; i < s.limits.notifiers; ++i)
		s.notifier[i].waker.wake();
	return true;
}

std::shared_ptr<const WatcherRules> watcher_rules_now()
{
	static std::shared_ptr<const WatcherRules> known = std::make_shared<WatcherRules>();
	static std::uint64_t version = 0; // both of this process
	if(store()->watcher_version.load(std::memory_order_relaxed) == version)
		return known;
	std::string text;
	std::uint64_t found = 0;
	{
		const DutyText &shared = store()->watcher_rules;
		const std::lock_guard<Mutex> guard(store()->duty_lock);
		found = store()->watcher_version.load();
		text.assign(shared.text, shared.size);
	}
	auto read = read_watcher_rules(text);
	if(read)
		known = std::make_shared<WatcherRules>(std::move(*read));
	else
		bmd_host_log(BMD_LOG_ERROR, ("notifier: cannot read " + read.error().reason).c_str());
	version = found;
	return known;
}

} // namespace bmd
