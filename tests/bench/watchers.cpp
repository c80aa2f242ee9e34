/// @file watchers.cpp  Plays thousands of technicians' terminals from a few UDP sockets.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Subscribes all, prints one line of JSON, then obeys lines on standard input, each answered by
/// one line of JSON:
///     reset                    counts begin anew
///     notifies N MS            waits for N NOTIFYs since the reset, at most MS milliseconds
///     entries N MS             the same for alerts in partial documents
///     quiet MS                 waits until no NOTIFY has come for MS milliseconds
///     end                      ends the subscriptions and the program

#include <sstream>

#include "agents_impl.hpp"

namespace {

using bench::Agents;

bench::AgentOptions options_of(const bench::Arguments &a)
{
	bench::AgentOptions o;
	o.server = a.text("server");
	o.domain = a.text("domain");
	o.password = a.text("password");
	o.prefix = a.text("prefix");
	o.feed = a.text("feed");
	o.event = a.text("event");
	o.accept = a.text("accept");
	o.first = a.whole("first");
	o.users = a.whole("users");
	o.ports = a.whole("ports");
	o.inflight = a.whole("inflight");
	o.rate = a.whole("rate");
	o.expires = a.whole("expires");
	return o;
}

void print_subscribed(Agents &agents, double seconds)
{
	const double done = static_cast<double>(agents.setup_us.size());
	std::string why = agents.failure;
	std::erase_if(why, [](char c) { return c == '"' || c == '\\' || c < ' '; });
	std::printf("{\"subscribed\":%zu,\"failed\":%llu,\"failure\":\"%s\",\"repeated\":%llu,"
				"\"seconds\":%.4f,\"per_second\":%.1f,\"setup_us\":{\"p50\":%lld,\"p99\":%lld,"
				"\"max\":%lld},\"cpu_s\":%.3f}\n",
			agents.setup_us.size(), static_cast<unsigned long long>(agents.failed), why.c_str(),
			static_cast<unsigned long long>(agents.repeated), seconds, done / seconds,
			static_cast<long long>(bench::quantile(agents.setup_us, 0.5)),
			static_cast<long long>(bench::quantile(agents.setup_us, 0.99)),
			static_cast<long long>(bench::quantile(agents.setup_us, 1)), bench::own_cpu());
	std::fflush(stdout);
}

void report(Agents &agents, bool in_time)
{
	agents.tally.print("\"in_time\":" + std::string(in_time ? "true" : "false")
					   + ",\"active\":" + std::to_string(agents.active()) + ",");
}

/// Waits until done() or the time is over; true when done.
template <class Done> bool wait(Agents &agents, std::int64_t milliseconds, const Done &done)
{
	const std::int64_t until = bench::wall_us() + milliseconds * 1000;
	while(!done()) {
		if(bench::wall_us() > until)
			return false;
		agents.pump(5);
	}
	return true;
}

/// Does what a line says; false at the end.
bool obey(Agents &agents, const std::string &line)
{
	std::istringstream words(line);
	std::string verb;
	std::uint64_t count = 0;
	std::int64_t milliseconds = 0;
	words >> verb >> count >> milliseconds;
	const bench::Tally &tally = agents.tally;
	bool in_time = true;
	if(verb == "end")
		return false;
	if(verb == "reset") {
		agents.tally = bench::Tally();
	} else if(verb == "notifies") {
		in_time = wait(agents, milliseconds, [&] { return tally.notifies >= count; });
	} else if(verb == "entries") {
		in_time = wait(agents, milliseconds, [&] { return tally.entries >= count; });
	} else if(verb == "quiet") {
		const std::int64_t begun = bench::wall_us();
		wait(agents, 600'000, [&] {
			return bench::wall_us() - std::max(begun, tally.last)
				   > static_cast<std::int64_t>(count) * 1000;
		});
	} else {
		in_time = false;
	}
	report(agents, in_time);
	return true;
}

/// Lines of standard input that are complete; an empty list and `ended` at its end.
std::vector<std::string> lines_read(std::string &rest, bool &ended)
{
	char text[4096];
	const ssize_t n = read(0, text, sizeof text);
	ended = n <= 0;
	if(n > 0)
		rest.append(text, static_cast<std::size_t>(n));
	std::vector<std::string> lines;
	for(std::size_t end = 0; (end = rest.find('\n')) != std::string::npos; rest.erase(0, end + 1))
		lines.push_back(rest.substr(0, end));
	return lines;
}

int run(int argc, char **argv)
{
	const bench::Arguments arguments(argc, argv,
			{{"server", "127.0.0.1:5060"}, {"domain", "127.0.0.1"}, {"password", ""},
					{"prefix", "w"}, {"feed", ""}, {"event", "bmd-alert"},
					{"accept", "application/dmp"}, {"first", "1"}, {"users", "10"}, {"ports", "8"},
					{"inflight", "64"}, {"rate", "0"}, {"expires", "3600"}});
	Agents agents(options_of(arguments));
	const std::int64_t begun = bench::now_ns();
	agents.subscribe_all();
	print_subscribed(agents, static_cast<double>(bench::now_ns() - begun) * 1e-9);
	agents.also_watch(0);
	std::string rest;
	for(bool ended = false; !ended;) {
		agents.pump(20);
		if(!agents.other_ready())
			continue;
		for(const std::string &line : lines_read(rest, ended))
			if(!obey(agents, line)) {
				ended = true;
				break;
			}
	}
	agents.unsubscribe_all();
	report(agents, true);
	return agents.failed == 0 ? 0 : 1;
}

} // namespace

int main(int argc, char **argv)
{
	try {
		return run(argc, argv);
	} catch(const std::exception &error) {
		std::fprintf(stderr, "watchers: %s\n", error.what());
		return 1;
	}
}
