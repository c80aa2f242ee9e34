/// @file collector_test.cpp  Unit tests for the collector's configuration and its JSON-RPC.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "config.hpp"
#include "rpc.hpp"
#include "suites.hpp"

namespace {

using Verdict = bmd::Reply::Verdict;

const std::string good =
		"[server]\nurl = \"https://a.example/RPC\"\ncollector = \"home1\"\n"
		"[spool]\npath = \"spool.db\"\n"
		"[[port]]\ndevice = \"/dev/ttyUSB0\"\ndriver = \"pb840\"\nserial = \"V1\"\n";

struct Loaded
{
	bmd::Config config;
	std::vector<std::string> mistakes;
};

Loaded load(const std::string &text)
{
	std::string path = "/tmp/bmd-config-XXXXXX";
	::close(mkstemp(path.data()));
	std::ofstream(path) << text;
	Loaded loaded;
	loaded.config = bmd::load_config(path, loaded.mistakes);
	for(auto &mistake : loaded.mistakes)
		mistake.erase(0, path.size());
	::unlink(path.c_str());
	return loaded;
}

/// `good` with one line replaced gives exactly one mistake, at that line, that says `what`.
void check_mistake(
		const std::string &from, const std::string &to, int line, const std::string &what)
{
	std::string text = good;
	text.replace(text.find(from), from.size(), to);
	const auto mistakes = load(text).mistakes;
	BMD_EQUAL(mistakes.size(), 1U);
	if(mistakes.size() == 1) {
		CU_ASSERT(mistakes[0].starts_with(":" + std::to_string(line) + ": "));
		CU_ASSERT(mistakes[0].find(what) != std::string::npos);
	}
}

void good_file_has_its_defaults()
{
	const auto [config, mistakes] = load(good);
	CU_ASSERT(mistakes.empty());
	CU_ASSERT(config.ports.size() == 1 && config.ports[0].baud == 9600);
	CU_ASSERT(config.ports[0].options.poll_interval == 2 * bmd::second_us);
	CU_ASSERT(config.spool.size_mb == 256 && config.server.timeout_seconds == 10);
}

void every_mistake_names_its_line()
{
	check_mistake("collector = \"home1\"", "collector = \"home 1\"", 3, "server.collector");
	check_mistake("collector = \"home1\"", "colector = \"home1\"\ncollector = \"h\"", 3, "unknown");
	check_mistake("\"https://a.example/RPC\"", "\"ftp://a\"", 2, "https://");
	check_mistake("\"https://a.example/RPC\"", "\"http://a.example/RPC\"", 2, "in clear");
	check_mistake("\"https://a.example/RPC\"", "\"http://127.evil.example/\"", 2, "in clear");
	check_mistake("\"https://a.example/RPC\"", "\"http://localhost.evil.example/\"", 2, "in clear");
	check_mistake("\"https://a.example/RPC\"", "7", 2, "must be a text");
	check_mistake("driver = \"pb840\"", "driver = \"pb841\"", 8, "there are: nonin, pb840");
	check_mistake("serial = \"V1\"", "serial = \"V1\"\nbaud = 9601", 10, "usual rate");
	check_mistake("serial = \"V1\"", "serial = \"V1\"\nbaud = \"9600\"", 10, "usual rate");
	check_mistake("serial = \"V1\"", "serial = \"V1\"\npoll_seconds = nan", 10, "from 0.1 to 3600");
	check_mistake("[spool]", "[spool", 4, "expected ']'");
	check_mistake("path = \"spool.db\"", "", 4, "spool.path is missing");
}

void clear_text_is_allowed_on_this_machine_and_when_asked_for()
{
	for(const char *url :
			{"http://127.0.0.1:8080/RPC", "http://localhost/RPC", "http://[::1]:80/RPC",
					"http://a.example/RPC\"\nallow_clear = true\nca = \"/dev/null"}) {
		std::string text = good;
		text.replace(text.find("https://a.example/RPC"), 21, url);
		CU_ASSERT(load(text).mistakes.empty());
	}
}

void two_ports_do_not_share_a_device_or_serial()
{
	const std::string port = good.substr(good.find("[[port]]"));
	CU_ASSERT(load(good + port).mistakes.size() == 2);
}

void request_has_four_strings()
{
	const auto request = nlohmann::json::parse(
			bmd::make_request("home1", 1'763'690'000'000'000, 7, 7, "OX-1 SpO2=97\n"));
	CU_ASSERT(request["method"] == "bmd.report" && request["jsonrpc"] == "2.0");
	const std::vector<std::string> expected{"home1", "1763690000000000", "7", "OX-1 SpO2=97\n"};
	CU_ASSERT(request["params"].get<std::vector<std::string>>() == expected);
	const auto gap = nlohmann::json::parse(bmd::make_request("home1", 9, 4, 7, "OX-1 SpO2=97\n"));
	CU_ASSERT(gap["params"][3] == "!absent 4\nOX-1 SpO2=97\n" && gap["params"][2] == "7");
}

void replies_are_read()
{
	const auto reply = bmd::read_reply(200, R"({"jsonrpc":"2.0","id":1,"result":
		{"accepted":2,"refused":["a: b","c: d"],"durable":"9007199254740993","duplicate":1}})");
	CU_ASSERT(reply.verdict == Verdict::accepted && reply.accepted == 2 && reply.refused == 2);
	CU_ASSERT(reply.duplicate && reply.durable == 9007199254740993U);
	const auto plain = bmd::read_reply(200, R"({"result":{"accepted":"0","durable":0}})");
	CU_ASSERT(plain.verdict == Verdict::accepted && !plain.duplicate && plain.durable == 0);
}

void a_result_beside_an_error_status_takes_nothing()
{
	for(const long status : {0L, 302L, 400L, 500L, 503L}) {
		const auto reply = bmd::read_reply(status, R"({"result":{"accepted":2,"durable":"7"}})");
		CU_ASSERT(reply.verdict == Verdict::failed && !reply.has_durable);
	}
}

void faults_say_what_to_do()
{
	const auto verdict = [](int code) {
		const auto body = R"({"error":{"code":)" + std::to_string(code) + R"(,"message":"m"}})";
		return bmd::read_reply(500, body).verdict;
	};
	CU_ASSERT(verdict(400) == Verdict::refused);
	CU_ASSERT(verdict(503) == Verdict::busy);
	CU_ASSERT(verdict(409) == Verdict::outdated);
	CU_ASSERT(verdict(412) == Verdict::expects);
	CU_ASSERT(verdict(500) == Verdict::failed);
	CU_ASSERT(verdict(-32601) == Verdict::failed);
}

void faults_say_where_to_go_on()
{
	const auto fault = [](const std::string &code, const std::string &message) {
		return bmd::read_reply(
				200, R"({"error":{"code":)" + code + R"(,"message":")" + message + R"("}})");
	};
	const auto busy = fault("503", "busy: expected=9 nothing; expected=4 judged=7 durable=2");
	CU_ASSERT(busy.expected == 4 && busy.judged == 7 && busy.has_durable && busy.durable == 2);
	const auto old = fault("409", "epoch 3 is older; known=9223372036854775807 clock=12");
	CU_ASSERT(old.known_epoch == 9223372036854775807U && old.server_clock == 12);
	for(const char *text :
			{"", "busy", "expected=4", " expected=", " expected=x", " expected=-3"}) {
		const auto silent = fault("503", text);
		CU_ASSERT(silent.expected == 0 && silent.judged == 0 && !silent.has_durable);
	}
}

void nonsense_is_a_failure_and_never_accepted()
{
	for(const char *body : {"", "<html>", "[]", "null", "{}", R"({"result":7})", R"({"result":{}})",
				R"({"result":{"accepted":1}})", R"({"result":{"accepted":1,"durable":"x"}})",
				R"({"result":{"accepted":-1,"durable":"0"}})",
				R"({"result":{"accepted":1,"durable":"-5"}})",
				R"({"result":{"accepted":1,"durable":"5 "}})", R"({"error":"busy"})",
				R"({"error":{"code":"x"}})", "\xff\xfe"}) {
		const auto reply = bmd::read_reply(200, body);
		CU_ASSERT(reply.verdict == Verdict::failed && !reply.reason.empty());
	}
	CU_ASSERT(bmd::read_reply(404, "not here").reason == "HTTP status 404");
}

CU_TestInfo cases[] = {BMD_CASE(good_file_has_its_defaults), BMD_CASE(every_mistake_names_its_line),
		BMD_CASE(clear_text_is_allowed_on_this_machine_and_when_asked_for),
		BMD_CASE(two_ports_do_not_share_a_device_or_serial), BMD_CASE(request_has_four_strings),
		BMD_CASE(replies_are_read), BMD_CASE(a_result_beside_an_error_status_takes_nothing),
		BMD_CASE(faults_say_what_to_do), BMD_CASE(faults_say_where_to_go_on),
		BMD_CASE(nonsense_is_a_failure_and_never_accepted), CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo collector_suite;
const CU_SuiteInfo collector_suite = BMD_SUITE("collector", cases);
