/// @file core.cpp  Start and own processes of the module, behind bmd_core.h.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Nothing here lets an exception out into C.

#include <charconv>
#include <memory>
#include <random>
#include <string>

#include "bmd/words.hpp"
#include "bmd_core.h"
#include "bmd_host.h"
#include "core_conninfo.hpp"
#include "documents.hpp"
#include "encryption.hpp"
#include "escalate.hpp"
#include "fitting.hpp"
#include "intake.hpp"
#include "keeper.hpp"
#include "notifier.hpp"
#include "provision.hpp"
#include "reached.hpp"
#include "rows_writer.hpp"
#include "slots.hpp"
#include "storm_keeper.hpp"
#include "subs.hpp"
#include "tend.hpp"
#include "watchers.hpp"
#include "withheld.hpp"
#include "writer.hpp"

namespace {

using bmd::copy_text;

constexpr int round_ms = 250;
constexpr std::size_t most_node = 63;   // bmd_writer.node
constexpr int writer_patience = 10'000; // milliseconds, as the following
constexpr int rows_patience = 4'000;
constexpr int flush_patience = 2'000;
constexpr bmd::Writer::Gather gather{.deliveries = 500'000, .all = 20'000};
constexpr bmd::TimeUs most_flush = 5 * bmd::second_us; // of each kind

std::string conninfo;
std::string node;

std::size_t positive(long value, std::size_t otherwise)
{
	return value > 0 ? static_cast<std::size_t>(value) : otherwise;
}

// As bmd_set_password() takes it.
bool valid_domain(std::string_view domain)
{
	static constexpr std::string_view letters =
			"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.:[]-";
	return !domain.empty() && domain.size() <= 64
		   && domain.find_first_not_of(letters) == std::string_view::npos;
}

std::int64_t random_number()
{
	std::random_device source;
	return static_cast<std::int64_t>(
			(static_cast<std::uint64_t>(source()) << 32 | source()) & INT64_MAX);
}

bmd::Limits limits_of(const bmd_config &config)
{
	bmd::Limits limits;
	limits.devices = positive(config.devices, limits.devices);
	limits.alerts = positive(config.alerts, 0);
	limits.alert_events = positive(config.alert_events, 0);
	limits.feeds = positive(config.feeds, limits.feeds);
	limits.metrics = positive(config.metrics, 0);
	limits.members = positive(config.members, 0);
	limits.rules = positive(config.rules, 0);
	limits.texts = positive(config.texts, 0);
	limits.groups = positive(config.groups, 0);
	limits.subscriptions = positive(config.subscriptions, limits.subscriptions);
	limits.person_subscriptions = positive(config.subscriptions_per_person, 0);
	limits.memory_reserve = static_cast<std::size_t>(config.memory_reserve) << 20;
	limits.recipients = positive(config.recipients, 0);
	limits.reached = positive(config.reached, 0);
	limits.duty_bytes = positive(config.duty_kb, 1024) << 10;
	limits.filter_bytes = positive(config.filter_kb, 4096) << 10;
	limits.journal_bytes = positive(config.journal_mb, 32) << 20;
	limits.notifiers = positive(config.notifiers, 1);
	return limits;
}

std::string start(const bmd_config &config)
{
	conninfo = config.db_url;
	node = config.node;
	if(node.size() > most_node || !bmd::valid_words(node, most_node))
		return "the parameter node must be at most 63 bytes of UTF-8 without control characters";
	if(!valid_domain(config.domain))
		return "the parameter domain must be a host name or an IP address of at most 64 characters";
	bmd::set_feed_domain(config.domain);
	std::size_t needed = 0;
	if(bmd::create_store(limits_of(config), needed) == nullptr)
		return "shared memory does not suffice: this module needs "
			   + std::to_string((needed >> 20) + 1)
			   + " MiB of it for the sizes configured; start kamailio with a larger -m";
	if(!bmd::create_encryption())
		return "shared memory does not suffice for what is encrypted: start kamailio with a larger "
			   "-m";
	bmd::store()->writer.instance = random_number();
	bmd::store()->assigned_only = config.assigned_only != 0;
	bmd::Pg pg;
	if(auto connected = pg.connect(conninfo, "bmd start"); !connected)
		return "cannot connect to the database: " + connected.error().reason;
	// Before anything is read: what a server that was killed still stores must be seen, or the
	// collectors' second sending of it would be stored too.
	if(auto ours = bmd::take_over_node(pg, node); !ours)
		return "cannot load provisioning: " + ours.error().reason + " (bmd-migrate applied?)";
	if(auto loaded = bmd::load_all(pg); !loaded)
		return "cannot load provisioning: " + loaded.error().reason + " (bmd-migrate applied?)";
	return {};
}

bool to_number(bmd_text text, std::int64_t &number)
{
	const auto [end, error] = std::from_chars(text.s, text.s + text.len, number);
	return error == std::errc{} && end == text.s + text.len;
}

void fill_receipt(const bmd::Receipt &from, bmd_receipt &to)
{
	to.code = from.code;
	copy_text(to.reason, sizeof to.reason, from.reason);
	to.accepted = from.accepted;
	to.refused_count = from.refused_count;
	to.duplicate = from.duplicate ? 1 : 0;
	copy_text(to.durable, sizeof to.durable, std::to_string(from.durable));
	for(const std::string &text : from.refused)
		if(to.refusals < BMD_RECEIPT_REFUSALS)
			copy_text(to.refused[to.refusals++], sizeof to.refused[0], text);
}

// Collectors have what is in the journal; nobody else has these.
bool flush_rows()
{
	const bmd::TimeUs until = bmd::mono_now() + most_flush;
	bmd::RowsWriter rows(conninfo, flush_patience);
	while(bmd::rows_waiting() > 0 && bmd::mono_now() < until)
		rows.round(round_ms);
	const auto lost = bmd::rows_waiting();
	if(lost > 0)
		bmd_host_log(BMD_LOG_ERROR,
				("rows: " + std::to_string(lost)
						+ " subscriptions and registrations are lost: their terminals hear nothing "
						  "until they refresh")
						.c_str());
	return lost == 0;
}

bool flush_journal()
{
	const bmd::TimeUs until = bmd::mono_now() + most_flush;
	const bmd::Store &s = *bmd::store();
	bmd::Writer writer(conninfo, node, flush_patience, {});
	while(s.journal.used() > 0 || s.alert_events.used() > 0 || s.deliveries.used() > 0
			|| s.window_log.used() > 0 || s.escalations.used() > 0) {
		if(bmd::mono_now() > until)
			return false;
		writer.round(round_ms);
	}
	return true;
}

} // namespace

