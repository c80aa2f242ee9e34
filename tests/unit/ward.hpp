/// @file ward.hpp  A store with people, devices and policies, and the notifier that tells of it.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Only the NOTIFY itself is caught.

#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <vector>

#include "answer.hpp"
#include "bmd/dmp_feed.hpp"
#include "book.hpp"
#include "documents.hpp"
#include "feeds.hpp"
#include "holding.hpp"
#include "notifier.hpp"
#include "permits.hpp"
#include "registry.hpp"
#include "suites.hpp"
#include "view.hpp"
#include "watchers.hpp"

namespace bmd_test {

using bmd::Decision;
using bmd::NotifyState;
using bmd::PolicyResource;
using bmd::PolicyRule;
using bmd::PolicyWatcher;
using bmd::Standing;

inline constexpr const char *name = "Carla Example";
inline constexpr const char *address = "3 Sample Street";
inline constexpr const char *location = "bedroom";

inline bmd::Shown shown(const char *what)
{
	return bmd::parse_shown(what).value();
}

inline std::string told(const std::string &body)
{
	const auto document = bmd::dmp::parse(body);
	const auto feed = document ? bmd::dmp::read_feed(*document) : document.error();
	CU_ASSERT(feed.ok());
	if(!feed)
		return "?";
	std::string text = feed->full ? "full" : "part";
	for(const bmd::AlertView &alert : feed->alerts)
		text += " " + alert.serial + (alert.state == bmd::AlertState::cleared ? "-" : "")
				+ (alert.patient_name.empty() ? "" : "/name")
				+ (alert.patient_address.empty() ? "" : "/address")
				+ (alert.location.empty() ? "" : "/location");
	if(feed->counted)
		text += " +" + std::to_string(*feed->counted);
	return text;
}

// "full ann: dev.D0: bob/pending/subscribe" of watcher information.
inline std::string told_watchers(const std::string &body)
{
	const auto user_of = [](const std::string &uri) { return uri.substr(4, uri.find('@') - 4); };
	const auto info = bmd::read_winfo(body);
	CU_ASSERT(info.ok());
	if(!info)
		return "?";
	std::string text = info->full ? "watchers full" : "watchers part";
	for(const bmd::WatcherList &list : info->lists) {
		text += " " + user_of(list.resource) + ":";
		for(const bmd::WatcherEntry &watcher : list.watchers)
			text += " " + user_of(watcher.uri) + "/" + std::string(to_string(watcher.status)) + "/"
					+ std::string(to_string(watcher.event));
	}
	return text;
}

// ann: responsible for D0 and D1, and may watch the ward (D0).  bob: for nothing.  D0 stands in the
// north.
class Ward
{
public:
	Ward()
	{
		bmd::Limits limits;
		limits.devices = 4;
		limits.feeds = 16;
		limits.alerts = 40;
		limits.journal_bytes = 1U << 16;
		limits.alert_events = 1024;
		limits.changes = 1024;
		limits.subscriptions = 128;
		limits.notifiers = 1;
		limits.duty_bytes = 1U << 16;
		std::size_t needed = 0;
		CU_ASSERT(bmd::create_store(limits, needed) != nullptr);
		bmd::set_feed_domain("test.example");
		bmd::store()->settings.reopen.store(60 * bmd::second_us);
		CU_ASSERT(bmd::put_patient({7, name, address}, 1) != 0);
		bmd::FeedChanges changes;
		CU_ASSERT(bmd::put_person("ann", std::vector<std::string>{"grp.ward"}, changes));
		CU_ASSERT(bmd::put_person("bob", {}, changes));
		for(const char *serial : {"D0", "D1"}) {
			(void)bmd::put_type({serial[1] == '0' ? "Oxi" : "Vent", bmd::second_us}, 1);
			bmd::DeviceRow row;
			row.database_id = serial[1];
			row.serial = serial;
			row.type = serial[1] == '0' ? "Oxi" : "Vent";
			row.location = location;
			row.patient = 7;
			CU_ASSERT(bmd::put_device(row, 1) != 0);
			member("ann", serial);
		}
		member("grp.ward", "D0");
		member("#north", "D0");
	}
	Ward(const Ward &) = delete;
	Ward &operator=(const Ward &) = delete;
	~Ward() { bmd::release_store(); }

	static void member(const char *feed, const char *serial)
	{
		bmd::FeedChanges changes;
		CU_ASSERT(bmd::put_member(feed, serial, bmd::new_mark(), changes));
	}

