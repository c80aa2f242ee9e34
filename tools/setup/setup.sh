#!/bin/sh
# setup.sh - install the Debian packages the project needs, and unpack Kamailio's headers.
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Usage: setup.sh packages [LIST] | headers VERSION-SUITE DIR
#   packages [LIST]     install what is missing from LIST, a file beside this one, by default
#                       packages.txt (root or sudo); nothing to do is silent
#   headers SUITE DIR   unpack the kamailio source package of SUITE (bookworm, trixie) into DIR and
#                       run its "make cfg"; Kamailio itself is never built
# Does not touch the system's own apt sources: it derives a private source list from them.

set -eu

here=$(cd "$(dirname "$0")" && pwd)

die() { echo "setup: $*" >&2; exit 1; }

as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif command -v sudo > /dev/null; then
		sudo "$@"
	else
		die "'$*' needs root, and there is no sudo"
	fi
}

install_packages() {
	list=$1 missing=
	[ -r "$here/$list" ] || die "no list $here/$list"
	for package in $(sed 's/#.*//' "$here/$list"); do
		dpkg-query -W -f='${db:Status-Status}\n' "$package" 2> /dev/null | grep -qx installed ||
			missing="$missing $package"
	done
	[ -n "$missing" ] || return 0
	echo "setup: installing$missing"
	# A fresh PostgreSQL package would start a system cluster: the stack brings its own.
	if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
		as_root mkdir -p /etc/postgresql-common
		echo 'create_main_cluster = false' |
			as_root tee /etc/postgresql-common/createcluster.conf > /dev/null
	fi
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -q update > /dev/null ||
		die "apt-get update failed"
	# shellcheck disable=SC2086
	as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -q -y \
		install --no-install-recommends $missing > build/setup.log 2>&1 ||
		die "apt-get install failed; see build/setup.log"
}

# Writes a deb-src list for one suite from the machine's own Debian entries.
# One-line entries and deb822 stanzas are both understood.
source_list() {
	suite=$1
	cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2> /dev/null |
		awk -v suite="$suite" '$1 == "deb" {
			sub(/\[[^]]*\] */, "")
			if ($3 == "bookworm") print "deb-src", $2, suite, "main" }'
	for file in /etc/apt/sources.list.d/*.sources; do
		[ -e "$file" ] || continue
		awk -v suite="$suite" -v RS= '{
			uri = ""; debian = 0
			n = split($0, line, "\n")
			for (i = 1; i <= n; i++) {
				if (line[i] ~ /^URIs:/) { split(line[i], w, /[ \t]+/); uri = w[2] }
				if (line[i] ~ /^Suites:.*[ \t]bookworm([ \t]|$)/) debian = 1
			}
			if (debian && uri != "") print "deb-src", uri, suite, "main" }' "$file"
	done
}

unpack_headers() {
	suite=$1 dir=$2
	[ ! -e "$dir/src/config.mak" ] || return 0
	mkdir -p "$dir/apt/lists/partial" "$dir/download"
	top=$(cd "$dir" && pwd)
	source_list "$suite" | sort -u > "$top/apt/sources.list"
	[ -s "$top/apt/sources.list" ] || die "no Debian 12 entry found in /etc/apt to derive deb-src from"
	echo "setup: fetching Kamailio's source package ($suite) for its headers"
	set -- -q -o "Dir::Etc::SourceList=$top/apt/sources.list" -o Dir::Etc::SourceParts=- \
		-o "Dir::State::Lists=$top/apt/lists" -o "Dir::Cache::pkgcache=" -o "Dir::Cache::srcpkgcache=" \
		-o APT::Sandbox::User=root
	apt-get "$@" update > "$top/apt.log" 2>&1 || die "apt-get update for deb-src failed; see $top/apt.log"
	(cd "$top/download" && apt-get "$@" source --download-only kamailio >> "$top/apt.log" 2>&1) ||
		true # a missing signature file (trixie) is an error to apt, not to us
	dsc=$(find "$top/download" -name 'kamailio_*.dsc' | head -n 1)
	if [ -z "$dsc" ]; then
		fetch_listed "$top" || die "the source package did not arrive; see $top/apt.log"
		dsc=$(find "$top/download" -name 'kamailio_*.dsc' | head -n 1)
	fi
	dpkg-source --no-check -x "$dsc" "$top/tree" >> "$top/apt.log" 2>&1 ||
		die "dpkg-source failed; see $top/apt.log"
	# Flags as Debian's rules set them; writes config.mak.
	(cd "$top/tree" && make cfg FLAVOUR=kamailio LIBDIR=lib/x86_64-linux-gnu >> "$top/apt.log" 2>&1) ||
		die "make cfg failed; see $top/apt.log"
	ln -sfn tree/src "$top/src"
}

case "${1:-}" in
	packages) mkdir -p build && install_packages "${2:-packages.txt}" ;;
	headers) [ $# -eq 3 ] || die "usage: setup.sh headers SUITE DIR"; unpack_headers "$2" "$3" ;;
	*) die "usage: setup.sh packages [LIST] | headers SUITE DIR" ;;
esac
