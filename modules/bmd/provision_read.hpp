/// @file provision_read.hpp  What provisioning is asked of the database, and what its rows mean.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Touches nothing shared.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pg_stream.hpp"
#include "registry.hpp"

namespace bmd {

/// Keys of rows to read; empty reads everything.
using Keys = std::vector<std::string>;

/// Queries.  The rows of one device are one after the other.
[[nodiscard]] std::string types_query(Pg &pg, const Keys &names);
[[nodiscard]] std::string type_limits_query(Pg &pg, const Keys &types);
[[nodiscard]] std::string patients_query(Pg &pg, const Keys &ids);
/// A device with each of its prescribed values, or once with none (then column first_limit is
/// NULL).
[[nodiscard]] std::string devices_query(Pg &pg, const Keys &serials);
/// Feeds of devices: (feed, serial), and teams responsible for a device: (@ and the team's number,
/// serial).  A pair may come twice.
[[nodiscard]] std::string members_query(Pg &pg, const Keys &serials);
/// Devices of one person's feed: (feed, serial).
[[nodiscard]] std::string person_members_query(Pg &pg, const std::string &username);
/// Who may watch which personal and group feeds: (username, feed), ordered by username.
[[nodiscard]] std::string permits_query(Pg &pg, const Keys &usernames);
/// (username, ha1, ha1b, ha1_sha256, ha1b_sha256) of the people of one domain.
[[nodiscard]] std::string credentials_query(
		Pg &pg, const std::string &domain, const Keys &usernames);
/// (username, certificate, encrypted_only) of whose documents are encrypted.
[[nodiscard]] std::string encryption_query(Pg &pg, const Keys &usernames);
[[nodiscard]] std::string unclosed_alerts_query(std::size_t room);
[[nodiscard]] std::string closed_alerts_query(); ///< id and revision
[[nodiscard]] std::string settings_query();
/// Maintenance windows that are not over.
[[nodiscard]] std::string windows_query();
[[nodiscard]] std::string collectors_query();
[[nodiscard]] std::string subscriptions_query();

/// Rows of these queries.
[[nodiscard]] TypeRow type_of(const PgFields &row) noexcept;
inline constexpr std::size_t first_limit = 8; ///< where a limit begins in a row of a device
/// From column `first` on.
[[nodiscard]] RuleRec rule_of(const PgFields &row, std::size_t first) noexcept;
[[nodiscard]] PatientRow patient_of(const PgFields &row) noexcept;
[[nodiscard]] DeviceRow device_of(const PgFields &row) noexcept;
[[nodiscard]] AlertRec alert_of(const PgFields &row) noexcept;
[[nodiscard]] WindowRec window_of(const PgFields &row) noexcept;

} // namespace bmd
