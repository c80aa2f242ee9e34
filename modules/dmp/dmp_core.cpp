/// @file dmp_core.cpp  What the C shims call: bodies in, responses out.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "dmp_core.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <exception>
#include <functional>
#include <string>
#include <string_view>

#include "bmd/dmp.hpp"
#include "bmd/words.hpp"
#include "book.hpp"
#include "dispatch.hpp"
#include "text_reply.hpp"

namespace {

using namespace bmd::dmp;

constexpr std::size_t talkers = 4096;    // power of two
constexpr std::uint64_t most_texts = 10; // a minute and person that are no answer to an alert

/// In shared memory; all zero at the beginning.
struct Shared
{
	std::atomic<std::uint64_t> counters[DMP_COUNTS];
	std::atomic<std::uint64_t> talk[talkers]; ///< minute << 16 | texts in it, by hash of the person
};

const bmd_api_t *api = nullptr;
Shared *shared = nullptr;

std::string_view view_of(bmd_text text)
{
	return {text.s, text.len};
}

template <std::size_t N> void put(char (&to)[N], std::string_view text)
{
	const std::size_t length = std::min(text.size(), N - 1);
	std::memcpy(to, text.data(), length);
	to[length] = '\0';
	bmd::mend_words(to);
}

// Two machines that answer each other's texts must come to an end.
bool may_talk(std::string_view user)
{
	using namespace std::chrono;
	const auto minute = static_cast<std::uint64_t>(
			duration_cast<minutes>(steady_clock::now().time_since_epoch()).count());
	std::atomic<std::uint64_t> &slot =
			shared->talk[std::hash<std::string_view>{}(user) & (talkers - 1)];
	std::uint64_t before = slot.load();
	std::uint64_t after = 0;
	do {
		const std::uint64_t texts = before >> 16 == minute ? before & 0xFFFF : 0;
		if(texts >= most_texts)
			return false;
		after = minute << 16 | (texts + 1);
	} while(!slot.compare_exchange_weak(before, after));
	return true;
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

void give(dmp_outcome &outcome, const std::string &body, const char *type, dmp_allocate allocate)
{
	outcome.status = 200;
	outcome.type = type;
	outcome.body = static_cast<char *>(allocate(body.size() + 1));
	if(outcome.body == nullptr) {
		dmp_core_count(DMP_LOST);
		return;
	}
	std::memcpy(outcome.body, body.c_str(), body.size() + 1);
	outcome.length = body.size();
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

void take_document(std::string_view user, std::string_view body, dmp_allocate allocate,
		dmp_outcome &outcome, dmp_seen &seen)
{
	const auto document = parse(body);
	if(!document)
		return warn(outcome, seen, document.error().code == bmd::Errc::malformed ? 400 : 500,
				document.error().reason);
	look(*document, seen);
	Tally tally;
	const auto response = dispatch(user, *document, tally);
	add(tally);
	if(!response)
		return warn(outcome, seen, 400, response.error().reason);
	look_at_result(*response, seen);
	give(outcome, write(*response), "application/dmp", allocate);
}

void take_text(std::string_view user, std::string_view body, dmp_allocate allocate,
		dmp_outcome &outcome, dmp_seen &seen)
{
	dmp_core_count(DMP_TEXTS);
	if(body.size() > bmd::max_reply)
		return warn(outcome, seen, 413, "a text is at most 1300 bytes");
	Tally tally;
	const TextAnswer answer = answer_text(user, body, wall_clock(), tally);
	add(tally);
	put(seen.alert, answer.code);
	put(seen.result, answer.result);
	outcome.status = 200;
	if(answer.answered || may_talk(user))
		give(outcome, answer.text, "text/plain;charset=utf-8", allocate);
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

size_t dmp_core_memory(void)
{
	return sizeof(Shared);
}

void dmp_core_init(const bmd_api_t *bmd, void *memory)
{
	api = bmd;
	shared = static_cast<Shared *>(memory);
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

void dmp_core_take_document(
		bmd_text user, bmd_text body, dmp_allocate allocate, dmp_outcome *outcome, dmp_seen *seen)
{
	guarded(*outcome, *seen,
			[&] { take_document(view_of(user), view_of(body), allocate, *outcome, *seen); });
}

void dmp_core_take_text(
		bmd_text user, bmd_text body, dmp_allocate allocate, dmp_outcome *outcome, dmp_seen *seen)
{
	guarded(*outcome, *seen,
			[&] { take_text(view_of(user), view_of(body), allocate, *outcome, *seen); });
}
