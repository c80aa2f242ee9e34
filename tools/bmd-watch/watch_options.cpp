/// @file watch_options.cpp  The command line of bmd-watch.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "watch_options.hpp"

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <memory>
#include <sofia-sip/su_alloc.h>
#include <sofia-sip/url.h>

#include "bmd/result.hpp"
#include "filter_body.hpp"
#include "sip_agent.hpp"

namespace bmd::watch {

namespace {

// "" when the URI is one that bmd-watch can use.
std::string uri_mistake(const std::string &text)
{
	auto *const home = static_cast<su_home_t *>(su_home_new(sizeof(su_home_t)));
	const url_t *const url = url_make(home, text.c_str());
	const bool good = url != nullptr && (url->url_type == url_sip || url->url_type == url_sips)
					  && url->url_host != nullptr && *url->url_host != '\0';
	su_home_unref(home);
	return good ? "" : "'" + text + "' is not a SIP URI";
}

Result<std::string> password_of(const std::string &file)
{
	std::string password;
	if(file.empty()) {
		const char *const value = std::getenv("BMD_WATCH_PASSWORD");
		return std::string(value != nullptr ? value : "");
	}
	std::ifstream in(file);
	if(!std::getline(in, password))
		return malformed("cannot read a password from " + file);
	return password;
}

// HOST:PORT, HOST, [IPv6]:PORT; port 0 means any.
void split_local(const std::string &local, Options &options)
{
	const std::size_t bracket = local.rfind(']');
	const std::size_t colon = local.rfind(':');
	const bool has_port =
			colon != std::string::npos
			&& (bracket == std::string::npos ? local.find(':') == colon : colon > bracket);
	options.local_host = has_port ? local.substr(0, colon) : local;
	options.local_port = has_port ? local.substr(colon + 1) : "*";
	if(options.local_port.empty() || options.local_port == "0")
		options.local_port = "*";
}

struct FreeAddresses
{
	void operator()(addrinfo *list) const noexcept { freeaddrinfo(list); }
};

// The address that this machine uses towards the registrar; "" when it cannot be reached.  A UDP
// socket that is connected sends nothing.
std::string address_towards(const std::string &registrar)
{
	auto *const home = static_cast<su_home_t *>(su_home_new(sizeof(su_home_t)));
	const url_t *const url = url_make(home, registrar.c_str());
	const std::string host = url != nullptr ? url->url_host : "";
	su_home_unref(home);
	const bool bracketed = host.size() > 2 && host.front() == '[';
	addrinfo hints{};
	hints.ai_socktype = SOCK_DGRAM;
	addrinfo *list = nullptr;
	const std::string name = bracketed ? host.substr(1, host.size() - 2) : host;
	if(getaddrinfo(name.c_str(), "5060", &hints, &list) != 0)
		return "";
	const std::unique_ptr<addrinfo, FreeAddresses> addresses(list);
	for(const addrinfo *a = list; a != nullptr; a = a->ai_next) {
		const int fd = socket(a->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		sockaddr_storage own{};
		socklen_t length = sizeof own;
		auto *const plain = reinterpret_cast<sockaddr *>(&own);
		std::array<char, 64> text{};
		const bool found =
				fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen) == 0
				&& getsockname(fd, plain, &length) == 0
				&& getnameinfo(plain, length, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST)
						   == 0;
		if(fd >= 0)
			close(fd);
		if(found)
			return a->ai_family == AF_INET6 ? '[' + std::string(text.data()) + ']' : text.data();
	}
	return "";
}

struct Raw
{
	std::string password_file;
	std::string local;
	bool no_register = false;
	bool lines = false;
	FilterOptions filter;
};

void declare_filter(CLI::App &app, FilterOptions &filter)
{
	auto *const file = app.add_option("--filter", filter.file,
			"file with a DMP Subscribe: only the alerts it asks for are told");
	const auto add = [&](const char *name, auto &to, const char *text) {
		app.add_option(name, to, text)->excludes(file);
	};
	add("--event", filter.events,
			"only what this says, such as 'SpO2 < 85', with ' @ PT8H' so long; repeatable");
	add("--priority", filter.priority, "only alerts of at least high, medium or low priority");
	add("--kind", filter.kind, "only physiological or technical ones");
	add("--type", filter.type, "only of devices of this type");
	add("--group", filter.group, "only of devices of this group");
	add("--area", filter.area, "only of devices of this area");
	add("--rule", filter.rule, "only by the server's rule of this name");
	app.add_flag("--leave-out-urgent", filter.urgent_too,
			   "leave out high priority and escalated alerts, too, when they do not fit")
			->excludes(file);
}

void declare(CLI::App &app, Options &o, Raw &raw)
{
	app.add_option("--aor", o.aor, "your SIP address")->required()->check(uri_mistake);
	app.add_option("--registrar", o.registrar, "SIP server everything is sent to")
			->required()
			->check(uri_mistake);
	app.add_option("--user", o.user, "user name of the digest; default: that of --aor");
	app.add_option("--password-file", raw.password_file,
			"file with the password in its first line; default: variable BMD_WATCH_PASSWORD");
	app.add_option("--feed", o.feeds, "feed to subscribe to, repeatable; default: --aor")
			->check(uri_mistake);
	app.add_flag("--winfo", o.watchers,
			"show, too, who watches the feeds that --aor answers for, and who waits for approval");
	app.add_option("--expires", o.expires, "seconds a subscription is asked for")
			->check(CLI::Range(1, 86'400));
	app.add_flag("--no-register", raw.no_register, "subscribe only");
	app.add_option("--local", raw.local, "HOST:PORT to bind; port 0 for any");
	app.add_option("--transport", o.transport, "udp, tcp or tls")
			->check(CLI::IsMember({"udp", "tcp", "tls"}));
	app.add_option("--tls", o.tls_dir,
			"folder of transport tls: cafile.pem, whom to trust, and agent.pem, your certificate "
			"and its key");
	app.add_flag("--md5", o.allow_md5, "answer challenges by MD5 where SHA-256 is not offered");
	app.add_option("--ca", o.authorities,
			"PEM file of authorities: only what the server has signed is shown");
	auto *const certificate = app.add_option("--certificate", o.certificate,
			"PEM file of your certificate, to read what is encrypted; needs --key and --ca");
	app.add_option("--key", o.key, "PEM file of its key, without a pass phrase")
			->needs(certificate);
	auto *const sign = app.add_flag("--sign", o.sign, "sign what you send; needs --certificate")
							   ->needs(certificate);
	app.add_option("--server-certificate", o.server_certificate,
			   "PEM file of the server's certificate, to encrypt what you send; needs --sign")
			->needs(sign);
	app.add_option("--crl", o.revoked, "PEM file of revoked certificates; needs --ca");
	declare_filter(app, raw.filter);
	app.add_flag("--json", o.json, "one JSON object a line");
	app.add_flag("--lines", raw.lines, "lines and commands also where there is a screen with keys");
	app.add_option("--duration", o.duration, "end after so many seconds")
			->check(CLI::Range(1, 31'536'000));
	app.add_option("--until-alerts", o.until_alerts, "end when so many alerts have been seen")
			->check(CLI::Range(1, 1'000'000));
}

std::string tls_mistake(const Options &o)
{
	if(o.transport != "tls")
		return o.tls_dir.empty() ? "" : "--tls is for --transport tls";
	if(o.tls_dir.empty())
		return "--transport tls needs --tls, the folder of certificates";
	const std::string file = o.tls_dir + "/cafile.pem";
	return access(file.c_str(), R_OK) == 0 ? "" : "cannot read " + file;
}

// What CLI11 cannot know.  Returns the mistake, "" when there is none.
std::string complete(Options &o, const Raw &raw)
{
	if(o.authorities.empty() && !(o.certificate + o.revoked).empty())
		return "--certificate and --crl need --ca";
	if(o.certificate.empty() != o.key.empty())
		return "--certificate needs --key";
	if(o.sign && !o.tls_dir.empty() && access((o.tls_dir + "/agent.pem").c_str(), R_OK) == 0)
		return "--sign is for requests with a password: agent.pem would stand for it";
	auto password = password_of(raw.password_file);
	if(!password)
		return password.error().reason;
	o.password = std::move(password).value();
	auto filter = filter_body(raw.filter, wall_clock());
	if(!filter)
		return filter.error().reason;
	o.filter = std::move(filter).value();
	o.do_register = !raw.no_register;
	o.screen = !raw.lines;
	if(o.feeds.empty())
		o.feeds.push_back(o.aor);
	if(o.user.empty()) {
		const std::size_t begin = o.aor.find(':') + 1;
		const std::size_t at = o.aor.find('@', begin);
		o.user = at != std::string::npos ? o.aor.substr(begin, at - begin) : "";
	}
	split_local(raw.local, o);
	if(std::string mistake = tls_mistake(o); !mistake.empty())
		return mistake;
	if(o.local_host.empty())
		o.local_host = address_towards(o.registrar);
	return o.local_host.empty() ? "the host of " + o.registrar + " is not known" : "";
}

} // namespace

std::optional<Options> read_options(int argc, char **argv, int &status)
{
	CLI::App app{"A technician's terminal: shows the alerts of SIP feeds as they come."};
	Options options;
	Raw raw;
	declare(app, options, raw);
	try {
		app.parse(argc, argv);
	} catch(const CLI::ParseError &e) {
		status = app.exit(e) == 0 ? exit_done : exit_usage;
		return std::nullopt;
	}
	const std::string mistake = complete(options, raw);
	if(mistake.empty())
		return options;
	std::cerr << "bmd-watch: " << mistake << '\n';
	status = exit_usage;
	return std::nullopt;
}

} // namespace bmd::watch
