/// @file holding_test.cpp  Unit tests of what a notifier tells one terminal under rules of
/// watchers. SPDX-License-Identifier: GPL-2.0-or-later Real store, book and notifier; only the
/// NOTIFY itself is caught.

#include "holding.hpp"

#include <algorithm>

#include "bed.hpp"
#include "bmd/dmp_feed.hpp"
#include "documents.hpp"
#include "feeds.hpp"
#include "held.hpp"
#include "notifier.hpp"
#include "watcher_text.hpp"

namespace {

using bmd::Priority;
using bmd::second_us;
using bmd::store;
using bmd::TimeUs;
using bmd::WatcherRule;

constexpr TimeUs a_while = 700'000; // of rules; a pass of the notifier takes a small part of it

std::string text_of(const std::string &body)
{
	const auto document = bmd::dmp::parse(body);
	const auto feed = document ? bmd::dmp::read_feed(*document) : document.error();
	CU_ASSERT(feed.ok());
	if(!feed)
		return "?";
	std::string text = feed->full ? "full" : "part";
	for(const bmd::AlertView &alert : feed->alerts)
		text += " " + alert.serial + "/" + std::string(to_string(alert.state)) + "/"
				+ std::string(to_string(alert.priority));
	return text;
}

WatcherRule rule_of(TimeUs persistence, std::uint32_t most, TimeUs digest)
{
	WatcherRule rule;
	rule.id = 7;
	rule.who = "ann";
	rule.persistence = persistence;
	rule.most_per_minute = most;
	rule.digest_every = digest;
	return rule;
}

// ann, responsible for D0 and D1, with one terminal; low limits of 90 at low priority.
class Terminal : public bmd_test::Bed
{
public:
	Terminal()
	{
		bmd::set_feed_domain("test.example");
		bmd::FeedChanges changes;
		for(const char *serial : {"D0", "D1"}) {
			CU_ASSERT(bmd::put_member("ann", serial, bmd::new_mark(), changes));
			limit(serial, bmd_test::low(90, Priority::low));
		}
		bmd::mark_watched("ann");
		subscribe();
	}

	void subscribe()
	{
		CU_ASSERT(bmd::put_sub(++dialog_, "ann", "ann", bmd::mono_now() + 3600 * second_us, ref_)
				  == bmd::Admission::done);
	}
	void unsubscribe() const { bmd::end_sub(ref_); }
	[[nodiscard]] bmd::SubRef ref() const { return ref_; }

	static void limit(const char *serial, const bmd::Rule &rule)
	{
		bmd::RuleRec rec;
		rec.metric = bmd::find_metric("SpO2")->id;
		rec.rule = rule;
		rec.fields = 1023;
		const bmd::RuleRec rules[] = {rec};
		CU_ASSERT(bmd::put_device_limits(bmd::find_device(serial), rules));
	}

