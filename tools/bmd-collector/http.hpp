/// @file http.hpp  One HTTP POST at a time on a kept connection, with libcurl.
/// SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "config.hpp"

namespace bmd {

class HttpPost
{
public:
	struct Answer
	{
		long status = 0; ///< HTTP status; 0: none arrived
		std::string body;
		std::string error; ///< libcurl's, when no answer arrived
	};

	/// Throws std::runtime_error when libcurl cannot be set up.
	explicit HttpPost(const ServerConfig &server);
	~HttpPost();
	HttpPost(const HttpPost &) = delete;
	HttpPost &operator=(const HttpPost &) = delete;

	/// Begins one POST of JSON.  None may be under way.
	void start(std::string body);
	[[nodiscard]] bool busy() const noexcept;

	/// Waits for progress, wake() or `timeout`.  Returns the answer of a POST that has ended.
	[[nodiscard]] std::optional<Answer> wait(std::chrono::milliseconds timeout);

	/// Ends wait() early.  The only call allowed from another thread.
	void wake() noexcept;

private:
	struct Impl;
	std::unique_ptr<Impl> impl_;
};

} // namespace bmd
