/*
 * bmd_api.h - what other modules may use of bmd
 * SPDX-License-Identifier: GPL-2.0-or-later
 * Bound with bmd_load_api() in mod_init; the functions are those of bmd_core.h.  The C++ of another
 * module is handed the table by its shims.
 */
#ifndef BMD_API_H
#define BMD_API_H

#include "bmd_core.h"
#include "bmd_core_encryption.h"
#include "bmd_core_filter.h"
#include "bmd_core_policy.h"
#include "bmd_core_reach.h"
#include "bmd_core_winfo.h"
#ifndef __cplusplus
#include "core/sr_module.h"
#endif

typedef struct bmd_api
{
	int notifiers; /* processes the binder has to run, each calling notifier_round */
	int (*admit)(const struct bmd_subscribe *subscribe, struct bmd_dialog *dialog);
	void (*dialog_lock)(const struct bmd_dialog *dialog);
	void (*dialog_unlock)(const struct bmd_dialog *dialog);
	void (*settle)(
			const struct bmd_subscribe *subscribe, const struct bmd_dialog *dialog, int status);
	void (*refresh_dialog)(const struct bmd_dialog *dialog);
	int (*begin_sending)(const struct bmd_subscribe *subscribe, const struct bmd_dialog *dialog);
	void (*end_sending)(void);
	void *(*make_ticket)(struct bmd_text terminal);
	void (*free_ticket)(void *ticket);
	void (*ticket_answered)(void *ticket, int code);
	int (*ticket_ends)(const void *ticket);
	enum bmd_notify_state (*notify_state)(void);
	void (*sending_failed)(void);
	struct bmd_text (*domain)(void);
	struct bmd_text (*feed_of)(struct bmd_text resource);
	void (*notifier_round)(int slot, bmd_send_document send);
	char *(*full_document)(
			struct bmd_text feed, void *(*allocate)(size_t), size_t *length, int *more);
	int (*answer)(const struct bmd_answer *answer, char *reason, size_t reason_size);
	int (*alert)(struct bmd_text id, struct bmd_alert_view *alert);
	int (*alert_for)(struct bmd_text person, struct bmd_text id, struct bmd_alert_view *alert);
	long (*alerts)(struct bmd_text serial, long most, bmd_each_alert each, void *arg);
	long (*alerts_of)(struct bmd_text who, long most, bmd_each_alert each, void *arg);
	int (*device)(struct bmd_text serial, struct bmd_device_view *device, bmd_each_metric each,
			void *arg);
	int (*may_watch)(struct bmd_text who, struct bmd_text feed);
	int (*may_answer)(struct bmd_text who, struct bmd_text alert);
	int (*keep_row)(const struct bmd_row *row);
	int (*rows_wait)(struct bmd_text table);
	const char *db_url;
	void (*set_version)(char *body, size_t length, unsigned int version);
	void (*take_tasks)(void);
	int (*next_task)(struct bmd_task *task, int milliseconds);
	void (*registered)(struct bmd_text person);
	void (*attempted)(const struct bmd_attempt *attempt);
	uint64_t (*terminal_hash)(struct bmd_text terminal);
	void (*messages)(struct bmd_text alert, bmd_each_reached each, void *arg);
	int (*was_notified)(struct bmd_text alert, struct bmd_text person);
	long (*outstanding)(struct bmd_text person, long most, bmd_each_alert each, void *arg);
	void (*outstanding_people)(bmd_each_person each, void *arg);
	long (*messages_per_minute)(void);
	void (*message_held)(void);
	void (*local_time)(struct bmd_text time, char *local, size_t size);
	void (*seen)(struct bmd_text alert, struct bmd_text person);
	void (*alert_reach)(struct bmd_text alert, struct bmd_reach_view *view);
	void (*withheld)(struct bmd_text user, struct bmd_text reason);
	enum bmd_encryption (*encryption)(struct bmd_text user, char *pem, size_t size);
	int (*device_for)(struct bmd_text person, struct bmd_text serial,
			struct bmd_device_view *device, bmd_each_metric each, void *arg);
	long (*device_alerts_for)(struct bmd_text person, struct bmd_text serial, long most,
			bmd_each_alert each, void *arg);
	int (*may_be_told)(struct bmd_text person, struct bmd_text serial);
	int (*read_filter)(
			const struct bmd_subscribe *subscribe, struct bmd_text body, struct bmd_filter *filter);
	void (*drop_filter)(struct bmd_filter *filter);
	void (*use_filter)(const struct bmd_dialog *dialog, struct bmd_filter *filter);
	void (*settle_filter)(const struct bmd_dialog *dialog, struct bmd_filter *filter, int status);
	int (*sending_winfo)(void);
	char *(*full_winfo)(struct bmd_text feed, void *(*allocate)(size_t), size_t *length, int *more);
	char *(*number_winfo)(
			struct bmd_text body, unsigned int version, void *(*allocate)(size_t), size_t *length);
	int (*answer_watcher)(struct bmd_text who, struct bmd_text person, struct bmd_text feed,
			int approved, char *reason, size_t reason_size);
} bmd_api_t;

typedef int (*bind_bmd_t)(bmd_api_t *api);

#ifndef __cplusplus
/* 0, or -1 when bmd is not loaded or was loaded later. */
static inline int bmd_load_api(bmd_api_t *api)
{
	bind_bmd_t bind = (bind_bmd_t)find_export("bind_bmd", 1, 0);

	return bind == NULL ? -1 : bind(api);
}
#endif

#endif
