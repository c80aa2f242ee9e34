/// @file pg_stream.cpp  Rows of a query as they come, by binary COPY.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "pg_stream.hpp"

#include <bit>
#include <cstring>

namespace bmd {

namespace {

constexpr std::size_t bundle_size = 256;
constexpr std::int64_t postgres_epoch_us = 946'684'800'000'000; // 2000-01-01
constexpr std::int64_t day_us = 86'400'000'000;

// Big-endian number of `size` bytes.
std::int64_t big_endian(const char *from, std::size_t size) noexcept
{
	std::uint64_t value = size > 0 && (*from & 0x80) != 0 ? ~std::uint64_t{0} : 0;
	for(std::size_t i = 0; i < size; ++i)
		value = value << 8 | static_cast<unsigned char>(from[i]);
	return static_cast<std::int64_t>(value);
}

using Message = std::unique_ptr<char, void (*)(void *)>;

// The messages of a bundle, which own the text of its rows.
class Bundle
{
public:
	explicit Bundle(const RowBundle &take) : take_(take)
	{
		messages_.reserve(bundle_size);
		rows_.reserve(bundle_size);
	}
	void add(Message message, std::string_view content)
	{
		PgFields row;
		if(!row.parse(content))
			return;
		messages_.push_back(std::move(message));
		rows_.push_back(row);
		if(rows_.size() == bundle_size)
			flush();
	}
	void flush()
	{
		if(!rows_.empty())
			take_(rows_);
		rows_.clear();
		messages_.clear();
	}

private:
	const RowBundle &take_;
	std::vector<Message> messages_;
	std::vector<PgFields> rows_;
};

// The head of a binary COPY comes before its first row, in one message with it.
std::string_view without_head(std::string_view content) noexcept
{
	constexpr std::size_t signature = 11;
	if(content.size() < signature + 8 || !content.starts_with("PGCOPY\n\377\r\n"))
		return content;
	const auto extension = static_cast<std::size_t>(big_endian(content.data() + signature + 4, 4));
	content.remove_prefix(std::min(content.size(), signature + 8 + extension));
	return content;
}

} // namespace

bool PgFields::parse(std::string_view message) noexcept
{
	count_ = 0;
	if(message.size() < 2)
		return false;
	const std::int64_t count = big_endian(message.data(), 2);
	if(count < 0 || count > static_cast<std::int64_t>(most))
		return false;
	message.remove_prefix(2);
	for(std::int64_t i = 0; i < count; ++i) {
		if(message.size() < 4)
			return false;
		const std::int64_t length = big_endian(message.data(), 4);
		message.remove_prefix(4);
		if(length > static_cast<std::int64_t>(message.size()))
			return false;
		const auto size = static_cast<std::size_t>(length < 0 ? 0 : length);
		fields_[count_++] = length < 0 ? std::string_view{} : message.substr(0, size);
		message.remove_prefix(size);
	}
	return true;
}

bool PgFields::null(std::size_t i) const noexcept
{
	return i >= count_ || fields_[i].data() == nullptr;
}

std::string_view PgFields::text(std::size_t i) const noexcept
{
	return i < count_ ? fields_[i] : std::string_view{};
}

std::int64_t PgFields::integer(std::size_t i) const noexcept
{
	const std::string_view field = text(i);
	return field.size() <= 8 ? big_endian(field.data(), field.size()) : 0;
}

double PgFields::number(std::size_t i, double absent) const noexcept
{
	return text(i).size() == 8 ? std::bit_cast<double>(integer(i)) : absent;
}

bool PgFields::truth(std::size_t i) const noexcept
{
	return text(i) == std::string_view("\1", 1);
}

std::int64_t PgFields::time(std::size_t i) const noexcept
{
	return null(i) ? 0 : integer(i) + postgres_epoch_us;
}

std::int64_t PgFields::duration(std::size_t i) const noexcept
{
	const std::string_view field = text(i);
	if(field.size() != 16)
		return 0;
	const std::int64_t days =
			big_endian(field.data() + 8, 4) + 30 * big_endian(field.data() + 12, 4);
	return big_endian(field.data(), 8) + days * day_us;
}

Result<bool> stream_rows(Pg &pg, const std::string &query, const RowBundle &take)
{
	if(auto begin = pg.run(("COPY (" + query + ") TO STDOUT (FORMAT binary)").c_str()); !begin)
		return begin.error();
	Bundle bundle(take);
	char *data = nullptr;
	int length = 0;
	while((length = pg.copy_row(data)) > 0) {
		const std::string_view content(data, static_cast<std::size_t>(length));
		bundle.add(Message(data, PQfreemem), without_head(content));
	}
	bundle.flush();
	return pg.end_copy_out(length);
}

} // namespace bmd
