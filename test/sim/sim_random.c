/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_random.c - random networks from seeds: every byte once, in order, and every run ends.
 *
 *	sim_random N SEED     runs seeds SEED .. SEED+N-1; the last line is "N passed, M failed"
 *
 * A run draws a topology, weather, settings and a set of streams from its seed. Both ends of a
 * stream send a pattern, read in pieces of random size, pause at times, and close in one of several
 * ways. What arrives is compared byte by byte; all invariants are checked along the way; at the end
 * nothing may be left on any host. A failure names the command that repeats it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../include/tern_sim.h"
#include "seeds.h"

enum { HOSTS_MAX = 4, STREAMS_MAX = 8, PIECE = 8192, PORT = 7000 };

enum manner { CLOSE_WHEN_SENT, SHUT_THEN_READ, CLOSE_AFTER_EOF };

struct run;

struct end {
	struct run *run;
	struct end *peer;
	int host;
	tern_sock sock;
	bool opened, closed, eof, asleep;
	int error;
	uint64_t to_send, sent, received;
	enum manner manner;
	uint8_t salt;
	unsigned n_naps; /* left */
};

struct run {
	uint64_t seed;
	struct tern_sim *sim;
	int n_hosts, n_streams, family;
	bool black_hole;
	uint32_t mtu;
	tern_sock listener[HOSTS_MAX];
	struct end a[STREAMS_MAX], b[STREAMS_MAX]; /* a connects to b */
	uint16_t port[STREAMS_MAX];
	struct tern_addr addr[HOSTS_MAX];
	char why[160];
};

static void fail(struct run *r, const char *why, int stream)
{
	if (!r->why[0])
		snprintf(r->why, sizeof(r->why), "%s (stream %d)", why, stream);
}

static uint64_t draw(struct run *r, uint64_t n)
{
	return tern_sim_random(r->sim, n);
}

static bool chance(struct run *r, unsigned percent)
{
	return draw(r, 100) < percent;
}

static struct tern_stack *stack_of(const struct end *e)
{
	return tern_sim_stack(e->run->sim, e->host);
}

static uint8_t byte_at(const struct end *sender, uint64_t i)
{
	return (uint8_t)(i * 131 + (i >> 8) * 29 + sender->salt);
}

static int index_of(const struct end *e)
{
	struct run *r = e->run;

	return (int)(e >= r->b && e < r->b + STREAMS_MAX ? e - r->b : e - r->a);
}

/* ---- one end of a stream ---- */

static void finish_sending(struct end *e)
{
	if (e->sent < e->to_send || e->closed)
		return;
	switch (e->manner) {
	case CLOSE_WHEN_SENT:
		/* Closing with data unread would reset: only when the peer has said all. */
		if (e->received == e->peer->to_send) {
			tern_close(stack_of(e), e->sock);
			e->closed = true;
		}
		break;
	case SHUT_THEN_READ: /* a second time changes nothing */
		tern_shutdown(stack_of(e), e->sock, TERN_SHUT_WR);
		break;
	case CLOSE_AFTER_EOF:
		break;
	}
	if (e->eof && !e->closed) {
		tern_close(stack_of(e), e->sock);
		e->closed = true;
	}
}

static void send_some(struct end *e)
{
	uint8_t buf[PIECE];

	while (!e->closed && e->opened && e->sent < e->to_send) {
		uint64_t left = e->to_send - e->sent;
		size_t n = 1 + (size_t)draw(e->run, sizeof(buf));
		int64_t got;

		n = n < left ? n : (size_t)left;
		for (size_t i = 0; i < n; i++)
			buf[i] = byte_at(e, e->sent + i);
		got = tern_send(stack_of(e), e->sock, buf, n,
				chance(e->run, 5) ? TERN_MSG_MORE : 0);
		if (got == -TERN_EAGAIN)
			return;
		if (got < 0) {
			e->error = (int)-got;
			return;
		}
		e->sent += (uint64_t)got;
	}
}

static void touch(struct end *e);

