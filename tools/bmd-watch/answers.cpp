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

constexpr std::uint32_t patience_ms = 10'000; // then the person is told that it is not known
constexpr std::uint32_t memory_ms = 40'000;   // as long a result may still come
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

/// One of them: waiting for its turn, asked, taken by the server (200), over.
class Answers::OnTheWay : public SipUser
{
public:
	OnTheWay(Answers &all, std::string device, dmp::Control control)
		: all_(all), device_(std::move(device)), control_(std::move(control)),
		  timer_(all.agent_.root(), [this] { on_time(); })
	{
		timer_.start(patience_ms);
	}
	~OnTheWay() override { end(); }

	void begin()
	{
		dmp::Document document;
		document.root = dmp::Root::action;
		document.devices.push_back({device_, {control_}});
		const std::string to = server_address(all_.options_.aor);
		handle_ = nua_handle(all_.agent_.nua(), static_cast<SipUser *>(this), NUTAG_URL(to.c_str()),
				SIPTAG_TO_STR(to.c_str()), SIPTAG_FROM_STR(all_.options_.aor.c_str()), TAG_END());
		send(dmp::write(document));
		stage_ = Stage::asked;
		late_ = false;
		timer_.start(patience_ms);
	}
	void on_sip(const SipEvent &event) override
	{
		if(event.type != nua_r_message || stage_ == Stage::over)
			return;
		if(event.sip != nullptr && event.sip->sip_call_id != nullptr)
			call_id_ = event.sip->sip_call_id->i_id;
		if(event.status < 200)
			return on_retry(event);
		if(event.status < 300) { // carried out; the result comes in a MESSAGE of its own
			stage_ = Stage::taken;
			return all_.begin_next(alert());
		}
		const bool challenge = event.status == 401 || event.status == 407;
		if(challenge && !std::exchange(password_given_, true) && all_.agent_.authenticate(event))
			return;
		const std::string &unsealed = all_.agent_.sealing().reason();
		const std::string said = std::to_string(event.status) + ' ' + refusal("MESSAGE", event)
								 + warning_of(event)
								 + (unsealed.empty() ? "" : ", it cannot be signed: " + unsealed);
		// what the stack makes up says nothing of what the server did
		if(from_network(event))
			return all_.finish(*this, 0, "", said);
		stage_ = Stage::unanswered;
		tell_unknown(said + ": look whether it was done, and do it again if not");
		all_.begin_next(alert());
	}
	/// A handle must not be destroyed within its own callback, a timer not within its.
	void end() noexcept
	{
		stage_ = Stage::over;
		all_.agent_.sealing().forget(call_id_);
		timer_.stop();
		if(handle_ != nullptr)
			nua_handle_destroy(std::exchange(handle_, nullptr));
	}
	[[nodiscard]] const std::string &call_id() const noexcept { return call_id_; }
	[[nodiscard]] const std::string &action() const noexcept { return control_.action; }
	[[nodiscard]] const std::string &alert() const noexcept { return control_.arguments.front(); }
	[[nodiscard]] bool waits() const noexcept { return stage_ == Stage::waiting; }
	/// May the server still carry it out?
	[[nodiscard]] bool settled() const noexcept { return stage_ > Stage::asked; }
	[[nodiscard]] bool told() const noexcept { return told_; }

private:
	// A body that is sealed goes out with the credentials.
	void send(const std::string &body)
	{
		Sealing &sealing = all_.agent_.sealing();
		if(!sealing.on()) {
			nua_message(handle_, SIPTAG_CONTENT_TYPE_STR(body_type),
					SIPTAG_PAYLOAD_STR(body.c_str()), TAG_END());
			return;
		}
		call_id_ = sealing.keep({body_type, body, ""});
		nua_message(handle_, SIPTAG_CALL_ID_STR(call_id_.c_str()), TAG_END());
	}

	enum class Stage : std::uint8_t
	{
		waiting, // for the answer before it
		asked,
		taken,
		unanswered,
		over
	};

	// The stack would ask again by itself after Retry-After, when the person has long gone on.
	void on_retry(const SipEvent &event)
	{
		const int came = event.sip != nullptr && event.sip->sip_status != nullptr
								 ? event.sip->sip_status->st_status
								 : 0;
		if(came >= 500)
			all_.finish(
					*this, 0, "", std::to_string(came) + " MESSAGE: refused" + warning_of(event));
	}
	void on_time()
	{
		if(std::exchange(late_, true))
			return all_.drop(*this);
		timer_.start(memory_ms - patience_ms);
		if(stage_ == Stage::waiting)
			tell_unknown("an answer before it is still on its way: it follows");
		else if(stage_ == Stage::taken)
			tell_unknown("the server took it, but its result has not come: look at the alert");
		else if(stage_ == Stage::asked)
			tell_unknown("the server has not answered for 10 s: it may have been done");
	}
	void tell_unknown(std::string reason)
	{
		told_ = true;
		all_.output_.answered(
				{wall_clock(), action(), alert(), 0, "", std::move(reason), /*unknown*/ true});
		all_.tell_when_idle();
	}

	Answers &all_;
	std::string device_;
	dmp::Control control_;
	std::string call_id_;
	Timer timer_;
	nua_handle_t *handle_ = nullptr;
	Stage stage_ = Stage::waiting;
	bool password_given_ = false;
	bool late_ = false;
	bool told_ = false;
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
	begin_next(control.arguments.front());
}

bool Answers::busy() const noexcept
{
	return std::ranges::any_of(under_way_, [](const auto &one) { return !one->told(); });
}

// The first of this alert that waits, when none before it may still be carried out.
void Answers::begin_next(const std::string &alert)
{
	for(const auto &one : under_way_) {
		if(one->alert() != alert)
			continue;
		if(one->waits())
			return one->begin();
		if(!one->settled())
			return;
	}
}

void Answers::tell_when_idle()
{
	if(!busy())
		idle_();
}

void Answers::drop(OnTheWay &answer)
{
	const std::string alert = answer.alert();
	answer.end();
	const auto found =
			std::ranges::find_if(under_way_, [&](const auto &one) { return one.get() == &answer; });
	if(found != under_way_.end())
		over_.splice(over_.end(), under_way_, found);
	begin_next(alert);
}

void Answers::finish(OnTheWay &answer, int status, std::string result, std::string reason)
{
	output_.answered({wall_clock(), answer.action(), answer.alert(), status, std::move(result),
			std::move(reason)});
	drop(answer);
	tell_when_idle();
}

void Answers::on_message(const SipEvent &event)
{
	const sip_t *const sip = event.sip;
	if(sip == nullptr || sip->sip_in_reply_to == nullptr || sip->sip_payload == nullptr
			|| sip->sip_in_reply_to->k_items == nullptr)
		return;
	const std::string id = sip->sip_in_reply_to->k_items[0];
	const auto found = std::find_if(under_way_.begin(), under_way_.end(),
			[&](const auto &one) { return one->call_id() == id; });
	if(found == under_way_.end())
		return;
	const Opened opened = agent_.protection().open(sip);
	if(!opened.refused.empty())
		return finish(**found, 0, "", "the result is not to be trusted: " + opened.refused);
	if(opened.type != body_type)
		return;
	const auto document = dmp::parse(opened.body);
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
