/// @file device.cpp  The bytes that a simulated device sends.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "device.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "drivers/pb840_fields.hpp"

namespace bmd {

namespace {

constexpr std::size_t packet_frames = 25;
constexpr unsigned rate_invalid = 511;
constexpr unsigned saturation_invalid = 127;
constexpr std::uint8_t revision = 0x30;

/// What the ventilator shows when the scenario says nothing.
const std::map<std::string, std::string, std::less<>> &at_rest()
{
	static const std::map<std::string, std::string, std::less<>> values{{"SetRespRate", "12.0"},
			{"SetVT", "0.500"}, {"SetPeakFlow", "60.0"}, {"SetO2", "30"}, {"SetPEEP", "5.0"},
			{"SetPlateauTime", "0.0"}, {"SetApneaInterval", "20"}, {"SetApneaVT", "0.500"},
			{"SetApneaRespRate", "12.0"}, {"SetApneaPeakFlow", "60.0"}, {"SetApneaO2", "100"},
			{"LimitPpeakHigh", "40"}, {"LimitMVeHigh", "20.000"}, {"LimitMVeLow", "3.000"},
			{"LimitVTeMandHigh", "900"}, {"LimitVTeMandLow", "250"}, {"LimitVTeSpontHigh", "900"},
			{"LimitVTeSpontLow", "OFF"}, {"LimitRespRateHigh", "40"}, {"SetDisconnectSens", "75"},
			{"SetIBW", "70.0"}, {"PiEnd", "20.0"}, {"RespRate", "12.0"}, {"VTe", "0.500"},
			{"MVe", "6.000"}, {"Ppeak", "20.0"}, {"Pmean", "9.0"}, {"IEExp", "3.00"},
			{"FiO2", "30.0"}, {"PEEP", "5.0"}};
	return values;
}

/// Text fields, by number.
const std::map<int, std::string> &texts()
{
	static const std::map<int, std::string> values{{6, "840 SIMULATED"}, {7, "JAN 01 2000"},
			{8, "INVASIVE"}, {9, "A/C"}, {10, "VC"}, {12, "P-Trig"}, {27, "SQUARE"}, {28, "VC"},
			{32, "SQUARE"}, {33, "OFF"}, {53, "HME"}, {55, "Enabled"}, {66, "ADULT"},
			{76, "1:3.00"}, {156, "OFF"}};
	return values;
}

std::string fitted(double value, std::size_t width)
{
	std::array<char, 64> text{};
	for(int decimals = 3; decimals >= 0; decimals--) {
		const auto [end, error] = std::to_chars(
				text.data(), text.data() + text.size(), value, std::chars_format::fixed, decimals);
		const auto size = static_cast<std::size_t>(end - text.data());
		if(error == std::errc{} && size <= width)
			return {text.data(), size};
	}
	return std::string(width, '*'); // does not fit: shown as devices do, and refused by readers
}

std::string pb840_text(const pb840::Field &field, const Moment &moment, const std::string &hh_mm)
{
	const std::string name(field.name);
	if(field.use == pb840::Use::text) {
		const auto text = texts().find(field.number);
		if(field.number == 5)
			return hh_mm;
		return text != texts().end() ? text->second : "";
	}
	if(field.use == pb840::Use::number) {
		if(const auto value = moment.values.find(name); value != moment.values.end())
			return fitted(value->second, field.width);
		if(const auto word = moment.words.find(name); word != moment.words.end())
			return word->second;
		const auto rest = at_rest().find(name);
		return rest != at_rest().end() ? rest->second : "";
	}
	if(const auto alarm = moment.alarms.find(name); alarm != moment.alarms.end())
		return alarm->second;
	switch(field.use) {
		case pb840::Use::alarm:
			return "NORMAL";
		case pb840::Use::on_off:
			return "OFF";
		default:
			return "";
	}
}

bool is_on(const Moment &moment, const char *alarm)
{
	const auto found = moment.alarms.find(alarm);
	return found != moment.alarms.end() && found->second == "ON";
}

unsigned rounded(const Moment &moment, const char *name, double preset, unsigned max)
{
	const auto found = moment.values.find(name);
	const double value = found != moment.values.end() ? found->second : preset;
	return static_cast<unsigned>(std::lround(std::clamp(value, 0.0, static_cast<double>(max))));
}

} // namespace

std::string nonin_packet(const Moment &moment)
{
	const unsigned rate =
			moment.unplugged ? rate_invalid : rounded(moment, "PulseRate", 72, rate_invalid - 1);
	const unsigned saturation = moment.unplugged
										? saturation_invalid
										: rounded(moment, "SpO2", 97, saturation_invalid - 1);
	const auto msb = static_cast<std::uint8_t>(rate >> 7);
	const auto lsb = static_cast<std::uint8_t>(rate & 0x7f);
	const auto spo2 = static_cast<std::uint8_t>(saturation);
	const std::array<std::uint8_t, packet_frames> content{msb, lsb, spo2, revision, 0, 0, 0, 0,
			spo2, spo2, spo2, 0, 0, msb, lsb, spo2, spo2, 0, 0, msb, lsb, msb, lsb, 0, 0};
	unsigned status = 0x80;
	status |= moment.unplugged ? 0x40U : 0U;
	status |= is_on(moment, "OutOfTrack") ? 0x10U : 0U;
	status |= is_on(moment, "SensorFault") ? 0x08U : 0U;
	status |= is_on(moment, "LowPerfusion") ? 0x04U : 0x02U;
	std::string bytes;
	for(std::size_t i = 0; i < packet_frames; i++) {
		const auto flags = static_cast<std::uint8_t>(status | (i == 0 ? 1U : 0U));
		const auto pleth = static_cast<std::uint8_t>(9 * (i + 1));
		const auto sum = static_cast<std::uint8_t>(1 + flags + pleth + content[i]);
		for(const std::uint8_t byte : {std::uint8_t{1}, flags, pleth, content[i], sum})
			bytes += static_cast<char>(byte);
	}
	return bytes;
}

std::string pb840_reply(const Moment &moment, const std::string &hh_mm)
{
	std::string reply(pb840::head);
	for(const auto &field : pb840::fields) {
		std::string text = pb840_text(field, moment, hh_mm);
		text.resize(field.width, ' ');
		reply += text + ',';
	}
	return reply += pb840::tail;
}

std::string damage(std::string bytes, const Moment &moment, std::mt19937 &random)
{
	if(moment.noise <= 0 && moment.lost <= 0)
		return bytes;
	std::uniform_real_distribution<double> chance(0, 1);
	std::uniform_int_distribution<int> any(0, 255);
	std::string out;
	for(const char byte : bytes) {
		if(chance(random) < moment.lost)
			continue;
		out += chance(random) < moment.noise ? static_cast<char>(any(random)) : byte;
	}
	return out;
}

} // namespace bmd
