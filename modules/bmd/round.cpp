/// @file round.cpp  What one round of a notifier has to say.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include <algorithm>
#include <shared_mutex>

#include "fitting.hpp"
#include "teller.hpp"

namespace bmd {

PartialDocuments &Round::documents_of(const std::vector<std::size_t> &which)
{
	const auto known = documents_.find(which);
	if(known != documents_.end())
		return known->second;
	std::vector<AlertRec> alerts;
	for(const std::size_t i : which)
		if(auto state = present_state(work_.alerts[i]); state)
			alerts.push_back(*state);
	return documents_.emplace(which, PartialDocuments(std::move(alerts))).first->second;
}

const SeenChange &Round::seen(std::size_t i)
{
	if(!seen_[i])
		seen_[i] = see_change(work_.alerts[i], work_.begins[i]);
	return *seen_[i];
}

bool Round::chatters(const std::vector<std::size_t> &which) const noexcept
{
	return std::ranges::any_of(which, [&](std::size_t i) { return work_.alerts[i].chattering; });
}

std::vector<std::size_t> fitting_of(const SubTarget &target, std::string_view feed,
		const std::vector<std::size_t> &which, Look look, Round &round)
{
	const Fitting fitting(target.filter);
	std::vector<std::size_t> fit;
	for(const std::size_t i : which) {
		const SeenChange &change = round.seen(i);
		if(!change.state)
			continue; // newer news of it is on the way
		const std::shared_lock<RwLock> registry(store()->registry_lock);
		Verdict verdict;
		if(look == Look::some)
			verdict = Permits().on_alert(target.user, feed, *change.state);
		// one that is only counted must not be told by whether its changes are
		const bool counted = verdict.allows() && !verdict.shown.alerts;
		if(counted ? !round.value_only(i) : fitting.fits(*change.state, verdict.shown))
			fit.push_back(i);
	}
	return fit;
}

void Round::forget()
{
	documents_.clear();
	seen_.assign(seen_.size(), std::nullopt);
}

namespace {

// The later state stands for both.  Its number.
std::size_t add_alert(Work &work, const AlertRec &alert)
{
	for(std::size_t i = 0; i < work.alerts.size(); ++i) {
		if(work.alerts[i].id != alert.id)
			continue;
		const bool value_only = work.alerts[i].value_only && alert.value_only;
		work.alerts[i] = alert;
		work.alerts[i].value_only = value_only;
		return i;
	}
	work.alerts.push_back(alert);
	work.begins.push_back(alert.revision == alert.began);
	return work.alerts.size() - 1;
}

} // namespace

void add_change(Work &work, const FeedChange &change)
{
	if(change.sub.slot != 0) {
		work.subs.push_back(change.sub);
	} else if(change.alert.serial[0] == '\0') {
		work.feeds.emplace(change.feed);
	} else {
		const std::size_t alert = add_alert(work, change.alert);
		if(change.feed[0] == '\0')
			work.widely.insert(alert);
		else
			work.concerns.push_back({change.feed, alert});
	}
}

} // namespace bmd
