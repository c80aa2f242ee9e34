/*
 * bmd_room.c - connections of strangers make room for others, when few are left
 * SPDX-License-Identifier: GPL-2.0-or-later
 * Kamailio 5.6 knows how many connections there may be, and no limit of one address; what comes
 * when all are taken is refused.  So when three quarters are taken, of all or of those by TLS,
 * strangers' connections are closed until half are: of the addresses that have the most, the
 * oldest. A stranger's is one that is not kept for longer than others (route[KEEP] of limits.cfg,
 * intake.cfg), also one that this server has made, to where somebody wants to be told: a flood of
 * one address costs nobody else a connection.
 */
#include "bmd_core_room.h"
#include "bmd_core_wire.h"
#include "bmd_host.h"
#include "bmd_kamailio.h"
#include "bmd_shim.h"
#include "core/dprint.h"
#include "core/globals.h"
#include "core/mem/mem.h"
#include "core/pass_fd.h"
#include "core/tcp_conn.h"
#include "core/tcp_info.h"
#include "core/tcp_options.h"
#include "core/timer_ticks.h"

#include <string.h>
#include <unistd.h>

extern gen_lock_t *tcpconn_lock;
extern struct tcp_connection **tcpconn_id_hash;

enum
{
	strangers_seconds = 60, /* who is known has more */
	seconds_of_silence = 2
};

static uint64_t source_of(const struct ip_addr *address)
{
	uint64_t prefix;

	if(address->af == AF_INET)
		return address->u.addr32[0];
	memcpy(&prefix, address->u.addr, sizeof prefix);
	return prefix;
}

int bmd_is_short_lived(const struct tcp_connection *connection)
{
	return connection->lifetime < S_TO_TICKS(strangers_seconds);
}

static int is_strangers(const struct tcp_connection *connection)
{
	return !(connection->flags & F_CONN_FORCE_EOF) && connection->state != S_CONN_BAD
		   && bmd_is_short_lived(connection);
}

/* Those of strangers; all: how many there are, without those that are being closed. */
static size_t collect(struct bmd_stranger *strangers, size_t most, int by_tls, int *all)
{
	const struct tcp_connection *one;
	size_t count = 0;
	int i;

	*all = 0;

	TCPCONN_LOCK;
	for(i = 0; i < TCP_ID_HASH_SIZE; i++)
		for(one = tcpconn_id_hash[i]; one != NULL; one = one->id_next) {
			if(by_tls && one->type != PROTO_TLS)
				continue;
			*all += !(one->flags & F_CONN_FORCE_EOF);
			if(count < most && is_strangers(one)) {
				strangers[count].source = source_of(&one->rcv.src_ip);
				strangers[count++].connection = one->id;
			}
		}
	TCPCONN_UNLOCK;
	return count;
}

/* As tcp_close_connection() of module tcpops: the main process of TCP does it. */
static void close_connection(int id)
{
	struct tcp_connection *connection = tcpconn_get(id, NULL, 0, 0, 0);
	long command[2] = {(long)connection, CONN_EOF};

	if(connection == NULL)
		return;
	connection->send_flags.f |= SND_F_CON_CLOSE;
	connection->flags |= F_CONN_FORCE_EOF;
	if(send_all(unix_tcp_sock, command, sizeof command) <= 0)
		tcpconn_put(connection);
}

static int are_few_left(int taken, int most)
{
	return most > 0 && taken >= most - most / 4;
}

int bmd_room_is_little(void)
{
	struct tcp_gen_info now;

	tcp_get_info(&now);
	return are_few_left(now.tls_connections_no, now.tls_max_connections)
		   || are_few_left(now.tcp_connections_no, now.tcp_max_connections);
}

/* One line in so many seconds. */
static void say(size_t closed)
{
	static size_t unsaid;
	static ticks_t next;

	unsaid += closed;
	if(unsaid == 0 || TICKS_LT(get_ticks_raw(), next))
		return;
	LM_NOTICE("few connections were left: %lu of strangers have been closed\n",
			(unsigned long)unsaid);
	next = get_ticks_raw() + S_TO_TICKS(seconds_of_silence);
	unsaid = 0;
}

/* A connection that is closed gives its place away at once, and its buffer when its reader comes to
 * it: no more places than buffers. */
static size_t no_more_than_memory(size_t places)
{
	size_t buffers = bmd_host_shm_left() / 2 / (size_t)cfg_get(tcp, tcp_cfg, rd_buf_size);

	return places < buffers ? places : buffers;
}

/* 1 when there was little room. */
static int make_room(int taken, int most, int by_tls)
{
	static struct bmd_stranger *strangers;
	static size_t size;
	size_t count, gone, i;
	int all;

	if(!are_few_left(taken, most))
		return 0;
	if(strangers == NULL) {
		struct tcp_gen_info limits;

		tcp_get_info(&limits);
		size = (size_t)limits.tcp_max_connections
			   + 64; /* a few more may stand there for a moment */
		strangers = pkg_malloc(size * sizeof *strangers);
		if(strangers == NULL) {
			PKG_MEM_ERROR;
			return 0;
		}
	}
	count = collect(strangers, size, by_tls, &all);
	gone = all > most / 2 ? no_more_than_memory((size_t)(all - most / 2)) : 0;
	gone = bmd_core_make_room(strangers, count, gone);
	for(i = 0; i < gone; i++)
		close_connection(strangers[i].connection);
	bmd_core_count_made_room(gone);
	say(gone);
	return 1;
}

static int look(void)
{
	struct tcp_gen_info now;
	int little;

	tcp_get_info(&now);
	little = make_room(now.tls_connections_no, now.tls_max_connections, 1);
	tcp_get_info(&now);
	return make_room(now.tcp_connections_no, now.tcp_max_connections, 0) || little;
}

/* A flood takes thousands a second: ten times as often while there is one. */
void bmd_room_round(void)
{
	int looks;

	if(tcp_disable || tcpconn_id_hash == NULL)
		return;
	for(looks = 0; looks < 10 && look(); looks++)
		usleep(10000);
}
