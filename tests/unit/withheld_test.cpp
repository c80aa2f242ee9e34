/// @file withheld_test.cpp  Unit tests of the operator's alert about who is told nothing.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "withheld.hpp"

#include "alert_words.hpp"
#include "bed.hpp"
#include "bmd_core_encryption.h"
#include "storm.hpp"
#include "view.hpp"
#include "whom.hpp"

namespace {

using bmd::store;

const std::string person = "ann";

void put(const std::string &user, const std::string &certificate, bool only)
{
	static std::uint32_t mark = 0;
	bmd::RegistryWrite lock;
	(void)bmd::put_encryption(user, certificate, only, ++mark, lock);
}

void withhold(const std::string &user)
{
	bmd_core_withheld({user.data(), user.size()}, {"it has expired", 14});
}

void send(const std::string &user)
{
	bmd_core_sent_encrypted({user.data(), user.size()});
}

// Slots of open alerts of no device.
std::vector<bmd::Index> open_alerts()
{
	std::vector<bmd::Index> slots;
	for(bmd::Index i = store()->devices[0].first_alert; i != 0;
			i = store()->alerts[i].next_of_device)
		slots.push_back(i);
	return slots;
}

// A store without anybody's certificate at its end.
class Hall
{
public:
	Hall() { CU_ASSERT(bmd::create_encryption()); }
	Hall(const Hall &) = delete;
	Hall &operator=(const Hall &) = delete;
	~Hall()
	{
		std::vector<std::string> gone;
		bmd::RegistryWrite lock;
		bmd::sweep_encryption({}, UINT32_MAX, gone, lock);
	}

private:
	bmd_test::Bed bed_;
};

void it_is_one_alert_however_much_is_withheld_and_ends_when_something_is_sent()
{
	const Hall hall;
	bmd::WithheldKeeper keeper;
	put(person, "", true);
	keeper.round();
	CU_ASSERT(open_alerts().empty());
	for(int i = 0; i < 3; ++i) {
		withhold(person);
		keeper.round();
	}
	BMD_EQUAL(open_alerts().size(), 1U);
	if(open_alerts().size() != 1)
		return;
	const bmd::AlertRec alert = store()->alerts[open_alerts().front()];
	BMD_EQUAL(std::string(alert.serial), "@ann");
	CU_ASSERT(alert.condition == bmd::Condition::withheld);
	CU_ASSERT(alert.priority == bmd::Priority::medium && alert.kind == bmd::AlertKind::technical);
	bmd_alert_view view{};
	bmd::show_alert(alert, view, {});
	BMD_EQUAL(std::string(view.cause), "technician ann");
	BMD_EQUAL(std::string(view.condition), "withheld");
	send(person);
	keeper.round();
	CU_ASSERT(open_alerts().empty());
	withhold(person); // within the time in which it may come back: the same one goes on
	keeper.round();
	BMD_EQUAL(open_alerts().size(), 1U);
	CU_ASSERT(!open_alerts().empty() && store()->alerts[open_alerts().front()].id == alert.id);
	send(person);
	keeper.round();
}

void it_ends_with_another_certificate_with_plain_documents_and_with_the_person()
{
	const Hall hall;
	bmd::WithheldKeeper keeper;
	const auto raise = [&] {
		put(person, "old", true);
		withhold(person);
		keeper.round();
		BMD_EQUAL(open_alerts().size(), 1U);
	};
	raise();
	put(person, "new", true);
	keeper.round();
	CU_ASSERT(open_alerts().empty());
	raise();
	put(person, "old", false);
	keeper.round();
	CU_ASSERT(open_alerts().empty());
	raise();
	{
		std::vector<std::string> gone;
		bmd::RegistryWrite lock;
		bmd::sweep_encryption(person, UINT32_MAX, gone, lock);
	}
	keeper.round();
	CU_ASSERT(open_alerts().empty());
	put(person, "one", false);
	withhold(person); // who may get plain documents is told
	keeper.round();
	CU_ASSERT(open_alerts().empty());
}

void one_that_somebody_has_ended_comes_again_with_the_next_document_only()
{
	const Hall hall;
	bmd::WithheldKeeper keeper;
	put(person, "", true);
	withhold(person);
	keeper.round();
	BMD_EQUAL(open_alerts().size(), 1U);
	for(const bmd::Index slot : open_alerts()) {
		const std::lock_guard<bmd::Mutex> guard(bmd::storm_mutex());
		bmd::end_alert(slot, "ended", {}, bmd::wall_now(), bmd::Ending::closed);
	}
	put("bob", "", true); // so that it looks
	keeper.round();
	CU_ASSERT(open_alerts().empty());
	withhold(person);
	keeper.round();
	BMD_EQUAL(open_alerts().size(), 1U);
	send(person);
	keeper.round();
}

void a_server_that_starts_goes_on_with_the_alert_there_is()
{
	const Hall hall;
	put(person, "", true);
	withhold(person);
	{
		bmd::WithheldKeeper before;
		before.round();
	}
	BMD_EQUAL(open_alerts().size(), 1U);
	put(person, "another", true); // as if nothing were known of it
	bmd::WithheldKeeper keeper;
	keeper.round();
	BMD_EQUAL(open_alerts().size(), 1U);
	send(person);
	keeper.round();
	CU_ASSERT(open_alerts().empty());
	withhold(person);
	keeper.round();
	put(person, "another", false);
	bmd::WithheldKeeper after;
	after.round();
	CU_ASSERT(open_alerts().empty());
}

void it_is_the_default_teams()
{
	const Hall hall;
	bmd::WithheldKeeper keeper;
	put(person, "", true);
	withhold(person);
	keeper.round();
	bmd::Duty duty;
	duty.default_team = "operators";
	CU_ASSERT(!open_alerts().empty());
	for(const bmd::Index slot : open_alerts()) {
		const auto ties = bmd::ties_of(store()->alerts[slot]);
		CU_ASSERT(ties.has_value());
		CU_ASSERT(ties && ties->responsible.empty());
		CU_ASSERT(ties && bmd::teams_of(duty, *ties) == std::vector<std::string>{"operators"});
	}
	send(person);
	keeper.round();
}

void terminals_name_the_technician_and_no_patient()
{
	bmd::AlertView view;
	view.metric = "NoData";
	view.condition = bmd::Condition::withheld;
	view.cause = "technician carol";
	BMD_EQUAL(bmd::watch::what(view),
			"technician carol is told nothing: documents are sent encrypted only, and cannot be");
	BMD_EQUAL(bmd::watch::where(view), "any patient");
}

CU_TestInfo cases[] = {
		BMD_CASE(it_is_one_alert_however_much_is_withheld_and_ends_when_something_is_sent),
		BMD_CASE(it_ends_with_another_certificate_with_plain_documents_and_with_the_person),
		BMD_CASE(one_that_somebody_has_ended_comes_again_with_the_next_document_only),
		BMD_CASE(a_server_that_starts_goes_on_with_the_alert_there_is),
		BMD_CASE(it_is_the_default_teams), BMD_CASE(terminals_name_the_technician_and_no_patient),
		CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo withheld_suite;
const CU_SuiteInfo withheld_suite = BMD_SUITE("withheld", cases);
