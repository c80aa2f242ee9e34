/// @file rows_test.cpp  Unit tests of the rows that wait for the database.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// What is written in the end is compared with a table that is changed at once.

#include "rows.hpp"

#include <map>
#include <random>
#include <string>
#include <unistd.h>

#include "rows_text.hpp"
#include "subs.hpp"
#include "suites.hpp"

namespace {

using bmd::Cell;
using bmd::keep_row;
using bmd::RowAction;
using bmd::RowChange;
using bmd::RowOutcome;
using bmd::settle_rows;
using bmd::waiting_rows;

constexpr std::size_t everything = 100'000;

class SmallStore
{
public:
	SmallStore()
	{
		bmd::Limits limits;
		limits.devices = limits.feeds = limits.members = 4;
		limits.journal_bytes = 1U << 16;
		limits.alert_events = limits.changes = limits.subscriptions = 16;
		std::size_t needed = 0;
		CU_ASSERT(bmd::create_store(limits, needed) != nullptr);
	}
	SmallStore(const SmallStore &) = delete;
	SmallStore &operator=(const SmallStore &) = delete;
	~SmallStore()
	{
		settle_rows(waiting_rows(everything));
		bmd::release_store();
	}
};

Cell is(const char *name, const std::string &value)
{
	return {name, "=", value};
}

std::vector<Cell> key_of(const std::string &id)
{
	return {is("callid", id), is("to_tag", "t"), is("from_tag", "f")};
}

RowOutcome insert(const std::string &id, int expires)
{
	RowChange change{RowAction::put, "active_watchers", {}, key_of(id)};
	change.cells.push_back(is("expires", std::to_string(expires)));
	change.cells.push_back({"reason", "", std::nullopt});
	return keep_row(change);
}

RowOutcome update(const std::string &id, int expires)
{
	RowChange change{RowAction::update, "active_watchers", key_of(id), {}};
	change.where.push_back(is("presentity_uri", "sip:x@y")); // presence names it, too
	change.cells.push_back(is("expires", std::to_string(expires)));
	return keep_row(change);
}

RowOutcome remove(const std::string &id)
{
	return keep_row({RowAction::remove, "active_watchers", key_of(id), {}});
}

RowOutcome sweep(int before)
{
	return keep_row(
			{RowAction::remove, "active_watchers", {{"expires", "<", std::to_string(before)}}, {}});
}

RowOutcome told(int expires, int cseq)
{
	RowChange change{RowAction::update, "active_watchers", key_of("a"), {}};
	change.cells = {is("expires", std::to_string(expires)), is("status", "1"),
			is("local_cseq", std::to_string(cseq)), is("version", std::to_string(cseq))};
	return keep_row(change);
}

int number_of(const std::vector<Cell> &cells, const char *name)
{
	for(const Cell &cell : cells)
		if(cell.name == name && cell.value)
			return std::stoi(*cell.value);
	return -1;
}

// A table of the database: when each row expires.
using Rows = std::map<std::string, int>;

void write(Rows &rows, const RowChange &change)
{
	const std::string id = change.where.empty() ? "" : change.where[0].value.value_or("");
	switch(change.action) {
		case RowAction::put:
			rows[id] = number_of(change.cells, "expires");
			break;
		case RowAction::update:
			if(rows.contains(id))
				rows[id] = number_of(change.cells, "expires");
			break;
		case RowAction::remove:
			rows.erase(id);
			break;
		case RowAction::sweep:
			std::erase_if(rows, [&](const auto &row) {
				return row.second < number_of(change.where, "expires");
			});
	}
}

void write_all(Rows &rows)
{
	const auto all = waiting_rows(everything);
	for(const auto &waiting : all)
		write(rows, waiting.change);
	settle_rows(all);
}

void changes_of_one_row_become_one()
{
	const SmallStore store;
	CU_ASSERT(insert("a", 10) == RowOutcome::waits);
	for(int i = 0; i < 1000; ++i)
		CU_ASSERT(update("a", 20 + i) == RowOutcome::waits);
	const auto all = waiting_rows(everything);
	CU_ASSERT_EQUAL(all.size(), 1);
	CU_ASSERT(all[0].change.action == RowAction::put);
	CU_ASSERT_EQUAL(number_of(all[0].change.cells, "expires"), 1019);
	CU_ASSERT_EQUAL(bmd::rows_waiting("active_watchers"), 1);
	CU_ASSERT_EQUAL(bmd::rows_waiting("location"), 0);
}

void an_insert_that_may_be_on_its_way_is_removed_again()
{
	const SmallStore store;
	Rows rows;
	(void)insert("a", 10);
	const auto on_its_way = waiting_rows(everything);
	(void)remove("a");
	write(rows, on_its_way[0].change);
	settle_rows(on_its_way); // no longer what waits
	CU_ASSERT_EQUAL(bmd::rows_waiting(), 1);
	write_all(rows);
	CU_ASSERT(rows.empty());
}

void what_is_added_while_it_is_written_goes_on_waiting()
{
	const SmallStore store;
	(void)insert("a", 10);
	(void)insert("b", 10);
	const auto on_its_way = waiting_rows(everything);
	(void)update("a", 30);
	settle_rows(on_its_way);
	const auto left = waiting_rows(everything);
	CU_ASSERT_EQUAL(left.size(), 1);
	CU_ASSERT_EQUAL(number_of(left[0].change.cells, "expires"), 30);
}

void a_sweep_follows_what_was_there_before_it()
{
	const SmallStore store;
	Rows rows{{"a", 5}};
	(void)update("a", 50); // refreshed in time, the database does not know
	for(int now = 10; now < 20; ++now)
		(void)sweep(now);
	CU_ASSERT_EQUAL(bmd::rows_waiting(), 2);
	(void)update("a", 60);
	write_all(rows);
	CU_ASSERT_EQUAL(rows["a"], 60);
}

void a_null_stays_null()
{
	const SmallStore store;
	(void)insert("a", 10);
	const auto all = waiting_rows(everything);
	bool found = false;
	for(const Cell &cell : all[0].change.cells)
		found = found || (cell.name == "reason" && !cell.value);
	CU_ASSERT(found);
}

void what_does_not_name_a_row_is_not_ours()
{
	const SmallStore store;
	CU_ASSERT(keep_row({RowAction::put, "watchers", {}, key_of("a")}) == RowOutcome::not_ours);
	CU_ASSERT(keep_row({RowAction::put, "location", {}, key_of("a")}) == RowOutcome::not_ours);
	CU_ASSERT(keep_row({RowAction::update, "active_watchers", {is("callid", "a")}, key_of("a")})
			  == RowOutcome::not_ours);
	CU_ASSERT(keep_row({RowAction::remove, "location", {is("username", "a")}, {}})
			  == RowOutcome::not_ours);
	CU_ASSERT(keep_row({RowAction::remove, "location", {}, {}}) == RowOutcome::not_ours);
	CU_ASSERT_EQUAL(bmd::rows_waiting(), 0);
}

// Presence and its sweeps, a writer that takes some, and now and then repeats what it wrote.
void what_is_written_is_what_was_changed()
{
	const SmallStore store;
	std::mt19937 random(20240229);
	const auto one_of = [&](int n) {
		return static_cast<int>(random() % static_cast<unsigned>(n));
	};
	Rows at_once, written;
	for(int now = 0; now < 20'000; ++now) {
		const std::string id(1, static_cast<char>('a' + one_of(6)));
		const bool there = at_once.contains(id);
		const int expires = now + 1 + one_of(20);
		if(!there) {
			(void)insert(id, expires);
			at_once[id] = expires;
		} else if(one_of(4) == 0) {
			(void)remove(id);
			at_once.erase(id);
		} else {
			(void)update(id, expires);
			at_once[id] = expires;
		}
		if(one_of(3) == 0) {
			(void)sweep(now);
			std::erase_if(at_once, [now](const auto &row) { return row.second < now; });
		}
		if(one_of(5) == 0) {
			const auto some = waiting_rows(static_cast<std::size_t>(one_of(4)));
			for(const auto &waiting : some)
				write(written, waiting.change);
			if(one_of(3) != 0) // else the answer was lost
				settle_rows(some);
		}
		CU_ASSERT(bmd::rows_waiting() <= 7);
	}
	write_all(written);
	CU_ASSERT(written == at_once);
}

void what_the_database_never_heard_of_is_not_kept()
{
	const SmallStore store;
	for(int i = 0; i < 1000; ++i) {
		(void)insert("a" + std::to_string(i), 10);
		(void)update("a" + std::to_string(i), 20);
		(void)remove("a" + std::to_string(i));
	}
	CU_ASSERT_EQUAL(bmd::rows_waiting(), 0);
	CU_ASSERT_EQUAL(bmd::store()->rows.bytes, 0);
	for(int i = 0; i < 1000; ++i) {
		(void)insert("b" + std::to_string(i), 1000 + i);
		(void)sweep(1000 + i);
	}
	CU_ASSERT_EQUAL(bmd::rows_waiting(), 2); // the newest one, and the sweep
}

void what_the_database_may_have_is_removed_there()
{
	const SmallStore store;
	Rows rows{{"a", 10}};
	(void)remove("a");
	(void)insert("a", 20);
	(void)remove("a");
	(void)insert("b", 10);
	const auto on_its_way = waiting_rows(everything);
	write(rows, on_its_way.back().change);
	(void)update("b", 20);
	(void)remove("b");
	(void)sweep(100);
	write_all(rows);
	CU_ASSERT(rows.empty());
	RowChange replaced{RowAction::put, "location", {}, {is("ruid", "r")}};
	replaced.replaces = true;
	(void)keep_row(replaced);
	(void)keep_row({RowAction::remove, "location", {is("ruid", "r")}, {}});
	CU_ASSERT_EQUAL(bmd::rows_waiting("location"), 1);
}

void rows_take_no_more_than_their_part_of_the_memory()
{
	const SmallStore store;
	int kept = 0;
	while(kept < 100'000 && insert("a" + std::to_string(kept), 10) == RowOutcome::waits)
		++kept;
	CU_ASSERT(kept > 1000 && kept < 100'000);
	CU_ASSERT(insert("z", 10) == RowOutcome::no_memory);
	CU_ASSERT(update("a0", 20) == RowOutcome::waits && sweep(5) == RowOutcome::waits);
	CU_ASSERT(bmd::store()->rows.bytes < 2 * bmd::most_row_bytes());
	CU_ASSERT(remove("a0") == RowOutcome::waits && remove("a1") == RowOutcome::waits);
}

void only_the_name_of_a_terminal_is_tamed()
{
	RowChange change{RowAction::put, "active_watchers", {}, key_of("\xe4")};
	CU_ASSERT(!bmd::tame(change));
	change.cells.push_back(is("user_agent", "B\xfc" + std::string(300, 'x')));
	CU_ASSERT(bmd::tame(change));
	CU_ASSERT(change.cells.back().value == "B?" + std::string(253, 'x'));
	CU_ASSERT(change.cells.front().value == "\xe4" && !bmd::tame(change));
}

void locks_of_processes_that_were_ended_are_free_at_the_end()
{
	const SmallStore store;
	(void)insert("a", 10);
	(void)insert("b", 10);
	bmd::store()->rows.lock.lock();
	bmd::store()->sub_lock.lock();
	alarm(10); // what waits for them now waits for ever
	bmd::free_locks();
	bmd::mend_rows();
	CU_ASSERT(update("b", 20) == RowOutcome::waits && insert("c", 10) == RowOutcome::waits);
	CU_ASSERT(told(100, 1) == RowOutcome::waits);
	alarm(0);
	CU_ASSERT_EQUAL(bmd::rows_waiting(), 3);
	settle_rows(waiting_rows(everything));
	CU_ASSERT(bmd::rows_waiting() == 0 && bmd::store()->rows.bytes == 0);
}

void only_counters_of_a_subscription_are_not_written_for_every_notify()
{
	const SmallStore store;
	bmd::SubRef ref;
	CU_ASSERT(bmd::put_sub(bmd::dialog_of("a", "f"), "tech1", "tech1", 1'000'000, ref)
			  == bmd::Admission::done);
	const auto waits = [] {
		const auto rows = waiting_rows(everything);
		settle_rows(rows);
		return rows.size();
	};
	CU_ASSERT(told(100, 1) == RowOutcome::waits && waits() == 1);
	CU_ASSERT(told(100, 2) == RowOutcome::waits && waits() == 0);
	CU_ASSERT(told(101, 3) == RowOutcome::waits && waits() == 1); // refreshed
	// a start raises them by more than what was not written
	CU_ASSERT(told(101, 50'002) == RowOutcome::waits && waits() == 0);
	CU_ASSERT(told(101, 50'003) == RowOutcome::waits && waits() == 1);
}

CU_TestInfo cases[] = {BMD_CASE(changes_of_one_row_become_one),
		BMD_CASE(an_insert_that_may_be_on_its_way_is_removed_again),
		BMD_CASE(what_is_added_while_it_is_written_goes_on_waiting),
		BMD_CASE(a_sweep_follows_what_was_there_before_it), BMD_CASE(a_null_stays_null),
		BMD_CASE(what_does_not_name_a_row_is_not_ours),
		BMD_CASE(what_is_written_is_what_was_changed),
		BMD_CASE(what_the_database_never_heard_of_is_not_kept),
		BMD_CASE(what_the_database_may_have_is_removed_there),
		BMD_CASE(rows_take_no_more_than_their_part_of_the_memory),
		BMD_CASE(locks_of_processes_that_were_ended_are_free_at_the_end),
		BMD_CASE(only_the_name_of_a_terminal_is_tamed),
		BMD_CASE(only_counters_of_a_subscription_are_not_written_for_every_notify),
		CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo rows_suite;
const CU_SuiteInfo rows_suite = BMD_SUITE("rows", cases);
