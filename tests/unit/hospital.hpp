/// @file hospital.hpp  The real process that escalates, on a store without a database.
/// SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include <string>
#include <vector>

#include "book.hpp"
#include "duty_text.hpp"
#include "escalate.hpp"
#include "registry.hpp"
#include "suites.hpp"

namespace bmd_test {

using bmd::Index;
using bmd::Priority;
using bmd::second_us;
using bmd::store;
using bmd::TimeUs;
using bmd::Whom;

inline constexpr TimeUs hour = 3600 * second_us;

inline bmd::EscalationStep to_person(
		TimeUs after, const char *name, std::uint8_t how = bmd::how_message)
{
	return {after, Whom::person, name, how};
}

// A store with devices that tech0 is responsible for, and ten technicians.
class Hospital
{
public:
	explicit Hospital(std::size_t devices = 4, std::size_t rows = 1024, std::size_t tasks = 4096)
	{
		bmd::Limits limits;
		limits.devices = devices;
		limits.feeds = 32;
		limits.alerts = 2 * devices + 8;
		limits.journal_bytes = 1U << 16;
		limits.alert_events = 4096;
		limits.changes = 4096;
		limits.subscriptions = 4;
		limits.escalations = rows;
		limits.tasks = tasks;
		std::size_t needed = 0;
		CU_ASSERT(bmd::create_store(limits, needed) != nullptr);
		store()->settings.reopen.store(60 * second_us);
		store()->duty.version = ++stores * 1000; // what was read of another store is old
		(void)bmd::put_type({"T", second_us}, 1);
		bmd::FeedChanges changes;
		for(int n = 0; n < 10; ++n)
			CU_ASSERT(bmd::put_person("tech" + std::to_string(n), {}, changes));
		for(std::size_t n = 0; n < devices; ++n) {
			const std::string serial = "D" + std::to_string(n);
			bmd::DeviceRow row;
			row.database_id = static_cast<std::int32_t>(n + 1);
			row.serial = serial;
			row.type = "T";
			CU_ASSERT(bmd::put_device(row, 1) != 0);
			CU_ASSERT(bmd::put_member("tech0", serial, bmd::new_mark(), changes));
		}
		duty_.teams = {{1, "all", {}}};
		for(int n = 1; n < 9; ++n)
			duty_.teams[0].members.push_back("tech" + std::to_string(n));
	}
	Hospital(const Hospital &) = delete;
	Hospital &operator=(const Hospital &) = delete;
	~Hospital() { bmd::release_store(); }

	// One policy for all.
	void policy(std::vector<bmd::EscalationStep> steps, TimeUs repeat = hour)
	{
		bmd::EscalationPolicy policy;
		policy.id = ++policies_; // also: the text is another one each time
		policy.name = "trial";
		policy.repeat = repeat;
		policy.steps = std::move(steps);
		duty_.policies = {std::move(policy)};
		CU_ASSERT(bmd::publish_duty(duty_));
	}

	static bmd::NewAlert seed(std::size_t device, Priority priority = Priority::medium)
	{
		bmd::NewAlert seed;
		seed.device = bmd::find_device("D" + std::to_string(device));
		seed.metric = bmd::find_metric("SpO2")->id;
		seed.priority = priority;
		seed.value = 80;
		seed.limit = 90;
		seed.onset_at = 1;
		return seed;
	}
	static Index raise(std::size_t device, Priority priority = Priority::medium)
	{
		return bmd::raise_alert(seed(device, priority));
	}

	bmd::Escalator escalator;

	// Rounds of the process, with everything stored at once, for so long.
	void run(int milliseconds)
	{
		const TimeUs until = bmd::mono_now() + milliseconds * TimeUs{1000};
		do {
			escalator.round(2);
			store()->escalations.release(store()->escalations.head());
			escalator.round(0);
		} while(bmd::mono_now() < until);
	}

	// Waits until so many steps have begun.
	std::uint32_t begun(Index alert, std::uint32_t wanted, int milliseconds = 8000)
	{
		for(int n = 0; n < milliseconds / 20 && store()->escalation[alert].begun < wanted; ++n)
			run(20);
		return store()->escalation[alert].begun;
	}

private:
	static inline std::uint64_t stores = 0;
	bmd::Duty duty_;
	std::int32_t policies_ = 0;
};

} // namespace bmd_test
