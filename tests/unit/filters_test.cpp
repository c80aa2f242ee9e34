/// @file filters_test.cpp  Unit tests of what filters make of running subscriptions.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Real store, book and notifier.

#include "bmd/dmp_filter.hpp"
#include "filters.hpp"
#include "fitting.hpp"
#include "rows.hpp"
#include "ward.hpp"

namespace {

using namespace bmd_test;
using bmd::SubTarget;

constexpr const char *full_d0 = "ann full D0/name/address/location";
constexpr const char *part_d0 = "ann part D0/name/address/location";

bmd::Result<bmd::dmp::FilterDocument> filter_of(const std::string &device,
		const std::vector<std::string> &events, const std::string &duration = "always",
		bool urgent = false)
{
	bmd::dmp::Document body;
	body.root = bmd::dmp::Root::action;
	body.attributes.urgent_filtered = urgent;
	bmd::dmp::Subscribe subscribe;
	subscribe.items.push_back({"*", events, duration});
	body.devices.push_back({device, {subscribe}});
	return bmd::dmp::read_filter(body, bmd::wall_now());
}

// The subscription's filter from now on, as a SUBSCRIBE gives it; 0: there was no room.
std::uint32_t give(std::uint64_t dialog, const bmd::Result<bmd::dmp::FilterDocument> &filter)
{
	CU_ASSERT(filter.ok());
	SubTarget target{};
	const auto number = filter ? bmd::keep_filter(filter->filter, filter->text) : std::nullopt;
	CU_ASSERT(bmd::find_dialog(dialog, target).has_value());
	bmd::release_filter(bmd::exchange_filter(target.ref, number.value_or(0)));
	return number.value_or(0);
}

// A ward that leaves nothing behind.
class Filtered : public Ward
{
public:
	Filtered() = default;
	Filtered(const Filtered &) = delete;
	Filtered &operator=(const Filtered &) = delete;
	~Filtered()
	{
		(void)bmd::publish_filter_rules({});
		for(const bmd::FilteredSub &sub : bmd::filtered_subs())
			bmd::end_sub(sub.ref);
		BMD_EQUAL(bmd::store()->filters.bytes, 0U);
		bmd::settle_rows(bmd::waiting_rows(100));
	}
	/// The document sent last.
	[[nodiscard]] std::string last() const { return bodies.empty() ? "" : bodies.back(); }
};

std::uint64_t counted(bmd::Counter counter)
{
	return bmd::store()->counters[counter].load();
}

// With the locks that a reading has.
template <class Work> void within(const char *serial, Work work)
{
	const std::shared_lock<bmd::RwLock> registry(bmd::store()->registry_lock);
	const bmd::Index device = bmd::find_device(serial);
	const std::lock_guard<bmd::Mutex> stripe(bmd::store()->stripe[device % bmd::stripes]);
	work(device);
}

bmd::NewAlert reading(double value, bmd::Priority priority = bmd::Priority::medium)
{
	bmd::NewAlert seed;
	seed.priority = priority;
	seed.value = value;
	seed.limit = 90;
	return seed;
}

void end(const char *serial, bmd::Index alert)
{
	within(serial, [&](bmd::Index) { (void)bmd::condition_gone(alert, false, bmd::wall_now()); });
}

void only_what_fits_is_told_and_the_full_state_says_how_much_is_left_out()
{
	Filtered ward;
	ward.subscribe("ann", "ann");
	(void)give(1001, filter_of("type Oxi", {}));
	const bmd::Index one = Ward::raise("D1");
	BMD_EQUAL(ward.pass(), "");
	const bmd::Index zero = Ward::raise("D0");
	BMD_EQUAL(ward.pass(), part_d0);
	bmd::queue_refresh("ann");
	BMD_EQUAL(ward.pass(), full_d0);
	CU_ASSERT(ward.last().find("bmd:filtered=\"1\"") != std::string::npos);
	end("D1", one);
	BMD_EQUAL(ward.pass(), "");
	end("D0", zero);
	BMD_EQUAL(ward.pass(), "ann part D0-/name/address/location");
	CU_ASSERT(ward.last().find("bmd:filtered") == std::string::npos);
}

void high_priority_passes_unless_the_filter_says_that_it_does_not()
{
	Filtered ward;
	ward.subscribe("ann", "ann");
	(void)give(1001, filter_of("type Vent", {}));
	const bmd::Index alert = Ward::raise("D0");
	BMD_EQUAL(ward.pass(), "");
	const auto set = [&](bmd::Priority priority) {
		within("D0", [&](bmd::Index) {
			bmd::update_alert(alert, reading(80, priority), "updated", "test");
		});
	};
	set(bmd::Priority::high);
	BMD_EQUAL(ward.pass(), part_d0);
	set(bmd::Priority::low); // what was told is told to its end
	BMD_EQUAL(ward.pass(), part_d0);
	(void)give(1001, filter_of("type Vent", {}, "always", true));
	set(bmd::Priority::high);
	BMD_EQUAL(ward.pass(), "");
	CU_ASSERT(!bmd::has_answering_sub("ann", "ann"));
}

void an_alert_that_somebody_was_called_for_passes()
{
	Filtered ward;
	ward.subscribe("ann", "ann");
	(void)give(1001, filter_of("type Vent", {}));
	const bmd::Index alert = Ward::raise("D0");
	BMD_EQUAL(ward.pass(), "");
	within("D0", [&](bmd::Index) {
		bmd::AlertRec &rec = bmd::store()->alerts[alert];
		rec.response.response = bmd::Response::escalated;
		rec.response.step = 2;
		bmd::record_change(rec, "escalated", {}, bmd::wall_now());
	});
	BMD_EQUAL(ward.pass(), part_d0);
}

void a_value_that_sinks_past_the_number_of_a_filter_is_told()
{
	Filtered ward;
	ward.subscribe("ann", "ann");
	(void)give(1001, filter_of("*", {"SpO2 < 75"}));
	ward.subscribe("ann", "grp.ward"); // without a filter: told of the alert, not of its values
	const bmd::Index alert = Ward::raise("D0"); // 80
	BMD_EQUAL(ward.pass(), "grp.ward part D0/name/address/location");
	const auto reads = [&](double value) {
		within("D0", [&](bmd::Index) { bmd::follow_value(alert, reading(value)); });
		return ward.pass();
	};
	BMD_EQUAL(reads(78), "");
	BMD_EQUAL(reads(74), part_d0);
	CU_ASSERT(ward.last().find("<Value>74</Value>") != std::string::npos);
	BMD_EQUAL(reads(73), ""); // once is enough
	BMD_EQUAL(reads(78), "");
	bmd::queue_refresh("ann");
	BMD_EQUAL(ward.pass(), full_d0); // it has been there
	end("D0", alert);
	BMD_EQUAL(ward.pass(), "ann part D0-/name/address/location; grp.ward part "
						   "D0-/name/address/location");
	(void)give(1001, filter_of("*", {}));
	const bmd::Index again = Ward::raise("D1");
	(void)ward.pass();
	within("D1", [&](bmd::Index) { bmd::follow_value(again, reading(60)); });
	BMD_EQUAL(ward.pass(), ""); // nobody compares any more
}

void a_value_that_was_told_beside_something_else_is_told_to_all()
{
	Filtered ward;
	ward.subscribe("ann", "ann");
	ward.subscribe("ann", "grp.ward");
	(void)give(1001, filter_of("*", {"SpO2 < 75"}));
	const bmd::Index alert = Ward::raise("D0");
	within("D0", [&](bmd::Index) { bmd::follow_value(alert, reading(70)); });
	BMD_EQUAL(ward.pass(), std::string(part_d0) + "; grp.ward part D0/name/address/location");
}

void who_was_called_goes_on_being_told_when_the_answer_is_void()
{
	Filtered ward;
	ward.subscribe("ann", "ann");
	(void)give(1001, filter_of("type Vent", {}));
	const bmd::Index alert = Ward::raise("D0");
	const auto change = [&](bmd::Response response, std::uint8_t step) {
		within("D0", [&](bmd::Index) {
			bmd::AlertRec &rec = bmd::store()->alerts[alert];
			rec.response.response = response;
			rec.response.step = step;
			bmd::record_change(rec, "updated", {}, bmd::wall_now());
		});
		return ward.pass();
	};
	BMD_EQUAL(change(bmd::Response::escalated, 2), part_d0);
	BMD_EQUAL(change(bmd::Response::none, 0), part_d0);
	end("D0", alert);
	BMD_EQUAL(ward.pass(), "ann part D0-/name/address/location");
}

void an_event_that_ends_is_taken_from_the_screen_and_the_rest_goes_on()
{
	Filtered ward;
	ward.subscribe("ann", "ann");
	const bmd::TimeUs until = bmd::wall_now() + 300'000;
	auto document = *bmd::dmp::parse(filter_of("*", {"type = Oxi"}, bmd::format_time(until))->text);
	std::get<bmd::dmp::Subscribe>(document.devices[0].entries[0])
			.items.push_back({"*", {"type = Vent"}, "always"});
	(void)give(1001, bmd::dmp::read_filter(document, bmd::wall_now()));
	(void)Ward::raise("D0");
	BMD_EQUAL(ward.pass(), part_d0);
	bmd::look_after_filters();
	BMD_EQUAL(ward.pass(), "");
	while(bmd::wall_now() < until) {
	}
	bmd::look_after_filters();
	BMD_EQUAL(ward.pass(), "ann full");
	bmd::look_after_filters();
	BMD_EQUAL(ward.pass(), "");
	(void)Ward::raise("D1");
	BMD_EQUAL(ward.pass(), "ann part D1/name/address/location");
	BMD_EQUAL(counted(bmd::count_filters_ended), 1U);
}

void watchers_with_the_same_filter_share_a_body_and_its_text()
{
	Filtered ward;
	for(int i = 1; i <= 4; ++i) {
		ward.subscribe("ann", "ann");
		(void)give(1000 + i, filter_of("type Oxi", {}));
	}
	ward.subscribe("ann", "ann");
	BMD_EQUAL(bmd::store()->filters.count, 1U);
	const auto written = counted(bmd::count_notify_documents);
	(void)Ward::raise("D0");
	(void)ward.pass();
	BMD_EQUAL(counted(bmd::count_notify_documents) - written, 1U);
}

void a_filter_goes_with_its_last_subscription_and_its_row_too()
{
	Filtered ward;
	ward.subscribe("ann", "ann");
	ward.subscribe("ann", "ann");
	(void)give(1001, filter_of("*", {"SpO2 < 75"}));
	(void)give(1002, filter_of("*", {"SpO2 < 75"}));
	CU_ASSERT(bmd::is_compared(bmd::find_metric("SpO2")->id, true, 80, 70));
	for(const std::uint64_t dialog : {1001, 1002}) {
		SubTarget target{};
		CU_ASSERT(bmd::find_dialog(dialog, target).has_value());
		BMD_EQUAL(bmd::store()->filters.count, 1U);
		bmd::end_sub(target.ref);
	}
	BMD_EQUAL(bmd::store()->filters.count, 0U);
	BMD_EQUAL(bmd::store()->filters.bytes, 0U);
	CU_ASSERT(!bmd::is_compared(bmd::find_metric("SpO2")->id, true, 80, 70));
	BMD_EQUAL(bmd::rows_waiting("bmd_filter"), 0U);
	bmd::look_after_filters();
	BMD_EQUAL(bmd::rows_waiting("bmd_filter"), 2U);
}

void what_finds_no_room_is_refused_and_leaves_nothing()
{
	Filtered ward;
	bmd::store()->limits.filter_bytes = 1500;
	std::vector<std::uint32_t> numbers;
	for(int i = 0; i < 10; ++i) {
		const auto filter = filter_of("*", {"SpO2 < " + std::to_string(50 + i)});
		if(const auto number = bmd::keep_filter(filter->filter, filter->text); number)
			numbers.push_back(*number);
	}
	CU_ASSERT(!numbers.empty() && numbers.size() < 10);
	BMD_EQUAL(counted(bmd::count_filters_no_room), 10 - numbers.size());
	CU_ASSERT(!bmd::is_compared(bmd::find_metric("SpO2")->id, true, 60, 58.5));
	const auto other = filter_of("*", {"SpO2 < 40"});
	CU_ASSERT(!bmd::keep_filter(other->filter, other->text));
	const auto number = bmd::keep_filter(other->filter, other->text, true);
	CU_ASSERT(number.has_value()); // one that takes the place of another
	numbers.push_back(number.value_or(0));
	for(const std::uint32_t kept : numbers)
		bmd::release_filter(kept);
	BMD_EQUAL(bmd::store()->filters.bytes, 0U);
}

void a_rule_of_the_server_that_changes_acts_at_once()
{
	Filtered ward;
	const auto publish = [](const char *text) {
		CU_ASSERT(bmd::publish_filter_rules(*bmd::read_filter_rules(text)));
	};
	publish("night\tVent\t\t\t\t\t\t\t\t\n");
	ward.subscribe("ann", "ann");
	(void)give(1001, filter_of("*", {"rule night"}));
	(void)Ward::raise("D0");
	BMD_EQUAL(ward.pass(), "");
	publish("night\tOxi\t\t\t\t\t\t\t\t\n");
	BMD_EQUAL(ward.pass(), full_d0);
	publish("night\tOxi\t\t\t\t\t\t\t\t\n");
	BMD_EQUAL(ward.pass(), "");
	publish("");
	BMD_EQUAL(ward.pass(), "ann full");
}

void a_place_that_a_policy_hides_is_not_told_by_a_filter()
{
	Filtered ward;
	ward.for_ann(PolicyResource::everything, "", Decision::allow, "no-location");
	ward.publish();
	ward.subscribe("ann", "ann");
	(void)give(1001, filter_of("area north", {}));
	(void)Ward::raise("D1"); // not in the north
	BMD_EQUAL(ward.pass(), "ann part D1/name");
	(void)Ward::raise("D0");
	BMD_EQUAL(ward.pass(), "ann part D0/name");
}

void a_decoy_with_a_filter_looks_like_a_quiet_feed_with_one()
{
	Filtered ward;
	(void)Ward::raise("D0");
	const auto vent = filter_of("type Vent", {});
	const auto number = *bmd::keep_filter(vent->filter, vent->text);
	bmd::Verdict verdict;
	for(const auto decision : {Decision::allow, Decision::confirm, Decision::polite_block}) {
		verdict.decision = decision;
		const auto pages = bmd::pages_for(verdict, "ann", "ann", number);
		CU_ASSERT(pages.front().text.find("bmd:filtered=\"") != std::string::npos);
	}
	CU_ASSERT(bmd::pages_for(verdict, "ann", "ann").front().text.find("bmd:filtered")
			  == std::string::npos);
	bmd::release_filter(number);
}

void what_is_only_counted_is_not_told_by_what_a_filter_lets_through()
{
	Filtered ward;
	ward.for_ann(PolicyResource::everything, "", Decision::allow, "count");
	ward.publish();
	ward.subscribe("ann", "ann");
	(void)give(1001, filter_of("D1", {"SpO2 < 75"}, "always", true));
	(void)Ward::raise("D0"); // of another device
	BMD_EQUAL(ward.pass(), "ann full +1");
	const bmd::Index one = Ward::raise("D1");
	(void)ward.pass();
	within("D1", [&](bmd::Index) { bmd::follow_value(one, reading(70)); });
	BMD_EQUAL(ward.pass(), "");
}

void what_was_found_by_a_filter_is_not_sent_when_there_is_another_by_then()
{
	Filtered ward;
	for(const std::uint64_t dialog : {1001, 1002}) {
		ward.subscribe("ann", "ann");
		(void)give(dialog, filter_of("type Oxi", {}));
	}
	(void)Ward::raise("D0");
	bmd::Holding holding;
	int sent = 0;
	bmd::notify_once(
			0, 0,
			[&](const std::string &uri, const std::string &) {
				const std::string user = uri.substr(4, uri.find('@') - 4);
				const bool first = bmd::parse_resource(user).dialog == 1001;
				(void)give(first ? 1002 : 1001, filter_of("type Vent", {}));
				++sent;
			},
			holding);
	BMD_EQUAL(sent, 1);
}

CU_TestInfo cases[] = {
		BMD_CASE(only_what_fits_is_told_and_the_full_state_says_how_much_is_left_out),
		BMD_CASE(high_priority_passes_unless_the_filter_says_that_it_does_not),
		BMD_CASE(an_alert_that_somebody_was_called_for_passes),
		BMD_CASE(a_value_that_sinks_past_the_number_of_a_filter_is_told),
		BMD_CASE(a_value_that_was_told_beside_something_else_is_told_to_all),
		BMD_CASE(who_was_called_goes_on_being_told_when_the_answer_is_void),
		BMD_CASE(an_event_that_ends_is_taken_from_the_screen_and_the_rest_goes_on),
		BMD_CASE(watchers_with_the_same_filter_share_a_body_and_its_text),
		BMD_CASE(a_filter_goes_with_its_last_subscription_and_its_row_too),
		BMD_CASE(what_finds_no_room_is_refused_and_leaves_nothing),
		BMD_CASE(a_rule_of_the_server_that_changes_acts_at_once),
		BMD_CASE(a_place_that_a_policy_hides_is_not_told_by_a_filter),
		BMD_CASE(a_decoy_with_a_filter_looks_like_a_quiet_feed_with_one),
		BMD_CASE(what_is_only_counted_is_not_told_by_what_a_filter_lets_through),
		BMD_CASE(what_was_found_by_a_filter_is_not_sent_when_there_is_another_by_then),
		CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo filters_suite;
const CU_SuiteInfo filters_suite = BMD_SUITE("filters", cases);
