/// @file holder_test.cpp  Unit tests of who holds an alert, and of answers when the journal is
/// full. SPDX-License-Identifier: GPL-2.0-or-later

#include "bed.hpp"
#include "recipients.hpp"
#include "slots.hpp"
#include "subs.hpp"
#include "tend.hpp"

namespace {

using namespace bmd_test;

// A bed with an open alert, and "ben", whose the device is not.
class Held : public Bed
{
public:
	Held()
	{
		rule(low(90));
		reads(80);
		bmd::FeedChanges changes;
		CU_ASSERT(bmd::put_person("ben", {}, changes));
		CU_ASSERT(bmd::put_member("ann", "D0", bmd::new_mark(), changes));
		(void)told();
	}
	static void gone(std::string_view person)
	{
		bmd::FeedChanges changes;
		bmd::RegistryWrite lock;
		bmd::drop_person(bmd::find_feed(person), lock, changes);
	}
	static void taken_from(std::string_view person)
	{
		bmd::FeedChanges changes;
		bmd::RegistryWrite lock;
		bmd::sweep_feed(bmd::find_feed(person), bmd::new_mark(), lock, changes);
	}
	static bool hastened()
	{
		return (store()->escalation[alert()].flags.exchange(0) & bmd::escalation_hasten) != 0;
	}
	// All but so many places of the journal are taken by somebody else.
	static void fill_journal(std::size_t free)
	{
		bmd::SlotRing &ring = store()->alert_events;
		std::uint64_t ticket = 0;
		while(ring.capacity() - ring.used() > free)
			if(void *slot = ring.reserve(ticket); slot != nullptr) {
				new (slot) bmd::AlertEvent();
				ring.publish(ticket);
			}
	}
	static std::size_t free_places()
	{
		return store()->alert_events.capacity() - store()->alert_events.used();
	}
	static void empty_journal()
	{
		std::uint64_t at = store()->alert_events.tail();
		while(store()->alert_events.next(at) != nullptr) {
		}
		store()->alert_events.release(at);
	}
};

int by_terminal(std::string_view who, Act act)
{
	const std::string code = code_of(Bed::alert());
	bmd::AnswerTo to;
	to.alert = code;
	to.answer.act = act;
	to.answer.who = who;
	to.through = "dmp";
	return bmd::answer_alert(to).status;
}

void who_accepted_hands_back_though_the_device_is_no_longer_theirs()
{
	Held bed;
	BMD_EQUAL(by_terminal("ann", Act::accept), 200);
	Held::taken_from("ann");
	BMD_EQUAL(by_terminal("ben", Act::reject), 403);
	BMD_EQUAL(by_terminal("ann", Act::reject), 200);
	BMD_EQUAL(bed.told(), "accepted rejected");
	CU_ASSERT(Held::hastened());
	BMD_EQUAL(by_terminal("ann", Act::accept), 403);
}

void who_accepted_goes_on_seeing_it_though_the_device_is_no_longer_theirs()
{
	Held bed;
	BMD_EQUAL(by_terminal("ann", Act::accept), 200);
	CU_ASSERT(bmd::recipients_of(Bed::rec().id).empty());
	bmd::tend_alerts();
	Held::taken_from("ann");
	bmd::tend_alerts();
	CU_ASSERT(bmd::is_recipient(Bed::rec().id, bmd::find_feed("ann")));
	BMD_EQUAL(by_terminal("ann", Act::acknowledge), 200);
}

void whom_an_operator_names_sees_what_they_accepted()
{
	Held bed;
	BMD_EQUAL(answer(code_of(Bed::alert()), Act::accept, "ben").status, 200);
	CU_ASSERT(bmd::is_recipient(Bed::rec().id, bmd::find_feed("ben")));
	BMD_EQUAL(by_terminal("ben", Act::reject), 200);
}

void what_somebody_accepted_who_is_gone_goes_to_the_next_people()
{
	Held bed;
	BMD_EQUAL(by_terminal("ann", Act::accept), 200);
	bmd::tend_alerts();
	CU_ASSERT(!Held::hastened());
	BMD_EQUAL(bed.told(), "accepted");
	Held::gone("ann");
	bmd::tend_alerts();
	BMD_EQUAL(
			bed.told(true), "rejected/ann, who had accepted it, is disabled or gone: handed back/");
	CU_ASSERT(Bed::rec().response.response == bmd::Response::rejected);
	CU_ASSERT(Held::hastened());
	bmd::tend_alerts();
	BMD_EQUAL(bed.told(), "");
}

void what_the_system_does_leaves_the_last_places_of_the_journal_to_people()
{
	Held bed;
	constexpr std::size_t for_answers = 64; // of 1024
	Held::fill_journal(for_answers);
	CU_ASSERT(bmd::escalate_alert(Bed::alert(), 2, "step 2", "policy"));
	Bed::rec().response.suppressed = bmd::Suppression::none;
	const bmd::Actor maintenance{"admin", "maintenance", "new probe"};
	bmd::record_change(Bed::rec(), "suppressed", maintenance, bmd::wall_now());
	BMD_EQUAL(Held::free_places(), for_answers);
	BMD_EQUAL(by_terminal("ann", Act::accept), 200);
	BMD_EQUAL(Held::free_places(), for_answers - 1);
}

void an_answer_is_taken_though_the_journal_is_full_and_who_gave_it_is_stored_later()
{
	Held bed;
	Held::fill_journal(0);
	BMD_EQUAL(by_terminal("ann", Act::accept), 200);
	CU_ASSERT(Bed::rec().response.response == bmd::Response::accepted);
	BMD_EQUAL(store()->counters[bmd::count_answers_without_event].load(), 1U);
	Held::empty_journal();
	bmd::rejournal();
	BMD_EQUAL(bed.told(true), "updated/made up for: accepted by ann/");
	BMD_EQUAL(by_terminal("ann", Act::accept), 200); // the same again
	BMD_EQUAL(bed.told(), "");
}

void a_terminal_that_answers_no_notify_is_no_way_to_its_person()
{
	const Bed bed;
	bmd::SubRef ref;
	CU_ASSERT(bmd::put_sub(1, "ann", "ann", bmd::mono_now() + 3600 * second_us, ref)
			  == bmd::Admission::done);
	CU_ASSERT(bmd::has_answering_sub("ann", "ann"));
	bmd::notify_answered(ref, 408, false);
	CU_ASSERT(!bmd::has_answering_sub("ann", "ann"));
	CU_ASSERT(bmd::may_have_subs("ann"));
}

CU_TestInfo cases[] = {BMD_CASE(who_accepted_hands_back_though_the_device_is_no_longer_theirs),
		BMD_CASE(who_accepted_goes_on_seeing_it_though_the_device_is_no_longer_theirs),
		BMD_CASE(whom_an_operator_names_sees_what_they_accepted),
		BMD_CASE(what_somebody_accepted_who_is_gone_goes_to_the_next_people),
		BMD_CASE(what_the_system_does_leaves_the_last_places_of_the_journal_to_people),
		BMD_CASE(an_answer_is_taken_though_the_journal_is_full_and_who_gave_it_is_stored_later),
		BMD_CASE(a_terminal_that_answers_no_notify_is_no_way_to_its_person), CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo holder_suite;
const CU_SuiteInfo holder_suite = BMD_SUITE("holder", cases);
