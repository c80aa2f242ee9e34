/// @file dmp_alert.cpp  The bmd:alert element.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "dmp_alert.hpp"

#include "bmd/ids.hpp"
#include "bmd/report.hpp"
#include "dmp_schema.hpp"
#include "dmp_text.hpp"

namespace bmd::dmp {

namespace {

std::string_view view(const xmlChar *text) noexcept
{
	return text != nullptr ? std::string_view(reinterpret_cast<const char *>(text))
						   : std::string_view();
}

void append_time(std::string &out, std::string_view name, TimeUs time)
{
	if(time != 0)
		append_attribute(out, name, format_time(time));
}

void append_optional(std::string &out, std::string_view name, std::string_view value)
{
	if(!value.empty())
		append_attribute(out, name, value);
}

void append_child(std::string &out, std::string_view name, std::string_view text)
{
	if(!text.empty())
		append_element(out, name, text);
}

void append_count(std::string &out, std::string_view name, std::uint32_t count)
{
	if(count != 0)
		append_attribute(out, name, std::to_string(count));
}

// What is as it was at the beginning is not written: most alerts of a flood have no answer yet.
void append_answer(std::string &out, const AlertView &alert)
{
	append_optional(out, "code", alert.code);
	if(alert.response != Response::none)
		append_attribute(out, "response", to_string(alert.response));
	append_optional(out, "by", alert.answered_by);
	append_time(out, "since", alert.answered_at);
	append_count(out, "step", alert.step);
	append_time(out, "silenced", alert.silenced_until);
	if(alert.suppressed != Suppression::none)
		append_attribute(out, "suppressed", to_string(alert.suppressed));
	append_count(out, "mutes", alert.mutes);
	if(alert.priority_before)
		append_attribute(out, "before", to_string(*alert.priority_before));
	if(alert.outcome != Outcome::none)
		append_attribute(out, "outcome", to_string(alert.outcome));
	append_time(out, "closed", alert.closed_at);
	append_optional(out, "cause", alert.cause);
	append_count(out, "devices", alert.devices);
}

void append_devices(std::string &out, const AlertView &alert)
{
	for(const StormDevice &device : alert.some) {
		out += "<bmd:device";
		append_attribute(out, "serial", device.serial);
		append_optional(out, "location", device.location);
		append_optional(out, "patient", device.patient_name);
		out += "/>";
	}
}

StormDevice read_device(const xmlNode *node)
{
	StormDevice device;
	for(const xmlAttr *a = node->properties; a != nullptr; a = a->next) {
		const std::string_view name = view(a->name);
		std::string *const to = name == "serial"     ? &device.serial
								: name == "location" ? &device.location
								: name == "patient"  ? &device.patient_name
													 : nullptr;
		if(a->ns == nullptr && to != nullptr)
			*to = text_of(reinterpret_cast<const xmlNode *>(a));
	}
	return device;
}

// Reads one attribute into `alert`; the first failure stays in `failure`.
class AttributeReader
{
public:
	explicit AttributeReader(AlertView &alert) : alert_(alert) {}

	void read(std::string_view name, const std::string &value)
	{
		if(name == "id")
			keep(parse_uuid(value).has_value(), name, [&] { alert_.id = value; });
		else if(name == "revision")
			assign(alert_.revision, parse_u32(value), name);
		else if(name == "state")
			assign(alert_.state, parse_state(value), name);
		else if(name == "priority")
			assign(alert_.priority, parse_priority(value), name);
		else if(name == "kind")
			assign(alert_.kind, parse_kind(value), name);
		else if(name == "type")
			alert_.device_type = value;
		else if(name == "unit")
			alert_.unit = value;
		else if(name == "limit")
			number(alert_.limit, value, name);
		else if(!answer(name, value))
			time(name, value);
	}

