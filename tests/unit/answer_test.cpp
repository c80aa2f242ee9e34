/// @file answer_test.cpp  Unit tests of answers to alerts in the book: who may, and what is kept.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "answer.hpp"

#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "bmd/code.hpp"
#include "book.hpp"
#include "escalation_wanted.hpp"
#include "recipients.hpp"
#include "registry.hpp"
#include "slots.hpp"
#include "suites.hpp"

namespace {

using bmd::Act;
using bmd::Index;
using bmd::store;

constexpr std::size_t most_alerts = 40;

// A store with one device per number, of which "ann" is responsible for the first, and "ben" for
// none.
class Ward
{
public:
	explicit Ward(std::size_t devices)
	{
		bmd::Limits limits;
		limits.devices = devices;
		limits.feeds = 4;
		limits.alerts = most_alerts;
		limits.journal_bytes = 1U << 16;
		limits.alert_events = 1024;
		limits.changes = 1024;
		limits.subscriptions = 4;
		std::size_t needed = 0;
		CU_ASSERT(bmd::create_store(limits, needed) != nullptr);
		bmd::Settings &settings = store()->settings;
		settings.reopen.store(60 * bmd::second_us);
		settings.silence.store(900 * bmd::second_us);
		settings.silence_high.store(120 * bmd::second_us);
		(void)bmd::put_type({"T", 1'000'000}, 1);
		for(std::size_t n = 0; n < devices; ++n) {
			const std::string serial = "D" + std::to_string(n);
			bmd::DeviceRow row;
			row.database_id = static_cast<std::int32_t>(n + 1);
			row.serial = serial;
			row.type = "T";
			CU_ASSERT(bmd::put_device(row, 1) != 0);
		}
		bmd::FeedChanges changes;
		CU_ASSERT(bmd::put_person("ann", {}, changes) && bmd::put_person("ben", {}, changes));
		CU_ASSERT(bmd::put_member("ann", "D0", bmd::new_mark(), changes));
	}
	Ward(const Ward &) = delete;
	Ward &operator=(const Ward &) = delete;
	~Ward() { bmd::release_store(); }