	// For a person, about this; "person/resource what".
	PolicyRule &rule(PolicyWatcher watcher, const char *who, PolicyResource resource,
			const char *what, Decision decision, const char *seen = "full")
	{
		PolicyRule &rule = rules_.emplace_back();
		rule.id = static_cast<std::int32_t>(rules_.size());
		rule.watcher = watcher;
		rule.who = who;
		rule.resource = resource;
		rule.what = what;
		rule.decision = decision;
		rule.shown = shown(seen);
		return rule;
	}
	PolicyRule &for_ann(
			PolicyResource resource, const char *what, Decision decision, const char *seen = "full")
	{
		return rule(PolicyWatcher::person, "ann", resource, what, decision, seen);
	}
	PolicyRule &for_bob(
			PolicyResource resource, const char *what, Decision decision, const char *seen = "full")
	{
		return rule(PolicyWatcher::person, "bob", resource, what, decision, seen);
	}
	void answer(const char *user, const char *feed, bool approved)
	{
		answers_[{user, feed}] = approved;
	}
	void forget_rules() { rules_.clear(); }
	void publish() { CU_ASSERT(bmd::publish_policy({rules_, {}, answers_, "Etc/UTC"})); }

	void subscribe(const char *user, const char *feed, bool pending = false)
	{
		bmd::SubRef ref;
		bmd::mark_watched(feed);
		CU_ASSERT(bmd::put_sub(++dialog_, feed, user, bmd::mono_now() + 3600 * bmd::second_us, ref,
						  pending)
				  == bmd::Admission::done);
		(void)pass(); // the policy so far has been seen
	}

	// As a SUBSCRIBE that was accepted.
	bmd::SubRef watch(const char *user, const char *feed, bool pending = false)
	{
		bmd::SubRef ref;
		bmd::mark_watched(bmd::winfo_feed(feed));
		CU_ASSERT(bmd::put_sub(++dialog_, feed, user, bmd::mono_now() + 3600 * bmd::second_us, ref,
						  pending)
				  == bmd::Admission::done);
		bmd::watcher_accepted(ref);
		return ref;
	}
	// Time in which nothing is told of watchers passes.
	void rest()
	{
		holding_.winfo.look_at = 0;
		for(auto &[dialog, due] : holding_.winfo.due)
			due = 0;
		for(bmd::Index i = 1; i <= bmd::store()->subs.used; ++i)
			bmd::store()->subs[i].full_at -= 5 * bmd::second_us;
	}

	static bmd::Index raise(const char *serial, bmd::Priority priority = bmd::Priority::medium)
	{
		const std::shared_lock<bmd::RwLock> registry(bmd::store()->registry_lock);
		bmd::NewAlert seed;
		seed.device = bmd::find_device(serial);
		seed.metric = bmd::find_metric("SpO2")->id;
		seed.priority = priority;
		seed.value = 80;
		seed.limit = 90;
		seed.onset_at = 1;
		const std::lock_guard<bmd::Mutex> stripe(bmd::store()->stripe[seed.device % bmd::stripes]);
		return bmd::raise_alert(seed);
	}

	// What a pass of the notifier sends, document by document; "!rejected" of a last NOTIFY.
	std::string pass()
	{
		std::string all;
		bmd::notify_once(
				0, 0,
				[&](const std::string &uri, const std::string &body) {
					if(on_send)
						on_send();
					all += (all.empty() ? "" : "; ") + uri.substr(4, uri.find('~') - 4) + " ";
					switch(bmd::notify_state()) {
						case NotifyState::active:
							all += bmd::sending_winfo() ? told_watchers(body) : told(body);
							bodies.push_back(body);
							break;
						case NotifyState::pending:
							all += "!pending";
							break;
						case NotifyState::rejected:
							all += "!rejected";
							break;
						case NotifyState::deactivated:
							all += "!deactivated";
							break;
					}
				},
				holding_);
		return all;
	}
	std::vector<std::string> bodies;
	std::function<void()> on_send; // before each document

private:
	bmd::Holding holding_;
	std::vector<PolicyRule> rules_;
	std::map<bmd::Policy::Pair, bool> answers_;
	std::uint64_t dialog_ = 1000;
};

inline bmd::Verdict verdict(const char *user, const char *feed)
{
	const std::shared_lock<bmd::RwLock> registry(bmd::store()->registry_lock);
	return bmd::Permits().on_feed(user, feed);
}

inline Standing standing(const char *user, const char *feed)
{
	return standing_of(verdict(user, feed));
}

} // namespace bmd_test
