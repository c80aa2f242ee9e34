/// @file subscription.cpp  One subscription to one feed.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "subscription.hpp"

#include <algorithm>
#include <cstdlib>
#include <sofia-sip/nua_tag.h>
#include <sofia-sip/sip.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/su_uniqueid.h>
#include <strings.h>
#include <utility>

#include "bmd/dmp.hpp"

namespace bmd::watch {

namespace {

constexpr const char *sealed_types = ", application/pkcs7-mime, multipart/signed, message/sipfrag";
constexpr std::uint32_t final_notify_ms = 2000;

const char *package_of(Topic topic) noexcept
{
	return topic == Topic::alerts ? "bmd-alert" : "bmd-alert.winfo";
}

std::string type_of(Topic topic)
{
	return topic == Topic::alerts ? "application/dmp" : std::string(winfo_type);
}

// What a document says of itself, whichever it is.
bool is_read(const Notification &n) noexcept
{
	return n.feed || n.watchers;
}

bool is_full(const Notification &n) noexcept
{
	return n.watchers ? n.watchers->full : n.feed && n.feed->full;
}

Verdict verdict_on(const Notification &n) noexcept
{
	return n.watchers ? n.news.verdict : n.outcome.verdict;
}

std::string numbers_of(const Notification &n)
{
	if(!is_read(n))
		return n.mistake;
	const auto version = n.watchers ? n.watchers->version : n.feed->version;
	const auto last = n.watchers ? n.news.last : n.outcome.last;
	return "version " + std::to_string(version) + " after "
		   + (last ? std::to_string(*last) : "none");
}

std::string call_id(const sip_t *sip)
{
	return sip != nullptr && sip->sip_call_id != nullptr ? sip->sip_call_id->i_id : "";
}

std::string substate(const sip_t *sip)
{
	return sip != nullptr && sip->sip_subscription_state != nullptr
				   ? sip->sip_subscription_state->ss_substate
				   : "terminated";
}

std::string end_reason(const sip_t *sip)
{
	const bool given = sip != nullptr && sip->sip_subscription_state != nullptr
					   && sip->sip_subscription_state->ss_reason != nullptr;
	return given ? sip->sip_subscription_state->ss_reason : "";
}

std::uint32_t end_retry_after(const sip_t *sip)
{
	const bool given = sip != nullptr && sip->sip_subscription_state != nullptr
					   && sip->sip_subscription_state->ss_retry_after != nullptr;
	return given ? static_cast<std::uint32_t>(
				   std::strtoul(sip->sip_subscription_state->ss_retry_after, nullptr, 10))
				 : 0;
}

bool challenged(const SipEvent &event) noexcept
{
	return event.status == 401 || event.status == 407;
}

} // namespace

Subscription::Subscription(SipAgent &agent, const Options &options, std::string feed, Topic topic,
		Output &output, Handlers handlers)
	: agent_(agent), options_(options), feed_(std::move(feed)), topic_(topic),
	  label_(topic == Topic::alerts ? feed_ : "watchers of " + feed_), output_(output),
	  handlers_(std::move(handlers)), timer_(agent.root(),
											  [this] {
												  if(phase_ == Phase::ending)
													  finish();
												  else
													  begin();
											  }),
	  expires_(options.expires)
{
}

Subscription::~Subscription()
{
	drop_handle();
}

void Subscription::drop_handle() noexcept
{
	if(handle_ != nullptr)
		nua_handle_destroy(std::exchange(handle_, nullptr));
}

void Subscription::begin()
{
	drop_handle();
	state_.restart();
	watchers_.restart();
	password_given_ = false;
	refreshing_ = false;
	phase_ = Phase::trying;
	handle_ = nua_handle(agent_.nua(), static_cast<SipUser *>(this), NUTAG_URL(feed_.c_str()),
			SIPTAG_TO_STR(feed_.c_str()), SIPTAG_FROM_STR(options_.aor.c_str()), TAG_END());
	refresh();
}

// In the dialog if there is one.
void Subscription::refresh()
{
	const std::string expires = std::to_string(expires_);
	const std::string type = type_of(topic_);
	const std::string accept = type + (options_.authorities.empty() ? "" : sealed_types);
	const bool filters = topic_ == Topic::alerts && !options_.filter.empty();
	nua_subscribe(handle_, SIPTAG_EVENT_STR(package_of(topic_)), SIPTAG_ACCEPT_STR(accept.c_str()),
			SIPTAG_EXPIRES_STR(expires.c_str()),
			TAG_IF(filters, SIPTAG_CONTENT_TYPE_STR(type.c_str())),
			TAG_IF(filters, SIPTAG_PAYLOAD_STR(options_.filter.c_str())), TAG_END());
}

void Subscription::end()
{
	timer_.stop();
	if(phase_ != Phase::active) {
		finish();
		return;
	}
	phase_ = Phase::ending;
	password_given_ = false;
	nua_unsubscribe(handle_, SIPTAG_EVENT_STR(package_of(topic_)), TAG_END());
	timer_.start(final_notify_ms);
}

void Subscription::finish()
{
	timer_.stop();
	phase_ = Phase::over;
	drop_handle();
	handlers_.ended();
}

void Subscription::say(const SipEvent &event, const char *name, std::string reason)
{
	output_.event(
			{event.at, name, label_, event.status, std::move(reason), {}, {}, call_id(event.sip)});
}

void Subscription::on_sip(const SipEvent &event)
{
	if(event.handle != handle_)
		return;
	if(event.type == nua_i_notify)
		on_notify(event);
	else if(event.type == nua_r_subscribe && event.status >= 200)
		on_answer(event);
	else if(event.type == nua_r_unsubscribe && event.status >= 200)
		on_unsubscribed(event);
}

void Subscription::on_answer(const SipEvent &event)
{
	if(phase_ == Phase::ending || phase_ == Phase::over)
		return;
	if(challenged(event) && !password_given_ && agent_.authenticate(event)) {
		password_given_ = true;
		return;
	}
	if(event.status < 300) {
		on_accepted(event);
		return;
	}
	if(event.status == 423 && event.sip != nullptr && event.sip->sip_min_expires != nullptr)
		expires_ = std::max(
				expires_, static_cast<std::uint32_t>(event.sip->sip_min_expires->me_delta));
	if(classify_failure(event.status) == Failure::again) {
		try_again(event, std::string("SUBSCRIBE: ") + event.phrase, event.status == 423);
		return;
	}
	phase_ = Phase::over;
	say(event, "refused", refusal("SUBSCRIBE", event));
	drop_handle();
	handlers_.refused();
}

void Subscription::on_accepted(const SipEvent &event)
{
	password_given_ = false;
	backoff_.reset();
	if(phase_ == Phase::active)
		return; // a refresh
	phase_ = Phase::active;
	std::optional<std::uint32_t> expires;
	if(event.sip != nullptr && event.sip->sip_expires != nullptr)
		expires = static_cast<std::uint32_t>(event.sip->sip_expires->ex_delta);
	output_.event({event.at, "subscribed", label_, event.status, event.phrase, expires, {},
			call_id(event.sip)});
}

void Subscription::on_unsubscribed(const SipEvent &event)
{
	if(challenged(event) && !password_given_ && agent_.authenticate(event)) {
		password_given_ = true;
		return;
	}
	say(event, "unsubscribed", event.phrase);
	if(event.status >= 300)
		finish();
	// else the final NOTIFY ends it
}

void Subscription::on_notify(const SipEvent &event)
{
	if(event.sip == nullptr) {
		// made up by the stack: no NOTIFY came
		if(phase_ != Phase::over)
			on_terminated(event, event.phrase);
		return;
	}
	if(!agent_.is_new(event.sip))
		return;
	Notification n;
	n.received = event.at;
	n.subscribed = label_;
	n.cseq = event.sip->sip_cseq != nullptr ? event.sip->sip_cseq->cs_seq : 0;
	n.call_id = call_id(event.sip);
	n.subscription_state = substate(event.sip);
	n.reason = end_reason(event.sip);
	read_body(event, n);
	n.open = state_.open();
	output_.notification(n);
	if(n.feed && n.outcome.verdict != Verdict::old)
		handlers_.changed(n.outcome);
	if(untrusted_)
		leave_dialog(event);
	else if(strcasecmp(n.subscription_state.c_str(), "terminated") == 0)
		on_terminated(event, n.reason);
	else
		after(event, n);
}

// Somebody on the way changes what comes: where the dialog leads is not known any more either.
void Subscription::leave_dialog(const SipEvent &event)
{
	if(phase_ == Phase::ending)
		finish();
	else if(phase_ != Phase::over)
		try_again(event, "a new subscription, since what comes is not to be trusted", false);
}

// The server has something to tell that it must not send as it is.
void Subscription::tell_withheld(const SipEvent &event)
{
	const auto *const warning = event.sip->sip_warning;
	if(warning != nullptr && warning->w_text != nullptr)
		say(event, "withheld", warning->w_text);
}

void Subscription::read_body(const SipEvent &event, Notification &n)
{
	const Opened opened = agent_.protection().open(event.sip);
	untrusted_ = !opened.refused.empty();
	if(untrusted_) {
		n.mistake = "refused, " + opened.refused;
		say(event, "untrusted", "a NOTIFY is not shown: " + opened.refused);
		return;
	}
	if(opened.body.empty())
		return tell_withheld(event);
	if(opened.type != type_of(topic_)) {
		n.mistake = "the body is not " + type_of(topic_);
		return;
	}
	if(topic_ == Topic::alerts)
		read_alerts(opened.body, n);
	else
		read_watchers(opened.body, n);
	refreshing_ = refreshing_ && !is_full(n);
}

void Subscription::read_watchers(const std::string &body, Notification &n)
{
	auto info = read_winfo(body);
	if(!info) {
		n.mistake = info.error().reason;
		return;
	}
	n.news = watchers_.take(*info);
	n.watchers = std::move(info).value();
}

void Subscription::read_alerts(const std::string &body, Notification &n)
{
	const auto document = dmp::parse(body);
	if(!document) {
		n.mistake = document.error().reason;
		return;
	}
	auto feed = dmp::read_feed(*document);
	if(!feed) {
		n.mistake = feed.error().reason;
		return;
	}
	n.outcome = state_.take(*feed);
	n.feed = std::move(feed).value();
}

// Asks for what is missing.
void Subscription::after(const SipEvent &event, const Notification &n)
{
	const std::string numbers = numbers_of(n);
	if(is_read(n) && verdict_on(n) == Verdict::old) {
		agent_.count_replay();
		say(event, "old", numbers + ", ignored");
		// a whole state that cannot be taken: only a new subscription has a new count
		if(is_full(n) && phase_ == Phase::active)
			try_again(event, "the server's document version has gone back", false);
		return;
	}
	const bool missing = !n.mistake.empty() || (is_read(n) && verdict_on(n) == Verdict::gap);
	if(!missing || refreshing_ || phase_ != Phase::active)
		return;
	refreshing_ = true;
	say(event, "gap", numbers + ", asking for full state");
	refresh();
}

void Subscription::on_terminated(const SipEvent &event, const std::string &reason)
{
	if(phase_ == Phase::ending) {
		finish();
		return;
	}
	// RFC 6665, 4.1.3: these say that a new subscription would fare no better
	for(const char *final : {"rejected", "noresource", "invariant"})
		if(strcasecmp(reason.c_str(), final) == 0) {
			phase_ = Phase::over;
			say(event, "refused", "subscription ended: " + reason);
			drop_handle();
			handlers_.refused();
			return;
		}
	const bool at_once = strcasecmp(reason.c_str(), "deactivated") == 0
						 || strcasecmp(reason.c_str(), "timeout") == 0;
	try_again(event, "subscription ended" + (reason.empty() ? "" : ": " + reason), at_once);
}

void Subscription::try_again(const SipEvent &event, const std::string &why, bool at_once)
{
	phase_ = Phase::idle;
	const std::uint32_t least = std::max(retry_after(event.sip), end_retry_after(event.sip));
	// the backoff grows also here, so that a server which ends every subscription is not flooded
	const std::uint32_t wait = backoff_.next(least, su_randint(0, 1 << 30));
	const std::uint32_t delay = at_once && wait < 2000 ? 0 : wait;
	output_.event({event.at, "retry", label_, event.status, why, {}, delay, call_id(event.sip)});
	drop_handle();
	timer_.start(std::max(delay, 1U));
}

} // namespace bmd::watch
