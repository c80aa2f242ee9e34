/// @file reply_test.cpp  Unit tests for bmd/reply.hpp; the rules stand in reply_cases.tsv and
/// meant_cases.tsv. SPDX-License-Identifier: GPL-2.0-or-later

#include "bmd/reply.hpp"

#include <sstream>

#include "bmd/code.hpp"
#include "suites.hpp"
#include "tsv.hpp"

namespace {

using bmd::Candidate;
using bmd::Reply;

constexpr bmd::TimeUs now = 1'795'230'000'000'000;

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

std::string dash(std::string text)
{
	return text.empty() ? "-" : text;
}

std::string shown(const Reply &reply)
{
	switch(reply.kind) {
		case Reply::Kind::unclear:
			return "unclear";
		case Reply::Kind::help:
			return "help";
		case Reply::Kind::list:
			return reply.page == 1 ? "list" : "list " + std::to_string(reply.page);
		case Reply::Kind::answer:
			break;
	}
	const bool resolves = reply.outcome != bmd::Outcome::none;
	return std::string(to_string(reply.act)) + ' ' + dash(reply.code) + ' '
		   + (resolves ? std::string(to_string(reply.outcome)) : "-") + ' '
		   + std::to_string(reply.seconds);
}

void every_row_of_reply_cases_holds()
{
	for(const auto &row : bmd_test::read_tsv("reply_cases.tsv")) {
		const Reply reply = bmd::parse_reply(unescaped(row.cells[0]));
		const bool answer = reply.kind == Reply::Kind::answer;
		const std::string expected =
				answer ? row.cells[1] + ' ' + row.cells[2] + ' ' + row.cells[3] + ' ' + row.cells[4]
					   : row.cells[1];
		BMD_EQUAL(row.cells[0] + ": " + shown(reply), row.cells[0] + ": " + expected);
		CU_ASSERT((reply.kind == Reply::Kind::unclear) == !reply.wrong.empty());
	}
}

void no_word_can_be_taken_for_a_code()
{
#define WORD(text, meaning) CU_ASSERT(bmd::parse_code(text) == 0);
#include "../../modules/common/src/reply_words.inc"
#undef WORD
}

void a_text_that_is_too_long_is_unclear_and_costs_no_time()
{
	const std::string longest = "ok" + std::string(bmd::max_reply - 2, ' ');
	CU_ASSERT(bmd::parse_reply(longest).kind == Reply::Kind::answer);
	CU_ASSERT(bmd::parse_reply(longest + ' ').kind == Reply::Kind::unclear);
	CU_ASSERT(bmd::parse_reply(std::string(1 << 20, '?')).kind == Reply::Kind::unclear);
}

void any_byte_changed_in_a_reply_never_gives_another_answer()
{
	const std::string text = "done K7FQP false";
	for(std::size_t at = 0; at < 4; ++at)
		for(int byte = 0; byte < 256; ++byte) {
			std::string changed = text;
			changed[at] = static_cast<char>(byte);
			const Reply reply = bmd::parse_reply(changed);
			CU_ASSERT(reply.kind == Reply::Kind::unclear || reply.act == bmd::Act::resolve);
		}
}

void every_row_of_meant_cases_holds()
{
	for(const auto &row : bmd_test::read_tsv("meant_cases.tsv")) {
		std::vector<std::vector<std::string>> fields;
		std::istringstream list(row.cells[1] == "-" ? "" : row.cells[1]);
		for(std::string word; list >> word;) {
			std::istringstream parts(word);
			auto &alert = fields.emplace_back();
			for(std::string part; std::getline(parts, part, ':');)
				alert.push_back(part);
		}
		std::vector<Candidate> open;
		for(const auto &alert : fields) {
			const std::string marks = alert.size() > 4 ? alert[4] : "";
			open.push_back({bmd::parse_response(alert[0]).value(), alert[1],
					now - std::stol(alert[2]) * bmd::second_us,
					now - std::stol(alert[3]) * bmd::second_us,
					marks.find("again") != std::string::npos,
					marks.find("over") != std::string::npos});
		}
		std::string found;
		for(const std::size_t i :
				bmd::meant(open, bmd::parse_act(row.cells[0]).value(), "ann", now))
			found += (found.empty() ? "" : ",") + std::to_string(i);
		BMD_EQUAL(row.cells[0] + ' ' + row.cells[1] + " -> " + dash(found),
				row.cells[0] + ' ' + row.cells[1] + " -> " + row.cells[2]);
	}
}

CU_TestInfo cases[] = {BMD_CASE(every_row_of_reply_cases_holds),
		BMD_CASE(no_word_can_be_taken_for_a_code),
		BMD_CASE(a_text_that_is_too_long_is_unclear_and_costs_no_time),
		BMD_CASE(any_byte_changed_in_a_reply_never_gives_another_answer),
		BMD_CASE(every_row_of_meant_cases_holds), CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo reply_suite;
const CU_SuiteInfo reply_suite = BMD_SUITE("reply", cases);
