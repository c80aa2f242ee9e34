/// @file dmp_feed.cpp  The alert feed.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "bmd/dmp_feed.hpp"

#include <algorithm>
#include <utility>

#include "bmd/report.hpp"
#include "bmd/words.hpp"
#include "dmp_alert.hpp"
#include "dmp_text.hpp"
#include "dmp_write.hpp"

namespace bmd::dmp {

namespace {

constexpr std::string_view version_key = " bmd:version=\"";
// One alert with a name and an address is about 700 bytes: spares the string its re-allocations.
constexpr std::size_t bytes_per_alert = 800;

Attributes attributes_of(const Feed &feed)
{
	Attributes attributes;
	attributes.version = feed.version;
	attributes.feed = feed.feed;
	attributes.full = feed.full;
	attributes.at = feed.at;
	attributes.more = feed.more;
	attributes.counted = feed.counted;
	attributes.filtered = feed.filtered;
	return attributes;
}

std::string value_text(const AlertView &alert)
{
	return alert.value ? number_text(*alert.value) : std::string();
}

Notify notify_of(const AlertView &alert)
{
	Notify notify;
	notify.items.push_back(Notify::Item{
			alert.metric, {value_text(alert)}, {std::string(to_string(alert.condition))}, {}});
	notify.alert = alert;
	return notify;
}

Error wrong(const std::string &device, std::string_view what)
{
	return malformed("feed: device " + quoted(device) + ": " + std::string(what));
}

Result<AlertView> alert_of(const Device &device, const Entry &entry)
{
	const auto *const notify = std::get_if<Notify>(&entry);
	if(notify == nullptr || !notify->alert)
		return wrong(device.name, "not a Notify with a bmd:alert");
	if(notify->items.size() != 1)
		return wrong(device.name, "more than one Variable in a Notify");
	const Notify::Item &item = notify->items.front();
	if(item.values.size() != 1 || item.events.size() != 1)
		return wrong(device.name, "not one Value and one Event");
	const auto condition = parse_condition(item.events.front());
	if(!condition)
		return wrong(device.name, "an Event that is no alert condition");

	AlertView alert = *notify->alert;
	alert.serial = device.name;
	alert.metric = item.variable;
	alert.condition = *condition;
	alert.value.reset();
	if(!item.values.front().empty()) {
		const auto value = parse_number(item.values.front());
		if(!value)
			return wrong(device.name, "Value: " + value.error().reason);
		alert.value = *value;
	}
	return alert;
}

} // namespace

Document feed_document(const Feed &feed)
{
	Document document;
	document.root = Root::response;
	document.attributes = attributes_of(feed);
	for(const AlertView &alert : feed.alerts) {
		if(document.devices.empty() || document.devices.back().name != alert.serial)
			document.devices.push_back(Device{alert.serial, {}});
		document.devices.back().entries.emplace_back(notify_of(alert));
	}
	return document;
}

Result<Feed> read_feed(const Document &document)
{
	if(document.root != Root::response)
		return malformed("feed: not a DMPResponse");
	const Attributes &a = document.attributes;
	if(!a.version || !a.feed || !a.full || !a.at)
		return malformed("feed: one of bmd:version, bmd:feed, bmd:state, bmd:at is missing");
	Feed feed;
	feed.feed = *a.feed;
	feed.version = *a.version;
	feed.full = *a.full;
	feed.at = *a.at;
	feed.more = a.more;
	feed.counted = a.counted;
	feed.filtered = a.filtered;
	for(const Device &device : document.devices)
		for(const Entry &entry : device.entries) {
			auto alert = alert_of(device, entry);
			if(!alert)
				return alert.error();
			feed.alerts.push_back(std::move(alert).value());
		}
	return feed;
}

std::string write_feed(const Feed &feed)
{
	std::string out;
	out.reserve(256 + feed.alerts.size() * bytes_per_alert);
	append_start(out, Root::response, attributes_of(feed), true);
	const std::string *device = nullptr;
	for(const AlertView &alert : feed.alerts) {
		if(device == nullptr || *device != alert.serial)
			append_element(out, "Device", alert.serial);
		device = &alert.serial;
		out += "<Notify>";
		append_element(out, "Variable", alert.metric);
		append_element(out, "Value", value_text(alert));
		append_element(out, "Event", to_string(alert.condition));
		append_alert(out, alert);
		out += "</Notify>";
	}
	append_end(out, Root::response);
	return out;
}

std::size_t version_offset(std::string_view body) noexcept
{
	// the attribute stands first in the root's tag, before any text of others
	const std::size_t root = body.find("<DMP");
	const std::string_view tag =
			root == std::string_view::npos ? "" : body.substr(root, body.find('>', root) - root);
	const std::size_t key = tag.find(version_key);
	if(key == std::string_view::npos)
		return std::string_view::npos;
	const std::string_view digits = tag.substr(key + version_key.size(), version_digits + 1);
	const bool good = digits.size() == version_digits + 1 && digits.back() == '"'
					  && std::all_of(digits.begin(), digits.end() - 1,
							  [](char c) { return c >= '0' && c <= '9'; });
	return good ? root + key + version_key.size() : std::string_view::npos;
}

void set_version(char *digits, std::uint32_t version) noexcept
{
	for(std::size_t i = version_digits; i-- > 0; version /= 10)
		digits[i] = static_cast<char>('0' + version % 10);
}

void set_feed(std::string &body, std::string_view uri)
{
	constexpr std::string_view key = " bmd:feed=\"";
	const std::size_t root = body.find("<DMP");
	const std::size_t at = root == std::string::npos ? root : body.find(key, root);
	if(at == std::string::npos || at > body.find('>', root))
		return;
	const std::size_t end = body.find('"', at + key.size());
	if(end == std::string::npos)
		return;
	std::string attribute;
	append_attribute(attribute, "bmd:feed", uri);
	body.replace(at, end + 1 - at, attribute);
}

} // namespace bmd::dmp
