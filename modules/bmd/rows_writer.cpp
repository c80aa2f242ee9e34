/// @file rows_writer.cpp  Writes what waits, in its order, again until it is done.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Every statement may be repeated: a COMMIT whose answer is lost does no harm.  BEGIN and COMMIT
/// are sent by themselves, so a connection that was given up cannot commit old rows after new ones:
/// what it may still have to commit holds the locks of its rows.

#include "rows_writer.hpp"

#include <algorithm>

#include "bmd_host.h"

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

Result<bool> RowsWriter::write_together(std::span<const WaitingChange> changes)
{
	if(auto begun = pg_.run("BEGIN"); !begun)
		return begun.error();
	for(const WaitingChange &waiting : changes) {
		const Statement statement = statement_of(waiting.change);
		if(auto done = pg_.run(statement.sql.c_str(), statement.values); !done)
			return done.error();
	}
	auto done = pg_.run("COMMIT");
	if(!done)
		return done.error();
	settle_rows(changes);
	count(count_rows_stored, changes.size());
	return true;
}

Result<bool> RowsWriter::write_singly(std::span<const WaitingChange> changes)
{
	for(std::size_t i = 0; i < changes.size(); ++i) {
		const auto one = changes.subspan(i, 1);
		auto done = write_together(one);
		if(done)
			continue;
		if(done.error().code != Errc::malformed || !pg_.connected())
			return done.error();
		if(auto back = pg_.run("ROLLBACK"); !back)
			return back.error();
		complain(count_rows_refused, "rows: the database refuses one: " + done.error().reason);
		settle_rows(one);
	}
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
	next_connect_ = mono_now() + std::min<TimeUs>(failures_ * 100'000, second_us);
}

void RowsWriter::round(int milliseconds) noexcept
{
	try {
		RowsWaiting &rows = store()->rows;
		const std::vector<WaitingChange> changes =
				mono_now() < next_connect_ ? std::vector<WaitingChange>() : waiting_rows(at_once);
		if(changes.empty())
			return rows.waker.wait(mono_now() < next_connect_ ? 50 : milliseconds);
		if(!pg_.connected())
			if(auto connected = pg_.connect(conninfo_, "bmd rows"); !connected)
				return failed(connected.error());
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