	[[nodiscard]] const std::string &failure() const noexcept { return failure_; }

private:
	// What people made of it; false: another attribute.
	bool answer(std::string_view name, const std::string &value)
	{
		if(name == "code")
			alert_.code = value;
		else if(name == "by")
			alert_.answered_by = value;
		else if(name == "response")
			assign(alert_.response, parse_response(value), name);
		else if(name == "step")
			assign(alert_.step, parse_u32(value), name);
		else if(name == "suppressed")
			assign(alert_.suppressed, parse_suppression(value), name);
		else if(name == "mutes")
			assign(alert_.mutes, parse_u32(value), name);
		else if(name == "before")
			assign(alert_.priority_before, parse_priority(value), name);
		else if(name == "outcome")
			assign(alert_.outcome, parse_outcome(value), name);
		else if(name == "cause")
			alert_.cause = value;
		else if(name == "devices")
			assign(alert_.devices, parse_u32(value), name);
		else
			return false;
		return true;
	}
	template <class Set> void keep(bool good, std::string_view name, const Set &set)
	{
		if(good)
			set();
		else if(failure_.empty())
			failure_ = "bmd:alert: attribute " + std::string(name) + " is not valid";
	}
	template <class To, class T>
	void assign(To &to, const std::optional<T> &read, std::string_view name)
	{
		keep(read.has_value(), name, [&] { to = *read; });
	}
	void number(std::optional<double> &to, const std::string &value, std::string_view name)
	{
		const auto read = parse_number(value);
		keep(read.ok(), name, [&] { to = *read; });
	}
	void time(std::string_view name, const std::string &value)
	{
		TimeUs *const to = name == "measured"   ? &alert_.measured_at
						   : name == "arrived"  ? &alert_.arrived_at
						   : name == "onset"    ? &alert_.onset_at
						   : name == "raised"   ? &alert_.raised_at
						   : name == "changed"  ? &alert_.changed_at
						   : name == "cleared"  ? &alert_.cleared_at
						   : name == "since"    ? &alert_.answered_at
						   : name == "silenced" ? &alert_.silenced_until
						   : name == "closed"   ? &alert_.closed_at
												: nullptr;
		if(to == nullptr)
			return; // of a later version of the profile
		const auto read = parse_time(value);
		keep(read.ok(), name, [&] { *to = *read; });
	}

	AlertView &alert_;
	std::string failure_;
};

} // namespace

std::string text_of(const xmlNode *node)
{
	std::string text;
	for(const xmlNode *child = node->children; child != nullptr; child = child->next)
		if(child->type == XML_TEXT_NODE || child->type == XML_CDATA_SECTION_NODE)
			text += view(child->content);
	return text;
}

bool is_ours(const xmlNs *ns) noexcept
{
	return ns != nullptr && view(ns->href) == bmd_namespace;
}

void append_alert(std::string &out, const AlertView &alert)
{
	out += "<bmd:alert";
	append_attribute(out, "id", alert.id);
	append_attribute(out, "revision", std::to_string(alert.revision));
	append_attribute(out, "state", to_string(alert.state));
	append_attribute(out, "priority", to_string(alert.priority));
	append_attribute(out, "kind", to_string(alert.kind));
	append_optional(out, "type", alert.device_type);
	if(alert.limit)
		append_optional(out, "limit", number_text(*alert.limit));
	append_optional(out, "unit", alert.unit);
	append_time(out, "measured", alert.measured_at);
	append_time(out, "arrived", alert.arrived_at);
	append_time(out, "onset", alert.onset_at);
	append_time(out, "raised", alert.raised_at);
	append_time(out, "changed", alert.changed_at);
	append_time(out, "cleared", alert.cleared_at);
	append_answer(out, alert);
	if(alert.location.empty() && alert.patient_name.empty() && alert.patient_address.empty()
			&& alert.some.empty() && alert.delivered_to.empty() && alert.seen_by.empty()) {
		out += "/>";
		return;
	}
	out += '>';
	append_child(out, "bmd:location", alert.location);
	append_child(out, "bmd:patient", alert.patient_name);
	append_child(out, "bmd:address", alert.patient_address);
	append_devices(out, alert);
	append_child(out, "bmd:delivered", alert.delivered_to);
	append_child(out, "bmd:seen", alert.seen_by);
	out += "</bmd:alert>";
}

Result<AlertView> read_alert(xmlNodePtr node)
{
	if(auto error = validate_ours(node))
		return std::move(*error);
	AlertView alert;
	AttributeReader reader(alert);
	for(const xmlAttr *a = node->properties; a != nullptr; a = a->next)
		if(a->ns == nullptr)
			reader.read(view(a->name), text_of(reinterpret_cast<const xmlNode *>(a)));
	if(!reader.failure().empty())
		return malformed("line " + std::to_string(xmlGetLineNo(node)) + ": " + reader.failure());
	for(const xmlNode *child = node->children; child != nullptr; child = child->next) {
		if(child->type != XML_ELEMENT_NODE || !is_ours(child->ns))
			continue;
		const std::string_view name = view(child->name);
		if(name == "location")
			alert.location = text_of(child);
		else if(name == "patient")
			alert.patient_name = text_of(child);
		else if(name == "address")
			alert.patient_address = text_of(child);
		else if(name == "device")
			alert.some.push_back(read_device(child));
		else if(name == "delivered")
			alert.delivered_to = text_of(child);
		else if(name == "seen")
			alert.seen_by = text_of(child);
	}
	return alert;
}

} // namespace bmd::dmp
