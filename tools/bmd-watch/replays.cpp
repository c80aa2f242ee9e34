/// @file replays.cpp  Which NOTIFYs have come before.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "replays.hpp"

#include <algorithm>

namespace bmd::watch {

namespace {

constexpr std::size_t most_dialogs = 64;
constexpr std::size_t most_transactions = 64; // of a dialog that may be sent again
constexpr DurationUs transaction = 32 * second_us;

} // namespace

const Replays::Dialog *Replays::find(const std::string &name) const
{
	const auto found = std::ranges::find(dialogs_, name, &Dialog::name);
	return found == dialogs_.end() ? nullptr : &*found;
}

bool Replays::take(const NotifyName &notify, TimeUs now)
{
	auto found = std::ranges::find(dialogs_, notify.dialog, &Dialog::name);
	if(found == dialogs_.end()) {
		dialogs_.push_front({notify.dialog, notify.cseq, {{notify.cseq, notify.branch, now}}});
		if(dialogs_.size() > most_dialogs)
			dialogs_.pop_back();
		return true;
	}
	if(notify.cseq <= found->last)
		return false;
	found->last = notify.cseq;
	found->lately.push_back({notify.cseq, notify.branch, now});
	if(found->lately.size() > most_transactions)
		found->lately.pop_front();
	return true;
}

bool Replays::is_replay(const NotifyName &notify, TimeUs now) const
{
	const Dialog *const dialog = find(notify.dialog);
	if(dialog == nullptr || notify.cseq > dialog->last)
		return false;
	return std::ranges::none_of(dialog->lately, [&](const Transaction &one) {
		return one.cseq == notify.cseq && one.branch == notify.branch && now - one.at < transaction;
	});
}

} // namespace bmd::watch
