/// @file pg.cpp  A connection to PostgreSQL.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "pg.hpp"

#include <bit>
#include <cmath>
#include <cstring>

namespace bmd {

namespace {

constexpr std::int64_t postgres_epoch_us = 946'684'800'000'000; // 2000-01-01

// COPY's text format escapes with a backslash.
std::optional<std::string> unescape(std::string_view field)
{
	if(field == "\\N")
		return std::nullopt;
	std::string out;
	out.reserve(field.size());
	for(std::size_t i = 0; i < field.size(); ++i) {
		if(field[i] != '\\' || i + 1 == field.size()) {
			out += field[i];
			continue;
		}
		switch(const char c = field[++i]; c) {
			case 'n':
				out += '\n';
				break;
			case 't':
				out += '\t';
				break;
			case 'r':
				out += '\r';
				break;
			default:
				out += c;
		}
	}
	return out;
}

PgRow split(std::string_view line)
{
	PgRow row;
	while(!line.empty() && line.back() == '\n')
		line.remove_suffix(1);
	for(;;) {
		const std::size_t tab = line.find('\t');
		row.push_back(unescape(line.substr(0, tab)));
		if(tab == std::string_view::npos)
			return row;
		line.remove_prefix(tab + 1);
	}
}

} // namespace

Result<bool> Pg::connect(const std::string &conninfo, const char *application)
{
	close();
	const char *keys[] = {
			"dbname", "fallback_application_name", "client_encoding", "connect_timeout", nullptr};
	const char *values[] = {conninfo.c_str(), application, "UTF8", "5", nullptr};
	connection_ = PQconnectdbParams(keys, values, 1);
	if(PQstatus(connection_) == CONNECTION_OK)
		return true;
	const Error error = error_of(nullptr);
	close();
	return Error{Errc::retry, error.reason};
}

void Pg::close() noexcept
{
	if(connection_ != nullptr)
		PQfinish(connection_);
	connection_ = nullptr;
}

bool Pg::connected() const noexcept
{
	return connection_ != nullptr && PQstatus(connection_) == CONNECTION_OK;
}

Error Pg::error_of(const PGresult *result) const
{
	const char *state = result == nullptr ? nullptr : PQresultErrorField(result, PG_DIAG_SQLSTATE);
	if(state == nullptr) {
		// No answer of the server: the client library's own words about the connection.
		std::string text = connection_ == nullptr ? "not connected" : PQerrorMessage(connection_);
		for(char &c : text)
			c = c == '\n' ? ' ' : c;
		return Error{Errc::retry, text};
	}
	// Classes 08, 40, 53, 55, 57, 58: connection, rollback, resources, state, operator, system.
	static constexpr std::string_view again[] = {"08", "40", "53", "55", "57", "58"};
	Errc code = Errc::fatal;
	for(const std::string_view start : again)
		if(std::string_view(state).starts_with(start))
			code = Errc::retry;
	const char *constraint = PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME);
	const char *table = PQresultErrorField(result, PG_DIAG_TABLE_NAME);
	std::string text = "SQLSTATE " + std::string(state);
	if(table != nullptr)
		text += ", table " + std::string(table);
	if(constraint != nullptr)
		text += ", constraint " + std::string(constraint);
	return Error{code, text};
}

