/// @file pb840.cpp  Puritan Bennett 840 ventilator, SNDF replies.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "drivers/pb840.hpp"

#include <algorithm>

namespace bmd {

namespace {

constexpr std::string_view mark = "MISCF,";
constexpr DurationUs reply_timeout = 3 * second_us; // the reply itself lasts 1.3 s at 9600 baud

std::string_view trimmed(std::string_view text) noexcept
{
	const auto first = text.find_first_not_of(' ');
	if(first == std::string_view::npos)
		return {};
	return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

bool printable(char c) noexcept
{
	return c >= ' ' && c <= '~';
}

} // namespace

Pb840Driver::Pb840Driver(const DriverOptions &options) : poll_interval_(options.poll_interval)
{
	for(std::size_t i = 0; i < pb840::field_count; i++) {
		const auto &field = pb840::fields[i];
		if(field.use == pb840::Use::number)
			metrics_[i] = find_metric(field.name);
		else if(field.use != pb840::Use::text)
			alarms_[i] = find_alarm(field.name);
	}
	buffer_.reserve(2 * pb840::reply_size);
}

void Pb840Driver::push(std::span<const std::uint8_t> bytes, TimeUs arrival, DriverSink &sink)
{
	stats_.bytes += bytes.size();
	for(std::size_t at = 0; at < bytes.size();) { // in pieces: a flood must not grow the buffer
		const std::size_t piece = std::min(bytes.size() - at, pb840::reply_size);
		buffer_.append(reinterpret_cast<const char *>(bytes.data()) + at, piece);
		at += piece;
		while(scan(arrival, sink) == Found::again) {
		}
	}
}

std::optional<std::string_view> Pb840Driver::poll(TimeUs now)
{
	if(waiting_ && now - asked_ < reply_timeout)
		return std::nullopt;
	if(asked_ != 0 && now - asked_ < poll_interval_)
		return std::nullopt;
	if(waiting_)
		stats_.unanswered++;
	asked_ = now;
	waiting_ = true;
	stats_.polls++;
	return pb840::request;
}

void Pb840Driver::quiet(DriverSink &sink)
{
	if(!buffer_.empty()) // else a reply may still be on its way
		reset(sink);
}

void Pb840Driver::reset(DriverSink &sink)
{
	if(buffer_.starts_with(mark))
		refuse("reply is cut short", sink);
	skip(buffer_.size());
	waiting_ = false;
}

// Takes at most one reply, sound or not, off the front of the buffer.
Pb840Driver::Found Pb840Driver::scan(TimeUs arrival, DriverSink &sink)
{
	const auto begin = buffer_.find(mark);
	if(begin == std::string::npos) { // keep what may be the beginning of the mark
		std::size_t keep = std::min(buffer_.size(), mark.size() - 1);
		while(keep > 0
				&& !mark.starts_with(std::string_view(buffer_).substr(buffer_.size() - keep)))
			keep--;
		skip(buffer_.size() - keep);
		return Found::need_more;
	}
	skip(begin);
	const std::string_view have = buffer_;
	const auto head = std::min(have.size(), pb840::head.size());
	if(have.substr(0, head) != pb840::head.substr(0, head)) {
		refuse("head is not 'MISCF,1225,169 ,' STX", sink);
		return Found::again;
	}
	const auto body = have.substr(head, pb840::body_size());
	const auto odd = std::find_if_not(body.begin(), body.end(), printable);
	if(odd != body.end()) { // an ETX too early is a byte lost
		refuse(*odd == pb840::tail[0] ? "fewer than 1225 bytes" : "control character in a field",
				sink);
		return Found::again;
	}
	if(have.size() < pb840::reply_size)
		return Found::need_more;
	if(have.substr(head + body.size(), pb840::tail.size()) != pb840::tail) {
		refuse("no ETX and CR after 1225 bytes", sink);
		return Found::again;
	}
	return take_reply(body, arrival, sink);
}

// The boundaries are right: the reply is taken or refused as a whole.
Pb840Driver::Found Pb840Driver::take_reply(std::string_view body, TimeUs arrival, DriverSink &sink)
{
	std::string reason;
	const bool good = read_body(body, reason);
	buffer_.erase(0, pb840::reply_size);
	waiting_ = false;
	lost_ = false;
	if(!good) {
		stats_.damaged++;
		sink.damaged(reason);
		return Found::again;
	}
	stats_.frames++;
	stats_.implausible += out_implausible_;
	alert_ = alert_next_;
	sink.readings(out_, arrival);
	return Found::again;
}

// The boundaries are wrong: look for the next reply behind this one's mark.
void Pb840Driver::refuse(std::string_view reason, DriverSink &sink)
{
	stats_.damaged++;
	sink.damaged(reason);
	lost_ = false;
	skip(mark.size());
	waiting_ = false;
}

// Gives up bytes that belong to no reply; a run of them is one resync.
void Pb840Driver::skip(std::size_t count)
{
	count = std::min(count, buffer_.size());
	if(count == 0)
		return;
	if(!lost_)
		stats_.resyncs++;
	lost_ = true;
	stats_.skipped += count;
	buffer_.erase(0, count);
}

bool Pb840Driver::read_body(std::string_view body, std::string &reason)
{
	out_.clear();
	out_implausible_ = 0;
	alert_next_ = alert_;
	std::size_t at = 0;
	for(std::size_t i = 0; i < pb840::field_count; i++) {
		const auto &field = pb840::fields[i];
		const auto text = body.substr(at, field.width);
		at += field.width + 1U;
		if(body[at - 1] != ',' || text.find(',') != std::string_view::npos) {
			reason = "field " + std::to_string(field.number) + " has not its width";
			return false;
		}
		if(!read_field(i, trimmed(text), reason))
			return false;
	}
	return true;
}

bool Pb840Driver::read_field(std::size_t index, std::string_view text, std::string &reason)
{
	const auto &field = pb840::fields[index];
	bool good = true;
	std::string_view expected;
	switch(field.use) {
		case pb840::Use::number:
			good = read_number(*metrics_[index], text);
			expected = "a number";
			break;
		case pb840::Use::alarm:
			good = read_alarm(*alarms_[index], text);
			expected = "an alarm word";
			break;
		case pb840::Use::alert:
			good = read_alert(*alarms_[index], text);
			expected = "ALERT or blank";
			break;
		case pb840::Use::on_off:
			good = read_on_off(*alarms_[index], text);
			expected = "ON or OFF";
			break;
		case pb840::Use::text:
			break;
	}
	if(!good)
		reason = "field " + std::to_string(field.number) + " is not " + std::string(expected);
	return good;
}

bool Pb840Driver::read_number(const MetricInfo &metric, std::string_view text)
{
	const bool dashes = text.find_first_not_of('-') == std::string_view::npos; // blank too
	if(dashes || text == "OFF")
		return true;
	const auto number = parse_number(text);
	if(!number)
		return false;
	DriverStats count;
	add_value(out_, metric, *number, count);
	out_implausible_ += count.implausible;
	return true;
}

bool Pb840Driver::read_alarm(const AlarmInfo &alarm, std::string_view word)
{
	if(word.empty())
		return true;
	if(word == "NORMAL" || word == "RESET") // RESET: over, the operator pressed alarm reset
		add_alarm(alarm, ReadingKind::alarm_off, alarm.priority);
	else if(word == "ALARM")
		add_alarm(alarm, ReadingKind::alarm_on, alarm.priority);
	else if(word == "LOW")
		add_alarm(alarm, ReadingKind::alarm_on, Priority::low);
	else if(word == "MEDIUM")
		add_alarm(alarm, ReadingKind::alarm_on, Priority::medium);
	else if(word == "HIGH")
		add_alarm(alarm, ReadingKind::alarm_on, Priority::high);
	else
		return false;
	return true;
}

// Blank ends an alert that was there: two replies must agree on it, and the end is said once.  A
// field that was always blank says nothing.
bool Pb840Driver::read_alert(const AlarmInfo &alarm, std::string_view word)
{
	if(word == "ALERT") {
		alert_next_ = Alert::on;
		add_alarm(alarm, ReadingKind::alarm_on, alarm.priority);
		return true;
	}
	if(!word.empty())
		return false;
	if(alert_ == Alert::blank_once) {
		alert_next_ = Alert::off;
		add_alarm(alarm, ReadingKind::alarm_off, alarm.priority);
	} else if(alert_ != Alert::off) {
		alert_next_ = Alert::blank_once;
	}
	return true;
}

bool Pb840Driver::read_on_off(const AlarmInfo &alarm, std::string_view word)
{
	if(word == "ON")
		add_alarm(alarm, ReadingKind::alarm_on, alarm.priority);
	else if(word == "OFF")
		add_alarm(alarm, ReadingKind::alarm_off, alarm.priority);
	return word.empty() || word == "ON" || word == "OFF";
}

void Pb840Driver::add_alarm(const AlarmInfo &alarm, ReadingKind kind, Priority priority)
{
	out_.push_back({alarm.id, kind, priority, 0.0});
}

} // namespace bmd
