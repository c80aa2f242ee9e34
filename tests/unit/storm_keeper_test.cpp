/// @file storm_keeper_test.cpp  Unit tests of storms in the book: many devices fall silent, some
/// come back.  SPDX-License-Identifier: GPL-2.0-or-later

#include "storm_keeper.hpp"

#include <map>
#include <unistd.h>

#include "bed.hpp"
#include "changes.hpp"
#include "documents.hpp"
#include "escalation_wanted.hpp"
#include "recipients.hpp"
#include "suppress.hpp"
#include "whom.hpp"

namespace {

using bmd::Condition;
using bmd::Index;
using bmd::second_us;
using bmd::store;
using bmd::Suppression;

constexpr int devices = 12; // of one collector; ann is responsible for six of them, bob for all

// A store with devices that have been heard, and a keeper.
class Ward
{
public:
	Ward()
	{
		bmd::Limits limits;
		limits.devices = 32;
		limits.feeds = 4;
		limits.alerts = 64;
		limits.journal_bytes = 1U << 16;
		limits.alert_events = 1024;
		limits.changes = 1024;
		limits.subscriptions = 4;
		std::size_t needed = 0;
		CU_ASSERT(bmd::create_store(limits, needed) != nullptr);
		store()->settings.reopen.store(60 * second_us);
		store()->settings.storm_devices.store(10);
		store()->settings.storm_site_devices.store(20);
		store()->settings.storm_window.store(30 * second_us);
		store()->settings.storm_rest.store(120 * second_us);
		(void)bmd::put_type({"T", 60 * second_us}, 1);
		(void)bmd::find_collector("ward-3", true);
		bmd::FeedChanges changes;
		for(const char *name : {"ann", "bob"})
			CU_ASSERT(bmd::put_person(name, {}, changes));
		for(int i = 0; i < devices; ++i)
			add(i, changes);
	}
	Ward(const Ward &) = delete;
	Ward &operator=(const Ward &) = delete;
	~Ward() { bmd::release_store(); }

	static std::string serial(int i) { return "D" + std::to_string(i); }
	static Index device(int i) { return bmd::find_device(serial(i)); }
	static void silence(int i) { store()->heard[device(i)].mono.store(1); }
	static void hear(int i)
	{
		const std::shared_lock<bmd::RwLock> registry(store()->registry_lock);
		const std::lock_guard<bmd::Mutex> guard(store()->stripe[device(i) % bmd::stripes]);
		if(bmd::device_heard(device(i), bmd::wall_now()))
			bmd::match_suppression(device(i), bmd::wall_now());
	}
	void look() { keeper_.round(); }
	// As if a second had passed: what changed in a storm is told again.
	void look_later()
	{
		usleep(1'050'000);
		keeper_.round();
	}

	static Index storm()
	{
		for(Index i = store()->open_head; i != 0; i = store()->alerts[i].next_open)
			if(store()->alerts[i].condition == Condition::storm)
				return i;
		return 0;
	}
	static bmd::AlertRec &stale(int i)
	{
		return store()->alerts[store()->devices[device(i)].stale_alert];
	}
	static bmd::AlertView told(const char *feed)
	{
		const std::shared_lock<bmd::RwLock> registry(store()->registry_lock);
		bmd::AlertView view;
		const bmd::AlertRec rec = store()->alerts[storm()];
		bmd::describe_storm(rec, feed, view);
		return view;
	}

private:
	static void add(int i, bmd::FeedChanges &changes)
	{
		bmd::DeviceRow row;
		const std::string name = serial(i);
		row.database_id = i + 1;
		row.serial = name;
		row.type = "T";
		row.enabled = row.seen = true;
		const Index added = bmd::put_device(row, 1);
		CU_ASSERT(added != 0);
		store()->devices[added].last_source = bmd::hash_name("ward-3");
		CU_ASSERT(bmd::put_member("bob", name, 1, changes));
		if(i < devices / 2)
			CU_ASSERT(bmd::put_member("ann", name, 1, changes));
	}

