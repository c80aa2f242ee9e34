/// @file ids.cpp  Derived alert ids.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "bmd/ids.hpp"

namespace bmd {

namespace {

constexpr unsigned __int128 wide(std::uint64_t high, std::uint64_t low) noexcept
{
	return static_cast<unsigned __int128>(high) << 64 | low;
}

// FNV-1a with 128 bits (draft-eastlake-fnv): enough to tell alerts apart; nothing secret in it.
class Fnv128
{
public:
	void add(std::uint8_t byte) noexcept
	{
		hash_ ^= byte;
		hash_ *= prime;
	}
	void add(std::uint64_t number) noexcept
	{
		for(int shift = 56; shift >= 0; shift -= 8)
			add(static_cast<std::uint8_t>(number >> shift));
	}
	[[nodiscard]] unsigned __int128 value() const noexcept { return hash_; }

private:
	static constexpr unsigned __int128 prime = wide(0x0000000001000000, 0x000000000000013B);
	unsigned __int128 hash_ = wide(0x6c62272e07bb0142, 0x62b821756295c58d);
};

constexpr bool dash_before(std::size_t byte) noexcept
{
	return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

int hex_digit(char c) noexcept
{
	if(c >= '0' && c <= '9')
		return c - '0';
	if(c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if(c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

} // namespace

Uuid derive_alert_id(
		std::string_view serial, MetricId metric, Condition condition, TimeUs onset) noexcept
{
	Fnv128 hash;
	for(const char c : serial)
		hash.add(static_cast<std::uint8_t>(c));
	hash.add(std::uint8_t{0});
	hash.add(std::uint64_t{metric});
	hash.add(static_cast<std::uint8_t>(condition));
	hash.add(static_cast<std::uint64_t>(onset));

	Uuid id{};
	unsigned __int128 value = hash.value();
	for(std::size_t i = id.size(); i-- > 0; value >>= 8)
		id[i] = static_cast<std::uint8_t>(value);
	id[6] = static_cast<std::uint8_t>((id[6] & 0x0f) | 0x80); // version 8
	id[8] = static_cast<std::uint8_t>((id[8] & 0x3f) | 0x80); // variant of RFC 9562
	return id;
}

std::string to_string(const Uuid &id)
{
	constexpr std::string_view hex = "0123456789abcdef";
	std::string out;
	out.reserve(36);
	for(std::size_t i = 0; i < id.size(); ++i) {
		if(dash_before(i))
			out += '-';
		out += hex[id[i] >> 4];
		out += hex[id[i] & 15];
	}
	return out;
}

std::optional<Uuid> parse_uuid(std::string_view text) noexcept
{
	if(text.size() != 36)
		return std::nullopt;
	Uuid id{};
	std::size_t at = 0;
	for(std::size_t i = 0; i < id.size(); ++i) {
		if(dash_before(i) && text[at++] != '-')
			return std::nullopt;
		const int high = hex_digit(text[at++]);
		const int low = hex_digit(text[at++]);
		if(high < 0 || low < 0)
			return std::nullopt;
		id[i] = static_cast<std::uint8_t>(high << 4 | low);
	}
	return id;
}

} // namespace bmd
