/// @file registry_test.cpp  Unit tests of devices, texts and memberships in the store.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Random operations, compared with a plain model after each.

#include "registry.hpp"

#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "suites.hpp"

namespace {

using bmd::FeedChanges;
using bmd::Index;
using bmd::store;

constexpr std::size_t devices = 40;
constexpr std::size_t rounds = 20'000;

// A store of its own for each case: small, so that tables run full.
class SmallStore
{
public:
	SmallStore()
	{
		bmd::Limits limits;
		limits.devices = devices;
		limits.texts = 60;
		limits.rules = 30;
		limits.feeds = 12;
		limits.members = 100;
		limits.groups = 10;
		limits.alerts = 16;
		limits.journal_bytes = 1U << 16;
		limits.alert_events = 16;
		limits.changes = 16;
		limits.subscriptions = 16;
		std::size_t needed = 0;
		CU_ASSERT(bmd::create_store(limits, needed) != nullptr);
		store()->loaded = true;
		type_ = bmd::put_type({"T", 1'000'000}, 1);
	}
	SmallStore(const SmallStore &) = delete;
	SmallStore &operator=(const SmallStore &) = delete;
	~SmallStore() { bmd::release_store(); }
	[[nodiscard]] Index type() const { return type_; }

private:
	Index type_ = 0;
};

std::string serial(std::size_t i)
{
	return "D" + std::to_string(i);
}

Index put(std::size_t i, std::string_view location = {}, std::int64_t patient = 0)
{
	bmd::DeviceRow row;
	const std::string name = serial(i);
	row.serial = name;
	row.type = "T";
	row.location = location;
	row.patient = patient;
	return bmd::put_device(row, 1);
}

template <class T> std::size_t taken(const bmd::Table<T> &table, Index T::*next)
{
	std::size_t used = table.used;
	for(Index i = table.free; i != 0; i = table[i].*next)
		--used;
	return used;
}

// What the store says a feed carries, by the feed's list; checks that the links agree.
std::set<std::string> carried(Index feed)
{
	const bmd::Store &s = *store();
	std::set<std::string> serials;
	Index prev = 0;
	for(Index e = s.feeds[feed].first_device; e != 0; e = s.members[e].next_of_feed) {
		CU_ASSERT(s.members[e].prev_of_feed == prev);
		CU_ASSERT(s.members[e].feed == feed);
		CU_ASSERT(serials.insert(s.devices[s.members[e].device].serial).second);
		prev = e;
	}
	return serials;
}

using Model = std::map<std::string, std::set<std::string>>; // feed: serial numbers

bool agrees(const Model &model)
{
	const bmd::Store &s = *store();
	std::size_t edges = 0;
	for(const auto &[feed, serials] : model) {
		edges += serials.size();
		const Index i = bmd::find_feed(feed);
		if(serials != (i == 0 ? std::set<std::string>{} : carried(i)))
			return false;
		for(const std::string &name : serials) {
			bool found = false;
			for(Index e = s.devices[bmd::find_device(name)].first_member; e != 0;
					e = s.members[e].next_of_device)
				found = found || s.members[e].feed == i;
			if(!found)
				return false;
		}
	}
	return taken(s.members, &bmd::MemberRec::next_of_device) == edges;
}

const std::vector<std::string> feed_names{"a", "b", "c", "grp.x", "grp.y", "grp.z"};

// The device is from now on in these feeds, as after a reading of its memberships.
void replace_device(std::size_t i, const std::set<std::string> &feeds, Model &model)
{
	FeedChanges changes;
	const std::uint32_t mark = bmd::new_mark();
	std::set<std::string> expected;
	std::set<std::string> showing = feeds; // before or afterwards
	bool group_changed = false;            // which may be another thing to policies and filters
	for(const std::string &feed : feed_names) {
		const bool wanted = feeds.contains(feed);
		if(model[feed].contains(serial(i)))
			showing.insert(feed);
		if(wanted)
			CU_ASSERT(bmd::put_member(feed, serial(i), mark, changes));
		if(wanted == model[feed].contains(serial(i)))
			continue;
		expected.insert(feed);
		expected.insert("dev." + serial(i));
		group_changed = group_changed || feed.starts_with("grp.");
		if(wanted)
			model[feed].insert(serial(i));
		else
			model[feed].erase(serial(i));
	}
	bmd::sweep_members(bmd::find_device(serial(i)), mark, changes);
	if(group_changed)
		expected.merge(showing);
	CU_ASSERT(changes.names() == expected);
}

void replace_feed(const std::string &feed, const std::set<std::string> &serials, Model &model)
{
	FeedChanges changes;
	bmd::RegistryWrite lock;
	const std::uint32_t mark = bmd::new_mark();
	for(const std::string &name : serials)
		CU_ASSERT(bmd::put_member(feed, name, mark, changes));
	if(const Index i = bmd::find_feed(feed); i != 0)
		bmd::sweep_feed(i, mark, lock, changes);
	CU_ASSERT(changes.names().contains(feed) == (model[feed] != serials));
	model[feed] = serials;
}

void a_membership_changed_at_a_time_is_as_if_all_were_built_anew()
{
	const SmallStore small;
	std::mt19937 random(1);
	Model model;
	std::set<std::size_t> there;
	FeedChanges changes;
	for(std::size_t round = 0; round < rounds; ++round) {
		const std::size_t i = random() % 15;
		const auto what = random() % 8;
		if(what == 0 && there.erase(i) > 0) {
			bmd::drop_device(bmd::find_device(serial(i)), changes);
			for(auto &[feed, serials] : model)
				serials.erase(serial(i));
		} else if(what == 1) {
			std::set<std::string> serials;
			for(const std::size_t other : there)
				if(random() % 2)
					serials.insert(serial(other));
			replace_feed(feed_names[random() % feed_names.size()], serials, model);
		} else {
			CU_ASSERT(put(i) != 0);
			there.insert(i);
			std::set<std::string> feeds;
			for(const std::string &feed : feed_names)
				if(random() % 3 == 0)
					feeds.insert(feed);
			replace_device(i, feeds, model);
		}
		if(!agrees(model)) {
			CU_FAIL("the store and the model differ");
			return;
		}
	}
}

void a_group_lives_by_its_devices_and_its_watchers()
{
	const SmallStore small;
	FeedChanges changes;
	bmd::RegistryWrite lock;
	(void)put(1);
	const std::vector<std::string> groups{"grp.x"};
	CU_ASSERT(bmd::put_person("eve", groups, changes));
	CU_ASSERT(bmd::may_watch("eve", "grp.x"));
	CU_ASSERT(bmd::put_member("grp.x", "D1", bmd::new_mark(), changes));
	CU_ASSERT(bmd::put_person("eve", {}, changes));
	CU_ASSERT(!bmd::may_watch("eve", "grp.x"));
	CU_ASSERT(bmd::find_feed("grp.x") != 0);
	bmd::sweep_members(bmd::find_device("D1"), bmd::new_mark(), changes);
	CU_ASSERT(bmd::find_feed("grp.x") == 0);
	CU_ASSERT(changes.names().contains("grp.x"));
	bmd::drop_person(bmd::find_feed("eve"), lock, changes);
	CU_ASSERT(!bmd::may_watch("eve", "eve"));
	BMD_EQUAL(taken(store()->feeds, &bmd::FeedRec::next_hash), 0U);
	BMD_EQUAL(taken(store()->groups, &bmd::GroupRec::next), 0U);
}

void texts_come_back_whole_or_empty_and_leave_nothing_behind()
{
	const SmallStore small;
	std::mt19937 random(2);
	std::vector<bmd::Text> texts(20);
	std::vector<std::string> model(texts.size());
	std::size_t lost = 0;
	for(std::size_t round = 0; round < rounds; ++round) {
		const std::size_t i = random() % texts.size();
		const std::string text(random() % 192, static_cast<char>('a' + random() % 26));
		const bool fits = bmd::put_text(texts[i], text);
		model[i] = fits ? text : "";
		lost += fits ? 0 : 1;
		std::size_t pieces = 0;
		for(std::size_t k = 0; k < texts.size(); ++k) {
			CU_ASSERT(bmd::text_of(texts[k]) == model[k]);
			pieces += (model[k].size() + bmd::text_piece - 1) / bmd::text_piece;
		}
		CU_ASSERT(taken(store()->texts, &bmd::TextChunk::next) == pieces);
	}
	CU_ASSERT(lost > 0);
	BMD_EQUAL(store()->counters[bmd::count_texts_lost_memory].load(), lost);
	char copy[30];
	CU_ASSERT(bmd::put_text(texts[0], ""));
	CU_ASSERT(bmd::put_text(texts[0], "0123456789012345678901234567"));
	bmd::copy_text(copy, sizeof copy, texts[0]);
	BMD_EQUAL(std::string(copy), "0123456789012345678901234567");
	bmd::copy_text(copy, 5, texts[0]);
	BMD_EQUAL(std::string(copy), "0123");
}

void prescribed_values_without_room_leave_the_old_ones_in_force()
{
	const SmallStore small;
	const Index device = put(1);
	std::vector<bmd::RuleRec> rules(30);
	for(std::size_t i = 0; i < rules.size(); ++i) {
		rules[i].metric = static_cast<bmd::MetricId>(i + 1);
		rules[i].rule.low = 80;
		rules[i].fields = bmd::rule_low;
	}
	CU_ASSERT(bmd::put_device_limits(device, rules));
	rules.emplace_back().metric = 31;
	for(bmd::RuleRec &rule : rules)
		rule.rule.low = 70;
	CU_ASSERT(!bmd::put_device_limits(device, rules));
	bmd::Rule rule;
	CU_ASSERT(bmd::rule_in_force(store()->devices[device], 1, rule));
	BMD_EQUAL(rule.low, 80);
	rules.pop_back();
	CU_ASSERT(bmd::put_device_limits(device, rules));
	CU_ASSERT(bmd::rule_in_force(store()->devices[device], 30, rule));
	BMD_EQUAL(rule.low, 70);
	CU_ASSERT(bmd::put_device_limits(device, {}));
	BMD_EQUAL(taken(store()->rules, &bmd::RuleRec::next), 0U);
}

void a_patient_who_is_gone_stays_for_the_devices_that_refer_to_him()
{
	const SmallStore small;
	FeedChanges changes;
	CU_ASSERT(bmd::put_patient({7, "Anna Example", "1 Sample Street"}, 1) != 0);
	const Index device = put(1, "attic", 7);
	bmd::drop_patient(bmd::find_patient(7));
	BMD_EQUAL(
			bmd::text_of(store()->patients[store()->devices[device].patient].name), "Anna Example");
	(void)put(1, "attic", 0);
	CU_ASSERT(bmd::find_patient(7) == 0);
	bmd::drop_type(small.type());
	CU_ASSERT(bmd::find_type("T") != 0);
	bmd::drop_device(device, changes);
	bmd::drop_type(small.type());
	CU_ASSERT(bmd::find_type("T") == 0);
	BMD_EQUAL(taken(store()->texts, &bmd::TextChunk::next), 0U);
	BMD_EQUAL(taken(store()->devices, &bmd::DeviceRec::next_hash), 0U);
}

void devices_without_room_are_refused_and_slots_are_used_again()
{
	const SmallStore small;
	FeedChanges changes;
	for(std::size_t round = 0; round < 3; ++round) {
		for(std::size_t i = 0; i < devices; ++i)
			CU_ASSERT(put(i) != 0);
		CU_ASSERT(put(devices) == 0);
		for(std::size_t i = 0; i < devices; ++i)
			bmd::drop_device(bmd::find_device(serial(i)), changes);
	}
	BMD_EQUAL(taken(store()->devices, &bmd::DeviceRec::next_hash), 0U);
}

void a_million_devices_take_at_most_a_kibibyte_each()
{
	bmd::Limits limits;
	limits.devices = 1'000'000;
	std::size_t needed = 0;
	CU_ASSERT(bmd::create_store(limits, needed) == nullptr);
	// rosters, rules of watchers and policies as text do not grow with the devices
	CU_ASSERT(needed - 3 * limits.duty_bytes <= 1024 * limits.devices);
}

CU_TestInfo cases[] = {BMD_CASE(a_membership_changed_at_a_time_is_as_if_all_were_built_anew),
		BMD_CASE(a_group_lives_by_its_devices_and_its_watchers),
		BMD_CASE(texts_come_back_whole_or_empty_and_leave_nothing_behind),
		BMD_CASE(prescribed_values_without_room_leave_the_old_ones_in_force),
		BMD_CASE(a_patient_who_is_gone_stays_for_the_devices_that_refer_to_him),
		BMD_CASE(devices_without_room_are_refused_and_slots_are_used_again),
		BMD_CASE(a_million_devices_take_at_most_a_kibibyte_each), CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo registry_suite;
const CU_SuiteInfo registry_suite = BMD_SUITE("registry", cases);
