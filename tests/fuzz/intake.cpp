/// @file intake.cpp  Fuzz target: batches of readings, as they are taken, judged and journaled.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// The batches of one input are parted by the byte 1E.  One that begins with "c" and a digit is the
/// collector's, of that number; any other is by hand.  The store lives as long as
/// the process, since making one takes a tenth of a second; every input has an epoch of its own.

#include "intake.hpp"

#include "book.hpp"
#include "fuzz.hpp"
#include "registry.hpp"
#include "store.hpp"

namespace {

using bmd::second_us;
using bmd::store;
using fuzz::require;

constexpr char separator = '\x1e';

bmd::RuleRec low_saturation()
{
	bmd::RuleRec rec;
	rec.metric = bmd::find_metric("SpO2")->id;
	rec.rule.low = 90;
	rec.rule.priority = bmd::Priority::high;
	rec.fields = 511;
	return rec;
}

/// A hospital of two devices.
class Hospital
{
public:
	Hospital()
	{
		bmd::Limits limits;
		limits.devices = 2;
		limits.feeds = 2;
		limits.alerts = 16;
		limits.journal_bytes = 1U << 17;
		limits.alert_events = 2048;
		limits.changes = 256;
		limits.subscriptions = 2;
		std::size_t needed = 0;
		require(bmd::create_store(limits, needed) != nullptr, "there is memory");
		(void)bmd::put_type({"T", 10 * second_us}, 1);
		for(const char *serial : {"D0", "D1"}) {
			bmd::DeviceRow row;
			row.database_id = serial[1] - '0' + 1;
			row.serial = serial;
			row.type = "T";
			row.enabled = true;
			require(bmd::put_device(row, 1) != 0, "there is room for a device");
		}
		const bmd::RuleRec rules[] = {low_saturation()};
		require(bmd::put_device_limits(bmd::find_device("D0"), rules), "there is room for a rule");
	}
	Hospital(const Hospital &) = delete;
	Hospital &operator=(const Hospital &) = delete;
	~Hospital() { bmd::release_store(); }

	/// What the writer would take.
	static void drain()
	{
		std::uint64_t at = store()->journal.tail();
		while(store()->journal.next(at) != nullptr)
			continue;
		store()->journal.release(at);
		at = store()->alert_events.tail();
		while(store()->alert_events.next(at) != nullptr)
			continue;
		store()->alert_events.release(at);
	}
};

std::int64_t epoch = 1;

void take(std::string_view part)
{
	bmd::BatchId id;
	if(part.size() >= 2 && part[0] == 'c' && part[1] >= '0' && part[1] <= '9') {
		id = {"home", epoch, part[1] - '0'};
		part.remove_prefix(2);
	}
	const bmd::Receipt receipt = bmd::take_batch(id, part);
	if(receipt.code != 200)
		fuzz::require_reason(receipt.reason);
	require(receipt.refused.size() <= bmd::max_refusals,
			"a receipt lists so many refusals at most");
	require(receipt.refused.size() <= receipt.refused_count, "what is listed is counted");
	for(const auto &line : receipt.refused)
		fuzz::require_reason(line);
	require(receipt.code != 200 || receipt.duplicate || receipt.accepted > 0
					|| !id.collector.empty(),
			"what is taken by hand has a reading");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
	static const Hospital hospital;
	++epoch;
	std::string_view rest = fuzz::text(data, size);
	while(!rest.empty()) {
		const std::size_t end = rest.find(separator);
		take(rest.substr(0, end));
		rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
		Hospital::drain();
	}
	return 0;
}
