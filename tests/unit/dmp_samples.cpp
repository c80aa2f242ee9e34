/// @file dmp_samples.cpp  What the tests of the DMP codec share.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "dmp_samples.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <tuple>

#include "suites.hpp"

namespace bmd_test {

namespace {

// Feeds `visit` the content of an entry that can be compared.
struct SameContent
{
	const bmd::dmp::Entry &other;
	template <class T> bool operator()(const T &content) const
	{
		return content == std::get<T>(other);
	}
	bool operator()(const bmd::dmp::Notify &content) const
	{
		return content.items == std::get<bmd::dmp::Notify>(other).items;
	}
};

} // namespace

std::string file_text(const std::string &name)
{
	std::ifstream file(data_path(name), std::ios::binary);
	std::string text{std::istreambuf_iterator<char>(file), {}};
	CU_ASSERT(!text.empty());
	return text;
}

std::string replaced(std::string text, const std::string &from, const std::string &to)
{
	const std::size_t at = text.find(from);
	CU_ASSERT(at != std::string::npos);
	if(at != std::string::npos)
		text.replace(at, from.size(), to);
	return text;
}

bmd::dmp::Feed sample_feed()
{
	constexpr bmd::TimeUs now = 1'795'230'000'123'456;
	bmd::AlertView all;
	all.id = "45c08067-b7e2-889d-b39c-c83065a28c23";
	all.serial = "OX-1";
	all.device_type = "Nonin \"8500\"";
	all.metric = "SpO2";
	all.condition = bmd::Condition::low;
	all.priority = bmd::Priority::medium;
	all.state = bmd::AlertState::latched;
	all.value = 81.1;
	all.limit = 90.0;
	all.unit = "%";
	all.location = " Ward <2> & annex ";
	all.patient_name = "Zo\xC3\xAB \"Z\" O'Brien";
	all.patient_address = "1 Main St\r\n\tTown";
	all.measured_at = now - 5;
	all.arrived_at = now - 4;
	all.onset_at = now - 6;
	all.raised_at = now - 3;
	all.changed_at = now - 2;
	all.cleared_at = now - 1;
	all.revision = 4'294'967'295;
	all.code = "AC347";
	all.response = bmd::Response::escalated;
	all.answered_by = "nurse \"<1>\"";
	all.answered_at = now - 7;
	all.step = 255;
	all.silenced_until = now + 8;
	all.suppressed = bmd::Suppression::maintenance;
	all.mutes = 12;
	all.priority_before = bmd::Priority::low;
	all.outcome = bmd::Outcome::false_alarm;
	all.closed_at = now + 9;
	all.cause = "collector \"home\"";
	all.devices = 1'667;
	all.some = {{"OX-1", "Ward <2>", "Zo\xC3\xAB & Co"}, {"OX-2", "", ""}};

	bmd::AlertView few;
	few.id = "45c08067-b7e2-889d-b39c-c83065a28c24";
	few.serial = "V-7";
	few.metric = "LowO2Supply";
	few.condition = bmd::Condition::device;
	few.kind = bmd::AlertKind::technical;

	bmd::AlertView again = all;
	again.id = "45c08067-b7e2-889d-b39c-c83065a28c25";
	again.metric = "PulseRate";
	again.condition = bmd::Condition::high;
	again.value = -1.5e-7;
	return {"sip:tech1@home.example?a=\"<b>\"", 7, false, now, 12, {}, {all, again, few, all}, 3};
}

bool same_alert(const bmd::AlertView &a, const bmd::AlertView &b)
{
	const auto all = [](const bmd::AlertView &v) {
		return std::tie(v.id, v.serial, v.device_type, v.metric, v.condition, v.kind, v.priority,
				v.state, v.value, v.limit, v.unit, v.location, v.patient_name, v.patient_address,
				v.measured_at, v.arrived_at, v.onset_at, v.raised_at, v.changed_at, v.cleared_at,
				v.revision, v.code, v.response, v.answered_by, v.answered_at, v.step,
				v.silenced_until, v.suppressed, v.mutes, v.priority_before, v.outcome, v.closed_at,
				v.cause, v.devices, v.some);
	};
	return all(a) == all(b);
}

bool same_feed(const bmd::dmp::Feed &a, const bmd::dmp::Feed &b)
{
	return std::tie(a.feed, a.version, a.full, a.at, a.more)
				   == std::tie(b.feed, b.version, b.full, b.at, b.more)
		   && std::equal(
				   a.alerts.begin(), a.alerts.end(), b.alerts.begin(), b.alerts.end(), same_alert);
}

bool same_entry(const bmd::dmp::Entry &a, const bmd::dmp::Entry &b)
{
	return a.index() == b.index() && std::visit(SameContent{b}, a);
}

} // namespace bmd_test
