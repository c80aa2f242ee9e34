#!/bin/sh
# embed.sh - write the schemas as C++ string literals into src/dmp_xsd.inc.  Run it after every change
# of a schema; a unit test compares the result with the files.
# SPDX-License-Identifier: GPL-2.0-or-later

set -eu
cd "$(dirname "$0")"
{
	echo '// Made by xsd/embed.sh; do not edit.'
	for name in dmp dmp-bmd; do
		printf 'constexpr std::string_view %s_xsd = R"xsd(' "$(echo "$name" | tr - _)"
		cat "$name.xsd"
		echo ')xsd";'
	done
} > ../src/dmp_xsd.inc
