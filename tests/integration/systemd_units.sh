#!/bin/bash
# systemd_units.sh - the systemd units: known settings only, and little that they expose.
# SPDX-License-Identifier: GPL-2.0-or-later
# "systemd-analyze security" weighs what a unit leaves open, from 0 to 10; 3.0 is what we allow.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 2
most=3.0
failed=0

result() { # TRUE|FALSE SENTENCE [WHY]
	if [ "$1" = true ]; then echo "ok systemd-units: $2"; else
		echo "not ok systemd-units: $2: ${3:-}"
		failed=1
	fi
}

for unit in kamailio-cfg/systemd/*.service; do
	name=${unit##*/}
	said=$(systemd-analyze verify "$unit" 2>&1 | grep -v 'is not executable: No such file')
	result "$([ -z "$said" ] && echo true || echo false)" "$name has no setting that systemd does not know" "$said"
	exposure=$(systemd-analyze security --offline=true --no-pager "$unit" 2>&1 |
		sed -n 's/.*Overall exposure level for [^:]*: \([0-9.]*\).*/\1/p')
	good=$(awk -v a="${exposure:-10}" -v b="$most" 'BEGIN { print (a <= b ? "true" : "false") }')
	result "$good" "$name exposes ${exposure:-nobody knows how much} of 10, at most $most"
	grep -qE '^User=[a-z]' "$unit" && ! grep -qE '^User=root' "$unit" && runs=true || runs=false
	result "$runs" "$name runs without root"
done
exit "$failed"
