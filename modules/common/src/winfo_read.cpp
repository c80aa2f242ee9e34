/// @file winfo_read.cpp  Reads documents of watcher information.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include <charconv>
#include <memory>

#include <libxml/parser.h>
#include <libxml/tree.h>

#include "bmd/winfo.hpp"
#include "dmp_text.hpp"

namespace bmd {

namespace {

constexpr std::string_view winfo_namespace = "urn:ietf:params:xml:ns:watcherinfo";

struct FreeDoc
{
	void operator()(xmlDocPtr doc) const noexcept { xmlFreeDoc(doc); }
};
using Doc = std::unique_ptr<xmlDoc, FreeDoc>;

struct FreeText
{
	void operator()(xmlChar *text) const noexcept { xmlFree(text); }
};
using XmlText = std::unique_ptr<xmlChar, FreeText>;

std::string text_of(XmlText text)
{
	return text == nullptr ? std::string() : reinterpret_cast<const char *>(text.get());
}

const xmlChar *xml(const char *text) noexcept
{
	return reinterpret_cast<const xmlChar *>(text);
}

bool is(const xmlNode *node, std::string_view name) noexcept
{
	return node->type == XML_ELEMENT_NODE && node->ns != nullptr
		   && reinterpret_cast<const char *>(node->ns->href) == winfo_namespace
		   && reinterpret_cast<const char *>(node->name) == name;
}

std::optional<std::string> attribute(xmlNode *node, const char *name)
{
	XmlText text(xmlGetNoNsProp(node, xml(name)));
	return text == nullptr ? std::nullopt : std::optional(text_of(std::move(text)));
}

template <class T> std::optional<T> number(const std::optional<std::string> &text) noexcept
{
	T value{};
	if(!text || text->empty())
		return std::nullopt;
	const std::string_view digits = dmp::trim(*text);
	const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
	const bool good = error == std::errc{} && end == digits.data() + digits.size();
	return good ? std::optional(value) : std::nullopt;
}

Result<WatcherEntry> read_watcher(xmlNode *node)
{
	WatcherEntry watcher;
	watcher.uri = dmp::trim(text_of(XmlText(xmlNodeGetContent(node))));
	watcher.id = attribute(node, "id").value_or("");
	const auto status = parse_watcher_status(attribute(node, "status").value_or(""));
	const auto event = parse_watcher_event(attribute(node, "event").value_or(""));
	if(watcher.uri.empty() || watcher.id.empty())
		return malformed("watcher without URI or id");
	if(!status || !event)
		return malformed("watcher with a status or event that RFC 3858 does not know");
	watcher.status = *status;
	watcher.event = *event;
	const auto since = attribute(node, "duration-subscribed");
	watcher.subscribed = number<std::uint64_t>(since);
	if(since && !watcher.subscribed)
		return malformed("duration-subscribed of a watcher is no number");
	return watcher;
}

Result<WatcherList> read_list(xmlNode *node)
{
	WatcherList list;
	list.resource = attribute(node, "resource").value_or("");
	if(list.resource.empty())
		return malformed("watcher-list without resource");
	for(xmlNode *child = node->children; child != nullptr; child = child->next) {
		if(!is(child, "watcher"))
			continue;
		auto watcher = read_watcher(child);
		if(!watcher)
			return watcher.error();
		list.watchers.push_back(std::move(watcher).value());
	}
	return list;
}

Result<WatcherInfo> read_root(xmlNode *root)
{
	WatcherInfo info;
	const auto version = number<std::uint32_t>(attribute(root, "version"));
	const auto state = attribute(root, "state");
	if(!version)
		return malformed("watcherinfo without a version");
	if(state != "full" && state != "partial")
		return malformed("state of watcherinfo is neither full nor partial");
	info.version = *version;
	info.full = state == "full";
	for(xmlNode *child = root->children; child != nullptr; child = child->next) {
		if(!is(child, "watcher-list") || attribute(child, "package") != winfo_package)
			continue;
		auto list = read_list(child);
		if(!list)
			return list.error();
		info.lists.push_back(std::move(list).value());
	}
	return info;
}

} // namespace

Result<WatcherInfo> read_winfo(std::string_view text)
{
	if(text.size() > max_winfo_bytes)
		return malformed("document of " + std::to_string(text.size()) + " bytes, at most "
						 + std::to_string(max_winfo_bytes) + " are read");
	if(text.find("<!DOCTYPE") != std::string_view::npos)
		return malformed("a DTD is not read");
	constexpr int options = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING;
	const Doc doc(
			xmlReadMemory(text.data(), static_cast<int>(text.size()), nullptr, "UTF-8", options));
	xmlNode *const root = doc == nullptr ? nullptr : xmlDocGetRootElement(doc.get());
	if(root == nullptr)
		return malformed("no well-formed XML");
	if(!is(root, "watcherinfo"))
		return malformed("the root is not watcherinfo of RFC 3858");
	return read_root(root);
}

} // namespace bmd
