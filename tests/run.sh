#!/bin/bash
# run.sh - run the tests and count them.
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Usage: run.sh [all|unit|integration|e2e]...     all by default
# Every test program prints "ok NAME" and "not ok NAME" lines; a program that ends badly without a
# "not ok" counts as one failed test.  Closes with "N passed, N failed"; exit 1 unless all passed.
# Of all together the unit suites come last: they are compiled, for ASan and UBSan, with the processor
# time the other parts leave, which mostly wait; and the integration tests run beside the end-to-end
# cases that are not to be alone.  With FUZZ_SECONDS=N each fuzz target runs as long, four at a time, as soon
# as it is compiled, and counts as one test.

set -u
cd "$(dirname "$0")/.." || exit 2
mkdir -p build
log=$(mktemp build/test.XXXXXX.log)
beside=
trap 'rm -f "$log"; [ -z "$beside" ] || kill -- "-$beside" 2> /dev/null' EXIT

program() { # NAME COMMAND...: run one test program, keep its lines
	local name=$1 lines status
	shift
	lines=$(mktemp)
	timeout 900 "$@" < /dev/null 2>&1 | tee "$lines"
	status=${PIPESTATUS[0]}
	if [ "$status" -ne 0 ] && ! grep -q '^not ok ' "$lines"; then
		echo "not ok $name: ended with status $status" | tee -a "$lines"
	fi
	grep -E '^(not )?ok ' "$lines" >> "$log"
	rm -f "$lines"
}

sanitized() { # compiles for ASan and UBSan, then fuzzes, with what is left of the processors
	env -u MAKEFLAGS -u MFLAGS chrt --idle 0 make -s -j"${JOBS:-2}" build/asan/unit ${FUZZ_SECONDS:+fuzz-programs} > build/asan.log 2>&1
	echo $? > build/asan.status
	[ -n "${FUZZ_SECONDS:-}" ] || return 0
	# shellcheck disable=SC2046 # names of files without spaces
	exec chrt --idle 0 /usr/bin/python3 tests/fuzz/run.py --seconds "$FUZZ_SECONDS" --jobs 4 \
		$(basename -s .cpp tests/fuzz/*.cpp) > build/fuzz.log 2>&1
}

start_sanitized() {
	rm -f build/asan.status build/fuzz.log
	set -m # a process group of its own
	sanitized < /dev/null &
	beside=$!
	set +m
}

unit() {
	until [ -s build/asan.status ]; do
		kill -0 "$beside" 2> /dev/null || echo 1 > build/asan.status
		sleep 1
	done
	if [ "$(cat build/asan.status)" -ne 0 ]; then
		cat build/asan.log
		echo "not ok unit: build/asan/unit cannot be built" | tee -a "$log"
		return
	fi
	ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1 program unit build/asan/unit
}

fuzz() {
	wait "$beside"
	cat build/fuzz.log
	grep -q '^# fuzz' build/fuzz.log || echo "not ok fuzz: it did not come to its end" | tee -a "$log"
	grep -E '^(not )?ok ' build/fuzz.log >> "$log"
}

integration() {
	local test
	for test in tests/integration/*.sh tests/integration/*.py; do
		[ -e "$test" ] || continue
		case $test in
			*.py) program "$(basename "$test")" /usr/bin/python3 "$test" ;;
			*) program "$(basename "$test")" bash "$test" ;;
		esac
	done
}

e2e() { # [OPTION...]
	local lines status
	lines=$(mktemp)
	/usr/bin/python3 tests/lib/run_e2e.py "$@" < /dev/null 2>&1 | tee "$lines"
	status=${PIPESTATUS[0]}
	# a runner that dies half way must not look like fewer tests
	if ! grep -q '^# e2e: ' "$lines" || { [ "$status" -ne 0 ] && ! grep -q '^not ok ' "$lines"; }; then
		echo "not ok e2e: run_e2e.py ended with status $status" | tee -a "$lines"
	fi
	grep -E '^(not )?ok ' "$lines" >> "$log"
	rm -f "$lines"
}

all() {
	local lines integrating
	lines=$(mktemp)
	integration > "$lines" 2>&1 & integrating=$!
	e2e --only together
	wait "$integrating" || echo "not ok integration: ended before its end" | tee -a "$log"
	cat "$lines"
	rm -f "$lines"
	e2e --only alone
	unit
	[ -z "${FUZZ_SECONDS:-}" ] || fuzz
}

[ $# -gt 0 ] || set -- all
case " $* " in *" unit "* | *" all "*) start_sanitized ;; esac
for part in "$@"; do
	case $part in
		all | unit | integration | e2e) "$part" ;;
		*) echo "run.sh: no such part: $part" >&2; exit 2 ;;
	esac
done
passed=$(grep -c '^ok ' "$log")
failed=$(grep -c '^not ok ' "$log")
[ "$failed" -eq 0 ] || { echo "failed:"; grep '^not ok ' "$log"; }
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
