/// @file intake.cpp  Load generator of the intake: collectors that send numbered batches over HTTP.
/// SPDX-License-Identifier: GPL-2.0-or-later
///
/// Each collector is one kept-alive connection with one request under way, as bmd-collector is.
/// A busy answer is sent again.  At the end it asks until everything is durable.  Prints one JSON
/// object.  SIGTERM ends it as --seconds does.  Open loop with --rate (readings/s of all together),
/// as fast as it goes without.

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <stdexcept>
#include <string_view>

#include "batch.hpp"
#include "measure.hpp"

namespace {

using namespace bench;

volatile std::sig_atomic_t asked_to_end = 0;

constexpr std::int64_t ms = 1'000'000; // nanoseconds
constexpr std::int64_t busy_pause = 20 * ms;
constexpr std::int64_t durable_pause = 5 * ms;
constexpr std::int64_t give_up = 60'000 * ms;

enum class State
{
	idle,
	sending,
	answer
};

struct Collector
{
	int fd = -1;
	State state = State::idle;
	std::vector<Body> bodies;
	Body poll; ///< a body that only asks what is durable
	Body *body = nullptr;
	std::size_t next_body = 0;
	std::size_t sent = 0;
	std::string answer;
	std::int64_t seq = first_seq - 1; ///< last one given
	std::int64_t durable = 0;
	std::int64_t due = 0;     ///< when to send next
	std::int64_t planned = 0; ///< open loop: when the batch should have gone
	std::int64_t begun = 0;
	bool again = false; ///< the last one was busy
};

struct Totals
{
	std::int64_t batches = 0, accepted = 0, outside = 0, busy = 0, refused = 0, faults = 0;
	std::int64_t bytes = 0, late = 0;
	std::vector<std::int64_t> taken; ///< ns from the first byte sent to the answer
};

[[noreturn]] void fail(const std::string &what)
{
	throw std::runtime_error(what + (errno != 0 ? std::string(": ") + strerror(errno) : ""));
}

int connect_to(const std::string &host, int port)
{
	const int fd = socket(AF_INET, SOCK_STREAM, 0);
	sockaddr_in to{};
	to.sin_family = AF_INET;
	to.sin_port = htons(static_cast<std::uint16_t>(port));
	if(fd < 0 || inet_pton(AF_INET, host.c_str(), &to.sin_addr) != 1
			|| connect(fd, reinterpret_cast<sockaddr *>(&to), sizeof to) != 0)
		fail("cannot connect to " + host + ":" + std::to_string(port));
	const int on = 1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	const int room = 1 << 20;
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

// The number after `"key":` or `"key":"`; -1 when there is none.
std::int64_t field(std::string_view json, std::string_view key)
{
	const std::size_t at = json.find(key);
	if(at == std::string_view::npos)
		return -1;
	std::size_t i = json.find(':', at + key.size());
	if(i == std::string_view::npos)
		return -1;
	i = json.find_first_of("0123456789", i);
	std::int64_t number = 0;
	for(; i < json.size() && json[i] >= '0' && json[i] <= '9'; ++i)
		number = number * 10 + (json[i] - '0');
	return number;
}

// The body of a complete HTTP answer; empty while it is not complete.
std::string_view complete(const std::string &answer)
{
	const std::size_t end = answer.find("\r\n\r\n");
	if(end == std::string::npos)
		return {};
	const std::int64_t length = field(std::string_view(answer).substr(0, end), "Content-Length");
	const std::string_view body = std::string_view(answer).substr(end + 4);
	return length > 0 && static_cast<std::int64_t>(body.size()) >= length ? body
																		  : std::string_view{};
}

class Run
{
public:
	explicit Run(const Arguments &arguments);
	void go();
	void print();
	[[nodiscard]] std::int64_t faults() const { return totals_.faults; }

private:
	void prepare(std::size_t number, std::int64_t epoch);
	void start_due();
	void start(Collector &c);
	void send_more(Collector &c);
	void receive(Collector &c);
	void judge(Collector &c, std::string_view json);
	void wait();
	[[nodiscard]] bool finished() const;

	const Arguments &arguments_;
	std::vector<Collector> collectors_;
	Totals totals_;
	int epoll_ = -1;
	bool stopping_ = false;
	std::int64_t interval_ = 0; ///< of one collector's batches, open loop
	std::int64_t begun_ = 0, last_answer_ = 0, durable_at_ = 0;
	double cpu_ = 0;
};

Run::Run(const Arguments &arguments) : arguments_(arguments)
{
	const auto count = static_cast<std::size_t>(arguments.whole("collectors"));
	const std::int64_t epoch = arguments.whole("epoch") > 0 ? arguments.whole("epoch") : wall_us();
	epoll_ = epoll_create1(0);
	collectors_.resize(count);
	for(std::size_t i = 0; i < count; ++i)
		prepare(i, epoch);
	if(const double rate = arguments.real("rate"); rate > 0)
		interval_ = static_cast<std::int64_t>(
				1e9 * static_cast<double>(count) * arguments.real("batch") / rate);
}

void Run::prepare(std::size_t number, std::int64_t epoch)
{
	Collector &c = collectors_[number];
	const auto count = static_cast<std::int64_t>(collectors_.size());
	BatchPlan plan;
	plan.collector = arguments_.text("name") + std::to_string(number);
	plan.prefix = arguments_.text("prefix");
	plan.devices = std::max<std::int64_t>(1, arguments_.whole("devices") / count);
	plan.first = arguments_.whole("first") + static_cast<std::int64_t>(number) * plan.devices;
	const std::int64_t batch = arguments_.whole("batch");
	plan.items = std::min<std::int64_t>(8, batch);
	plan.lines = std::max<std::int64_t>(1, batch / plan.items);
	plan.outside = arguments_.whole("outside");
	const std::int64_t rounds =
			std::min<std::int64_t>(4000, 2 * ((plan.devices + plan.lines - 1) / plan.lines));
	for(std::int64_t round = 0; round < std::max<std::int64_t>(rounds, 4); ++round)
		c.bodies.push_back(make_body(plan, epoch, round));
	plan.lines = 0;
	plan.collector = arguments_.text("name") + std::to_string(number);
	c.poll = make_body(plan, epoch, 0);
	c.fd = connect_to(arguments_.text("host"), static_cast<int>(arguments_.whole("port")));
	epoll_event event{};
	event.events = EPOLLIN | EPOLLOUT | EPOLLET;
	event.data.u64 = number;
	epoll_ctl(epoll_, EPOLL_CTL_ADD, c.fd, &event);
}

void Run::start(Collector &c)
{
	const std::int64_t now = now_ns();
	if(stopping_ && !c.again) {
		c.body = &c.poll;
	} else if(!c.again) {
		// inside and outside of the same devices a whole period apart
		const std::size_t half = c.bodies.size() / 2;
		const std::size_t at = c.next_body++ % c.bodies.size();
		c.body = &c.bodies[at < half ? 2 * at : 2 * (at - half) + 1];
		++c.seq;
		if(interval_ > 0 && now > c.planned + interval_)
			++totals_.late;
	}
	if(!c.again)
		stamp(*c.body, c.seq, wall_us());
	c.again = false;
	c.begun = now;
	c.sent = 0;
	c.answer.clear();
	c.state = State::sending;
	send_more(c);
}

void Run::send_more(Collector &c)
{
	const std::string &text = c.body->text;
	while(c.sent < text.size()) {
		const ssize_t n = send(c.fd, text.data() + c.sent, text.size() - c.sent, MSG_NOSIGNAL);
		if(n < 0 && errno == EAGAIN)
			return;
		if(n < 0)
			fail("cannot send");
		c.sent += static_cast<std::size_t>(n);
	}
	totals_.bytes += static_cast<std::int64_t>(text.size());
	c.state = State::answer;
}

void Run::receive(Collector &c)
{
	char buffer[16384];
	while(true) {
		const ssize_t n = recv(c.fd, buffer, sizeof buffer, 0);
		if(n < 0 && errno == EAGAIN)
			return;
		if(n <= 0) {
			errno = n == 0 ? 0 : errno;
			fail("the server closed the connection after: " + c.answer.substr(0, 200));
		}
		c.answer.append(buffer, static_cast<std::size_t>(n));
		if(const std::string_view json = complete(c.answer); !json.empty())
			judge(c, json);
	}
}

void Run::judge(Collector &c, std::string_view json)
{
	const std::int64_t now = now_ns();
	const std::int64_t code = field(json, "\"code\"");
	c.state = State::idle;
	c.due = now;
	if(c.body == &c.poll && code == 200) {
		c.durable = field(json, "\"durable\"");
		c.due = now + durable_pause;
		return;
	}
	last_answer_ = now;
	if(code == 503) {
		++totals_.busy;
		c.again = true;
		c.due = now + busy_pause;
		return;
	}
	if(code != 200) {
		if(++totals_.faults == 1)
			std::fprintf(stderr, "intake: %.300s\n", c.answer.c_str());
		return;
	}
	++totals_.batches;
	totals_.accepted += field(json, "\"accepted\"");
	totals_.refused += field(json, "\"refused_count\"");
	totals_.outside += c.body->outside;
	totals_.taken.push_back(now - c.begun);
	c.durable = field(json, "\"durable\"");
	if(interval_ > 0) {
		c.planned += interval_;
		c.due = c.planned;
	}
}

bool Run::finished() const
{
	return std::all_of(collectors_.begin(), collectors_.end(),
			[](const Collector &c) { return c.state == State::idle && c.durable >= c.seq; });
}

void Run::start_due()
{
	const std::int64_t now = now_ns();
	for(Collector &c : collectors_)
		if(c.state == State::idle && c.due <= now && !(stopping_ && !c.again && c.durable >= c.seq))
			start(c);
}

void Run::wait()
{
	std::int64_t next = now_ns() + 100 * ms;
	for(const Collector &c : collectors_)
		if(c.state == State::idle)
			next = std::min(next, c.due);
	const std::int64_t left = std::max<std::int64_t>(0, next - now_ns());
	const timespec timeout{left / 1'000'000'000, left % 1'000'000'000};
	epoll_event events[64];
	const int n = epoll_pwait2(epoll_, events, 64, &timeout, nullptr);
	for(int i = 0; i < n; ++i) {
		Collector &c = collectors_[events[i].data.u64];
		if(c.state == State::sending)
			send_more(c);
		receive(c);
	}
}

void Run::go()
{
	cpu_ = own_cpu();
	begun_ = now_ns();
	const std::int64_t end = begun_ + static_cast<std::int64_t>(arguments_.real("seconds") * 1e9);
	for(std::size_t i = 0; i < collectors_.size(); ++i) {
		// open loop: spread over one interval
		const auto part = static_cast<std::int64_t>(i);
		collectors_[i].planned =
				begun_ + interval_ * part / static_cast<std::int64_t>(collectors_.size());
		collectors_[i].due = collectors_[i].planned;
	}
	std::int64_t stopped_at = end;
	while(true) {
		const std::int64_t now = now_ns();
		if(!stopping_ && (now >= end || asked_to_end != 0)) {
			stopping_ = true;
			for(Collector &c : collectors_)
				c.due = std::min(c.due, now);
		}
		if(stopping_ && finished())
			break;
		stopped_at = stopping_ ? std::min(stopped_at, now) : now;
		if(now > stopped_at + give_up)
			fail("not everything became durable in 60 s");
		start_due();
		wait();
	}
	durable_at_ = now_ns();
	cpu_ = own_cpu() - cpu_;
}

void Run::print()
{
	const double accepted_s = static_cast<double>(last_answer_ - begun_) * 1e-9;
	const double durable_s = static_cast<double>(durable_at_ - begun_) * 1e-9;
	const auto readings = static_cast<double>(totals_.accepted);
	const auto us = [this](double share) {
		return static_cast<double>(quantile(totals_.taken, share)) * 1e-3;
	};
	std::printf("{\"collectors\": %zu, \"batches\": %lld, \"readings\": %lld, \"outside\": %lld, "
				"\"refused\": %lld, \"faults\": %lld, \"busy\": %lld, \"late\": %lld, "
				"\"bytes\": %lld, \"seconds_accepted\": %.4f, \"seconds_durable\": %.4f, "
				"\"accepted_per_s\": %.1f, \"durable_per_s\": %.1f, \"request_us_p50\": %.1f, "
				"\"request_us_p99\": %.1f, \"request_us_max\": %.1f, \"cpu_s\": %.3f, "
				"\"cpu_share\": %.4f}\n",
			collectors_.size(), static_cast<long long>(totals_.batches),
			static_cast<long long>(totals_.accepted), static_cast<long long>(totals_.outside),
			static_cast<long long>(totals_.refused), static_cast<long long>(totals_.faults),
			static_cast<long long>(totals_.busy), static_cast<long long>(totals_.late),
			static_cast<long long>(totals_.bytes), accepted_s, durable_s, readings / accepted_s,
			readings / durable_s, us(0.5), us(0.99), us(1), cpu_, cpu_ / durable_s);
}

} // namespace

int main(int argc, char **argv)
{
	const Arguments arguments(argc, argv,
			{{"host", "127.0.0.1"}, {"port", "8090"}, {"collectors", "1"}, {"devices", "1000"},
					{"first", "1"}, {"prefix", "B"}, {"name", "bench-"}, {"batch", "4000"},
					{"seconds", "5"}, {"rate", "0"}, {"outside", "0"}, {"epoch", "0"}});
	std::signal(SIGTERM, [](int) { asked_to_end = 1; });
	try {
		Run run(arguments);
		run.go();
		run.print();
		return run.faults() == 0 ? 0 : 1;
	} catch(const std::exception &error) {
		std::fprintf(stderr, "intake: %s\n", error.what());
		return 1;
	}
}
