/// @file dmp_read.hpp  A validated tree to a Document.  Internal to the DMP codec.
/// SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include <libxml/tree.h>

#include "bmd/dmp.hpp"
#include "bmd/result.hpp"

namespace bmd::dmp {

/// `root` is valid by dmp.xsd.  Errors: malformed, for what the schema cannot say.
[[nodiscard]] Result<Document> read_tree(xmlNodePtr root);

} // namespace bmd::dmp
