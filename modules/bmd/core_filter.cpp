/// @file core_filter.cpp  Filters of subscriptions, behind bmd_core_filter.h.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Nothing here lets an exception out into C.

#include <algorithm>
#include <optional>
#include <shared_mutex>

#include "asked_filter.hpp"
#include "bmd/civil.hpp"
#include "bmd/dmp_filter.hpp"
#include "bmd_core_filter.h"
#include "bmd_host.h"
#include "core_bridge.hpp"
#include "duty_text.hpp"
#include "filters.hpp"
#include "filters_rows.hpp"
#include "fitting.hpp"
#include "permits.hpp"
#include "registry.hpp"
#include "subs.hpp"

namespace bmd {

namespace {
std::uint32_t asked = 0; // of this process
}

void ask_with_filter(std::uint32_t number) noexcept
{
	asked = number;
}

std::uint32_t asked_filter() noexcept
{
	return asked;
}

} // namespace bmd

namespace {

using bmd::Filter;
using bmd::FilterField;
using bmd::store;
using bmd::view_of;

bmd::SubRef ref_of(const bmd_dialog &dialog)
{
	return {dialog.slot, dialog.generation};
}

// How far the hospital's clock is ahead of UTC now.
bmd::DurationUs utc_offset(bmd::TimeUs now)
{
	const auto zone = bmd::Zone::find(bmd::duty_now()->zone);
	return zone ? zone->civil(now) * bmd::second_us - now / bmd::second_us * bmd::second_us : 0;
}

// The filter of the dialog that a refresh is for: what it names has been looked up once, and may
// have gone since; a terminal that repeats it must not be refused.  nullopt: it has none.
std::optional<Filter> known_before(const bmd_subscribe &subscribe)
{
	bmd::SubTarget target{};
	if(!subscribe.in_dialog
			|| !bmd::find_dialog(
					bmd::dialog_of(view_of(subscribe.call_id), view_of(subscribe.tag)), target)
			|| view_of(subscribe.user) != target.user || target.filter == 0)
		return std::nullopt;
	auto filter = bmd::dmp::parse_filter(bmd::filter_text(target.filter));
	return filter ? std::move(*filter) : Filter{};
}

bool exists(FilterField field, const std::string &name, std::string_view user)
{
	switch(field) {
		case FilterField::type:
			return bmd::find_type(name) != 0;
		case FilterField::group:
			return bmd::find_feed("grp." + name) != 0;
		case FilterField::area:
			return bmd::find_feed("#" + name) != 0;
		case FilterField::serial: { // as a SUBSCRIBE to its feed is answered
			const bmd::Standing standing = standing_of(bmd::Permits().on_feed(user, "dev." + name));
			return standing != bmd::Standing::refused && standing != bmd::Standing::none;
		}
		default:
			return true;
	}
}

// "" when everything that the filter names is there.
std::string unknown_name(const Filter &filter, const Filter &before, std::string_view user)
{
	static constexpr std::pair<FilterField, std::string_view> fields[] = {
			{FilterField::serial, "Device: there is no device that you may watch named '"},
			{FilterField::type, "type: there is none named '"},
			{FilterField::group, "group: there is none with devices named '"},
			{FilterField::area, "area: there is none with devices named '"}};
	const std::shared_lock<bmd::RwLock> registry(store()->registry_lock);
	for(const auto &[field, words] : fields) {
		const std::vector<std::string> old = before.names(field);
		for(const std::string &name : filter.names(field))
			if(!std::ranges::binary_search(old, name) && !exists(field, name, user))
				return std::string(words) + name + "'";
	}
	return {};
}

std::string unknown_rule(const Filter &filter, const Filter &before)
{
	const auto rules = bmd::filter_rules_now();
	const std::vector<std::string> old = before.names(FilterField::rule);
	for(const std::string &name : filter.names(FilterField::rule))
		if(!std::ranges::binary_search(old, name) && !rules->has(name))
			return "rule: the server has none named '" + name + "'";
	return {};
}

// For a quoted string in a header.
void put_reason(bmd_filter &filter, const std::string &reason)
{
	std::string text = reason;
	for(char &c : text)
		c = c == '"' || c == '\\' ? '\'' : c < ' ' || c > '~' ? '?' : c;
	bmd::copy_text(filter.reason, sizeof filter.reason, text);
}

int refuse(bmd_filter &filter, const std::string &reason)
{
	bmd::count(bmd::count_filters_refused);
	put_reason(filter, reason);
	return 400;
}

int read_body(const bmd_subscribe &subscribe, std::string_view body, bmd_filter &filter)
{
	const auto document = bmd::dmp::parse(body);
	if(!document)
		return refuse(filter, document.error().reason);
	const bmd::TimeUs now = bmd::wall_now();
	const bool once = !subscribe.in_dialog && subscribe.expires == 0;
	const auto read = bmd::dmp::read_filter(*document, now, utc_offset(now), once);
	if(!read)
		return refuse(filter, read.error().reason);
	const std::optional<Filter> old = known_before(subscribe);
	const Filter before = old.value_or(Filter{});
	for(const std::string &unknown : {unknown_name(read->filter, before, view_of(subscribe.user)),
				unknown_rule(read->filter, before)})
		if(!unknown.empty())
			return refuse(filter, unknown);
	if(read->filter.takes_all())
		return 200;
	const auto number = bmd::keep_filter(read->filter, read->text, old.has_value());
	if(!number) {
		put_reason(filter, "no room for one more filter");
		return 503;
	}
	filter.number = *number;
	return 200;
}

// As it is in force now; the caller holds the dialog's lock.
void store_row(const bmd_dialog &dialog)
{
	bmd::SubTarget target{};
	const auto feed = bmd::find_sub(ref_of(dialog), target);
	if(!feed)
		return; // it has ended, and its row goes with it
	if(target.filter == 0)
		bmd::forget_filter_row(dialog.id);
	else if(!bmd::store_filter_row(dialog.id, target.user, *feed, bmd::filter_text(target.filter)))
		bmd_host_log(BMD_LOG_WARNING,
				"the filter of a subscription is in force, and not stored: it is told everything "
				"after a restart");
}

void show_filters(std::string_view user, bmd_each_filter each, void *arg)
{
	for(const bmd::FilteredSub &sub : bmd::filtered_subs()) {
		bmd::SubTarget target{};
		const auto feed = bmd::find_sub(sub.ref, target);
		if(!feed || user != target.user)
			continue;
		const std::string text = bmd::filter_text(target.filter);
		const std::size_t begin = text.find('\n') + 1; // of the root
		bmd_filter_view view{};
		bmd::copy_text(view.feed, sizeof view.feed, *feed);
		bmd::copy_text(view.filter, sizeof view.filter,
				std::string_view(text).substr(begin, text.rfind('>') + 1 - begin));
		each(&view, arg);
	}
}

} // namespace