Result<PgResult> Pg::run(const char *sql, const std::vector<std::string> &parameters)
{
	std::vector<const char *> values;
	values.reserve(parameters.size());
	for(const std::string &parameter : parameters)
		values.push_back(parameter.c_str());
	PgResult result(parameters.empty()
							? PQexec(connection_, sql)
							: PQexecParams(connection_, sql, static_cast<int>(values.size()),
									nullptr, values.data(), nullptr, nullptr, 0));
	const ExecStatusType status = PQresultStatus(result.get());
	if(status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
		return error_of(result.get());
	return result;
}

Result<bool> Pg::copy_out(const std::string &query, const std::function<void(const PgRow &)> &row)
{
	const PgResult begin(PQexec(connection_, ("COPY (" + query + ") TO STDOUT").c_str()));
	if(PQresultStatus(begin.get()) != PGRES_COPY_OUT)
		return error_of(begin.get());
	char *line = nullptr;
	int length = 0;
	while((length = PQgetCopyData(connection_, &line, 0)) > 0) {
		const std::unique_ptr<char, void (*)(void *)> guard(line, PQfreemem);
		row(split(std::string_view(line, static_cast<std::size_t>(length))));
	}
	Result<bool> outcome = true;
	if(length == -2)
		outcome = error_of(nullptr);
	while(PGresult *end = PQgetResult(connection_)) {
		if(PQresultStatus(end) != PGRES_COMMAND_OK)
			outcome = error_of(end);
		PQclear(end);
	}
	return outcome;
}

Result<bool> Pg::copy_in(const char *sql, std::string_view data)
{
	const PgResult begin(PQexec(connection_, sql));
	if(PQresultStatus(begin.get()) != PGRES_COPY_IN)
		return error_of(begin.get());
	constexpr std::size_t piece = 1U << 20;
	bool sent = true;
	for(std::size_t at = 0; at < data.size() && sent; at += piece) {
		const std::string_view part = data.substr(at, piece);
		sent = PQputCopyData(connection_, part.data(), static_cast<int>(part.size())) == 1;
	}
	if(!sent || PQputCopyEnd(connection_, nullptr) != 1)
		return error_of(nullptr);
	Result<bool> outcome = true;
	while(PGresult *end = PQgetResult(connection_)) {
		if(PQresultStatus(end) != PGRES_COMMAND_OK)
			outcome = error_of(end);
		PQclear(end);
	}
	if(!connected())
		return Error{Errc::retry, "connection lost"};
	return outcome;
}

void BinaryCopy::clear()
{
	static constexpr char signature[] = "PGCOPY\n\377\r\n"; // its closing zero belongs to it
	data_.assign(signature, sizeof signature);
	rows_ = 0;
	put32(0);
	put32(0);
}

void BinaryCopy::put16(std::uint16_t value)
{
	// Only row heads and the trailer are 16 bits wide.
	data_ += static_cast<char>(value >> 8);
	data_ += static_cast<char>(value);
	++rows_;
}

void BinaryCopy::put32(std::uint32_t value)
{
	const std::uint32_t big = __builtin_bswap32(value);
	data_.append(reinterpret_cast<const char *>(&big), sizeof big);
}

void BinaryCopy::put64(std::uint64_t value)
{
	const std::uint64_t big = __builtin_bswap64(value);
	data_.append(reinterpret_cast<const char *>(&big), sizeof big);
}

void BinaryCopy::int16(std::int16_t value)
{
	put32(2);
	data_ += static_cast<char>(static_cast<std::uint16_t>(value) >> 8);
	data_ += static_cast<char>(value);
}

void BinaryCopy::int32(std::int32_t value)
{
	put32(4);
	put32(static_cast<std::uint32_t>(value));
}

void BinaryCopy::int64(std::int64_t value)
{
	put32(8);
	put64(static_cast<std::uint64_t>(value));
}

void BinaryCopy::float8(double value)
{
	put32(8);
	put64(std::bit_cast<std::uint64_t>(value));
}

void BinaryCopy::float8_or_null(double value)
{
	if(std::isnan(value))
		null();
	else
		float8(value);
}

void BinaryCopy::text(std::string_view value)
{
	bytes(value.data(), value.size());
}

void BinaryCopy::text_or_null(std::string_view value)
{
	if(value.empty())
		null();
	else
		text(value);
}

void BinaryCopy::bytes(const void *data, std::size_t size)
{
	put32(static_cast<std::uint32_t>(size));
	data_.append(static_cast<const char *>(data), size);
}

void BinaryCopy::timestamp(std::int64_t time)
{
	if(time == 0)
		return null();
	int64(time - postgres_epoch_us);
}

std::string_view BinaryCopy::finish()
{
	put16(0xffff);
	--rows_;
	return data_;
}

} // namespace bmd
