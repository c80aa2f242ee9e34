/// @file winfo_test.cpp  Unit tests for bmd/winfo.hpp; the states stand in winfo_cases.tsv, the
/// form of documents in watcherinfo.xsd. SPDX-License-Identifier: GPL-2.0-or-later

#include "bmd/winfo.hpp"

#include <memory>
#include <set>

#include <libxml/parser.h>
#include <libxml/xmlschemas.h>

#include "suites.hpp"
#include "tsv.hpp"

namespace {

using bmd::next_status;
using bmd::read_winfo;
using bmd::WatcherEntry;
using bmd::WatcherEvent;
using bmd::WatcherInfo;
using bmd::WatcherPolicy;
using bmd::WatcherStatus;
using bmd::write_winfo;

template <class T> T word(const std::string &text, int count)
{
	for(int i = 0; i < count; ++i)
		if(to_string(static_cast<T>(i)) == text)
			return static_cast<T>(i);
	CU_FAIL("an unknown word in the table");
	return T{};
}

WatcherPolicy policy_of(const std::string &text)
{
	return text == "accept"   ? WatcherPolicy::accept
		   : text == "reject" ? WatcherPolicy::reject
							  : WatcherPolicy::none;
}

void every_event_in_every_state_leads_where_rfc_3857_says()
{
	std::set<std::pair<std::string, std::string>> seen;
	for(const bmd_test::Row &row : bmd_test::read_tsv("winfo_cases.tsv")) {
		const auto status = next_status(word<WatcherStatus>(row.cells[0], 5),
				word<WatcherEvent>(row.cells[1], 8), policy_of(row.cells[2]));
		const std::string went = status ? std::string(to_string(*status)) : "-";
		BMD_EQUAL(row.cells[0] + " " + row.cells[1] + " " + went,
				row.cells[0] + " " + row.cells[1] + " " + row.cells[3]);
		seen.emplace(row.cells[0], row.cells[1]);
	}
	BMD_EQUAL(seen.size(), 5U * 8U);
}

WatcherInfo sample()
{
	WatcherInfo info;
	info.version = 7;
	info.full = false;
	info.lists.push_back({"sip:dev.A&B@x", {}});
	info.lists.back().watchers.push_back(
			{"a1", "sip:o'neil<\"&>@x", WatcherStatus::pending, WatcherEvent::subscribe, 12});
	info.lists.back().watchers.push_back(
			{"a2", "sip:eve@y", WatcherStatus::terminated, WatcherEvent::noresource, {}});
	info.lists.push_back({"sip:ann@x", {}});
	return info;
}

void a_document_comes_back_as_it_was_written()
{
	const auto read = read_winfo(write_winfo(sample()));
	CU_ASSERT(read.ok());
	if(!read)
		return;
	BMD_EQUAL(read->version, 7U);
	CU_ASSERT(!read->full);
	BMD_EQUAL(read->lists.size(), 2U);
	BMD_EQUAL(read->lists[0].resource, "sip:dev.A&B@x");
	BMD_EQUAL(read->lists[0].watchers.size(), 2U);
	const WatcherEntry &first = read->lists[0].watchers[0];
	BMD_EQUAL(first.uri, "sip:o'neil<\"&>@x");
	CU_ASSERT(first.status == WatcherStatus::pending && first.event == WatcherEvent::subscribe);
	BMD_EQUAL(first.subscribed.value_or(0), 12U);
	CU_ASSERT(!read->lists[0].watchers[1].subscribed);
	CU_ASSERT(read->lists[1].watchers.empty());
}

bool valid(const std::string &text)
{
	const std::string path = bmd_test::data_path("watcherinfo.xsd");
	const std::unique_ptr<xmlSchemaParserCtxt, void (*)(xmlSchemaParserCtxtPtr)> parser(
			xmlSchemaNewParserCtxt(path.c_str()), xmlSchemaFreeParserCtxt);
	const std::unique_ptr<xmlSchema, void (*)(xmlSchemaPtr)> schema(
			xmlSchemaParse(parser.get()), xmlSchemaFree);
	const std::unique_ptr<xmlDoc, void (*)(xmlDocPtr)> doc(
			xmlReadMemory(text.data(), static_cast<int>(text.size()), nullptr, nullptr,
					XML_PARSE_NOERROR | XML_PARSE_NOWARNING),
			xmlFreeDoc);
	CU_ASSERT(schema != nullptr);
	if(schema == nullptr || doc == nullptr)
		return false;
	const std::unique_ptr<xmlSchemaValidCtxt, void (*)(xmlSchemaValidCtxtPtr)> context(
			xmlSchemaNewValidCtxt(schema.get()), xmlSchemaFreeValidCtxt);
	xmlSchemaSetValidErrors(context.get(), nullptr, nullptr, nullptr);
	return xmlSchemaValidateDoc(context.get(), doc.get()) == 0;
}

void documents_are_valid_by_the_schema_of_rfc_3858()
{
	CU_ASSERT(valid(write_winfo(sample())));
	CU_ASSERT(valid(write_winfo({})));
	CU_ASSERT(valid(bmd::renumber_winfo(write_winfo(sample()), 4'000'000'000U)));
	std::string wrong = write_winfo(sample());
	wrong.replace(wrong.find("pending"), 7, "sitting");
	CU_ASSERT(!valid(wrong));
	WatcherInfo twice = sample();
	twice.lists[0].watchers[1].id = "a1";
	CU_ASSERT(!valid(write_winfo(twice)));
}

void a_version_is_written_over_whatever_stood_there()
{
	const std::string body = write_winfo(sample());
	for(const std::uint32_t version : {0U, 12U, 4'294'967'295U}) {
		const auto read = read_winfo(bmd::renumber_winfo(body, version));
		CU_ASSERT(read.ok() && read->version == version && read->lists.size() == 2);
	}
	BMD_EQUAL(bmd::renumber_winfo("nothing of the kind", 3), "nothing of the kind");
}

std::string around(const std::string &root, const std::string &inside = "")
{
	return "<watcherinfo xmlns=\"urn:ietf:params:xml:ns:watcherinfo\" " + root + ">" + inside
		   + "</watcherinfo>";
}

std::string listed(const std::string &watcher)
{
	return around("version=\"0\" state=\"full\"",
			"<watcher-list resource=\"sip:a@x\" package=\"bmd-alert\">" + watcher
					+ "</watcher-list>");
}

void what_is_no_document_is_refused_and_the_reason_says_why()
{
	const std::pair<std::string, std::string> wrong[] = {{"", "well-formed"}, {"<a/>", "root"},
			{around("state=\"full\""), "version"},
			{around("version=\"-1\" state=\"full\""), "version"},
			{around("version=\"1\" state=\"some\""), "state"},
			{around("version=\"1\" state=\"full\"", "<watcher-list package=\"bmd-alert\"/>"),
					"resource"},
			{listed("<watcher id=\"1\" status=\"active\" event=\"subscribe\"/>"), "URI"},
			{listed("<watcher status=\"active\" event=\"subscribe\">sip:b@x</watcher>"), "id"},
			{listed("<watcher id=\"1\" status=\"init\" event=\"subscribe\">sip:b@x</watcher>"),
					"status"},
			{listed("<watcher id=\"1\" status=\"active\" event=\"x\">sip:b@x</watcher>"), "event"},
			{listed("<watcher id=\"1\" status=\"active\" event=\"subscribe\" "
					"duration-subscribed=\"1s\">sip:b@x</watcher>"),
					"duration"},
			{"<!DOCTYPE a [<!ENTITY b \"c\">]>" + listed(""), "DTD"},
			{std::string(bmd::max_winfo_bytes + 1, ' '), "bytes"}};
	for(const auto &[text, why] : wrong) {
		const auto read = read_winfo(text);
		CU_ASSERT(!read.ok());
		if(!read)
			BMD_EQUAL(
					read.error().reason.find(why) != std::string::npos ? why : read.error().reason,
					why);
	}
}

void what_others_may_add_is_passed_over()
{
	const auto read = read_winfo(around("version=\"0\" state=\"full\"",
			"<watcher-list resource=\"sip:a@x\" package=\"presence\"/>"
			"<watcher-list resource=\"sip:a@x\" package=\"bmd-alert\">"
			"<watcher id=\"1\" status=\"active\" event=\"approved\" display-name=\"B\" "
			"expiration=\"9\"> sip:b@x </watcher><x xmlns=\"urn:x\"/></watcher-list>"
			"<y xmlns=\"urn:x\"/>"));
	CU_ASSERT(read.ok() && read->lists.size() == 1 && read->lists[0].watchers.size() == 1);
	if(read)
		BMD_EQUAL(read->lists[0].watchers[0].uri, "sip:b@x");
}

CU_TestInfo cases[] = {BMD_CASE(every_event_in_every_state_leads_where_rfc_3857_says),
		BMD_CASE(a_document_comes_back_as_it_was_written),
		BMD_CASE(documents_are_valid_by_the_schema_of_rfc_3858),
		BMD_CASE(a_version_is_written_over_whatever_stood_there),
		BMD_CASE(what_is_no_document_is_refused_and_the_reason_says_why),
		BMD_CASE(what_others_may_add_is_passed_over), CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo winfo_suite;
const CU_SuiteInfo winfo_suite = BMD_SUITE("winfo", cases);
