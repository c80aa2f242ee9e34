/// @file alerts.cpp  Reports readings that raise and end alerts, one request each, at a given pace.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Each report carries, as its TIME, the moment just before it is written to the connection; a
/// NOTIFY tells it as "measured".  What waits for a free connection is not stamped before it has
/// one: `late_us` says how long that took.  Prints one JSON object.
/// Report number n, from `from` on: the first `open` raise an alert each; then by turns one raises
/// the next device's and one ends the oldest.  So every report changes one alert, and half raise.

#include <netinet/tcp.h>
#include <sys/epoll.h>

#include <cinttypes>
#include <cmath>
#include <deque>
#include <string>
#include <vector>

#include "datagrams.hpp"
#include "measure.hpp"
#include "sip.hpp"

namespace {

struct Connection
{
	int fd = -1;
	bool busy = false;
	std::uint64_t seq = 0;
	std::int64_t sent = 0;
	std::string answer;
};

class Reporter
{
public:
	explicit Reporter(const bench::Arguments &a)
		: a_(a), epoch_(bench::wall_us()), devices_(a.whole("devices")), open_(a.whole("open")),
		  epoll_(epoll_create1(0)), connections_(static_cast<std::size_t>(a.whole("connections")))
	{
		const sockaddr_in server = bench::address_of(a.text("server"));
		for(std::size_t i = 0; i < connections_.size(); ++i) {
			Connection &c = connections_[i];
			c.fd = socket(AF_INET, SOCK_STREAM, 0);
			const int on = 1;
			setsockopt(c.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
			if(connect(c.fd, reinterpret_cast<const sockaddr *>(&server), sizeof server) != 0)
				bench::die("connect");
			epoll_event event{EPOLLIN, {.u64 = i}};
			epoll_ctl(epoll_, EPOLL_CTL_ADD, c.fd, &event);
			free_.push_back(i);
		}
	}

	void run()
	{
		const std::int64_t rate = a_.whole("rate");
		const std::int64_t total = std::llround(a_.real("seconds") * static_cast<double>(rate));
		const std::int64_t begun = bench::now_ns() / 1000;
		std::int64_t next = 0;
		while(next < total || free_.size() < connections_.size()) {
			const std::int64_t now = bench::now_ns() / 1000;
			for(std::int64_t due; next < total && !free_.empty()
								  && (due = begun + next * 1'000'000 / rate) <= now;
					++next) {
				late_.push_back(now - due);
				send_one(a_.whole("from") + next);
			}
			receive();
		}
		const std::int64_t took = bench::now_ns() / 1000 - begun;
		seconds_ = static_cast<double>(took) * 1e-6;
	}

	void print()
	{
		std::printf("{\"sent\":%zu,\"accepted\":%" PRIu64 ",\"refused\":%" PRIu64
					",\"seconds\":%.3f,\"answer_us\":{\"p50\":%" PRId64 ",\"p99\":%" PRId64
					",\"max\":%" PRId64 "},\"late_us\":{\"p99\":%" PRId64 ",\"max\":%" PRId64
					"},\"first_sent\":%" PRId64 ",\"last_answer\":%" PRId64
					",\"why\":\"%s\",\"cpu_s\":%.3f}\n",
				late_.size(), accepted_, refused_, seconds_, bench::quantile(took_, 0.5),
				bench::quantile(took_, 0.99), bench::quantile(took_, 1),
				bench::quantile(late_, 0.99), bench::quantile(late_, 1), first_, last_,
				why_.c_str(), bench::own_cpu());
	}

private:
	// Distinct for every report, so that one NOTIFY can be told from another by it.
	std::int64_t stamp()
	{
		last_stamp_ = std::max(last_stamp_ + 1, bench::wall_us());
		return last_stamp_;
	}

	void send_one(std::int64_t number)
	{
		const std::size_t index = free_.front();
		free_.pop_front();
		Connection &c = connections_[index];
		c.busy = true;
		const std::int64_t turn = number - open_;
		const bool bad = turn < 0 || turn % 2 == 0;
		const std::int64_t device = turn < 0 ? number : turn / 2 + (bad ? open_ : 0);
		const std::int64_t place = a_.whole("first") + device % devices_;
		char serial[48];
		std::snprintf(serial, sizeof serial, "%s%06" PRId64, a_.text("prefix").c_str(), place);
		c.sent = stamp();
		const std::string body =
				R"({"jsonrpc":"2.0","id":1,"method":"bmd.report","params":["bench-)"
				+ std::to_string(index) + R"(",")" + std::to_string(epoch_) + R"(",")"
				+ std::to_string(++c.seq) + R"(",")" + serial + " " + std::to_string(c.sent) + " "
				+ a_.text(bad ? "bad" : "good") + R"("]})";
		const std::string text =
				"POST /RPC HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json"
				"\r\nContent-Length: "
				+ std::to_string(body.size()) + "\r\n\r\n" + body;
		if(send(c.fd, text.data(), text.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(text.size()))
			bench::die("send");
		if(first_ == 0)
			first_ = c.sent;
	}

	void receive()
	{
		epoll_event events[32];
		const bool none_due = free_.empty();
		const int n = epoll_wait(epoll_, events, 32, none_due ? 100 : 0);
		if(n == 0 && !none_due) {
			const timespec pause{0, 50'000};
			nanosleep(&pause, nullptr);
		}
		for(int e = 0; e < n; ++e)
			read_some(events[e].data.u64);
	}

	void read_some(std::size_t index)
	{
		Connection &c = connections_[index];
		char text[16384];
		const ssize_t got = read(c.fd, text, sizeof text);
		if(got <= 0)
			bench::die("the server closed a connection");
		c.answer.append(text, static_cast<std::size_t>(got));
		const std::size_t head = c.answer.find("\r\n\r\n");
		if(head == std::string::npos
				|| c.answer.size()
						   < head + 4 + bench::number_of(bench::header(c.answer, "Content-Length")))
			return;
		last_ = bench::wall_us();
		took_.push_back(last_ - c.sent);
		if(c.answer.find("\"accepted\"", head) != std::string::npos) {
			++accepted_;
		} else {
			++refused_;
			if(why_.empty())
				for(const char ch : c.answer.substr(head + 4))
					why_ += ch == '"' || ch == '\\' || ch < ' ' ? ' ' : ch;
		}
		c.answer.clear();
		c.busy = false;
		free_.push_back(index);
	}

	const bench::Arguments &a_;
	std::int64_t epoch_;
	std::int64_t devices_;
	std::int64_t open_;
	int epoll_;
	std::vector<Connection> connections_;
	std::deque<std::size_t> free_;
	std::vector<std::int64_t> late_, took_;
	std::uint64_t accepted_ = 0, refused_ = 0;
	std::int64_t last_stamp_ = 0, first_ = 0, last_ = 0;
	std::string why_;
	double seconds_ = 0;
};

} // namespace

int main(int argc, char **argv)
{
	const bench::Arguments arguments(argc, argv,
			{{"server", "127.0.0.1:8090"}, {"prefix", "D"}, {"first", "1"}, {"devices", "1000"},
					{"from", "0"}, {"open", "500"}, {"rate", "150"}, {"seconds", "5"},
					{"connections", "4"}, {"bad", "SpO2=80"}, {"good", "SpO2=97"}});
	Reporter reporter(arguments);
	reporter.run();
	reporter.print();
	return 0;
}
