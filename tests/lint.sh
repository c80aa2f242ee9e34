#!/bin/bash
# lint.sh - formatting, clang-tidy, cppcheck, shellcheck and the layer rule.  Exit 1 on any finding.
# SPDX-License-Identifier: GPL-2.0-or-later

set -u
cd "$(dirname "$0")/.." || exit 2
bad=0
finding() { echo "lint: $*"; bad=1; }

mapfile -t cxx < <(git ls-files -co --exclude-standard '*.cpp')
mapfile -t all < <(git ls-files -co --exclude-standard '*.c' '*.h' '*.cpp' '*.hpp')
mapfile -t scripts < <(git ls-files -co --exclude-standard '*.sh' tools/bmd-stack/bmd-stack tools/bmd-migrate/bmd-migrate tools/bmd-ca/bmd-ca .ci/run)

layers() {
	local f
	for f in "${all[@]}"; do
		case $f in
			modules/common/*)
				grep -HnE '#include *["<](core/|modules/|libpq|curl|sqlite|asio|spdlog)' "$f" &&
					finding "$f: common includes std and libxml2 only"
				;;
			modules/*.cpp | modules/*.hpp)
				grep -HnE '#include *["<](core/|modules/|lib/|\.\./\.\./core)' "$f" &&
					finding "$f: C++ includes no Kamailio header"
				;;
			modules/*.c)
				grep -HnE '#include *["<].*\.hpp' "$f" && finding "$f: C includes no .hpp"
				grep -HnE '#include *"\.\./[a-z_]+/' "$f" | grep -v '_api\.h"' &&
					finding "$f: of another module only NAME_api.h"
				;;
			tools/*)
				grep -HnE '#include *["<](core/|modules/(bmd|presence))' "$f" &&
					finding "$f: tools include nothing of Kamailio or its modules"
				;;
		esac
	done
	for f in "${all[@]}"; do
		[ "$(wc -l < "$f")" -le 400 ] || finding "$f: more than 400 lines"
	done
}

formatting() {
	clang-format --dry-run -Werror "${all[@]}" 2>&1 | grep -E 'error' | cut -d: -f1 | sort -u |
		while read -r f; do echo "lint: $f: not formatted (make format)"; done | grep . && bad=1
}

tidy() {
	local flags files looked deep=
	files=$(printf '%s\n' "${cxx[@]}" | grep -v '^tests/unit/')
	# the analyzer looks at 40,000 states of a function; with DEEP=1 at its own 225,000, which takes twice as long
	[ -n "${DEEP:-}" ] || deep='--extra-arg=-Xclang --extra-arg=-analyzer-config --extra-arg=-Xclang --extra-arg=max-nodes=40000'
	flags="-std=c++20 -Imodules/common/include -Imodules -Itests/unit -Itools/bmd-collector -Itools/bmd-sim -Itools/bmd-watch
		-Itests/fuzz -Imodules/bmd -Ibuild/asan $(pkg-config --cflags libxml-2.0 libpq sofia-sip-ua)"
	# shellcheck disable=SC2086
	echo "$files" | xargs -P 2 -n 4 sh -c 'clang-tidy --quiet '"$deep"' "$@" -- '"$(echo $flags)"' 2> /dev/null
		[ $? -le 1 ] && echo "looked at $#"' tidy > build/tidy.log # 1: a finding; more: killed, or it crashed
	looked=$(awk '/^looked at/ {n += $3} END {print n + 0}' build/tidy.log)
	[ "$looked" -eq "$(echo "$files" | wc -l)" ] || finding "clang-tidy looked at $looked of $(echo "$files" | wc -l) files"
	if grep -E '(warning|error):' build/tidy.log; then
		finding "clang-tidy"
	fi
}

check() {
	# cppcheck 2.10 does not parse all of C++20 (syntaxError, cppcheckError) and takes a view of a
	# constant for a dangling one; the compiler and clang-tidy see to both
	cppcheck --quiet --std=c++20 --enable=warning,performance,portability --inline-suppr \
		--suppress=missingInclude --suppress=unknownMacro --suppress=internalAstError \
		--suppress=syntaxError --suppress=cppcheckError --suppress=returnDanglingLifetime \
		--error-exitcode=1 -j 2 \
		-Imodules/common/include "${cxx[@]}" || finding "cppcheck"
	# C shims: Kamailio's headers are not looked into
	cppcheck --quiet --std=c11 --language=c --enable=warning,performance,portability --inline-suppr \
		--suppress=missingInclude --suppress=unknownMacro --error-exitcode=1 \
		modules/*/*.c || finding "cppcheck (C)"
}

layers
formatting
tidy
check
[ ${#scripts[@]} -eq 0 ] || shellcheck -x -P SCRIPTDIR -S warning "${scripts[@]}" || finding "shellcheck"
if [ "$bad" -eq 0 ]; then
	echo "lint: clean"
else
	exit 1
fi
