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

/// Sends DMP Controls in MESSAGE and tells the output what became of each.  Answers to one alert go
/// out one after the other: the next when the server has answered the one before, which it does
/// once that has been carried out.  After 10 s without a result the output is told that it is not
/// known; a result that comes within 40 s corrects that.
class Answers : public MessageTaker
{
public:
	/// `idle` is called whenever something has been told of each.
	Answers(SipAgent &agent, const Options &options, Output &output, std::function<void()> idle);
	~Answers() override;

	/// `device`: serial number, or "*" for whichever device the alert is of.
	void send(const std::string &device, const dmp::Control &control);
	/// Is there one of which nothing has been told yet?
	[[nodiscard]] bool busy() const noexcept;
	void on_message(const SipEvent &event) override;

private:
	class OnTheWay;

	void begin_next(const std::string &alert);
	void tell_when_idle();
	void drop(OnTheWay &answer);
	void finish(OnTheWay &answer, int status, std::string result, std::string reason);

	SipAgent &agent_;
	const Options &options_;
	Output &output_;
	std::function<void()> idle_;
	std::list<std::unique_ptr<OnTheWay>> under_way_;
	std::list<std::unique_ptr<OnTheWay>> over_; // until the stack has left their callbacks
};

} // namespace bmd::watch
