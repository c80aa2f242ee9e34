/// @file recipients.hpp  Certificates of others, read and verified once.
/// SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "../cms/cms.hpp"

namespace smime {

/// By the SHA-256 of their PEM text; of this process.
class Recipients
{
public:
	/// "" or why a certificate is not fit for what it is wanted for; see cms/certificate.hpp.
	using Unfit = std::string (*)(X509 *certificate, X509_STORE *trust);
	explicit Recipients(Unfit unfit) noexcept : unfit_(unfit) {}

	/// The certificate, which stays until the next call; error: why it is not fit now.  `version`:
	/// of the keyring.
	[[nodiscard]] bmd::Result<X509 *> find(
			std::string_view pem, const Keyring &ring, unsigned version);

private:
	struct Known
	{
		CertificatesPtr certificates; ///< the first counts
		std::string unfit;            ///< "" when it is fit
		unsigned version = 0;
		std::int64_t looked_at = 0; ///< seconds, monotonic
	};
	Unfit unfit_;
	std::unordered_map<std::string, Known> known_;
};

} // namespace smime
