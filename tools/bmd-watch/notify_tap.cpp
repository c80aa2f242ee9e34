/// @file notify_tap.cpp  Every NOTIFY that comes, also those that the SIP stack answers by itself.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "notify_tap.hpp"

#include <exception>
#include <sofia-sip/msg.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_parser.h>
#include <utility>

namespace bmd::watch {

namespace {

using ExtractBody = decltype(msg_mclass_t::mc_extract_body);

ExtractBody stacks_own = nullptr;

std::function<void(const sip_t &)> &taker_of_all()
{
	static std::function<void(const sip_t &)> taker;
	return taker;
}

bool is_notify(const sip_t *sip) noexcept
{
	return sip != nullptr && sip->sip_request != nullptr
		   && sip->sip_request->rq_method == sip_method_notify;
}

// Called first at the empty line behind the headers, then for the body as it comes.
issize_t extract(msg_t *msg, msg_pub_t *parts, char bytes[], isize_t size, int end)
{
	const bool before = (parts->msg_flags & MSG_FLG_BODY) == 0;
	const issize_t taken = stacks_own(msg, parts, bytes, size, end);
	const sip_t *const sip = sip_object(msg);
	if(before && (parts->msg_flags & MSG_FLG_BODY) != 0 && is_notify(sip)) {
		try {
			taker_of_all()(*sip);
		} catch(const std::exception &) { // no memory: one that is not counted
		}
	}
	return taken;
}

} // namespace

const msg_mclass_t *tapped_messages(std::function<void(const sip_t &)> taker)
{
	static msg_mclass_t *const made = msg_mclass_clone(sip_default_mclass(), 0, 0);
	if(made == nullptr)
		return nullptr;
	taker_of_all() = std::move(taker);
	if(stacks_own == nullptr)
		stacks_own = std::exchange(made->mc_extract_body, extract);
	return made;
}

} // namespace bmd::watch
