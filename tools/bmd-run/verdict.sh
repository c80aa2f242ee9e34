# verdict.sh - what bmd-run must have shown: an alert that nobody took, until somebody did.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034
# Sourced.  The functions return 1 and say in `missing` what is not there.

missing=

# screens_tell_it TECH1.LOG TECH2.LOG: both saw an alert of the ventilator and its end; tech1, who did
# nothing, that it was escalated, and that tech2 accepted it.
screens_tell_it() {
	local log line
	for log in "$1" "$2"; do
		for line in '^ALERT ' '^CLEAR '; do
			grep -q "$line.* VENT-840-1 " "$log" && continue
			missing="$(basename "$log" .log) has no line '$line' of VENT-840-1"
			return 1
		done
	done
	for line in '^ESCALATED' '^ACCEPTED by tech2 '; do
		grep -q "$line.* VENT-840-1 " "$1" && continue
		missing="tech1 has no line '$line' of VENT-840-1"
		return 1
	done
}

# story_is_whole < LINES of story.sql: raised, escalated, accepted by tech2 and cleared, in this order, and
# nothing by tech1.
story_is_whole() {
	local time event rest
	local -a wanted=(raised escalated accepted cleared)
	while read -r time event rest; do
		if [[ " $rest" == *' by tech1'* ]]; then
			missing="the story says at $time that tech1, who answers nothing, did: $event"
			return 1
		fi
		[ "$event" = "${wanted[0]-}" ] || continue
		[ "$event" != accepted ] || [[ $rest == 'by tech2 '* ]] || continue
		wanted=("${wanted[@]:1}")
	done
	[ ${#wanted[@]} -eq 0 ] && return 0
	missing="the story lacks, after what comes before it: ${wanted[*]}"
	return 1
}
