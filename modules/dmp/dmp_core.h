/*
 * dmp_core.h - the C++ of this module as its C shims see it
 * SPDX-License-Identifier: GPL-2.0-or-later
 * Nothing here throws or keeps a pointer it was given, but that of dmp_core_init().
 */
#ifndef DMP_CORE_H
#define DMP_CORE_H

#include "../bmd/bmd_api.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What is counted; the statistics of the module, in this order. */
enum dmp_count
{
	DMP_CONTROLS, /* Controls and texts that answer an alert */
	DMP_QUERIES,
	DMP_TEXTS,
	DMP_REFUSED,   /* of all of them: not carried out */
	DMP_MALFORMED, /* MESSAGEs refused with 4xx */
	DMP_LOST,      /* responses that a terminal did not take */
	DMP_REPEATED,  /* MESSAGEs that came again and were answered as before */
	DMP_COUNTS
};

/* Bytes of shared memory, all zero, that dmp_core_init() wants. */
size_t dmp_core_memory(void);
/* Before the fork. */
void dmp_core_init(const bmd_api_t *api, void *memory);

void dmp_core_count(enum dmp_count which);
unsigned long dmp_core_counter(enum dmp_count which);

/* What a document says, for the script's $dmp(...); of several entries the first. */
struct dmp_seen
{
	char root[16];  /* DMPAction or DMPResponse; empty: no document */
	char entry[16]; /* Control, Query, Subscribe, ControlResponse, QueryResponse, Notify */
	char device[64];
	char action[32];
	char variable[32];
	char alert[40];
	char result[32];  /* ResultCode that it was answered with, or carries */
	char reason[224]; /* why it is no document, or why its entry was not carried out */
	int entries;
};

/* 1 when the body is a DMP document, else 0 with the reason. */
int dmp_core_look(struct bmd_text body, struct dmp_seen *seen);

#define DMP_MOST_PAGES 64

struct dmp_page
{
	char *s;
	size_t length;
};

/* How a MESSAGE is answered. */
struct dmp_outcome
{
	int status;        /* of the answer to the request */
	char warning[224]; /* what is wrong and where: printable ASCII without " and \ */
	struct dmp_page pages[DMP_MOST_PAGES]; /* bodies of the MESSAGEs that go back */
	int page_count;
	const char *type;     /* of those bodies */
	unsigned retry_after; /* seconds, with 503 */
};

/* What makes a request the same one again, whatever transaction it comes in. */
struct dmp_request
{
	struct bmd_text user; /* of From */
	struct bmd_text tag;  /* of From */
	struct bmd_text call_id;
	struct bmd_text cseq; /* the number */
	struct bmd_text body;
	struct bmd_text source; /* address and port: from elsewhere it is no repetition of a terminal */
};
/* The status it was answered with less than 32 s ago; 0: it is new. */
int dmp_core_answered(const struct dmp_request *request);
void dmp_core_remember(const struct dmp_request *request, int status);

typedef void *(*dmp_allocate)(size_t size);

/* Carries out an application/dmp body of this person; a response in datagrams is divided. */
void dmp_core_take_document(struct bmd_text user, struct bmd_text body, int datagrams,
		dmp_allocate allocate, struct dmp_outcome *outcome, struct dmp_seen *seen);
/* The same of a text. */
void dmp_core_take_text(struct bmd_text user, struct bmd_text body, dmp_allocate allocate,
		struct dmp_outcome *outcome, struct dmp_seen *seen);

#ifdef __cplusplus
}
#endif

#endif
