/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * goodput.c - what do streams get from a link, and what does it cost?
 *
 *	tern_goodput [--full]
 *
 * One host sends, one receives; one link with the row's weather is between them. Flows begin about
 * 10 ms apart and always have something to send; what arrives is read at once. Figures are of a
 * span that begins when slow start is over. Virtual time, fixed seeds, integers: the same on each
 * machine.
 *
 * Faults are of the data's direction; ACKs meet the same delay, rate and queue. A burst of k begins
 * with probability 1/(100 k) at each frame and lasts as long as the link takes for k full ones: of
 * a busy link's time about 1 % for any k. The queue is in percent of rate x RTT, ten packets at
 * least. "share" is goodput in per mille of what full segments would fill, 1448 bytes of each 1500;
 * "rtx" and "rto" are segments sent again and time-outs; "delay" is how long frames waited in the
 * queue, in milliseconds, on average and at most; "jain" is Jain's index in per mille, "reno" or
 * "bbr" those flows' part of the goodput, "20th" the share of the twentieth round trip (without a
 * queue), the SYN's being the first. Of several seeds, rtx and rto are sums, max and least
 * extremes, the rest means. A row of ECN ends with the mode and the delay from which on the link
 * marks. BBR has a table of its own, below the other.
 *
 * Left out as too costly: 10 Gbit/s x 300 ms, whose window the largest buffer does not hold either.
 * The full table takes about three minutes of one core, the rows with a star, which are all that
 * is printed without --full, about thirty seconds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../include/tern_sim.h"
#include "goodput_cells.h"

enum {
	MTU = 1500,
	SEGMENT = 1448, /* 20 of IP, 20 of TCP, 12 of timestamps */
	FLOWS_MAX = 64,
	QUEUE_MIN = 10 * MTU,
	PORT = 80,
	FIRST_PORT = 10000, /* of flow 0; the port says which flow it is */
	FRAMES = 1 << 20,   /* more than are ever on their way */
};

#define APART (10 * TERN_MS)
#define TWENTIETH 20U

/* How long a link of a rate is given to settle, and is then measured. */
static const struct {
	uint32_t mbit, settle_s, span_s;
} spans[] = { { 1, 20, 60 }, { 100, 10, 60 }, { 1000, 10, 10 }, { 10000, 3, 3 } };

struct flow {
	struct run *run;
	const char *cc;
	bool counted; /* in the last column */
	tern_sock sock;
	uint64_t n_read;
};

struct run {
	const struct cell *cell;
	struct tern_sim *sim;
	struct tern_stack *a, *b;
	int link;
	tern_sock listener;
	uint32_t n_flows;
	struct flow flow[FLOWS_MAX];
	tern_time burst_ends_at;
	uint64_t n_timeouts;
	/* how long frames waited */
	tern_time *sent_at; /* by number, modulo FRAMES */
	uint64_t newest, n_waits;
	tern_time waited, waited_max;
};

/* What a row shows; sums over seeds. */
struct figures {
	uint64_t kbit, rtx, rto, waited_us, jain, counted, twentieth;
	uint64_t waited_max_us, jain_least;
};

static uint32_t n_flows_of(const struct cell *c)
{
	uint32_t n = c->n_cubic + c->n_reno + c->n_bbr;

	return n ? n : 1;
}

static void need(bool so, const char *what)
{
	if (so)
		return;
	fprintf(stderr, "tern_goodput: %s\n", what);
	exit(2);
}

/* ---- the two ends ---- */

static void fill_send_buffer(struct run *r, tern_sock sock)
{
	struct tern_span span;

	while (tern_send_space(r->a, sock, &span, 1) == 1) {
		memset(span.ptr, 0x55, span.len);
		need(tern_send_commit(r->a, sock, span.len, 0) == 0, "a commit failed");
	}
}

static void keep_sending(void *ctx, int host, const struct tern_event *ev)
{
	(void)host;
	need(!(ev->ready & TERN_POLLERR), "a flow broke");
	if (ev->ready & TERN_POLLOUT)
		fill_send_buffer(ctx, ev->sock);
}

static void accept_flows(struct run *r)
{
	struct tern_addr peer;
	tern_sock sock;

	while (tern_accept(r->b, r->listener, &sock, &peer) == 0)
		tern_set_user(r->b, sock, &r->flow[peer.port - FIRST_PORT]);
}

static void read_flow(struct run *r, tern_sock sock, struct flow *f)
{
	struct tern_span span[8];
	size_t len;
	int n;

	while ((n = tern_recv_data(r->b, sock, span, 8)) > 0) {
		len = 0;
		for (int i = 0; i < n; i++)
			len += span[i].len;
		need(tern_recv_consume(r->b, sock, len) == 0, "a consume failed");
		f->n_read += len;
	}
}

