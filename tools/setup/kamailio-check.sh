#!/bin/sh
# kamailio-check.sh - compare the release we compile against with the installed Kamailio.
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Usage: kamailio-check.sh DIR     DIR as made by setup.sh headers
# The loader refuses a module whose version or flags string differs: say it here, in one line.
# Exit 0: equal, or no Kamailio installed (said).  Exit 1: a difference.

set -eu
dir=$1
defs="$(sed -n '/^C_DEFS= /{s///p;q}' "$dir/src/config.mak") $(sed -n 's/^CC_PMUTEX_OPTS= //p' "$dir/src/config.mak")"
probe=$(mktemp -d)
trap 'rm -rf "$probe"' EXIT
cat > "$probe/p.c" << 'END'
#include <stdio.h>
#include "core/ver_defs.h"
int main(void) { printf("version: %s\nflags: %s\n", SER_FULL_VERSION, SER_COMPILE_FLAGS); return 0; }
END
# config.mak quotes for a shell, so a shell must read it
eval "gcc -w $defs -isystem '$dir/src' -o '$probe/p' '$probe/p.c'"
"$probe/p" > "$probe/ours"

if ! command -v kamailio > /dev/null; then
	echo "kamailio-check: no Kamailio installed to compare with; modules are for $(sed -n 's/^version: //p' "$probe/ours")"
	exit 0
fi
kamailio -v > "$probe/theirs" 2> /dev/null
ours=$(sed -n 's/^version: //p' "$probe/ours" | tr -d ' ')
theirs=$(sed -n 's/^version: //p' "$probe/theirs" | tr -d ' ')
if [ "$ours" != "$theirs" ]; then
	echo "kamailio-check: modules are built for '$ours' but '$theirs' is installed: it will refuse to load them" >&2
	exit 1
fi
tokens() { sed -n 's/^flags: //p' "$1" | tr ',' '\n' | tr -d ' ' | grep -v '^$' | sort -u; }
tokens "$probe/ours" > "$probe/a"
tokens "$probe/theirs" > "$probe/b"
if ! difference=$(diff "$probe/a" "$probe/b"); then
	echo "kamailio-check: compile flags differ (< ours, > installed): $(echo "$difference" | grep '^[<>]' | tr '\n' ' ')" >&2
	exit 1
fi
