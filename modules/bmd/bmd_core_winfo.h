/*
 * bmd_core_winfo.h - who watches a feed, for those who answer for it: the C++ behind it, as
 * bmd_core.h SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BMD_CORE_WINFO_H
#define BMD_CORE_WINFO_H

#include "bmd_core.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Is what this process sends now a document of watcher information? */
int bmd_core_sending_winfo(void);
/* First full document of the watchers of a feed, as bmd_core_full_document(). */
char *bmd_core_full_winfo(
		struct bmd_text feed, void *(*allocate)(size_t), size_t *length, int *more);
/* The same document with this version, in memory of `allocate`; NULL when that runs out. */
char *bmd_core_number_winfo(
		struct bmd_text body, unsigned int version, void *(*allocate)(size_t), size_t *length);

/* Somebody who answers for a feed approves or refuses a person who waits for it: 200; 202: the
 * database is away, as the reason says; 400; 403: `who` does not answer for it, or there is none;
 * 409: nobody of that name waits, nor has been answered; 500. */
int bmd_core_answer_watcher(struct bmd_text who, struct bmd_text person, struct bmd_text feed,
		int approved, char *reason, size_t reason_size);

#ifdef __cplusplus
}
#endif

#endif
