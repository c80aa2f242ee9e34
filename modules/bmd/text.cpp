/// @file text.cpp  Texts in shared memory.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "text.hpp"

#include <algorithm>
#include <cstring>

#include "store.hpp"
#include "table.hpp"

namespace bmd {

namespace {

std::size_t length_of(const TextChunk &chunk) noexcept
{
	return strnlen(chunk.bytes, text_piece);
}

bool equals(Text text, std::string_view other) noexcept
{
	const Store &s = *store();
	for(Index i = text.head; i != 0; i = s.texts[i].next) {
		const std::string_view piece(s.texts[i].bytes, length_of(s.texts[i]));
		if(!other.starts_with(piece))
			return false;
		other.remove_prefix(piece.size());
	}
	return other.empty();
}

} // namespace

void drop_text(Text &text) noexcept
{
	Store &s = *store();
	while(text.head != 0) {
		const Index next = s.texts[text.head].next;
		give_back(s.texts, text.head, &TextChunk::next);
		text.head = next;
	}
}

bool put_text(Text &to, std::string_view from) noexcept
{
	Store &s = *store();
	if(equals(to, from))
		return true;
	drop_text(to);
	Index *link = &to.head;
	for(std::size_t at = 0; at < from.size(); at += text_piece) {
		const Index i = take(s.texts, &TextChunk::next);
		if(i == 0) {
			*link = 0;
			drop_text(to);
			complain(count_texts_lost_memory,
					"no room for a patient's name or address, or a device's location: it is left "
					"empty; raise the parameter \"texts\"");
			return false;
		}
		const std::string_view piece = from.substr(at, text_piece);
		std::memset(s.texts[i].bytes, 0, text_piece);
		std::memcpy(s.texts[i].bytes, piece.data(), piece.size());
		*link = i;
		link = &s.texts[i].next;
	}
	*link = 0;
	return true;
}

std::string text_of(Text text)
{
	const Store &s = *store();
	std::string all;
	for(Index i = text.head; i != 0; i = s.texts[i].next)
		all.append(s.texts[i].bytes, length_of(s.texts[i]));
	return all;
}

void copy_text(char *to, std::size_t size, Text from) noexcept
{
	const Store &s = *store();
	std::size_t left = size - 1;
	for(Index i = from.head; i != 0 && left > 0; i = s.texts[i].next) {
		const std::size_t length = std::min(left, length_of(s.texts[i]));
		std::memcpy(to, s.texts[i].bytes, length);
		to += length;
		left -= length;
	}
	*to = '\0';
}

} // namespace bmd
