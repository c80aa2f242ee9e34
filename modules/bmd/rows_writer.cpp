/// @file rows_writer.cpp  Writes what waits, in its order, again until it is done.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Every statement may be repeated: a COMMIT whose answer is lost does no harm.  BEGIN and COMMIT
/// are sent by themselves, and a connection that was given up has ended before another one writes:
/// it cannot commit old rows after new ones.

#include "rows_writer.hpp"

#include <algorithm>

#include "bmd_host.h"
#include "rows_text.hpp"

namespace bmd {

namespace {

constexpr std::size_t at_once = 500;

std::string quoted_name(std::string_view name)
{
	std::string text = "\"";
	for(const char c : name)
		text += c == '"' ? '_' : c;
	return text += '"';
}

struct Statement
{
	std::string sql;
	std::vector<std::string> values;

	/// A placeholder, or NULL.
	std::string put(const Cell &cell)
	{
		if(!cell.value)
			return "NULL";
		values.push_back(*cell.value);
		return "$" + std::to_string(values.size());
	}
	void where(const std::vector<Cell> &condition)
	{
		const char *word = " WHERE ";
		for(const Cell &cell : condition) {
			sql += word + quoted_name(cell.name) + (cell.op == "<" ? " < " : " = ") + put(cell);
			word = " AND ";
		}
	}
};

bool is_key(std::span<const std::string_view> key, std::string_view name) noexcept
{
	return std::ranges::find(key, name) != key.end();
}

std::string &list(std::string &to, std::string_view item)
{
	return to.append(to.empty() ? "" : ", ").append(item);
}

Statement insert_of(const RowChange &change)
{
	Statement statement;
	std::string names, values, conflict, updates;
	const auto key = key_of_table(change.table);
	for(const Cell &cell : change.cells) {
		const std::string name = quoted_name(cell.name);
		list(names, name);
		list(values, statement.put(cell));
		if(!is_key(key, cell.name))
			list(updates, name).append(" = EXCLUDED.").append(name);
	}
	for(const std::string_view name : key)
		list(conflict, quoted_name(name));
	statement.sql = "INSERT INTO " + quoted_name(change.table) + " (" + names + ") VALUES ("
					+ values + ") ON CONFLICT (" + conflict + ") DO "
					+ (updates.empty() ? "NOTHING" : "UPDATE SET " + updates);
	return statement;
}

Statement update_of(const RowChange &change)
{
	Statement statement;
	statement.sql = "UPDATE " + quoted_name(change.table) + " SET ";
	const char *comma = "";
	for(const Cell &cell : change.cells) {
		statement.sql += comma + quoted_name(cell.name) + " = " + statement.put(cell);
		comma = ", ";
	}
	statement.where(change.where);
	return statement;
}

Statement statement_of(const RowChange &change)
{
	if(change.action == RowAction::put)
		return insert_of(change);
	if(change.action == RowAction::update)
		return update_of(change);
	Statement statement;
	statement.sql = "DELETE FROM " + quoted_name(change.table);
	statement.where(change.where);
	return statement;
}

} // namespace

RowsWriter::RowsWriter(std::string conninfo, int patience)
	: conninfo_(std::move(conninfo)), pg_(patience)
{
}

Result<bool> RowsWriter::transact(std::span<const WaitingChange> changes)
{
	if(auto begun = pg_.run("BEGIN"); !begun)
		return begun.error();
	for(const WaitingChange &waiting : changes) {
		const Statement statement = statement_of(waiting.change);
		if(auto done = pg_.run(statement.sql.c_str(), statement.values); !done)
			return done.error();
	}
	if(auto done = pg_.run("COMMIT"); !done)
		return done.error();
	return true;
}

Result<bool> RowsWriter::write_together(std::span<const WaitingChange> changes)
{
	if(auto done = transact(changes); !done)
		return done;
	settle_rows(changes);
	count(count_rows_stored, changes.size());
	return true;
}

Result<bool> RowsWriter::write_one(const WaitingChange &waiting)
{
	auto done = transact({&waiting, 1});
	if(done || done.error().code != Errc::malformed || !pg_.connected())
		return done;
	refusal_ = done.error().reason;
	if(auto back = pg_.run("ROLLBACK"); !back)
		return back.error();
	return false;
}

Result<bool> RowsWriter::write_in_part(WaitingChange waiting)
{
	if(tame(waiting.change))
		if(auto done = write_one(waiting); !done || *done)
			return done;
	if(waiting.change.action != RowAction::update)
		return false;
	// When it expires must not be lost with what else has changed.
	bool all = true;
	WaitingChange part = waiting;
	for(const Cell &cell : waiting.change.cells) {
		part.change.cells.assign(1, cell);
		auto done = write_one(part);
		if(!done)
			return done;
		all = all && *done;
	}
	return all;
}

Result<bool> RowsWriter::write_singly(std::span<const WaitingChange> changes)
{
	for(const WaitingChange &waiting : changes) {
		auto done = write_one(waiting);
		if(done && !*done)
			done = write_in_part(waiting);
		if(!done)
			return done;
		if(*done)
			count(count_rows_stored);
		else
			complain(count_rows_refused, "rows: the database refuses one: " + refusal_);
		settle_rows({&waiting, 1});
	}
	return true;
}

// What the last connection may still commit must not come after what this one writes: a row that
// was not there yet would come back after its removal.
Result<bool> RowsWriter::connect()
{
	if(auto connected = pg_.connect(conninfo_, "bmd rows"); !connected)
		return connected;
	if(backend_ != 0) {
		auto ended = pg_.run("SELECT count(*) FROM (SELECT pid FROM pg_stat_activity "
							 "WHERE pid = $1::int AND pid <> pg_backend_pid() "
							 "AND usename = current_user AND application_name = 'bmd rows' "
							 "OFFSET 0) old WHERE NOT pg_terminate_backend(pid, 2000)",
				{std::to_string(backend_)});
		if(!ended)
			return ended.error();
		if(std::string_view(PQgetvalue(ended->get(), 0, 0)) != "0")
			return Error{Errc::retry, "the connection before this one has not ended"};
	}
	backend_ = PQbackendPID(pg_.raw());
	return true;
}

void RowsWriter::failed(const Error &error)
{
	count(count_rows_failures);
	if(failures_++ % 60 == 0)
		bmd_host_log(error.code == Errc::retry ? BMD_LOG_WARNING : BMD_LOG_ERROR,
				("rows: subscriptions and registrations wait, the database does not take them: "
						+ error.reason)
						.c_str());
	pg_.close();
	next_connect_ = mono_now() + std::min(failures_, 10) * TimeUs{100'000};
}

void RowsWriter::round(int milliseconds) noexcept
{
	try {
		RowsWaiting &rows = store()->rows;
		const bool early = mono_now() < next_connect_;
		if(early || rows_waiting() == 0)
			return rows.waker.wait(early ? 50 : milliseconds);
		if(!pg_.connected())
			if(auto connected = connect(); !connected)
				return failed(connected.error());
		const std::vector<WaitingChange> changes = waiting_rows(at_once);
		if(changes.empty())
			return;
		auto done = write_together(changes);
		if(!done && done.error().code == Errc::malformed && pg_.connected()) {
			if(auto back = pg_.run("ROLLBACK"); !back)
				return failed(back.error());
			done = write_singly(changes);
		}
		if(!done)
			return failed(done.error());
		if(failures_ > 0)
			bmd_host_log(BMD_LOG_NOTICE, "rows: the database takes them again");
		failures_ = 0;
	} catch(const std::exception &error) {
		failed(Error{Errc::fatal, error.what()});
	}
}

} // namespace bmd