/* What a user may ask of a stream at any time: none of it may cost a byte, or the end. */
static void draw_options(struct end *e)
{
	static const struct {
		int level, name;
		uint32_t least, most;
	} options[] = {
		{ TERN_IPPROTO_TCP, TERN_TCP_NODELAY, 0, 1 },
		{ TERN_IPPROTO_TCP, TERN_TCP_CORK, 0, 1 },
		{ TERN_IPPROTO_TCP, TERN_TCP_QUICKACK, 0, 1 },
		{ TERN_IPPROTO_TCP, TERN_TCP_MAXSEG, 200, 1460 },
		{ TERN_IPPROTO_TCP, TERN_TCP_WINDOW_CLAMP, 1, 20000 },
		{ TERN_IPPROTO_TCP, TERN_TCP_NOTSENT_LOWAT, 1, 20000 },
		{ TERN_SOL_SOCKET, TERN_SO_RCVBUF, 1, 50000 },
		{ TERN_SOL_SOCKET, TERN_SO_SNDBUF, 1, 50000 },
		{ TERN_SOL_SOCKET, TERN_SO_RCVLOWAT, 1, 20000 },
		{ TERN_SOL_SOCKET, TERN_SO_MAX_PACING_RATE, 20000, 10000000 },
	};
	struct run *r = e->run;

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		uint32_t span = options[i].most - options[i].least + 1;
		int32_t v = (int32_t)(options[i].least + draw(r, span));

		if (chance(r, 10))
			tern_setsockopt(stack_of(e), e->sock, options[i].level, options[i].name, &v,
					sizeof(v));
	}
}

static void wake(void *ctx)
{
	struct end *e = ctx;

	e->asleep = false;
	if (!e->closed && chance(e->run, 30))
		draw_options(e);
	touch(e);
}

static void recv_some(struct end *e)
{
	uint8_t buf[PIECE];

	while (!e->closed && !e->eof && !e->asleep) {
		size_t n = 1 + (size_t)draw(e->run, sizeof(buf));
		int64_t got = tern_recv(stack_of(e), e->sock, buf, n, 0);

		if (got == -TERN_EAGAIN)
			return;
		if (got < 0) {
			e->error = (int)-got;
			return;
		}
		if (got == 0)
			e->eof = true;
		for (int64_t i = 0; i < got; i++) {
			if (buf[i] != byte_at(e->peer, e->received + (uint64_t)i))
				fail(e->run, "a wrong byte arrived", index_of(e));
		}
		e->received += (uint64_t)got;
		if (e->received > e->peer->to_send)
			fail(e->run, "more arrived than was sent", index_of(e));
		if (e->n_naps && chance(e->run, 5)) {
			e->n_naps--;
			e->asleep = true;
			tern_sim_at(e->run->sim,
				    tern_sim_now(e->run->sim) + draw(e->run, 3 * TERN_SEC), wake,
				    e);
		}
	}
}

static void touch(struct end *e)
{
	if (!e->opened || e->closed)
		return;
	send_some(e);
	recv_some(e);
	finish_sending(e);
}

/* ---- events ---- */

static void accept_all(struct run *r, int host)
{
	struct tern_stack *st = tern_sim_stack(r->sim, host);
	struct tern_addr peer;
	tern_sock sock;

	while (tern_accept(st, r->listener[host], &sock, &peer) == 0) {
		struct end *e = NULL;

		for (int i = 0; i < r->n_streams; i++)
			if (r->b[i].host == host && r->port[i] == peer.port &&
			    memcmp(r->addr[r->a[i].host].ip, peer.ip, 16) == 0)
				e = &r->b[i];
		if (!e || e->opened) {
			fail(r, "a connection came that nobody opened", -1);
			return;
		}
		e->sock = sock;
		e->opened = true;
		tern_set_user(st, sock, e);
		draw_options(e);
		touch(e);
	}
}

static void on_event(void *ctx, int host, const struct tern_event *ev)
{
	struct run *r = ctx;
	struct end *e = ev->user;

	if (ev->sock == r->listener[host]) {
		accept_all(r, host);
		return;
	}
	if (!e || e->closed)
		return;
	if (ev->ready & TERN_POLLERR) {
		int32_t err = 0;
		size_t len = sizeof(err);

		tern_getsockopt(stack_of(e), e->sock, TERN_SOL_SOCKET, TERN_SO_ERROR, &err, &len);
		e->error = e->error ? e->error : err;
		tern_close(stack_of(e), e->sock);
		e->closed = true;
		return;
	}
	if (ev->ready & TERN_POLLOUT)
		e->opened = true;
	touch(e);
}

/* ---- set-up ---- */

