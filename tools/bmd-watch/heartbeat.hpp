/// @file heartbeat.hpp  Does the server still answer?
/// SPDX-License-Identifier: GPL-2.0-or-later
/// A screen without news looks the same whether nothing happens or nothing comes through.

#pragma once

#include "sip_agent.hpp"
#include "watch_output.hpp"

namespace bmd::watch {

/// Sends OPTIONS every 20 s.  Whatever status it is answered with, the server was heard; when
/// nothing comes within 6 s the output is told (event "deaf"), and again when it is heard
/// ("heard").
class Heartbeat : public SipUser
{
public:
	Heartbeat(SipAgent &agent, const Options &options, Output &output);
	~Heartbeat() override;

	void begin();
	void end() noexcept;
	void on_sip(const SipEvent &event) override;

private:
	void beat();
	void on_silence();

	SipAgent &agent_;
	const Options &options_;
	Output &output_;
	Timer next_;
	Timer silence_;
	nua_handle_t *handle_ = nullptr;
	TimeUs heard_at_ = 0;
	bool deaf_ = false;
};

} // namespace bmd::watch
