/// @file tsv.cpp  Reads the rule tables of the tests.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "tsv.hpp"

#include <fstream>
#include <sstream>

#include "suites.hpp"

namespace bmd_test {

std::vector<Row> read_tsv(const std::string &name)
{
	std::ifstream file(data_path(name));
	std::vector<Row> rows;
	std::string text;
	for(int line = 1; std::getline(file, text); ++line) {
		if(text.empty() || text.front() == '#')
			continue;
		Row row{line, {}};
		std::istringstream cells(text);
		for(std::string cell; std::getline(cells, cell, '\t');)
			row.cells.push_back(cell);
		rows.push_back(std::move(row));
	}
	CU_ASSERT(!rows.empty());
	return rows;
}

} // namespace bmd_test
