/// @file admission_test.cpp  Unit tests of how many subscriptions a person may have at a time.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include <chrono>
#include <future>
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
	int admit() { return bmd_core_admit(&asked(false, 3600), &dialog_); }
	int begin()
	{
		const int status = admit();
		if(status == 200)
			bmd_core_settle(&asked(false, 3600), &dialog_, 200);
		return status;
	}
	// Its end is being answered: what the other one is told when it subscribes before that is done.
	int while_it_ends(Terminal &other, int answer)
	{
		CU_ASSERT(bmd_core_admit(&asked(true, 0), &dialog_) == 200);
		bmd_core_dialog_lock(&dialog_);
		bmd_core_begin_sending(&asked_, &dialog_);
		auto told = std::async(std::launch::async, [&] { return other.begin(); });
		std::this_thread::sleep_for(a_moment);
		bmd_core_settle(&asked_, &dialog_, answer);
		bmd_core_end_sending();
		bmd_core_dialog_unlock(&dialog_);
		return told.get();
	}

private:
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

// The first of `most` ends while one more comes.
void check_one_for_one(const char *user, const char *feed, bool winfo, std::size_t most)
{
	std::vector<Terminal> terminals(most, Terminal(user, feed, winfo));
	for(Terminal &terminal : terminals) {
		terminal = Terminal(user, feed, winfo);
		BMD_EQUAL(terminal.begin(), 200);
	}
	Terminal next(user, feed, winfo), last(user, feed, winfo);
	BMD_EQUAL(next.begin(), 429);
	BMD_EQUAL(terminals[0].while_it_ends(next, 400), 429); // it was refused: nothing ends
	BMD_EQUAL(terminals[0].while_it_ends(next, 200), 200);
	BMD_EQUAL(last.begin(), 429);
}

void who_ends_one_may_begin_another_before_the_answer_is_done_with()
{
	Ward ward;
	ward.for_bob(PolicyResource::device, "D0", Decision::allow).most = 2;
	ward.publish();
	check_one_for_one("bob", "dev.D0", false, 2);
}

void so_it_is_for_all_subscriptions_of_a_person()
{
	Ward ward;
	bmd::store()->limits.person_subscriptions = 3;
	check_one_for_one("ann", "ann", false, 3);
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
}

void who_is_told_to_ask_again_may_do_so_at_once()
{
	Ward ward;
	ward.for_bob(PolicyResource::device, "D0", Decision::allow).most = 1;
	ward.publish();
	Terminal first("bob", "dev.D0"), next("bob", "dev.D0");
	BMD_EQUAL(first.begin(), 200);
	(void)ward.pass();
	ward.forget_rules();
	PolicyRule &rule = ward.for_bob(PolicyResource::device, "D0", Decision::confirm);
	rule.most = 1;
	ward.publish();
	std::future<int> told;
	ward.on_send = [&] {
		told = std::async(std::launch::async, [&] { return next.begin(); });
		std::this_thread::sleep_for(a_moment);
	};
	BMD_EQUAL(ward.pass(), "dev.D0 !deactivated");
	CU_ASSERT(told.valid());
	if(told.valid())
		BMD_EQUAL(told.get(), 200);
}

CU_TestInfo cases[] = {BMD_CASE(who_ends_one_may_begin_another_before_the_answer_is_done_with),
		BMD_CASE(so_it_is_for_all_subscriptions_of_a_person),
		BMD_CASE(so_it_is_for_watcher_information),
		BMD_CASE(so_it_is_for_those_that_wait_for_approval),
		BMD_CASE(who_is_told_to_ask_again_may_do_so_at_once), CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo admission_suite;
const CU_SuiteInfo admission_suite = BMD_SUITE("admission", cases);
