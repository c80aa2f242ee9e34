/*
 * bmd_core.h - the C++ of this module as its C shims see it
 * SPDX-License-Identifier: GPL-2.0-or-later
 * Nothing here throws or keeps a pointer it was given; text goes into buffers of the caller.
 */
#ifndef BMD_CORE_H
#define BMD_CORE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Text that is not zero-terminated. */
struct bmd_text
{
	const char *s;
	size_t len;
};

struct bmd_config
{
	const char *db_url; /* libpq connection string */
	const char *domain; /* of feed URIs */
	const char *node;   /* name of this server in bmd_writer */
	long devices;       /* most devices */
	long alerts;        /* most open alerts; 0: a tenth of the devices, at least 1024 */
	long alert_events;  /* changes of alerts waiting; 0: as alerts, 16384 to 65536 */
	long feeds;         /* most technicians and groups together */
	long metrics;       /* most (device, metric) pairs; 0: 4 a device */
	long members;       /* most (feed, device) pairs; 0: 3 a device and 16 a feed */
	long rules;         /* most standard and prescribed values; 0: 1 a device and 10,000 */
	long texts;         /* most pieces of 28 bytes of names and addresses; 0: 6 a device */
	long groups;        /* most assignments of persons to groups; 0: 4 a feed */
	long journal_mb;    /* readings waiting for the database */
	long notifiers;     /* processes that send NOTIFY: 1 to 16 */
	long subscriptions; /* dialogs at once */
	long subscriptions_per_person; /* of these; 0: as many as there are */
	long memory_reserve; /* MiB of Kamailio's shared memory that new subscriptions leave to alerts
						  */
	long recipients;     /* most alerts escalated to feeds; 0: 2 an alert, at least 16384 */
	long reached;        /* whom alerts have reached; 0: 1 to 4 alerts, at least 32768 */
	long duty_kb;        /* rosters and policies as text */
	long filter_kb;      /* filters of subscriptions */
	int assigned_only;   /* collectors report only devices that belong to them */
};

/* Before the fork: allocates shared memory, loads provisioning.  0, or -1 with the reason in
 * `error`. */
int bmd_core_init(const struct bmd_config *config, char *error, size_t error_size);

/* One round of each own process, at most about 250 ms; never fail, what goes wrong is logged. */
void bmd_core_writer_round(void);
void bmd_core_rows_round(void);
void bmd_core_sync_round(void);
void bmd_core_keeper_round(void);
void bmd_core_timer_round(void);
void bmd_core_escalation_round(void);

/* At the end, when no other process runs any more, before anything else of here is called: the
 * others were ended wherever they were, also with a lock held. */
void bmd_core_children_gone(void);

/* At the end, when no other process runs any more: writes what waits, rows first, at most about 5 s
 * each.  -1 when something is left. */
int bmd_core_flush(void);

/* Sends a document within the dialog whose resource this is; called with the dialog locked. */
typedef void (*bmd_send_document)(const char *uri, const char *body, size_t length);
void bmd_core_notifier_round(int slot, bmd_send_document send);

#define BMD_RECEIPT_REFUSALS 32
struct bmd_receipt
{
	int code; /* 200, or the code of an RPC fault */
	char reason[256];
	unsigned long accepted;
	unsigned long refused_count;
	int refusals; /* entries of `refused` in use */
	char refused[BMD_RECEIPT_REFUSALS][224];
	int duplicate;
	char durable[24]; /* decimal */
};

/* Takes a batch (see intake.hpp).  An empty collector: by hand, unnumbered. */
void bmd_core_report(struct bmd_text collector, struct bmd_text epoch, struct bmd_text seq,
		struct bmd_text readings, struct bmd_receipt *receipt);

/* A maintenance window. */
struct bmd_window_view
{
	char of[48]; /* "device SERIAL", "type NAME", "group NAME", "everything"; empty: there is none
				  */
	char from[40];
	char until[40];
	char who[32];
	char why[80];
	int in_force;
};

struct bmd_device_view
{
	char serial[32];
	char type[32];
	char location[96];
	char patient[96];
	char patient_address[192];
	char last_heard[40]; /* RFC 3339, empty: not since the start */
	int enabled;
	int stale;
	int open_alerts;
	struct bmd_window_view window; /* in force; only of a single device */
};

