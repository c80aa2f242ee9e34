/// @file answers.hpp  Answers to alerts on their way: MESSAGE out, its result back.
/// SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include <functional>
#include <list>
#include <memory>
#include <string>

#include "bmd/dmp.hpp"
#include "sip_agent.hpp"
#include "watch_output.hpp"

namespace bmd::watch {

/// Sends DMP Controls in MESSAGE and tells the output what became of each.
class Answers : public MessageTaker
{
public:
	/// `idle` is called whenever none is under way any more.
	Answers(SipAgent &agent, const Options &options, Output &output, std::function<void()> idle);
	~Answers() override;

	/// `device`: serial number, or "*" for whichever device the alert is of.
	void send(const std::string &device, const dmp::Control &control);
	[[nodiscard]] bool busy() const noexcept { return !under_way_.empty(); }
	void on_message(const SipEvent &event) override;

private:
	class OnTheWay;

	void finish(OnTheWay &answer, int status, std::string result, std::string reason);

	SipAgent &agent_;
	const Options &options_;
	Output &output_;
	std::function<void()> idle_;
	std::list<std::unique_ptr<OnTheWay>> under_way_;
	std::list<std::unique_ptr<OnTheWay>> over_; // until the stack has left their callbacks
};

} // namespace bmd::watch
