/// @file admission_test.cpp  Unit tests of how many subscriptions a person may have at a time.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include <algorithm>
#include <chrono>
#include <future>
#include <latch>
#include <thread>

#include "bmd_core.h"
#include "ward.hpp"
#include "winfo_documents.hpp"

namespace {

using namespace bmd_test;

constexpr auto a_moment = std::chrono::milliseconds(50); // longer than an answer takes

bmd_text text_of(const std::string &text)
{
	return {text.data(), text.size()};
}

// A dialog of a terminal, from its first SUBSCRIBE to its last.
class Terminal
{
public:
	Terminal(std::string user, std::string feed, bool winfo = false)
		: user_(std::move(user)), feed_(std::move(feed)), call_id_(std::to_string(++calls)),
		  winfo_(winfo)
	{
	}
	// What its first SUBSCRIBE is answered, and a refresh.
	int begin() { return send(false, 3600); }
	int refresh() { return send(true, 3600); }
	int end() { return send(true, 0); }
	// Its end, or a refresh, is being answered with this: what another one is told that subscribes
	// before that is done with.
	int while_it_ends(Terminal &other, int answer) { return meanwhile(other, 0, answer); }
	int while_it_refreshes(Terminal &other) { return meanwhile(other, 3600, 200); }
	// The other one subscribes after a refresh was let in and before it is answered; is it then?
	bool is_refreshed_after(Terminal &other)
	{
		CU_ASSERT(bmd_core_admit(&asked(true, 3600), &dialog_) == 200);
		CU_ASSERT(other.begin() == 200);
		return bmd_core_begin_sending(&asked_, &dialog_) == 0;
	}

private:
	int meanwhile(Terminal &other, long expires, int answer)
	{
		CU_ASSERT(bmd_core_admit(&asked(true, expires), &dialog_) == 200);
		bmd_core_dialog_lock(&dialog_);
		CU_ASSERT(bmd_core_begin_sending(&asked_, &dialog_) == 0);
		std::promise<void> there;
		auto told = std::async(std::launch::async, [&] {
			there.set_value();
			return other.begin();
		});
		there.get_future().wait();
		std::this_thread::sleep_for(a_moment);
		bmd_core_settle(&asked_, &dialog_, answer);
		bmd_core_end_sending();
		bmd_core_dialog_unlock(&dialog_);
		return told.get();
	}
	int send(bool in_dialog, long expires)
	{
		const int status = bmd_core_admit(&asked(in_dialog, expires), &dialog_);
		if(status == 200)
			bmd_core_settle(&asked_, &dialog_, 200);
		return status;
	}
	const bmd_subscribe &asked(bool in_dialog, long expires)
	{
		asked_ = {text_of(call_id_), text_of(user_), text_of(feed_), text_of(user_),
				in_dialog ? 1 : 0, expires, winfo_ ? 1 : 0};
		return asked_;
	}

