/// @file pg.cpp  A connection to PostgreSQL.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "pg.hpp"

#include <poll.h>

#include <bit>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstring>
#include <utility>

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
	const std::string patience = std::to_string(patience_ < 5000 ? 2 : 5);
	// before dbname: what the site writes there has the last word
	const char *keys[] = {"connect_timeout", "keepalives_idle", "keepalives_interval",
			"keepalives_count", "tcp_user_timeout", "dbname", "fallback_application_name",
			"client_encoding", nullptr};
	const char *values[] = {patience.c_str(), "5", "2", "3", "10000", conninfo.c_str(), application,
			"UTF8", nullptr};
	connection_ = PQconnectdbParams(keys, values, 1);
	if(PQstatus(connection_) == CONNECTION_OK)
		return true;
	const Error error = error_of(nullptr);
	close();
	return Error{Errc::retry, error.reason};
}

bool Pg::established(int milliseconds)
{
	using Clock = std::chrono::steady_clock;
	const auto until = Clock::now() + std::chrono::milliseconds(milliseconds);
	PostgresPollingStatusType state = PGRES_POLLING_WRITING;
	while(PQstatus(connection_) != CONNECTION_BAD && state != PGRES_POLLING_OK
			&& state != PGRES_POLLING_FAILED) {
		const auto left =
				std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()).count();
		const short wanted = state == PGRES_POLLING_READING ? POLLIN : POLLOUT;
		pollfd wait{PQsocket(connection_), wanted, 0};
		if(left <= 0 || poll(&wait, 1, static_cast<int>(left)) == 0)
			return false;
		state = PQconnectPoll(connection_);
	}
	return state == PGRES_POLLING_OK;
}

Result<bool> Pg::connect_within(
		int milliseconds, const std::string &conninfo, const char *application)
{
	close();
	const char *keys[] = {"dbname", "fallback_application_name", "client_encoding", nullptr};
	const char *values[] = {conninfo.c_str(), application, "UTF8", nullptr};
	connection_ = PQconnectStartParams(keys, values, 1);
	if(connection_ != nullptr && established(milliseconds))
		return true;
	Error error = error_of(nullptr);
	close();
	if(error.reason.empty())
		error.reason = "no answer within " + std::to_string(milliseconds) + " ms";
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
	// Data, integrity, check option, limits of the program, a trigger that raises.
	static constexpr std::string_view data[] = {"22", "23", "44", "54", "P0"};
	Errc code = Errc::fatal;
	for(const std::string_view start : again)
		if(std::string_view(state).starts_with(start))
			code = Errc::retry;
	for(const std::string_view start : data)
		if(std::string_view(state).starts_with(start))
			code = Errc::malformed;
	const char *constraint = PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME);
	const char *table = PQresultErrorField(result, PG_DIAG_TABLE_NAME);
	std::string text = "SQLSTATE " + std::string(state);
	if(table != nullptr)
		text += ", table " + std::string(table);
	if(constraint != nullptr)
		text += ", constraint " + std::string(constraint);
	return Error{code, text};
}

bool Pg::heard()
{
	pollfd wait{PQsocket(connection_), POLLIN, 0};
	int ready = 0;
	do {
		ready = poll(&wait, 1, patience_);
	} while(ready < 0 && errno == EINTR);
	return ready > 0 && PQconsumeInput(connection_) == 1;
}

PgResult Pg::next_result(bool &silent)
{
	while(PQisBusy(connection_) != 0)
		if(!heard()) {
			silent = true;
			return nullptr;
		}
	return PgResult(PQgetResult(connection_));
}

Error Pg::gone_silent()
{
	const Error error = error_of(nullptr);
	close();
	return Error{Errc::retry, error.reason.empty() ? "no answer of the server" : error.reason};
}

Result<PgResult> Pg::answer(bool sent)
{
	bool silent = !sent;
	PgResult last;
	while(!silent) {
		PgResult result = next_result(silent);
		if(result == nullptr)
			break;
		const ExecStatusType status = PQresultStatus(result.get());
		last = std::move(result);
		if(status == PGRES_COPY_IN || status == PGRES_COPY_OUT)
			break;
	}
	if(silent || last == nullptr)
		return gone_silent();
	switch(PQresultStatus(last.get())) {
		case PGRES_COMMAND_OK:
		case PGRES_TUPLES_OK:
		case PGRES_COPY_IN:
		case PGRES_COPY_OUT:
			return last;
		default:
			return error_of(last.get());
	}
}

Result<PgResult> Pg::run(const char *sql, const std::vector<std::string> &parameters)
{
	std::vector<const char *> values;
	values.reserve(parameters.size());
	for(const std::string &parameter : parameters)
		values.push_back(parameter.c_str());
	const int sent = parameters.empty()
							 ? PQsendQuery(connection_, sql)
							 : PQsendQueryParams(connection_, sql, static_cast<int>(values.size()),
									 nullptr, values.data(), nullptr, nullptr, 0);
	return answer(sent == 1);
}

Result<bool> Pg::ping(int patience)
{
	const int usual = std::exchange(patience_, patience);
	auto answered = run("SELECT 1");
	patience_ = usual;
	return answered ? Result<bool>(true) : answered.error();
}

Result<bool> Pg::copy_out(const std::string &query, const std::function<void(const PgRow &)> &row)
{
	if(auto begin = run(("COPY (" + query + ") TO STDOUT").c_str()); !begin)
		return begin.error();
	char *line = nullptr;
	int length = 0;
	while((length = copy_row(line)) > 0) {
		const std::unique_ptr<char, void (*)(void *)> guard(line, PQfreemem);
		row(split(std::string_view(line, static_cast<std::size_t>(length))));
	}
	return end_copy_out(length);
}

// 0: the server is silent.
int Pg::copy_row(char *&row)
{
	int length = 0;
	while((length = PQgetCopyData(connection_, &row, 1)) == 0)
		if(!heard())
			return 0;
	return length;
}

Result<bool> Pg::end_copy_out(int length)
{
	if(length == 0)
		return gone_silent();
	if(length == -2)
		return error_of(nullptr);
	auto end = answer(true);
	return end ? Result<bool>(true) : end.error();
}

Result<bool> Pg::copy_in(const char *sql, std::string_view data)
{
	if(auto begin = run(sql); !begin)
		return begin.error();
	constexpr std::size_t piece = 1U << 20;
	bool sent = true;
	for(std::size_t at = 0; at < data.size() && sent; at += piece) {
		const std::string_view part = data.substr(at, piece);
		sent = PQputCopyData(connection_, part.data(), static_cast<int>(part.size())) == 1;
	}
	if(!sent || PQputCopyEnd(connection_, nullptr) != 1)
		return error_of(nullptr);
	if(auto end = answer(true); !end)
		return end.error();
	return true;
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

std::string_view BinaryCopy::content() const noexcept
{
	constexpr std::size_t head = 19; // signature, flags, length of the extension
	return std::string_view(data_).substr(head);
}

std::string_view BinaryCopy::finish()
{
	put16(0xffff);
	--rows_;
	return data_;
}

} // namespace bmd