static void keep_reading(void *ctx, int host, const struct tern_event *ev)
{
	struct run *r = ctx;

	(void)host;
	if (ev->sock == r->listener)
		accept_flows(r);
	else if (ev->user && (ev->ready & TERN_POLLIN))
		read_flow(r, ev->sock, ev->user);
}

static void open_flow(void *ctx)
{
	struct flow *f = ctx;
	struct run *r = f->run;
	uint16_t number = (uint16_t)(f - r->flow);
	struct tern_addr from = tern_ip4(10, 0, 0, 1, (uint16_t)(FIRST_PORT + number));
	struct tern_addr to = tern_ip4(10, 0, 0, 2, PORT);

	need(tern_socket(r->a, TERN_AF_INET, TERN_SOCK_STREAM, 0, &f->sock) == 0 &&
		     tern_setsockopt(r->a, f->sock, TERN_IPPROTO_TCP, TERN_TCP_CONGESTION, f->cc,
				     strlen(f->cc)) == 0 &&
		     tern_bind(r->a, f->sock, &from) == 0 &&
		     tern_connect(r->a, f->sock, &to) == -TERN_EINPROGRESS,
	     "a flow could not be opened");
}

/* ---- the link ---- */

static tern_time time_on_link(const struct cell *c, uint32_t len)
{
	return len * 8 * TERN_US / c->mbit;
}

static enum tern_sim_verdict lose_bursts(void *ctx, int from_host, const uint8_t *frame,
					 uint32_t len)
{
	struct run *r = ctx;
	uint32_t k = r->cell->burst;
	tern_time now = tern_sim_now(r->sim);

	(void)frame;
	(void)len;
	if (from_host != 0)
		return TERN_SIM_PASS;
	if (now < r->burst_ends_at)
		return TERN_SIM_LOSE;
	if (tern_sim_random(r->sim, 100 * (uint64_t)k) != 0)
		return TERN_SIM_PASS;
	r->burst_ends_at = now + k * time_on_link(r->cell, MTU);
	return TERN_SIM_LOSE;
}

/*
 * Counts time-outs, and how long frames wait: what exceeds propagation and transmission. A frame
 * that others overtook was held back on the way, which tells nothing of the queue.
 */
static void watch_run(void *ctx, const struct tern_sim_note *n)
{
	struct run *r = ctx;
	const struct cell *c = r->cell;
	tern_time least, took;

	if (n->what == TERN_SIM_TRACE && n->trace->kind == TERN_TRACE_TIMER && n->host == 0)
		r->n_timeouts += strcmp(n->trace->timer, "rto") == 0;
	if (n->what == TERN_SIM_FRAME_SENT && n->host == 0)
		r->sent_at[n->frame_id % FRAMES] = n->at;
	if (n->what != TERN_SIM_FRAME_DELIVERED || n->host == 0 || n->frame_id < r->newest)
		return;
	r->newest = n->frame_id;
	least = c->rtt_ms * TERN_MS / 2 + time_on_link(c, n->len);
	took = n->at - r->sent_at[n->frame_id % FRAMES];
	took = took > least ? took - least : 0;
	r->n_waits++;
	r->waited += took;
	r->waited_max = took > r->waited_max ? took : r->waited_max;
}

static uint64_t queue_bytes(const struct cell *c)
{
	uint64_t n = (uint64_t)c->mbit * 125 * c->rtt_ms * c->queue_percent / 100;

	return n > QUEUE_MIN ? n : QUEUE_MIN;
}

static struct tern_stack *add_end(struct run *r, uint8_t number)
{
	struct tern_iface wire = { .name = "wire0", .link = TERN_LINK_IP, .mtu = MTU };
	struct tern_addr addr = tern_ip4(10, 0, 0, number, 0);
	struct tern_config cfg;
	struct tern_stack *st;
	int host;

	tern_config_default(&cfg);
	if (r->cell->ecn)
		cfg.tcp_ecn = (uint8_t)r->cell->ecn;
	cfg.memory_max = (uint64_t)4 << 30; /* never what limits */
	host = tern_sim_host_add(r->sim, number == 1 ? "sender" : "receiver", &cfg);
	need(host >= 0, "no host");
	st = tern_sim_stack(r->sim, host);
	need(tern_sim_attach(r->sim, r->link, host, &wire) == 2 &&
		     tern_addr_add(st, 2, &addr, 24) == 0,
	     "no interface");
	return st;
}

