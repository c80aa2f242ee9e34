/// @file statement.hpp  A prepared statement of SQLite that ends with its scope.
/// SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include <cstdint>
#include <memory>
#include <sqlite3.h>

namespace bmd {

struct Finalize
{
	void operator()(sqlite3_stmt *statement) const { sqlite3_finalize(statement); }
};
using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;

/// nullptr: sqlite3_errmsg() says why.
inline Statement prepare(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *statement = nullptr;
	if(sqlite3_prepare_v2(db, sql, -1, &statement, nullptr) != SQLITE_OK)
		return nullptr;
	return Statement(statement);
}

inline sqlite3_int64 signed64(std::uint64_t value)
{
	return static_cast<sqlite3_int64>(value);
}

} // namespace bmd
