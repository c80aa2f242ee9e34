/// @file core_wire.cpp  Who sends: digests, certificates and batches, behind bmd_core_wire.h.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include <array>
#include <exception>
#include <shared_mutex>

#include "bmd_core_wire.h"
#include "credentials.hpp"
#include "documents.hpp"
#include "exclusive.hpp"
#include "feeds.hpp"
#include "request_check.hpp"
#include "text.hpp"

namespace {

std::string_view view(bmd_text text) noexcept
{
	return {text.s, text.len};
}

} // namespace

int bmd_core_digest(bmd_text user, bmd_text domain, int sha256, char *ha1)
{
	const auto algorithm = sha256 != 0 ? bmd::DigestAlgorithm::sha256 : bmd::DigestAlgorithm::md5;
	const bool ours = domain.len == 0 || view(domain) == bmd::feed_domain();
	const std::string_view nobody(
			"0000000000000000000000000000000000000000000000000000000000000000", sha256 ? 64 : 32);
	const std::shared_lock<bmd::RwLock> lock(bmd::store()->registry_lock);
	const std::string_view digest = bmd::find_digest(view(user), domain.len > 0, algorithm);
	const bool known = ours && !digest.empty();
	bmd::copy_text(ha1, BMD_HA1_SIZE, known ? digest : nobody);
	return known ? 1 : 0;
}

void bmd_core_count_digest(int right, int sha256)
{
	if(right == 0)
		bmd::count(bmd::count_digest_refused);
	else if(sha256 == 0)
		bmd::count(bmd::count_digest_md5);
}

void bmd_core_count_replay(bmd_replay kind)
{
	constexpr std::array<bmd::Counter, BMD_REPLAY_KINDS> counters{bmd::count_replayed_register,
			bmd::count_replayed_subscribe, bmd::count_replayed_message, bmd::count_replayed_other};
	bmd::count(counters[kind]);
}

void bmd_core_count_stale_nonce(void)
{
	bmd::count(bmd::count_digest_stale);
}

int bmd_core_is_person(bmd_text user)
{
	const std::shared_lock<bmd::RwLock> lock(bmd::store()->registry_lock);
	const bmd::Index feed = user.len == 0 ? 0 : bmd::find_feed(view(user));
	return feed != 0 && !bmd::store()->feeds[feed].is_group ? 1 : 0;
}

void bmd_core_count_certificate(int right)
{
	bmd::count(right != 0 ? bmd::count_certificate_logins : bmd::count_certificate_refused);
}

int bmd_core_check_request(bmd_text body, bmd_text collector, char *reason, size_t reason_size)
{
	try {
		const auto checked = bmd::check_report_request(
				{body.s, body.len}, std::string_view(collector.s, collector.len));
		bmd::copy_text(reason, reason_size, checked ? std::string() : checked.error().reason);
		if(checked)
			return 1;
		return checked.error().code == bmd::Errc::denied ? -1 : 0;
	} catch(const std::exception &failure) {
		bmd::copy_text(reason, reason_size, failure.what());
		return 0;
	}
}

void bmd_core_count_made_room(size_t connections)
{
	bmd::count(bmd::count_connections_closed, connections);
}

void bmd_core_count_collector_refused(void)
{
	bmd::count(bmd::count_collectors_refused);
}
