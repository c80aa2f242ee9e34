/// @file dmp_alert.hpp  The bmd:alert element.  Internal to the DMP codec.
/// SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include <string>

#include <libxml/tree.h>

#include "bmd/alert.hpp"
#include "bmd/result.hpp"

namespace bmd::dmp {

/// Appends the element without what Device, Variable, Value and Event carry.
void append_alert(std::string &out, const AlertView &alert);

/// Validates and reads one; serial, metric, value and condition stay at their defaults.
[[nodiscard]] Result<AlertView> read_alert(xmlNodePtr alert);

/// Text of a node's own text children, untrimmed; other elements inside do not count.
[[nodiscard]] std::string text_of(const xmlNode *node);

/// Is the element or attribute in namespace urn:bmd:dmp:1?
[[nodiscard]] bool is_ours(const xmlNs *ns) noexcept;

} // namespace bmd::dmp
