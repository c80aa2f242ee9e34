/// @file invite_test.cpp  Unit tests for bmd/invite.hpp.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "bmd/invite.hpp"

#include <string>

#include "bmd/words.hpp"
#include "suites.hpp"

namespace {

using namespace std::string_literals;

const bmd::SdpHost host{"192.0.2.10", false, "77"};

const std::string head = "v=0\r\no=alert 77 77 IN IP4 192.0.2.10\r\ns=alert\r\n"
						 "c=IN IP4 192.0.2.10\r\nt=0 0\r\n";

void priorities_are_those_of_the_header()
{
	BMD_EQUAL(bmd::sip_priority(bmd::Priority::high), "emergency");
	BMD_EQUAL(bmd::sip_priority(bmd::Priority::medium), "urgent");
	BMD_EQUAL(bmd::sip_priority(bmd::Priority::low), "normal");
}

void a_header_line_cannot_be_broken_out_of()
{
	BMD_EQUAL(bmd::header_line("SpO2\r\nContact: <sip:evil>", 99), "SpO2 Contact: <sip:evil>");
	BMD_EQUAL(bmd::header_line("\r\n \t a\0b\177\302\205c  \r"s, 99), "a b c");
	BMD_EQUAL(bmd::header_line("M\374ller \303", 99), "M ller");
	BMD_EQUAL(bmd::header_line("", 99), "");
}

void a_header_line_ends_between_characters()
{
	const std::string text = "\303\274\345\244\234\360\237\221\215";
	const std::size_t whole[] = {0, 0, 2, 2, 2, 5, 5, 5, 5, 9, 9};
	for(std::size_t most = 0; most <= 10; ++most)
		BMD_EQUAL(bmd::header_line(text, most).size(), whole[most]);
}

void a_quoted_string_is_closed_whatever_it_holds()
{
	BMD_EQUAL(bmd::quoted_string("a\"b\\c", 99), "\"a\\\"b\\\\c\"");
	BMD_EQUAL(bmd::quoted_string("ab\"", 3), "\"ab\"");
	BMD_EQUAL(bmd::quoted_string("ab\\\"", 4), "\"ab\\\\\"");
	BMD_EQUAL(bmd::quoted_string("\"\r\n", 9), "\"\\\"\"");
}

void the_offer_is_audio_that_nobody_sends()
{
	BMD_EQUAL(bmd::sdp_offer(host),
			head
					+ "m=audio 9 RTP/AVP 0 8\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
					  "a=inactive\r\n");
	CU_ASSERT(bmd::sdp_offer({"2001:db8::1", true, "1"}).find("c=IN IP6 2001:db8::1\r\n")
			  != std::string::npos);
}

void an_offer_of_the_terminal_is_answered_stream_by_stream()
{
	const auto answer =
			bmd::sdp_answer("v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\n"
							"t=0 0\r\nm=video 5000 RTP/AVP 99\r\nm=audio 4000 RTP/AVP 96 8 0\r\n"
							"a=sendonly\r\nm=audio 4002 RTP/AVP 0\r\n",
					host);
	CU_ASSERT(answer.ok());
	if(answer)
		BMD_EQUAL(answer.value(), head
										  + "m=video 0 RTP/AVP 99\r\nm=audio 9 RTP/AVP 8\r\n"
											"a=inactive\r\nm=audio 0 RTP/AVP 0\r\n");
	CU_ASSERT(bmd::sdp_answer("v=0\nm=audio 4000 RTP/AVP 111\n", host).ok());
}

void what_is_no_offer_is_refused()
{
	for(const std::string &offer : {""s, "hello"s, "v=0\r\n"s, "v=0\r\nm=audio 4000 RTP/AVP\r\n"s,
				"v=0\r\nm=audio 0 RTP/AVP 0\r\n"s, "v=0\r\nm=audio 4000 RTP/SAVP 0\r\n"s,
				"v=0\r\nm=audio 4000 RTP/AVP 0\0x\r\n"s})
		CU_ASSERT(!bmd::sdp_answer(offer, host).ok());
	std::string many = "v=0\r\n";
	for(int i = 0; i < 17; ++i)
		many += "m=audio 4000 RTP/AVP 0\r\n";
	CU_ASSERT(!bmd::sdp_answer(many, host).ok());
}

void the_body_holds_the_offer_and_the_text()
{
	BMD_EQUAL(bmd::multipart("v=0\r\n", "HIGH \303\274", "b1"),
			"--b1\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n\r\n--b1\r\n"
			"Content-Disposition: render;handling=optional\r\n"
			"Content-Type: text/plain;charset=utf-8\r\n\r\nHIGH \303\274\r\n--b1--\r\n");
}

CU_TestInfo cases[] = {BMD_CASE(priorities_are_those_of_the_header),
		BMD_CASE(a_header_line_cannot_be_broken_out_of),
		BMD_CASE(a_header_line_ends_between_characters),
		BMD_CASE(a_quoted_string_is_closed_whatever_it_holds),
		BMD_CASE(the_offer_is_audio_that_nobody_sends),
		BMD_CASE(an_offer_of_the_terminal_is_answered_stream_by_stream),
		BMD_CASE(what_is_no_offer_is_refused), BMD_CASE(the_body_holds_the_offer_and_the_text),
		CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo invite_suite;
const CU_SuiteInfo invite_suite = BMD_SUITE("invite", cases);
