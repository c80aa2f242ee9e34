/// @file reply.cpp  Plain text that a person answers an alert with.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "bmd/reply.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "bmd/code.hpp"
#include "bmd/words.hpp"

namespace bmd {

namespace {

enum class Meaning : std::uint8_t
{
	accept,
	reject,
	acknowledge,
	resolve,
	silence,
	is_false,
	false_alarm,
	is_real,
	seconds,
	minutes,
	list,
	help,
	noun,
	filler
};

struct Word
{
	std::string_view text;
	Meaning meaning;
};

constexpr std::array words{
#define WORD(text, meaning) Word{text, Meaning::meaning},
#include "reply_words.inc"
#undef WORD
};

constexpr long longest_silence_told = 86'400; // s; how long it may be is not decided here

// ASCII and the three umlauts of UTF-8.
std::string lower(std::string_view text)
{
	std::string out(text);
	for(std::size_t i = 0; i < out.size(); ++i) {
		if(out[i] >= 'A' && out[i] <= 'Z')
			out[i] = static_cast<char>(out[i] - 'A' + 'a');
		else if(out[i] == '\xC3' && i + 1 < out.size()
				&& std::string_view("\x84\x96\x9C").find(out[i + 1]) != std::string_view::npos)
			out[i + 1] = static_cast<char>(out[i + 1] + 0x20);
	}
	return out;
}

bool separates(char c) noexcept
{
	return std::string_view(" \t\r\n.,;:!()\"'").find(c) != std::string_view::npos;
}

// The words of the lines that do not quote; "?" is a word of its own.
std::vector<std::string_view> split(std::string_view text)
{
	std::vector<std::string_view> found;
	while(!text.empty()) {
		const std::string_view line = text.substr(0, text.find('\n'));
		text.remove_prefix(std::min(text.size(), line.size() + 1));
		if(line.starts_with('>'))
			continue;
		for(std::size_t at = 0; at < line.size();) {
			if(separates(line[at])) {
				++at;
				continue;
			}
			std::size_t end = at + 1;
			while(line[at] != '?' && end < line.size() && !separates(line[end]) && line[end] != '?')
				++end;
			found.push_back(line.substr(at, end - at));
			at = end;
		}
	}
	return found;
}

std::optional<Meaning> meaning_of(std::string_view word)
{
	const std::string small = lower(word);
	const auto *const found = std::find_if(
			words.begin(), words.end(), [&](const Word &known) { return known.text == small; });
	return found == words.end() ? std::nullopt : std::optional(found->meaning);
}

// "120", "120s", "2min"; the unit is left in `word`.
std::optional<long> take_number(std::string_view &word) noexcept
{
	long number = 0;
	const char *const end = word.data() + word.size();
	const auto [stop, error] = std::from_chars(word.data(), end, number);
	if(error != std::errc{} || word.front() < '0' || word.front() > '9'
			|| number > longest_silence_told)
		return std::nullopt;
	word.remove_prefix(static_cast<std::size_t>(stop - word.data()));
	return number;
}

// Collects what the words say; `wrong` is not empty once they contradict each other.
class Reader
{
public:
	void read(std::string_view word)
	{
		if(!wrong_.empty())
			return;
		if(parse_code(word) != 0)
			return take_code(word);
		if(const auto meaning = meaning_of(word))
			return take(*meaning);
		std::string_view rest = word;
		if(const auto number = take_number(rest); number && !number_) {
			number_ = number;
			const auto unit = rest.empty() ? std::optional(Meaning::filler) : meaning_of(rest);
			if(unit == Meaning::filler || unit == Meaning::seconds || unit == Meaning::minutes)
				return take(*unit);
		}
		wrong_ = "a word that is not known";
	}

