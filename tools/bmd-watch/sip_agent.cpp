/// @file sip_agent.cpp  The SIP stack as bmd-watch uses it.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "sip_agent.hpp"

#include <chrono>
#include <sofia-sip/auth_client.h>
#include <sofia-sip/msg_header.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/nua_tag.h>
#include <sofia-sip/sip.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/su_log.h>
#include <sofia-sip/tport_tag.h>
#include <utility>

namespace bmd::watch {

namespace {

// The stack's own log is for its developers; it would land between the alerts.
void no_log(void *, char const *, va_list) {}

std::string local_url(const Options &options)
{
	// without a transport parameter the stack listens on UDP and TCP at one port: a NOTIFY that
	// does not fit a datagram may come by TCP
	const std::string suffix = options.transport == "tcp" ? ";transport=tcp" : "";
	return "sip:" + options.local_host + ':' + options.local_port + suffix;
}

std::string proxy_url(const Options &options)
{
	const bool named = options.registrar.find(";transport=") != std::string::npos;
	return options.registrar + (named ? "" : ";transport=" + options.transport);
}

} // namespace

Timer::Timer(su_root_t *root, std::function<void()> action)
	: timer_(su_timer_create(su_root_task(root), 0)), action_(std::move(action))
{
}

Timer::~Timer()
{
	su_timer_destroy(timer_);
}

void Timer::start(std::uint32_t ms)
{
	su_timer_set_interval(timer_, fire, reinterpret_cast<su_timer_arg_t *>(this), ms);
}

void Timer::stop() noexcept
{
	su_timer_reset(timer_);
}

void Timer::fire(su_root_magic_t *, su_timer_t *, su_timer_arg_t *self)
{
	reinterpret_cast<Timer *>(self)->action_();
}

SipAgent::SipAgent(const Options &options) : options_(options)
{
	su_init();
	su_log_redirect(su_log_default, no_log, nullptr);
	su_log_redirect(su_log_global, no_log, nullptr);
	root_ = su_root_create(nullptr);
	su_root_threading(root_, 0);
	nua_ = nua_create(root_, callback, this, NUTAG_URL(local_url(options).c_str()),
			NUTAG_PROXY(proxy_url(options).c_str()), NUTAG_M_USERNAME(options.user.c_str()),
			SIPTAG_USER_AGENT_STR("bmd-watch"), SIPTAG_ALLOW_STR("NOTIFY, MESSAGE, OPTIONS"),
			NUTAG_ALLOW_EVENTS("bmd-alert"), NUTAG_ENABLEINVITE(0), NUTAG_ENABLEMESSAGE(1),
			NUTAG_OUTBOUND("no-outbound no-validate no-natify no-options-keepalive"),
			NUTAG_KEEPALIVE(0), TAG_END());
}

SipAgent::~SipAgent()
{
	if(nua_ != nullptr)
		nua_destroy(nua_);
	su_root_destroy(root_);
	su_deinit();
}

void SipAgent::run()
{
	su_root_run(root_);
}

void SipAgent::quit()
{
	if(!std::exchange(shut_down_, true))
		nua_shutdown(nua_);
	else
		su_root_break(root_);
}

bool SipAgent::authenticate(const SipEvent &event)
{
	if(event.sip == nullptr)
		return false;
	const auto *const challenge = event.sip->sip_www_authenticate != nullptr
										  ? event.sip->sip_www_authenticate
										  : event.sip->sip_proxy_authenticate;
	if(challenge == nullptr)
		return false;
	const char *const realm = msg_params_find(challenge->au_params, "realm=");
	if(realm == nullptr)
		return false;
	// the realm comes with its quotes
	const std::string credentials = std::string(challenge->au_scheme) + ':' + realm + ':'
									+ options_.user + ':' + options_.password;
	nua_authenticate(event.handle, NUTAG_AUTH(credentials.c_str()), TAG_END());
	return true;
}

void SipAgent::callback(nua_event_t type, int status, char const *phrase, nua_t *, void *self,
		nua_handle_t *handle, void *user, sip_t const *sip, tagi_t tags[])
{
	auto *const agent = static_cast<SipAgent *>(self);
	if(type == nua_r_shutdown) {
		if(status >= 200)
			su_root_break(agent->root_);
		return;
	}
	const SipEvent event{
			type, status, phrase != nullptr ? phrase : "", handle, sip, tags, wall_clock()};
	if(type == nua_i_message && agent->taker_ != nullptr)
		agent->taker_->on_message(event);
	if(user != nullptr)
		static_cast<SipUser *>(user)->on_sip(event);
	else if(handle != nullptr)
		nua_handle_destroy(handle); // a request from outside that nobody asked for
}

bool from_network(const SipEvent &event) noexcept
{
	constexpr unsigned internal = 1U << 15; // NTA_INTERNAL_MSG, which nta keeps to itself
	return event.sip != nullptr && (static_cast<unsigned>(event.sip->sip_flags) & internal) == 0;
}

std::string refusal(const char *method, const SipEvent &event)
{
	const bool challenge = event.status == 401 || event.status == 407;
	return std::string(method) + ": " + event.phrase
		   + (challenge ? ", wrong user or password" : "");
}

TimeUs wall_clock() noexcept
{
	using namespace std::chrono;
	return duration_cast<microseconds>(system_clock::now().time_since_epoch()).count();
}

std::uint32_t retry_after(const sip_t *sip) noexcept
{
	if(sip == nullptr || sip->sip_retry_after == nullptr)
		return 0;
	return static_cast<std::uint32_t>(sip->sip_retry_after->af_delta);
}

Failure classify_failure(int status) noexcept
{
	switch(status) {
		case 408: // no answer
		case 423: // the handle's owner asks for longer
		case 429: // provide referrer identity; some servers say "too many" with it
		case 480:
		case 481: // the dialog is gone: a new one may be had
		case 491:
			return Failure::again;
		default:
			return status >= 500 && status < 600 && status != 501 && status != 505 ? Failure::again
				   : status >= 900 ? Failure::again // made up by the stack
								   : Failure::refused;
	}
}

} // namespace bmd::watch
