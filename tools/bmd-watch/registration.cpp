/// @file registration.cpp  The terminal's registration.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "registration.hpp"

#include <cstdlib>
#include <sofia-sip/nua_tag.h>
#include <sofia-sip/sip.h>
#include <sofia-sip/sip_tag.h>
#include <utility>

namespace bmd::watch {

namespace {

// "sip:home.example" of "sip:tech1@home.example".
std::string domain_of(const std::string &aor)
{
	const std::size_t at = aor.find('@');
	return at == std::string::npos ? aor : aor.substr(0, aor.find(':') + 1) + aor.substr(at + 1);
}

// What the server granted; nullopt when it lists other terminals of this person too: which of the
// contacts is ours is the stack's to know.
std::optional<std::uint32_t> granted(const sip_t *sip)
{
	const sip_contact_t *const m = sip != nullptr ? sip->sip_contact : nullptr;
	if(m == nullptr || m->m_next != nullptr || m->m_expires == nullptr)
		return std::nullopt;
	return static_cast<std::uint32_t>(std::strtoul(m->m_expires, nullptr, 10));
}

} // namespace

Registration::Registration(
		SipAgent &agent, const Options &options, Output &output, Handlers handlers)
	: agent_(agent), options_(options), output_(output), handlers_(std::move(handlers)),
	  timer_(agent.root(), [this] { begin(); })
{
}

Registration::~Registration()
{
	drop_handle();
}

void Registration::drop_handle() noexcept
{
	if(handle_ != nullptr)
		nua_handle_destroy(std::exchange(handle_, nullptr));
}

void Registration::begin()
{
	password_given_ = false;
	// always the same handle: the end of another one would send an un-REGISTER of the same contact
	if(handle_ == nullptr)
		handle_ = nua_handle(agent_.nua(), static_cast<SipUser *>(this),
				SIPTAG_TO_STR(options_.aor.c_str()), SIPTAG_FROM_STR(options_.aor.c_str()),
				TAG_END());
	const std::string expires = std::to_string(options_.expires);
	nua_register(handle_, NUTAG_REGISTRAR(domain_of(options_.aor).c_str()),
			SIPTAG_EXPIRES_STR(expires.c_str()), TAG_END());
}

void Registration::end()
{
	ending_ = true;
	timer_.stop();
	if(handle_ == nullptr || !registered_) {
		// a refused request would otherwise wait for better credentials
		drop_handle();
		handlers_.ended();
		return;
	}
	password_given_ = false;
	nua_unregister(handle_, TAG_END());
}

void Registration::on_sip(const SipEvent &event)
{
	if(event.handle != handle_ || event.status < 200)
		return;
	if(event.type == nua_r_register && !ending_) {
		on_answer(event);
	} else if(event.type == nua_r_unregister && ending_) {
		if((event.status == 401 || event.status == 407) && !std::exchange(password_given_, true)
				&& agent_.authenticate(event))
			return;
		registered_ = false;
		output_.event({event.at, "unregistered", "", event.status, event.phrase, {}, {}, ""});
		handlers_.ended();
	}
}

void Registration::on_answer(const SipEvent &event)
{
	if((event.status == 401 || event.status == 407) && !password_given_
			&& agent_.authenticate(event)) {
		password_given_ = true;
		return;
	}
	if(event.status < 300) {
		password_given_ = false;
		registered_ = true;
		backoff_.reset();
		// refreshes are not worth a line
		if(!std::exchange(announced_, true)) {
			output_.event({event.at, "registered", "", event.status, event.phrase,
					granted(event.sip), {}, ""});
			handlers_.registered();
		}
		return;
	}
	if(classify_failure(event.status) == Failure::again) {
		try_again(event);
		return;
	}
	output_.event({event.at, "refused", "", event.status, refusal("REGISTER", event), {}, {}, ""});
	handlers_.refused();
}

void Registration::try_again(const SipEvent &event)
{
	const std::uint32_t wait = backoff_.next(retry_after(event.sip), su_random());
	output_.event({event.at, "retry", "", event.status, std::string("REGISTER: ") + event.phrase,
			{}, wait, ""});
	announced_ = false;
	timer_.start(wait);
}

} // namespace bmd::watch
