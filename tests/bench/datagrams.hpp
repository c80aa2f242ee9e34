/// @file datagrams.hpp  UDP in batches: one socket, many datagrams a system call.
/// SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

[[noreturn]] inline void die(const char *what)
{
	std::fprintf(stderr, "%s: %s\n", what, std::strerror(errno));
	std::exit(1);
}

/// "ADDRESS:PORT" of IPv4; anything else ends the program.
inline sockaddr_in address_of(const std::string &text)
{
	sockaddr_in address{};
	address.sin_family = AF_INET;
	const std::size_t colon = text.rfind(':');
	const char *const port = colon == std::string::npos ? "" : text.c_str() + colon + 1;
	address.sin_port = htons(static_cast<std::uint16_t>(std::strtoul(port, nullptr, 10)));
	if(inet_pton(AF_INET, text.substr(0, colon).c_str(), &address.sin_addr) != 1
			|| address.sin_port == 0) {
		std::fprintf(stderr, "not ADDRESS:PORT: %s\n", text.c_str());
		std::exit(2);
	}
	return address;
}

inline constexpr std::size_t batch = 64;
inline constexpr std::size_t most_bytes = 65536;

/// Room for one batch of received datagrams; shared by all sockets of a thread.
struct Inbox
{
	std::vector<char> memory = std::vector<char>(batch * most_bytes);
	std::array<iovec, batch> parts{};
	std::array<mmsghdr, batch> headers{};
	std::array<std::array<char, 64>, batch> control{};

	/// When the kernel took the datagram, microseconds since 1970; `otherwise` when it does not
	/// say.
	[[nodiscard]] std::int64_t stamp(std::size_t i, std::int64_t otherwise) const
	{
		msghdr head = headers[i].msg_hdr;
		for(cmsghdr *c = CMSG_FIRSTHDR(&head); c != nullptr; c = CMSG_NXTHDR(&head, c)) {
			if(c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS)
				continue;
			timespec t{};
			std::memcpy(&t, CMSG_DATA(c), sizeof t);
			return static_cast<std::int64_t>(t.tv_sec) * 1'000'000 + t.tv_nsec / 1000;
		}
		return otherwise;
	}
	[[nodiscard]] std::string_view text(std::size_t i) const
	{
		return {memory.data() + i * most_bytes, headers[i].msg_len};
	}
};

/// A socket bound to any port of loopback and connected to one server.  Not blocking.
class Port
{
public:
	explicit Port(const sockaddr_in &server) : fd_(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0))
	{
		widen();
		if(connect(fd_, reinterpret_cast<const sockaddr *>(&server), sizeof server) != 0)
			die("connect");
		sockaddr_in own{};
		socklen_t length = sizeof own;
		getsockname(fd_, reinterpret_cast<sockaddr *>(&own), &length);
		char text[INET_ADDRSTRLEN];
		inet_ntop(AF_INET, &own.sin_addr, text, sizeof text);
		name_ = std::string(text) + ":" + std::to_string(ntohs(own.sin_port));
	}
	/// Takes over a socket that is connected already.
	explicit Port(int fd) : fd_(fd) { widen(); }
	Port(Port &&other) noexcept
		: fd_(other.fd_), name_(std::move(other.name_)), waiting_(std::move(other.waiting_))
	{
		other.fd_ = -1;
	}
	Port(const Port &) = delete;
	Port &operator=(const Port &) = delete;
	Port &operator=(Port &&) = delete;
	~Port()
	{
		if(fd_ >= 0)
			close(fd_);
	}

	[[nodiscard]] int fd() const { return fd_; }
	/// "ADDRESS:PORT" of this end.
	[[nodiscard]] const std::string &name() const { return name_; }

	/// How many datagrams were there, at most one batch.
	std::size_t receive(Inbox &inbox) const
	{
		for(std::size_t i = 0; i < batch; ++i) {
			inbox.parts[i] = {inbox.memory.data() + i * most_bytes, most_bytes};
			inbox.headers[i].msg_hdr = msghdr{nullptr, 0, &inbox.parts[i], 1,
					inbox.control[i].data(), inbox.control[i].size(), 0};
		}
		const int n = recvmmsg(fd_, inbox.headers.data(), batch, MSG_DONTWAIT, nullptr);
		return n > 0 ? static_cast<std::size_t>(n) : 0;
	}

	/// Keeps a datagram for the next flush.
	void put(std::string datagram)
	{
		waiting_.push_back(std::move(datagram));
		if(waiting_.size() == batch)
			flush();
	}

	/// Sends what was put.  What the kernel does not take is lost, as on any network.
	void flush()
	{
		std::array<mmsghdr, batch> headers{};
		std::array<iovec, batch> parts{};
		for(std::size_t i = 0; i < waiting_.size(); ++i) {
			parts[i] = {waiting_[i].data(), waiting_[i].size()};
			headers[i].msg_hdr.msg_iov = &parts[i];
			headers[i].msg_hdr.msg_iovlen = 1;
		}
		for(std::size_t sent = 0; sent < waiting_.size();) {
			const int n = sendmmsg(
					fd_, headers.data() + sent, static_cast<unsigned>(waiting_.size() - sent), 0);
			sent += n > 0 ? static_cast<std::size_t>(n) : 1;
		}
		waiting_.clear();
	}

private:
	// As much room as the kernel gives: root may have more than others.
	void widen() const
	{
		const int size = 16 << 20, on = 1;
		if(setsockopt(fd_, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0)
			setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
		if(setsockopt(fd_, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) != 0)
			setsockopt(fd_, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
		setsockopt(fd_, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
	}

	int fd_;
	std::string name_;
	std::vector<std::string> waiting_;
};

} // namespace bench
