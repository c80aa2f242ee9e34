/// @file dmp_read.cpp  A validated tree to a Document.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Relies on the schema for the order of elements, so each is simply put where its name says.

#include "dmp_read.hpp"

#include <utility>

#include "dmp_alert.hpp"
#include "dmp_schema.hpp"
#include "dmp_text.hpp"

namespace bmd::dmp {

namespace {

std::string_view name_of(const xmlNode *node) noexcept
{
	return reinterpret_cast<const char *>(node->name);
}

Error wrong(const xmlNode *node, std::string_view what)
{
	return malformed("line " + std::to_string(xmlGetLineNo(node)) + ": " + std::string(what));
}

// A name must not be empty; a value may be.
bool is_name(std::string_view element) noexcept
{
	return element == "Device" || element == "Action" || element == "Variable"
		   || element == "OutArgument";
}

// Gives every DMP element child and its trimmed text to `take`.  Elements of other namespaces are
// passed over.  Fails for an empty name.
template <class Take> std::optional<Error> each_child(const xmlNode *parent, const Take &take)
{
	for(const xmlNode *node = parent->children; node != nullptr; node = node->next) {
		if(node->type != XML_ELEMENT_NODE || node->ns != nullptr)
			continue;
		std::string text(trim(text_of(node)));
		if(text.empty() && is_name(name_of(node)))
			return wrong(node, std::string(name_of(node)) + " is empty");
		take(name_of(node), std::move(text));
	}
	return std::nullopt;
}

std::optional<Error> fill(const xmlNode *node, Control &control)
{
	return each_child(node, [&](std::string_view name, std::string text) {
		if(name == "Action")
			control.action = std::move(text);
		else
			control.arguments.push_back(std::move(text));
	});
}

std::optional<Error> fill(const xmlNode *node, Query &query)
{
	return each_child(node, [&](std::string_view, std::string text) {
		query.variables.push_back(std::move(text));
	});
}

std::optional<Error> fill(const xmlNode *node, Subscribe &subscribe)
{
	return each_child(node, [&](std::string_view name, std::string text) {
		if(name == "Variable")
			subscribe.items.emplace_back().variable = std::move(text);
		else if(name == "Event")
			subscribe.items.back().events.push_back(std::move(text));
		else
			subscribe.items.back().duration = std::move(text);
	});
}

std::optional<Error> fill(const xmlNode *node, ControlResponse &response)
{
	return each_child(node, [&](std::string_view name, std::string text) {
		if(name == "Action")
			response.items.emplace_back().action = std::move(text);
		else if(name == "OutArgument")
			response.items.back().outs.emplace_back().argument = std::move(text);
		else if(name == "Value")
			response.items.back().outs.back().value = std::move(text);
		else
			response.items.back().results.push_back(std::move(text));
	});
}

MetricState read_reading(const xmlNode *node)
{
	MetricState reading;
	for(const xmlAttr *a = node->properties; a != nullptr; a = a->next) {
		const auto *const attribute = reinterpret_cast<const xmlNode *>(a);
		const std::string_view name = name_of(attribute);
		std::string *const member = name == "unit"       ? &reading.unit
									: name == "state"    ? &reading.state
									: name == "measured" ? &reading.measured
									: name == "low"      ? &reading.low
									: name == "high"     ? &reading.high
														 : nullptr;
		if(a->ns == nullptr && member != nullptr)
			*member = text_of(attribute);
	}
	return reading;
}

// The bmd:reading that follows the Value of a Variable.
std::optional<Error> fill_readings(const xmlNode *parent, QueryResponse &response)
{
	std::size_t items = 0;
	for(xmlNodePtr node = parent->children; node != nullptr; node = node->next) {
		if(node->type != XML_ELEMENT_NODE)
			continue;
		if(node->ns == nullptr && name_of(node) == "Variable")
			++items;
		if(!is_ours(node->ns) || name_of(node) != "reading")
			continue;
		if(items == 0 || response.items[items - 1].reading)
			return wrong(node, "a bmd:reading that belongs to no Variable");
		if(auto error = validate_ours(node))
			return error;
		response.items[items - 1].reading = read_reading(node);
	}
	return std::nullopt;
}

std::optional<Error> fill(const xmlNode *node, QueryResponse &response)
{
	auto error = each_child(node, [&](std::string_view name, std::string text) {
		if(name == "Variable")
			response.items.emplace_back().variable = std::move(text);
		else if(name == "Value")
			response.items.back().values.push_back(std::move(text));
		else
			response.items.back().results.push_back(std::move(text));
	});
	return error ? error : fill_readings(node, response);
}

// The bmd:alert of a Notify, if it has one.
std::optional<Error> fill_alert(const xmlNode *parent, Notify &notify)
{
	for(xmlNodePtr node = parent->children; node != nullptr; node = node->next) {
		if(node->type != XML_ELEMENT_NODE || !is_ours(node->ns) || name_of(node) != "alert")
			continue;
		if(notify.alert)
			return wrong(node, "a second bmd:alert in one Notify");
		auto alert = read_alert(node);
		if(!alert)
			return alert.error();
		notify.alert = std::move(alert).value();
	}
	return std::nullopt;
}

std::optional<Error> fill(const xmlNode *node, Notify &notify)
{
	auto error = each_child(node, [&](std::string_view name, std::string text) {
		if(name == "Variable")
			notify.items.emplace_back().variable = std::move(text);
		else if(name == "Value")
			notify.items.back().values.push_back(std::move(text));
		else if(name == "Event")
			notify.items.back().events.push_back(std::move(text));
		else
			notify.items.back().results.push_back(std::move(text));
	});
	return error ? error : fill_alert(node, notify);
}

Result<Entry> read_entry(const xmlNode *node)
{
	const std::string_view name = name_of(node);
	Entry entry;
	if(name == "Control")
		entry = Control{};
	else if(name == "Query")
		entry = Query{};
	else if(name == "Subscribe")
		entry = Subscribe{};
	else if(name == "ControlResponse")
		entry = ControlResponse{};
	else if(name == "QueryResponse")
		entry = QueryResponse{};
	else
		entry = Notify{};
	auto error = std::visit([node](auto &content) { return fill(node, content); }, entry);
	if(error)
		return std::move(*error);
	return entry;
}

// One attribute of the root in our namespace.  False when its value is not valid; unknown names are
// of a later version of the profile.
bool read_attribute(std::string_view name, const std::string &value, Attributes &attributes)
{
	if(name == "feed") {
		attributes.feed = value;
	} else if(name == "version") {
		attributes.version = parse_u32(value);
		return attributes.version.has_value();
	} else if(name == "state") {
		attributes.full = value == "full";
		return value == "full" || value == "partial";
	} else if(name == "at") {
		const auto at = parse_time(value);
		if(!at)
			return false;
		attributes.at = *at;
	} else if(name == "more") {
		const auto more = parse_u32(value);
		attributes.more = more.value_or(0);
		return more.has_value();
	} else if(name == "counted") {
		attributes.counted = parse_u32(value);
		return attributes.counted.has_value();
	} else if(name == "filtered") {
		attributes.filtered = parse_u32(value);
		return attributes.filtered.has_value();
	} else if(name == "urgent") {
		attributes.urgent_filtered = value == "filtered";
		return value == "filtered" || value == "told";
	}
	return true;
}

std::optional<Error> fill_attributes(const xmlNode *root, Attributes &attributes)
{
	for(const xmlAttr *a = root->properties; a != nullptr; a = a->next) {
		if(!is_ours(a->ns))
			continue;
		const auto *const node = reinterpret_cast<const xmlNode *>(a);
		if(!read_attribute(name_of(node), text_of(node), attributes))
			return wrong(root, "attribute bmd:" + std::string(name_of(node)) + " is not valid");
	}
	return std::nullopt;
}

} // namespace

Result<Document> read_tree(xmlNodePtr root)
{
	Document document;
	document.root = name_of(root) == "DMPAction" ? Root::action : Root::response;
	if(auto error = fill_attributes(root, document.attributes))
		return std::move(*error);
	for(const xmlNode *node = root->children; node != nullptr; node = node->next) {
		if(node->type != XML_ELEMENT_NODE || node->ns != nullptr)
			continue;
		if(name_of(node) == "Device") {
			Device &device = document.devices.emplace_back();
			device.name = trim(text_of(node));
			if(device.name.empty())
				return wrong(node, "Device is empty");
			continue;
		}
		auto entry = read_entry(node);
		if(!entry)
			return entry.error();
		document.devices.back().entries.push_back(std::move(entry).value());
	}
	return document;
}

} // namespace bmd::dmp
