/// @file duty_text.cpp  Rosters and policies in shared memory.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "duty_text.hpp"

#include <cstring>
#include <mutex>

#include "bmd_host.h"

namespace bmd {

namespace {

// The database knows more zones than this system: that must not stay unseen.
void look_at_zones(const Duty &duty)
{
	const auto look = [](const std::string &zone, const std::string &whose) {
		if(!Zone::find(zone))
			bmd_host_log(BMD_LOG_ERROR, ("provisioning: the time zone of " + whose
												+ " is unknown to this system: " + zone)
												.c_str());
	};
	look(duty.zone, "the hospital (UTC is taken)");
	for(const Roster &roster : duty.rosters)
		look(roster.zone, "team " + roster.team + " (nobody is on call)");
}

} // namespace

bool publish_duty(const Duty &duty)
{
	const std::string text = write_duty(duty);
	DutyText &shared = store()->duty;
	const std::lock_guard<Mutex> guard(store()->duty_lock);
	if(text.size() > shared.capacity) {
		complain(count_rows_lost_memory,
				"provisioning: no room for " + std::to_string(text.size())
						+ " bytes of rosters and policies, the old ones stay: raise the parameter "
						  "\"duty_kb\"");
		return false;
	}
	if(shared.version > 0 && text == std::string_view(shared.text, shared.size))
		return true;
	std::memcpy(shared.text, text.data(), text.size());
	shared.size = text.size();
	++shared.version;
	look_at_zones(duty);
	store()->escalation_waker.wake();
	return true;
}

void look_at_duty_again() noexcept
{
	{
		const std::lock_guard<Mutex> guard(store()->duty_lock);
		if(store()->duty.version == 0)
			return;
		++store()->duty.version;
	}
	store()->escalation_waker.wake();
}

std::uint64_t duty_version() noexcept
{
	const std::lock_guard<Mutex> guard(store()->duty_lock);
	return store()->duty.version;
}

std::shared_ptr<const Duty> duty_now()
{
	static std::shared_ptr<const Duty> known = std::make_shared<Duty>(); // of this process
	static std::uint64_t version = 0;
	std::string text;
	std::uint64_t present = 0;
	{
		const DutyText &shared = store()->duty;
		const std::lock_guard<Mutex> guard(store()->duty_lock);
		if(shared.version == version)
			return known;
		text.assign(shared.text, shared.size);
		present = shared.version;
	}
	auto read = read_duty(text);
	if(read)
		known = std::make_shared<Duty>(std::move(*read));
	else
		bmd_host_log(BMD_LOG_ERROR, ("escalation: cannot read " + read.error().reason).c_str());
	version = present; // only now: without memory to read it, it is read the next time
	return known;
}

} // namespace bmd
