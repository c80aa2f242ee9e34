/// @file alert_text_test.cpp  Unit tests for bmd/alert_text.hpp; the rules stand in
/// alert_text_cases.tsv. SPDX-License-Identifier: GPL-2.0-or-later

#include "bmd/alert_text.hpp"

#include <random>
#include <sstream>

#include "bmd/words.hpp"
#include "suites.hpp"
#include "tsv.hpp"

namespace {

// "\n" and "\xHH" as they are meant; "-" is the empty text.
std::string unescaped(const std::string &cell)
{
	if(cell == "-")
		return {};
	std::string text;
	for(std::size_t i = 0; i < cell.size(); ++i) {
		if(cell.compare(i, 2, "\\n") == 0) {
			text += '\n';
			i += 1;
		} else if(cell.compare(i, 2, "\\x") == 0) {
			text += static_cast<char>(std::stoi(cell.substr(i + 2, 2), nullptr, 16));
			i += 3;
		} else {
			text += cell[i];
		}
	}
	return text;
}

bmd::AlertWords words_of(const std::vector<std::string> &cells)
{
	bmd::AlertWords words;
	std::string_view *const fields[] = {&words.priority, &words.metric, &words.condition,
			&words.state, &words.value, &words.limit, &words.unit, &words.serial, &words.type,
			&words.location, &words.patient, &words.address, &words.since, &words.code};
	std::size_t cell = 1;
	for(std::string_view *field : fields)
		*field = cells.at(cell++);
	return words;
}

void every_row_of_the_table_is_the_text_of_its_words()
{
	for(const bmd_test::Row &row : bmd_test::read_tsv("alert_text_cases.tsv")) {
		std::vector<std::string> cells;
		for(const std::string &cell : row.cells)
			cells.push_back(unescaped(cell));
		const std::string text = bmd::alert_text(words_of(cells), std::stoul(cells.at(0)));
		if(text != cells.back())
			std::cout << "    line " << row.line << '\n';
		BMD_EQUAL(text, cells.back());
	}
}

bool good(const std::string &text, std::size_t most)
{
	std::istringstream lines(text);
	bool valid = text.size() <= most;
	for(std::string line; std::getline(lines, line);)
		valid = valid && bmd::valid_words(line, most);
	return valid;
}

void a_storm_is_its_count_its_cause_and_some_of_its_devices()
{
	bmd::AlertWords words;
	words.code = "K7MQ3";
	words.priority = "high";
	words.metric = "NoData";
	words.condition = "storm";
	words.value = "12";
	words.serial = "@home-3";
	words.cause = "collector home-3";
	words.devices = "OX-1, OX-2 and 10 more";
	const std::string text = bmd::alert_text(words);
	CU_ASSERT(text.starts_with(
			"HIGH 12 devices silent\ncollector home-3\ndevices OX-1, OX-2 and 10 more\n"));
	CU_ASSERT(text.find('@') == std::string::npos);
	BMD_EQUAL(bmd::alert_brief(words), "HIGH 12 devices silent, collector home-3");
}

void who_is_told_nothing_is_named_and_no_device()
{
	bmd::AlertWords words;
	words.code = "K7MQ3";
	words.priority = "medium";
	words.metric = "NoData";
	words.condition = "withheld";
	words.serial = "@carol";
	words.cause = "technician carol";
	const std::string text = bmd::alert_text(words);
	CU_ASSERT(text.starts_with("MEDIUM nothing can be told, documents are sent encrypted only and "
							   "cannot be\ntechnician carol\n"));
	CU_ASSERT(text.find('@') == std::string::npos);
}

void whatever_the_words_hold_and_wherever_it_is_cut_the_text_is_clean_utf_8()
{
	std::mt19937 random(7);
	const std::string pieces[] = {"a", "ü", "夜", "😀", "\n", "\r", "\x1b", std::string(1, '\0'),
			"\xff", "\xc2\x85", "\xed\xa0\x80"};
	bool clean = true;
	for(int i = 0; i < 20'000 && clean; ++i) {
		std::string field;
		for(std::size_t n = random() % 60; n > 0; --n)
			field += pieces[random() % std::size(pieces)];
		const bmd::AlertWords words{"DJMY3", "high", field, "low", "active", field, field, field,
				field, field, field, field, field, field, {}, {}};
		const std::size_t most = random() % 1400;
		clean = good(bmd::alert_text(words, most), most) && good(bmd::alert_brief(words), 200);
	}
	CU_ASSERT(clean);
}

void a_text_of_the_longest_words_fits_a_message()
{
	const std::string word(31, 'w');
	const std::string place(95, 'p');
	const std::string address(191, 'a');
	const bmd::AlertWords words{"DJMY3", "medium", word, "high", "latched", word, word, word, word,
			word, place, place, address, word, {}, {}};
	CU_ASSERT(bmd::alert_text(words).size() <= bmd::most_message);
	CU_ASSERT(bmd::alert_text(words).find("answer ok DJMY3") != std::string::npos);
}

void who_took_an_alert_and_how_it_ended_is_one_line()
{
	BMD_EQUAL(bmd::taken_text("HIGH SpO2 84 % low, OX-1", "DJMY3", "ann"),
			"taken by ann: HIGH SpO2 84 % low, OX-1, code DJMY3");
	BMD_EQUAL(bmd::over_text("HIGH SpO2 84 % low, OX-1", "DJMY3", ""),
			"over: HIGH SpO2 84 % low, OX-1, code DJMY3");
	BMD_EQUAL(
			bmd::over_text("LOW x, y", "DJMY3", "ann"), "over, taken by ann: LOW x, y, code DJMY3");
	BMD_EQUAL(
			bmd::more_text(1), "1 more alert waits for an answer. Send the word list to see them.");
	BMD_EQUAL(
			bmd::more_text(2), "2 more alerts wait for an answer. Send the word list to see them.");
}

void a_priority_that_has_changed_says_what_it_was()
{
	bmd::AlertWords words;
	words.code = "K7MQ3";
	words.priority = "high";
	words.metric = "SpO2";
	words.condition = "low";
	words.serial = "OX-1001";
	words.before = "medium";
	const std::string text = bmd::alert_text(words, 60);
	BMD_EQUAL(text, "HIGH SpO2 low\nOX-1001\npriority was medium\ncode K7MQ3");
	words.before = {};
	BMD_EQUAL(bmd::alert_text(words, 40), "HIGH SpO2 low\nOX-1001\ncode K7MQ3");
}

CU_TestInfo cases[] = {BMD_CASE(every_row_of_the_table_is_the_text_of_its_words),
		BMD_CASE(whatever_the_words_hold_and_wherever_it_is_cut_the_text_is_clean_utf_8),
		BMD_CASE(a_text_of_the_longest_words_fits_a_message),
		BMD_CASE(a_storm_is_its_count_its_cause_and_some_of_its_devices),
		BMD_CASE(who_is_told_nothing_is_named_and_no_device),
		BMD_CASE(a_priority_that_has_changed_says_what_it_was),
		BMD_CASE(who_took_an_alert_and_how_it_ended_is_one_line), CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo alert_text_suite;
const CU_SuiteInfo alert_text_suite = BMD_SUITE("alert_text", cases);
