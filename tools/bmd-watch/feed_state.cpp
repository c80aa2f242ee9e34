/// @file feed_state.cpp  What a terminal knows of one feed.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "feed_state.hpp"

#include <algorithm>
#include <tuple>

namespace bmd::watch {

std::string_view to_string(Verdict verdict) noexcept
{
	switch(verdict) {
		case Verdict::taken:
			return "taken";
		case Verdict::gap:
			return "gap";
		case Verdict::old:
			return "old";
	}
	return "?";
}

Outcome FeedState::take(const dmp::Feed &feed)
{
	Outcome outcome;
	outcome.last = version_;
	if(version_ && feed.version <= *version_) {
		outcome.verdict = Verdict::old;
		return outcome;
	}
	if(!feed.full && (!version_ || feed.version != *version_ + 1))
		outcome.verdict = Verdict::gap;
	version_ = feed.version;
	if(feed.full) {
		for(const auto &[id, alert] : alerts_)
			unconfirmed_.insert(id);
		following_ = feed.more;
	} else {
		const auto named = static_cast<std::uint32_t>(feed.alerts.size());
		following_ = feed.more != 0 ? feed.more : following_ - std::min(following_, named);
	}
	for(const AlertView &alert : feed.alerts)
		merge(alert, outcome.changes);
	if(following_ == 0)
		drop_unconfirmed(outcome.changes);
	return outcome;
}

void FeedState::merge(const AlertView &alert, std::vector<Change> &changes)
{
	unconfirmed_.erase(alert.id);
	const auto known = alerts_.find(alert.id);
	if(known != alerts_.end() && alert.revision < known->second.revision)
		return;
	if(alert.state == AlertState::cleared) {
		// also when it was never known: somebody else's answer may have overtaken us
		if(known != alerts_.end())
			alerts_.erase(known);
		changes.push_back({ChangeKind::cleared, alert, {}});
		return;
	}
	if(known == alerts_.end())
		changes.push_back({ChangeKind::raised, alert, {}});
	else if(alert.revision > known->second.revision)
		changes.push_back({ChangeKind::changed, alert, known->second});
	alerts_.insert_or_assign(alert.id, alert);
}

void FeedState::drop_unconfirmed(std::vector<Change> &changes)
{
	for(const std::string &id : unconfirmed_) {
		const auto gone = alerts_.find(id);
		if(gone == alerts_.end())
			continue;
		changes.push_back({ChangeKind::cleared, gone->second, {}});
		alerts_.erase(gone);
	}
	unconfirmed_.clear();
}

void FeedState::restart() noexcept
{
	version_.reset();
	following_ = 0;
	unconfirmed_.clear();
}

void sort_by_urgency(std::vector<AlertView> &alerts)
{
	const auto rank = [](const AlertView &alert) {
		return std::make_tuple(alert.suppressed != Suppression::none,
				-static_cast<int>(alert.priority), alert.onset_at, alert.id);
	};
	std::sort(alerts.begin(), alerts.end(),
			[&](const AlertView &a, const AlertView &b) { return rank(a) < rank(b); });
}

std::vector<AlertView> FeedState::open() const
{
	std::vector<AlertView> alerts;
	for(const auto &[id, alert] : alerts_)
		alerts.push_back(alert);
	sort_by_urgency(alerts);
	return alerts;
}

} // namespace bmd::watch
