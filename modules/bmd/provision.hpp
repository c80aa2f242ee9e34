/// @file provision.hpp  Provisioning: loads it at start, follows its changes.
/// SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include <string>
#include <vector>

#include "bmd/time.hpp"
#include "pg.hpp"

namespace bmd {

/// Everything, once, before the fork: provisioning, open alerts, watermarks of collectors, feeds
/// that had subscriptions.  Also moves the counters of stored subscriptions on (see bump below).
[[nodiscard]] Result<bool> load_all(Pg &pg);

/// CSeq and document version of stored subscriptions lag what was sent by up to presence's
/// db_update_period.  Both may jump: a large step puts them past anything sent before.
/// Source: RFC 3261 12.2.1.1 (CSeq gaps are legal).
[[nodiscard]] Result<bool> bump_subscriptions(Pg &pg);

/// One change: table and key of a bmd_change notification ("bmd_device:OX-1"); key "*" is the
/// table.  sql/README.md says which keys each table gives.
struct ProvisioningChange
{
	std::string table;
	std::string key;
};

/// Takes changes over and tells the watchers of feeds that changed.  Reads only what they name.
/// Returns an error (and has done part) when the database fails.
[[nodiscard]] Result<bool> apply_changes(Pg &pg, const std::vector<ProvisioningChange> &changes);

/// Everything again; tells the watchers of what changed.
[[nodiscard]] Result<bool> reload(Pg &pg);

/// What was committed since the last reload() or catch_up() of this process, or of the one it was
/// forked from.  Reads everything again when the database does not know: another server, or too
/// long ago.
[[nodiscard]] Result<bool> catch_up(Pg &pg);

/// The loop of the sync process: connect, LISTEN, load what was missed, follow.
class Sync
{
public:
	explicit Sync(std::string conninfo) : conninfo_(std::move(conninfo)) {}
	/// One round of at most `milliseconds`.
	void round(int milliseconds) noexcept;

private:
	[[nodiscard]] Result<bool> begin();
	[[nodiscard]] Result<bool> follow(int milliseconds);
	void failed(const Error &error);
	std::string conninfo_;
	Pg pg_;
	TimeUs next_ping_ = 0; ///< monotonic
	int failures_ = 0;
};

} // namespace bmd
