/// @file pg.hpp  A connection to PostgreSQL: one statement, one answer, rows by COPY.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Opened after the fork, never shared between processes.  Errors never repeat SQL or values.

#pragma once

#include <libpq-fe.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bmd/result.hpp"

namespace bmd {

/// One row of a COPY: fields without escapes, empty optional for NULL.
using PgRow = std::vector<std::optional<std::string>>;

struct PgResultDeleter
{
	void operator()(PGresult *result) const noexcept { PQclear(result); }
};
using PgResult = std::unique_ptr<PGresult, PgResultDeleter>;

/// Error codes: retry when the connection is gone or the server says to come again, malformed when
/// it refuses the data (classes 22, 23, 44, 54 and P0), else fatal.
class Pg
{
public:
	/// `patience`: how long the server may be silent within an answer, milliseconds; then the call
	/// ends with retry and the connection is of no use any more.
	explicit Pg(int patience = 30'000) : patience_(patience) {}
	~Pg() { close(); }
	Pg(const Pg &) = delete;
	Pg &operator=(const Pg &) = delete;

	/// `conninfo` as of libpq; the application name is added, and time-outs by which a database
	/// host that vanished is found out within some 10 s, unless `conninfo` says otherwise.
	[[nodiscard]] Result<bool> connect(const std::string &conninfo, const char *application);
	/// The same within so many milliseconds, whatever `conninfo` says; only the look-up of a host
	/// name may take longer.
	[[nodiscard]] Result<bool> connect_within(
			int milliseconds, const std::string &conninfo, const char *application);
	/// From now on: as the constructor's `patience`.
	void wait_at_most(int milliseconds) noexcept { patience_ = milliseconds; }
	void close() noexcept;
	[[nodiscard]] bool connected() const noexcept;

	/// Runs one statement with text parameters.
	[[nodiscard]] Result<PgResult> run(
			const char *sql, const std::vector<std::string> &parameters = {});

	/// Streams the rows of a query.
	[[nodiscard]] Result<bool> copy_out(
			const std::string &query, const std::function<void(const PgRow &)> &row);

	/// Within a COPY ... TO STDOUT that was run(): length of the next row, which PQfreemem frees;
	/// not positive at its end, and then it goes to end_copy_out(), which says how it ended.
	[[nodiscard]] int copy_row(char *&row);
	[[nodiscard]] Result<bool> end_copy_out(int length);

	/// Sends a whole binary COPY.
	[[nodiscard]] Result<bool> copy_in(const char *sql, std::string_view data);

	/// SELECT 1 within so many milliseconds: does the database still answer?
	[[nodiscard]] Result<bool> ping(int patience);

	[[nodiscard]] PGconn *raw() noexcept { return connection_; }
	/// What a result, or without one the connection, says went wrong.
	[[nodiscard]] Error error_of(const PGresult *result) const;

private:
	/// Goes on with a connection that was begun; false: it failed, or the time is over.
	[[nodiscard]] bool established(int milliseconds);
	/// Waits until the server has sent something.
	[[nodiscard]] bool heard();
	/// The next result, nullptr after the last; `silent` is set when the server says nothing.
	[[nodiscard]] PgResult next_result(bool &silent);
	/// Closes the connection: what it would say later answers nothing any more.
	[[nodiscard]] Error gone_silent();
	/// The last result of what was sent.
	[[nodiscard]] Result<PgResult> answer(bool sent);
	int patience_;
	PGconn *connection_ = nullptr;
};

/// Builds the data of a binary COPY.
class BinaryCopy
{
public:
	BinaryCopy() { clear(); }
	void clear();
	void row(std::uint16_t fields) { put16(fields); }
	void null() { put32(0xffffffff); }
	void int16(std::int16_t value);
	void int32(std::int32_t value);
	void int64(std::int64_t value);
	void float8(double value);
	/// NaN becomes NULL.
	void float8_or_null(double value);
	void text(std::string_view value);
	void text_or_null(std::string_view value);
	void bytes(const void *data, std::size_t size);
	/// Microseconds since 1970; 0 becomes NULL.
	void timestamp(std::int64_t time);
	/// The data with its trailer; clear() before the next row.
	[[nodiscard]] std::string_view finish();
	[[nodiscard]] std::size_t rows() const noexcept { return rows_; }
	/// The rows so far, without what stands around them.
	[[nodiscard]] std::string_view content() const noexcept;

private:
	void put16(std::uint16_t value);
	void put32(std::uint32_t value);
	void put64(std::uint64_t value);
	std::string data_;
	std::size_t rows_ = 0;
};

} // namespace bmd
