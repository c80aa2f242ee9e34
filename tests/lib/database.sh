# database.sh - a private PostgreSQL cluster for one test script, and its checks.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Sourced.  Checks print "ok NAME" or "not ok NAME: why"; the script ends with finish.

top=$(readlink -f "$(dirname "${BASH_SOURCE[0]}")/../..")
# shellcheck source=tools/bmd-stack/cluster.sh
. "$top/tools/bmd-stack/cluster.sh"

failures=0
ok() { printf 'ok %s\n' "$1"; }
not_ok() {
	printf 'not ok %s: %s\n' "$1" "$(tr '\n' ' ' <<< "$2")"
	failures=$((failures + 1))
}
finish() { [ "$failures" -eq 0 ]; }

# database_begin: starts a cluster with an empty database bmd and sets PGHOST, PGDATABASE, PGUSER.
# Without fsync: no test that uses this is about power failures.
database_begin() {
	scratch=$(mktemp -d /tmp/bmd.XXXXXX)
	trap database_end EXIT
	chmod 711 "$scratch"
	mkdir "$scratch/pg"
	chown "$(cluster_user)" "$scratch/pg"
	export CLUSTER_SETTINGS='fsync = off'
	cluster_create "$scratch/data" "$(id -un)" "$(cluster_user)" &&
		cluster_start "$scratch/data" "$scratch/pg" "$scratch/postgresql.log" || exit 1
	export PGHOST=$scratch/pg PGDATABASE=postgres PGUSER=postgres
	psql -Xq -c 'CREATE ROLE bmd LOGIN' -c 'CREATE ROLE kamailio LOGIN' -c 'CREATE DATABASE bmd OWNER bmd' || exit 1
	export PGDATABASE=bmd PGUSER=bmd
}

# database_migrate: Kamailio's tables and all migrations.
database_migrate() {
	"$top/tools/bmd-migrate/bmd-migrate" --kamailio-schema /usr/share/kamailio/postgres > "$scratch/migrate.log" 2>&1 || {
		not_ok "migrations apply" "$(tail -n 3 "$scratch/migrate.log")"
		exit 1
	}
}

database_end() {
	cluster_stop "$scratch/data"
	rm -rf "$scratch"
}

# sql TEXT: one session; prints values, fields separated by "|".
sql() { psql -XAtq -v ON_ERROR_STOP=1 -c "$1" 2>&1; }

# check NAME EXPECTED SQL: the query prints exactly EXPECTED.
check() {
	local got
	got=$(sql "$3")
	if [ "$got" = "$2" ]; then ok "$1"; else not_ok "$1" "expected '$2', got '$got'"; fi
}

# refused NAME REGEX SQL: the statement fails with a message that matches.
refused() {
	local got
	if got=$(sql "$3"); then
		not_ok "$1" "it was accepted"
	elif grep -Eq "$2" <<< "$got"; then
		ok "$1"
	else
		not_ok "$1" "the message does not match '$2': $got"
	fi
}

# accepted NAME SQL
accepted() {
	local got
	if got=$(sql "$2"); then ok "$1"; else not_ok "$1" "$got"; fi
}
