/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * own_congestion.c - a congestion control of one's own: send at one rate, whatever is lost.
 *
 * "steady" suits a link that is the program's alone: it paces at the rate it was given and lets two
 * round trips of it be in flight. Where a tenth of the frames is lost, it keeps its rate; CUBIC
 * would believe in congestion. An algorithm is a table of functions, registered on a stack and
 * chosen by name.
 */
#include <stdio.h>
#include <string.h>

#include <tern_sim.h>

enum { BYTES = 1000000, RATE = 500000 };

/* What it keeps of a connection: zeros at first, TERN_CC_STATE_SIZE bytes at most. */
struct steady {
	struct tern_cc_pace pace; /* always first */
	tern_time least_rtt;
	uint64_t lost;
};

static void steady_on_idle(struct tern_cc *cc, const struct tern_cc_sample *s)
{
	const uint64_t *rate = cc->ops->user;
	struct steady *own = cc->state;

	(void)s;
	own->pace.rate = *rate;
}

static void steady_on_ack(struct tern_cc *cc, const struct tern_cc_sample *s)
{
	struct steady *own = cc->state;
	uint64_t window;

	if (s->rtt && (own->least_rtt == 0 || s->rtt < own->least_rtt))
		own->least_rtt = s->rtt;
	window = 2 * own->pace.rate * own->least_rtt / TERN_SEC;
	cc->cwnd = (uint32_t)(window > cc->initial ? window : cc->initial);
}

static void steady_on_loss(struct tern_cc *cc, const struct tern_cc_sample *s)
{
	struct steady *own = cc->state;

	own->lost += s->lost_len; /* and nothing else: tern repairs it */
}

struct transfer {
	struct tern_sim_pair net;
	tern_sock listener, server, client;
	uint64_t n_given, n_read;
	tern_time done_at;
};

static void send_more(void *ctx, int host, const struct tern_event *ev)
{
	struct transfer *t = ctx;
	static const char text[16384];

	(void)host;
	while ((ev->ready & TERN_POLLOUT) && t->n_given < BYTES) {
		uint64_t left = BYTES - t->n_given;
		int64_t n = tern_send(t->net.a, t->client, text,
				      left < sizeof(text) ? (size_t)left : sizeof(text), 0);

		if (n <= 0)
			return;
		t->n_given += (uint64_t)n;
	}
}

static void read_all(void *ctx, int host, const struct tern_event *ev)
{
	struct transfer *t = ctx;
	char buf[16384];
	int64_t n;

	(void)host;
	if (ev->sock == t->listener) {
		tern_accept(t->net.b, t->listener, &t->server, NULL);
		return;
	}
	while ((n = tern_recv(t->net.b, t->server, buf, sizeof(buf), 0)) > 0)
		t->n_read += (uint64_t)n;
	if (t->n_read == BYTES && t->done_at == 0)
		t->done_at = tern_sim_now(t->net.sim);
}

/* How long a megabyte takes with an algorithm; 0: it did not come to an end. */
static tern_time time_of(const char *algorithm)
{
	struct tern_weather lossy = { .delay = 20 * TERN_MS, .loss_ppm = 100000 };
	uint64_t rate = RATE;
	struct tern_cc_ops steady = {
		.name = "steady",
		.own_window = true,
		.user = &rate,
		.on_ack = steady_on_ack,
		.on_loss = steady_on_loss,
		.on_idle = steady_on_idle,
	};
	struct transfer t = { .n_given = 0 };
	struct tern_addr at;

	if (tern_sim_pair(&t.net, 42, TERN_AF_INET, TERN_LINK_IP, 1500, &lossy) != 0)
		return 0;
	if (tern_cc_register(t.net.a, &steady) != 0)
		return 0;
	at = t.net.addr_b;
	at.port = 7;
	tern_socket(t.net.b, TERN_AF_INET, TERN_SOCK_STREAM, 0, &t.listener);
	tern_bind(t.net.b, t.listener, &at);
	tern_listen(t.net.b, t.listener, 1);
	tern_sim_on_event(t.net.sim, 0, send_more, &t);
	tern_sim_on_event(t.net.sim, 1, read_all, &t);
	tern_socket(t.net.a, TERN_AF_INET, TERN_SOCK_STREAM, 0, &t.client);
	if (tern_setsockopt(t.net.a, t.client, TERN_IPPROTO_TCP, TERN_TCP_CONGESTION, algorithm,
			    strlen(algorithm)) != 0)
		return 0;
	tern_connect(t.net.a, t.client, &at);
	tern_sim_run(t.net.sim, 120 * TERN_SEC);
	tern_sim_free(t.net.sim);
	return t.done_at;
}

int main(void)
{
	tern_time steady = time_of("steady"), cubic = time_of("cubic");
	/* what is lost goes again, and the end is repaired at the pace of round trips */
	tern_time most = (tern_time)BYTES * TERN_SEC / RATE * 3 / 2;

	printf("a megabyte: %.1f s by steady, %.1f s by cubic\n", (double)steady / TERN_SEC,
	       (double)cubic / TERN_SEC);
	return steady && cubic && steady < most && steady < cubic ? 0 : 1;
}
