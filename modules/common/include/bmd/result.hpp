/// @file result.hpp  A value or an error that says what to do about it.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Does not log and does not throw (except std::bad_variant_access on misuse).

#pragma once

#include <string>
#include <utility>
#include <variant>

namespace bmd {

/// What the caller can do: mend the input, ask for permission, try again, give up.
enum class Errc
{
	malformed,
	denied,
	retry,
	fatal
};

/// `reason` names what is wrong and where, in one line, without patient data.
struct Error
{
	Errc code = Errc::fatal;
	std::string reason;
};

/// Either a T or an Error.
template <class T> class [[nodiscard]] Result
{
public:
	Result(T value) : content_(std::in_place_index<0>, std::move(value)) {}
	Result(Error error) : content_(std::in_place_index<1>, std::move(error)) {}

	[[nodiscard]] bool ok() const noexcept { return content_.index() == 0; }
	explicit operator bool() const noexcept { return ok(); }

	[[nodiscard]] T &value() & { return std::get<0>(content_); }
	[[nodiscard]] const T &value() const & { return std::get<0>(content_); }
	[[nodiscard]] T &&value() && { return std::get<0>(std::move(content_)); }
	[[nodiscard]] const Error &error() const { return std::get<1>(content_); }

	[[nodiscard]] T *operator->() { return &std::get<0>(content_); }
	[[nodiscard]] const T *operator->() const { return &std::get<0>(content_); }
	[[nodiscard]] T &operator*() & { return std::get<0>(content_); }
	[[nodiscard]] const T &operator*() const & { return std::get<0>(content_); }

private:
	std::variant<T, Error> content_;
};

/// The error a parser returns most.
[[nodiscard]] inline Error malformed(std::string reason)
{
	return Error{Errc::malformed, std::move(reason)};
}

} // namespace bmd