static void build_world(struct run *r, uint64_t seed)
{
	const struct cell *c = r->cell;
	struct tern_weather weather = { .delay = c->rtt_ms * TERN_MS / 2,
					.rate_bps = (uint64_t)c->mbit * 1000000,
					.queue_bytes = queue_bytes(c) };

	r->sim = tern_sim_new(seed);
	need(r->sim != NULL, "no memory");
	r->link = tern_sim_link_add(r->sim, &weather);
	need(r->link >= 0, "no link");
	r->a = add_end(r, 1);
	r->b = add_end(r, 2);
	weather.loss_ppm = c->loss_ppm;
	weather.reorder_ppm = c->reorder_ppm;
	weather.mark_above = c->mark_ms * TERN_MS;
	tern_sim_weather(r->sim, r->link, 0, &weather);
	if (c->burst)
		tern_sim_filter(r->sim, r->link, lose_bursts, r);
	tern_sim_on_event(r->sim, 0, keep_sending, r);
	tern_sim_on_event(r->sim, 1, keep_reading, r);
	tern_sim_observe(r->sim, watch_run, r);
}

/* Of two kinds, every other flow is of the one that is counted. */
static const char *algorithm_of(const struct cell *c, uint32_t i)
{
	uint32_t n = c->n_bbr + c->n_reno;
	bool counted = c->n_cubic ? i % 2 && i / 2 < n : n;

	if (!counted)
		return "cubic";
	return c->n_bbr ? "bbr" : "reno";
}

static void start_flows(struct run *r)
{
	struct tern_addr local = tern_ip4(10, 0, 0, 2, PORT);
	tern_time at;

	need(tern_socket(r->b, TERN_AF_INET, TERN_SOCK_STREAM, 0, &r->listener) == 0 &&
		     tern_bind(r->b, r->listener, &local) == 0 &&
		     tern_listen(r->b, r->listener, FLOWS_MAX) == 0,
	     "no listener");
	for (uint32_t i = 0; i < r->n_flows; i++) {
		const char *cc = algorithm_of(r->cell, i);

		r->flow[i] = (struct flow){ .run = r, .cc = cc, .counted = strcmp(cc, "cubic") };
		at = i ? i * APART + tern_sim_random(r->sim, APART) : 0;
		need(tern_sim_at(r->sim, at, open_flow, &r->flow[i]) == 0, "no memory");
	}
}

/* ---- measuring ---- */

static uint64_t read_so_far(const struct run *r)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < r->n_flows; i++)
		n += r->flow[i].n_read;
	return n;
}

/* Bytes in a time as per mille of what the link carries in full segments. */
static uint64_t share_of_link(const struct cell *c, uint64_t kbit)
{
	return kbit * MTU / SEGMENT / c->mbit;
}

static uint64_t kbit_per_second(uint64_t bytes, uint64_t ms)
{
	return bytes * 8 / ms;
}

/* Where it is of interest, and nothing arrives out of order that would count later. */
static bool has_twentieth(const struct cell *c)
{
	bool is_faultless = !c->loss_ppm && !c->burst && !c->reorder_ppm;

	return c->mbit >= 1000 && is_faultless && n_flows_of(c) <= 1;
}

static void measure_twentieth(struct run *r, struct figures *f)
{
	tern_time rtt = r->cell->rtt_ms * TERN_MS;
	uint64_t before;

	tern_sim_run(r->sim, (TWENTIETH - 1) * rtt);
	before = read_so_far(r);
	tern_sim_run(r->sim, TWENTIETH * rtt);
	f->twentieth +=
		share_of_link(r->cell, kbit_per_second(read_so_far(r) - before, r->cell->rtt_ms));
}

/* The flows' goodput in kbit/s from what they had read before. */
static void compare_flows(const struct run *r, const uint64_t *before, uint64_t ms,
			  struct figures *f)
{
	uint64_t sum = 0, squares = 0, counted = 0, jain;

	for (uint32_t i = 0; i < r->n_flows; i++) {
		uint64_t x = kbit_per_second(r->flow[i].n_read - before[i], ms);

		sum += x;
		squares += x * x;
		counted += r->flow[i].counted ? x : 0;
	}
	need(sum > 0, "nothing arrived");
	jain = sum * sum / r->n_flows * 1000 / squares;
	f->kbit += sum;
	f->jain += jain;
	f->jain_least = jain < f->jain_least ? jain : f->jain_least;
	f->counted += counted * 1000 / sum;
}

static void measure_span(struct run *r, struct figures *f)
{
	uint64_t before[FLOWS_MAX], rtx, rto, waited_max_us;
	unsigned s = 0;

	while (spans[s].mbit < r->cell->mbit)
		s++;
	tern_sim_run(r->sim, spans[s].settle_s * TERN_SEC);
	for (uint32_t i = 0; i < r->n_flows; i++)
		before[i] = r->flow[i].n_read;
	rtx = tern_counter(r->a, "TcpRetransSegs");
	rto = r->n_timeouts;
	r->n_waits = r->waited = r->waited_max = 0;
	tern_sim_run(r->sim, (spans[s].settle_s + spans[s].span_s) * TERN_SEC);
	compare_flows(r, before, spans[s].span_s * (uint64_t)1000, f);
	f->rtx += tern_counter(r->a, "TcpRetransSegs") - rtx;
	f->rto += r->n_timeouts - rto;
	f->waited_us += r->n_waits ? r->waited / r->n_waits / TERN_US : 0;
	waited_max_us = r->waited_max / TERN_US;
	f->waited_max_us = waited_max_us > f->waited_max_us ? waited_max_us : f->waited_max_us;
}

