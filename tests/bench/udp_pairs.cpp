/// @file udp_pairs.cpp  The limit of what UDP on loopback could do: request and answer, nothing
/// between. SPDX-License-Identifier: GPL-2.0-or-later One thread sends requests of the size of a
/// NOTIFY, another answers with the size of a 200; both in batches, with a bounded number
/// unanswered.  Prints one JSON object.

#include <poll.h>

#include <atomic>
#include <thread>

#include "datagrams.hpp"
#include "measure.hpp"

namespace {

void bind_loopback(int fd, sockaddr_in &own)
{
	own = {};
	own.sin_family = AF_INET;
	own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	socklen_t length = sizeof own;
	if(bind(fd, reinterpret_cast<sockaddr *>(&own), sizeof own) != 0
			|| getsockname(fd, reinterpret_cast<sockaddr *>(&own), &length) != 0)
		bench::die("bind");
}

void wait_readable(int fd)
{
	pollfd p{fd, POLLIN, 0};
	poll(&p, 1, 20);
}

} // namespace

int main(int argc, char **argv)
{
	const bench::Arguments arguments(argc, argv,
			{{"pairs", "500000"}, {"request", "1300"}, {"answer", "300"}, {"unanswered", "512"}});
	const std::int64_t pairs = arguments.whole("pairs"), window = arguments.whole("unanswered");
	const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	sockaddr_in own{};
	bind_loopback(fd, own);
	bench::Port asker(own);
	const sockaddr_in peer = bench::address_of(asker.name());
	if(connect(fd, reinterpret_cast<const sockaddr *>(&peer), sizeof peer) != 0)
		bench::die("connect");
	bench::Port answerer(fd);
	std::atomic<bool> ended{false};

	std::thread other([&] {
		bench::Inbox inbox;
		const std::string answer(static_cast<std::size_t>(arguments.whole("answer")), 'a');
		while(!ended) {
			const std::size_t n = answerer.receive(inbox);
			for(std::size_t i = 0; i < n; ++i)
				answerer.put(answer);
			answerer.flush();
			if(n == 0)
				wait_readable(answerer.fd());
		}
	});
	bench::Inbox inbox;
	const std::string request(static_cast<std::size_t>(arguments.whole("request")), 'r');
	const double cpu = bench::own_cpu();
	const std::int64_t begun = bench::now_ns();
	std::int64_t asked = 0, answered = 0, quiet = 0;
	while(answered < pairs && quiet < 50) {
		for(; asked < pairs && asked - answered < window; ++asked)
			asker.put(request);
		asker.flush();
		wait_readable(asker.fd());
		const std::size_t n = asker.receive(inbox);
		answered += static_cast<std::int64_t>(n);
		quiet = n == 0 ? quiet + 1 : 0;
	}
	const double seconds = static_cast<double>(bench::now_ns() - begun) * 1e-9;
	ended = true;
	other.join();
	std::printf("{\"pairs\":%lld,\"seconds\":%.4f,\"pairs_per_second\":%.0f,\"lost\":%lld,"
				"\"cpu_share\":%.4f}\n",
			static_cast<long long>(answered), seconds, static_cast<double>(answered) / seconds,
			static_cast<long long>(asked - answered), (bench::own_cpu() - cpu) / seconds);
	return answered == pairs ? 0 : 1;
}
