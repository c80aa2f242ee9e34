/// @file pg_stream.hpp  Rows of a query as they come, by binary COPY, without copies of them all.
/// SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

#include "pg.hpp"

namespace bmd {

/// One row; its texts live until the bundle's callback returns.  What has another type, or is not
/// there, is read as NULL.
class PgFields
{
public:
	static constexpr std::size_t most = 40;

	/// False when this is no row: the trailer of the COPY.
	[[nodiscard]] bool parse(std::string_view message) noexcept;

	[[nodiscard]] bool null(std::size_t i) const noexcept;
	[[nodiscard]] std::string_view text(std::size_t i) const noexcept;
	/// smallint, integer, bigint; NULL: 0.
	[[nodiscard]] std::int64_t integer(std::size_t i) const noexcept;
	/// double precision.
	[[nodiscard]] double number(std::size_t i, double absent) const noexcept;
	[[nodiscard]] bool truth(std::size_t i) const noexcept;
	/// timestamptz in microseconds since 1970; NULL: 0.
	[[nodiscard]] std::int64_t time(std::size_t i) const noexcept;
	/// interval in microseconds, a month as 30 days; NULL: 0.
	[[nodiscard]] std::int64_t duration(std::size_t i) const noexcept;

private:
	std::array<std::string_view, most> fields_; ///< no data: NULL
	std::size_t count_ = 0;
};

/// Takes rows as they come, many at a time.  The connection waits meanwhile, so it may hold locks.
using RowBundle = std::function<void(std::span<const PgFields>)>;

/// Runs a query, without parameters, and hands its rows over.
[[nodiscard]] Result<bool> stream_rows(Pg &pg, const std::string &query, const RowBundle &take);

} // namespace bmd