	static Index raise(std::size_t device, bmd::TimeUs onset = 1)
	{
		bmd::NewAlert seed;
		seed.device = bmd::find_device("D" + std::to_string(device));
		seed.metric = bmd::find_metric("SpO2")->id;
		seed.value = 80;
		seed.limit = 90;
		seed.onset_at = onset;
		return bmd::raise_alert(seed);
	}
};

int status(Index alert, Act act, std::string_view who, bool by_operator = false)
{
	const std::string code = bmd::code_text(store()->alerts[alert].code);
	bmd::AnswerTo to;
	to.alert = code;
	to.answer.act = act;
	to.answer.who = who;
	to.answer.until = 10 * bmd::second_us;
	to.entitled = by_operator;
	return bmd::answer_alert(to).status;
}

void only_who_is_responsible_for_the_device_answers()
{
	const Ward ward(1);
	const Index alert = Ward::raise(0);
	for(const Act act : {Act::accept, Act::reject, Act::acknowledge, Act::silence}) {
		BMD_EQUAL(status(alert, act, "ben"), 403);
		BMD_EQUAL(status(alert, act, "nobody"), 403);
	}
	CU_ASSERT(store()->alerts[alert].revision == 1);
	BMD_EQUAL(status(alert, Act::accept, "ann"), 200);
	BMD_EQUAL(status(alert, Act::accept, "ben", true), 409);
	CU_ASSERT(std::string(store()->alerts[alert].response.by) == "ann");
}

// By the kind of feed: the person's own, and that of a group the person watches.
void whom_an_alert_was_escalated_to_answers_for_it_and_for_no_other()
{
	const std::vector<std::string> groups{"grp.ward"};
	for(const std::string_view feed : {"ben", "grp.ward"}) {
		const Ward ward(2);
		const Index alert = Ward::raise(0);
		const Index other = Ward::raise(1);
		bmd::FeedChanges changes;
		CU_ASSERT(bmd::put_person("ben", groups, changes));
		CU_ASSERT(bmd::add_recipient(store()->alerts[alert].id, alert, bmd::find_feed(feed))
				  == bmd::Addition::done);
		BMD_EQUAL(status(other, Act::accept, "ben"), 403);
		BMD_EQUAL(status(alert, Act::accept, "ben"), 200);
		bmd::forget_recipients(store()->alerts[alert].id);
		BMD_EQUAL(status(alert, Act::acknowledge, "ben"), 403);
	}
}

void a_step_is_a_change_like_others_until_somebody_has_taken_the_alert()
{
	const Ward ward(1);
	const Index alert = Ward::raise(0);
	const bmd::AlertRec &rec = store()->alerts[alert];
	CU_ASSERT(bmd::escalate_alert(alert, 2, "step 2", "policy"));
	CU_ASSERT(rec.response.response == bmd::Response::escalated && rec.response.step == 2);
	CU_ASSERT(bmd::escalate_alert(alert, 400, "step 400", "policy"));
	BMD_EQUAL(rec.response.step, 255U); // one byte tells it
	BMD_EQUAL(rec.revision, 3U);
	BMD_EQUAL(store()->alert_events.used(), 3U);
	BMD_EQUAL(status(alert, Act::accept, "ann"), 200);
	CU_ASSERT(!bmd::escalate_alert(alert, 401, "step 401", "policy"));
	BMD_EQUAL(rec.revision, 4U);
	CU_ASSERT(std::string(rec.response.by) == "ann");
}

void an_escalation_rests_while_somebody_has_the_alert_or_it_is_not_urgent()
{
	using bmd::Wanted;
	const Ward ward(1);
	const Index alert = Ward::raise(0);
	const bmd::AlertRec &rec = store()->alerts[alert];
	const auto wanted = [&] { return bmd::escalation_wanted(rec); };
	const auto hastened = [&] {
		return (store()->escalation[alert].flags.exchange(0) & bmd::escalation_hasten) != 0;
	};
	CU_ASSERT(wanted() == Wanted::go_on);
	BMD_EQUAL(status(alert, Act::silence, "ann"), 200);
	CU_ASSERT(wanted() == Wanted::rest && !hastened());
	BMD_EQUAL(status(alert, Act::accept, "ann"), 200);
	BMD_EQUAL(status(alert, Act::reject, "ann"), 200);
	CU_ASSERT(wanted() == Wanted::rest && hastened());
	store()->alerts[alert].response.silenced_until = 0;
	CU_ASSERT(wanted() == Wanted::go_on);
	store()->alerts[alert].response.suppressed = bmd::Suppression::inhibition;
	CU_ASSERT(wanted() == Wanted::rest);
	store()->alerts[alert].response.suppressed = bmd::Suppression::none;
	BMD_EQUAL(status(alert, Act::acknowledge, "ann"), 200);
	CU_ASSERT(wanted() == Wanted::rest);
}

void the_same_answer_again_makes_no_revision()
{
	const Ward ward(1);
	const Index alert = Ward::raise(0);
	for(int n = 0; n < 3; ++n)
		BMD_EQUAL(status(alert, Act::accept, "ann"), 200);
	BMD_EQUAL(store()->alerts[alert].revision, 2U);
	BMD_EQUAL(store()->alert_events.used(), 2U);
}

void codes_are_unique_and_an_alert_is_found_by_code_and_id()
{
	const Ward ward(most_alerts);
	std::set<std::uint32_t> seen;
	for(std::size_t n = 0; n < most_alerts; ++n) {
		const Index alert = Ward::raise(n);
		const bmd::AlertRec &rec = store()->alerts[alert];
		CU_ASSERT(alert != 0 && seen.insert(rec.code).second);
		bmd::AlertRec found{};
		CU_ASSERT(
				bmd::find_alert(bmd::to_string(rec.id), found) == alert && found.code == rec.code);
		CU_ASSERT(bmd::find_alert(bmd::code_text(rec.code), found) == alert && found.id == rec.id);
	}
}

void a_cleared_alert_comes_back_with_its_id_and_gives_its_place_to_a_new_one()
{
	const Ward ward(most_alerts + 1);
	for(std::size_t n = 0; n < most_alerts; ++n)
		CU_ASSERT(Ward::raise(n) != 0);
	CU_ASSERT(Ward::raise(most_alerts) == 0);
	const Index first = bmd::find_by_code(store()->alerts[1].code);
	const bmd::Uuid id = store()->alerts[first].id;
	const std::string serial = store()->alerts[first].serial;
	CU_ASSERT(bmd::condition_gone(first, false, bmd::wall_now()));
	BMD_EQUAL(store()->kept_count, 1U);
	const std::size_t device = std::stoul(serial.substr(1));
	CU_ASSERT(store()->alerts[Ward::raise(device, 2)].id == id);
	BMD_EQUAL(store()->kept_count, 0U);
	const Index again = bmd::find_by_id(id);
	CU_ASSERT(bmd::condition_gone(again, false, bmd::wall_now()));
	CU_ASSERT(Ward::raise(most_alerts) != 0);
	BMD_EQUAL(store()->kept_count, 0U);
	CU_ASSERT(bmd::find_by_id(id) == 0);
	CU_ASSERT(Ward::raise(device, 3) == 0);
}

CU_TestInfo cases[] = {BMD_CASE(only_who_is_responsible_for_the_device_answers),
		BMD_CASE(whom_an_alert_was_escalated_to_answers_for_it_and_for_no_other),
		BMD_CASE(a_step_is_a_change_like_others_until_somebody_has_taken_the_alert),
		BMD_CASE(an_escalation_rests_while_somebody_has_the_alert_or_it_is_not_urgent),
		BMD_CASE(the_same_answer_again_makes_no_revision),
		BMD_CASE(codes_are_unique_and_an_alert_is_found_by_code_and_id),
		BMD_CASE(a_cleared_alert_comes_back_with_its_id_and_gives_its_place_to_a_new_one),
		CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo answer_suite;
const CU_SuiteInfo answer_suite = BMD_SUITE("answer", cases);
