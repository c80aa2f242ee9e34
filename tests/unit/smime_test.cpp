/// @file smime_test.cpp  Unit tests for modules/smime/smime_core.h: files and recipients.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "smime/smime_core.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "authority.hpp"
#include "cms/body.hpp"
#include "suites.hpp"

namespace {

using bmd_test::Authority;

// Files of a server in a folder of their own.
class Folder
{
public:
	Folder()
	{
		std::string name = "/tmp/bmd-smime.XXXXXX";
		path_ = mkdtemp(name.data());
		for(std::string *file : {&certificate, &key, &ca, &crl})
			*file = path_ / std::to_string(reinterpret_cast<std::uintptr_t>(file));
		settings = {certificate.c_str(), key.c_str(), ca.c_str(), "", 0};
	}
	Folder(const Folder &) = delete;
	Folder &operator=(const Folder &) = delete;
	~Folder() { std::filesystem::remove_all(path_); }

	void put(const bmd_test::Person &person, const std::string &authority) const
	{
		write(certificate, person.certificate);
		write(key, person.key);
		write(ca, authority);
	}
	// Another file of the same name, as tools that renew certificates make it.
	static void write(const std::string &file, const std::string &text)
	{
		std::ofstream(file + ".new") << text;
		std::filesystem::rename(file + ".new", file);
	}

	std::string certificate, key, ca, crl;
	smime_settings settings{};

private:
	std::filesystem::path path_;
};

std::string check(const Folder &folder)
{
	char reason[512] = "";
	return smime_core_check(&folder.settings, reason, sizeof reason) == 0 ? "" : reason;
}

void a_file_that_cannot_be_used_is_named_with_its_reason()
{
	Authority authority;
	Folder folder;
	const auto person = authority.issue({});
	BMD_EQUAL(check(folder), folder.certificate + " cannot be read: No such file or directory");
	folder.put(person, authority.certificate());
	BMD_EQUAL(check(folder), "");
	folder.put({person.certificate, authority.issue({}).key}, authority.certificate());
	BMD_EQUAL(check(folder), folder.key + ": it is not the key of the certificate");
	folder.put(person, "nonsense");
	BMD_EQUAL(check(folder), folder.ca + ": there is no certificate in PEM form");
	folder.put(person, "");
	BMD_EQUAL(check(folder), folder.ca + " cannot be read: it is empty");
}

constexpr smime_settings no_peers = {"", "", "", "", 0};

std::string complaint;

void complain(const char *reason)
{
	complaint = reason;
}

smime_text text(const std::string &from)
{
	return {from.data(), from.size()};
}

// Whose signature is made now.
std::string signer(const Authority &authority, const bmd_test::Person &reader)
{
	static const std::string name = "Call-ID", value = "1", type = "a/b", body = "text";
	const smime_header header{text(name), text(value)};
	const smime_request request{&header, 1, text(type), {}, text(body)};
	smime_outcome outcome = {};
	smime_core_sign(&request, &outcome);
	if(outcome.done == 0)
		return outcome.reason;
	const auto good = smime::verify_body(*authority.ring(reader), {{"Call-ID", "1"}},
			{std::string(outcome.type.s, outcome.type.len),
					std::string(outcome.body.s, outcome.body.len), ""},
			"sip:bmd.example");
	return good ? good->signer.subject : good.error().reason;
}

void files_that_change_are_followed_and_bad_ones_are_not()
{
	Authority authority;
	static Folder folder;
	const auto first = authority.issue({}), second = authority.issue({}),
			   third = authority.issue({});
	folder.put(first, authority.certificate());
	smime_core_init(&folder.settings, &no_peers);
	BMD_EQUAL(signer(authority, first), "the certificates of this server could not be read");
	smime_core_follow(0, complain);
	BMD_EQUAL(signer(authority, first), "CN=number 2");
	folder.put(second, authority.certificate());
	smime_core_follow(1, complain);
	BMD_EQUAL(signer(authority, first), "CN=number 3");
	BMD_EQUAL(complaint, "");
	Folder::write(folder.key, "nonsense");
	smime_core_follow(2, complain);
	BMD_EQUAL(complaint.starts_with(folder.key + ": there is no private key"), true);
	BMD_EQUAL(signer(authority, first), "CN=number 3");
	folder.put(third, authority.certificate());
	smime_core_follow(3, complain);
	BMD_EQUAL(signer(authority, first), "CN=number 4");
}

std::string usable(const std::string &pem)
{
	smime_outcome outcome = {};
	smime_core_usable(text(pem), &outcome);
	return outcome.done != 0 ? "" : outcome.reason;
}

void whom_nothing_can_be_encrypted_for_is_said_with_the_reason()
{
	Authority authority, stranger("another authority");
	static Folder folder;
	folder.put(authority.issue({}), authority.certificate());
	smime_core_init(&folder.settings, &no_peers);
	smime_core_follow(10, complain);
	const auto good = authority.issue({}).certificate;
	for(int i = 0; i < 3; ++i)
		BMD_EQUAL(usable(good), "");
	BMD_EQUAL(usable(""), "there is no certificate");
	BMD_EQUAL(usable("nonsense"), "there is no certificate in PEM form");
	BMD_EQUAL(usable(std::string(20'000, ' ')), "the certificate is too long");
	const auto late = authority.issue({.from = -7200, .until = -60}).certificate;
	for(int i = 0; i < 3; ++i)
		BMD_EQUAL(usable(late), "the certificate has expired");
	BMD_EQUAL(usable(stranger.issue({}).certificate).starts_with("the certificate is not trusted"),
			true);
	// what was found out with the old authorities counts no more
	folder.put(stranger.issue({}), stranger.certificate());
	smime_core_follow(11, complain);
	BMD_EQUAL(usable(good).starts_with("the certificate is not trusted"), true);
}

std::string peer(const std::string &pem)
{
	smime_outcome outcome = {};
	smime_core_peer(text(pem), &outcome);
	return outcome.done != 0 ? "" : outcome.reason;
}

void who_came_in_by_a_certificate_is_judged_by_the_lists_as_they_are_now()
{
	Authority authority;
	static Folder folder;
	static smime_settings peers = {"", "", folder.ca.c_str(), folder.crl.c_str(), 0};
	const auto person = authority.issue({.extended = "clientAuth"});
	folder.put(person, authority.certificate());
	Folder::write(folder.crl, authority.revoke(""));
	smime_core_init(&no_peers, &peers);
	smime_core_follow(20, complain);
	BMD_EQUAL(peer(person.certificate), "");
	BMD_EQUAL(peer(""), "there is no certificate");
	Folder::write(folder.crl, authority.revoke(person.certificate));
	smime_core_follow(21, complain);
	BMD_EQUAL(peer(person.certificate), "the certificate is not trusted: certificate revoked");
	Folder::write(folder.crl, "half a lis");
	smime_core_follow(22, complain);
	BMD_EQUAL(peer(person.certificate), "the certificate is not trusted: certificate revoked");
}

CU_TestInfo cases[] = {BMD_CASE(a_file_that_cannot_be_used_is_named_with_its_reason),
		BMD_CASE(files_that_change_are_followed_and_bad_ones_are_not),
		BMD_CASE(whom_nothing_can_be_encrypted_for_is_said_with_the_reason),
		BMD_CASE(who_came_in_by_a_certificate_is_judged_by_the_lists_as_they_are_now),
		CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo smime_suite;
const CU_SuiteInfo smime_suite = BMD_SUITE("smime", cases);
