/// @file filter_body.cpp  The body of a SUBSCRIBE that asks for some alerts only.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "filter_body.hpp"

#include <fstream>
#include <iterator>
#include <utility>

#include "bmd/dmp_filter.hpp"

namespace bmd::watch {

namespace {

constexpr const char *for_ever = "always";

std::string quoted_name(const std::string &name)
{
	return '"' + name + '"';
}

// What holds of every event, as terms.
std::string terms_of(const FilterOptions &options)
{
	std::string all;
	const auto add = [&all](const char *words, const std::string &value) {
		all += (all.empty() ? "" : " and ") + std::string(words) + value;
	};
	if(!options.priority.empty())
		add("priority >= ", options.priority);
	if(!options.kind.empty())
		add("kind = ", options.kind);
	for(const auto &[words, name] : {
				std::pair<const char *, const std::string &>("type = ", options.type),
				{"group = ", options.group}, {"area = ", options.area}, {"rule ", options.rule}})
		if(!name.empty())
			add(words, quoted_name(name));
	return all;
}

dmp::Document document_of(const FilterOptions &options)
{
	const std::string terms = terms_of(options);
	dmp::Subscribe subscribe;
	const auto add = [&](std::string event, std::string duration) {
		if(!terms.empty())
			event = terms + (event.empty() ? "" : " and " + event);
		subscribe.items.push_back({"*", {std::move(event)}, std::move(duration)});
	};
	for(const std::string &event : options.events) {
		const std::size_t at = event.rfind(" @ ");
		if(at == std::string::npos)
			add(event, for_ever);
		else
			add(event.substr(0, at), event.substr(at + 3));
	}
	if(options.events.empty())
		add(terms.empty() ? "any" : "", for_ever);
	dmp::Document document;
	document.root = dmp::Root::action;
	document.attributes.urgent_filtered = options.urgent_too;
	document.devices.push_back({"*", {std::move(subscribe)}});
	return document;
}

Result<dmp::Document> document_in(const std::string &file)
{
	std::ifstream in(file, std::ios::binary);
	if(!in)
		return malformed("cannot read the filter " + file);
	const std::string text(std::istreambuf_iterator<char>(in), {});
	auto document = dmp::parse(text);
	if(!document)
		return malformed(file + ": " + document.error().reason);
	return document;
}

} // namespace

bool FilterOptions::any() const noexcept
{
	return !file.empty() || !events.empty() || !priority.empty() || !kind.empty() || !type.empty()
		   || !group.empty() || !area.empty() || !rule.empty() || urgent_too;
}

Result<std::string> filter_body(const FilterOptions &options, TimeUs now)
{
	if(!options.any())
		return std::string();
	const auto document =
			options.file.empty() ? Result(document_of(options)) : document_in(options.file);
	if(!document)
		return document.error();
	auto read = dmp::read_filter(*document, now);
	if(!read)
		return malformed("filter: " + read.error().reason);
	return std::move(read->text);
}

} // namespace bmd::watch
