/// @file mime_test.cpp  Unit tests for cms/mime.hpp and cms/headers.hpp.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "cms/mime.hpp"

#include "cms/headers.hpp"
#include "suites.hpp"

namespace {

using smime::Headers;

void a_content_type_is_read_with_its_parameters()
{
	const auto type = smime::parse_content_type(
			"Multipart/Signed ; protocol=\"application/pkcs7-signature\";\r\n micalg = sha-256; "
			"BOUNDARY=\"a \\\"b\"; flag");
	BMD_EQUAL(type.type, "multipart/signed");
	BMD_EQUAL(type.parameter("protocol"), "application/pkcs7-signature");
	BMD_EQUAL(type.parameter("micalg"), "sha-256");
	BMD_EQUAL(type.parameter("boundary"), "a \"b");
	BMD_EQUAL(type.parameter("charset"), "");
	CU_ASSERT(type.parameters.contains("flag"));
}

void an_entity_is_divided_at_its_empty_line()
{
	const auto entity = smime::parse_entity("Content-Type: a/b\r\n folded\r\n\r\n\r\nbody\r\n");
	CU_ASSERT(entity.ok());
	BMD_EQUAL(entity->body, "\r\nbody\r\n");
	BMD_EQUAL(smime::header_value(entity->head, "content-type"), "a/b folded");
	const auto unix_ends = smime::parse_entity("Content-Type: a/b\n\nbody\n");
	CU_ASSERT(unix_ends.ok());
	BMD_EQUAL(unix_ends->body, "body\n");
	CU_ASSERT(!smime::parse_entity("<DMPAction/>").ok());
	CU_ASSERT(!smime::parse_entity(" folded: at once\r\n\r\n").ok());
}

void a_signed_body_has_two_parts_and_the_first_one_byte_by_byte()
{
	const std::string good =
			"nobody reads this\r\n--b\r\nContent-Type: a/b\r\n\r\n one \r\n\r\n--b\r\n"
			"Content-Type: application/pkcs7-signature\r\n\r\nsignature\r\n--b--\r\n";
	const auto parts = smime::split_signed(good, "b");
	CU_ASSERT(parts.ok());
	BMD_EQUAL(parts->content, "Content-Type: a/b\r\n\r\n one \r\n");
	BMD_EQUAL(parts->signature.body, "signature");
	CU_ASSERT(!smime::split_signed(good, "c").ok());
	CU_ASSERT(!smime::split_signed(good, "").ok());
	CU_ASSERT(!smime::split_signed(good.substr(0, good.size() - 4), "b").ok());
	std::string three = good;
	three.insert(three.size() - 4, "\r\nContent-Type: x/y\r\n\r\nthird\r\n--b");
	CU_ASSERT(!smime::split_signed(three, "b").ok());
}

void base64_is_written_and_read()
{
	std::string bytes;
	for(int length = 0; length < 200; ++length) {
		const auto read = smime::from_base64(smime::to_base64(bytes));
		CU_ASSERT(read.ok() && *read == bytes);
		bytes += static_cast<char>(length * 37);
	}
	BMD_EQUAL(smime::to_base64("any carnal pleas"), "YW55IGNhcm5hbCBwbGVhcw==\r\n");
	CU_ASSERT(!smime::from_base64("YW!5").ok());
	CU_ASSERT(!smime::from_base64("YW==YW").ok());
	CU_ASSERT(!smime::der_of("").ok());
	CU_ASSERT(!smime::der_of("YW55").ok());
}

void a_boundary_is_in_no_content()
{
	const std::string content = "text";
	const std::string boundary = smime::boundary_for(content);
	CU_ASSERT(smime::boundary_for(content + boundary).find(boundary) == std::string::npos);
}

const Headers request{{"From", "<sip:carol@bmd.example>   ;tag=1"}, {"To", "\"a b\" <sip:x@y>"},
		{"Call-ID", "7@z"}, {"CSeq", "4 NOTIFY"}, {"Contact", "<sip:1.2.3.4:5060>"},
		{"Event", "bmd-alert"}, {"Subscription-State", "active;expires=10"}};

Headers with(const std::string &name, const std::string &value)
{
	Headers changed = request;
	for(auto &header : changed)
		if(header.name == name)
			header.value = value;
	return changed;
}

void headers_are_compared_without_white_space_outside_of_quotes()
{
	const Headers signed_headers = smime::from_lines(smime::to_lines(request));
	BMD_EQUAL(smime::difference(signed_headers, request), "");
	BMD_EQUAL(smime::difference(signed_headers, with("From", "<sip:carol@bmd.example>;tag=1")), "");
	BMD_EQUAL(smime::difference(signed_headers, with("CSeq", "4\r\n\tNOTIFY")), "");
	BMD_EQUAL(smime::difference(signed_headers, with("To", "\"ab\" <sip:x@y>")),
			"the header To was changed");
}

void white_space_within_a_word_makes_two_of_it()
{
	const auto of = [](const std::string &name, const std::string &value) {
		return Headers{{name, value}};
	};
	for(const char *value : {"360 0", "3600 0", "36\t00", "3 6 0 0", "36\r\n 00"})
		BMD_EQUAL(smime::difference(of("Expires", "3600"), of("Expires", value)),
				"the header Expires was changed");
	BMD_EQUAL(smime::difference(of("Expires", "3600"), of("Expires", " 3600\r\n ")), "");
	BMD_EQUAL(smime::difference(of("CSeq", "12 NOTIFY"), of("CSeq", "1 2NOTIFY")),
			"the header CSeq was changed");
	BMD_EQUAL(smime::difference(of("Event", "bmd-alert;id=1"), of("Event", "bmd-alert ; id = 1")),
			"");
}

void a_header_without_a_value_counts()
{
	Headers more = request;
	more.insert(more.begin(), {"Event", ""});
	BMD_EQUAL(smime::difference(request, more), "the header Event was changed");
	more.front().name = "Expires";
	BMD_EQUAL(
			smime::difference(request, more), "the header Expires is not covered by the signature");
	BMD_EQUAL(smime::difference(more, more), "");
}

void every_covered_header_that_differs_is_named()
{
	for(const auto &header : request) {
		BMD_EQUAL(smime::difference(request, with(header.name, header.value + "0")),
				"the header " + header.name + " was changed");
		Headers fewer;
		for(const auto &other : request)
			if(other.name != header.name)
				fewer.push_back(other);
		BMD_EQUAL(smime::difference(request, fewer), "the header " + header.name + " was removed");
		BMD_EQUAL(smime::difference(fewer, request),
				"the header " + header.name + " is not covered by the signature");
		Headers twice = request;
		twice.push_back(header);
		BMD_EQUAL(smime::difference(request, twice), "the header " + header.name + " was changed");
	}
}

void a_proxy_may_take_routes_from_the_front_and_no_more()
{
	Headers sent = request, middle = request, end = request, other = request;
	sent.push_back({"Route", "<sip:a;lr>, <sip:b;lr>"});
	middle.push_back({"Route", "<sip:b;lr>"});
	other.push_back({"Route", "<sip:a;lr>"});
	BMD_EQUAL(smime::difference(sent, sent), "");
	BMD_EQUAL(smime::difference(sent, middle), "");
	BMD_EQUAL(smime::difference(sent, end), "");
	BMD_EQUAL(smime::difference(sent, other), "the header Route was changed");
	BMD_EQUAL(
			smime::difference(request, other), "the header Route is not covered by the signature");
}

void compact_names_and_a_start_line_are_understood()
{
	const auto headers = smime::from_lines(
			"NOTIFY sip:x SIP/2.0\r\nVia: SIP/2.0/UDP z\r\ni: 7\r\nf: <sip:a>;\r\n tag=2\r\nm: "
			"<sip:c>\r\n"
			"o: bmd-alert\r\nt: <sip:b>\r\nX-From: nobody\r\n folded: no header\r\n");
	CU_ASSERT(headers.size() == 5);
	BMD_EQUAL(smime::to_lines(headers), "Call-ID: 7\r\nFrom: <sip:a>; tag=2\r\nContact: "
										"<sip:c>\r\nEvent: bmd-alert\r\nTo: <sip:b>\r\n");
}

CU_TestInfo cases[] = {BMD_CASE(a_content_type_is_read_with_its_parameters),
		BMD_CASE(an_entity_is_divided_at_its_empty_line),
		BMD_CASE(a_signed_body_has_two_parts_and_the_first_one_byte_by_byte),
		BMD_CASE(base64_is_written_and_read), BMD_CASE(a_boundary_is_in_no_content),
		BMD_CASE(headers_are_compared_without_white_space_outside_of_quotes),
		BMD_CASE(white_space_within_a_word_makes_two_of_it),
		BMD_CASE(a_header_without_a_value_counts),
		BMD_CASE(every_covered_header_that_differs_is_named),
		BMD_CASE(a_proxy_may_take_routes_from_the_front_and_no_more),
		BMD_CASE(compact_names_and_a_start_line_are_understood), CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo mime_suite;
const CU_SuiteInfo mime_suite = BMD_SUITE("mime", cases);
