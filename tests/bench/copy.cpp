/// @file copy.cpp  The limit of the intake: rows like those of readings by binary COPY, nothing
/// else. SPDX-License-Identifier: GPL-2.0-or-later The rows are encoded beforehand, each
/// transaction sends the same ones.  Prints one JSON object.

#include <libpq-fe.h>

#include <bit>
#include <cstring>
#include <memory>
#include <stdexcept>

#include "batch.hpp"
#include "measure.hpp"

namespace {

using namespace bench;

constexpr std::int64_t postgres_epoch_us = 946'684'800'000'000; // 2000-01-01
constexpr const char *copy_sql =
		"COPY bmd_reading (received_at, measured_at, device_id, metric_id, kind, value, priority, "
		"collector_id, epoch, seq) FROM STDIN (FORMAT binary)";

template <class T> void put(std::string &data, T value)
{
	for(int shift = static_cast<int>(sizeof value) * 8 - 8; shift >= 0; shift -= 8)
		data += static_cast<char>(value >> shift);
}

template <class T> void put_field(std::string &data, T value)
{
	put(data, static_cast<std::uint32_t>(sizeof value));
	put(data, value);
}

// As many rows as one transaction holds, eight metrics for each device.
std::string encode(std::int64_t rows, std::int64_t devices)
{
	std::string data("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19);
	const auto now = static_cast<std::uint64_t>(wall_us() - postgres_epoch_us);
	for(std::int64_t i = 0; i < rows; ++i) {
		put<std::uint16_t>(data, 10);
		put_field<std::uint64_t>(data, now);
		put_field<std::uint64_t>(data, now);
		put_field<std::uint32_t>(data, static_cast<std::uint32_t>(1 + i / 8 % devices));
		put_field<std::uint16_t>(data, static_cast<std::uint16_t>(1 + i % 8));
		put_field<std::uint16_t>(data, 1);
		const double value =
				90 + static_cast<double>(mix(static_cast<std::uint64_t>(i)) % 100) / 10;
		put_field<std::uint64_t>(data, std::bit_cast<std::uint64_t>(value));
		put<std::uint32_t>(data, 0xffffffff);
		put_field<std::uint32_t>(data, 1);
		put_field<std::uint64_t>(data, now);
		put_field<std::uint64_t>(data, first_seq + static_cast<std::uint64_t>(i / 4000));
	}
	put<std::uint16_t>(data, 0xffff);
	return data;
}

void run(PGconn *connection, const char *sql, ExecStatusType wanted)
{
	const std::unique_ptr<PGresult, decltype(&PQclear)> result(PQexec(connection, sql), PQclear);
	if(PQresultStatus(result.get()) != wanted)
		throw std::runtime_error(PQerrorMessage(connection));
}

void copy(PGconn *connection, const std::string &data)
{
	run(connection, "BEGIN", PGRES_COMMAND_OK);
	run(connection, copy_sql, PGRES_COPY_IN);
	constexpr std::size_t piece = 1U << 20;
	for(std::size_t at = 0; at < data.size(); at += piece)
		if(PQputCopyData(connection, data.data() + at,
				   static_cast<int>(std::min(piece, data.size() - at)))
				!= 1)
			throw std::runtime_error(PQerrorMessage(connection));
	if(PQputCopyEnd(connection, nullptr) != 1)
		throw std::runtime_error(PQerrorMessage(connection));
	while(PGresult *end = PQgetResult(connection)) {
		const bool done = PQresultStatus(end) == PGRES_COMMAND_OK;
		PQclear(end);
		if(!done)
			throw std::runtime_error(PQerrorMessage(connection));
	}
	run(connection, "COMMIT", PGRES_COMMAND_OK);
}

} // namespace

int main(int argc, char **argv)
{
	const Arguments arguments(
			argc, argv, {{"db", ""}, {"seconds", "5"}, {"rows", "500000"}, {"devices", "10000"}});
	const std::unique_ptr<PGconn, decltype(&PQfinish)> connection(
			PQconnectdb(arguments.text("db").c_str()), PQfinish);
	try {
		if(PQstatus(connection.get()) != CONNECTION_OK)
			throw std::runtime_error(PQerrorMessage(connection.get()));
		const std::string data = encode(arguments.whole("rows"), arguments.whole("devices"));
		const double cpu = own_cpu();
		const std::int64_t begun = now_ns();
		const auto length = static_cast<std::int64_t>(arguments.real("seconds") * 1e9);
		std::int64_t rows = 0;
		for(; now_ns() - begun < length; rows += arguments.whole("rows"))
			copy(connection.get(), data);
		const double seconds = static_cast<double>(now_ns() - begun) * 1e-9;
		std::printf(
				"{\"rows\": %lld, \"seconds\": %.4f, \"rows_per_s\": %.1f, \"cpu_share\": %.4f}\n",
				static_cast<long long>(rows), seconds, static_cast<double>(rows) / seconds,
				(own_cpu() - cpu) / seconds);
	} catch(const std::exception &error) {
		std::fprintf(stderr, "copy: %s\n", error.what());
		return 1;
	}
	return 0;
}
