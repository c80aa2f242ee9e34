/// @file recipients.cpp  Certificates of others.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "recipients.hpp"

#include <array>
#include <ctime>

namespace smime {

namespace {

constexpr std::size_t most_known = 1024; // about 8 MB
constexpr std::int64_t trusted_for = 60; // s; a list of revoked certificates runs out, too
constexpr std::size_t longest_pem = 16'384;

std::int64_t seconds()
{
	timespec now{};
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

std::string digest_of(std::string_view text)
{
	std::array<unsigned char, 32> digest{};
	std::size_t length = 0;
	if(EVP_Q_digest(library(), "SHA256", nullptr, text.data(), text.size(), digest.data(), &length)
			!= 1)
		return std::string(text);
	return {reinterpret_cast<const char *>(digest.data()), length};
}

} // namespace

bmd::Result<X509 *> Recipients::find(std::string_view pem, const Keyring &ring, unsigned version)
{
	if(pem.empty() || pem.size() > longest_pem)
		return bmd::Error{bmd::Errc::denied,
				pem.empty() ? "there is no certificate" : "the certificate is too long"};
	std::string digest = digest_of(pem);
	auto found = known_.find(digest);
	if(found == known_.end()) {
		auto certificates = read_certificates(pem);
		if(!certificates)
			return certificates.error();
		if(known_.size() >= most_known)
			known_.clear();
		found = known_.emplace(std::move(digest), Known{}).first;
		found->second.certificates = std::move(certificates).value();
	}
	Known &known = found->second;
	X509 *const certificate = sk_X509_value(known.certificates.get(), 0);
	const std::int64_t now = seconds();
	if(known.version != version || now - known.looked_at >= trusted_for) {
		known.unfit = unfit_(certificate, ring.trust());
		known.version = version;
		known.looked_at = now;
	}
	const std::string unfit = known.unfit.empty() ? outside_its_time(certificate) : known.unfit;
	if(!unfit.empty())
		return bmd::Error{bmd::Errc::denied, unfit};
	return certificate;
}

} // namespace smime
