/// @file scenario.cpp  What a simulated device shows over time, read from a TOML file.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "scenario.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <toml++/toml.h>

#include "drivers/pb840_fields.hpp"

namespace bmd {

namespace {

bool shows_value(const std::string &driver, std::string_view name)
{
	if(driver == "nonin")
		return name == "SpO2" || name == "PulseRate";
	return std::ranges::any_of(pb840::fields, [&](const pb840::Field &field) {
		return field.use == pb840::Use::number && field.name == name;
	});
}

bool shows_alarm(const std::string &driver, std::string_view name)
{
	if(driver == "nonin")
		return name == "SensorFault" || name == "OutOfTrack" || name == "LowPerfusion";
	return std::ranges::any_of(pb840::fields, [&](const pb840::Field &field) {
		return field.use != pb840::Use::number && field.use != pb840::Use::text
			   && field.name == name;
	});
}

} // namespace

/// Reads the file step by step; each step starts from what the one before left.
class ScenarioReader
{
public:
	ScenarioReader(const std::string &path, std::vector<std::string> &mistakes)
		: path_(path), mistakes_(mistakes)
	{
	}

	Scenario read(const toml::table &root)
	{
		for(const auto &[key, node] : root)
			if(key != "driver" && key != "note" && key != "step")
				wrong(node, std::string(key.str()) + " is unknown");
		scenario_.driver_ = root["driver"].value_or("");
		if(scenario_.driver_ != "nonin" && scenario_.driver_ != "pb840")
			wrong(root, "driver must be \"nonin\" or \"pb840\"");
		const auto *steps = root["step"].as_array();
		if(steps == nullptr || !steps->is_homogeneous(toml::node_type::table))
			wrong(root, "needs steps: [[step]]");
		else
			for(const auto &step : *steps)
				read_step(*step.as_table());
		if(!open_end_)
			scenario_.length_ = end_;
		return std::move(scenario_);
	}

private:
	void wrong(const toml::node &node, const std::string &what)
	{
		mistakes_.push_back(path_ + ":" + std::to_string(node.source().begin.line) + ": " + what);
	}

	double number(const toml::node &node, std::string_view key, double min, double max)
	{
		const auto value = node.is_number() ? node.value<double>() : std::nullopt;
		if(value && *value >= min && *value <= max)
			return *value;
		wrong(node, std::string(key) + " must be a number from " + std::to_string(min) + " to "
							+ std::to_string(max));
		return min;
	}

	bool flag(const toml::node &node, std::string_view key)
	{
		const auto value = node.value_exact<bool>();
		if(!value)
			wrong(node, std::string(key) + " must be true or false");
		return value.value_or(false);
	}

	void read_step(const toml::table &table)
	{
		Scenario::Step step;
		if(open_end_ && !table.contains("at"))
			wrong(table, "the step before has no end: give it 'for', or this one 'at'");
		step.start = end_;
		step.moment = carried_;
		step.from = carried_.values;
		bool ramp = false;
		bool has_for = false;
		double duration = 0;
		for(const auto &[key, node] : table) {
			const std::string_view name = key.str();
			if(name == "at") {
				step.start = number(node, name, end_, 1e9);
			} else if(name == "for") {
				duration = number(node, name, 0.001, 1e9);
				has_for = true;
			} else if(name == "ramp") {
				ramp = flag(node, name);
			} else {
				read_setting(name, node, step);
			}
		}
		if(!ramp)
			step.from.clear();
		else if(!has_for)
			wrong(table, "a ramp needs 'for'");
		end_ = step.start + duration;
		open_end_ = !has_for;
		carried_ = Moment{step.moment.values, step.moment.words, step.moment.alarms};
		scenario_.steps_.push_back(std::move(step));
	}

