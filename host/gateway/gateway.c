/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gateway.c - the life of a gateway, and its turn.
 *
 * Its stack answers for every address: a listener, a datagram socket and a raw socket of each
 * family take what comes. In a turn the host's sockets and the stack say what has changed, which
 * puts flows on the busy list; then each of them moves what it can, once. News that moving brings
 * about is for the next turn, which the deadline then asks for at once.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <unistd.h>

#include "../../include/tern_malloc.h"
#include "gateway_impl.h"
#include "socks5.h"

enum { FLOWS_DEFAULT = 16384, FLOWS_MAX = 1 << 20, STREAM_BUFFER_MAX = 16 << 20 };
enum { DGRAM_BUFFER = 4 << 20, POLLS = 16, TABLE_BUCKETS = 256 };

static bool refuse(struct gateway_wish *w, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static bool refuse(struct gateway_wish *w, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(w->error, sizeof(w->error), format, ap);
	va_end(ap);
	return false;
}

/* ---- birth ---- */

static bool complete_wish(struct gateway_wish *w)
{
	if (w->socks.family && w->socks_user &&
	    !socks5_credentials_fit(w->socks_user, w->socks_password))
		return refuse(w, "SOCKS5: name and password are 1 to %d bytes each",
			      SOCKS5_TEXT_MAX);
	if (w->socks.family && w->socks.port == 0)
		return refuse(w, "SOCKS5: the server's port is missing");
	if (w->flows_max == 0)
		w->flows_max = FLOWS_DEFAULT;
	if (w->flows_max > FLOWS_MAX)
		w->flows_max = FLOWS_MAX;
	if (w->udp_idle == 0)
		w->udp_idle = 120 * TERN_SEC;
	if (w->connect_timeout == 0)
		w->connect_timeout = 130 * TERN_SEC;
	return true;
}

/* A SYN that waits for its verdict has as many time-outs to live as its SYN-ACK would have. */
static uint32_t retries_for(const struct tern_config *c, tern_time patience)
{
	uint64_t ms = c->tcp_rto_initial_ms, total = ms;
	uint32_t n = 0;

	while (n < 127 && total * TERN_MS <= patience) {
		ms = MIN(2 * ms, c->tcp_rto_max_ms);
		total += ms;
		n++;
	}
	return MAX(n, 3);
}

static struct tern_stack *new_gateway_stack(struct loop *l, const struct gateway_wish *w)
{
	struct tern_config c;

	tern_config_default(&c);
	c.half_open_max = 2 * w->flows_max;
	c.somaxconn = MIN(w->flows_max, 65535);
	c.sockets_max = MAX(c.sockets_max, 4 * w->flows_max);
	c.tcp_synack_retries = retries_for(&c, w->connect_timeout);
	c.tcp_syncookies = 0; /* a cookie promises before anybody has been asked */
	c.tcp_rcvbuf_max = c.tcp_sndbuf_max = STREAM_BUFFER_MAX;
	c.icmp_echo_ignore_all = true; /* flow_echo.c answers */
	return loop_new_stack(l, &c, w->trace, w->trace_ctx);
}

/*
 * A stack speaks from an address. Where none is wished for: the one that RFC 7600 4.8 has for
 * errors from where there is no IPv4, and a link-local one.
 */
static int add_address(struct gateway *g, unsigned ifindex, unsigned family)
{
	struct tern_addr a = family == V4 ? g->wish.addr : g->wish.addr6;
	struct tern_route all = { .ifindex = ifindex };
	int err;

	if (!a.family && family == V4)
		a = tern_ip4(192, 0, 0, 8, 0);
	else if (!a.family)
		a = (struct tern_addr){ .family = TERN_AF_INET6, .ip = { 0xfe, 0x80, [15] = 1 } };
	err = tern_addr_add(g->st, ifindex, &a, family == V4 ? 32 : 128);
	all.dst.family = a.family;
	return err ? err : tern_route_add(g->st, &all);
}

static int set_flag(struct gateway *g, tern_sock s, int level, int name)
{
	int32_t one = 1;

	return tern_setsockopt(g->st, s, level, name, &one, sizeof(one));
}

/* Of a socket of this family alone: what comes to any port. */
static int take_any_port(struct gateway *g, tern_sock s, unsigned family)
{
	int err = family == V6 ? set_flag(g, s, TERN_IPPROTO_IPV6, TERN_IPV6_V6ONLY) : 0;

	return err ? err : set_flag(g, s, TERN_SOL_SOCKET, TERN_SO_ANY_PORT);
}

static int open_listener(struct gateway *g, unsigned family)
{
	tern_sock *s = &g->tcp[family];
	int af = family == V4 ? TERN_AF_INET : TERN_AF_INET6;
	int err = tern_socket(g->st, af, TERN_SOCK_STREAM, 0, s);

	err = err ? err : take_any_port(g, *s, family);
	/* its children have them, too */
	err = err ? err : set_flag(g, *s, TERN_SOL_SOCKET, TERN_SO_KEEPALIVE);
	err = err ? err : set_flag(g, *s, TERN_IPPROTO_TCP, TERN_TCP_NODELAY);
	err = err ? err : tern_listen(g->st, *s, (int)g->wish.flows_max);
	return err ? err : set_flag(g, *s, TERN_SOL_SOCKET, TERN_SO_DEFER_SYN);
}

static int open_dgram(struct gateway *g, unsigned family)
{
	int32_t room = DGRAM_BUFFER / 2; /* the stack doubles it, as Linux does */
	tern_sock *s = &g->udp[family];
	int af = family == V4 ? TERN_AF_INET : TERN_AF_INET6;
	int err = tern_socket(g->st, af, TERN_SOCK_DGRAM, 0, s);

	err = err ? err : take_any_port(g, *s, family);
	tern_setsockopt(g->st, *s, TERN_SOL_SOCKET, TERN_SO_SNDBUF, &room, sizeof(room));
	tern_setsockopt(g->st, *s, TERN_SOL_SOCKET, TERN_SO_RCVBUF, &room, sizeof(room));
	return err;
}

static int open_raw(struct gateway *g, unsigned family)
{
	int af = family == V4 ? TERN_AF_INET : TERN_AF_INET6;
	int proto = family == V4 ? TERN_IPPROTO_ICMP : TERN_IPPROTO_ICMPV6;
	int err = tern_socket(g->st, af, TERN_SOCK_RAW, proto, &g->icmp[family]);

	return err ? err : tern_socket(g->st, af, TERN_SOCK_RAW, TERN_IPPROTO_RAW, &g->raw[family]);
}

static int open_sockets(struct gateway *g)
{
	int err = 0;

	for (unsigned family = 0; family < N_FAMILIES && !err; family++) {
		err = open_listener(g, family);
		err = err ? err : open_dgram(g, family);
		err = err ? err : open_raw(g, family);
	}
	return err;
}

/* On failure the device is the caller's again. */
static int open_interface(struct gateway *g, struct loop *l, struct dev *d)
{
	uint32_t flags = d->iface.flags;
	int err;

	d->iface.flags |= TERN_IFACE_ANY_ADDRESS;
	err = loop_add(l, g->st, d);
	if (err > 0) {
		err = add_address(g, d->ifindex, V4);
		if (!err && d->iface.mtu >= 1280) /* RFC 8200 5: less carries no IPv6 */
			err = add_address(g, d->ifindex, V6);
		if (!err)
			return 0;
		tern_iface_del(g->st, d->ifindex);
		l->n_ports--;
	}
	d->iface.flags = flags;
	return err;
}

static bool open_stack(struct gateway *g, struct loop *l, struct dev *d, struct gateway_wish *w)
{
	int err;

	g->st = new_gateway_stack(l, &g->wish);
	if (!g->st)
		return refuse(w, "no stack can be made: out of memory, or too many in this loop");
	err = open_sockets(g);
	if (err)
		return refuse(w, "out of memory (%s)", tern_errno_name(err));
	err = open_interface(g, l, d);
	return !err || refuse(w, "the device %s, or an address for it, does not suit: %s",
			      d->iface.name, tern_errno_name(err));
}

static bool open_own(struct gateway *g, struct gateway_wish *w)
{
	g->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (g->epoll < 0)
		return refuse(w, "no epoll set can be had: %s",
			      errno == EMFILE ? "too many open files (ulimit -n)" :
						"the host refuses it");
	if (getrandom(&g->key, sizeof(g->key), 0) != (ssize_t)sizeof(g->key))
		return refuse(w, "the kernel gives no random numbers");
	mem_init(&g->mem, tern_malloc, tern_malloc_free, NULL, UINT64_MAX);
	return table_init(&g->flows, &g->mem, TABLE_BUCKETS) || refuse(w, "out of memory");
}

static void set_durations(struct gateway *g)
{
	g->duration[AGE_DIAL] = g->wish.connect_timeout;
	g->duration[AGE_SHAKE] = 30 * TERN_SEC;
	g->duration[AGE_FRESH] = MIN(g->wish.udp_idle, 30 * TERN_SEC);
	g->duration[AGE_IDLE] = g->wish.udp_idle;
	g->duration[AGE_ECHO] = 30 * TERN_SEC;
}

struct gateway *gateway_new(struct loop *l, struct dev *d, struct gateway_wish *w)
{
	struct gateway *g;

	if (!complete_wish(w))
		return NULL;
	g = calloc(1, sizeof(*g));
	if (!g) {
		refuse(w, "out of memory");
		return NULL;
	}
	loop_raise_descriptor_limit(); /* each flow needs one or two */
	g->wish = *w;
	g->epoll = -1;
	g->now = loop_now();
	g->forwards_at = TERN_NEVER;
	list_init(&g->all);
	list_init(&g->busy);
	list_init(&g->dead);
	list_init(&g->forwards);
	for (unsigned i = 0; i < N_AGES; i++)
		list_init(&g->ages[i]);
	set_durations(g);
	if (open_own(g, w) && open_stack(g, l, d, w))
		return g;
	gateway_free(g);
	return NULL;
}

/* ---- the turn ---- */

/* Which of our own sockets is it? */
static void take_own_news(struct gateway *g, tern_sock s)
{
	for (unsigned family = 0; family < N_FAMILIES; family++) {
		if (s == g->tcp[family])
			tcp_flows_take(g, family);
		else if (s == g->udp[family])
			udp_flows_take(g, family);
		else if (s == g->icmp[family])
			echo_flows_take(g, family);
	}
}

static void take_news(struct gateway *g)
{
	struct tern_event ev;

	while (tern_event(g->st, &ev)) {
		if (ev.user)
			flow_wake(g, ev.user);
		else
			take_own_news(g, ev.sock);
	}
}

static void end_old(struct gateway *g)
{
	for (unsigned i = 0; i < N_AGES; i++) {
		struct list *head = &g->ages[i];

		while (!list_empty(head)) {
			struct flow *f = CONTAINER_OF(head->next, struct flow, age_link);

			if (f->old_at > g->now)
				break;
			f->ops->on_old(g, f);
		}
	}
}

static void move_busy(struct gateway *g)
{
	struct list now, *l;

	if (list_empty(&g->busy))
		return;
	now = g->busy; /* those that want another turn go on the list anew */
	now.next->prev = now.prev->next = &now;
	list_init(&g->busy);
	while ((l = list_take(&now))) {
		struct flow *f = CONTAINER_OF(l, struct flow, busy_link);

		f->ops->move(g, f);
	}
}

static void bury_dead(struct gateway *g)
{
	struct list *l;

	while ((l = list_take(&g->dead)))
		free(CONTAINER_OF(l, struct flow, all_link));
}

void gateway_turn(struct gateway *g)
{
	bool all = false;

	g->now = loop_now();
	for (int i = 0; i < POLLS && !all; i++)
		all = source_poll(g);
	g->more = !all;
	forwards_retry(g);
	take_news(g);
	end_old(g);
	move_busy(g);
	take_news(g);
	bury_dead(g);
}

tern_time gateway_deadline(const struct gateway *g)
{
	tern_time at = g->forwards_at;

	if (g->more || !list_empty(&g->busy))
		return 0;
	for (unsigned i = 0; i < N_AGES; i++)
		if (!list_empty(&g->ages[i]))
			at = MIN(at, CONTAINER_OF(g->ages[i].next, struct flow, age_link)->old_at);
	return at;
}

struct tern_stack *gateway_stack(const struct gateway *g)
{
	return g->st;
}

int gateway_fd(const struct gateway *g)
{
	return g->epoll;
}

uint32_t gateway_flows(const struct gateway *g)
{
	return g->n[FLOW_TCP] + g->n[FLOW_UDP] + g->n[FLOW_ECHO];
}

bool gateway_is_sending(const struct gateway *g)
{
	for (const struct list *l = g->all.next; l != &g->all; l = l->next) {
		const struct flow *f = CONTAINER_OF(l, const struct flow, all_link);

		if (f->ops->kind == FLOW_TCP && tcp_flow_is_sending(g, f))
			return true;
	}
	return false;
}

struct tern_gateway_counts gateway_counts(const struct gateway *g)
{
	struct tern_gateway_counts c = g->counts;

	c.live = gateway_flows(g);
	return c;
}

/* ---- death ---- */

void gateway_free(struct gateway *g)
{
	if (!g)
		return;
	while (!list_empty(&g->all))
		flow_end(g, CONTAINER_OF(g->all.next, struct flow, all_link));
	bury_dead(g);
	forwards_fini(g);
	for (unsigned family = 0; family < N_FAMILIES && g->st; family++) {
		tern_close(g->st, g->tcp[family]);
		tern_close(g->st, g->udp[family]);
		tern_close(g->st, g->icmp[family]);
		tern_close(g->st, g->raw[family]);
	}
	if (g->flows.mem) {
		table_fini(&g->flows);
		mem_fini(&g->mem);
	}
	if (g->epoll >= 0)
		close(g->epoll);
	free(g);
}
