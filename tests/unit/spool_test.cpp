/// @file spool_test.cpp  Unit tests for the collector's spool.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "spool.hpp"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>

#include "suites.hpp"

namespace {

int syncs = 0;
std::chrono::milliseconds sync_time{0};
bool unreadable = false;

} // namespace

// SQLite's calls come here: linked before libc's.
extern "C" int fsync(int fd)
{
	syncs++;
	std::this_thread::sleep_for(sync_time);
	return static_cast<int>(syscall(SYS_fsync, fd));
}
extern "C" int fdatasync(int fd)
{
	syncs++;
	std::this_thread::sleep_for(sync_time);
	return static_cast<int>(syscall(SYS_fdatasync, fd));
}
extern "C" ssize_t pread64(int fd, void *to, size_t size, off64_t offset)
{
	if(!unreadable)
		return syscall(SYS_pread64, fd, to, size, offset);
	errno = EIO;
	return -1;
}

namespace {

constexpr bmd::TimeUs now = 1'763'690'000'000'000;

/// A spool file of its own, removed at the end.
class Folder
{
public:
	Folder()
	{
		std::string name = std::filesystem::temp_directory_path() / "bmd-spool-XXXXXX";
		path_ = mkdtemp(name.data());
	}
	~Folder() { std::filesystem::remove_all(path_); }
	Folder(const Folder &) = delete;
	Folder &operator=(const Folder &) = delete;
	[[nodiscard]] std::string file() const { return path_ / "spool.db"; }

private:
	std::filesystem::path path_;
};

bmd::Result<bmd::Spool> open_spool(const std::string &path, std::uint64_t limit = 1'000'000)
{
	return bmd::Spool::open(path, limit, now);
}

std::uint64_t seq_of(bmd::Spool &spool, std::uint64_t from)
{
	const auto batch = spool.next(from);
	return batch && *batch ? (*batch)->seq : 0;
}

void batches_come_back_in_order()
{
	auto spool = open_spool(":memory:");
	CU_ASSERT(spool.ok());
	CU_ASSERT(spool->add("one\n", false) == 1);
	CU_ASSERT(spool->add("two\n", true) == 2);
	const auto batch = spool->next(1);
	CU_ASSERT(batch && *batch && (*batch)->seq == 1 && (*batch)->text == "one\n");
	CU_ASSERT(seq_of(*spool, 2) == 2 && seq_of(*spool, 3) == 0);
	CU_ASSERT(spool->epoch() == static_cast<std::uint64_t>(now));
	spool->forget(1);
	CU_ASSERT(seq_of(*spool, 1) == 2); // forgotten at once, deleted later
	CU_ASSERT(spool->tidy().ok() && spool->bytes() == 4);
}

void numbers_go_on_after_a_restart()
{
	const Folder folder;
	{
		auto spool = open_spool(folder.file());
		for(int i = 0; i < 3; i++)
			CU_ASSERT(spool->add("text\n", false) > 0);
		spool->forget(3);
		CU_ASSERT(spool->tidy().ok());
	}
	auto again = bmd::Spool::open(folder.file(), 1'000'000, now + 5);
	CU_ASSERT(again->epoch() == static_cast<std::uint64_t>(now));
	CU_ASSERT(again->last() == 3 && again->forgotten() == 3 && again->bytes() == 0);
	CU_ASSERT(again->add("text\n", false) == 4);
}

void what_was_not_forgotten_is_there_after_a_restart()
{
	const Folder folder;
	{
		auto spool = open_spool(folder.file());
		for(int i = 0; i < 5; i++)
			CU_ASSERT(spool->add("text\n", false) > 0);
		spool->forget(2); // not carried out
	}
	auto again = open_spool(folder.file());
	CU_ASSERT(again->last() == 5 && again->forgotten() == 0 && seq_of(*again, 1) == 1);
}

void full_spool_gives_up_the_oldest_without_alarm_first()
{
	auto spool = open_spool(":memory:", 1000);
	const std::string text(100, 'x');
	for(int i = 1; i <= 10; i++)
		CU_ASSERT(spool->add(text, i == 1) > 0); // 1 has an alarm
	CU_ASSERT(spool->add(text, false) > 0);
	CU_ASSERT(spool->dropped().plain == 2 && spool->dropped().alarms == 0);
	CU_ASSERT(seq_of(*spool, 1) == 1 && seq_of(*spool, 2) == 4);
	CU_ASSERT(spool->bytes() == 900);
}

void spool_full_of_alarms_gives_up_the_oldest()
{
	auto spool = open_spool(":memory:", 1000);
	const std::string text(100, 'x');
	for(int i = 0; i < 20; i++)
		CU_ASSERT(spool->add(text, true) > 0);
	CU_ASSERT(spool->dropped().plain == 0 && spool->dropped().alarms > 0);
	CU_ASSERT(spool->bytes() <= 1000);
	CU_ASSERT(seq_of(*spool, 1) == spool->dropped().alarms + 1);
}

void batch_has_reached_the_disk_when_add_returns()
{
	const Folder folder;
	auto spool = open_spool(folder.file());
	for(int i = 0; i < 5; i++) {
		const int before = syncs;
		CU_ASSERT(spool->add("text\n", false) > 0);
		CU_ASSERT(syncs > before);
	}
}

void two_collectors_do_not_share_a_spool()
{
	const Folder folder;
	auto first = open_spool(folder.file());
	CU_ASSERT(first->add("text\n", false) > 0);
	CU_ASSERT(!open_spool(folder.file()).ok());
}

void file_that_is_no_spool_is_an_error()
{
	const Folder folder;
	std::filesystem::create_directory(folder.file());
	CU_ASSERT(!open_spool(folder.file()).ok());
	CU_ASSERT(!open_spool(folder.file() + "/none/spool.db").ok());
}

void renewed_spool_keeps_batches_under_a_new_epoch()
{
	const Folder folder;
	{
		auto spool = open_spool(folder.file());
		CU_ASSERT(spool->add("text\n", false) > 0);
		spool->renew(now + 9);
	}
	auto again = open_spool(folder.file());
	CU_ASSERT(again->epoch() == static_cast<std::uint64_t>(now + 9) && seq_of(*again, 1) == 1);
}

/// No file of this process can grow while it lives: a full disk.
class FullDisk
{
public:
	FullDisk()
	{
		getrlimit(RLIMIT_FSIZE, &before_);
		rlimit none = before_;
		none.rlim_cur = 0;
		handler_ = std::signal(SIGXFSZ, SIG_IGN);
		setrlimit(RLIMIT_FSIZE, &none);
	}
	~FullDisk()
	{
		setrlimit(RLIMIT_FSIZE, &before_);
		std::signal(SIGXFSZ, handler_);
	}
	FullDisk(const FullDisk &) = delete;
	FullDisk &operator=(const FullDisk &) = delete;

private:
	rlimit before_{};
	void (*handler_)(int) = nullptr;
};

void full_disk_is_bridged_in_memory()
{
	const Folder folder;
	{
		auto spool = open_spool(folder.file());
		CU_ASSERT(spool->add("one\n", false) == 1 && spool->on_disk());
		{
			const FullDisk full;
			CU_ASSERT(spool->add("two\n", true) == 2 && spool->add("three\n", false) == 3);
			CU_ASSERT(!spool->on_disk() && !spool->reason().empty() && !spool->settle());
			CU_ASSERT(seq_of(*spool, 1) == 1 && seq_of(*spool, 2) == 2 && seq_of(*spool, 3) == 3);
			spool->forget(2);
			CU_ASSERT(seq_of(*spool, 1) == 3 && spool->last() == 3);
		}
		CU_ASSERT(spool->settle() && spool->on_disk() && spool->add("four\n", false) == 4);
	}
	auto again = open_spool(folder.file());
	CU_ASSERT(again->last() == 4 && again->found() == 4 && again->forgotten() == 2);
	CU_ASSERT(seq_of(*again, 3) == 3 && seq_of(*again, 4) == 4);
}

void memory_for_a_full_disk_gives_up_the_oldest_without_alarm_first()
{
	const Folder folder;
	auto spool = open_spool(folder.file(), 1000);
	const std::string text(100, 'x');
	const FullDisk full;
	for(int i = 1; i <= 11; i++)
		CU_ASSERT(spool->add(text, i == 1) == static_cast<std::uint64_t>(i));
	CU_ASSERT(spool->dropped().plain == 1 && spool->dropped().alarms == 0);
	CU_ASSERT(seq_of(*spool, 1) == 1 && seq_of(*spool, 2) == 3 && seq_of(*spool, 11) == 11);
}

void numbers_that_were_in_memory_only_do_not_come_again()
{
	const Folder folder;
	{
		auto spool = open_spool(folder.file());
		CU_ASSERT(spool->add("one\n", false) == 1);
		{
			const FullDisk full;
			CU_ASSERT(spool->add("two\n", true) == 2 && spool->add("three\n", false) == 3);
			spool->forget(3); // the server has them
		}
		CU_ASSERT(spool->tidy().ok());
	}
	auto again = open_spool(folder.file());
	CU_ASSERT(again->last() == 3 && again->found() == 3 && again->add("four\n", false) == 4);
}

void spool_is_opened_on_a_full_disk()
{
	const Folder folder;
	{
		auto spool = open_spool(folder.file());
		CU_ASSERT(spool->add("one\n", false) == 1);
	}
	const FullDisk full;
	auto again = open_spool(folder.file());
	CU_ASSERT(again.ok() && again->in_file());
	if(!again)
		return;
	CU_ASSERT(seq_of(*again, 1) == 1 && again->add("two\n", true) == 2 && seq_of(*again, 2) == 2);
	CU_ASSERT(!again->on_disk() && again->held_bytes() == 4);
}

void memory_stands_in_for_a_file_that_cannot_be_made()
{
	const Folder folder;
	const FullDisk full;
	auto spool = open_spool(folder.file());
	CU_ASSERT(spool.ok());
	if(!spool)
		return;
	CU_ASSERT(!spool->in_file() && !spool->reason().empty() && spool->add("one\n", true) == 1);
	CU_ASSERT(seq_of(*spool, 1) == 1 && spool->epoch() == static_cast<std::uint64_t>(now));
}

void new_epoch_does_not_wait_for_the_disk()
{
	const Folder folder;
	{
		auto spool = open_spool(folder.file());
		CU_ASSERT(spool->add("one\n", false) == 1);
		{
			const FullDisk full;
			spool->renew(now + 9);
			CU_ASSERT(spool->epoch() == static_cast<std::uint64_t>(now + 9));
		}
		CU_ASSERT(spool->add("two\n", false) == 2);
	}
	auto again = open_spool(folder.file());
	CU_ASSERT(again->epoch() == static_cast<std::uint64_t>(now + 9) && again->last() == 2);
}

void what_was_held_comes_to_the_disk_together_and_in_pieces()
{
	constexpr std::uint64_t many = 2000;
	const Folder folder;
	auto spool = open_spool(folder.file());
	{
		const FullDisk full;
		for(std::uint64_t i = 0; i < many; i++)
			(void)spool->add("text\n", false);
	}
	sync_time = std::chrono::milliseconds(20); // a memory card
	const int before = syncs;
	CU_ASSERT(!spool->settle()); // what is new does not wait for all of them
	CU_ASSERT(syncs - before < 20);
	sync_time = std::chrono::milliseconds(0);
	int calls = 0;
	while(!spool->settle() && calls < 100)
		calls++;
	CU_ASSERT(spool->on_disk() && syncs - before < 100 && spool->held_bytes() == 0);
	CU_ASSERT(seq_of(*spool, 1) == 1 && seq_of(*spool, many) == many);
}

void one_error_of_reading_gives_nothing_up()
{
	const Folder folder;
	auto spool = open_spool(folder.file(), 100'000'000);
	const std::string text(4'000'000, 'x'); // more than SQLite keeps of a file in memory
	CU_ASSERT(spool->add(text, false) == 1 && spool->add(text, false) == 2);
	const FullDisk full;
	CU_ASSERT(spool->add("three\n", true) == 3);
	unreadable = true;
	CU_ASSERT(!spool->next(1).ok());
	CU_ASSERT(seq_of(*spool, 3) == 3); // nothing lies before it
	unreadable = false;
	CU_ASSERT(seq_of(*spool, 1) == 1);
}

void memory_has_a_limit_of_its_own()
{
	const Folder folder;
	auto spool = open_spool(folder.file(), 1'000'000'000);
	const std::string text(1'000'000, 'x');
	const FullDisk full;
	for(int i = 0; i < 70; i++)
		(void)spool->add(text, false);
	CU_ASSERT(spool->held_bytes() <= bmd::Spool::most_held && spool->dropped().plain == 6);
}

CU_TestInfo cases[] = {BMD_CASE(batches_come_back_in_order),
		BMD_CASE(numbers_go_on_after_a_restart),
		BMD_CASE(what_was_not_forgotten_is_there_after_a_restart),
		BMD_CASE(full_spool_gives_up_the_oldest_without_alarm_first),
		BMD_CASE(spool_full_of_alarms_gives_up_the_oldest),
		BMD_CASE(batch_has_reached_the_disk_when_add_returns),
		BMD_CASE(two_collectors_do_not_share_a_spool), BMD_CASE(file_that_is_no_spool_is_an_error),
		BMD_CASE(full_disk_is_bridged_in_memory),
		BMD_CASE(memory_for_a_full_disk_gives_up_the_oldest_without_alarm_first),
		BMD_CASE(numbers_that_were_in_memory_only_do_not_come_again),
		BMD_CASE(spool_is_opened_on_a_full_disk),
		BMD_CASE(memory_stands_in_for_a_file_that_cannot_be_made),
		BMD_CASE(new_epoch_does_not_wait_for_the_disk),
		BMD_CASE(what_was_held_comes_to_the_disk_together_and_in_pieces),
		BMD_CASE(one_error_of_reading_gives_nothing_up), BMD_CASE(memory_has_a_limit_of_its_own),
		BMD_CASE(renewed_spool_keeps_batches_under_a_new_epoch),

		CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo spool_suite;
const CU_SuiteInfo spool_suite = BMD_SUITE("spool", cases);
