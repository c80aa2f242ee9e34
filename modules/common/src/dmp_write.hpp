/// @file dmp_write.hpp  Pieces of a written document.  Internal to the DMP codec.
/// SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include <string>
#include <string_view>

#include "bmd/dmp.hpp"

namespace bmd::dmp {

/// Appends the XML declaration and the root's start tag, our namespace declared if `with_bmd`.
void append_start(std::string &out, Root root, const Attributes &attributes, bool with_bmd);
void append_end(std::string &out, Root root);

} // namespace bmd::dmp