	bmd::StormKeeper keeper_;
};

void many_devices_of_one_collector_are_one_alert_that_each_sees_as_its_own()
{
	Ward ward;
	for(int i = 0; i < 10; ++i)
		Ward::silence(i);
	ward.look();
	CU_ASSERT(Ward::storm() != 0);
	if(Ward::storm() == 0)
		return;
	BMD_EQUAL(std::string(store()->alerts[Ward::storm()].serial), "@ward-3");
	BMD_EQUAL(store()->alerts[Ward::storm()].mutes, 10U);
	BMD_EQUAL(store()->open_count, 11U);
	CU_ASSERT(Ward::stale(0).response.suppressed == Suppression::storm);
	CU_ASSERT(!Ward::stale(0).told);
	BMD_EQUAL(Ward::told("bob").devices, 10U);
	BMD_EQUAL(Ward::told("ann").devices, 6U);
	BMD_EQUAL(Ward::told("ann").some.size(), 6U);
	BMD_EQUAL(Ward::told("ann").cause, "collector ward-3");
	CU_ASSERT(bmd::may_answer("ann", store()->alerts[Ward::storm()]));
	CU_ASSERT(!bmd::may_answer("eve", store()->alerts[Ward::storm()]));
}

void too_few_are_told_one_by_one_and_join_when_there_are_enough()
{
	Ward ward;
	for(int i = 0; i < 9; ++i)
		Ward::silence(i);
	ward.look();
	CU_ASSERT(Ward::storm() == 0);
	CU_ASSERT(Ward::stale(8).told);
	Ward::silence(9);
	ward.look();
	CU_ASSERT(Ward::storm() != 0);
	CU_ASSERT(Ward::stale(8).response.suppressed == Suppression::storm);
	CU_ASSERT(!bmd::told_by_storm(Ward::stale(8)));
	CU_ASSERT(bmd::told_by_storm(Ward::stale(9)));
}

void somebody_who_sees_to_a_device_keeps_its_alert()
{
	Ward ward;
	Ward::silence(0);
	ward.look();
	const auto accepted =
			bmd_test::answer(bmd::code_text(Ward::stale(0).code), bmd::Act::accept, "bob");
	BMD_EQUAL(accepted.status, 200);
	for(int i = 1; i < devices; ++i)
		Ward::silence(i);
	ward.look();
	CU_ASSERT(Ward::stale(0).response.suppressed == Suppression::none);
	BMD_EQUAL(Ward::told("bob").devices, 11U);
}

void who_comes_back_leaves_and_the_last_ones_are_told_by_themselves()
{
	Ward ward;
	for(int i = 0; i < devices; ++i)
		Ward::silence(i);
	ward.look();
	for(int i = 0; i < 6; ++i)
		Ward::hear(i);
	ward.look_later();
	CU_ASSERT(Ward::storm() != 0);
	BMD_EQUAL(Ward::told("bob").devices, 6U);
	CU_ASSERT(Ward::told("ann").state == bmd::AlertState::cleared);
	for(int i = 6; i < 10; ++i)
		Ward::hear(i);
	ward.look_later();
	CU_ASSERT(Ward::storm() == 0);
	BMD_EQUAL(store()->open_count, 2U);
	CU_ASSERT(Ward::stale(10).response.suppressed == Suppression::none && Ward::stale(10).told);
	BMD_EQUAL(bmd::storms_open(), 0U);
	// the same once more within the time in which an alert comes back
	for(int i = 0; i < 10; ++i)
		Ward::silence(i);
	const auto raised = store()->counters[bmd::count_alerts_reopened].load();
	ward.look();
	CU_ASSERT(Ward::storm() != 0);
	CU_ASSERT(store()->counters[bmd::count_alerts_reopened].load() > raised);
}

void a_device_without_room_in_the_book_is_counted_all_the_same()
{
	Ward ward;
	store()->alerts.size = 8; // of which one is for what is urgent
	for(int i = 0; i < devices; ++i)
		Ward::silence(i);
	ward.look();
	BMD_EQUAL(Ward::told("bob").devices, static_cast<std::uint32_t>(devices));
	Ward::hear(11);
	Ward::hear(10);
	ward.look_later();
	BMD_EQUAL(Ward::told("bob").devices, static_cast<std::uint32_t>(devices - 2));
}

void a_storm_outlives_the_server()
{
	Ward ward;
	for(int i = 0; i < devices; ++i)
		Ward::silence(i);
	ward.look();
	const bmd::Uuid id = store()->alerts[Ward::storm()].id;
	std::map<int, bmd::Uuid> parts;
	for(int i = 0; i < devices; ++i) {
		parts[i] = bmd::storm_of(Ward::stale(i));
		CU_ASSERT(parts[i] == id);
	}
	// what a new server has after it has loaded the alerts
	for(int i = 0; i < devices; ++i) {
		store()->devices[Ward::device(i)].storm.store(0);
		store()->heard[Ward::device(i)].mono.store(bmd::mono_now());
		bmd::remember_member(store()->devices[Ward::device(i)].stale_alert, parts[i]);
	}
	store()->storms[1] = bmd::StormRec{};
	bmd::restore_storms();
	BMD_EQUAL(Ward::told("bob").devices, static_cast<std::uint32_t>(devices));
	BMD_EQUAL(Ward::told("ann").devices, 6U);
	CU_ASSERT(Ward::stale(0).response.suppressed == Suppression::storm);
	bmd::StormKeeper again;
	again.round();
	BMD_EQUAL(Ward::told("bob").devices, static_cast<std::uint32_t>(devices));
	CU_ASSERT(store()->alerts[Ward::storm()].id == id);
}

void who_accepts_a_storm_sees_the_own_devices_then_what_is_left_and_can_hand_it_back()
{
	Ward ward;
	for(int i = 0; i < devices; ++i)
		Ward::silence(i);
	ward.look();
	const std::string code = bmd::code_text(store()->alerts[Ward::storm()].code);
	BMD_EQUAL(bmd_test::answer(code, bmd::Act::accept, "ann").status, 200);
	BMD_EQUAL(Ward::told("ann").devices, 6U);
	for(int i = 0; i < 6; ++i)
		Ward::hear(i);
	ward.look_later();
	CU_ASSERT(Ward::told("ann").state == bmd::AlertState::active);
	BMD_EQUAL(Ward::told("ann").devices, 6U); // bob's
	BMD_EQUAL(bmd_test::answer(code, bmd::Act::reject, "ann").status, 200);
}

void escalation_knows_nothing_of_a_storm_until_its_devices_are_marked()
{
	Ward ward;
	for(int i = 0; i < devices; ++i)
		Ward::silence(i);
	ward.look();
	const bmd::AlertRec storm = store()->alerts[Ward::storm()];
	const std::shared_lock<bmd::RwLock> registry(store()->registry_lock);
	const auto ties = bmd::ties_of(storm);
	CU_ASSERT(ties && ties->responsible.size() == 2 && ties->orphans);
	store()->storms[1].ready = false;
	CU_ASSERT(!bmd::ties_of(storm));
}

void feeds_of_people_list_the_storm_and_not_its_devices()
{
	Ward ward;
	for(int i = 0; i < devices; ++i)
		Ward::silence(i);
	ward.look();
	const std::shared_lock<bmd::RwLock> registry(store()->registry_lock);
	const auto alerts = bmd::feed_alerts("bob");
	BMD_EQUAL(alerts.size(), 1U);
	CU_ASSERT(!alerts.empty() && alerts[0].condition == Condition::storm);
	CU_ASSERT(bmd::escalation_wanted(Ward::stale(0)) == bmd::Wanted::rest);
}

CU_TestInfo cases[] = {
		BMD_CASE(many_devices_of_one_collector_are_one_alert_that_each_sees_as_its_own),
		BMD_CASE(too_few_are_told_one_by_one_and_join_when_there_are_enough),
		BMD_CASE(somebody_who_sees_to_a_device_keeps_its_alert),
		BMD_CASE(who_comes_back_leaves_and_the_last_ones_are_told_by_themselves),
		BMD_CASE(a_device_without_room_in_the_book_is_counted_all_the_same),
		BMD_CASE(who_accepts_a_storm_sees_the_own_devices_then_what_is_left_and_can_hand_it_back),
		BMD_CASE(escalation_knows_nothing_of_a_storm_until_its_devices_are_marked),
		BMD_CASE(feeds_of_people_list_the_storm_and_not_its_devices),
		BMD_CASE(a_storm_outlives_the_server), CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo storm_keeper_suite;
const CU_SuiteInfo storm_keeper_suite = BMD_SUITE("storm_keeper", cases);
