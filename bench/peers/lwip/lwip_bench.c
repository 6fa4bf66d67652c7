/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lwip_bench.c - the same work as bench.c, by lwIP's raw interface.
 *
 * lwIP allows one stack in a process: both ends live in it, on two interfaces. What an interface
 * sends is copied once, into a packet of the receiver's, and waits in a ring until that one takes
 * it; the other end's address is routed there.
 */
#define _POSIX_C_SOURCE 200809L
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "../../../host/simd/simd.h"

#include "lwip/init.h"
#include "lwip/ip4.h"
#include "lwip/netif.h"
#include "lwip/priv/tcp_priv.h"
#include "lwip/tcp.h"

enum { RING = 4096, WRITE = 64 << 10 };

static struct {
	struct pbuf *packet[RING];
	struct netif *netif[RING];
	uint32_t put, take;
} ring;

static struct netif net_a, net_b;
static struct tcp_pcb *client, *server, *listener;
static uint64_t received;
static unsigned n_pongs, closed_ends, connected_ends;
static u32_t now_ms;

u32_t sys_now(void)
{
	return now_ms;
}

uint16_t bench_chksum(const void *data, int len)
{
	uint32_t sum = simd_sum()(data, (size_t)len, 0);

	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)(sum << 8 | (sum >> 8 & 0xff)); /* lwIP adds in the machine's order */
}

static double cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- the wire ---- */

static err_t put_on_wire(struct netif *netif, struct pbuf *p, const ip4_addr_t *to)
{
	uint32_t slot = ring.put++ % RING;
	struct pbuf *copy = pbuf_alloc(PBUF_RAW, p->tot_len, PBUF_POOL);

	(void)to;
	if (!copy || ring.put - ring.take > RING)
		abort();
	pbuf_copy_partial(p, copy->payload, p->tot_len, 0); /* a PBUF_POOL holds a packet */
	ring.packet[slot] = copy;
	ring.netif[slot] = netif;
	return ERR_OK;
}

static bool move_one(void)
{
	uint32_t slot;

	if (ring.take == ring.put) {
		ring.take = ring.put = 0; /* few slots, which stay in the cache */
		return false;
	}
	slot = ring.take++ % RING;
	ip4_input(ring.packet[slot], ring.netif[slot]);
	return true;
}

static void settle(void)
{
	while (move_one())
		continue;
}

static err_t init_netif(struct netif *netif)
{
	netif->name[0] = 'b';
	netif->name[1] = 'e';
	netif->mtu = 1500;
	netif->output = put_on_wire;
	netif->flags = NETIF_FLAG_UP | NETIF_FLAG_LINK_UP;
	return ERR_OK;
}

static void start(void)
{
	ip4_addr_t a, b, mask, none;

	lwip_init();
	IP4_ADDR(&a, 10, 0, 0, 1);
	IP4_ADDR(&b, 10, 1, 0, 1);
	IP4_ADDR(&mask, 255, 255, 0, 0);
	IP4_ADDR(&none, 0, 0, 0, 0);
	netif_add(&net_a, &a, &mask, &none, NULL, init_netif, ip4_input);
	netif_add(&net_b, &b, &mask, &none, NULL, init_netif, ip4_input);
	netif_set_up(&net_a);
	netif_set_up(&net_b);
}

/* ---- the two ends ---- */

static int what; /* 'b' bulk, 'p' ping-pong, 'c' connect */

static err_t on_server_data(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
	static uint8_t sink[WRITE];

	(void)arg;
	(void)err;
	if (!p) {
		tcp_close(pcb);
		closed_ends++;
		return ERR_OK;
	}
	received += pbuf_copy_partial(p, sink, p->tot_len, 0);
	tcp_recved(pcb, p->tot_len);
	pbuf_free(p);
	if (what == 'p') {
		tcp_write(pcb, sink, 1, TCP_WRITE_FLAG_COPY);
		tcp_output(pcb);
	}
	return ERR_OK;
}

static err_t on_client_data(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
	(void)arg;
	(void)err;
	if (!p) {
		closed_ends++;
		return ERR_OK;
	}
	tcp_recved(pcb, p->tot_len);
	pbuf_free(p);
	n_pongs++;
	return ERR_OK;
}