struct bmd_metric_view
{
	char name[32];
	char unit[16];
	char value[32]; /* number, "invalid", "on" or "off" */
	char measured_at[40];
	char low[32]; /* empty: unchecked */
	char high[32];
	char state[16]; /* ok, low, high, invalid, alarm */
};

struct bmd_alert_view
{
	char id[37];
	char serial[32];
	char type[32];
	char metric[32];
	char condition[16];
	char kind[16];
	char priority[8];
	char state[8];
	char value[32]; /* empty: none */
	char limit[32];
	char unit[16];
	char cause[48];    /* of a storm: "collector NAME" or "site"; its value counts the devices */
	char devices[352]; /* of a storm: "A, B and 9 more", the most urgent first */
	char location[96];
	char patient[96];
	char patient_address[192];
	char measured_at[40];
	char arrived_at[40];
	char onset_at[40];
	char raised_at[40];
	char changed_at[40];
	unsigned int revision;
	char code[8];
	char response[16]; /* none, delivered, accepted, rejected, escalated, acknowledged */
	char answered_by[32];
	char answered_at[40];
	int step;
	char silenced_until[40]; /* empty: not silenced */
	char suppressed[16];     /* none, maintenance, inhibition, storm */
	int mutes;
	char priority_before[8];       /* empty: it has not changed */
	char outcome[16];              /* none, actionable, false */
	char cleared_at[40];           /* empty: the condition holds, or it is latched */
	struct bmd_window_view window; /* in force; only of a single alert */
};

typedef void (*bmd_each_device)(const struct bmd_device_view *device, void *arg);
typedef void (*bmd_each_metric)(const struct bmd_metric_view *metric, void *arg);
typedef void (*bmd_each_alert)(const struct bmd_alert_view *alert, void *arg);

/* Devices in the order of their slots, from number `first` on, at most `most`.  Returns how many
 * devices there are. */
long bmd_core_devices(long first, long most, bmd_each_device each, void *arg);
/* 1 when there is such a device. */
int bmd_core_device(
		struct bmd_text serial, struct bmd_device_view *device, bmd_each_metric each, void *arg);
/* Open alerts, newest first; an empty serial means of all devices, without those that a storm tells
 * of.  Returns how many are open. */
long bmd_core_alerts(struct bmd_text serial, long most, bmd_each_alert each, void *arg);
/* May this person answer the alert: responsible for its device, or one it was escalated to?  0 also
 * when there is none; negative: to that person there is none, who is blocked politely. */
int bmd_core_may_answer(struct bmd_text who, struct bmd_text alert);
/* The open alerts that this person may answer, at most `most`, those first that nobody has taken,
 * then the most urgent; how many there are. */
long bmd_core_alerts_of(struct bmd_text who, long most, bmd_each_alert each, void *arg);
/* By id or short code: 1 when there is such an alert that is not closed, 0 when not, -1 when it is
 * neither. */
int bmd_core_alert(struct bmd_text id, struct bmd_alert_view *alert);
/* The same as this person is told: of a storm the person's own devices; 0 also of what that person
 * may not see. */
int bmd_core_alert_for(struct bmd_text person, struct bmd_text id, struct bmd_alert_view *alert);

/* Of a storm, by id or short code: the serial numbers of at most 20 of its devices, the most urgent
 * first, and how many more there are.  0: it is none. */
int bmd_core_storm(struct bmd_text id, char *devices, size_t size, unsigned int *more);

/* An answer to an alert.  Texts that do not apply are empty. */
struct bmd_answer
{
	struct bmd_text alert; /* id or short code */
	struct bmd_text act; /* accept, reject, acknowledge, silence, resolve, end; deliver, escalate */
	struct bmd_text who; /* user name, at most 31 bytes; empty for deliver and escalate */
	struct bmd_text through; /* kamcmd, sip, message ...: at most 15 bytes */
	struct bmd_text why;     /* at most 95 bytes */
	struct bmd_text outcome; /* resolve: actionable or false */
	long seconds;            /* silence: how long; 0 ends one */
	int step;                /* escalate: from 1 */
	int by_operator;         /* for any device; may reject for whom accepted, and end an alert */
};
/* 200, also for the same answer again: taken in memory, on its way to the database; 202 the same,
 * but the database is away, as the reason says: a server that is killed before it is back has
 * forgotten it; 400 wrong, 403 not entitled, or nobody who could accept, 404 unknown, 409 not legal
 * now (then the reason says why, and whose the alert is), 500 out of memory. */
