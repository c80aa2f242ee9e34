/// @file keeper.cpp  Partitions of readings: created ahead, dropped when the setting says so.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "keeper.hpp"

#include "bmd_host.h"

namespace bmd {

namespace {

constexpr TimeUs interval = 60 * second_us;
constexpr TimeUs soon = 5 * second_us; // a lock was not free
constexpr int patience = 15'000;

// For the time-outs of a lock the writer may have to queue behind us, no longer.
constexpr const char *session = "SET lock_timeout = '200ms'; SET statement_timeout = '10s';"
								"SET idle_in_transaction_session_timeout = '30s';"
								"SET client_connection_check_interval = '2s';"
								"SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 2;"
								"SET tcp_keepalives_count = 3; SET tcp_user_timeout = 10000";

} // namespace

Keeper::Keeper(std::string conninfo) : conninfo_(std::move(conninfo)), pg_(patience) {}

Result<bool> Keeper::connect()
{
	if(pg_.connected())
		return true;
	if(auto connected = pg_.connect(conninfo_, "bmd keeper"); !connected)
		return connected;
	auto set = pg_.run(session);
	return set ? Result<bool>(true) : set.error();
}

// The coming days first: they need no row moved, and today's may have to wait for its end.
Result<bool> Keeper::create()
{
	Result<bool> outcome = true;
	for(const char *days : {"2", "1", "0", "-1"}) {
		auto made = pg_.run(
				"SELECT bmd_ensure_partition((now() AT TIME ZONE 'UTC')::date + $1::integer)",
				{days});
		if(!made && !pg_.connected())
			return made.error();
		if(!made)
			outcome = made.error();
	}
	return outcome;
}

Result<bool> Keeper::drop()
{
	for(;;) {
		auto dropped = pg_.run("SELECT bmd_drop_old_partition()");
		if(!dropped)
			return dropped.error();
		if(PQgetisnull(dropped->get(), 0, 0) != 0)
			return true;
		const std::string name = PQgetvalue(dropped->get(), 0, 0);
		count(count_partitions_dropped);
		bmd_host_log(BMD_LOG_NOTICE,
				("keeper: dropped " + name + " as keep_readings_days says").c_str());
	}
}

Result<bool> Keeper::drop_deliveries()
{
	for(;;) {
		auto dropped = pg_.run("SELECT bmd_drop_old_deliveries()");
		if(!dropped)
			return dropped.error();
		if(std::string_view(PQgetvalue(dropped->get(), 0, 0)) == "0")
			return true;
	}
}

void Keeper::failed(const Error &error)
{
	count(count_keeper_failures);
	if(failures_++ % 60 == 0)
		bmd_host_log(BMD_LOG_WARNING,
				("keeper: partitions wait, tried again every 5 s: " + error.reason).c_str());
	due_ = mono_now() + soon;
}

void Keeper::round() noexcept
{
	if(mono_now() < due_)
		return;
	try {
		auto done = connect();
		if(done)
			done = create();
		if(done)
			done = drop();
		if(done)
			done = drop_deliveries();
		if(!done)
			return failed(done.error());
		failures_ = 0;
		due_ = mono_now() + interval;
	} catch(const std::exception &error) {
		failed(Error{Errc::fatal, error.what()});
	}
}

} // namespace bmd
