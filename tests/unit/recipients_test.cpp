/// @file recipients_test.cpp  Unit tests of the edges between alerts and the feeds they were
/// escalated to.  SPDX-License-Identifier: GPL-2.0-or-later
/// Random operations, compared with a plain model after each.

#include "recipients.hpp"

#include <algorithm>
#include <random>
#include <set>

#include "registry.hpp"
#include "suites.hpp"

namespace {

using bmd::Index;
using bmd::store;
using bmd::Uuid;

constexpr int rounds = 20'000;
constexpr std::uint8_t alerts = 6;
constexpr std::size_t room = 12;

using Model = std::set<std::pair<Uuid, Index>>;

Uuid id_of(std::uint8_t number)
{
	Uuid id{};
	id[15] = number;
	return id;
}

// A store with a few people.
class Fixture
{
public:
	Fixture()
	{
		bmd::Limits limits;
		limits.devices = 4;
		limits.feeds = 8;
		limits.alerts = 16;
		limits.recipients = room;
		limits.journal_bytes = 1U << 16;
		limits.alert_events = 16;
		limits.changes = 16;
		limits.subscriptions = 16;
		std::size_t needed = 0;
		CU_ASSERT(bmd::create_store(limits, needed) != nullptr);
		bmd::FeedChanges changes;
		for(const char *name : {"anna", "boris", "carla", "dora"})
			CU_ASSERT(bmd::put_person(name, {}, changes));
	}
	Fixture(const Fixture &) = delete;
	Fixture &operator=(const Fixture &) = delete;
	~Fixture() { bmd::release_store(); }
};

bool agrees(const Model &model)
{
	std::size_t by_alert = 0;
	std::size_t by_feed = 0;
	bool good = true;
	for(std::uint8_t a = 1; a <= alerts; ++a)
		for(const Index feed : bmd::recipients_of(id_of(a))) {
			++by_alert;
			good = good && model.contains({id_of(a), feed}) && bmd::is_recipient(id_of(a), feed);
		}
	for(Index feed = 1; feed <= store()->feeds.used; ++feed)
		for(const bmd::Escalated &one : bmd::escalated_to(feed)) {
			++by_feed;
			good = good && model.contains({one.alert, feed});
		}
	return good && by_alert == model.size() && by_feed == model.size();
}

void edges_are_the_same_from_both_sides_whatever_happens()
{
	const Fixture fixture;
	std::mt19937 random(4);
	Model model;
	bool good = true;
	for(int i = 0; i < rounds && good; ++i) {
		const Uuid alert = id_of(static_cast<std::uint8_t>(random() % alerts + 1));
		const Index feed = static_cast<Index>(random() % 4 + 1);
		switch(random() % 6) {
			case 0:
				bmd::forget_recipients(alert);
				std::erase_if(model, [&](const auto &edge) { return edge.first == alert; });
				break;
			case 1:
				bmd::forget_recipient_feed(feed);
				std::erase_if(model, [&](const auto &edge) { return edge.second == feed; });
				break;
			default: {
				const bool known = model.contains({alert, feed});
				const auto expected = known                  ? bmd::Addition::known
									  : model.size() == room ? bmd::Addition::no_room
															 : bmd::Addition::done;
				good = bmd::add_recipient(alert, 1, feed) == expected;
				if(expected == bmd::Addition::done)
					model.insert({alert, feed});
			}
		}
		good = good && agrees(model);
	}
	CU_ASSERT(good);
}

void a_person_who_goes_leaves_no_edge_for_the_next_one()
{
	const Fixture fixture;
	const Index anna = bmd::find_feed("anna");
	CU_ASSERT(bmd::add_recipient(id_of(1), 1, anna) == bmd::Addition::done);
	bmd::FeedChanges changes;
	{
		bmd::RegistryWrite lock;
		bmd::drop_person(anna, lock, changes);
	}
	CU_ASSERT(bmd::put_person("erik", {}, changes));
	BMD_EQUAL(bmd::find_feed("erik"), anna); // the same place
	CU_ASSERT(bmd::escalated_to(anna).empty());
	CU_ASSERT(!bmd::is_recipient(id_of(1), anna));
}

void a_team_is_no_feed_to_watch()
{
	const Fixture fixture;
	bmd::FeedChanges changes;
	CU_ASSERT(bmd::put_type({"T", 1'000'000}, 1) != 0);
	bmd::DeviceRow device;
	device.serial = "D1";
	device.type = "T";
	CU_ASSERT(bmd::put_device(device, 1) != 0);
	CU_ASSERT(bmd::put_member("@1", "D1", bmd::new_mark(), changes));
	CU_ASSERT(bmd::find_feed("@1") != 0);
	CU_ASSERT(!bmd::may_watch("anna", "@1"));
	CU_ASSERT(!bmd::may_watch("@1", "@1"));
}

CU_TestInfo cases[] = {BMD_CASE(edges_are_the_same_from_both_sides_whatever_happens),
		BMD_CASE(a_person_who_goes_leaves_no_edge_for_the_next_one),
		BMD_CASE(a_team_is_no_feed_to_watch), CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo recipients_suite;
const CU_SuiteInfo recipients_suite = BMD_SUITE("recipients", cases);
