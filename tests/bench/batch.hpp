/// @file batch.hpp  Requests of bmd.report, built beforehand; only numbers and times change.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// The devices are those of provision.py: PREFIX and eight digits, type "Bench monitor".

#pragma once

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

namespace bench {

/// A metric of the devices, a value within its limits, and one outside.
struct Signal
{
	const char *name;
	double usual;
	double spread;
	double wrong;
};

inline constexpr std::array<Signal, 8> signals{{{"SpO2", 96, 1.5, 80}, {"PulseRate", 72, 8, 140},
		{"RespRate", 14, 3, 45}, {"Ppeak", 18, 4, 55}, {"PEEP", 5, 0.5, 15}, {"MVe", 7, 1, 1},
		{"VTe", 0.45, 0.05, 2}, {"etCO2", 38, 3, 75}}};

/// What the batches of one collector look like.
struct BatchPlan
{
	std::string collector;
	std::string prefix;       ///< of serial numbers
	std::int64_t first = 0;   ///< number of the first device
	std::int64_t devices = 1; ///< how many this collector has
	std::int64_t lines = 1;   ///< lines a batch, one device and moment each
	std::int64_t items = 8;   ///< readings a line, 1 to 8
	std::int64_t outside = 0; ///< of 1000 (device, metric) pairs so many go out and come back
};

/// One request of fixed length.
struct Body
{
	std::string text;
	std::size_t seq_at = 0;
	std::vector<std::size_t> time_at;
	std::int64_t readings = 0;
	std::int64_t outside = 0;
};

inline constexpr int time_digits = 16;
inline constexpr int seq_digits = 10;
/// Sequence numbers of an epoch begin here; zeros in front give all as many digits.
inline constexpr std::int64_t first_seq = 1;

inline void patch_number(std::string &text, std::size_t at, std::int64_t number, int digits)
{
	for(int i = digits - 1; i >= 0; --i, number /= 10)
		text[at + static_cast<std::size_t>(i)] = static_cast<char>('0' + number % 10);
}

inline std::uint64_t mix(std::uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

inline void add_items(Body &body, const BatchPlan &plan, std::int64_t device, std::int64_t round)
{
	for(std::int64_t i = 0; i < plan.items; ++i) {
		// single readings take turns
		const auto s = static_cast<std::size_t>(plan.items == 8 ? i : (round / 2 + i) % 8);
		const auto pair = mix(static_cast<std::uint64_t>(device * 8) + s + 1);
		const bool wrong = round % 2 == 1 && static_cast<std::int64_t>(pair % 1000) < plan.outside;
		const double swing =
				static_cast<double>(mix(pair + static_cast<std::uint64_t>(round)) % 2001) / 1000
				- 1;
		char item[64];
		const double value =
				wrong ? signals[s].wrong : signals[s].usual + swing * signals[s].spread;
		body.text.append(item, static_cast<std::size_t>(std::snprintf(item, sizeof item, " %s=%.*f",
									   signals[s].name, s == 6 ? 3 : 1, value)));
		++body.readings;
		body.outside += wrong ? 1 : 0;
	}
}

/// Body number `round`: the devices from round * lines on; odd rounds hold the values outside, so
/// that the bodies of one period come twice, once inside and once with some outside.
inline Body make_body(const BatchPlan &plan, std::int64_t epoch, std::int64_t round)
{
	Body body;
	std::string json = R"({"jsonrpc":"2.0","id":1,"method":"bmd.report","params":[")"
					   + plan.collector + R"(",")" + std::to_string(epoch) + R"(",")";
	const std::size_t seq_in_json = json.size();
	json += std::string(seq_digits, '0') + R"(",")";
	body.text = json;
	const std::int64_t begin = round / 2 * plan.lines;
	for(std::int64_t l = 0; l < plan.lines; ++l) {
		const std::int64_t device = plan.first + (begin + l) % plan.devices;
		char serial[48];
		body.text.append(
				serial, static_cast<std::size_t>(std::snprintf(serial, sizeof serial, "%s%08lld ",
								plan.prefix.c_str(), static_cast<long long>(device))));
		body.time_at.push_back(body.text.size());
		body.text.append(time_digits, '0');
		add_items(body, plan, device, round);
		body.text += l + 1 < plan.lines ? "\\n" : "";
	}
	body.text += "\"]}";
	const std::string head =
			"POST /RPC HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json"
			"\r\nContent-Length: "
			+ std::to_string(body.text.size()) + "\r\n\r\n";
	body.text.insert(0, head);
	body.seq_at = head.size() + seq_in_json;
	for(std::size_t &at : body.time_at)
		at += head.size();
	return body;
}

inline void stamp(Body &body, std::int64_t seq, std::int64_t time)
{
	patch_number(body.text, body.seq_at, seq, seq_digits);
	if(body.time_at.empty())
		return;
	patch_number(body.text, body.time_at.front(), time, time_digits);
	for(const std::size_t at : body.time_at)
		std::memcpy(body.text.data() + at, body.text.data() + body.time_at.front(), time_digits);
}

} // namespace bench
