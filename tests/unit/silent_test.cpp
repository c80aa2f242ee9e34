/// @file silent_test.cpp  Unit tests of what a terminal that says nothing is sent.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "delivery.hpp"
#include "ward.hpp"

namespace {

using namespace bmd_test;

// A ward whose NOTIFYs are on their way until they are answered.
class Wire
{
public:
	Wire()
	{
		ward.subscribe("ann", "ann");
		ward.on_send = [&] { on_their_way_.push_back(bmd::make_ticket("sip:ann@192.0.2.1")); };
	}
	Wire(const Wire &) = delete;
	Wire &operator=(const Wire &) = delete;
	~Wire()
	{
		while(!on_their_way_.empty())
			lose();
	}
	void answer(int code)
	{
		bmd::ticket_answered(on_their_way_.front(), code);
		lose();
	}
	// tm forgets it without an answer
	void lose()
	{
		bmd::free_ticket(on_their_way_.front());
		on_their_way_.erase(on_their_way_.begin());
	}
	[[nodiscard]] std::size_t unanswered() const { return on_their_way_.size(); }
	// So much time goes by for the subscription.
	static void wait(bmd::DurationUs time)
	{
		bmd::SubRec &sub = bmd::store()->subs[1];
		sub.silent_since -= time;
		sub.heard_at -= time;
		sub.sent_at -= time;
		if(sub.retry != 0)
			sub.retry -= time;
	}
	// An alert more: something to tell.
	std::string change()
	{
		(void)Ward::raise(++devices_ % 2 == 0 ? "D0" : "D1");
		return ward.pass();
	}

	Ward ward;

private:
	std::vector<void *> on_their_way_;
	int devices_ = 0;
};

void a_terminal_that_is_only_slow_is_told_everything()
{
	Wire wire;
	for(int i = 0; i < 20; ++i)
		CU_ASSERT(wire.change().starts_with("ann part"));
	BMD_EQUAL(wire.unanswered(), 20U);
	Wire::wait(bmd::patience - bmd::second_us);
	CU_ASSERT(wire.change().starts_with("ann part"));
}

void one_that_is_silent_is_sent_one_a_second_and_full_state_when_it_answers()
{
	Wire wire;
	CU_ASSERT(wire.change().starts_with("ann part"));
	Wire::wait(bmd::patience);
	CU_ASSERT(wire.change().starts_with("ann part")); // the first of this second
	BMD_EQUAL(wire.change(), "");
	BMD_EQUAL(wire.change(), "");
	BMD_EQUAL(bmd::store()->counters[bmd::count_notify_spared].load(), 2U);
	Wire::wait(bmd::between);
	CU_ASSERT(wire.change().starts_with("ann part"));
	BMD_EQUAL(wire.change(), "");
	wire.answer(200);
	CU_ASSERT(wire.ward.pass().starts_with("ann full D"));
	CU_ASSERT(wire.change().starts_with("ann part"));
	wire.answer(200);
	BMD_EQUAL(wire.ward.pass(), ""); // nothing is owed any more
}

void one_that_never_answers_gets_full_state_when_it_is_tried_again()
{
	Wire wire;
	CU_ASSERT(wire.change().starts_with("ann part"));
	Wire::wait(bmd::patience);
	CU_ASSERT(wire.change().starts_with("ann part"));
	BMD_EQUAL(wire.change(), "");
	wire.answer(408);
	wire.answer(408);
	BMD_EQUAL(wire.ward.pass(), "");
	Wire::wait(bmd::retry_first);
	bmd::look_after_subs();
	CU_ASSERT(wire.ward.pass().starts_with("ann full D"));
}

void what_tm_forgets_without_an_answer_counts_no_more()
{
	Wire wire;
	CU_ASSERT(wire.change().starts_with("ann part"));
	Wire::wait(bmd::patience);
	CU_ASSERT(wire.change().starts_with("ann part"));
	BMD_EQUAL(wire.change(), "");
	wire.lose();
	BMD_EQUAL(wire.ward.pass(), ""); // one is still on its way
	wire.lose();
	CU_ASSERT(wire.ward.pass().starts_with("ann full D")); // what was left out
	wire.lose();
	CU_ASSERT(wire.change().starts_with("ann part"));
	CU_ASSERT(wire.change().starts_with("ann part"));
}

CU_TestInfo cases[] = {BMD_CASE(a_terminal_that_is_only_slow_is_told_everything),
		BMD_CASE(one_that_is_silent_is_sent_one_a_second_and_full_state_when_it_answers),
		BMD_CASE(one_that_never_answers_gets_full_state_when_it_is_tried_again),
		BMD_CASE(what_tm_forgets_without_an_answer_counts_no_more), CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo silent_suite;
const CU_SuiteInfo silent_suite = BMD_SUITE("silent", cases);
