/// @file openssl.cpp  OpenSSL's objects with owners.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "openssl.hpp"

#include <unistd.h>

#include <openssl/err.h>

namespace smime {

OSSL_LIB_CTX *library()
{
	static OSSL_LIB_CTX *context = nullptr;
	static pid_t owner = 0;
	if(context == nullptr || owner != getpid()) { // that of the parent is the parent's
		context = OSSL_LIB_CTX_new();
		owner = getpid();
	}
	return context;
}

BioPtr reader(std::string_view bytes)
{
	const char *const data = bytes.data() == nullptr ? "" : bytes.data();
	return BioPtr(BIO_new_mem_buf(data, static_cast<int>(bytes.size())));
}

BioPtr detached_reader(std::string_view bytes)
{
	BioPtr memory = reader(bytes);
	BioPtr filter(BIO_new(BIO_f_null()));
	if(memory == nullptr || filter == nullptr)
		return {};
	return BioPtr(BIO_push(filter.release(), memory.release()));
}

BioPtr writer()
{
	return BioPtr(BIO_new(BIO_s_mem()));
}

std::string written(BIO *bio)
{
	char *data = nullptr;
	const long length = BIO_get_mem_data(bio, &data);
	return length <= 0 ? std::string() : std::string(data, static_cast<std::size_t>(length));
}

std::string openssl_error(std::string_view what)
{
	std::string text(what);
	// the first of the queue is the cause, those behind it say who was told
	const char *const reason = ERR_reason_error_string(ERR_peek_error());
	if(reason != nullptr)
		text.append(": ").append(reason);
	ERR_clear_error();
	return text;
}

} // namespace smime
