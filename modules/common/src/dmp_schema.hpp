/// @file dmp_schema.hpp  Validation with the two schemas.  Internal to the DMP codec.
/// SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <libxml/tree.h>
#include <libxml/xmlerror.h>

#include "bmd/result.hpp"

namespace bmd::dmp {

/// Keeps the first error libxml2 reports; nothing reaches stderr.
struct FirstError
{
	std::string text; ///< empty: none
	void take(const xmlError *error);
	/// Signature of libxml2's structured handlers; `self` is a FirstError.
	static void handler(void *self, xmlErrorPtr error);
};

/// Validates a whole document, in no namespace, against dmp.xsd.
[[nodiscard]] std::optional<Error> validate(xmlDocPtr document);

/// Validates one bmd:alert or bmd:reading against dmp-bmd.xsd.
[[nodiscard]] std::optional<Error> validate_ours(xmlNodePtr element);

} // namespace bmd::dmp
