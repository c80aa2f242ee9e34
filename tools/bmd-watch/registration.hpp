/// @file registration.hpp  The terminal's registration: made, kept, taken back.
/// SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include <functional>

#include "backoff.hpp"
#include "sip_agent.hpp"
#include "watch_output.hpp"

namespace bmd::watch {

/// The stack refreshes it; this tries again when that fails.
class Registration : public SipUser
{
public:
	/// Called when the first REGISTER has been accepted; when it has been refused for good.
	struct Handlers
	{
		std::function<void()> registered;
		std::function<void()> refused;
		std::function<void()> ended;
	};

	Registration(SipAgent &agent, const Options &options, Output &output, Handlers handlers);
	~Registration() override;

	void begin();
	/// Unregisters; `ended` is called when the server has answered, or at once when there is
	/// nothing.
	void end();
	void on_sip(const SipEvent &event) override;

private:
	void on_answer(const SipEvent &event);
	void try_again(const SipEvent &event);
	void drop_handle() noexcept;

	SipAgent &agent_;
	const Options &options_;
	Output &output_;
	Handlers handlers_;
	Timer timer_;
	Backoff backoff_;
	nua_handle_t *handle_ = nullptr;
	bool password_given_ = false; // since the last answer that was no challenge
	bool registered_ = false;
	bool announced_ = false;
	bool ending_ = false;
};

} // namespace bmd::watch
