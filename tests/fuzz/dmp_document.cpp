/// @file dmp_document.cpp  Fuzz target: bodies of SUBSCRIBE, MESSAGE and NOTIFY.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "bmd/dmp.hpp"
#include "bmd/dmp_control.hpp"
#include "bmd/dmp_feed.hpp"
#include "bmd/dmp_filter.hpp"
#include "bmd/dmp_subscribe.hpp"
#include "fuzz.hpp"

namespace {

using namespace bmd::dmp;
using fuzz::require;

constexpr bmd::TimeUs now = 1'795'000'000 * bmd::second_us;

void look(const Control &control)
{
	const auto read = read_alert_control(control);
	if(const auto *refusal = std::get_if<Refusal>(&read))
		fuzz::require_reason(refusal->reason);
}

void look(const Subscribe &subscribe)
{
	for(const auto &item : subscribe.items) {
		for(const auto &event : item.events)
			if(const auto read = parse_event(event); !read)
				fuzz::require_reason(read.error().reason);
		if(const auto end = parse_duration(item.duration, now); !end)
			fuzz::require_reason(end.error().reason);
	}
}

void look(const ControlResponse &response)
{
	(void)read_control_response(response);
}

void look(const Query &) {}
void look(const QueryResponse &) {}
void look(const Notify &) {}

void look_at_filter(const Document &document)
{
	const auto read = read_filter(document, now);
	if(!read)
		return fuzz::require_reason(read.error().reason);
	require(read->text.size() <= max_filter_bytes, "a filter has a bound");
	const auto again = parse(read->text);
	require(again.ok(), "a filter that is kept can be read");
	const auto same = read_filter(*again, now);
	require(same.ok() && same->text == read->text, "a filter is kept as it was understood");
	require(same->filter.ends() == read->filter.ends(), "a filter ends when it did");
}

void look_at_feed(const Document &document)
{
	const auto feed = read_feed(document);
	if(!feed)
		return fuzz::require_reason(feed.error().reason);
	const std::string body = write_feed(*feed);
	require(body == write(feed_document(*feed)), "the fast writer writes what the other writes");
	require(version_offset(body) != std::string_view::npos, "the version of a feed is found");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
	const auto read = parse(fuzz::text(data, size));
	if(!read) {
		fuzz::require_reason(read.error().reason);
		return 0;
	}
	const std::string written = write(*read);
	if(written.size() <= max_bytes) {
		const auto again = parse(written);
		require(again.ok(), "what was written can be read");
		require(write(*again) == written, "reading and writing change nothing");
	}
	for(const auto &device : read->devices)
		for(const auto &entry : device.entries)
			std::visit([](const auto &known) { look(known); }, entry);
	look_at_filter(*read);
	look_at_feed(*read);
	return 0;
}
