/// @file telling.cpp  What one watcher is shown of alerts.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "telling.hpp"

#include "documents.hpp"

namespace bmd {

Telling tell_to(const Permits &permits, std::string_view user, std::string_view feed,
		std::vector<AlertRec> alerts)
{
	Telling telling;
	if(!permits.restricts(user, feed)) {
		telling.alerts = std::move(alerts);
		return telling;
	}
	telling.user = user;
	if(!permits.on_feed(user, feed).shown.alerts)
		telling.counted = 0;
	for(AlertRec &alert : alerts) {
		const Verdict verdict = permits.on_alert(user, feed, alert);
		if(!verdict.allows())
			continue;
		if(!verdict.shown.alerts) {
			telling.counted = telling.counted.value_or(0) + 1;
			continue;
		}
		telling.alerts.push_back(alert);
		telling.shown.push_back(verdict.shown);
	}
	return telling;
}

Sight sight_of(const Permits &permits, std::string_view user, std::string_view feed)
{
	Sight sight;
	const Verdict verdict = permits.on_feed(user, feed);
	switch(standing_of(verdict)) {
		case Standing::active:
			break;
		case Standing::decoy:
			sight.state = Sight::State::on;
			if(!verdict.shown.alerts)
				sight.counted = 0;
			return sight;
		case Standing::pending:
			sight.state = Sight::State::pending;
			return sight;
		default:
			return sight;
	}
	sight.state = Sight::State::on;
	const Telling telling = tell_to(permits, user, feed, feed_alerts(feed));
	for(std::size_t i = 0; i < telling.alerts.size(); ++i)
		sight.alerts.emplace_back(telling.alerts[i].id, telling.of(i));
	sight.counted = telling.counted;
	return sight;
}

} // namespace bmd