	static inline int calls = 0;
	std::string user_, feed_, call_id_;
	bool winfo_;
	bmd_subscribe asked_{};
	bmd_dialog dialog_{};
};

bool any_is_in_hand()
{
	const auto &subs = bmd::store()->subs;
	for(bmd::Index i = 1; i <= subs.used; ++i)
		if(subs[i].dialog != 0 && subs[i].in_hand)
			return true;
	return false;
}

std::uint64_t counted(bmd::Counter counter)
{
	return bmd::store()->counters[counter].load();
}

// The first of `most` (2 at least) ends while one more comes.
void check_one_for_one(const char *user, const char *feed, bool winfo, std::size_t most)
{
	Terminal first(user, feed, winfo), second(user, feed, winfo);
	BMD_EQUAL(first.begin(), 200);
	BMD_EQUAL(second.begin(), 200);
	for(std::size_t i = 2; i < most; ++i)
		BMD_EQUAL(Terminal(user, feed, winfo).begin(), 200);
	Terminal next(user, feed, winfo), last(user, feed, winfo);
	BMD_EQUAL(next.begin(), 429);
	BMD_EQUAL(first.begin(), 482);                  // the same one again is not one more
	BMD_EQUAL(first.while_it_ends(next, 400), 429); // it was refused: nothing ends
	CU_ASSERT(!any_is_in_hand());
	BMD_EQUAL(first.while_it_ends(next, 200), 200);
	BMD_EQUAL(last.begin(), 429);
	BMD_EQUAL(second.refresh(), 200);
}

void who_ends_one_may_begin_another_before_the_answer_is_done_with()
{
	Ward ward;
	ward.for_bob(PolicyResource::device, "D0", Decision::allow).most = 2;
	ward.publish();
	check_one_for_one("bob", "dev.D0", false, 2);
	BMD_EQUAL(counted(bmd::count_subscriptions_refused), 0U);
}

void so_it_is_for_all_subscriptions_of_a_person()
{
	Ward ward;
	bmd::store()->limits.person_subscriptions = 3;
	check_one_for_one("ann", "ann", false, 3);
	BMD_EQUAL(counted(bmd::count_subscriptions_refused), 3U);
}

void so_it_is_for_watcher_information()
{
	Ward ward;
	check_one_for_one("ann", "ann", true, bmd::winfo_subscriptions);
}

void so_it_is_for_those_that_wait_for_approval()
{
	Ward ward;
	ward.for_bob(PolicyResource::device, "D0", Decision::confirm);
	ward.publish();
	check_one_for_one("bob", "dev.D0", false, bmd::pending_per_person);
	BMD_EQUAL(counted(bmd::count_pending_refused), 3U);
}

void the_subscriptions_of_a_person_are_counted_wherever_they_are_to()
{
	Ward ward;
	bmd::store()->limits.person_subscriptions = 3;
	Terminal one("ann", "ann"), two("ann", "grp.ward"), three("ann", "dev.D0");
	Terminal four("ann", "dev.D1"), other("bob", "bob");
	for(Terminal *terminal : {&one, &two, &three})
		BMD_EQUAL(terminal->begin(), 200);
	BMD_EQUAL(four.begin(), 429);
	BMD_EQUAL(other.begin(), 200);
	BMD_EQUAL(two.end(), 200);
	BMD_EQUAL(four.begin(), 200);
}

// The first record's time has been over for a minute.
void run_out()
{
	bmd::store()->subs[1].expires -= (3600 + 60) * bmd::second_us;
}

void one_that_has_run_out_gives_its_place_to_another()
{
	Ward ward;
	bmd::store()->limits.person_subscriptions = 2;
	Terminal one("ann", "ann"), two("ann", "ann"), three("ann", "ann"), four("ann", "ann");
	BMD_EQUAL(one.begin(), 200);
	BMD_EQUAL(two.begin(), 200);
	BMD_EQUAL(three.begin(), 429);
	run_out();
	BMD_EQUAL(three.begin(), 200);
	BMD_EQUAL(four.begin(), 429);
	BMD_EQUAL(one.refresh(), 481);
	BMD_EQUAL(one.begin(), 429);
	BMD_EQUAL(two.refresh(), 200);
}

void one_that_is_refreshed_late_keeps_the_place_that_nobody_took()
{
	Ward ward;
	bmd::store()->limits.person_subscriptions = 1;
	Terminal one("ann", "ann"), two("ann", "ann");
	BMD_EQUAL(one.begin(), 200);
	run_out();
	BMD_EQUAL(one.refresh(), 200);
	BMD_EQUAL(two.begin(), 429);
	run_out();
	BMD_EQUAL(one.while_it_refreshes(two), 429);
	run_out();
	CU_ASSERT(!one.is_refreshed_after(two));
}

void one_that_waited_and_has_run_out_waits_no_more_when_its_person_asks_again()
{
	Ward ward;
	ward.for_bob(PolicyResource::device, "D0", Decision::confirm).most = 1;
	ward.publish();
	Terminal one("bob", "dev.D0"), two("bob", "dev.D0");
	BMD_EQUAL(one.begin(), 200);
	run_out();
	BMD_EQUAL(two.begin(), 200);
	CU_ASSERT(bmd::waiting_watchers().empty());
	BMD_EQUAL(bmd::pending_subs().size(), 1U);
}

void who_has_one_that_has_run_out_is_not_shown_anything()
{
	Ward ward;
	Terminal one("ann", "ann");
	BMD_EQUAL(one.begin(), 200);
	CU_ASSERT(bmd::has_answering_sub("ann", "ann"));
	run_out();
	CU_ASSERT(!bmd::has_answering_sub("ann", "ann"));
}

void no_two_at_once_get_the_same_place()
{
	constexpr int rounds = 200, crowd = 4;
	Ward ward;
	for(int round = 0; round < rounds; ++round) {
		std::latch all(crowd);
		std::vector<std::future<bmd::Admission>> told;
		std::vector<bmd::SubRef> refs(crowd);
		for(int i = 0; i < crowd; ++i)
			told.push_back(std::async(std::launch::async, [&all, &refs, i, round] {
				all.arrive_and_wait();
				return bmd::put_sub(static_cast<std::uint64_t>(round * crowd + i + 1), "ann", "ann",
						bmd::mono_now() + 60 * bmd::second_us, refs[static_cast<std::size_t>(i)],
						false, {.all = 1});
			}));
		const auto taken = std::ranges::count_if(
				told, [](auto &one) { return one.get() == bmd::Admission::done; });
		BMD_EQUAL(taken, 1);
		for(const bmd::SubRef &ref : refs)
			bmd::end_sub(ref);
	}
}

// The end that the notifier sends is on its way from before it is sent.
void who_is_told_to_ask_again_may_do_so_at_once()
{
	Ward ward;
	ward.for_bob(PolicyResource::device, "D0", Decision::allow).most = 1;
	ward.publish();
	Terminal first("bob", "dev.D0"), next("bob", "dev.D0");
	BMD_EQUAL(first.begin(), 200);
	(void)ward.pass();
	ward.forget_rules();
	ward.for_bob(PolicyResource::device, "D0", Decision::confirm).most = 1;
	ward.publish();
	bool is_on_its_way = false;
	ward.on_send = [&] { is_on_its_way = any_is_in_hand(); };
	BMD_EQUAL(ward.pass(), "dev.D0 !deactivated");
	CU_ASSERT(is_on_its_way);
	BMD_EQUAL(next.begin(), 200);
}

CU_TestInfo cases[] = {BMD_CASE(who_ends_one_may_begin_another_before_the_answer_is_done_with),
		BMD_CASE(so_it_is_for_all_subscriptions_of_a_person),
		BMD_CASE(so_it_is_for_watcher_information),
		BMD_CASE(so_it_is_for_those_that_wait_for_approval),
		BMD_CASE(the_subscriptions_of_a_person_are_counted_wherever_they_are_to),
		BMD_CASE(one_that_has_run_out_gives_its_place_to_another),
		BMD_CASE(one_that_is_refreshed_late_keeps_the_place_that_nobody_took),
		BMD_CASE(one_that_waited_and_has_run_out_waits_no_more_when_its_person_asks_again),
		BMD_CASE(who_has_one_that_has_run_out_is_not_shown_anything),
		BMD_CASE(no_two_at_once_get_the_same_place),
		BMD_CASE(who_is_told_to_ask_again_may_do_so_at_once), CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo admission_suite;
const CU_SuiteInfo admission_suite = BMD_SUITE("admission", cases);