int bmd_core_answer(const struct bmd_answer *answer, char *reason, size_t reason_size);

/* A maintenance window of one device from now on, in force when this returns; 0 seconds end those
 * of the device.  200, or 400, 404, 503 with a reason. */
int bmd_core_maintenance(struct bmd_text serial, long seconds, struct bmd_text who,
		struct bmd_text why, char *reason, size_t reason_size);

typedef void (*bmd_each_window)(const struct bmd_window_view *window, void *arg);
/* The windows that are in force or to come. */
void bmd_core_windows(bmd_each_window each, void *arg);

struct bmd_alarm_view
{
	const char *serial;
	const char *metric;
	const char *condition;
	const char *raised; /* numbers, in decimal */
	const char *accepted;
	const char *false_alarms;
	const char *median; /* seconds until somebody answered; empty: nobody has */
};
typedef void (*bmd_each_alarm)(const struct bmd_alarm_view *alarm, void *arg);
/* By device and rule, of the last `days` (0: of all): at most 1000, `*more`: there are others. Asks
 * the database, for 0.9 s at most.  200, or 400, 503 with a reason. */
int bmd_core_report_alarms(struct bmd_text serial, long days, bmd_each_alarm each, void *arg,
		int *more, char *reason, size_t reason_size);

/* Who is called: rosters and escalation. */
struct bmd_oncall_view
{
	char team[32];
	char person[32]; /* empty: nobody */
	char why[192];
	char at[40]; /* by the roster's clock, as `until`; empty: no change within a year */
	char until[40];
	char zone[64];
};

struct bmd_plan_view
{
	char alert[37]; /* empty: none, it is asked what would happen */
	char serial[32];
	char type[32];
	char priority[8];
	char policy[32];
	char why_policy[96];
	char raised_at[40];
	char next_at[40];  /* when the next step is due; empty: none is */
	char response[16]; /* as in bmd_alert_view; of a plan without an alert empty, as what follows
						* but `suppressed`: a maintenance window that comes first */
	char by[32];
	char since[40];          /* when it was that answered, or escalated */
	char silenced_until[40]; /* empty: it is not silenced */
	char suppressed[16];     /* none, maintenance, inhibition or storm */
	char recipients[512];    /* feeds that show it because it was escalated to them */
	char held[512];          /* from whom something of it is held back, until when */
	unsigned int begun;      /* steps begun so far */
};

struct bmd_step_view
{
	unsigned int number; /* from 1, repetitions counted on */
	unsigned int step;   /* of the policy, from 1 */
	unsigned int round;  /* 0: no repetition */
	char state[8];       /* begun or planned */
	char at[40];         /* when it is due; empty when it has begun */
	char whom[96];
	char how[32];
	char people[256]; /* of a planned one: who it would be at that time */
	char why[256];
};

typedef void (*bmd_each_oncall)(const struct bmd_oncall_view *oncall, void *arg);
typedef void (*bmd_each_step)(const struct bmd_step_view *step, void *arg);

/* All return 200, or 400, 404, 500 with a reason.  Times are RFC 3339; empty means now.  They need
 * no database. */
int bmd_core_oncall(struct bmd_text team, struct bmd_text at, bmd_each_oncall each, void *arg,
		char *reason, size_t reason_size);
int bmd_core_explain(struct bmd_text alert, struct bmd_plan_view *plan, bmd_each_step each,
		void *arg, char *reason, size_t reason_size);
/* An empty priority means high. */
int bmd_core_dry_run(struct bmd_text serial, struct bmd_text priority, struct bmd_text at,
		struct bmd_plan_view *plan, bmd_each_step each, void *arg, char *reason,
		size_t reason_size);

