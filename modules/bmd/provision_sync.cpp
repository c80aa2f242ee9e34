/// @file provision_sync.cpp  Follows the database's notifications of changes.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include <poll.h>

#include <algorithm>

#include "bmd_host.h"
#include "provision.hpp"
#include "store.hpp"

namespace bmd {

namespace {

constexpr TimeUs ping_interval = 3 * second_us;

}

Result<bool> Sync::begin()
{
	if(auto r = pg_.connect(conninfo_, "bmd sync"); !r)
		return r;
	if(auto r = pg_.run("LISTEN bmd_change"); !r)
		return r.error();
	if(auto r = catch_up(pg_); !r)
		return r;
	if(failures_ > 0)
		bmd_host_log(BMD_LOG_NOTICE, "provisioning: following the database again");
	failures_ = 0;
	return true;
}

Result<bool> Sync::follow(int milliseconds)
{
	pollfd wait{PQsocket(pg_.raw()), POLLIN, 0};
	// A database that vanished says nothing, like one where nothing changes: so it is asked.
	if(poll(&wait, 1, milliseconds) == 0 && mono_now() > next_ping_) {
		next_ping_ = mono_now() + ping_interval;
		if(auto alive = pg_.ping(5000); !alive)
			return alive;
	}
	if(PQconsumeInput(pg_.raw()) != 1)
		return Error{Errc::retry, "connection lost"};
	std::vector<ProvisioningChange> changes;
	while(PGnotify *notify = PQnotifies(pg_.raw())) {
		const std::string text = notify->extra;
		PQfreemem(notify);
		const std::size_t colon = text.find(':');
		if(colon != std::string::npos)
			changes.push_back({text.substr(0, colon), text.substr(colon + 1)});
	}
	if(changes.empty())
		return true;
	return apply_changes(pg_, changes);
}

void Sync::failed(const Error &error)
{
	count(count_sync_failures);
	if(failures_++ % 60 == 0)
		bmd_host_log(BMD_LOG_WARNING,
				("provisioning: cannot follow the database: " + error.reason).c_str());
	pg_.close();
	pollfd nothing{-1, 0, 0};
	poll(&nothing, 1, std::min(failures_ * 100, 2000));
}

void Sync::round(int milliseconds) noexcept
{
	try {
		const Result<bool> done = pg_.connected() ? follow(milliseconds) : begin();
		if(!done)
			failed(done.error());
	} catch(const std::exception &error) {
		failed(Error{Errc::fatal, error.what()});
	}
}

} // namespace bmd
