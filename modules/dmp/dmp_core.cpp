/// @file dmp_core.cpp  What the C shims call: bodies in, responses out.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "dmp_core.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <exception>
#include <string>
#include <string_view>

#include "bmd/dmp.hpp"
#include "bmd/words.hpp"
#include "book.hpp"
#include "dispatch.hpp"
#include "text_reply.hpp"

namespace {

using namespace bmd::dmp;

/// In shared memory; all zero at the beginning.
struct Shared
{
	std::atomic<std::uint64_t> counters[DMP_COUNTS];
};

constexpr std::size_t memory_at = (sizeof(Shared) + 63) / 64 * 64;

const bmd_api_t *api = nullptr;
Shared *shared = nullptr;
Memory *what_was = nullptr; // behind it

std::string_view view_of(bmd_text text)
{
	return {text.s, text.len};
}

RequestName name_of(const dmp_request &request)
{
	return {view_of(request.user), view_of(request.tag), view_of(request.call_id),
			view_of(request.cseq), view_of(request.body), view_of(request.source)};
}

template <std::size_t N> void put(char (&to)[N], std::string_view text)
{
	const std::size_t length = std::min(text.size(), N - 1);
	std::memcpy(to, text.data(), length);
	to[length] = '\0';
	bmd::mend_words(to);
}

bmd::TimeUs wall_clock()
{
	using namespace std::chrono;
	return duration_cast<microseconds>(system_clock::now().time_since_epoch()).count();
}

// The entry's name on the wire and what it names.
struct Looker
{
	dmp_seen &seen;

	void operator()(const Control &control) const
	{
		put(seen.entry, "Control");
		put(seen.action, control.action);
		if(!control.arguments.empty())
			put(seen.alert, control.arguments.front());
	}
	void operator()(const Query &query) const { variables("Query", query.variables.front()); }
	void operator()(const Subscribe &subscribe) const
	{
		variables("Subscribe", subscribe.items.front().variable);
	}
	void operator()(const ControlResponse &response) const
	{
		const ControlResult result = read_control_response(response);
		put(seen.entry, "ControlResponse");
		put(seen.action, result.action);
		put(seen.alert, result.alert);
		put(seen.result, result.result);
	}
	void operator()(const QueryResponse &response) const
	{
		variables("QueryResponse", response.items.front().variable);
		results(response.items.front().results);
	}
	void operator()(const Notify &notify) const
	{
		variables("Notify", notify.items.front().variable);
		results(notify.items.front().results);
		if(notify.alert)
			put(seen.alert, notify.alert->id);
	}

private:
	void variables(std::string_view entry, std::string_view variable) const
	{
		put(seen.entry, entry);
		put(seen.variable, variable);
	}
	void results(const std::vector<std::string> &results) const
	{
		if(!results.empty())
			put(seen.result, results.front());
	}
};

void look(const Document &document, dmp_seen &seen)
{
	put(seen.root, document.root == Root::action ? "DMPAction" : "DMPResponse");
	for(const Device &device : document.devices)
		seen.entries += static_cast<int>(device.entries.size());
	if(document.devices.empty())
		return;
	put(seen.device, document.devices.front().name);
	std::visit(Looker{seen}, document.devices.front().entries.front());
}

// A quoted string of a header takes it as it is.
void warn(dmp_outcome &outcome, dmp_seen &seen, int status, const std::string &reason)
{
	outcome.status = status;
	put(seen.reason, reason);
	put(outcome.warning, reason);
	for(char &c : outcome.warning)
		if(c == '"' || c == '\\')
			c = '\'';
		else if(static_cast<unsigned char>(c) > 0x7E)
			c = '?';
}

// Nothing was changed, and the person must not take silence for success.
void too_often(dmp_outcome &outcome, dmp_seen &seen, unsigned seconds)
{
	warn(outcome, seen, 503, "too much was asked; nothing was changed");
	outcome.retry_after = seconds;
}

// One more MESSAGE goes back.  False when there is no memory for it.
bool give(dmp_outcome &outcome, const std::string &body, const char *type, dmp_allocate allocate)
{
	outcome.status = 200;
	outcome.type = type;
	dmp_page &page = outcome.pages[outcome.page_count];
	page.s = static_cast<char *>(allocate(body.size() + 1));
	if(page.s == nullptr) {
		dmp_core_count(DMP_LOST);
		return false;
	}
	std::memcpy(page.s, body.c_str(), body.size() + 1);
	page.length = body.size();
	++outcome.page_count;
	return true;
}

void add(const Tally &tally)
{
	shared->counters[DMP_CONTROLS] += tally.controls;
	shared->counters[DMP_QUERIES] += tally.queries;
	shared->counters[DMP_REFUSED] += tally.refused;
}

// What the first entry was answered with.
void look_at_result(const Document &response, dmp_seen &seen)
{
	const Entry &first = response.devices.front().entries.front();
	if(const auto *const control = std::get_if<ControlResponse>(&first)) {
		const ControlResult result = read_control_response(*control);
		put(seen.result, result.result);
		put(seen.reason, result.reason);
	} else {
		dmp_seen told{};
		std::visit(Looker{told}, first);
		put(seen.result, told.result);
	}
}

void take_document(std::string_view user, std::string_view body, const Room &room,
		dmp_allocate allocate, dmp_outcome &outcome, dmp_seen &seen)
{
	if(const unsigned wait = what_was->take(user, Budget::requests, mono_now()); wait != 0)
		return too_often(outcome, seen, wait);
	const auto document = parse(body);
	if(!document)
		return warn(outcome, seen, document.error().code == bmd::Errc::malformed ? 400 : 500,
				document.error().reason);
	look(*document, seen);
	Tally tally;
	const auto response = dispatch(user, *document, room, tally);
	add(tally);
	if(!response)
		return warn(outcome, seen, 400, response.error().reason);
	look_at_result(*response, seen);
	for(const Document &page : pages_of(*response, room.page, DMP_MOST_PAGES))
		(void)give(outcome, write(page), "application/dmp", allocate);
}

void take_text(std::string_view user, std::string_view body, dmp_allocate allocate,
		dmp_outcome &outcome, dmp_seen &seen)
{
	dmp_core_count(DMP_TEXTS);
	if(body.size() > bmd::max_reply)
		return warn(outcome, seen, 413, "a text is at most 1300 bytes");
	if(const unsigned wait = what_was->take(user, Budget::requests, mono_now()); wait != 0)
		return too_often(outcome, seen, wait);
	Tally tally;
	const TextAnswer answer = answer_text(user, body, wall_clock(), tally);
	add(tally);
	put(seen.alert, answer.code);
	put(seen.result, answer.result);
	const unsigned wait = answer.answered ? 0 : what_was->take(user, Budget::texts, mono_now());
	if(wait != 0)
		return too_often(outcome, seen, wait);
	const bool given = give(outcome, answer.text, "text/plain;charset=utf-8", allocate);
	if(!given && !answer.answered)
		outcome.status = 500;
}

// Runs `work`, which may run out of memory.
template <class Work> void guarded(dmp_outcome &outcome, dmp_seen &seen, Work work) noexcept
{
	try {
		work();
	} catch(const std::exception &failure) {
		outcome.status = 500;
		put(seen.reason, failure.what());
		put(outcome.warning, "no memory");
	}
}

} // namespace

