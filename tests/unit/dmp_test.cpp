/// @file dmp_test.cpp  Unit tests for bmd/dmp.hpp: what is read, what is written, what the schema
/// says. SPDX-License-Identifier: GPL-2.0-or-later

#include "bmd/dmp.hpp"

#include <fstream>
#include <iterator>

#include "dmp_samples.hpp"
#include "suites.hpp"

namespace {

using namespace bmd::dmp;
using bmd_test::file_text;
using bmd_test::reason_of;
using bmd_test::replaced;

// Everything but alerts and attributes, which dmp_feed_test compares.
bool same_entries(const Document &a, const Document &b)
{
	if(a.root != b.root || a.devices.size() != b.devices.size())
		return false;
	for(std::size_t d = 0; d < a.devices.size(); ++d) {
		const auto &left = a.devices[d];
		const auto &right = b.devices[d];
		if(left.name != right.name || left.entries.size() != right.entries.size())
			return false;
		for(std::size_t e = 0; e < left.entries.size(); ++e) {
			const auto *const notify = std::get_if<Notify>(&left.entries[e]);
			const auto *const other = std::get_if<Notify>(&right.entries[e]);
			const bool same = notify != nullptr && other != nullptr
									  ? notify->items == other->items
									  : bmd_test::same_entry(left.entries[e], right.entries[e]);
			if(!same)
				return false;
		}
	}
	return true;
}

void an_action_in_the_shape_of_the_draft_is_read_whole()
{
	const auto document = parse(file_text("dmp/draft_subscribe.xml"));
	BMD_EQUAL(reason_of(document), "");
	if(!document)
		return;
	Document expected;
	expected.root = Root::action;
	expected.devices.push_back(
			{"Thermometer", {Subscribe{{{"temperature", {"temperature < 32F", "temperature > 40F"},
												"for the next 5 days"},
									 {"battery", {}, "till 5pm"}}},
									Query{{"temperature", "battery"}}}});
	expected.devices.push_back(
			{"Lamp", {Control{"set", {"on", "50 %"}}, Control{"self-test", {}}}});
	CU_ASSERT(same_entries(*document, expected));
}

void responses_in_the_drafts_namespace_are_read_whole_and_foreign_content_is_ignored()
{
	const auto document = parse(file_text("dmp/responses.xml"));
	BMD_EQUAL(reason_of(document), "");
	if(!document)
		return;
	Notify notify;
	notify.items = {{"SpO2", {"80"}, {}, {}}, {"PulseRate", {"140"}, {"high", "any"}, {}}};
	Document expected;
	expected.devices.push_back(
			{"OX-1", {ControlResponse{{{"set", {{"old", "5"}, {"new", ""}}, {"200 OK"}},
							  {"self-test", {}, {"202 Accepted"}}}},
							 QueryResponse{{{"SpO2", {"97", "98"}, {"200 OK"}},
									 {"Glow", {""}, {"404 Unknown variable"}}}},
							 notify}});
	CU_ASSERT(same_entries(*document, expected));
	CU_ASSERT(!document->attributes.version && !document->attributes.feed);
}

void what_is_written_reads_back_the_same()
{
	for(const char *name : {"dmp/draft_subscribe.xml", "dmp/responses.xml", "dmp/feed.xml"}) {
		const auto first = parse(file_text(name));
		BMD_EQUAL(reason_of(first), "");
		if(!first)
			continue;
		const std::string text = write(*first);
		const auto second = parse(text);
		BMD_EQUAL(reason_of(second), "");
		if(second) {
			CU_ASSERT(same_entries(*first, *second));
			BMD_EQUAL(write(*second), text);
		}
	}
}

void a_document_without_namespace_is_written_without_ours_unless_it_uses_it()
{
	Document document;
	document.root = Root::action;
	document.devices.push_back({"A", {Query{{"SpO2"}}}});
	BMD_EQUAL(write(document), "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
							   "<DMPAction><Device>A</Device><Query><Variable>SpO2</Variable>"
							   "</Query></DMPAction>\n");
	document.attributes.feed = "sip:a";
	CU_ASSERT(write(document).find("xmlns:bmd=\"urn:bmd:dmp:1\" bmd:feed=\"sip:a\"")
			  != std::string::npos);
}

void text_is_escaped_and_what_xml_cannot_carry_becomes_u_fffd()
{
	struct Case
	{
		std::string text;
		std::string read;
	};
	const std::string fffd = "\xEF\xBF\xBD";
	const Case texts[] = {{"<a>&\"'</a>]]>", "<a>&\"'</a>]]>"}, {"a\r\nb\tc", "a\r\nb\tc"},
			{std::string("a\0b\x01\x1F"
						 "c",
					 6),
					"a" + fffd + "b" + fffd + fffd + "c"},
			{"\x7F", "\x7F"},
			{"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"},
			{"\xC3(", fffd + "("}, {"\xE2\x82", fffd},
			{"\xF0\x9F\x98"
			 "x",
					fffd + "x"},
			{"\xC0\xAF", fffd + fffd}, {"\xED\xA0\x80", fffd + fffd + fffd},
			{"\xEF\xBF\xBE\xEF\xBF\xBF", fffd + fffd}, {"\xEF\xBF\xBD", fffd},
			{"\xF4\x90\x80\x80", fffd + fffd + fffd + fffd}, {"\xFF\xFE", fffd + fffd},
			{"\x80", fffd}};
	for(const Case &c : texts) {
		Document document;
		document.root = Root::action;
		document.attributes.feed = " " + c.text + "\n\t\r";
		document.devices.push_back({"A", {Control{"set", {c.text}}}});
		const auto read = parse(write(document));
		BMD_EQUAL(reason_of(read), "");
		if(!read)
			continue;
		BMD_EQUAL(std::get<Control>(read->devices[0].entries[0]).arguments[0], c.read);
		BMD_EQUAL(read->attributes.feed.value_or("?"), " " + c.read + "\n\t\r");
	}
}

void the_schema_refuses_what_is_out_of_order_or_missing()
{
	const std::string head = "<DMPResponse><Device>A</Device>";
	const char *const bodies[] = {"<Notify><Value>1</Value><Variable>v</Variable></Notify>",
			"<Notify><Variable>v</Variable><Event>low</Event><Value>1</Value></Notify>",
			"<Notify><Variable>v</Variable></Notify>", "<Notify/>", "<Notify>text</Notify>",
			"<Notify><Variable>v</Variable><Value>1</Value><Foo/></Notify>",
			"<Notify id='1'><Variable>v</Variable><Value>1</Value></Notify>", "",
			"<Control><Action>a</Action></Control>",
			"<ControlResponse><ResultCode>200 OK</ResultCode></ControlResponse>",
			"<ControlResponse><Action>a</Action><OutArgument>o</OutArgument></ControlResponse>",
			"<QueryResponse><Variable>v</Variable></QueryResponse>", "<Device>B</Device>",
			"<Notify><Variable>v<b/></Variable><Value>1</Value></Notify>", "stray"};
	for(const char *body : bodies) {
		const auto read = parse(head + body + "</DMPResponse>");
		BMD_EQUAL(
				std::string(body) + (read ? " read" : " refused"), std::string(body) + " refused");
		if(!read)
			CU_ASSERT(read.error().reason.starts_with("line 1: "));
	}
	CU_ASSERT(!parse("<DMPAction/>"));
	CU_ASSERT(!parse(
			"<DMPAction><Device>A</Device><Control><Argument>a</Argument></Control></DMPAction>"));
	CU_ASSERT(!parse("<DMPAction><Device>A</Device><Subscribe><Variable>v</Variable></Subscribe></"
					 "DMPAction>"));
	CU_ASSERT(!parse("<html/>"));
	CU_ASSERT(!parse("<o:DMPResponse xmlns:o='urn:other'/>"));
	CU_ASSERT(parse("<DMPResponse/>").ok());
}

void a_name_must_not_be_empty()
{
	for(const char *body : {"<Device> </Device><Query><Variable>v</Variable></Query>",
				"<Device>A</Device><Query><Variable/></Query>",
				"<Device>A</Device><Control><Action>\n</Action></Control>"}) {
		const auto read = parse("<DMPAction>" + std::string(body) + "</DMPAction>");
		CU_ASSERT(reason_of(read).find("is empty") != std::string::npos);
	}
}

void an_alert_that_its_schema_does_not_allow_is_refused()
{
	const std::string good = file_text("dmp/feed.xml");
	CU_ASSERT(parse(good).ok());
	const std::pair<const char *, const char *> changes[] = {
			{"state=\"latched\"", "state=\"gone\""}, {"revision=\"2\"", ""},
			{"revision=\"2\"", "revision=\"-2\""}, {"revision=\"2\"", "revision=\"4294967296\""},
			{"limit=\"90\"", "limit=\"INF\""}, {"limit=\"90\"", "limit=\"ninety\""},
			{"priority=\"high\"", "priority=\"HIGH\""},
			{"45c08067-b7e2-889d-b39c-c83065a28c23", "45c08067"},
			{"02:59:59.000001Z", "02:59:59.000001"}, {"02:59:59.000001Z", "24:59:59Z"},
			{"bmd:state=\"partial\"", "bmd:state=\"half\""}, {"0000000042", "4294967296"},
			{"0000000042", ""}, {"bmd:more=\"3\"", "bmd:more=\"x\""},
			{"03:00:00.500000Z", "03:00:60.500000Z"},
			{"<bmd:location>2nd floor</bmd:location>", "<bmd:floor>2</bmd:floor>"},
			{"</bmd:alert>", "</bmd:alert><bmd:alert/>"}};
	for(const auto &[from, to] : changes)
		BMD_EQUAL(std::string(from) + "->" + to
						  + (parse(replaced(good, from, to)) ? " read" : " refused"),
				std::string(from) + "->" + to + " refused");
}

void result_codes_have_one_text_each()
{
	for(int i = 0; i <= static_cast<int>(ResultCode::not_supported); ++i) {
		const auto code = static_cast<ResultCode>(i);
		CU_ASSERT(parse_result_code(result_text(code)) == code);
		BMD_EQUAL(std::to_string(result_number(code)), std::string(result_text(code).substr(0, 3)));
	}
	CU_ASSERT(!parse_result_code("200"));
	CU_ASSERT(!parse_result_code("404 Unknown thing"));
}

void the_schemas_compiled_in_are_the_ones_shipped()
{
	BMD_EQUAL(schema_text() == file_text("../../modules/common/xsd/dmp.xsd"), true);
	BMD_EQUAL(alert_schema_text() == file_text("../../modules/common/xsd/dmp-bmd.xsd"), true);
}

CU_TestInfo cases[] = {BMD_CASE(an_action_in_the_shape_of_the_draft_is_read_whole),
		BMD_CASE(responses_in_the_drafts_namespace_are_read_whole_and_foreign_content_is_ignored),
		BMD_CASE(what_is_written_reads_back_the_same),
		BMD_CASE(a_document_without_namespace_is_written_without_ours_unless_it_uses_it),
		BMD_CASE(text_is_escaped_and_what_xml_cannot_carry_becomes_u_fffd),
		BMD_CASE(the_schema_refuses_what_is_out_of_order_or_missing),
		BMD_CASE(a_name_must_not_be_empty),
		BMD_CASE(an_alert_that_its_schema_does_not_allow_is_refused),
		BMD_CASE(result_codes_have_one_text_each),
		BMD_CASE(the_schemas_compiled_in_are_the_ones_shipped), CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo dmp_suite;
const CU_SuiteInfo dmp_suite = BMD_SUITE("dmp", cases);
