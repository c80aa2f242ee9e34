# cluster.sh - a private PostgreSQL cluster: own directory, own socket, no TCP.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Sourced by bmd-stack and by tests/lib.  The caller sets no options here but may set
# CLUSTER_SETTINGS (lines of postgresql.conf).  Functions return 1 and say why on stderr.

# PostgreSQL refuses to run as root; then the package's own user does it.
cluster_user() {
	if [ "$(id -u)" -eq 0 ]; then echo postgres; else id -un; fi
}

as_cluster_user() {
	if [ "$(id -u)" -eq 0 ]; then
		# not the caller's directory, which that user may not be allowed to enter
		(cd / && exec runuser -u postgres -- "$@")
	else
		"$@"
	fi
}

# Newest server programs of 15 or later.
cluster_bin() {
	local dir best=
	for dir in /usr/lib/postgresql/*/bin; do
		[ ! -x "$dir/postgres" ] || best=$(printf '%s\n%s\n' "$best" "$dir" | sort -V | tail -n 1)
	done
	[ -n "$best" ] || {
		echo "no PostgreSQL server in /usr/lib/postgresql: install the package postgresql" >&2
		return 1
	}
	echo "$best"
}

# cluster_create DATA OWNER...: initdb.  Each OWNER (a user of the system) may connect as any role;
# everybody else only as the role of the same name.  No password exists.
cluster_create() {
	local data=$1 bin owner
	shift
	bin=$(cluster_bin) || return 1
	mkdir -p "$data" && chmod 700 "$data" && chown "$(cluster_user)" "$data" || return 1
	as_cluster_user "$bin/initdb" -D "$data" -U postgres -E UTF8 --locale=C.UTF-8 -A peer \
		--no-instructions > /dev/null || return 1
	for owner in "$@"; do
		printf 'private %s all\n' "$owner"
	done | awk '{ print "private", $2, "postgres"; print "private", $2, "bmd"; print "private", $2, "kamailio" }' \
		>> "$data/pg_ident.conf"
	printf 'private kamailio kamailio\n' >> "$data/pg_ident.conf"
	echo 'local all all peer map=private' > "$data/pg_hba.conf"
	# What goes wrong is logged without the values of the statement: they are patients' data.
	cat >> "$data/postgresql.conf" << 'END'
listen_addresses = ''
timezone = 'UTC'
log_timezone = 'UTC'
log_error_verbosity = terse
log_min_error_statement = panic
log_parameter_max_length_on_error = 0
shared_buffers = 128MB
max_wal_size = 2GB
END
	printf '%s\n' "${CLUSTER_SETTINGS:-}" >> "$data/postgresql.conf"
}

cluster_running() {
	local bin
	bin=$(cluster_bin) && as_cluster_user "$bin/pg_ctl" -D "$1" status > /dev/null 2>&1
}

# cluster_start DATA SOCKETS LOG: returns when it accepts connections.
cluster_start() {
	local data=$1 sockets=$2 log=$3 bin
	bin=$(cluster_bin) || return 1
	touch "$log" && chown "$(cluster_user)" "$log" && chmod 640 "$log" || return 1
	as_cluster_user "$bin/pg_ctl" -D "$data" -l "$log" -w -t 60 -s \
		-o "-c unix_socket_directories='$sockets'" start > /dev/null 2>&1 < /dev/null 9>&- || {
		echo "PostgreSQL did not start; the end of $log:" >&2
		tail -n 5 "$log" >&2
		return 1
	}
}

cluster_stop() {
	local data=$1 bin
	bin=$(cluster_bin) || return 1
	as_cluster_user "$bin/pg_ctl" -D "$data" -w -t 60 -s -m fast stop > /dev/null 2>&1 ||
		as_cluster_user "$bin/pg_ctl" -D "$data" -w -t 20 -s -m immediate stop > /dev/null 2>&1
}
