/// @file dmp_attack_test.cpp  Unit tests for bmd/dmp.hpp: limits, and documents made to do harm.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "bmd/dmp.hpp"
#include "dmp_samples.hpp"
#include "suites.hpp"

namespace {

using namespace bmd::dmp;
using bmd_test::reason_of;

std::string repeated(std::string_view text, std::size_t times)
{
	std::string out;
	for(std::size_t i = 0; i < times; ++i)
		out += text;
	return out;
}

std::string action_of(const std::string &content)
{
	return "<DMPAction><Device>A</Device>" + content + "</DMPAction>";
}

const std::string query = "<Query><Variable>v</Variable></Query>";

void check_refused(const std::string &xml, const std::string &part)
{
	const std::string reason = reason_of(parse(xml));
	const bool found = reason.find(part) != std::string::npos;
	BMD_EQUAL(found ? part : reason, part);
}

void a_document_type_is_refused_before_it_is_read()
{
	std::string bomb = "<!DOCTYPE DMPAction [<!ENTITY l0 \"lol\">";
	for(int i = 1; i < 12; ++i)
		bomb += "<!ENTITY l" + std::to_string(i) + " \""
				+ repeated("&l" + std::to_string(i - 1) + ";", 10) + "\">";
	bomb += "]>" + action_of("<Control><Action>&l11;</Action></Control>");
	const auto begin = std::chrono::steady_clock::now();
	check_refused(bomb, "document type declaration");
	CU_ASSERT(std::chrono::steady_clock::now() - begin < std::chrono::milliseconds(200));
	check_refused("<!DOCTYPE DMPAction>" + action_of(query), "document type declaration");
	check_refused("<!DOCTYPE DMPAction SYSTEM \"http://127.0.0.1:1/x.dtd\">" + action_of(query),
			"document type declaration");
	check_refused(
			"<?xml version=\"1.0\"?><!-- --><!DOCTYPE a PUBLIC \"-//a\" \"file:///etc/passwd\">"
					+ action_of(query),
			"document type declaration");
}

void an_entity_is_refused_and_no_file_is_read()
{
	check_refused("<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>"
						  + action_of("<Control><Action>&x;</Action></Control>"),
			"document type declaration");
	check_refused(action_of("<Control><Action>&x;</Action></Control>"), "Entity 'x' not defined");
	check_refused(action_of("<Control><Action a='&x;'>a</Action></Control>"), "line 1");
}

void xinclude_and_schema_hints_are_ignored()
{
	const auto read = parse(action_of(
			"<Control xmlns:xi='http://www.w3.org/2001/XInclude' "
			"xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' "
			"xsi:schemaLocation='urn:x file:///nonexistent.xsd'>"
			"<Action>a<xi:include href='file:///etc/passwd' parse='text'/></Action></Control>"));
	BMD_EQUAL(reason_of(read), "");
	if(read)
		BMD_EQUAL(std::get<Control>(read->devices[0].entries[0]).action, "a");
}

void what_libxml2_only_warns_of_is_no_error()
{
	BMD_EQUAL(reason_of(parse(
					  action_of("<Control><Action>a<o:x xmlns:o='relative'/></Action></Control>"))),
			"");
}

void the_longest_document_is_read_and_one_byte_more_is_not()
{
	const std::string frame =
			action_of("<Control><Action>a</Action><Argument></Argument></Control>");
	std::string text = frame;
	text.insert(frame.find("</Argument>"), max_bytes - frame.size(), 'x');
	BMD_EQUAL(text.size(), max_bytes);
	BMD_EQUAL(reason_of(parse(text)), "");
	text.insert(frame.find("</Argument>"), 1, 'x');
	check_refused(text, "262145 bytes");
	check_refused(std::string(std::size_t{1024} * 1024, '<'), "1048576 bytes");
}

void elements_may_be_16_deep_and_no_deeper()
{
	const auto nested = [](std::size_t levels) {
		return action_of("<Control><Action>a" + repeated("<o:x xmlns:o='urn:o'>", levels)
						 + repeated("</o:x>", levels) + "</Action></Control>");
	};
	BMD_EQUAL(
			reason_of(parse(nested(13))), ""); // DMPAction, Control and Action are the other three
	check_refused(nested(14), "deeper than 16");
	check_refused(nested(255), "line 1");
	check_refused(nested(6000), "line 1");
	// depth comes back down: a deep branch does not count for the next
	BMD_EQUAL(
			reason_of(parse(action_of(repeated("<Control><Action>a<o:x xmlns:o='urn:o'><o:y/></o:x>"
											   "</Action></Control>",
					100)))),
			"");
}

void there_may_be_1024_actions_and_no_more()
{
	BMD_EQUAL(reason_of(parse(action_of(repeated(query, max_actions)))), "");
	check_refused(action_of(repeated(query, max_actions + 1)), "more than 1024 actions");
}

void a_good_document_cut_anywhere_is_an_error()
{
	for(const char *name : {"dmp/draft_subscribe.xml", "dmp/responses.xml", "dmp/feed.xml"}) {
		std::string text = bmd_test::file_text(name);
		text.resize(text.find_last_of('>') + 1);
		CU_ASSERT(parse(text).ok());
		std::size_t accepted = 0;
		for(std::size_t length = 0; length < text.size(); ++length)
			accepted += parse(std::string_view(text).substr(0, length)).ok() ? 1 : 0;
		BMD_EQUAL(accepted, 0U);
	}
}

void a_good_document_with_any_byte_changed_never_crashes_the_reader()
{
	const std::string text = bmd_test::file_text("dmp/feed.xml");
	std::size_t refused = 0;
	for(std::size_t at = 0; at < text.size(); ++at)
		for(const char byte : {'<', '>', '&', '"', ' ', '\0', '\xFF', 'x'}) {
			std::string changed = text;
			changed[at] = byte;
			refused += parse(changed).ok() ? 0 : 1;
		}
	CU_ASSERT(refused > text.size());
}

void only_utf_8_is_read()
{
	const std::string head = "<?xml version='1.0' encoding='";
	CU_ASSERT(parse(head + "UTF-8'?>" + action_of(query)).ok());
	CU_ASSERT(parse("\xEF\xBB\xBF" + action_of(query)).ok());
	check_refused(head + "ISO-8859-1'?>" + action_of(query), "encoding is not UTF-8");
	check_refused(head + "UTF-7'?>" + action_of(query), "encoding is not UTF-8");
	// iconv would look for a module of that name
	check_refused(head + "X-EVIL'?>" + action_of(query), "encoding is not UTF-8");
	check_refused("\xEF\xBB\xBF" + head + "X-EVIL'?>" + action_of(query), "encoding is not UTF-8");
	check_refused("<?xml version='1.0'\n encoding =\t\"X-EVIL\"?>" + action_of(query),
			"encoding is not UTF-8");
	CU_ASSERT(!parse(head + "UTF-16'?>" + action_of(query)));
	check_refused(std::string("\xFF\xFE<\0a\0/\0>\0", 10), "not UTF-8");
	check_refused(action_of("<Control><Action>\xC3(</Action></Control>"), "line 1");
	check_refused(action_of("<Control><Action>\x01</Action></Control>"), "line 1");
}

void a_tag_with_thousands_of_attributes_costs_no_time()
{
	std::string tag = "<DMPAction";
	for(int i = 0; tag.size() < max_bytes - 10; ++i)
		tag += " a" + std::to_string(i) + "=''";
	const auto begin = std::chrono::steady_clock::now();
	check_refused(tag + "/>", "too many attributes");
	// as many tags as fit, each as full as it may be
	std::string full = "<o:x xmlns:o='urn:o'";
	for(int i = 0; i < 1000; ++i)
		full += " a" + std::to_string(i) + "=''";
	full += "/>";
	const std::string many = action_of(query + repeated(full, max_bytes / full.size() - 1));
	BMD_EQUAL(reason_of(parse(many)), "");
	CU_ASSERT(std::chrono::steady_clock::now() - begin < std::chrono::seconds(2));
}

void what_is_no_xml_is_refused()
{
	for(const char *text : {"", " ", "{}", "DMP", "<", "<DMPAction", "<a></b>", "<a/><b/>",
				"<p:DMPResponse/>", "<?xml version='1.0'?>"})
		CU_ASSERT(!parse(text));
}

// Runs `work` with stderr in a file and gives what was written there.
template <class Work> std::string stderr_of(const Work &work)
{
	const auto path =
			std::filesystem::temp_directory_path() / ("bmd-dmp-test-" + std::to_string(getpid()));
	std::fflush(stderr);
	const int kept = dup(STDERR_FILENO);
	std::FILE *const file = std::fopen(path.c_str(), "w");
	CU_ASSERT(kept >= 0 && file != nullptr);
	if(kept < 0 || file == nullptr)
		return {};
	dup2(fileno(file), STDERR_FILENO);
	work();
	std::fflush(stderr);
	dup2(kept, STDERR_FILENO);
	close(kept);
	std::fclose(file);
	std::ifstream in(path);
	std::string text{std::istreambuf_iterator<char>(in), {}};
	std::filesystem::remove(path);
	return text;
}

void libxml2_says_nothing_on_stderr_and_reasons_are_one_line()
{
	std::string reasons;
	const std::string said = stderr_of([&] {
		for(const char *text : {"<a>", "<DMPAction/>", "<p:a/>", "<a b='1' b='2'/>",
					"<a>&\n\n;</a>", "<a \xFF/>", "<!DOCTYPE a [<!ENTITY", "<a>\n<b>\n</a>",
					"<DMPResponse xmlns:bmd='urn:bmd:dmp:1' bmd:version='x'/>"})
			reasons += reason_of(parse(text)) + '|';
	});
	BMD_EQUAL(said, "");
	CU_ASSERT(reasons.find('\n') == std::string::npos);
	CU_ASSERT(reasons.find("||") == std::string::npos);
}

CU_TestInfo cases[] = {BMD_CASE(a_document_type_is_refused_before_it_is_read),
		BMD_CASE(an_entity_is_refused_and_no_file_is_read),
		BMD_CASE(xinclude_and_schema_hints_are_ignored),
		BMD_CASE(what_libxml2_only_warns_of_is_no_error),
		BMD_CASE(the_longest_document_is_read_and_one_byte_more_is_not),
		BMD_CASE(elements_may_be_16_deep_and_no_deeper),
		BMD_CASE(there_may_be_1024_actions_and_no_more),
		BMD_CASE(a_good_document_cut_anywhere_is_an_error),
		BMD_CASE(a_good_document_with_any_byte_changed_never_crashes_the_reader),
		BMD_CASE(only_utf_8_is_read), BMD_CASE(a_tag_with_thousands_of_attributes_costs_no_time),
		BMD_CASE(what_is_no_xml_is_refused),
		BMD_CASE(libxml2_says_nothing_on_stderr_and_reasons_are_one_line), CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo dmp_attack_suite;
const CU_SuiteInfo dmp_attack_suite = BMD_SUITE("dmp_attack", cases);
