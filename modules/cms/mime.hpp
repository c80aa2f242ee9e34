/// @file mime.hpp  MIME entities as S/MIME needs them: Content-Type, two parts, base64.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Pure text.  What is signed is bytes: nothing here changes a line end or a blank of a part.

#pragma once

#include <map>
#include <string>
#include <string_view>

#include "bmd/result.hpp"

namespace smime {

/// "multipart/signed; boundary=x": the type in lower case, parameters by lower-case name, unquoted.
struct ContentType
{
	std::string type;
	std::map<std::string, std::string> parameters;

	/// "" when it is not there.
	[[nodiscard]] std::string parameter(const std::string &name) const;
};
[[nodiscard]] ContentType parse_content_type(std::string_view value);

/// An entity divided at its first empty line.  Views into the text.
struct Entity
{
	std::string_view head; ///< header lines with their line ends
	std::string_view body;
};
/// Errors: there is no line that could be a header.  Line ends are CRLF, or LF of other programs.
[[nodiscard]] bmd::Result<Entity> parse_entity(std::string_view text);

/// Value of the first header of this name in `head`, unfolded and trimmed; "" when there is none.
[[nodiscard]] std::string header_value(std::string_view head, std::string_view name);

/// The two parts of a multipart/signed body (RFC 1847).
struct SignedParts
{
	std::string_view content; ///< exactly the bytes that were signed
	Entity signature;
};
/// Errors: not exactly two parts, closed as they must be.
[[nodiscard]] bmd::Result<SignedParts> split_signed(
		std::string_view body, const std::string &boundary);

/// A boundary that cannot be in `content`, made of its digest.
[[nodiscard]] std::string boundary_for(std::string_view content);

/// Lines of 64 with CRLF.
[[nodiscard]] std::string to_base64(std::string_view bytes);
/// Errors: anything but base64 and white space.
[[nodiscard]] bmd::Result<std::string> from_base64(std::string_view text);
/// DER begins with a SEQUENCE; anything else is taken for base64, whatever a header calls it.
[[nodiscard]] bmd::Result<std::string> der_of(std::string_view body);

/// ASCII letters only.
[[nodiscard]] std::string lower(std::string_view text);
/// Without blanks and line ends around it.
[[nodiscard]] std::string_view trimmed(std::string_view text);

} // namespace smime
