/// @file files.cpp  The PEM files of this server.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "files.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <fstream>
#include <sstream>

namespace smime {

namespace {

bmd::Result<std::string> content_of(const char *file)
{
	if(*file == '\0')
		return std::string();
	errno = 0;
	std::ifstream in(file, std::ios::binary);
	std::ostringstream text;
	if(!in || !(text << in.rdbuf()))
		return bmd::malformed(std::string("cannot be read: ")
							  + (errno != 0 ? std::strerror(errno) : "it is empty"));
	return text.str();
}

struct Input
{
	const char *file;
	std::string PemTexts::*text;
	std::string_view word; // that errors of Keyring::make() begin with
};

std::array<Input, 4> inputs(const smime_settings &settings)
{
	return {{{settings.certificate, &PemTexts::certificate, "certificate: "},
			{settings.key, &PemTexts::key, "key: "},
			{settings.ca, &PemTexts::authorities, "authorities: "},
			{settings.crl, &PemTexts::revoked, "authorities: "}}};
}

} // namespace

bmd::Result<std::unique_ptr<Keyring>> read_files(const smime_settings &settings)
{
	PemTexts texts;
	for(const Input &input : inputs(settings)) {
		auto text = content_of(input.file);
		if(!text)
			return bmd::malformed(std::string(input.file) + ' ' + text.error().reason);
		texts.*input.text = std::move(text).value();
	}
	auto ring = Keyring::make(texts);
	if(ring)
		return ring;
	const std::string &reason = ring.error().reason;
	for(const Input &input : inputs(settings))
		if(reason.starts_with(input.word))
			return bmd::malformed(
					std::string(input.file) + ": " + reason.substr(input.word.size()));
	return ring;
}

Files::Stamps Files::stamps() const
{
	Stamps all;
	std::size_t i = 0;
	for(const Input &input : inputs(*settings_)) {
		struct stat status = {};
		if(*input.file != '\0' && stat(input.file, &status) == 0)
			all[i] = {status.st_mtim.tv_sec, status.st_mtim.tv_nsec,
					static_cast<long long>(status.st_ino)};
		++i;
	}
	return all;
}

void Files::follow(unsigned generation, const std::function<void(const std::string &)> &complain)
{
	timespec now{};
	clock_gettime(CLOCK_MONOTONIC, &now);
	const bool told = generation != generation_ || !tried_;
	if(!told && now.tv_sec == looked_at_)
		return;
	looked_at_ = now.tv_sec;
	const Stamps there = stamps();
	if(!told && there == seen_)
		return;
	generation_ = generation;
	seen_ = there;
	tried_ = true;
	auto ring = read_files(*settings_);
	if(!ring)
		return complain(ring.error().reason);
	ring_ = std::move(ring).value();
	++version_;
}

} // namespace smime