static void draw_config(struct run *r, struct tern_config *c)
{
	tern_config_default(c);
	c->tcp_timestamps = chance(r, 70);
	c->tcp_sack = chance(r, 70);
	c->tcp_window_scaling = chance(r, 80);
	c->tcp_delayed_ack_ms = (uint32_t)draw(r, 200);
	c->tcp_rcvbuf_default = 2000u << draw(r, 9);
	c->tcp_sndbuf_default = 5000u << draw(r, 8);
	c->tcp_time_wait_ms = 1000 + (uint32_t)draw(r, 60000);
	c->tcp_initial_cwnd = 1 + (uint32_t)draw(r, 20);
	if (chance(r, 10))
		c->tcp_ranges_max = 1 + (uint32_t)draw(r, 8);
	if (chance(r, 60)) {
		c->tcp_ecn = (uint8_t)draw(r, 6);
		c->tcp_ecn_option = (uint8_t)draw(r, 4);
		c->tcp_ecn_fallback = chance(r, 80);
	}
	if (chance(r, 40))
		memcpy(c->tcp_congestion_control, "bbr", 4);
}

static void draw_weather(struct run *r, struct tern_weather *w)
{
	*w = (struct tern_weather){ .delay = draw(r, 60 * TERN_MS) };
	if (chance(r, 50))
		w->jitter = draw(r, 20 * TERN_MS);
	if (chance(r, 40))
		w->rate_bps = 100000 << draw(r, 12);
	if (chance(r, 60))
		w->loss_ppm = (uint32_t)draw(r, 100000);
	if (chance(r, 40))
		w->reorder_ppm = (uint32_t)draw(r, 200000);
	if (chance(r, 40))
		w->duplicate_ppm = (uint32_t)draw(r, 100000);
	if (chance(r, 30))
		w->corrupt_ppm = (uint32_t)draw(r, 20000);
	if (chance(r, 30))
		w->mark_ppm = (uint32_t)draw(r, 300000);
	if (chance(r, 30))
		w->mark_above = draw(r, 20 * TERN_MS);
	if (chance(r, 5))
		w->black_hole = 700 + (uint32_t)draw(r, 800);
}

static bool add_hosts(struct run *r)
{
	static const uint32_t mtus[] = { 576, 1280, 1500, 9000 };
	struct tern_weather w;
	int link, kind = r->n_hosts == 2 && chance(r, 30) ? TERN_LINK_IP : TERN_LINK_ETHERNET;

	draw_weather(r, &w);
	r->black_hole = w.black_hole != 0;
	link = tern_sim_link_add(r->sim, &w);
	r->mtu = mtus[draw(r, 4)];
	if (r->family == TERN_AF_INET6 && r->mtu < 1280)
		r->mtu = 1280;
	for (int h = 0; h < r->n_hosts; h++) {
		struct tern_iface iface = { .name = "eth0",
					    .link = (uint32_t)kind,
					    .mtu = r->mtu,
					    .mac = { 2, 0, 0, 0, 0, (uint8_t)(h + 1) } };
		struct tern_config c;
		int ifindex;

		draw_config(r, &c);
		if (chance(r, 20) && !w.black_hole) /* a super-frame is one frame here */
			iface.flags = TERN_IFACE_CSUM | TERN_IFACE_TSO4 | TERN_IFACE_TSO6;
		if (tern_sim_host_add(r->sim, "host", &c) != h)
			return false;
		ifindex = tern_sim_attach(r->sim, link, h, &iface);
		r->addr[h] = tern_ip4(10, 0, 0, (uint8_t)(h + 1), 0);
		if (r->family == TERN_AF_INET6) {
			char text[] = "fd00::1";

			text[6] = (char)('1' + h);
			tern_addr_parse(text, 0, &r->addr[h]);
		}
		if (ifindex < 0 || tern_addr_add(tern_sim_stack(r->sim, h), (unsigned)ifindex,
						 &r->addr[h], 24) != 0)
			return false;
		tern_sim_on_event(r->sim, h, on_event, r);
	}
	return true;
}

static void listen_everywhere(struct run *r)
{
	for (int h = 0; h < r->n_hosts; h++) {
		struct tern_stack *st = tern_sim_stack(r->sim, h);
		struct tern_addr at = r->addr[h];

		at.port = PORT;
		if (tern_socket(st, r->family, TERN_SOCK_STREAM, 0, &r->listener[h]) ||
		    tern_bind(st, r->listener[h], &at) || tern_listen(st, r->listener[h], 16))
			fail(r, "cannot listen", -1);
	}
}

static uint64_t draw_bytes(struct run *r)
{
	switch (draw(r, 4)) {
	case 0:
		return draw(r, 3);
	case 1:
		return draw(r, 2000);
	case 2:
		return draw(r, 30000);
	default:
		return draw(r, 200000);
	}
}

