/// @file escalate_test.cpp  Unit tests of the process that escalates: the real one, on a store
/// without a database.  SPDX-License-Identifier: GPL-2.0-or-later

#include "escalate.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "answer.hpp"
#include "book.hpp"
#include "duty_text.hpp"
#include "failing_memory.hpp"
#include "recipients.hpp"
#include "registry.hpp"
#include "rejections.hpp"
#include "slots.hpp"
#include "suites.hpp"

namespace {

using bmd::Act;
using bmd::Index;
using bmd::Priority;
using bmd::second_us;
using bmd::store;
using bmd::TimeUs;
using bmd::Whom;

constexpr TimeUs hour = 3600 * second_us;

bmd::EscalationStep to_person(TimeUs after, const char *name, std::uint8_t how = bmd::how_message)
{
	return {after, Whom::person, name, how};
}

// A store with devices that tech0 is responsible for, and ten technicians.
class Hospital
{
public:
	explicit Hospital(std::size_t devices = 4, std::size_t rows = 1024)
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

int answer(Index alert, Act act, std::string_view who)
{
	const std::string id = bmd::to_string(store()->alerts[alert].id);
	bmd::AnswerTo to;
	to.alert = id;
	to.answer.act = act;
	to.answer.who = who;
	to.through = "test";
	to.entitled = true;
	return bmd::answer_alert(to).status;
}

int reject(Index alert, std::string_view who)
{
	return answer(alert, Act::reject, who);
}

// Whom the last row of each step names, "2:tech1,tech2 3:" and so on, since the last call.
std::string rows()
{
	std::string text;
	std::string feeds;
	std::uint64_t at = store()->escalations.tail();
	while(const void *slot = store()->escalations.next(at)) {
		const auto *row = static_cast<const bmd::EscalationRow *>(slot);
		if(row->feed[0] != '\0') {
			feeds += (feeds.empty() ? "" : ",") + std::string(row->feed);
			continue;
		}
		text += (text.empty() ? "" : " ") + std::to_string(row->number) + ":" + feeds;
		feeds.clear();
	}
	store()->escalations.release(at);
	return text;
}

// The rows of the steps that begin within so long.
std::string rows_within(Hospital &hospital, int milliseconds)
{
	std::string text;
	const TimeUs until = bmd::mono_now() + milliseconds * TimeUs{1000};
	do {
		hospital.escalator.round(5);
		const std::string more = rows();
		text += (text.empty() || more.empty() ? "" : " ") + more;
	} while(bmd::mono_now() < until);
	return text;
}

// Those of the next steps, which come within some seconds.
std::string next_rows(Hospital &hospital, std::size_t steps)
{
	std::string text;
	const TimeUs until = bmd::mono_now() + 10 * second_us;
	while(std::ranges::count(text, ':') < static_cast<std::ptrdiff_t>(steps)
			&& bmd::mono_now() < until) {
		const std::string more = rows_within(hospital, 5);
		text += (text.empty() || more.empty() ? "" : " ") + more;
	}
	return text;
}

void an_alert_that_comes_back_is_found_at_any_moment()
{
	Hospital hospital;
	hospital.policy({to_person(hour, "tech1")});
	const Index alert = Hospital::raise(0);
	hospital.run(10);
	CU_ASSERT(store()->escalation[alert].due != 0);
	CU_ASSERT(bmd::condition_gone(alert, false, bmd::wall_now()));
	hospital.run(1100);
	BMD_EQUAL(store()->escalation[alert].due, 0);
	const bmd::KeptKey key{"D0", bmd::find_metric("SpO2")->id, bmd::Condition::low};
	BMD_EQUAL(bmd::take_back(key, 0, 0, bmd::find_device("D0")), alert);
	hospital.run(10); // before the intake has gone on
	bmd::reopen_alert(alert, Hospital::seed(0));
	hospital.run(10);
	CU_ASSERT(store()->escalation[alert].due != 0);
	CU_ASSERT(store()->alerts[alert].cleared_at == 0);
}

void an_open_alert_that_was_passed_over_is_found_within_seconds()
{
	Hospital hospital;
	hospital.policy({to_person(0, "tech1")});
	hospital.run(10);
	const Index alert = Hospital::raise(0);
	store()->escalation[alert].opened = 0; // as if it had been seen
	hospital.run(10);
	BMD_EQUAL(store()->escalation[alert].begun, 0U);
	BMD_EQUAL(hospital.begun(alert, 1), 1U);
}

void what_a_slot_kept_of_another_alert_makes_no_step()
{
	Hospital hospital;
	hospital.policy({to_person(hour, "tech1")});
	const Index alert = Hospital::raise(0);
	store()->escalation[alert].flags.fetch_or(bmd::escalation_unfinished);
	hospital.run(400);
	BMD_EQUAL(store()->escalation[alert].begun, 0U);
	BMD_EQUAL(store()->alerts[alert].revision, 1U);
	BMD_EQUAL(store()->escalation[alert].flags.load(), 0U);
}

// Each alert of a series meets one allocation that fails, each time a later one.
void no_failure_ends_an_escalation_or_begins_a_step_twice()
{
	constexpr std::size_t alerts = 60;
	Hospital hospital(alerts, 4096);
	hospital.policy({{0, Whom::responsible, {}, bmd::how_message}, to_person(1000, "tech1"),
			to_person(hour, "tech2")});
	hospital.run(10);
	std::size_t failed = 0;
	for(std::size_t n = 0; n < alerts; ++n) {
		(void)Hospital::raise(n);
		const bmd_test::FailingMemory memory(static_cast<int>(n));
		hospital.escalator.round(0);
		store()->escalations.release(store()->escalations.head());
		hospital.escalator.round(0);
		hospital.escalator.round(0);
		failed += bmd_test::FailingMemory::failed() ? 1 : 0;
	}
	CU_ASSERT(failed > 15);
	CU_ASSERT(store()->counters[bmd::count_escalation_failures].load() > 0);
	hospital.run(4500); // the sweep, and a second
	std::size_t well = 0;
	for(std::size_t n = 0; n < alerts; ++n) {
		const Index alert = store()->devices[bmd::find_device("D" + std::to_string(n))].first_alert;
		const bmd::AlertRec &rec = store()->alerts[alert];
		// raised, escalated
		well += store()->escalation[alert].begun == 2 && rec.response.step == 2 && rec.revision == 2
								&& store()->escalation[alert].due != 0
						? 1
						: 0;
	}
	BMD_EQUAL(well, alerts);
}

void rosters_are_read_again_after_a_failure()
{
	const Hospital hospital;
	bmd::Duty duty;
	for(int n = 0; n < 40; ++n) {
		duty.default_team = "team " + std::to_string(n);
		duty.teams = {{1, duty.default_team, {"somebody with a long name", "and another one"}}};
		CU_ASSERT(bmd::publish_duty(duty));
		try {
			const bmd_test::FailingMemory memory(n);
			(void)bmd::duty_now();
		} catch(const std::bad_alloc &) {
		}
		BMD_EQUAL(bmd::duty_now()->default_team, duty.default_team);
	}
}

void many_overdue_alerts_wait_for_the_writer_the_most_urgent_first()
{
	constexpr std::size_t alerts = 60;
	Hospital hospital(alerts, 64);
	hospital.policy({{0, Whom::team, "all", bmd::how_subscribe}});
	store()->database_up.store(1);
	for(std::size_t n = 0; n < alerts; ++n)
		(void)Hospital::raise(n, n < alerts / 2 ? Priority::low : Priority::high);
	std::string order;
	std::string known;
	const TimeUs until = bmd::mono_now() + 5 * second_us;
	const auto take = [&](std::size_t most) { // as the writer does
		std::uint64_t at = store()->escalations.tail();
		for(std::size_t n = 0; n < most; ++n) {
			const auto *row =
					static_cast<const bmd::EscalationRow *>(store()->escalations.next(at));
			if(row == nullptr)
				break;
			if(row->feed[0] == '\0')
				order += bmd::find_by_id(row->alert) > alerts / 2 ? 'h' : 'l';
		}
		store()->escalations.release(at);
	};
	while(order.size() < alerts && bmd::mono_now() < until) {
		hospital.escalator.round(1);
		take(40);
		if(order.size() == 6)
			known = std::to_string(store()->counters[bmd::count_escalation_steps].load());
	}
	BMD_EQUAL(order, std::string(alerts / 2, 'h') + std::string(alerts / 2, 'l'));
	BMD_EQUAL(store()->counters[bmd::count_escalation_rows_lost].load(), 0U);
}

void a_database_that_has_stopped_holds_nobody_up()
{
	constexpr std::size_t alerts = 30;
	Hospital hospital(alerts, 64);
	hospital.policy({{0, Whom::team, "all", bmd::how_subscribe}});
	store()->database_up.store(1);
	for(std::size_t n = 0; n < alerts; ++n)
		(void)Hospital::raise(n);
	const TimeUs until = bmd::mono_now() + 2 * second_us;
	const auto &steps = store()->counters[bmd::count_escalation_steps];
	while(steps.load() < alerts && bmd::mono_now() < until)
		hospital.escalator.round(1);
	BMD_EQUAL(steps.load(), alerts);
	CU_ASSERT(bmd::mono_now() < until);
}

void a_rejection_counts_once_and_gives_the_next_people_their_time()
{
	Hospital hospital;
	hospital.policy({{0, Whom::responsible, {}, bmd::how_subscribe}, to_person(hour, "tech1"),
			to_person(2 * hour, "tech2"), to_person(3 * hour, "tech3")});
	const Index alert = Hospital::raise(0);
	BMD_EQUAL(hospital.begun(alert, 1), 1U);
	for(int n = 0; n < 5; ++n) {
		BMD_EQUAL(reject(alert, "tech0"), 200);
		hospital.run(130);
	}
	BMD_EQUAL(store()->escalation[alert].begun, 2U);
	BMD_EQUAL(store()->alerts[alert].revision, 3U); // raised, rejected, escalated
	BMD_EQUAL(reject(alert, "tech5"), 200);         // whom nobody has asked
	hospital.run(250);
	BMD_EQUAL(store()->escalation[alert].begun, 2U);
	BMD_EQUAL(reject(alert, "tech1"), 200);
	BMD_EQUAL(hospital.begun(alert, 3), 3U);
	BMD_EQUAL(reject(alert, "tech1"), 200);
	hospital.run(250);
	BMD_EQUAL(store()->escalation[alert].begun, 3U);
}

void a_rejection_before_the_first_step_waits_for_it()
{
	Hospital hospital;
	hospital.policy({{0, Whom::responsible, {}, bmd::how_subscribe}, to_person(hour, "tech1"),
			to_person(2 * hour, "tech2")});
	const Index alert = Hospital::raise(0);
	BMD_EQUAL(reject(alert, "tech0"), 200);
	BMD_EQUAL(hospital.begun(alert, 2), 2U);
	hospital.run(300);
	BMD_EQUAL(store()->escalation[alert].begun, 2U);
}

void who_rejected_is_spared_until_all_have()
{
	Hospital hospital;
	hospital.policy(
			{to_person(0, "tech1"), {0, Whom::team, "all", bmd::how_message}}, 3 * second_us);
	const Index alert = Hospital::raise(0);
	BMD_EQUAL(next_rows(hospital, 2), "1:tech1 2:tech1,tech2,tech3,tech4,tech5,tech6,tech7,tech8");
	for(const char *who : {"tech2", "tech3", "tech8"})
		BMD_EQUAL(reject(alert, who), 200);
	BMD_EQUAL(rows_within(hospital, 250), ""); // a repetition is not hastened
	BMD_EQUAL(next_rows(hospital, 1), "3:tech1,tech4,tech5,tech6,tech7");
	for(const char *who : {"tech1", "tech4", "tech5", "tech6", "tech7"})
		BMD_EQUAL(reject(alert, who), 200);
	BMD_EQUAL(next_rows(hospital, 1), "4:tech1,tech2,tech3,tech4,tech5,tech6,tech7,tech8");
	CU_ASSERT(!bmd::has_rejected(alert, "tech2"));
}

void a_step_for_those_alone_who_rejected_goes_on_at_once()
{
	Hospital hospital;
	hospital.policy({{0, Whom::responsible, {}, bmd::how_subscribe}, to_person(hour, "tech0"),
			to_person(2 * hour, "tech1"), to_person(3 * hour, "tech2")});
	const Index alert = Hospital::raise(0);
	BMD_EQUAL(next_rows(hospital, 1), "1:");
	BMD_EQUAL(reject(alert, "tech0"), 200);
	BMD_EQUAL(next_rows(hospital, 2), "2: 3:tech1");
}

void who_is_alone_and_rejects_is_asked_again_when_the_step_repeats()
{
	Hospital hospital;
	hospital.policy({{0, Whom::responsible, {}, bmd::how_subscribe}, to_person(hour, "tech0")},
			2 * second_us);
	const Index alert = Hospital::raise(0);
	BMD_EQUAL(next_rows(hospital, 1), "1:");
	BMD_EQUAL(reject(alert, "tech0"), 200);
	BMD_EQUAL(rows_within(hospital, 300), "2:");
	BMD_EQUAL(next_rows(hospital, 1), "3:tech0");
}

void what_is_handed_back_goes_on_at_once_also_when_all_had_been_called()
{
	Hospital hospital;
	hospital.policy({{0, Whom::team, "all", bmd::how_message}});
	const Index alert = Hospital::raise(0);
	BMD_EQUAL(hospital.begun(alert, 1), 1U);
	BMD_EQUAL(answer(alert, Act::accept, "tech3"), 200);
	hospital.run(200);
	BMD_EQUAL(reject(alert, "tech3"), 200);
	BMD_EQUAL(next_rows(hospital, 1), "2:tech1,tech2,tech4,tech5,tech6,tech7,tech8");
	for(int n = 0; n < 2; ++n) { // not again and again
		BMD_EQUAL(answer(alert, Act::accept, "tech3"), 200);
		BMD_EQUAL(reject(alert, "tech3"), 200);
		BMD_EQUAL(rows_within(hospital, 250), "");
	}
}

void who_rejected_something_less_urgent_is_asked_again()
{
	Hospital hospital;
	hospital.policy({to_person(hour, "tech1")});
	const Index alert = Hospital::raise(0, Priority::low);
	hospital.run(10);
	BMD_EQUAL(reject(alert, "tech0"), 200);
	CU_ASSERT(bmd::has_rejected(alert, "tech0"));
	bmd::change_priority(alert, Priority::high, 1, 1);
	hospital.run(1200);
	CU_ASSERT(!bmd::has_rejected(alert, "tech0"));
}

void who_comes_later_is_found_though_the_repetition_is_far()
{
	Hospital hospital;
	hospital.policy({to_person(0, "zoe")}, 24 * hour);
	const Index alert = Hospital::raise(0);
	hospital.run(50);
	const bmd::EscalationRec &rec = store()->escalation[alert];
	CU_ASSERT((rec.flags.load() & bmd::escalation_nobody) != 0);
	CU_ASSERT(rec.due <= bmd::mono_now() + 60 * second_us);
	const std::uint32_t before = rec.begun;
	bmd::FeedChanges changes;
	CU_ASSERT(bmd::put_person("zoe", {}, changes));
	bmd::count(bmd::count_sync_changes);
	BMD_EQUAL(hospital.begun(alert, before + 1), before + 1);
	CU_ASSERT(bmd::is_recipient(store()->alerts[alert].id, bmd::find_feed("zoe")));
}

void many_alerts_that_end_together_leave_no_recipients()
{
	constexpr std::size_t alerts = 100;
	Hospital hospital(alerts, 4096);
	hospital.policy({{0, Whom::team, "all", bmd::how_subscribe}});
	for(std::size_t n = 0; n < alerts; ++n)
		(void)Hospital::raise(n);
	hospital.run(100);
	const Index tech1 = bmd::find_feed("tech1");
	BMD_EQUAL(bmd::escalated_to(tech1).size(), alerts);
	for(const bmd::Escalated &one : bmd::escalated_to(tech1)) // the newest first
		bmd::forget_recipients(one.alert);
	BMD_EQUAL(bmd::escalated_to(tech1).size(), 0U);
	BMD_EQUAL(bmd::escalated_to(bmd::find_feed("tech8")).size(), 0U);
}

CU_TestInfo cases[] = {BMD_CASE(an_alert_that_comes_back_is_found_at_any_moment),
		BMD_CASE(an_open_alert_that_was_passed_over_is_found_within_seconds),
		BMD_CASE(what_a_slot_kept_of_another_alert_makes_no_step),
		BMD_CASE(no_failure_ends_an_escalation_or_begins_a_step_twice),
		BMD_CASE(rosters_are_read_again_after_a_failure),
		BMD_CASE(many_overdue_alerts_wait_for_the_writer_the_most_urgent_first),
		BMD_CASE(a_database_that_has_stopped_holds_nobody_up),
		BMD_CASE(a_rejection_counts_once_and_gives_the_next_people_their_time),
		BMD_CASE(a_rejection_before_the_first_step_waits_for_it),
		BMD_CASE(who_rejected_is_spared_until_all_have),
		BMD_CASE(a_step_for_those_alone_who_rejected_goes_on_at_once),
		BMD_CASE(who_is_alone_and_rejects_is_asked_again_when_the_step_repeats),
		BMD_CASE(what_is_handed_back_goes_on_at_once_also_when_all_had_been_called),
		BMD_CASE(who_rejected_something_less_urgent_is_asked_again),
		BMD_CASE(who_comes_later_is_found_though_the_repetition_is_far),
		BMD_CASE(many_alerts_that_end_together_leave_no_recipients), CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo escalate_suite;
const CU_SuiteInfo escalate_suite = BMD_SUITE("escalate", cases);
