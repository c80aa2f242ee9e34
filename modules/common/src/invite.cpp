/// @file invite.cpp  What an INVITE that tells of an alert says.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "bmd/invite.hpp"

#include <algorithm>
#include <vector>

#include "bmd/words.hpp"

namespace bmd {

namespace {

constexpr std::string_view crlf = "\r\n";
constexpr std::size_t most_streams = 16;

// Bytes of the character that begins here, valid or not.
std::size_t step(std::string_view text) noexcept
{
	std::size_t size = 1;
	while(size < text.size() && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80)
		++size;
	return size;
}

std::string head(const SdpHost &host)
{
	const std::string kind = host.ip6 ? "IN IP6 " : "IN IP4 ";
	const std::string session(host.session);
	return "v=0\r\no=alert " + session + " " + session + " " + kind + std::string(host.address)
		   + "\r\ns=alert\r\nc=" + kind + std::string(host.address) + "\r\nt=0 0\r\n";
}

// "m=audio 4000 RTP/AVP 0 8" in its words; empty when it is none.
std::vector<std::string_view> words_of(std::string_view line)
{
	std::vector<std::string_view> words;
	while(!line.empty()) {
		const std::size_t end = std::min(line.find(' '), line.size());
		if(end > 0)
			words.push_back(line.substr(0, end));
		line.remove_prefix(std::min(end + 1, line.size()));
	}
	return words.size() < 4 ? std::vector<std::string_view>() : words;
}

// Static payload types of PCMU and PCMA, else the terminal's own first one.
std::string_view payload(const std::vector<std::string_view> &words)
{
	const auto known = std::find_if(words.begin() + 3, words.end(),
			[](std::string_view type) { return type == "0" || type == "8"; });
	return known == words.end() ? words[3] : *known;
}

std::string stream(const std::vector<std::string_view> &words, bool taken)
{
	std::string line(words[0]);
	line += taken ? " 9 " : " 0 ";
	line += words[2];
	line += ' ';
	line += taken ? payload(words) : words[3];
	line += crlf;
	return taken ? line + "a=inactive\r\n" : line;
}

} // namespace

std::string_view sip_priority(Priority priority) noexcept
{
	switch(priority) {
		case Priority::high:
			return "emergency";
		case Priority::medium:
			return "urgent";
		case Priority::low:
			break;
	}
	return "normal";
}

std::string header_line(std::string_view text, std::size_t most)
{
	std::string line;
	bool space = false;
	while(!text.empty()) {
		const std::string_view next = text.substr(0, step(text));
		text.remove_prefix(next.size());
		if(next == " " || !valid_words(next, 4)) {
			space = !line.empty();
			continue;
		}
		if(line.size() + (space ? 1 : 0) + next.size() > most)
			break;
		if(space)
			line += ' ';
		space = false;
		line += next;
	}
	return line;
}

std::string quoted_string(std::string_view text, std::size_t most)
{
	std::string quoted = "\"";
	const std::string line = header_line(text, most);
	for(std::string_view rest = line; !rest.empty();) {
		const std::string_view next = rest.substr(0, step(rest));
		rest.remove_prefix(next.size());
		const std::string escape = next == "\"" || next == "\\" ? "\\" : "";
		if(quoted.size() - 1 + escape.size() + next.size() > most)
			break;
		quoted += escape;
		quoted += next;
	}
	return quoted + '"';
}

std::string sdp_offer(const SdpHost &host)
{
	return head(host)
		   + "m=audio 9 RTP/AVP 0 8\r\n"
			 "a=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=inactive\r\n";
}

Result<std::string> sdp_answer(std::string_view offer, const SdpHost &host)
{
	if(!offer.starts_with("v=0"))
		return malformed("the offer is no SDP");
	std::string answer = head(host);
	bool found = false;
	std::size_t streams = 0;
	while(!offer.empty()) {
		std::string_view line = offer.substr(0, offer.find('\n'));
		offer.remove_prefix(std::min(line.size() + 1, offer.size()));
		if(line.ends_with('\r'))
			line.remove_suffix(1);
		if(!line.starts_with("m="))
			continue;
		const auto words = words_of(line);
		if(words.empty() || !valid_words(line, 512) || ++streams > most_streams)
			return malformed("stream " + std::to_string(streams) + " of the offer is malformed");
		const bool taken =
				!found && words[0] == "m=audio" && words[1] != "0" && words[2] == "RTP/AVP";
		found = found || taken;
		answer += stream(words, taken);
	}
	if(!found)
		return malformed("the offer has no audio stream by RTP/AVP");
	return answer;
}

std::string multipart(std::string_view sdp, std::string_view text, std::string_view boundary)
{
	const std::string line = "--" + std::string(boundary);
	// Kamailio's filter_body() wants Content-Type to be the last header of a part
	return line + "\r\nContent-Type: application/sdp\r\n\r\n" + std::string(sdp) + "\r\n" + line
		   + "\r\nContent-Disposition: render;handling=optional\r\n"
			 "Content-Type: text/plain;charset=utf-8\r\n\r\n"
		   + std::string(text) + "\r\n" + line + "--\r\n";
}

} // namespace bmd