static err_t on_accept(void *arg, struct tcp_pcb *pcb, err_t err)
{
	(void)arg;
	(void)err;
	server = pcb;
	tcp_recv(pcb, on_server_data);
	connected_ends++;
	return ERR_OK;
}

static err_t on_connected(void *arg, struct tcp_pcb *pcb, err_t err)
{
	(void)arg;
	(void)pcb;
	(void)err;
	connected_ends++;
	return ERR_OK;
}

static void listen_once(void)
{
	struct tcp_pcb *pcb = tcp_new();

	tcp_bind(pcb, &net_b.ip_addr, 80);
	listener = tcp_listen(pcb);
	tcp_accept(listener, on_accept);
}

static void open_pair(void)
{
	connected_ends = 0;
	client = tcp_new();
	if (!client)
		abort();
	tcp_recv(client, on_client_data);
	tcp_bind(client, &net_a.ip_addr, 0);
	tcp_connect(client, &net_b.ip_addr, 80, on_connected);
	settle();
	if (connected_ends != 2)
		abort();
}

static void tick(void)
{
	static unsigned n;

	now_ms++;
	if (++n % 250 == 0)
		tcp_tmr();
}

/* ---- the work ---- */

static void bulk(double gigabytes)
{
	static uint8_t user[WRITE];
	uint64_t total = (uint64_t)(gigabytes * 1e9);
	double begin;

	open_pair();
	begin = cpu_seconds();
	for (unsigned turn = 0; received < total; turn++) {
		u16_t room = (u16_t)(tcp_sndbuf(client) < 29200 ? tcp_sndbuf(client) : 29200);

		if (room >= TCP_MSS)
			tcp_write(client, user, room, TCP_WRITE_FLAG_COPY);
		tcp_output(client);
		settle();
		if (turn % 50 == 0)
			tick();
	}
	printf("lwip-bulk %.4g Gbit/s\n", (double)received * 8 / 1e9 / (cpu_seconds() - begin));
}

static void pingpong(double millions)
{
	uint64_t n = (uint64_t)(millions * 1e6);
	double begin;

	open_pair();
	tcp_nagle_disable(client);
	tcp_nagle_disable(server);
	begin = cpu_seconds();
	for (uint64_t i = 0; i < n; i++) {
		tcp_write(client, "x", 1, TCP_WRITE_FLAG_COPY);
		tcp_output(client);
		settle();
		if (i % 3000 == 0)
			tick();
	}
	if (n_pongs != n)
		abort();
	printf("lwip-pingpong %.4g M/s\n", (double)n / 1e6 / (cpu_seconds() - begin));
}

/* One connection, and what passes until the next. */
static void open_and_close(void)
{
	enum { PAUSE_MS = BENCH_WAIT_MS / BENCH_N_WAITING };
	static u32_t ticked_ms;

	closed_ends = 0;
	open_pair();
	tcp_close(client);
	settle();
	now_ms += PAUSE_MS;
	if (now_ms - ticked_ms >= TCP_TMR_INTERVAL) {
		ticked_ms = now_ms;
		tcp_tmr();
	}
}

static void connects(const char *name, double thousands)
{
	uint64_t n = (uint64_t)(thousands * 1e3);
	double begin;

	for (unsigned i = 0; i < BENCH_N_WAITING; i++)
		open_and_close();
	begin = cpu_seconds();
	for (uint64_t i = 0; i < n; i++)
		open_and_close();
	printf("lwip-%s %.4g k/s\n", name, (double)n / 1e3 / (cpu_seconds() - begin));
}

int main(int argc, char **argv)
{
	double amount = argc > 2 ? atof(argv[2]) : 0;

	if (argc < 2 || !simd_sum())
		return 2;
	what = argv[1][0];
	start();
	listen_once();
	if (what == 'b')
		bulk(amount > 0 ? amount : 2);
	else if (what == 'p')
		pingpong(amount > 0 ? amount : 1);
	else if (what == 'c')
		connects(argv[1], amount > 0 ? amount : 100);
	else
		return 2;
	return 0;
}