int bmd_core_read_filter(const bmd_subscribe *subscribe, bmd_text body, bmd_filter *filter)
{
	*filter = {};
	if(body.len == 0)
		return 200;
	filter->given = 1;
	try {
		return read_body(*subscribe, view_of(body), *filter);
	} catch(const std::exception &failure) {
		bmd_core_drop_filter(filter);
		put_reason(*filter, failure.what());
		return 503;
	}
}

void bmd_core_drop_filter(bmd_filter *filter)
{
	bmd::release_filter(filter->number);
	filter->number = 0;
}

void bmd_core_use_filter(const bmd_dialog *dialog, bmd_filter *filter)
{
	if(dialog->slot == 0)
		return bmd::ask_with_filter(filter->number);
	if(filter->given != 0)
		filter->number = bmd::exchange_filter(ref_of(*dialog), filter->number);
	bmd::ask_with_filter(bmd::filter_in_force(ref_of(*dialog)));
}

void bmd_core_settle_filter(const bmd_dialog *dialog, bmd_filter *filter, int status)
{
	bmd::ask_with_filter(0);
	if(filter->given == 0)
		return;
	try {
		if(dialog->slot != 0 && status >= 300)
			filter->number = bmd::exchange_filter(ref_of(*dialog), filter->number);
		else if(dialog->slot != 0)
			store_row(*dialog);
	} catch(const std::exception &failure) {
		bmd_host_log(BMD_LOG_WARNING, failure.what());
	}
	bmd_core_drop_filter(filter);
}

void bmd_core_filters(bmd_text user, bmd_each_filter each, void *arg)
{
	try {
		show_filters(view_of(user), each, arg);
	} catch(const std::exception &) { // no memory: the list ends
	}
}
