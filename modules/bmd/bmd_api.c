/*
 * bmd_api.c - hands bmd's functions to other modules
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "bmd_api.h"
#include "bmd_shim.h"

/* presence and usrloc write in their last words, before bmd's own. */
static int keep_row(const struct bmd_row *row)
{
	bmd_free_locks_at_end();
	return bmd_core_keep_row(row);
}

int bind_bmd(bmd_api_t *api)
{
	if(api == NULL)
		return -1;
	api->notifiers = bmd_core_notifiers();
	api->admit = bmd_core_admit;
	api->dialog_lock = bmd_core_dialog_lock;
	api->dialog_unlock = bmd_core_dialog_unlock;
	api->settle = bmd_core_settle;
	api->refresh_dialog = bmd_core_refresh_dialog;
	api->begin_sending = bmd_core_begin_sending;
	api->end_sending = bmd_core_end_sending;
	api->make_ticket = bmd_core_make_ticket;
	api->free_ticket = bmd_core_free_ticket;
	api->ticket_answered = bmd_core_ticket_answered;
	api->ticket_ends = bmd_core_ticket_ends;
	api->notify_state = bmd_core_notify_state;
	api->sending_failed = bmd_core_sending_failed;
	api->domain = bmd_core_domain;
	api->feed_of = bmd_core_feed_of;
	api->notifier_round = bmd_core_notifier_round;
	api->full_document = bmd_core_full_document;
	api->answer = bmd_core_answer;
	api->alert = bmd_core_alert;
	api->alert_for = bmd_core_alert_for;
	api->alerts = bmd_core_alerts;
	api->alerts_of = bmd_core_alerts_of;
	api->device = bmd_core_device;
	api->may_watch = bmd_core_may_watch;
	api->may_answer = bmd_core_may_answer;
	api->keep_row = keep_row;
	api->rows_wait = bmd_core_rows_wait;
	api->db_url = bmd_core_db_url();
	api->set_version = bmd_core_set_version;
	api->take_tasks = bmd_core_take_tasks;
	api->next_task = bmd_core_next_task;
	api->registered = bmd_core_registered;
	api->attempted = bmd_core_attempted;
	api->terminal_hash = bmd_core_terminal_hash;
	api->messages = bmd_core_messages;
	api->was_notified = bmd_core_was_notified;
	api->outstanding = bmd_core_outstanding;
	api->outstanding_people = bmd_core_outstanding_people;
	api->messages_per_minute = bmd_core_messages_per_minute;
	api->message_held = bmd_core_message_held;
	api->local_time = bmd_core_local_time;
	api->seen = bmd_core_seen;
	api->alert_reach = bmd_core_alert_reach;
	api->withheld = bmd_core_withheld;
	api->encryption = bmd_core_encryption;
	api->device_for = bmd_core_device_for;
	api->device_alerts_for = bmd_core_device_alerts_for;
	api->may_be_told = bmd_core_may_be_told;
	api->read_filter = bmd_core_read_filter;
	api->drop_filter = bmd_core_drop_filter;
	api->use_filter = bmd_core_use_filter;
	api->settle_filter = bmd_core_settle_filter;
	api->sending_winfo = bmd_core_sending_winfo;
	api->full_winfo = bmd_core_full_winfo;
	api->number_winfo = bmd_core_number_winfo;
	api->answer_watcher = bmd_core_answer_watcher;
	return 0;
}
