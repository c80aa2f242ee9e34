/// @file files.hpp  The PEM files of this server, followed as they change.
/// SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>

#include "../cms/cms.hpp"
#include "smime_core.h"

namespace smime {

/// Errors name the file and what is wrong with it.
[[nodiscard]] bmd::Result<std::unique_ptr<Keyring>> read_files(const smime_settings &settings);

/// The keyring of this process.
class Files
{
public:
	/// Both of the caller, for good.
	void use(const smime_settings *settings) { settings_ = settings; }
	/// As smime_core_follow().
	void follow(unsigned generation, const std::function<void(const std::string &)> &complain);
	/// nullptr before the first good reading.
	[[nodiscard]] const Keyring *ring() const noexcept { return ring_.get(); }
	/// Grows with every good reading: what was found out with the files before counts no more.
	[[nodiscard]] unsigned version() const noexcept { return version_; }

private:
	struct Stamp
	{
		long seconds = 0;
		long nanoseconds = 0;
		long long inode = 0;
		bool operator==(const Stamp &) const = default;
	};
	using Stamps = std::array<Stamp, 4>;
	[[nodiscard]] Stamps stamps() const;

	const smime_settings *settings_ = nullptr;
	std::unique_ptr<Keyring> ring_;
	unsigned version_ = 0;
	unsigned generation_ = 0;
	long looked_at_ = 0; ///< seconds
	Stamps seen_;
	bool tried_ = false;
};

} // namespace smime