const bmd_api_t &bmd::dmp::book() noexcept
{
	return *api;
}

Memory &bmd::dmp::memory() noexcept
{
	return *what_was;
}

size_t dmp_core_memory(void)
{
	return memory_at + Memory::bytes();
}

void dmp_core_init(const bmd_api_t *bmd, void *memory)
{
	api = bmd;
	shared = static_cast<Shared *>(memory);
	what_was = Memory::place(static_cast<char *>(memory) + memory_at);
}

int dmp_core_answered(const dmp_request *request)
{
	return what_was->answered(name_of(*request), mono_now());
}

void dmp_core_remember(const dmp_request *request, int status)
{
	what_was->remember(name_of(*request), status, mono_now());
}

void dmp_core_count(dmp_count which)
{
	++shared->counters[which];
}

unsigned long dmp_core_counter(dmp_count which)
{
	return shared->counters[which].load();
}

int dmp_core_look(bmd_text body, dmp_seen *seen)
{
	try {
		const auto document = parse(view_of(body));
		if(document)
			look(*document, *seen);
		else
			put(seen->reason, document.error().reason);
		return document ? 1 : 0;
	} catch(const std::exception &failure) {
		put(seen->reason, failure.what());
		return 0;
	}
}

void dmp_core_take_document(bmd_text user, bmd_text body, int datagrams, dmp_allocate allocate,
		dmp_outcome *outcome, dmp_seen *seen)
{
	const Room &room = datagrams != 0 ? udp_room : stream_room;
	guarded(*outcome, *seen,
			[&] { take_document(view_of(user), view_of(body), room, allocate, *outcome, *seen); });
}

void dmp_core_take_text(
		bmd_text user, bmd_text body, dmp_allocate allocate, dmp_outcome *outcome, dmp_seen *seen)
{
	guarded(*outcome, *seen,
			[&] { take_text(view_of(user), view_of(body), allocate, *outcome, *seen); });
}
