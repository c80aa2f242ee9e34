/*
 * bmd_room.c - connections of strangers make room for others, when few are left
 * SPDX-License-Identifier: GPL-2.0-or-later
 * Kamailio 5.6 knows how many connections there may be, and no limit of one address; what comes
 * when all are taken is refused.  So when three quarters are taken, of all or of those by TLS,
 * strangers' connections are closed until half are: of the addresses that have the most, the
 * oldest. A stranger's is one that came in and is not kept for longer than others (route[KEEP] of
 * limits.cfg, intake.cfg): a flood of one address costs nobody else a connection.
 */
#include "bmd_core_room.h"
#include "bmd_core_wire.h"
#include "bmd_kamailio.h"
#include "bmd_shim.h"
#include "core/globals.h"
#include "core/mem/mem.h"
#include "core/pass_fd.h"
#include "core/tcp_conn.h"
#include "core/tcp_info.h"
#include "core/timer_ticks.h"

#include <string.h>
#include <unistd.h>

extern gen_lock_t *tcpconn_lock;
extern struct tcp_connection **tcpconn_id_hash;

enum
{
	strangers_seconds = 60 /* who is known has more */
};

static uint64_t source_of(const struct ip_addr *address)
{
	uint64_t prefix;

	if(address->af == AF_INET)
		return address->u.addr32[0];
	memcpy(&prefix, address->u.addr, sizeof prefix);
	return prefix;
}

static int is_strangers(const struct tcp_connection *connection)
{
	return (connection->flags & F_CONN_PASSIVE) && !(connection->flags & F_CONN_FORCE_EOF)
		   && connection->state != S_CONN_BAD
		   && connection->lifetime < S_TO_TICKS(strangers_seconds);
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

/* 1 when there was little room. */
static int make_room(int taken, int most, int by_tls)
{
	static struct bmd_stranger *strangers;
	static size_t size;
	size_t count, gone, i;
	int all;

	if(most <= 0 || taken < most - most / 4)
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
	gone = bmd_core_make_room(strangers, count, all > most / 2 ? (size_t)(all - most / 2) : 0);
	for(i = 0; i < gone; i++)
		close_connection(strangers[i].connection);
	bmd_core_count_made_room(gone);
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