/* Counters and levels by number, 0 to bmd_core_stats() - 1. */
int bmd_core_stats(void);
const char *bmd_core_stat_name(int i);
const char *bmd_core_stat_text(int i);
unsigned long bmd_core_stat(int i);

/* Subscriptions to feeds, for presence_bmd.  Each dialog is a resource of its own in presence. */
struct bmd_subscribe
{
	struct bmd_text call_id;
	struct bmd_text tag; /* the subscriber's */
	struct bmd_text feed;
	struct bmd_text user; /* authenticated */
	int in_dialog;
	long expires; /* seconds */
	int winfo;    /* to the watcher information of the feed */
};

#define BMD_DIALOG_DIGITS 16 /* of the number in a resource FEED~NUMBER */
struct bmd_dialog
{
	unsigned long id;
	unsigned int slot; /* 0: state is fetched once */
	unsigned int generation;
	char resource[64]; /* user part of its URI */
};

int bmd_core_may_watch(struct bmd_text username, struct bmd_text feed);
/* 200; 403: not entitled, or the dialog is somebody else's; 429: this person has too many; 481:
 * there is none; 482: there is one already; 503: no room. */
int bmd_core_admit(const struct bmd_subscribe *subscribe, struct bmd_dialog *dialog);
/* What became of it: the status it was answered with. */
void bmd_core_settle(
		const struct bmd_subscribe *subscribe, const struct bmd_dialog *dialog, int status);
void bmd_core_dialog_lock(const struct bmd_dialog *dialog);
void bmd_core_dialog_unlock(const struct bmd_dialog *dialog);
/* Its full state is sent by its notifier. */
void bmd_core_refresh_dialog(const struct bmd_dialog *dialog);
/* What is sent between these goes to this dialog, which settle() follows.  -1: it is in a dialog
 * that has ended meanwhile. */
int bmd_core_begin_sending(const struct bmd_subscribe *subscribe, const struct bmd_dialog *dialog);
void bmd_core_end_sending(void);
/* For the NOTIFY that is being made to this terminal: NULL when it is none of ours. */
void *bmd_core_make_ticket(struct bmd_text terminal);
void bmd_core_free_ticket(void *ticket);
/* The final answer; 408 when there was none. */
void bmd_core_ticket_answered(void *ticket, int code);
/* What was to be sent could not be. */
void bmd_core_sending_failed(void);
/* Rows of Kamailio's own tables, for db_bmd: written later, by a process of its own. */
struct bmd_cell
{
	struct bmd_text name;
	struct bmd_text op;    /* of a condition: "=" or "<" */
	struct bmd_text value; /* s NULL: NULL */
};

enum bmd_row_action
{
	BMD_ROW_PUT,     /* insert: the key is new */
	BMD_ROW_REPLACE, /* insert, or replace the row of the same key */
	BMD_ROW_UPDATE,  /* the row of the condition, if it is there */
	BMD_ROW_REMOVE
};

struct bmd_row
{
	enum bmd_row_action action;
	struct bmd_text table;
	const struct bmd_cell *where;
	int where_count;
	const struct bmd_cell *cells;
	int cell_count;
};

/* 0: it will be written, in the order of the calls.  1: not this table, or not one row by its key:
 * the caller writes it.  -1: no memory, nothing has changed. */
int bmd_core_keep_row(const struct bmd_row *row);
/* 1 while rows of this table wait. */
int bmd_core_rows_wait(struct bmd_text table);

/* The connection string of the parameter db_url. */
const char *bmd_core_db_url(void);
/* The domain of all feeds. */
struct bmd_text bmd_core_domain(void);
/* The feed of a resource; points into it. */
struct bmd_text bmd_core_feed_of(struct bmd_text resource);
int bmd_core_notifiers(void);
/* First full document of a feed, for whom is sent to (empty unless entitled); `allocate` provides
 * the memory.  `*more`: documents that follow.  NULL when memory runs out. */
char *bmd_core_full_document(
		struct bmd_text feed, void *(*allocate)(size_t), size_t *length, int *more);
/* Writes the document's version for one watcher in place. */
void bmd_core_set_version(char *body, size_t length, unsigned int version);

#ifdef __cplusplus
}
#endif

#endif
