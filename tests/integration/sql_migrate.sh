#!/bin/bash
# sql_migrate.sh - bmd-migrate applies each migration once, and refuses what does not fit.
# SPDX-License-Identifier: GPL-2.0-or-later
set -uo pipefail
. "$(dirname "$0")/../lib/database.sh"
database_begin
migrate() { "$top/tools/bmd-migrate/bmd-migrate" "$@" > "$scratch/out" 2>&1; }

# ends NAME CODE REGEX ARGUMENT...: exit code and message of one run.
ends() {
	local name=$1 code=$2 regex=$3 got=0
	shift 3
	migrate "$@" || got=$?
	if [ "$got" -ne "$code" ]; then
		not_ok "$name" "exit code $got, not $code: $(cat "$scratch/out")"
	elif ! grep -Eq "$regex" "$scratch/out"; then
		not_ok "$name" "the output does not match '$regex': $(cat "$scratch/out")"
	else
		ok "$name"
	fi
}

kamailio=/usr/share/kamailio/postgres
count=$(find "$top/sql" -name '[0-9][0-9][0-9][0-9]_*.sql' | wc -l)
ends "an empty database has everything pending" 1 '^pending  0001' --status
ends "without Kamailio's tables the migration that needs them says so" 5 'Kamailio.s tables are missing: .*subscriber'
check "and those before it stay applied" "8" "SELECT count(*) FROM bmd_schema_version"
ends "with them it goes on from there" 0 '^applied 0009' --kamailio-schema "$kamailio"
check "every file is recorded" "$count" "SELECT count(*) FROM bmd_schema_version"
migrate --kamailio-schema "$kamailio"
if [ -s "$scratch/out" ]; then not_ok "a second run does nothing" "$(cat "$scratch/out")"; else ok "a second run does nothing"; fi
ends "nothing is pending then" 0 '^applied  0001' --status
ends "a connection string may be given" 0 '^applied  0001' --status "host=$PGHOST dbname=bmd user=bmd"
ends "a database that does not answer is a clear error" 3 'the database does not answer' "host=$PGHOST dbname=nothing user=bmd"
ends "an unknown option is refused" 2 "unknown option '--force'" --force

cp -r "$top/sql" "$scratch/sql"
next=$(printf '%04d' $((count + 1)))
printf 'CREATE TABLE bmd_a (i int);\nCREATE TABLE bmd_a (i int);\n' > "$scratch/sql/${next}_broken.sql"
ends "a migration that fails is named" 5 "${next}_broken.sql' failed and was rolled back" --sql "$scratch/sql"
check "and leaves nothing behind" "t" "SELECT to_regclass('bmd_a') IS NULL"
printf 'CREATE TABLE bmd_a (i int);\n' > "$scratch/sql/${next}_broken.sql"
for i in 1 2 3; do
	"$top/tools/bmd-migrate/bmd-migrate" --sql "$scratch/sql" > "$scratch/race$i" 2>&1 &
done
wait
if cat "$scratch"/race? | grep -Eq 'ERROR|failed'; then
	not_ok "three at once apply it once" "$(cat "$scratch"/race?)"
else
	check "three at once apply it once" "1" "SELECT count(*) FROM bmd_schema_version WHERE version = $((count + 1))"
fi
ends "a database newer than the files is refused" 4 "has version $((count + 1)) \(${next}_broken.sql\), unknown" --status
echo '-- edited' >> "$scratch/sql/0003_bmd_device.sql"
ends "an edited migration is refused" 4 "'0003_bmd_device.sql' is not the file that was applied" --sql "$scratch/sql"
rm "$scratch/sql/0002_bmd_metric.sql"
ends "a gap in the numbers is refused" 4 'numbered 1, 2, 3' --sql "$scratch/sql"
PGUSER=postgres sql "CREATE DATABASE latin TEMPLATE template0 ENCODING LATIN1 LOCALE 'C'" > /dev/null
ends "a database that is not UTF-8 is refused" 5 'has encoding LATIN1: bmd-alert needs UTF8' "host=$PGHOST dbname=latin user=postgres"
finish
