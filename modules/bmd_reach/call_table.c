/*
 * call_table.c - the calls that are being made, in shared memory
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "call_table.h"
#include "bmd_kamailio.h"
#include "core/dprint.h"
#include "core/hashes.h"
#include "core/locking.h"
#include "core/mem/shm_mem.h"
#include "reach_shim.h"

#include <string.h>
#include <time.h>

#define PLACE_BITS 16

#define PLAIN 1024
#define PLAIN_WAYS 8

struct plain
{
	unsigned int hash[2];
	int64_t until;
};

static struct call *calls;
static struct plain *plain;
static int size;
static gen_lock_t *lock;

int call_table_init(int count)
{
	if(count < 1 || count >= 1 << PLACE_BITS) {
		LM_ERR("calls is %d: 1 to %d can be made at a time\n", count, (1 << PLACE_BITS) - 1);
		return -1;
	}
	calls = shm_malloc((size_t)count * sizeof *calls);
	plain = shm_malloc(PLAIN * sizeof *plain);
	lock = lock_alloc();
	if(calls == NULL || plain == NULL || lock == NULL || lock_init(lock) == NULL) {
		SHM_MEM_ERROR;
		return -1;
	}
	memset(calls, 0, (size_t)count * sizeof *calls);
	memset(plain, 0, PLAIN * sizeof *plain);
	size = count;
	return 0;
}

int call_table_size(void)
{
	return size;
}

struct call *call_at(int place)
{
	return &calls[place];
}

void call_lock(void)
{
	lock_get(lock);
}

void call_unlock(void)
{
	lock_release(lock);
}

void *call_handle(const struct call *call)
{
	return (void *)((uintptr_t)call->number << PLACE_BITS | (uintptr_t)(call - calls));
}

struct call *call_of(const void *handle)
{
	uintptr_t value = (uintptr_t)handle;
	struct call *call = &calls[value & ((1 << PLACE_BITS) - 1)];

	return call->state != CALL_FREE && call->number == (unsigned int)(value >> PLACE_BITS) ? call
																						   : NULL;
}

struct call *call_by_id(const str *call_id)
{
	int i;

	for(i = 0; i < size; i++)
		if(calls[i].state != CALL_FREE && strlen(calls[i].call_id) == (size_t)call_id->len
				&& memcmp(calls[i].call_id, call_id->s, (size_t)call_id->len) == 0)
			return &calls[i];
	return NULL;
}

static void hash_terminal(const str *terminal, unsigned int hash[2])
{
	str other = str_init("plain");

	hash[0] = core_hash(terminal, NULL, 0);
	hash[1] = core_hash(terminal, &other, 0);
}

/* The places where a terminal may stand, PLAIN_WAYS of them. */
static struct plain *plain_of(const unsigned int hash[2])
{
	return &plain[hash[0] % (PLAIN / PLAIN_WAYS) * PLAIN_WAYS];
}

void call_keep_plain(const str *terminal, int seconds)
{
	unsigned int hash[2];
	struct plain *place, *kept;
	int64_t until = call_clock() + seconds * 1000000LL;
	int i;

	hash_terminal(terminal, hash);
	place = kept = plain_of(hash);
	for(i = 0; i < PLAIN_WAYS; i++) {
		if(memcmp(place[i].hash, hash, sizeof hash) == 0) {
			kept = &place[i];
			break;
		}
		if(place[i].until < kept->until)
			kept = &place[i];
	}
	if(i == PLAIN_WAYS || kept->until < until)
		kept->until = until;
	memcpy(kept->hash, hash, sizeof hash);
}

int call_is_plain(const str *terminal)
{
	unsigned int hash[2];
	const struct plain *place;
	int i;

	hash_terminal(terminal, hash);
	place = plain_of(hash);
	for(i = 0; i < PLAIN_WAYS; i++)
		if(memcmp(place[i].hash, hash, sizeof hash) == 0)
			return place[i].until > call_clock();
	return 0;
}

int64_t call_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void call_record(const struct call *call, const str *terminal, int code)
{
	struct bmd_attempt attempt;
	int i;

	memset(&attempt, 0, sizeof attempt);
	attempt.kind = BMD_TASK_CALL;
	attempt.sent_at = call->sent_at;
	attempt.code = code;
	memcpy(attempt.person, call->told.person, sizeof attempt.person);
	if(terminal != NULL && terminal->len > 0) {
		size_t length = (size_t)terminal->len;

		if(length >= sizeof attempt.terminal)
			length = sizeof attempt.terminal - 1;
		memcpy(attempt.terminal, terminal->s, length);
	}
	for(i = 0; i < call->told.alerts; i++) {
		const struct call_alert *alert = &call->told.alert[i];

		if(code / 100 != 2 && !alert->asked)
			continue; /* nobody tried to tell it by a call */
		memcpy(attempt.alert, alert->id, sizeof attempt.alert);
		attempt.revision = alert->revision;
		reach_attempted(&attempt);
	}
}