static void open_stream(void *ctx)
{
	struct end *e = ctx;
	struct run *r = e->run;
	struct tern_addr to = r->addr[e->peer->host], name;
	int err;

	to.port = PORT;
	err = tern_socket(stack_of(e), r->family, TERN_SOCK_STREAM, 0, &e->sock);
	tern_set_user(stack_of(e), e->sock, e);
	draw_options(e);
	if (!err)
		err = tern_connect(stack_of(e), e->sock, &to);
	if (err != -TERN_EINPROGRESS)
		fail(r, tern_errno_name(err), index_of(e));
	tern_getsockname(stack_of(e), e->sock, &name);
	r->port[index_of(e)] = name.port;
}

static void plan_streams(struct run *r)
{
	for (int i = 0; i < r->n_streams; i++) {
		struct end *a = &r->a[i], *b = &r->b[i];

		*a = (struct end){ .run = r, .peer = b, .to_send = draw_bytes(r) };
		*b = (struct end){ .run = r, .peer = a, .to_send = draw_bytes(r) };
		a->host = (int)draw(r, (uint64_t)r->n_hosts);
		b->host = (int)((uint64_t)a->host + 1 + draw(r, (uint64_t)r->n_hosts - 1)) %
			  r->n_hosts;
		a->salt = (uint8_t)draw(r, 256);
		b->salt = (uint8_t)draw(r, 256);
		a->n_naps = (unsigned)draw(r, 4);
		b->n_naps = (unsigned)draw(r, 4);
		a->manner = (enum manner)draw(r, 2); /* one of them must begin to close */
		b->manner = (enum manner)draw(r, 3);
		tern_sim_at(r->sim, draw(r, 5 * TERN_SEC), open_stream, a);
	}
}

/* ---- the end ---- */

static void judge_end(struct run *r, const struct end *e, int i)
{
	if (getenv("SIM_VERBOSE"))
		printf("stream %d host %d: opened %d closed %d eof %d error %d, sent %llu of %llu, "
		       "received %llu\n",
		       i, e->host, e->opened, e->closed, e->eof, e->error,
		       (unsigned long long)e->sent, (unsigned long long)e->to_send,
		       (unsigned long long)e->received);
	/* Three lost ARP requests in a row are no fault of the stack; the peer never hears of it. */
	if (!e->opened && (e->error == TERN_EHOSTUNREACH || e->peer->error == TERN_EHOSTUNREACH))
		return;
	/* Nor is a black hole that swallows the handshake's last ACK with the text that it goes with. */
	if (r->black_hole && !(e->opened && e->peer->opened) &&
	    (e->error == TERN_ECONNRESET || e->peer->error == TERN_ECONNRESET))
		return;
	if (e->error)
		fail(r, tern_errno_name(e->error), i);
	else if (!e->closed)
		fail(r, "did not close", i);
	else if (e->received != e->peer->to_send)
		fail(r, "not every byte arrived", i);
}

/* Nothing but the listeners may be left. */
static void judge_hosts(struct run *r)
{
	for (int h = 0; h < r->n_hosts; h++) {
		struct tern_stack *st = tern_sim_stack(r->sim, h);
		struct tern_sock_info info;
		uint64_t cursor = 0;

		while (tern_sock_next(st, &cursor, &info))
			if (info.state != TERN_TCP_LISTEN)
				fail(r, tern_tcp_state_name((enum tern_tcp_state)info.state), h);
	}
}

static bool run_seed(uint64_t seed, char *why, size_t why_len)
{
	static struct run r;
	const tern_time limit = 24 * 3600 * TERN_SEC;
	unsigned n_steps = 0;

	memset(&r, 0, sizeof(r));
	r.seed = seed;
	r.sim = tern_sim_new(seed);
	r.n_hosts = 2 + (int)draw(&r, HOSTS_MAX - 1);
	r.n_streams = 1 + (int)draw(&r, STREAMS_MAX);
	r.family = chance(&r, 50) ? TERN_AF_INET : TERN_AF_INET6;
	if (!add_hosts(&r))
		fail(&r, "cannot set up", -1);
	listen_everywhere(&r);
	plan_streams(&r);
	while (!r.why[0] && tern_sim_step(r.sim, limit))
		if (n_steps++ % 64 == 0)
			tern_sim_check(r.sim);
	for (int i = 0; i < r.n_streams; i++) {
		judge_end(&r, &r.a[i], i);
		judge_end(&r, &r.b[i], i);
	}
	judge_hosts(&r);
	tern_sim_check(r.sim);
	tern_sim_free(r.sim);
	snprintf(why, why_len, "%s", r.why);
	return r.why[0] == 0;
}

int main(int argc, char **argv)
{
	return run_seeds(argc, argv, run_seed, "make sim");
}
