/// @file scenario.hpp  What a simulated device shows over time, read from a TOML file.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// The format is in bmd-sim(1).

#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace bmd {

/// What the device shows and suffers at one moment.
struct Moment
{
	std::map<std::string, double> values;      ///< by catalogue name, in the device's unit
	std::map<std::string, std::string> words;  ///< numeric fields that show a text: "", "OFF"
	std::map<std::string, std::string> alarms; ///< by catalogue name: the device's word
	double noise = 0;                          ///< probability that a byte is replaced
	double lost = 0;                           ///< probability that a byte is lost
	bool silence = false;                      ///< sends nothing
	bool unplugged = false;                    ///< sensor off the patient
};

class Scenario
{
public:
	struct Step
	{
		double start = 0; ///< seconds from the beginning
		std::string note;
		Moment moment;                      ///< complete: what earlier steps set is in it
		std::map<std::string, double> from; ///< values at the start of a ramp; empty: no ramp
		std::map<std::string, std::pair<double, double>> flap;
		double flap_seconds = 1; ///< each of the two values lasts so long
	};

	/// `mistakes` gets "FILE:LINE: what is wrong" for each; usable only when there are none.
	[[nodiscard]] static Scenario load(const std::string &path, std::vector<std::string> &mistakes);

	/// "nonin" or "pb840".
	[[nodiscard]] const std::string &driver() const noexcept { return driver_; }
	/// Seconds until the last step ends; 0: it never does.
	[[nodiscard]] double length() const noexcept { return length_; }
	[[nodiscard]] const std::vector<Step> &steps() const noexcept { return steps_; }

	/// Index of the step in force `seconds` after the beginning.
	[[nodiscard]] std::size_t step_at(double seconds) const noexcept;
	[[nodiscard]] Moment at(double seconds) const;

private:
	std::string driver_;
	double length_ = 0;
	std::vector<Step> steps_;

	friend class ScenarioReader;
};

} // namespace bmd
