/// @file waiting.cpp  Conditions that wait for their delay: kept in the database over a restart.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "waiting.hpp"

#include <algorithm>
#include <string>

#include "evaluate.hpp"
#include "exclusive.hpp"
#include "registry.hpp"

namespace bmd {

namespace {

constexpr const char *forget_waits =
		"DELETE FROM bmd_waiting w USING unnest($1::int[], $2::smallint[], $3::bool[]) "
		"AS c (device, metric, validity) WHERE w.device_id = c.device AND w.metric_id = c.metric "
		"AND (w.condition = 'invalid') = c.validity";
constexpr const char *insert_waits =
		"INSERT INTO bmd_waiting (device_id, metric_id, condition, since) "
		"SELECT device, metric, condition, timestamptz 'epoch' + since * interval '1 microsecond' "
		"FROM unnest($1::int[], $2::smallint[], $3::text[], $4::bigint[]) "
		"AS c (device, metric, condition, since)";
constexpr const char *select_waits = "SELECT d.serial, w.metric_id, w.condition, (extract(epoch "
									 "FROM w.since) * 1000000)::bigint "
									 "FROM bmd_waiting w JOIN bmd_device d USING (device_id)";

// An array literal of PostgreSQL, of words that need no quotes.
class Array
{
public:
	void add(const std::string &word) { text_ += (text_.size() > 1 ? "," : "") + word; }
	[[nodiscard]] bool empty() const { return text_.size() == 1; }
	[[nodiscard]] std::string text() const { return text_ + "}"; }

private:
	std::string text_ = "{";
};

const char *name_of(Wait wait)
{
	return wait == Wait::low ? "low" : wait == Wait::high ? "high" : "invalid";
}

Breach breach_of(const std::string &condition)
{
	return condition == "low" ? Breach::low : condition == "high" ? Breach::high : Breach::invalid;
}

} // namespace

void WaitingChanges::add_both(const BatchRec &batch, const ReadingRec &reading)
{
	const TimeUs since = std::min(reading.measured_at, batch.arrived_at);
	const auto note = [&](std::uint8_t wait, bool validity) {
		if(wait != 0)
			changes_[{reading.device, reading.metric, validity}] = {static_cast<Wait>(wait), since};
	};
	note(reading.wait_limits, false);
	note(reading.wait_validity, true);
}

Result<bool> WaitingChanges::write(Pg &pg) const
{
	if(changes_.empty())
		return true;
	Array devices, metrics, validity;
	Array began_devices, began_metrics, conditions, since;
	for(const auto &[key, change] : changes_) {
		const std::string device = std::to_string(std::get<0>(key));
		const std::string metric = std::to_string(std::get<1>(key));
		devices.add(device);
		metrics.add(metric);
		validity.add(std::get<2>(key) ? "t" : "f");
		if(change.wait == Wait::over)
			continue;
		began_devices.add(device);
		began_metrics.add(metric);
		conditions.add(name_of(change.wait));
		since.add(std::to_string(change.since));
	}
	if(auto done = pg.run(forget_waits, {devices.text(), metrics.text(), validity.text()}); !done)
		return done.error();
	if(began_devices.empty())
		return true;
	auto done = pg.run(insert_waits,
			{began_devices.text(), began_metrics.text(), conditions.text(), since.text()});
	if(!done)
		return done.error();
	return true;
}

Result<bool> load_waiting(Pg &pg)
{
	auto rows = pg.run(select_waits);
	if(!rows)
		return rows.error();
	const RegistryWrite registry;
	for(int i = 0; i < PQntuples(rows->get()); ++i) {
		const auto field = [&](int column) { return PQgetvalue(rows->get(), i, column); };
		if(const Index device = find_device(field(0)); device != 0)
			adopt_wait(device, static_cast<MetricId>(std::stoi(field(1))), breach_of(field(2)),
					std::stoll(field(3)));
	}
	return true;
}

} // namespace bmd
