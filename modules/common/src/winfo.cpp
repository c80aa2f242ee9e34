/// @file winfo.cpp  States of watchers and the documents that tell of them.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "bmd/winfo.hpp"

#include <algorithm>
#include <array>

#include "dmp_text.hpp"

namespace bmd {

namespace {

constexpr std::array<std::string_view, 5> status_words{
		"init", "pending", "active", "waiting", "terminated"};
constexpr std::array<std::string_view, 8> event_words{"subscribe", "approved", "deactivated",
		"probation", "rejected", "timeout", "giveup", "noresource"};

template <class T, std::size_t N>
std::optional<T> word_of(const std::array<std::string_view, N> &words, std::string_view text)
{
	const auto *const at = std::ranges::find(words, text);
	return at == words.end() ? std::nullopt : std::optional(static_cast<T>(at - words.begin()));
}

WatcherStatus admitted(WatcherPolicy policy) noexcept
{
	switch(policy) {
		case WatcherPolicy::none:
			return WatcherStatus::pending;
		case WatcherPolicy::accept:
			return WatcherStatus::active;
		case WatcherPolicy::reject:
			break;
	}
	return WatcherStatus::terminated;
}

std::optional<WatcherStatus> after_pending(WatcherEvent event) noexcept
{
	switch(event) {
		case WatcherEvent::approved:
			return WatcherStatus::active;
		case WatcherEvent::timeout:
			return WatcherStatus::waiting;
		case WatcherEvent::subscribe:
			return std::nullopt;
		default:
			return WatcherStatus::terminated;
	}
}

std::optional<WatcherStatus> after_active(WatcherEvent event) noexcept
{
	switch(event) {
		case WatcherEvent::subscribe:
		case WatcherEvent::approved:
		case WatcherEvent::giveup:
			return std::nullopt;
		default:
			return WatcherStatus::terminated;
	}
}

std::optional<WatcherStatus> after_waiting(WatcherEvent event) noexcept
{
	switch(event) {
		case WatcherEvent::approved:
		case WatcherEvent::rejected:
		case WatcherEvent::giveup:
		case WatcherEvent::noresource:
			return WatcherStatus::terminated;
		default:
			return std::nullopt;
	}
}

void append_watcher(std::string &out, const WatcherEntry &watcher)
{
	out += "<watcher";
	dmp::append_attribute(out, "id", watcher.id);
	dmp::append_attribute(out, "status", to_string(watcher.status));
	dmp::append_attribute(out, "event", to_string(watcher.event));
	if(watcher.subscribed)
		dmp::append_attribute(out, "duration-subscribed", std::to_string(*watcher.subscribed));
	out += '>';
	dmp::append_escaped(out, watcher.uri, dmp::Place::element);
	out += "</watcher>";
}

} // namespace

std::string_view to_string(WatcherStatus status) noexcept
{
	return status_words[static_cast<std::size_t>(status)];
}

std::string_view to_string(WatcherEvent event) noexcept
{
	return event_words[static_cast<std::size_t>(event)];
}

std::optional<WatcherStatus> parse_watcher_status(std::string_view text) noexcept
{
	const auto status = word_of<WatcherStatus>(status_words, text);
	return status == WatcherStatus::init ? std::nullopt : status;
}

std::optional<WatcherEvent> parse_watcher_event(std::string_view text) noexcept
{
	return word_of<WatcherEvent>(event_words, text);
}

std::optional<WatcherStatus> next_status(
		WatcherStatus status, WatcherEvent event, WatcherPolicy policy) noexcept
{
	switch(status) {
		case WatcherStatus::init:
			return event == WatcherEvent::subscribe ? std::optional(admitted(policy))
													: std::nullopt;
		case WatcherStatus::pending:
			return after_pending(event);
		case WatcherStatus::active:
			return after_active(event);
		case WatcherStatus::waiting:
			return after_waiting(event);
		case WatcherStatus::terminated:
			break;
	}
	return std::nullopt;
}

std::string write_winfo(const WatcherInfo &info)
{
	std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
					  "<watcherinfo xmlns=\"urn:ietf:params:xml:ns:watcherinfo\"";
	dmp::append_attribute(out, "version", std::to_string(info.version));
	dmp::append_attribute(out, "state", info.full ? "full" : "partial");
	out += '>';
	for(const WatcherList &list : info.lists) {
		out += "\n<watcher-list";
		dmp::append_attribute(out, "resource", list.resource);
		dmp::append_attribute(out, "package", winfo_package);
		out += '>';
		for(const WatcherEntry &watcher : list.watchers)
			append_watcher(out, watcher);
		out += "</watcher-list>";
	}
	return out += "</watcherinfo>\n";
}

std::string renumber_winfo(std::string_view body, std::uint32_t version)
{
	constexpr std::string_view key = " version=\"";
	const std::size_t root = body.find("<watcherinfo ");
	const std::size_t at = root == std::string_view::npos ? root : body.find(key, root);
	if(at == std::string_view::npos)
		return std::string(body);
	const std::size_t digits = at + key.size();
	std::string out(body.substr(0, digits));
	out += std::to_string(version);
	return out += body.substr(body.find('"', digits));
}

} // namespace bmd
