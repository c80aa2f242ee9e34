/// @file duty.cpp  Teams, rosters and policies as text, and back.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "bmd/duty.hpp"

#include <charconv>

namespace bmd {

namespace {

// One line: its kind, then fields.
class Line
{
public:
	explicit Line(char kind) : text_(1, kind) {}
	Line &add(std::string_view text)
	{
		text_ += '\t';
		text_ += text;
		return *this;
	}
	Line &add(std::int64_t number) { return add(std::string_view(std::to_string(number))); }
	Line &add(const Hours &hours) { return add(hours.days).add(hours.from).add(hours.until); }
	[[nodiscard]] std::string end() const { return text_ + "\n"; }

private:
	std::string text_;
};

void write_roster(std::string &text, const Roster &roster)
{
	text += Line('R').add(roster.team).add(roster.zone).end();
	for(const RosterLayer &layer : roster.layers) {
		Line line('L');
		line.add(layer.name).add(layer.first_shift).add(layer.shift).add(layer.hours);
		for(const std::string &person : layer.rotation)
			line.add(person);
		text += line.end();
	}
	for(const RosterOverride &one : roster.overrides)
		text += Line('O')
						.add(one.id)
						.add(one.person)
						.add(one.from)
						.add(one.until)
						.add(one.created_at)
						.end();
}

void write_policy(std::string &text, const EscalationPolicy &policy)
{
	text += Line('P')
					.add(policy.id)
					.add(policy.name)
					.add(policy.priority ? to_string(*policy.priority) : std::string_view())
					.add(policy.device_type)
					.add(policy.group)
					.add(policy.hours)
					.add(policy.repeat)
					.end();
	for(const EscalationStep &step : policy.steps)
		text += Line('S')
						.add(step.after)
						.add(to_string(step.whom))
						.add(step.name)
						.add(step.how)
						.end();
}

// The fields of one line, taken one after the other.
class Fields
{
public:
	explicit Fields(std::string_view line) : rest_(line) {}
	[[nodiscard]] bool more() const noexcept { return more_; }
	[[nodiscard]] bool good() const noexcept { return good_ && !more_; }
	std::string text()
	{
		good_ = good_ && more_;
		const std::size_t tab = rest_.find('\t');
		std::string field(rest_.substr(0, tab));
		more_ = tab != std::string_view::npos;
		rest_ = more_ ? rest_.substr(tab + 1) : std::string_view();
		return field;
	}
	template <class T> void number(T &to)
	{
		const std::string field = text();
		const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), to);
		good_ = good_ && error == std::errc{} && end == field.data() + field.size();
	}
	void hours(Hours &to)
	{
		number(to.days);
		number(to.from);
		number(to.until);
	}
	void people(std::vector<std::string> &to)
	{
		while(more_)
			to.push_back(text());
	}
	void fail() noexcept { good_ = false; }

private:
	std::string_view rest_;
	bool more_ = true;
	bool good_ = true;
};

void read_layer(Fields &fields, Duty &duty)
{
	if(duty.rosters.empty())
		return fields.fail();
	RosterLayer &layer = duty.rosters.back().layers.emplace_back();
	layer.name = fields.text();
	fields.number(layer.first_shift);
	fields.number(layer.shift);
	fields.hours(layer.hours);
	fields.people(layer.rotation);
}

void read_override(Fields &fields, Duty &duty)
{
	if(duty.rosters.empty())
		return fields.fail();
	RosterOverride &one = duty.rosters.back().overrides.emplace_back();
	fields.number(one.id);
	one.person = fields.text();
	fields.number(one.from);
	fields.number(one.until);
	fields.number(one.created_at);
}

void read_policy(Fields &fields, Duty &duty)
{
	EscalationPolicy &policy = duty.policies.emplace_back();
	fields.number(policy.id);
	policy.name = fields.text();
	policy.priority = parse_priority(fields.text());
	policy.device_type = fields.text();
	policy.group = fields.text();
	fields.hours(policy.hours);
	fields.number(policy.repeat);
}

void read_step(Fields &fields, Duty &duty)
{
	if(duty.policies.empty())
		return fields.fail();
	EscalationStep &step = duty.policies.back().steps.emplace_back();
	fields.number(step.after);
	const auto whom = parse_whom(fields.text());
	if(!whom)
		return fields.fail();
	step.whom = *whom;
	step.name = fields.text();
	fields.number(step.how);
}

void read_team(Fields &fields, Duty &duty)
{
	Team &team = duty.teams.emplace_back();
	fields.number(team.id);
	team.name = fields.text();
	fields.people(team.members);
}

bool read_line(std::string_view line, Duty &duty)
{
	Fields fields(line);
	const std::string kind = fields.text();
	switch(kind.size() == 1 ? kind[0] : '\0') {
		case 'H':
			duty.zone = fields.text();
			duty.default_team = fields.text();
			break;
		case 'T':
			read_team(fields, duty);
			break;
		case 'G': {
			GroupTeam &pair = duty.group_teams.emplace_back();
			pair.group = fields.text();
			pair.team = fields.text();
			break;
		}
		case 'R': {
			Roster &roster = duty.rosters.emplace_back();
			roster.team = fields.text();
			roster.zone = fields.text();
			break;
		}
		case 'L':
			read_layer(fields, duty);
			break;
		case 'O':
			read_override(fields, duty);
			break;
		case 'P':
			read_policy(fields, duty);
			break;
		case 'S':
			read_step(fields, duty);
			break;
		default:
			return false;
	}
	return fields.good();
}

} // namespace

const Team *Duty::find_team(std::string_view name) const noexcept
{
	for(const Team &team : teams)
		if(team.name == name)
			return &team;
	return nullptr;
}

const Team *Duty::find_team(std::int32_t id) const noexcept
{
	for(const Team &team : teams)
		if(team.id == id)
			return &team;
	return nullptr;
}

const Roster *Duty::find_roster(std::string_view team) const noexcept
{
	for(const Roster &roster : rosters)
		if(roster.team == team)
			return &roster;
	return nullptr;
}

std::string write_duty(const Duty &duty)
{
	std::string text = Line('H').add(duty.zone).add(duty.default_team).end();
	for(const Team &team : duty.teams) {
		Line line('T');
		line.add(team.id).add(team.name);
		for(const std::string &member : team.members)
			line.add(member);
		text += line.end();
	}
	for(const GroupTeam &pair : duty.group_teams)
		text += Line('G').add(pair.group).add(pair.team).end();
	for(const Roster &roster : duty.rosters)
		write_roster(text, roster);
	for(const EscalationPolicy &policy : duty.policies)
		write_policy(text, policy);
	return text;
}

Result<Duty> read_duty(std::string_view text)
{
	Duty duty;
	for(int number = 1; !text.empty(); ++number) {
		const std::size_t end = text.find('\n');
		if(end == std::string_view::npos || !read_line(text.substr(0, end), duty))
			return malformed("line " + std::to_string(number) + " of the rosters and policies");
		text.remove_prefix(end + 1);
	}
	return duty;
}

} // namespace bmd
