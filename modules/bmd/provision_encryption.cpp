/// @file provision_encryption.cpp  Reads certificates of technicians from the database.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "encryption.hpp"
#include "provision_take.hpp"

namespace bmd {

namespace {

std::uint32_t new_encryption_mark() noexcept
{
	static std::uint32_t last = 0; // only one process takes provisioning over
	return ++last;
}

} // namespace

Result<bool> take_encryption(Pg &pg, const Keys &usernames)
{
	const std::uint32_t mark = new_encryption_mark();
	std::vector<std::string> changed;
	auto read =
			stream_rows(pg, encryption_query(pg, usernames), [&](std::span<const PgFields> rows) {
				RegistryWrite lock;
				for(const PgFields &row : rows) {
					const Put put =
							put_encryption(row.text(0), row.text(1), row.truth(2), mark, lock);
					if(put == Put::changed)
						changed.emplace_back(row.text(0));
					else if(put == Put::no_memory)
						no_room("the certificate of person", row.text(0));
					lock.breathe();
				}
			});
	if(!read)
		return read;
	{
		RegistryWrite lock;
		for(const std::string &name : usernames)
			sweep_encryption(name, mark, changed, lock);
		if(usernames.empty())
			sweep_encryption({}, mark, changed, lock);
	}
	if(store()->loaded)
		for(const std::string &name : changed)
			refresh_subs_of(name);
	return true;
}

} // namespace bmd
