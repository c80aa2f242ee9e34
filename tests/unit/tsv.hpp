/// @file tsv.hpp  Reads the rule tables of the tests: tab separated, '#' begins a comment line.
/// SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include <string>
#include <vector>

namespace bmd_test {

struct Row
{
	int line = 0;
	std::vector<std::string> cells;
};

/// All rows of tests/data/NAME.  Fails the running test when the file is missing or empty.
[[nodiscard]] std::vector<Row> read_tsv(const std::string &name);

} // namespace bmd_test