const std::string &bmd::database_conninfo() noexcept
{
	return conninfo;
}

int bmd_core_init(const bmd_config *config, char *error, size_t error_size)
{
	try {
		const std::string reason = start(*config);
		copy_text(error, error_size, reason);
		return reason.empty() ? 0 : -1;
	} catch(const std::exception &failure) {
		copy_text(error, error_size, failure.what());
		return -1;
	}
}

void bmd_core_writer_round(void)
{
	static auto *writer = new bmd::Writer(
			conninfo, node, writer_patience, gather); // lives as long as its process
	writer->round(round_ms);
}

void bmd_core_rows_round(void)
{
	static auto *writer = new bmd::RowsWriter(conninfo, rows_patience);
	writer->round(round_ms);
}

const char *bmd_core_db_url(void)
{
	return conninfo.c_str();
}

void bmd_core_children_gone(void)
{
	if(bmd::store() == nullptr)
		return;
	bmd::free_locks();
	bmd::mend_rows();
}

int bmd_core_flush(void)
{
	try {
		const bool rows = flush_rows();
		return flush_journal() && rows ? 0 : -1;
	} catch(const std::exception &) {
		return -1;
	}
}

void bmd_core_sync_round(void)
{
	static auto *sync = new bmd::Sync(conninfo);
	sync->round(round_ms);
}

void bmd_core_keeper_round(void)
{
	static auto *keeper = new bmd::Keeper(conninfo);
	keeper->round();
}

void bmd_core_timer_round(void)
{
	static auto *storms = new bmd::StormKeeper;
	storms->round();
	static auto *withheld = new bmd::WithheldKeeper;
	withheld->round();
	bmd::rejournal();
	bmd::tend_alerts();
	bmd::look_after_subs();
	bmd::look_after_watchers();
	try {
		bmd::look_after_reached();
		bmd::look_after_filters();
	} catch(const std::exception &failure) {
		bmd_host_log(BMD_LOG_ERROR, failure.what());
	}
}

void bmd_core_escalation_round(void)
{
	constexpr int escalation_ms = 50;
	static auto *escalator = new bmd::Escalator;
	escalator->round(escalation_ms);
}

void bmd_core_notifier_round(int slot, bmd_send_document send)
{
	static auto *holding = new bmd::Holding; // lives as long as its process
	try {
		bmd::notify_once(
				static_cast<std::size_t>(slot), round_ms,
				[send](const std::string &uri, const std::string &body) {
					send(uri.c_str(), body.data(), body.size());
				},
				*holding);
	} catch(const std::exception &failure) {
		// What was being told is told again, whole.
		bmd_host_log(BMD_LOG_ERROR, (std::string("notifier: ") + failure.what()).c_str());
		bmd::store()->notifier[slot].refresh_all.store(true);
	}
}

void bmd_core_report(
		bmd_text collector, bmd_text epoch, bmd_text seq, bmd_text readings, bmd_receipt *receipt)
{
	receipt->code = 500;
	receipt->reason[0] = '\0';
	receipt->accepted = receipt->refused_count = 0;
	receipt->refusals = receipt->duplicate = 0;
	receipt->durable[0] = '\0';
	try {
		bmd::BatchId id;
		id.collector = {collector.s, collector.len};
		if(collector.len > 0 && (!to_number(epoch, id.epoch) || !to_number(seq, id.seq))) {
			receipt->code = 400;
			copy_text(receipt->reason, sizeof receipt->reason,
					"epoch and seq must be decimal numbers");
			return;
		}
		fill_receipt(bmd::take_batch(id, {readings.s, readings.len}), *receipt);
	} catch(const std::exception &failure) {
		// Not taken, or only in part: the collector keeps it and sends it again.
		receipt->code = 503;
		copy_text(receipt->reason, sizeof receipt->reason, failure.what());
	}
}
