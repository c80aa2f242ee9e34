/// @file intake.cpp  Takes a batch of readings: what its number says of it.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "intake.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>

#include "bmd/report.hpp"
#include "bmd_host.h"
#include "intake_text.hpp"
#include "journal.hpp"
#include "numbering.hpp"
#include "registry.hpp"

namespace bmd {

namespace {

std::int64_t durable_of(const CollectorRec &collector, std::int64_t epoch) noexcept
{
#ifdef BMD_BREAK_WATERMARK // make torture BREAK=watermark must fail: says durable before COMMIT
	return collector.epoch == epoch ? collector.accepted_seq : 0;
#endif
	return collector.durable_epoch.load() == epoch ? collector.durable_seq.load() : 0;
}

Progress progress_of(const CollectorRec &collector, std::int64_t epoch) noexcept
{
	Progress progress;
	progress.accepted = collector.epoch == epoch ? collector.accepted_seq : 0;
	progress.judged = collector.judged_epoch == epoch ? collector.judged_seq : 0;
	progress.judged = std::max(progress.judged, progress.accepted);
	progress.durable = durable_of(collector, epoch);
	return progress;
}

void out_of_turn(Receipt &receipt, const Progress &progress)
{
	count(count_batches_out_of_turn);
	receipt = Receipt{};
	receipt.code = 412;
	receipt.reason = with_numbers(
			"not its turn: go on from the batch expected; \"!absent FIRST\" says what does "
			"not come",
			progress);
}

void note_absence(const CollectorRec &collector, std::int64_t first, std::int64_t seq)
{
	constexpr std::int64_t most_counted = 1'000'000'000; // of one gap: a collector may say anything
	count(count_batches_absent, static_cast<std::uint64_t>(std::min(seq - first, most_counted)));
	bmd_host_log(
			BMD_LOG_NOTICE, ("batches " + std::to_string(first) + " to " + std::to_string(seq - 1)
									+ " of collector " + collector.name + " do not come")
									.c_str());
}

constexpr DurationUs part_kept = 3600 * second_us; // of a batch that was judged in part

// The share of a collector, held; none while it is another's who needs it.
class HeldShare
{
public:
	explicit HeldShare(Index collector) noexcept
	{
		ShareRec &from = store()->shares[collector % max_shares];
		std::unique_lock<Mutex> lock(from.lock, std::try_to_lock);
		const std::atomic_ref<Index> owner(from.collector);
		if(!lock.owns_lock()) {
			kept_from_it_ = owner.load() == collector;
			return;
		}
		if(owner.load() != collector && needed(from.share))
			return;
		if(owner.load() != collector)
			from.share = CollectorShare{};
		owner.store(collector);
		share_ = &from.share;
		lock_ = std::move(lock);
	}
	[[nodiscard]] CollectorShare *get() const noexcept { return share_; }
	/// It is this collector's, but another looks at it: what is judged in part is not known.
	[[nodiscard]] bool kept_from_it() const noexcept { return kept_from_it_; }

private:
	// A little of anybody's waits always.
	[[nodiscard]] static bool needed(const CollectorShare &share) noexcept
	{
		const SlotRing &events = store()->alert_events;
		const ByteRing &journal = store()->journal;
		constexpr std::size_t little = 64;
		return share.changes.waiting(events.tail()) > events.capacity() / little
			   || share.readings.waiting(journal.tail()) > journal.capacity() / little
			   || (share.part.at != 0 && mono_now() - share.part.at < part_kept);
	}
	CollectorShare *share_ = nullptr;
	bool kept_from_it_ = false;
	std::unique_lock<Mutex> lock_;
};

bool has_room(const CollectorShare *share) noexcept
{
	const ByteRing &journal = store()->journal;
	return journal_has_room_for_alerts() && !changes_over_share(share)
		   && !readings_over_share(share) && journal.used() < journal.capacity() / 2;
}

// Whoever waited would keep a process that others need.
Receipt one_at_a_time()
{
	count(count_batches_over_share);
	Receipt receipt;
	receipt.code = 503;
	receipt.reason = "busy: another batch of this collector, or of one that shares its place, is "
					 "being taken";
	return receipt;
}

Receipt take_numbered(
		CollectorRec &collector, Index index, const BatchId &id, std::string_view text)
{
	Receipt receipt;
	const std::unique_lock<Mutex> guard(collector.lock, std::try_to_lock);
	if(!guard.owns_lock())
		return one_at_a_time();
	receipt.reason = refuse_epoch(id.epoch, collector.epoch, wall_now());
	if(!receipt.reason.empty()) {
		receipt.code = 409;
		return receipt;
	}
	Progress progress = progress_of(collector, id.epoch);
	const Numbered batch = read_absence(text, id.seq);
	Turn turn = turn_of(progress, batch.first, id.seq, batch.text.empty());
#ifdef BMD_BREAK_DEDUPE // make torture BREAK=dedupe must fail
	turn = turn == Turn::duplicate ? Turn::next : turn;
#endif
	receipt.durable = progress.durable;
	if(turn == Turn::duplicate) {
		count(count_batches_duplicate);
		receipt.duplicate = true;
		return receipt;
	}
	if(turn == Turn::gap) {
		out_of_turn(receipt, progress);
		return receipt;
	}
	const HeldShare share(index);
	if(share.kept_from_it())
		return one_at_a_time();
	const Mode mode = turn == Turn::ahead  ? Mode::judge
					  : turn == Turn::next ? Mode::both
										   : Mode::store;
	take_text(index, share.get(), id, batch.text, mode, receipt);
	if(receipt.code == 503) {
		if(receipt.judged)
			progress.judged = std::max(progress.judged, id.seq);
		collector.judged_epoch = id.epoch;
		collector.judged_seq = progress.judged;
		receipt.reason = with_numbers(receipt.reason, progress);
		if(turn == Turn::ahead && receipt.judged && has_room(share.get()))
			out_of_turn(receipt, progress); // judged, and the older ones can be stored now
	}
	if(receipt.code == 200 || receipt.code == 400) {
		if(batch.first <= progress.accepted + 1 && id.seq > progress.accepted + 1)
			note_absence(collector, progress.accepted + 1, id.seq);
		collector.epoch = id.epoch;
		collector.accepted_seq = id.seq;
	}
	receipt.durable = durable_of(collector, id.epoch);
	return receipt;
}

// The first batch of a collector not known yet: a name that brings nothing gets no slot.  True when
// the collector is to be remembered, else the receipt says what is wrong.
bool admit(const BatchId &id, std::string_view text, Receipt &receipt)
{
	receipt.reason = refuse_epoch(id.epoch, 0, wall_now());
	if(!receipt.reason.empty()) {
		receipt.code = 409;
		return false;
	}
	const Progress nothing;
	const Numbered batch = read_absence(text, id.seq);
	if(turn_of(nothing, batch.first, id.seq, batch.text.empty()) == Turn::gap) {
		out_of_turn(receipt, nothing);
		return false;
	}
	return takes_any(id, batch.text, receipt);
}

} // namespace

Receipt take_batch(const BatchId &id, std::string_view text)
{
	Receipt receipt;
	if(id.collector.empty()) {
		take_text(0, nullptr, id, text, Mode::both, receipt);
		return receipt;
	}
	if(!valid_serial(id.collector) || id.epoch <= 0 || id.seq <= 0) {
		receipt.code = 400;
		receipt.reason =
				"collector must be 1 to 31 of [A-Za-z0-9._-], epoch and seq positive numbers";
		return receipt;
	}
	Index collector = find_collector(id.collector, false);
	if(collector == 0) {
		const std::unique_lock<Mutex> guard(
				store()->shares[hash_name(id.collector) % max_shares].lock, std::try_to_lock);
		if(!guard.owns_lock())
			return one_at_a_time();
		if(!admit(id, text, receipt))
			return receipt;
		receipt = Receipt{};
		collector = find_collector(id.collector, true);
	}
	if(collector == 0) {
		receipt.code = 503;
		receipt.reason = "too many collectors";
		return receipt;
	}
	return take_numbered(store()->collectors[collector], collector, id, text);
}

} // namespace bmd
