/// @file digest_test.cpp  Unit tests of the arithmetic of digests, by the example of RFC
/// 7616, 3.9.1. SPDX-License-Identifier: GPL-2.0-or-later

#include "digest.hpp"

#include "suites.hpp"

namespace {

using bmd::watch::Algorithm;
using bmd::watch::algorithm_named;
using bmd::watch::digest_response;
using bmd::watch::DigestTerms;
using bmd::watch::nonce_count;

DigestTerms mufasa(Algorithm algorithm)
{
	return {algorithm, "Mufasa", "http-auth@example.org", "Circle of Life",
			"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
			"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", 1, "/dir/index.html"};
}

void responses_are_those_of_the_example()
{
	CU_ASSERT(digest_response(mufasa(Algorithm::sha256), "GET")
			  == "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1");
	CU_ASSERT(digest_response(mufasa(Algorithm::md5), "GET") == "8ca523f5e9506fed4657c9700eebdbec");
	CU_ASSERT(digest_response(mufasa(Algorithm::none), "GET").empty());
}

void every_term_changes_the_response()
{
	const DigestTerms right = mufasa(Algorithm::sha256);
	const std::string response = digest_response(right, "GET");
	for(std::string DigestTerms::*term :
			{&DigestTerms::user, &DigestTerms::realm, &DigestTerms::password, &DigestTerms::nonce,
					&DigestTerms::cnonce, &DigestTerms::uri}) {
		DigestTerms other = right;
		other.*term += "x";
		CU_ASSERT(digest_response(other, "GET") != response);
	}
	DigestTerms later = right;
	later.count = 2;
	CU_ASSERT(digest_response(later, "GET") != response);
	CU_ASSERT(digest_response(right, "PUT") != response);
	CU_ASSERT(digest_response(right, "") != response);
}

void algorithms_are_named_without_regard_to_case()
{
	CU_ASSERT(algorithm_named("SHA-256") == Algorithm::sha256);
	CU_ASSERT(algorithm_named("sha-256") == Algorithm::sha256);
	CU_ASSERT(algorithm_named("md5") == Algorithm::md5);
	CU_ASSERT(algorithm_named("") == Algorithm::md5);
	for(const char *other : {"SHA-512-256", "SHA-25", "MD5-sess", "SHA-256-sess", "M"})
		CU_ASSERT(algorithm_named(other) == Algorithm::none);
}

void a_nonce_count_has_eight_digits()
{
	CU_ASSERT(nonce_count(1) == "00000001");
	CU_ASSERT(nonce_count(0xC0FFEE) == "00c0ffee");
}

CU_TestInfo cases[] = {BMD_CASE(responses_are_those_of_the_example),
		BMD_CASE(every_term_changes_the_response),
		BMD_CASE(algorithms_are_named_without_regard_to_case),
		BMD_CASE(a_nonce_count_has_eight_digits), CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo digest_suite;
const CU_SuiteInfo digest_suite = BMD_SUITE("digest", cases);
