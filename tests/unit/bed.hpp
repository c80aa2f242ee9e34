/// @file bed.hpp  A store with a device whose readings and alerts a test follows.
/// SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include <mutex>
#include <shared_mutex>
#include <string>

#include "answer.hpp"
#include "bmd/code.hpp"
#include "book.hpp"
#include "evaluate.hpp"
#include "registry.hpp"
#include "suites.hpp"

namespace bmd_test {

using bmd::Act;
using bmd::Index;
using bmd::Priority;
using bmd::second_us;
using bmd::store;
using bmd::TimeUs;

// A store with two devices, and with what becomes of the alert of the first.
class Bed
{
public:
	Bed()
	{
		bmd::Limits limits;
		limits.devices = 4;
		limits.feeds = 4;
		limits.alerts = 40;
		limits.journal_bytes = 1U << 16;
		limits.alert_events = 1024;
		limits.changes = 1024;
		limits.subscriptions = 4;
		std::size_t needed = 0;
		CU_ASSERT(bmd::create_store(limits, needed) != nullptr);
		store()->settings.reopen.store(60 * second_us);
		store()->settings.silence.store(900 * second_us);
		store()->settings.silence_high.store(120 * second_us);
		(void)bmd::put_type({"T", 1'000'000}, 1);
		for(const char *serial : {"D0", "D1"}) {
			bmd::DeviceRow row;
			row.database_id = serial[1] - '0' + 1;
			row.serial = serial;
			row.type = "T";
			row.enabled = true;
			CU_ASSERT(bmd::put_device(row, 1) != 0);
		}
		bmd::FeedChanges changes;
		CU_ASSERT(bmd::put_person("ann", {}, changes));
	}
	Bed(const Bed &) = delete;
	Bed &operator=(const Bed &) = delete;
	~Bed() { bmd::release_store(); }

	[[nodiscard]] static Index device() { return bmd::find_device("D0"); }
	[[nodiscard]] static Index alert() { return store()->devices[device()].first_alert; }
	[[nodiscard]] static bmd::AlertRec &rec() { return store()->alerts[alert()]; }

	static void rule(bmd::Rule rule, std::uint16_t fields = 511)
	{
		bmd::RuleRec rec;
		rec.metric = bmd::find_metric("SpO2")->id;
		rec.rule = rule;
		rec.fields = fields;
		const bmd::RuleRec rules[] = {rec};
		CU_ASSERT(bmd::put_device_limits(device(), rules));
	}
	static void no_rule() { CU_ASSERT(bmd::put_device_limits(device(), {})); }

	void reads(double value, TimeUs later = second_us)
	{
		at_ += later;
		bmd::Reading reading{};
		reading.metric = bmd::find_metric("SpO2")->id;
		reading.kind = bmd::ReadingKind::value;
		reading.value = value;
		const std::shared_lock<bmd::RwLock> registry(store()->registry_lock);
		const std::lock_guard<bmd::Mutex> stripe(store()->stripe[device() % bmd::stripes]);
		(void)bmd::take_reading(device(), reading, bmd::Moment{at_, at_, at_});
	}

	// The changes of alerts since the last call: "raised cleared ...", or "raised/why/who ...".
	std::string told(bool reasons = false)
	{
		std::string text;
		std::uint64_t at = store()->alert_events.tail();
		while(const void *slot = store()->alert_events.next(at)) {
			const auto *event = static_cast<const bmd::AlertEvent *>(slot);
			text += (text.empty() ? "" : " ") + std::string(event->event);
			if(reasons)
				text += "/" + std::string(event->why) + "/" + event->who;
		}
		store()->alert_events.release(at);
		return text;
	}

private:
	TimeUs at_ = 1'000'000'000'000'000;
};

// A rule with this lower limit.
inline bmd::Rule low(double limit, Priority priority = Priority::medium)
{
	bmd::Rule rule;
	rule.low = limit;
	rule.priority = priority;
	return rule;
}

// An operator's answer.
inline bmd::Answered answer(std::string_view code, Act act, std::string_view who,
		bmd::Outcome outcome = bmd::Outcome::none, std::string_view why = "test")
{
	bmd::AnswerTo to;
	to.alert = code;
	to.answer.act = act;
	to.answer.who = who;
	to.answer.outcome = outcome;
	to.answer.until = 10 * second_us;
	to.through = "kamcmd";
	to.why = why;
	to.entitled = true;
	return bmd::answer_alert(to);
}

inline std::string code_of(Index alert)
{
	return bmd::code_text(store()->alerts[alert].code);
}

} // namespace bmd_test
