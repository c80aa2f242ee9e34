/// @file dmp_feed_test.cpp  Unit tests for bmd/dmp_feed.hpp.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "bmd/dmp_feed.hpp"

#include <limits>

#include "dmp_samples.hpp"
#include "suites.hpp"

namespace {

using namespace bmd::dmp;
using bmd_test::file_text;
using bmd_test::reason_of;
using bmd_test::replaced;
using bmd_test::sample_feed;

bmd::Result<Feed> read_text(const std::string &text)
{
	const auto document = parse(text);
	if(!document)
		return document.error();
	return read_feed(*document);
}

void every_field_of_an_alert_arrives()
{
	const Feed feed = sample_feed();
	const auto read = read_text(write_feed(feed));
	BMD_EQUAL(reason_of(read), "");
	CU_ASSERT(read && bmd_test::same_feed(*read, feed));
}

void the_fast_path_writes_what_the_document_writes()
{
	Feed feed = sample_feed();
	BMD_EQUAL(write_feed(feed), write(feed_document(feed)));
	feed.alerts[1].location.clear();
	feed.alerts[2].value = std::numeric_limits<double>::quiet_NaN();
	feed.alerts[0].limit = std::numeric_limits<double>::infinity();
	feed.more = 0;
	BMD_EQUAL(write_feed(feed), write(feed_document(feed)));
	feed.alerts.clear();
	BMD_EQUAL(write_feed(feed), write(feed_document(feed)));
}

void a_feed_written_by_hand_is_read()
{
	const auto feed = read_text(file_text("dmp/feed.xml"));
	BMD_EQUAL(reason_of(feed), "");
	if(!feed)
		return;
	BMD_EQUAL(feed->feed, "sip:tech1@home.example");
	BMD_EQUAL(feed->version, 42U);
	BMD_EQUAL(feed->full, false);
	BMD_EQUAL(feed->more, 3U);
	BMD_EQUAL(bmd::format_time(feed->at), "2026-11-21T03:00:00.500000Z");
	BMD_EQUAL(feed->alerts.size(), 2U);
	if(feed->alerts.size() != 2)
		return;
	const bmd::AlertView &low = feed->alerts[0];
	BMD_EQUAL(low.serial + '|' + low.metric + '|' + low.unit + '|' + low.device_type,
			"OX-1|SpO2|%|Nonin 8500");
	BMD_EQUAL(low.patient_name + '|' + low.patient_address + '|' + low.location,
			" Zo\xC3\xAB & Co |1 <Main> St\nTown|2nd floor");
	BMD_EQUAL(low.value.value_or(0), 81.5);
	CU_ASSERT(low.condition == bmd::Condition::low && low.state == bmd::AlertState::latched);
	CU_ASSERT(!feed->alerts[1].value && !feed->alerts[1].limit);
	CU_ASSERT(feed->alerts[1].condition == bmd::Condition::device);
}

void an_empty_full_feed_is_a_response_without_device()
{
	const Feed feed{"sip:tech1@home.example", 1, true, 1'795'230'000'000'000, 0, {}, {}};
	const std::string text = write_feed(feed);
	CU_ASSERT(text.find("Device") == std::string::npos);
	const auto read = read_text(text);
	CU_ASSERT(read && bmd_test::same_feed(*read, feed));
}

void a_value_that_is_no_number_is_written_as_absent()
{
	Feed feed = sample_feed();
	feed.alerts[0].value = std::numeric_limits<double>::quiet_NaN();
	feed.alerts[0].limit = -std::numeric_limits<double>::infinity();
	const auto read = read_text(write_feed(feed));
	BMD_EQUAL(reason_of(read), "");
	CU_ASSERT(read && !read->alerts[0].value && !read->alerts[0].limit);
}

void the_version_can_be_patched_in_place()
{
	Feed feed = sample_feed();
	feed.feed = " bmd:version=\"0000000001\" >";
	for(const std::uint32_t version : {0U, 1U, 4'294'967'295U}) {
		std::string text = write_feed(feed);
		const std::size_t at = version_offset(text);
		CU_ASSERT(at != std::string::npos);
		if(at == std::string::npos)
			return;
		BMD_EQUAL(text.substr(at, version_digits), "0000000007");
		set_version(&text[at], version);
		const auto read = read_text(text);
		CU_ASSERT(read && read->version == version);
	}
}

void a_body_without_a_ten_digit_version_has_no_offset()
{
	for(const char *body : {"", "<DMPResponse/>", "bmd:version=\"0000000001\"",
				"<DMPResponse bmd:version=\"1\">", "<DMPResponse bmd:version=\"000000000x\">",
				"<DMPResponse bmd:version=\"00000000012\">",
				"<DMPResponse bmd:version=\"0000000001",
				"<DMPResponse> bmd:version=\"0000000001\"</DMPResponse>"})
		CU_ASSERT(version_offset(body) == std::string_view::npos);
}

void what_is_no_feed_is_refused()
{
	const std::string good = file_text("dmp/feed.xml");
	const std::pair<const char *, const char *> changes[] = {
			{" bmd:feed=\"sip:tech1@home.example\"", ""}, {" bmd:version=\"0000000042\"", ""},
			{" bmd:state=\"partial\"", ""}, {" bmd:at=\"2026-11-21T03:00:00.500000Z\"", ""},
			{"<Event>low</Event>", ""},
			{"<Event>low</Event>", "<Event>low</Event><Event>high</Event>"},
			{"<Event>low</Event>", "<Event>cold</Event>"},
			{"<Value>81.5</Value>", "<Value>cold</Value>"},
			{"<Value>81.5</Value>", "<Value>nan</Value>"},
			{"<Value>81.5</Value>", "<Value>81.5</Value><Value>2</Value>"},
			{"<Event>low</Event>", "<Event>low</Event><Variable>x</Variable><Value/>"},
			{"<Notify>", "<QueryResponse><Variable>v</Variable><Value/></QueryResponse><Notify>"},
			{"<Notify>",
					"<Notify><Variable>v</Variable><Value/><Event>low</Event></Notify><Notify>"}};
	for(const auto &[from, to] : changes) {
		const std::string changed = replaced(good, from, to);
		CU_ASSERT(parse(changed).ok());
		BMD_EQUAL(std::string(to) + (read_text(changed) ? " read" : " refused"),
				std::string(to) + " refused");
	}
	Document action;
	action.root = Root::action;
	CU_ASSERT(!read_feed(action));
}

CU_TestInfo cases[] = {BMD_CASE(every_field_of_an_alert_arrives),
		BMD_CASE(the_fast_path_writes_what_the_document_writes),
		BMD_CASE(a_feed_written_by_hand_is_read),
		BMD_CASE(an_empty_full_feed_is_a_response_without_device),
		BMD_CASE(a_value_that_is_no_number_is_written_as_absent),
		BMD_CASE(the_version_can_be_patched_in_place),
		BMD_CASE(a_body_without_a_ten_digit_version_has_no_offset),
		BMD_CASE(what_is_no_feed_is_refused), CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo dmp_feed_suite;
const CU_SuiteInfo dmp_feed_suite = BMD_SUITE("dmp_feed", cases);
