/// @file sip_agent.cpp  The SIP stack as bmd-watch uses it.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "sip_agent.hpp"

#include "notify_tap.hpp"

#include <chrono>
#include <sofia-sip/auth_client.h>
#include <sofia-sip/msg.h>
#include <sofia-sip/msg_header.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/nua_tag.h>
#include <sofia-sip/sip.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/su_log.h>
#include <sofia-sip/tport.h>
#include <sofia-sip/tport_tag.h>
#include <stdexcept>
#include <utility>

namespace bmd::watch {

namespace {

constexpr unsigned tls_depth = 3; // certificates between the server's and that of its authority

// The stack's own log is for its developers; it would land between the alerts.
void no_log(void *, char const *, va_list) {}

std::string local_url(const Options &options)
{
	// without a transport parameter the stack listens on UDP and TCP at one port: a NOTIFY that
	// does not fit a datagram may come by TCP
	const std::string suffix = options.transport == "tcp" ? ";transport=tcp" : "";
	const char *const scheme = options.transport == "tls" ? "sips:" : "sip:"; // the stack's way
	return scheme + options.local_host + ':' + options.local_port + suffix;
}

std::string proxy_url(const Options &options)
{
	if(options.transport == "tls")
		return "sips:" + options.registrar.substr(options.registrar.find(':') + 1);
	const bool named = options.registrar.find(";transport=") != std::string::npos;
	return options.registrar + (named ? "" : ";transport=" + options.transport);
}

NotifyName name_of(const sip_t *sip)
{
	const bool whole = sip != nullptr && sip->sip_call_id != nullptr && sip->sip_cseq != nullptr;
	if(!whole)
		return {};
	const char *const branch = sip->sip_via != nullptr ? sip->sip_via->v_branch : nullptr;
	const char *const tag = sip->sip_from != nullptr ? sip->sip_from->a_tag : nullptr;
	return {std::string(sip->sip_call_id->i_id) + ' ' + (tag != nullptr ? tag : ""),
			sip->sip_cseq->cs_seq, branch != nullptr ? branch : ""};
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

SipAgent::SipAgent(const Options &options, const Protection &protection)
	: sealing_(protection), options_(options), protection_(protection)
{
	su_init();
	if(!use_own_digest(options.allow_md5))
		throw std::runtime_error("the SIP stack does not take another digest than its own");
	su_log_redirect(su_log_default, no_log, nullptr);
	su_log_redirect(su_log_global, no_log, nullptr);
	root_ = su_root_create(nullptr);
	su_root_threading(root_, 0);
	nua_ = nua_create(root_, callback, this, NUTAG_URL(local_url(options).c_str()),
			NUTAG_PROXY(proxy_url(options).c_str()), NUTAG_M_USERNAME(options.user.c_str()),
			SIPTAG_USER_AGENT_STR("bmd-watch"), SIPTAG_ALLOW_STR("NOTIFY, MESSAGE, OPTIONS"),
			NUTAG_ALLOW_EVENTS("bmd-alert, bmd-alert.winfo"), NUTAG_ENABLEINVITE(0),
			NUTAG_ENABLEMESSAGE(1),
			NUTAG_OUTBOUND("no-outbound no-validate no-natify no-options-keepalive"),
			NUTAG_KEEPALIVE(0),
			TAG_IF(!options.tls_dir.empty(), TPTAG_CERTIFICATE(options.tls_dir.c_str())),
			TPTAG_TLS_VERSION(0), // any that the system's OpenSSL takes, not 1.0 alone
			TPTAG_TLS_VERIFY_DEPTH(tls_depth),
			TPTAG_TLS_VERIFY_POLICY(TPTLS_VERIFY_OUT | TPTLS_VERIFY_SUBJECTS_OUT),
			// signatures are of headers as they came
			NTATAG_SIPFLAGS(MSG_DO_EXTRACT_COPY),
			NTATAG_MCLASS(tapped_messages([this](const sip_t &notify) {
				if(replays_.is_replay(name_of(&notify), wall_clock()))
					count_replay();
			})),
			TAG_END());
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
	if(event.sip == nullptr || !can_answer(event.sip))
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
	agent->look_at_proof(event);
	if(type == nua_i_message && agent->taker_ != nullptr)
		agent->taker_->on_message(event);
	if(user != nullptr)
		static_cast<SipUser *>(user)->on_sip(event);
	else if(handle != nullptr)
		nua_handle_destroy(handle); // a request from outside that nobody asked for
}

void SipAgent::look_at_proof(const SipEvent &event)
{
	const bool asked = event.type == nua_r_register || event.type == nua_r_subscribe
					   || event.type == nua_r_message;
	if(!asked || event.status < 200 || event.status >= 300 || !from_network(event)
			|| options_.password.empty()
			|| options_.transport == "tls") // there the certificate proves
		return;
	const Proof proof = proof_of(event.sip);
	// a MESSAGE that comes again is answered as before, without a look at its digest
	if(event.type == nua_r_message && proof == Proof::missing)
		return;
	if(std::exchange(proof_, proof) != proof && on_proof_)
		on_proof_(proof, event);
}

bool SipAgent::is_new(const sip_t *notify)
{
	return replays_.take(name_of(notify), wall_clock());
}

void SipAgent::count_replay()
{
	constexpr std::uint64_t rarer = 10;
	if(++replayed_ < told_next_)
		return;
	told_next_ *= rarer;
	if(on_replay_)
		on_replay_();
}

bool from_network(const SipEvent &event) noexcept
{
	constexpr unsigned internal = 1U << 15; // NTA_INTERNAL_MSG, which nta keeps to itself
	return event.sip != nullptr && (static_cast<unsigned>(event.sip->sip_flags) & internal) == 0;
}

std::string refusal(const char *method, const SipEvent &event)
{
	const bool challenge = event.status == 401 || event.status == 407;
	const bool unknown = challenge && event.sip != nullptr && !can_answer(event.sip);
	const auto *const warning = event.sip != nullptr ? event.sip->sip_warning : nullptr;
	const bool warned = warning != nullptr && warning->w_text != nullptr;
	return std::string(method) + ": " + event.phrase
		   + (warned ? std::string(", ") + warning->w_text : std::string())
		   + (unknown          ? ", the server asks for a digest that is not by SHA-256 (see --md5)"
				   : challenge ? ", wrong user or password"
							   : "");
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
