/// @file main.cpp  bmd-catalogue: the metric catalogue as a table for people or as SQL.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// The SQL is the migration sql/0002_bmd_metric.sql; running it again brings a database up to date.

#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>

#include "bmd/metric.hpp"

namespace {

constexpr int exit_usage = 64;

std::string quoted(std::string_view text)
{
	std::string out = "'";
	for(const char c : text) {
		if(c == '\'')
			out += '\'';
		out += c;
	}
	return out + '\'';
}

void print_text()
{
	std::printf("%-5s %-20s %-16s %8s %8s  %s\n", "id", "name", "unit", "min", "max", "meaning");
	for(const auto &m : bmd::metrics())
		std::printf("%-5u %-20s %-16s %8g %8g  %s%s%s\n", m.id, m.name.data(), m.ucum.data(), m.min,
				m.max, m.text.data(), m.mdc.empty() ? "" : "; ", m.mdc.data());
	std::printf("\n%-5s %-20s %-14s %-8s  %s\n", "id", "alarm", "kind", "priority", "meaning");
	for(const auto &a : bmd::alarms())
		std::printf("%-5u %-20s %-14s %-8s  %s\n", a.id, a.name.data(), to_string(a.kind).data(),
				to_string(a.priority).data(), a.text.data());
}

constexpr const char *sql_head =
		R"(-- 0002_bmd_metric.sql - the metric catalogue: what devices measure, and alarms they raise.
-- SPDX-License-Identifier: GPL-2.0-or-later
--
-- Generated: `make catalogue-sql` writes it from modules/common/src/{metrics,alarms}.inc.
-- Safe to apply again; entries are never deleted, because readings refer to them.

INSERT INTO bmd_metric
    (metric_id, name, mdc, ucum, min_value, max_value, is_alarm, kind, priority, text)
VALUES
)";

constexpr const char *sql_tail = R"(
ON CONFLICT (metric_id) DO UPDATE SET
    name = EXCLUDED.name, mdc = EXCLUDED.mdc, ucum = EXCLUDED.ucum,
    min_value = EXCLUDED.min_value, max_value = EXCLUDED.max_value,
    is_alarm = EXCLUDED.is_alarm, kind = EXCLUDED.kind,
    priority = EXCLUDED.priority, text = EXCLUDED.text;
)";

void print_sql()
{
	std::fputs(sql_head, stdout);
	const char *comma = "";
	for(const auto &m : bmd::metrics()) {
		std::printf("%s    (%u, %s, %s, %s, %g, %g, false, NULL, NULL, %s)", comma, m.id,
				quoted(m.name).c_str(), quoted(m.mdc).c_str(), quoted(m.ucum).c_str(), m.min, m.max,
				quoted(m.text).c_str());
		comma = ",\n";
	}
	for(const auto &a : bmd::alarms())
		std::printf(",\n    (%u, %s, '', '', NULL, NULL, true, %s, %s, %s)", a.id,
				quoted(a.name).c_str(), quoted(to_string(a.kind)).c_str(),
				quoted(to_string(a.priority)).c_str(), quoted(a.text).c_str());
	std::fputs(sql_tail, stdout);
}

} // namespace

int main(int argc, char **argv)
{
	if(argc == 2 && std::strcmp(argv[1], "--sql") == 0) {
		print_sql();
	} else if(argc == 1) {
		print_text();
	} else {
		const bool help = argc == 2 && std::strcmp(argv[1], "--help") == 0;
		std::fputs(
				"usage: bmd-catalogue [--sql]\n"
				"Prints the metric catalogue as a table, or as an SQL statement for bmd_metric.\n",
				help ? stdout : stderr);
		return help ? 0 : exit_usage;
	}
	return std::fflush(stdout) == 0 ? 0 : 1;
}
