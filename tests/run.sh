#!/bin/bash
# run.sh - run the tests and count them.
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Usage: run.sh [all|unit|integration|e2e]...     all by default
# Every test program prints "ok NAME" and "not ok NAME" lines; a program that ends badly without a
# "not ok" counts as one failed test.  Closes with "N passed, N failed"; exit 1 unless all passed.
# Of all together the unit suites come last: they are compiled, for ASan and UBSan, with the processor
# time the other parts leave, which mostly wait; and the integration tests run beside the end-to-end
# cases that are not to be alone.

set -u
cd "$(dirname "$0")/.." || exit 2
mkdir -p build
log=$(mktemp build/test.XXXXXX.log)
compiling=
trap 'rm -f "$log"; [ -z "$compiling" ] || kill "$compiling" 2> /dev/null' EXIT

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

compile_unit() { # with what is left of the processors
	exec env -u MAKEFLAGS -u MFLAGS chrt --idle 0 make -s -j"${JOBS:-2}" build/asan/unit > build/asan.log 2>&1
}

unit() {
	if ! wait "$compiling"; then
		cat build/asan.log
		echo "not ok unit: build/asan/unit cannot be built" | tee -a "$log"
		return
	fi
	compiling=
	ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1 program unit build/asan/unit
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
	local beside integrating
	beside=$(mktemp)
	compile_unit & compiling=$!
	integration > "$beside" 2>&1 & integrating=$!
	e2e --only together
	wait "$integrating" || echo "not ok integration: ended before its end" | tee -a "$log"
	cat "$beside"
	rm -f "$beside"
	e2e --only alone
	unit
}

[ $# -gt 0 ] || set -- all
case " $* " in *" unit "*) compile_unit & compiling=$! ;; esac
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
