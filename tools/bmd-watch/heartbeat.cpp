/// @file heartbeat.cpp  Does the server still answer?
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "heartbeat.hpp"

#include <sofia-sip/nua_tag.h>
#include <sofia-sip/sip.h>
#include <sofia-sip/sip_tag.h>
#include <utility>

namespace bmd::watch {

namespace {

constexpr std::uint32_t period_ms = 20'000;
constexpr std::uint32_t patience_ms = 6'000;

} // namespace

Heartbeat::Heartbeat(SipAgent &agent, const Options &options, Output &output)
	: agent_(agent), options_(options), output_(output), next_(agent.root(), [this] { beat(); }),
	  silence_(agent.root(), [this] { on_silence(); })
{
}

Heartbeat::~Heartbeat()
{
	end();
}

void Heartbeat::begin()
{
	heard_at_ = wall_clock();
	beat();
}

void Heartbeat::end() noexcept
{
	next_.stop();
	silence_.stop();
	if(handle_ != nullptr)
		nua_handle_destroy(std::exchange(handle_, nullptr));
}

// A new handle each time: what became of the last OPTIONS no longer matters.
void Heartbeat::beat()
{
	if(handle_ != nullptr)
		nua_handle_destroy(std::exchange(handle_, nullptr));
	handle_ = nua_handle(agent_.nua(), static_cast<SipUser *>(this),
			NUTAG_URL(options_.registrar.c_str()), SIPTAG_TO_STR(options_.registrar.c_str()),
			SIPTAG_FROM_STR(options_.aor.c_str()), TAG_END());
	nua_options(handle_, TAG_END());
	silence_.start(patience_ms);
	next_.start(period_ms);
}

void Heartbeat::on_sip(const SipEvent &event)
{
	// what the stack makes up itself did not come from the server
	if(event.type != nua_r_options || !from_network(event) || event.handle != handle_)
		return;
	silence_.stop();
	heard_at_ = event.at;
	if(std::exchange(deaf_, false))
		output_.event(
				{event.at, "heard", "", event.status, "the server answers again", {}, {}, ""});
}

void Heartbeat::on_silence()
{
	deaf_ = true;
	output_.event(
			{wall_clock(), "deaf", "", 0, "no answer from the server", {}, {}, "", heard_at_});
}

} // namespace bmd::watch
