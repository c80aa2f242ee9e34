/// @file encryption.cpp  Whose documents are encrypted.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "encryption.hpp"

#include <array>
#include <cstring>
#include <mutex>
#include <new>

#include "bmd_host.h"
#include "changes.hpp"
#include "subs.hpp"

namespace bmd {

namespace {

constexpr std::size_t buckets = 1024;

// Pointers to shared memory: it lies at the same address in every process.
struct Heads
{
	std::array<EncryptionRec *, buckets> of;
	std::atomic<bool> untold_changed;
};
Heads *heads = nullptr;

EncryptionRec *&head_of(std::string_view user) noexcept
{
	return heads->of[hash_name(user) % buckets];
}

EncryptionRec *make(
		std::string_view user, std::string_view certificate, bool encrypted_only) noexcept
{
	void *memory = bmd_host_shm_alloc(sizeof(EncryptionRec) + certificate.size());
	if(memory == nullptr)
		return nullptr;
	EncryptionRec &record = *new (memory) EncryptionRec{};
	copy_text(record.user, name_size, user);
	record.encrypted_only = encrypted_only;
	record.length = static_cast<std::uint32_t>(certificate.size());
	if(!certificate.empty())
		std::memcpy(static_cast<char *>(memory) + sizeof record, certificate.data(),
				certificate.size());
	return &record;
}

void drop(std::string_view user) noexcept
{
	for(EncryptionRec **at = &head_of(user); *at != nullptr; at = &(*at)->next)
		if(EncryptionRec *const record = *at; user == record->user) {
			*at = record->next;
			return bmd_host_shm_free(record);
		}
}

} // namespace

bool create_encryption() noexcept
{
	if(heads != nullptr)
		return true;
	void *memory = bmd_host_shm_alloc(sizeof(Heads));
	heads = memory == nullptr ? nullptr : new (memory) Heads{};
	return heads != nullptr;
}

EncryptionRec *find_encryption(std::string_view user) noexcept
{
	if(heads == nullptr || user.empty())
		return nullptr;
	EncryptionRec *record = head_of(user);
	while(record != nullptr && user != record->user)
		record = record->next;
	return record;
}

std::string_view certificate_of(const EncryptionRec &record) noexcept
{
	return {reinterpret_cast<const char *>(&record + 1), record.length};
}

Put put_encryption(std::string_view user, std::string_view certificate, bool encrypted_only,
		std::uint32_t mark, RegistryWrite & /*held*/) noexcept
{
	EncryptionRec *const old = find_encryption(user);
	if(old != nullptr && old->encrypted_only == encrypted_only
			&& certificate_of(*old) == certificate) {
		old->mark = mark;
		return Put::same;
	}
	if(user.size() >= name_size || certificate.size() > longest_certificate)
		return Put::no_memory; // the database has no such row
	EncryptionRec *record = make(user, certificate, encrypted_only);
	if(record == nullptr && old == nullptr && encrypted_only)
		record = make(user, {}, true); // nothing is sent rather than plain
	if(record == nullptr) {
		if(old != nullptr) {
			old->encrypted_only = old->encrypted_only || encrypted_only;
			old->mark = mark;
		}
		return Put::no_memory;
	}
	if(old != nullptr) {
		record->withheld = old->withheld.load();
		record->withheld_at = old->withheld_at.load();
		drop(user);
	}
	record->mark = mark;
	record->next = head_of(user);
	head_of(user) = record;
	heads->untold_changed = true;
	return Put::changed;
}

void sweep_encryption(std::string_view user, std::uint32_t mark, std::vector<std::string> &gone,
		RegistryWrite &lock)
{
	std::vector<std::string> old;
	if(const EncryptionRec *const one = find_encryption(user); one != nullptr && one->mark != mark)
		old.emplace_back(user);
	if(user.empty())
		each_encryption([&](const EncryptionRec &record) {
			if(record.mark != mark)
				old.emplace_back(record.user);
		});
	for(const std::string &name : old) {
		drop(name);
		heads->untold_changed = true;
		gone.push_back(name);
		lock.breathe();
	}
}

void note_told(EncryptionRec &record, bool untold) noexcept
{
	if(record.encrypted_only && record.untold.exchange(untold) != untold)
		heads->untold_changed = true;
}

bool take_untold_change() noexcept
{
	return heads != nullptr && heads->untold_changed.exchange(false);
}

void each_encryption(const std::function<void(EncryptionRec &)> &each)
{
	for(std::size_t i = 0; heads != nullptr && i < buckets; ++i)
		for(EncryptionRec *record = heads->of[i]; record != nullptr; record = record->next)
			each(*record);
}

void refresh_subs_of(std::string_view user)
{
	struct Target
	{
		SubRef ref;
		std::uint64_t dialog;
	};
	Store &s = *store();
	std::vector<Target> targets;
	{
		const std::lock_guard<Mutex> lock(s.sub_lock);
		for(Index i = 1; i <= s.subs.used; ++i)
			if(s.subs[i].dialog != 0 && user == s.subs[i].user)
				targets.push_back({{i, s.subs[i].generation}, s.subs[i].dialog});
	}
	for(const Target &target : targets)
		queue_refresh_sub(target.ref, target.dialog);
}

} // namespace bmd
