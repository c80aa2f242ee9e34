/// @file binrpc.cpp  Single readings the way kamcmd sends them: binary RPC over the ctl socket.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// One connection, one call under way, `bmd.report READINGS` with one reading.  kamcmd itself would
/// start a process for each.  Prints one JSON object.

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <stdexcept>

#include "batch.hpp"
#include "measure.hpp"

namespace {

using namespace bench;

constexpr unsigned char magic_and_version = 0xa1;
constexpr unsigned reply_type = 1; ///< 3 is a fault

// A string record: its zero is counted; from 8 bytes on the length has bytes of its own.
void add_string(std::string &packet, const std::string &text)
{
	const std::size_t size = text.size() + 1;
	if(size < 8) {
		packet += static_cast<char>(size << 4 | 1);
	} else {
		packet += static_cast<char>(0xa1);
		packet += static_cast<char>(size >> 8);
		packet += static_cast<char>(size);
	}
	packet += text;
	packet += '\0';
}

std::string call(const std::string &line)
{
	std::string payload;
	add_string(payload, "bmd.report");
	add_string(payload, line);
	std::string packet;
	packet += static_cast<char>(magic_and_version);
	packet += static_cast<char>(0x04); // request; two bytes of length, one of cookie
	packet += static_cast<char>(payload.size() >> 8);
	packet += static_cast<char>(payload.size());
	packet += '\1';
	return packet + payload;
}

void read_all(int fd, unsigned char *to, std::size_t size)
{
	for(std::size_t got = 0; got < size;) {
		const ssize_t n = read(fd, to + got, size - got);
		if(n <= 0)
			throw std::runtime_error("the server closed the connection");
		got += static_cast<std::size_t>(n);
	}
}

// Reads one answer; false for a fault.
bool answered(int fd)
{
	unsigned char head[10];
	read_all(fd, head, 2);
	const std::size_t lengths = (head[1] >> 2 & 3) + 1U;
	const std::size_t cookie = (head[1] & 3) + 1U;
	const unsigned type = head[1] >> 4;
	read_all(fd, head, lengths + cookie);
	std::size_t size = 0;
	for(std::size_t i = 0; i < lengths; ++i)
		size = size << 8 | head[i];
	std::vector<unsigned char> body(size);
	read_all(fd, body.data(), size);
	return type == reply_type;
}

int connect_to(const std::string &path)
{
	sockaddr_un to{};
	to.sun_family = AF_UNIX;
	std::snprintf(to.sun_path, sizeof to.sun_path, "%s", path.c_str());
	const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if(fd < 0 || connect(fd, reinterpret_cast<sockaddr *>(&to), sizeof to) != 0)
		throw std::runtime_error("cannot connect to " + path + ": " + strerror(errno));
	return fd;
}

void go(const Arguments &arguments)
{
	const int fd = connect_to(arguments.text("ctl"));
	const std::int64_t devices = arguments.whole("devices");
	const auto length = static_cast<std::int64_t>(arguments.real("seconds") * 1e9);
	const std::int64_t begun = now_ns();
	const double cpu = own_cpu();
	std::vector<std::int64_t> taken;
	std::int64_t faults = 0;
	for(std::int64_t i = 0, now = begun; now - begun < length; ++i) {
		char line[64];
		const long long device = 1 + i % devices;
		std::snprintf(line, sizeof line, "B%08lld SpO2=%.1f", device,
				95 + static_cast<double>(mix(static_cast<std::uint64_t>(i)) % 40) / 10);
		const std::string packet = call(line);
		if(write(fd, packet.data(), packet.size()) != static_cast<ssize_t>(packet.size()))
			throw std::runtime_error("cannot write");
		faults += answered(fd) ? 0 : 1;
		const std::int64_t then = now_ns();
		taken.push_back(then - now);
		now = then;
	}
	const double seconds = static_cast<double>(now_ns() - begun) * 1e-9;
	const auto calls = static_cast<double>(taken.size());
	std::printf("{\"calls\": %.0f, \"faults\": %lld, \"per_s\": %.1f, \"call_us_p50\": %.1f, "
				"\"call_us_p99\": %.1f, \"cpu_share\": %.4f}\n",
			calls, static_cast<long long>(faults), calls / seconds,
			static_cast<double>(quantile(taken, 0.5)) * 1e-3,
			static_cast<double>(quantile(taken, 0.99)) * 1e-3, (own_cpu() - cpu) / seconds);
	close(fd);
	if(faults > 0)
		throw std::runtime_error("the server refused calls");
}

} // namespace

int main(int argc, char **argv)
{
	const Arguments arguments(argc, argv, {{"ctl", ""}, {"devices", "1000"}, {"seconds", "3"}});
	try {
		go(arguments);
	} catch(const std::exception &error) {
		std::fprintf(stderr, "binrpc: %s\n", error.what());
		return 1;
	}
	return 0;
}
