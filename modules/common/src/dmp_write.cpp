/// @file dmp_write.cpp  Documents to text.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "dmp_write.hpp"

#include <algorithm>
#include <array>

#include "bmd/dmp_feed.hpp"
#include "dmp_alert.hpp"
#include "dmp_text.hpp"

namespace bmd::dmp {

namespace {

std::string_view root_name(Root root) noexcept
{
	return root == Root::action ? "DMPAction" : "DMPResponse";
}

void append_all(std::string &out, std::string_view name, const std::vector<std::string> &texts)
{
	for(const std::string &text : texts)
		append_element(out, name, text);
}

void append_reading(std::string &out, const MetricState &reading)
{
	out += "<bmd:reading";
	const auto append = [&out](std::string_view name, const std::string &value) {
		if(!value.empty())
			append_attribute(out, name, value);
	};
	append("unit", reading.unit);
	append("state", reading.state);
	append("measured", reading.measured);
	append("low", reading.low);
	append("high", reading.high);
	out += "/>";
}

// Appends one entry.
class EntryWriter
{
public:
	explicit EntryWriter(std::string &out) : out_(out) {}

	void operator()(const Control &control)
	{
		out_ += "<Control>";
		append_element(out_, "Action", control.action);
		append_all(out_, "Argument", control.arguments);
		out_ += "</Control>";
	}
	void operator()(const Query &query)
	{
		out_ += "<Query>";
		append_all(out_, "Variable", query.variables);
		out_ += "</Query>";
	}
	void operator()(const Subscribe &subscribe)
	{
		out_ += "<Subscribe>";
		for(const auto &item : subscribe.items) {
			append_element(out_, "Variable", item.variable);
			append_all(out_, "Event", item.events);
			append_element(out_, "Duration", item.duration);
		}
		out_ += "</Subscribe>";
	}
	void operator()(const ControlResponse &response)
	{
		out_ += "<ControlResponse>";
		for(const auto &item : response.items) {
			append_element(out_, "Action", item.action);
			for(const auto &out : item.outs) {
				append_element(out_, "OutArgument", out.argument);
				append_element(out_, "Value", out.value);
			}
			append_all(out_, "ResultCode", item.results);
		}
		out_ += "</ControlResponse>";
	}
	void operator()(const QueryResponse &response)
	{
		out_ += "<QueryResponse>";
		for(const auto &item : response.items) {
			append_element(out_, "Variable", item.variable);
			append_all(out_, "Value", item.values);
			if(item.reading)
				append_reading(out_, *item.reading);
			append_all(out_, "ResultCode", item.results);
		}
		out_ += "</QueryResponse>";
	}
	void operator()(const Notify &notify)
	{
		out_ += "<Notify>";
		for(const auto &item : notify.items) {
			append_element(out_, "Variable", item.variable);
			append_all(out_, "Value", item.values);
			append_all(out_, "Event", item.events);
			append_all(out_, "ResultCode", item.results);
		}
		if(notify.alert)
			append_alert(out_, *notify.alert);
		out_ += "</Notify>";
	}

private:
	std::string &out_;
};

bool uses_bmd(const Document &document)
{
	const Attributes &a = document.attributes;
	if(a.version || a.feed || a.full || a.at || a.more != 0 || a.counted || a.filtered
			|| a.urgent_filtered)
		return true;
	const auto is_extended = [](const Entry &entry) {
		if(const auto *const notify = std::get_if<Notify>(&entry))
			return notify->alert.has_value();
		const auto *const query = std::get_if<QueryResponse>(&entry);
		return query != nullptr
			   && std::any_of(query->items.begin(), query->items.end(),
					   [](const auto &item) { return item.reading.has_value(); });
	};
	return std::any_of(document.devices.begin(), document.devices.end(), [&](const Device &device) {
		return std::any_of(device.entries.begin(), device.entries.end(), is_extended);
	});
}

} // namespace

void append_start(std::string &out, Root root, const Attributes &attributes, bool with_bmd)
{
	out += "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<";
	out += root_name(root);
	if(with_bmd)
		append_attribute(out, "xmlns:bmd", bmd_namespace);
	if(attributes.version) {
		std::array<char, version_digits> digits{};
		set_version(digits.data(), *attributes.version);
		append_attribute(out, "bmd:version", {digits.data(), digits.size()});
	}
	if(attributes.feed)
		append_attribute(out, "bmd:feed", *attributes.feed);
	if(attributes.full)
		append_attribute(out, "bmd:state", *attributes.full ? "full" : "partial");
	if(attributes.at)
		append_attribute(out, "bmd:at", format_time(*attributes.at));
	if(attributes.more != 0)
		append_attribute(out, "bmd:more", std::to_string(attributes.more));
	if(attributes.counted)
		append_attribute(out, "bmd:counted", std::to_string(*attributes.counted));
	if(attributes.filtered)
		append_attribute(out, "bmd:filtered", std::to_string(*attributes.filtered));
	if(attributes.urgent_filtered)
		append_attribute(out, "bmd:urgent", "filtered");
	out += '>';
}

void append_end(std::string &out, Root root)
{
	out += "</";
	out += root_name(root);
	out += ">\n";
}

std::string write(const Document &document)
{
	std::string out;
	append_start(out, document.root, document.attributes, uses_bmd(document));
	EntryWriter writer(out);
	for(const Device &device : document.devices) {
		append_element(out, "Device", device.name);
		for(const Entry &entry : device.entries)
			std::visit(writer, entry);
	}
	append_end(out, document.root);
	return out;
}

} // namespace bmd::dmp
