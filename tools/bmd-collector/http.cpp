/// @file http.cpp  One HTTP POST at a time on a kept connection, with libcurl.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "http.hpp"

#include <array>
#include <curl/curl.h>
#include <stdexcept>

namespace bmd {

namespace {

constexpr std::size_t max_answer = 1'000'000;
constexpr long connect_timeout_s = 5;

std::size_t take_body(char *data, std::size_t size, std::size_t count, void *user)
{
	auto &body = *static_cast<std::string *>(user);
	if(body.size() + size * count > max_answer)
		return 0; // libcurl ends the transfer with an error
	body.append(data, size * count);
	return size * count;
}

} // namespace

struct HttpPost::Impl
{
	CURLM *multi = curl_multi_init();
	CURL *easy = curl_easy_init();
	curl_slist *headers = nullptr;
	std::array<char, CURL_ERROR_SIZE> error{};
	std::string request;
	std::string body;
	bool busy = false;
};

HttpPost::HttpPost(const ServerConfig &server) : impl_(std::make_unique<Impl>())
{
	CURL *easy = impl_->easy;
	impl_->headers = curl_slist_append(nullptr, "Content-Type: application/json");
	impl_->headers = curl_slist_append(impl_->headers, "Expect:"); // costs a round trip
	if(impl_->multi == nullptr || easy == nullptr || impl_->headers == nullptr)
		throw std::runtime_error("libcurl cannot be set up");
	const auto timeout_ms = static_cast<long>(server.timeout_seconds * 1000);
	curl_easy_setopt(easy, CURLOPT_URL, server.url.c_str());
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_PROXY, ""); // the environment must not lead readings astray
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "bmd-collector");
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, impl_->headers);
	curl_easy_setopt(easy, CURLOPT_POST, 1L);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &take_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, &impl_->body);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, impl_->error.data());
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, connect_timeout_s);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, timeout_ms);
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
	if(!server.ca.empty())
		curl_easy_setopt(easy, CURLOPT_CAINFO, server.ca.c_str());
	if(!server.cert.empty()) {
		curl_easy_setopt(easy, CURLOPT_SSLCERT, server.cert.c_str());
		curl_easy_setopt(easy, CURLOPT_SSLKEY, server.key.c_str());
	}
}

HttpPost::~HttpPost()
{
	if(impl_->busy)
		curl_multi_remove_handle(impl_->multi, impl_->easy);
	curl_easy_cleanup(impl_->easy);
	curl_multi_cleanup(impl_->multi);
	curl_slist_free_all(impl_->headers);
}

void HttpPost::start(std::string body)
{
	impl_->request = std::move(body);
	impl_->body.clear();
	impl_->error[0] = '\0';
	curl_easy_setopt(impl_->easy, CURLOPT_POSTFIELDS, impl_->request.data());
	curl_easy_setopt(impl_->easy, CURLOPT_POSTFIELDSIZE_LARGE,
			static_cast<curl_off_t>(impl_->request.size()));
	curl_multi_add_handle(impl_->multi, impl_->easy);
	impl_->busy = true;
	int running = 0;
	curl_multi_perform(impl_->multi, &running); // puts the request on the wire now
}

bool HttpPost::busy() const noexcept
{
	return impl_->busy;
}

std::optional<HttpPost::Answer> HttpPost::wait(std::chrono::milliseconds timeout)
{
	int running = 0;
	int left = 0;
	const CURLMsg *message = curl_multi_info_read(impl_->multi, &left); // ended within start()
	if(message == nullptr) {
		curl_multi_poll(impl_->multi, nullptr, 0, static_cast<int>(timeout.count()), nullptr);
		curl_multi_perform(impl_->multi, &running);
		message = curl_multi_info_read(impl_->multi, &left);
	}
	if(message == nullptr || message->msg != CURLMSG_DONE)
		return std::nullopt;
	Answer answer;
	const CURLcode code = message->data.result;
	if(code == CURLE_OK)
		curl_easy_getinfo(impl_->easy, CURLINFO_RESPONSE_CODE, &answer.status);
	else
		answer.error = impl_->error[0] != '\0' ? impl_->error.data() : curl_easy_strerror(code);
	curl_multi_remove_handle(impl_->multi, impl_->easy);
	impl_->busy = false;
	answer.body = std::move(impl_->body);
	return answer;
}

void HttpPost::wake() noexcept
{
	curl_multi_wakeup(impl_->multi);
}

} // namespace bmd