	[[nodiscard]] Reply result() const
	{
		Reply reply;
		reply.code = code_;
		reply.wrong = wrong_.empty() ? contradiction() : wrong_;
		if(!reply.wrong.empty())
			return reply;
		if(help_ || list_) {
			reply.kind = help_ ? Reply::Kind::help : Reply::Kind::list;
			reply.page = std::max(number_.value_or(1), 1L);
			return reply;
		}
		reply.kind = Reply::Kind::answer;
		reply.act = *act_;
		reply.outcome = outcome_;
		if(reply.act == Act::resolve && outcome_ == Outcome::none)
			reply.outcome = Outcome::actionable;
		reply.seconds = number_.value_or(0) * (minutes_ ? 60 : 1);
		return reply;
	}

private:
	void take_code(std::string_view word)
	{
		const std::string code = code_text(parse_code(word));
		if(!code_.empty() && code_ != code)
			wrong_ = "more than one code";
		code_ = code;
	}
	void answer(Act act)
	{
		if(act_ && *act_ != act)
			wrong_ = "more than one answer";
		act_ = act;
	}
	void take_outcome(Outcome outcome)
	{
		if(outcome_ != Outcome::none && outcome_ != outcome)
			wrong_ = "more than one outcome";
		outcome_ = outcome;
	}
	void take(Meaning meaning)
	{
		switch(meaning) {
			case Meaning::accept:
				return answer(Act::accept);
			case Meaning::reject:
				return answer(Act::reject);
			case Meaning::acknowledge:
				return answer(Act::acknowledge);
			case Meaning::resolve:
				return answer(Act::resolve);
			case Meaning::silence:
				return answer(Act::silence);
			case Meaning::is_false:
				return take_outcome(Outcome::false_alarm);
			case Meaning::false_alarm:
				answer(Act::resolve);
				return take_outcome(Outcome::false_alarm);
			case Meaning::is_real:
				return take_outcome(Outcome::actionable);
			case Meaning::seconds:
			case Meaning::minutes:
				if(unit_)
					wrong_ = "more than one unit of time";
				unit_ = true;
				minutes_ = meaning == Meaning::minutes;
				return;
			case Meaning::list:
				list_ = true;
				return;
			case Meaning::help:
				help_ = true;
				return;
			case Meaning::noun:
				noun_ = true;
				return;
			case Meaning::filler:
				return;
		}
	}
	[[nodiscard]] std::string contradiction() const
	{
		if(act_ && (help_ || list_))
			return "an answer and a question";
		if(!act_ && !help_ && !list_)
			return "no answer";
		if(outcome_ != Outcome::none && act_ != Act::resolve)
			return "an outcome without resolve";
		if(act_ == Act::silence && !number_)
			return "silence without a time";
		if(act_ != Act::silence && (unit_ || (number_ && !list_)))
			return "a time without silence";
		if(noun_ && code_.empty() && (act_ == Act::accept || act_ == Act::reject))
			return "which alert: its code is missing";
		return {};
	}

	std::optional<Act> act_;
	std::optional<long> number_;
	Outcome outcome_ = Outcome::none;
	std::string code_;
	std::string wrong_;
	bool unit_ = false;
	bool minutes_ = false;
	bool list_ = false;
	bool help_ = false;
	bool noun_ = false;
};

} // namespace

Reply parse_reply(std::string_view text)
{
	Reply unclear;
	if(text.size() > max_reply) {
		unclear.wrong = "longer than 1300 bytes";
		return unclear;
	}
	Reader reader;
	for(const std::string_view word : split(text))
		reader.read(word);
	return reader.result();
}

std::vector<std::size_t> meant(
		std::span<const Candidate> open, Act act, std::string_view who, TimeUs now)
{
	const bool ends_calling = act == Act::acknowledge || act == Act::resolve;
	std::vector<std::size_t> found;
	for(std::size_t i = 0; i < open.size(); ++i) {
		const Candidate &alert = open[i];
		const bool taken =
				alert.response == Response::accepted || alert.response == Response::acknowledged;
		const bool theirs = !who.empty() && alert.by == who;
		const bool recent = theirs && now - alert.answered_at < repeat_window;
		const bool held = theirs && alert.response == Response::accepted;
		const DurationUs least = ends_calling ? repeat_window : unseen_window;
		const bool waits = !taken && now - alert.raised_at >= least;
		if(alert.just_answered || (!alert.over && (held || recent || waits)))
			found.push_back(i);
	}
	return found;
}

} // namespace bmd