	void read_setting(std::string_view name, const toml::node &node, Scenario::Step &step)
	{
		if(name == "note")
			step.note = node.value_or("");
		else if(name == "noise")
			step.moment.noise = number(node, name, 0, 1);
		else if(name == "lost")
			step.moment.lost = number(node, name, 0, 1);
		else if(name == "silence")
			step.moment.silence = flag(node, name);
		else if(name == "unplugged")
			step.moment.unplugged = flag(node, name);
		else if(name == "flap_seconds")
			step.flap_seconds = number(node, name, 0.01, 3600);
		else if(!node.is_table() || (name != "values" && name != "alarms" && name != "flap"))
			wrong(node, std::string(name) + " is unknown, or not of the right type");
		else if(name == "values")
			read_values(*node.as_table(), step.moment);
		else if(name == "alarms")
			read_alarms(*node.as_table(), step.moment);
		else
			read_flap(*node.as_table(), step);
	}

	bool known(const toml::node &node, std::string_view name, bool alarm)
	{
		const auto &driver = scenario_.driver_;
		const bool good = alarm ? shows_alarm(driver, name) : shows_value(driver, name);
		if(!good)
			wrong(node, "a " + driver + " does not show " + std::string(name));
		return good;
	}

	void read_values(const toml::table &table, Moment &moment)
	{
		for(const auto &[key, node] : table) {
			const std::string name(key.str());
			if(!known(node, name, false))
				continue;
			moment.values.erase(name);
			moment.words.erase(name);
			if(const auto text = node.value_exact<std::string>())
				moment.words[name] = *text;
			else
				moment.values[name] = number(node, name, -99999, 999999);
		}
	}

	void read_alarms(const toml::table &table, Moment &moment)
	{
		for(const auto &[key, node] : table) {
			const auto word = node.value_exact<std::string>();
			if(!word || word->size() > 6)
				wrong(node, "an alarm needs the device's word, of 6 letters at most");
			else if(known(node, key.str(), true))
				moment.alarms[std::string(key.str())] = *word;
		}
	}

	void read_flap(const toml::table &table, Scenario::Step &step)
	{
		for(const auto &[key, node] : table) {
			const auto *pair = node.as_array();
			if(pair == nullptr || pair->size() != 2)
				wrong(node, "flap needs two values: NAME = [A, B]");
			else if(known(node, key.str(), false))
				step.flap[std::string(key.str())] = {
						number(*pair->get(0), key.str(), -99999, 999999),
						number(*pair->get(1), key.str(), -99999, 999999)};
		}
	}

	const std::string &path_;
	std::vector<std::string> &mistakes_;
	Scenario scenario_;
	Moment carried_;
	double end_ = 0;
	bool open_end_ = false;
};

Scenario Scenario::load(const std::string &path, std::vector<std::string> &mistakes)
{
	try {
		return ScenarioReader(path, mistakes).read(toml::parse_file(path));
	} catch(const toml::parse_error &e) {
		mistakes.push_back(path + ":" + std::to_string(e.source().begin.line) + ": "
						   + std::string(e.description()));
		return {};
	}
}

std::size_t Scenario::step_at(double seconds) const noexcept
{
	std::size_t i = 0;
	while(i + 1 < steps_.size() && steps_[i + 1].start <= seconds)
		i++;
	return i;
}

Moment Scenario::at(double seconds) const
{
	const std::size_t i = step_at(seconds);
	const Step &step = steps_[i];
	Moment moment = step.moment;
	const double end = i + 1 < steps_.size() ? steps_[i + 1].start : length_;
	for(const auto &[name, from] : step.from) {
		const auto to = moment.values.find(name);
		if(to != moment.values.end() && end > step.start) {
			const double part = std::clamp((seconds - step.start) / (end - step.start), 0.0, 1.0);
			to->second = from + (to->second - from) * part;
		}
	}
	for(const auto &[name, pair] : step.flap) {
		const bool second = std::fmod((seconds - step.start) / step.flap_seconds, 2.0) >= 1.0;
		moment.values[name] = second ? pair.second : pair.first;
	}
	return moment;
}

} // namespace bmd
