/// @file permits.cpp  Who may see what at one moment.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "permits.hpp"

#include <string>
#include <unordered_map>
#include <vector>

#include "documents.hpp"
#include "registry.hpp"

namespace bmd {

namespace {

constexpr std::string_view group_prefix = "grp.";
constexpr std::string_view device_prefix = "dev.";
constexpr std::string_view area_prefix = "#";

using Places = std::vector<std::size_t>;

// Which rules are for somebody is asked for every alert and subscription.
class RulesOfPeople
{
public:
	const Places &operator()(const std::shared_ptr<const Policy> &policy, std::string_view user,
			const PolicyPerson &person)
	{
		constexpr std::size_t most = 50'000;
		if(policy != policy_ || known_.size() > most) {
			known_.clear();
			policy_ = policy;
		}
		const auto [at, is_new] =
				known_.try_emplace((person.responsible ? "+" : "-") + std::string(user));
		if(is_new)
			at->second = policy->rules_for(person);
		return at->second;
	}

private:
	std::shared_ptr<const Policy> policy_;
	std::unordered_map<std::string, Places> known_;
};

// Until the next call.
const Places &rules_of(const std::shared_ptr<const Policy> &policy, std::string_view user,
		const PolicyPerson &person)
{
	static RulesOfPeople rules; // of this process
	return rules(policy, user, person);
}

// As the digest has it: "alice@other.example" is of another domain.
PolicyPerson person_of(std::string_view user)
{
	const std::size_t at = user.rfind('@');
	if(at == std::string_view::npos)
		return {user, {}, false};
	const std::string_view domain = user.substr(at + 1);
	return {user.substr(0, at), domain == feed_domain() ? std::string_view() : domain, false};
}

// With what the assignments say of this feed.
PolicyPerson watcher_of(std::string_view user, std::string_view feed)
{
	PolicyPerson person = person_of(user);
	person.responsible = person.domain.empty() && may_watch(person.user, feed);
	return person;
}

// Of ours only enabled technicians are anybody.
bool is_somebody(const PolicyPerson &person)
{
	if(!person.domain.empty())
		return true;
	const Index feed = find_feed(person.user);
	return feed != 0 && !store()->feeds[feed].is_group;
}

// The number of a patient as a rule has it; the view lives as long as this.
class Number
{
public:
	explicit Number(std::int64_t number) : text_(number == 0 ? "" : std::to_string(number)) {}
	[[nodiscard]] std::string_view view() const noexcept { return text_; }

private:
	std::string text_;
};

void add_device(Index index, PolicyTarget &target)
{
	const Store &s = *store();
	const DeviceRec &device = s.devices[index];
	target.serial = device.serial;
	target.type = s.types[device.type].name;
	for(Index e = device.first_member; e != 0; e = s.members[e].next_of_device) {
		const std::string_view feed = s.feeds[s.members[e].feed].name;
		if(feed.starts_with(group_prefix))
			target.groups.push_back(feed.substr(group_prefix.size()));
		else if(feed.starts_with(area_prefix))
			target.areas.push_back(feed.substr(area_prefix.size()));
	}
}

std::int64_t patient_of(Index device) noexcept
{
	const Store &s = *store();
	const Index patient = device == 0 ? 0 : s.devices[device].patient;
	return patient == 0 ? 0 : s.patients[patient].id;
}

Index device_of_feed(std::string_view feed) noexcept
{
	return feed.starts_with(device_prefix) ? find_device(feed.substr(device_prefix.size())) : 0;
}

bool exists(std::string_view feed)
{
	if(feed.starts_with(device_prefix))
		return device_of_feed(feed) != 0;
	const Index i = find_feed(feed);
	return i != 0 && (!store()->feeds[i].is_group || feed.starts_with(group_prefix));
}

// Of a feed alone: a device's has its device, a group's its group.
PolicyTarget target_of(std::string_view feed)
{
	PolicyTarget target;
	target.feed = feed;
	if(const Index device = device_of_feed(feed); device != 0)
		add_device(device, target);
	else if(feed.starts_with(group_prefix))
		target.groups.push_back(feed.substr(group_prefix.size()));
	return target;
}

std::optional<Shown> seen(const Verdict &verdict)
{
	return verdict.allows() && verdict.shown.alerts ? std::optional(verdict.shown) : std::nullopt;
}

Verdict everything()
{
	Verdict verdict;
	verdict.decision = Decision::allow;
	verdict.decided = verdict.built_in = true;
	return verdict;
}

} // namespace

Standing standing_of(const Verdict &verdict) noexcept
{
	switch(verdict.decision) {
		case Decision::allow:
			return Standing::active;
		case Decision::confirm:
			return Standing::pending;
		case Decision::polite_block:
			return Standing::decoy;
		case Decision::block:
			break;
	}
	return verdict.decided ? Standing::refused : Standing::none;
}

Permits::Permits() : policy_(policy_now()), at_(wall_now()) {}

Permits::Permits(std::shared_ptr<const Policy> policy, TimeUs at)
	: policy_(std::move(policy)), at_(at)
{
}

bool Permits::restricts(std::string_view user, const PolicyPerson &person) const
{
	return !policy_->empty() && !rules_of(policy_, user, person).empty();
}

bool Permits::restricts(std::string_view user) const
{
	return restricts(user, person_of(user));
}

bool Permits::restricts(std::string_view user, std::string_view feed) const
{
	return !policy_->empty() && restricts(user, watcher_of(user, feed));
}

Verdict Permits::on_feed(std::string_view user, std::string_view feed) const
{
	const PolicyPerson person = watcher_of(user, feed);
	if(!is_somebody(person) || !exists(feed))
		return {};
	if(!restricts(user, person))
		return person.responsible ? everything() : Verdict{};
	PolicyTarget target = target_of(feed);
	const Number patient(patient_of(device_of_feed(feed)));
	target.patient = patient.view();
	return policy_->decide(person, target, at_, rules_of(policy_, user, person));
}

Verdict Permits::on_alert(std::string_view user, std::string_view feed, const AlertRec &alert) const
{
	const PolicyPerson person = watcher_of(user, feed);
	if(!restricts(user, person))
		return everything();
	PolicyTarget target = target_of(feed);
	// the alert's patient: the device may serve another by now
	const Number patient(alert.patient);
	target.serial = alert.serial;
	target.patient = patient.view();
	if(const Index device = find_device(alert.serial); device != 0) {
		target.groups.clear();
		target.areas.clear();
		add_device(device, target);
	}
	return policy_->decide(person, target, at_, rules_of(policy_, user, person));
}

Verdict Permits::on_device(std::string_view user, std::string_view feed, Index device) const
{
	AlertRec any{};
	copy_text(any.serial, name_size, store()->devices[device].serial);
	any.patient = patient_of(device);
	return on_alert(user, feed, any);
}

std::optional<Shown> Permits::in_person(std::string_view user, const AlertRec &alert) const
{
	return seen(on_alert(user, user, alert));
}

std::optional<Shown> Permits::in_person(std::string_view user, Index device) const
{
	return seen(on_device(user, user, device));
}

ShownDevice Permits::shown_to(std::string_view user, std::string_view feed) const
{
	if(user.empty() || !restricts(user, feed))
		return {};
	return [this, user = std::string(user), feed = std::string(feed)](
				   Index device) { return seen(on_device(user, feed, device)); };
}

Verdict Permits::explain(std::string_view user, std::string_view feed, Index device,
		std::vector<PolicyStep> &steps) const
{
	const PolicyPerson person = watcher_of(user, feed);
	if(!is_somebody(person) || !exists(feed))
		return {};
	PolicyTarget target = target_of(feed);
	const Number patient(patient_of(device != 0 ? device : device_of_feed(feed)));
	target.patient = patient.view();
	if(device != 0) {
		target.groups.clear();
		target.areas.clear();
		add_device(device, target);
	}
	return policy_->explain(person, target, at_, steps);
}

} // namespace bmd