static void run_cell(const struct cell *c, uint64_t seed, struct figures *f)
{
	struct run *r = calloc(1, sizeof(*r));

	need(r != NULL, "no memory");
	r->cell = c;
	r->n_flows = n_flows_of(c);
	need(r->n_flows <= FLOWS_MAX, "too many flows");
	r->sent_at = calloc(FRAMES, sizeof(*r->sent_at));
	need(r->sent_at != NULL, "no memory");
	build_world(r, seed);
	start_flows(r);
	if (has_twentieth(c))
		measure_twentieth(r, f);
	measure_span(r, f);
	tern_sim_check(r->sim);
	tern_sim_free(r->sim);
	free(r->sent_at);
	free(r);
}

/* ---- the table ---- */

static void print_head(const char *counted)
{
	printf("  Mbit/s  rtt queue  loss%% burst reord%% cubic %4s"
	       "   goodput share     rtx  rto   delay     max  20th  jain least  %4s\n",
	       counted, counted);
}

/* Per mille, or a dash where the row has none. */
static void print_if(bool has, int width, uint64_t value)
{
	if (has)
		printf("%*llu", width, (unsigned long long)value);
	else
		printf("%*s", width, "-");
}

/* Thousandths with four digits that count, in a field of ten. */
static void print_thousandths(uint64_t n)
{
	unsigned long long whole = n / 1000, rest = n % 1000;

	if (whole < 10)
		printf("%6llu.%03llu", whole, rest);
	else if (whole < 100)
		printf("%7llu.%02llu", whole, rest / 10);
	else if (whole < 1000)
		printf("%8llu.%01llu", whole, rest / 100);
	else
		printf("%10llu", whole);
}

static void print_row(const struct cell *c, const struct figures *f)
{
	uint32_t n_seeds = c->n_seeds ? c->n_seeds : 1;
	uint32_t n_counted = c->n_reno + c->n_bbr, n_cubic = n_flows_of(c) - n_counted;
	uint64_t waited_us = f->waited_us / n_seeds;

	printf("%c %6u %4u %5u %3u.%02u %5u %4u.%01u %5u %4u", c->quick ? '*' : ' ', c->mbit,
	       c->rtt_ms, c->queue_percent, c->loss_ppm / 10000, c->loss_ppm % 10000 / 100,
	       c->burst, c->reorder_ppm / 10000, c->reorder_ppm % 10000 / 1000, n_cubic, n_counted);
	print_thousandths(f->kbit / n_seeds);
	printf(" %5llu %7llu %4llu", (unsigned long long)share_of_link(c, f->kbit / n_seeds),
	       (unsigned long long)f->rtx, (unsigned long long)f->rto);
	printf(" %4llu.%02llu %4llu.%02llu", (unsigned long long)(waited_us / 1000),
	       (unsigned long long)(waited_us % 1000 / 10),
	       (unsigned long long)(f->waited_max_us / 1000),
	       (unsigned long long)(f->waited_max_us % 1000 / 10));
	print_if(has_twentieth(c), 6, f->twentieth / n_seeds);
	print_if(n_flows_of(c) > 1, 6, f->jain / n_seeds);
	print_if(n_flows_of(c) > 1, 6, f->jain_least);
	print_if(n_counted > 0, 6, f->counted / n_seeds);
	if (c->ecn)
		printf("  %s %u ms", c->ecn == 1 ? "ecn" : "accecn", c->mark_ms);
	printf("\n");
	fflush(stdout);
}

static void run_table(const struct cell *c, size_t n, bool full)
{
	for (; n > 0; n--, c++) {
		struct figures f = { .jain_least = 1000 };

		if (!full && !c->quick)
			continue;
		for (uint32_t seed = 1; seed <= (c->n_seeds ? c->n_seeds : 1); seed++)
			run_cell(c, seed, &f);
		print_row(c, &f);
	}
}

int main(int argc, char **argv)
{
	bool full = argc == 2 && strcmp(argv[1], "--full") == 0;

	if (argc != 1 && !full) {
		fprintf(stderr, "usage: tern_goodput [--full]\n");
		return 2;
	}
	print_head("reno");
	run_table(cells, sizeof(cells) / sizeof(cells[0]), full);
	printf("\n");
	print_head("bbr");
	run_table(bbr_cells, sizeof(bbr_cells) / sizeof(bbr_cells[0]), full);
	return 0;
}
