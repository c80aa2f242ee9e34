/// @file answers.cpp  Answers to alerts on their way.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "answers.hpp"

#include <algorithm>
#include <sofia-sip/nua_tag.h>
#include <sofia-sip/sip.h>
#include <sofia-sip/sip_tag.h>
#include <strings.h>
#include <utility>

#include "bmd/dmp_control.hpp"

namespace bmd::watch {

namespace {

constexpr std::uint32_t patience_ms = 10'000;
constexpr const char *body_type = "application/dmp";

// "sip:alert@home.example" of "sip:tech1@home.example".
std::string server_address(const std::string &aor)
{
	const std::size_t at = aor.find('@');
	const std::size_t scheme = aor.find(':') + 1;
	return aor.substr(0, scheme) + "alert@" + aor.substr(at == std::string::npos ? scheme : at + 1);
}

std::string warning_of(const SipEvent &event)
{
	const auto *const warning = event.sip != nullptr ? event.sip->sip_warning : nullptr;
	return warning != nullptr && warning->w_text != nullptr ? std::string(": ") + warning->w_text
															: "";
}

} // namespace

/// One of them.
class Answers::OnTheWay : public SipUser
{
public:
	OnTheWay(Answers &all, const std::string &device, const dmp::Control &control)
		: all_(all), action_(control.action), alert_(control.arguments.front()),
		  timer_(all.agent_.root(), [this] {
			  all_.finish(*this, 0, "", "no result came within 10 s: look, and do it again");
		  })
	{
		dmp::Document document;
		document.root = dmp::Root::action;
		document.devices.push_back({device, {control}});
		const std::string to = server_address(all_.options_.aor);
		handle_ = nua_handle(all_.agent_.nua(), static_cast<SipUser *>(this), NUTAG_URL(to.c_str()),
				SIPTAG_TO_STR(to.c_str()), SIPTAG_FROM_STR(all_.options_.aor.c_str()), TAG_END());
		nua_message(handle_, SIPTAG_CONTENT_TYPE_STR(body_type),
				SIPTAG_PAYLOAD_STR(dmp::write(document).c_str()), TAG_END());
		timer_.start(patience_ms);
	}
	~OnTheWay() override { end(); }

	void on_sip(const SipEvent &event) override
	{
		if(event.type != nua_r_message || over_)
			return;
		if(event.sip != nullptr && event.sip->sip_call_id != nullptr)
			call_id_ = event.sip->sip_call_id->i_id;
		if(event.status < 300)
			return; // the result comes in a MESSAGE of its own
		const bool challenge = event.status == 401 || event.status == 407;
		if(challenge && !std::exchange(password_given_, true) && all_.agent_.authenticate(event))
			return;
		all_.finish(*this, 0, "",
				std::to_string(event.status) + ' ' + refusal("MESSAGE", event) + warning_of(event));
	}
	/// A handle must not be destroyed within its own callback, a timer not within its.
	void end() noexcept
	{
		over_ = true;
		timer_.stop();
		if(handle_ != nullptr)
			nua_handle_destroy(std::exchange(handle_, nullptr));
	}
	[[nodiscard]] const std::string &call_id() const noexcept { return call_id_; }
	[[nodiscard]] const std::string &action() const noexcept { return action_; }
	[[nodiscard]] const std::string &alert() const noexcept { return alert_; }

private:
	Answers &all_;
	std::string action_;
	std::string alert_;
	std::string call_id_;
	Timer timer_;
	nua_handle_t *handle_ = nullptr;
	bool password_given_ = false;
	bool over_ = false;
};

Answers::Answers(
		SipAgent &agent, const Options &options, Output &output, std::function<void()> idle)
	: agent_(agent), options_(options), output_(output), idle_(std::move(idle))
{
	agent_.give_messages_to(this);
}

Answers::~Answers()
{
	agent_.give_messages_to(nullptr);
}

void Answers::send(const std::string &device, const dmp::Control &control)
{
	over_.clear();
	under_way_.push_back(std::make_unique<OnTheWay>(*this, device, control));
}

void Answers::finish(OnTheWay &answer, int status, std::string result, std::string reason)
{
	output_.answered({wall_clock(), answer.action(), answer.alert(), status, std::move(result),
			std::move(reason)});
	answer.end();
	const auto found = std::find_if(under_way_.begin(), under_way_.end(),
			[&](const auto &one) { return one.get() == &answer; });
	if(found != under_way_.end())
		over_.splice(over_.end(), under_way_, found);
	if(!busy())
		idle_();
}

void Answers::on_message(const SipEvent &event)
{
	const sip_t *const sip = event.sip;
	if(sip == nullptr || sip->sip_in_reply_to == nullptr || sip->sip_payload == nullptr
			|| sip->sip_content_type == nullptr
			|| strcasecmp(sip->sip_content_type->c_type, body_type) != 0
			|| sip->sip_in_reply_to->k_items == nullptr)
		return;
	const std::string id = sip->sip_in_reply_to->k_items[0];
	const auto found = std::find_if(under_way_.begin(), under_way_.end(),
			[&](const auto &one) { return one->call_id() == id; });
	if(found == under_way_.end())
		return;
	const auto document = dmp::parse({sip->sip_payload->pl_data, sip->sip_payload->pl_len});
	if(!document)
		return finish(**found, 0, "", "the result cannot be read: " + document.error().reason);
	for(const dmp::Device &device : document->devices)
		if(const auto *const said = std::get_if<dmp::ControlResponse>(&device.entries.front())) {
			auto result = dmp::read_control_response(*said);
			return finish(
					**found, result.status, std::move(result.result), std::move(result.reason));
		}
	finish(**found, 0, "", "the result says nothing of the answer");
}

} // namespace bmd::watch
