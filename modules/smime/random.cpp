/// @file random.cpp  Random numbers that no two processes share.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Kamailio's module tls gives OpenSSL a generator of its own (rand_engine "cryptorand"), whose
/// state children inherit.  Two of them that encrypt with the same key and nonce would give away
/// both texts.  OpenSSL's own generator is seeded anew in each process, and is left alone.

// RAND_METHOD is old, but what tls uses; only so can it be replaced
#define OPENSSL_SUPPRESS_DEPRECATED

#include <sys/random.h>

#include <cerrno>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "smime_core.h"

namespace {

int system_bytes(unsigned char *out, int count)
{
	while(count > 0) {
		const ssize_t got = getrandom(out, static_cast<std::size_t>(count), 0);
		if(got < 0 && errno != EINTR)
			return 0;
		if(got > 0) {
			out += got;
			count -= static_cast<int>(got);
		}
	}
	return 1;
}

int system_status()
{
	return 1;
}

const RAND_METHOD system_method = {
		nullptr, system_bytes, nullptr, nullptr, system_bytes, system_status};

} // namespace

void smime_core_own_random(void)
{
	if(RAND_get_rand_method() != RAND_OpenSSL())
		RAND_set_rand_method(&system_method);
}

void smime_core_forget_thread(void)
{
	OPENSSL_thread_stop();
}