	// A reading, and one pass of the notifier.
	std::string reads(const char *serial, double value)
	{
		report(serial, value);
		return pass();
	}
	void report(const char *serial, double value)
	{
		at_ += second_us;
		bmd::Reading reading{};
		reading.metric = bmd::find_metric("SpO2")->id;
		reading.kind = bmd::ReadingKind::value;
		reading.value = value;
		const bmd::Index device = bmd::find_device(serial);
		const std::shared_lock<bmd::RwLock> registry(store()->registry_lock);
		const std::lock_guard<bmd::Mutex> stripe(store()->stripe[device % bmd::stripes]);
		(void)bmd::take_reading(device, reading, bmd::Moment{at_, at_, at_});
	}
	std::string pass(int milliseconds = 0)
	{
		bmd::notify_once(
				0, milliseconds,
				[this](const std::string &, const std::string &body) {
					told_ += (told_.empty() ? "" : "; ") + text_of(body);
				},
				holding_);
		return std::exchange(told_, {});
	}
	// The first that is told within 5 s, and after how long, by `after` at the earliest.
	std::string waits(TimeUs after)
	{
		const TimeUs begun = bmd::mono_now();
		std::string told;
		while(told.empty() && bmd::mono_now() - begun < 5 * second_us)
			told = pass(50);
		CU_ASSERT(bmd::mono_now() - begun >= after);
		return told;
	}
	static void rules(const std::vector<WatcherRule> &rules)
	{
		CU_ASSERT(bmd::publish_watcher_rules(rules));
	}
	[[nodiscard]] static std::uint64_t counted(bmd::Counter counter)
	{
		return store()->counters[counter].load();
	}

private:
	bmd::Holding holding_;
	std::uint64_t dialog_ = 1000;
	bmd::SubRef ref_;
	std::string told_;
	TimeUs at_ = 1'000'000'000'000'000;
};

void without_rules_everything_is_told_at_once()
{
	Terminal ann;
	BMD_EQUAL(ann.reads("D0", 80), "part D0/active/low");
	BMD_EQUAL(ann.reads("D0", 95), "part D0/cleared/low");
	BMD_EQUAL(store()->held_count, 0U);
}

void a_digest_tells_the_last_states_in_one_document()
{
	Terminal ann;
	Terminal::rules({rule_of(0, 0, a_while)});
	BMD_EQUAL(ann.reads("D0", 80), "");
	BMD_EQUAL(ann.reads("D1", 80), "");
	BMD_EQUAL(ann.reads("D0", 95), "");
	BMD_EQUAL(store()->held_count, 2U);
	const std::string told = ann.waits(a_while / 4);
	CU_ASSERT(told == "part D0/cleared/low D1/active/low"
			  || told == "part D1/active/low D0/cleared/low");
	BMD_EQUAL(store()->held_count, 0U);
	BMD_EQUAL(Terminal::counted(bmd::count_watcher_digests), 1U);
	BMD_EQUAL(Terminal::counted(bmd::count_watcher_held), 2U);
	BMD_EQUAL(ann.pass(), "");
}

void high_priority_is_told_at_once_in_the_middle_of_a_digest()
{
	Terminal ann;
	Terminal::rules({rule_of(a_while, 1, a_while)});
	BMD_EQUAL(ann.reads("D0", 80), "");
	Terminal::limit("D1", bmd_test::low(90, Priority::high));
	BMD_EQUAL(ann.reads("D1", 80), "part D1/active/high");
	BMD_EQUAL(store()->held_count, 1U);
	BMD_EQUAL(ann.reads("D1", 95), "part D1/cleared/high");
	BMD_EQUAL(ann.waits(a_while / 4), "part D0/active/low");
}

void a_rise_to_high_is_told_at_once_and_so_is_all_that_follows()
{
	Terminal ann;
	Terminal::rules({rule_of(60 * second_us, 1, 60 * second_us)});
	BMD_EQUAL(ann.reads("D0", 80), "");
	Terminal::limit("D0", bmd_test::low(90, Priority::high));
	BMD_EQUAL(ann.reads("D0", 80), "part D0/active/high");
	Terminal::limit("D0", bmd_test::low(90, Priority::low));
	BMD_EQUAL(ann.reads("D0", 80), "part D0/active/low");
	BMD_EQUAL(ann.reads("D0", 95), "part D0/cleared/low");
	BMD_EQUAL(store()->held_count, 0U);
}

void what_is_over_before_it_has_lasted_is_never_told()
{
	Terminal ann;
	Terminal::rules({rule_of(a_while, 0, 0)});
	BMD_EQUAL(ann.reads("D0", 80), "");
	BMD_EQUAL(ann.reads("D0", 95), "");
	BMD_EQUAL(ann.reads("D0", 80), ""); // the same alert, back again
	ann.report("D1", 80);               // begins and ends within one pass
	BMD_EQUAL(ann.reads("D1", 95), "");
	BMD_EQUAL(Terminal::counted(bmd::count_watcher_passed), 2U);
	BMD_EQUAL(ann.waits(a_while / 4), "part D0/active/low");
	BMD_EQUAL(ann.reads("D0", 95), "part D0/cleared/low");
}

void what_was_told_as_open_is_told_as_cleared()
{
	Terminal ann;
	BMD_EQUAL(ann.reads("D0", 80), "part D0/active/low");
	Terminal::rules({rule_of(60 * second_us, 0, a_while)});
	BMD_EQUAL(ann.reads("D0", 95), "");
	BMD_EQUAL(ann.reads("D0", 80), ""); // young again, but still on the screen
	BMD_EQUAL(ann.reads("D0", 95), "");
	BMD_EQUAL(ann.waits(a_while / 4), "part D0/cleared/low");
	BMD_EQUAL(Terminal::counted(bmd::count_watcher_passed), 0U);
}

void a_rate_holds_back_the_others_and_tells_them_together()
{
	Terminal ann;
	Terminal::rules({rule_of(0, 2, 0)});
	BMD_EQUAL(ann.reads("D0", 80), "part D0/active/low");
	BMD_EQUAL(ann.reads("D0", 95), "part D0/cleared/low");
	BMD_EQUAL(ann.reads("D0", 80), "");
	BMD_EQUAL(ann.reads("D1", 80), "");
	BMD_EQUAL(ann.reads("D1", 95), "");
	const auto held = bmd::all_held();
	BMD_EQUAL(held.size(), 2U);
	for(const bmd::HeldRec &one : held) {
		CU_ASSERT(one.why == bmd::HoldReason::rate && one.rule == 7);
		CU_ASSERT(one.until > bmd::mono_now() + 50 * second_us);
	}
}

void what_chatters_is_open_until_it_has_been_quiet()
{
	Terminal ann;
	store()->settings.reopen.store(a_while);
	bmd::Rule rule = bmd_test::low(90, Priority::low);
	rule.most_per_hour = 1;
	Terminal::limit("D0", rule);
	BMD_EQUAL(ann.reads("D0", 80), "part D0/active/low");
	BMD_EQUAL(ann.reads("D0", 95), "part D0/cleared/low");
	BMD_EQUAL(ann.reads("D0", 80), "part D0/active/low"); // from here on it chatters
	BMD_EQUAL(ann.reads("D0", 95), "");
	BMD_EQUAL(ann.reads("D0", 80), "");
	BMD_EQUAL(ann.reads("D0", 95), "");
	BMD_EQUAL(ann.waits(a_while / 2), "part D0/cleared/low");
	BMD_EQUAL(Terminal::counted(bmd::count_alerts_chattering), 1U);
	rule.priority = Priority::high;
	Terminal::limit("D0", rule);
	BMD_EQUAL(ann.reads("D0", 80), "part D0/active/high");
	BMD_EQUAL(ann.reads("D0", 95), "part D0/cleared/high");
}

void a_rule_that_goes_frees_what_it_held()
{
	Terminal ann;
	Terminal::rules({rule_of(0, 0, 60 * second_us)});
	BMD_EQUAL(ann.reads("D0", 80), "");
	WatcherRule shorter = rule_of(0, 0, 30 * second_us);
	Terminal::rules({shorter});
	BMD_EQUAL(ann.pass(), "");
	CU_ASSERT(bmd::all_held()[0].until < bmd::mono_now() + 31 * second_us);
	Terminal::rules({});
	BMD_EQUAL(ann.pass(), "part D0/active/low");
	BMD_EQUAL(store()->held_count, 0U);
}

void a_full_state_tells_all_that_was_held()
{
	Terminal ann;
	Terminal::rules({rule_of(60 * second_us, 0, 0)});
	BMD_EQUAL(ann.reads("D0", 80), "");
	bmd::note_full_state(ann.ref()); // a SUBSCRIBE was answered by another process
	BMD_EQUAL(ann.reads("D0", 95), "part D0/cleared/low");
	BMD_EQUAL(ann.reads("D1", 80), "");
	bmd::queue_refresh("ann");
	BMD_EQUAL(ann.pass(), "full D1/active/low");
	BMD_EQUAL(store()->held_count, 0U);
	BMD_EQUAL(ann.reads("D1", 95), "part D1/cleared/low");
}

void what_a_full_state_may_have_told_is_not_kept_back_as_too_young()
{
	Terminal ann;
	Terminal::rules({rule_of(60 * second_us, 0, 0)});
	ann.report("D0", 80);
	bmd::note_full_state(ann.ref()); // by another process, before the notifier hears of the alert
	BMD_EQUAL(ann.pass(), "part D0/active/low");
	BMD_EQUAL(ann.reads("D0", 95), "part D0/cleared/low");
}

void without_room_all_of_it_is_told_at_once()
{
	Terminal ann;
	Terminal::rules({rule_of(0, 0, 60 * second_us)});
	BMD_EQUAL(ann.reads("D0", 80), "");
	bmd::HeldRec other{};
	other.dialog = 1;
	while(bmd::put_held(other) != 0) {
	}
	BMD_EQUAL(ann.reads("D1", 80), "part D1/active/low; part D0/active/low");
	BMD_EQUAL(Terminal::counted(bmd::count_watcher_full), 1U);
}

void a_subscription_that_ends_leaves_nothing_behind()
{
	Terminal ann;
	Terminal::rules({rule_of(0, 0, a_while / 2)});
	BMD_EQUAL(ann.reads("D0", 80), "");
	ann.unsubscribe();
	for(const TimeUs begun = bmd::mono_now(); bmd::mono_now() - begun < a_while;)
		BMD_EQUAL(ann.pass(50), "");
	BMD_EQUAL(store()->held_count, 0U);
}

CU_TestInfo cases[] = {BMD_CASE(without_rules_everything_is_told_at_once),
		BMD_CASE(a_digest_tells_the_last_states_in_one_document),
		BMD_CASE(high_priority_is_told_at_once_in_the_middle_of_a_digest),
		BMD_CASE(a_rise_to_high_is_told_at_once_and_so_is_all_that_follows),
		BMD_CASE(what_is_over_before_it_has_lasted_is_never_told),
		BMD_CASE(what_was_told_as_open_is_told_as_cleared),
		BMD_CASE(a_rate_holds_back_the_others_and_tells_them_together),
		BMD_CASE(what_chatters_is_open_until_it_has_been_quiet),
		BMD_CASE(a_rule_that_goes_frees_what_it_held),
		BMD_CASE(a_full_state_tells_all_that_was_held),
		BMD_CASE(what_a_full_state_may_have_told_is_not_kept_back_as_too_young),
		BMD_CASE(without_room_all_of_it_is_told_at_once),
		BMD_CASE(a_subscription_that_ends_leaves_nothing_behind), CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo holding_suite;
const CU_SuiteInfo holding_suite = BMD_SUITE("holding", cases);
