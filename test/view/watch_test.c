/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * watch_test.c - tern_view.h as its users call it: simulations and stacks by hand become pictures.
 */
#include <stdlib.h>
#include <string.h>

#include "../../core/wire/wire.h"
#include "../../include/tern_sim.h"
#include "../../view/watch.h"
#include "test.h"

enum { CARD = 2, PORT = 7 };

/* What is written, as one string to be freed; NULL: it could not be written. */
static char *written(const struct tern_view *v, enum tern_view_format format, unsigned flags)
{
	FILE *f = tmpfile();
	char *text = NULL;
	long len;

	if (f && tern_view_write(v, f, format, flags) && (len = ftell(f)) >= 0 &&
	    (text = calloc(1, (size_t)len + 1))) {
		rewind(f);
		check_eq(fread(text, 1, (size_t)len, f), len);
	}
	if (f)
		fclose(f);
	return text;
}

static void check_says(const struct tern_view *v, unsigned flags, const char *word)
{
	char *text = written(v, TERN_VIEW_TEXT, flags);

	check(text && strstr(text, word) != NULL);
	free(text);
}

/* ---- a simulation ---- */

static void open_and_close(struct tern_stack *from, struct tern_stack *to, struct tern_sim *sim,
			   const struct tern_addr *at)
{
	tern_sock listener, client, server;

	check_eq(tern_socket(to, TERN_AF_INET, TERN_SOCK_STREAM, 0, &listener), 0);
	check_eq(tern_bind(to, listener, at), 0);
	check_eq(tern_listen(to, listener, 1), 0);
	check_eq(tern_socket(from, TERN_AF_INET, TERN_SOCK_STREAM, 0, &client), 0);
	check_eq(tern_connect(from, client, at), -TERN_EINPROGRESS);
	tern_sim_run(sim, tern_sim_now(sim) + TERN_SEC);
	check_eq(tern_accept(to, listener, &server, NULL), 0);
	tern_close(from, client);
	tern_sim_run(sim, tern_sim_now(sim) + TERN_SEC);
	tern_close(to, server);
	tern_sim_run(sim, tern_sim_now(sim) + TERN_SEC);
	tern_close(to, listener);
}

static struct tern_view *watched_pair(struct tern_sim_pair *p, int link_kind)
{
	struct tern_weather weather = { .delay = 10 * TERN_MS };
	struct tern_view *v = tern_view_new(0);

	check_eq(tern_sim_pair(p, 3, TERN_AF_INET, link_kind, 1500, &weather), 0);
	tern_view_name(v, 0, "left");
	tern_view_name(v, 1, "right");
	tern_view_name(v, -1, "nobody");
	tern_view_name(v, 256, "nobody");
	tern_sim_observe(p->sim, tern_view_note, v);
	return v;
}

static void a_simulation_is_drawn(void)
{
	static const int kinds[] = { TERN_LINK_ETHERNET, TERN_LINK_IP };

	for (unsigned k = 0; k < 2; k++) {
		struct tern_sim_pair p;
		struct tern_view *v = watched_pair(&p, kinds[k]);
		struct tern_addr at = p.addr_b;

		at.port = PORT;
		open_and_close(p.a, p.b, p.sim, &at);
		check_says(v, 0, "left, active");
		check_says(v, 0, "right, passive");
		check_says(v, 0, "left opened, left closed");
		tern_sim_free(p.sim);
		tern_view_free(v);
	}
}

/* Over lo, too, where no link numbers frames: two hosts that both talk to themselves. */
static void what_goes_over_lo_is_drawn(void)
{
	struct tern_sim_pair p;
	struct tern_view *v = watched_pair(&p, TERN_LINK_IP);
	struct tern_addr self = tern_ip4(127, 0, 0, 1, PORT), at = p.addr_b;
	char *text;

	open_and_close(p.a, p.a, p.sim, &self);
	open_and_close(p.b, p.b, p.sim, &self);
	at.port = PORT;
	open_and_close(p.a, p.b, p.sim, &at);
	text = written(v, TERN_VIEW_TEXT, 0);
	check(strstr(text, "left opened, left closed") != NULL);
	check(strstr(text, "right opened, right closed") != NULL);
	check(strstr(text, "127.0.0.1:7") != NULL && strstr(text, "10.0.0.2:7") != NULL);
	free(text);
	tern_sim_free(p.sim);
	tern_view_free(v);
}

static void every_format_is_written(void)
{
	static const char *const begins[] = {
		[TERN_VIEW_SVG] = "<svg",
		[TERN_VIEW_HTML] = "<!DOCTYPE html",
		[TERN_VIEW_MERMAID] = "sequenceDiagram",
		[TERN_VIEW_JSON] = "{",
		[TERN_VIEW_PCAPNG] = "\n\r\r\n",
	};
	struct tern_sim_pair p;
	struct tern_view *v = watched_pair(&p, TERN_LINK_ETHERNET);
	struct tern_weather cut = { .down = true };
	struct tern_addr at = p.addr_b;
	char *text;
	FILE *full;
	tern_sock s;

	at.port = PORT;
	open_and_close(p.a, p.b, p.sim, &at);
	tern_sim_weather(p.sim, p.link, -1, &cut);
	tern_socket(p.a, TERN_AF_INET, TERN_SOCK_STREAM, 0, &s);
	tern_connect(p.a, s, &at);
	for (int f = TERN_VIEW_SVG; f <= TERN_VIEW_PCAPNG; f++) {
		text = written(v, (enum tern_view_format)f, 0);
		check(text && strncmp(text, begins[f], strlen(begins[f])) == 0);
		free(text);
	}
	tern_sim_run(p.sim, 70 * TERN_SEC); /* its SYN is lost */
	text = written(v, TERN_VIEW_TEXT, 0);
	check(!strstr(text, "(timer: rto)"));
	free(text);
	check_says(v, TERN_VIEW_FULL, "(timer: rto)");
	full = fopen("/dev/full", "w");
	if (full) {
		check(!tern_view_write(v, full, TERN_VIEW_TEXT, 0));
		fclose(full);
	}
	tern_sim_free(p.sim);
	tern_view_free(v);
	tern_view_free(NULL);
}

static void names_are_made_harmless(void)
{
	struct tern_sim_pair p;
	struct tern_view *v = watched_pair(&p, TERN_LINK_IP);
	struct tern_addr at = p.addr_b;

	tern_view_name(v, 0, "a\033[2J\n");
	tern_view_name(v, 1,
		       "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\303\251"); /* 30, and one of two bytes */
	at.port = PORT;
	open_and_close(p.a, p.b, p.sim, &at);
	check_says(v, 0, "a?[2J?, active");
	check_says(v, 0, " aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, passive");
	tern_sim_free(p.sim);
	tern_view_free(v);
}

/* The 257th host is not drawn, and does no harm. */
static void so_many_hosts_as_are_drawn(void)
{
	struct tern_view *v = tern_view_new(0);
	struct tern_sim *sim = tern_sim_new(1);
	struct tern_addr self = tern_ip4(127, 0, 0, 1, PORT);
	int last = 0;

	tern_sim_observe(sim, tern_view_note, v);
	while (last < 256)
		last = tern_sim_host_add(sim, "h", NULL);
	open_and_close(tern_sim_stack(sim, 256), tern_sim_stack(sim, 256), sim, &self);
	check_says(v, 0, "");
	open_and_close(tern_sim_stack(sim, 255), tern_sim_stack(sim, 255), sim, &self);
	check_says(v, 0, "127.0.0.1:7");
	tern_sim_free(sim);
	tern_view_free(v);
}

/* The checksums are there that the device makes. */
static void check_sums(const struct tern_view *v)
{
	const struct view *events = v->events;
	unsigned n = 0;

	for (size_t i = 0; i < events->n_events; i++) {
		const struct view_event *e = &events->event[i];
		struct addr src, dst;

		if (e->kind != VIEW_SENT)
			continue;
		check_eq(e->kept, e->len);
		src = addr_from4(e->bytes + 12);
		dst = addr_from4(e->bytes + 16);
		n++;
		check_eq(checksum_finish(checksum_add(
				 e->bytes + 20, e->len - 20,
				 checksum_pseudo(&src, &dst, TERN_IPPROTO_TCP, e->len - 20))),
			 0);
	}
	check(n > 4);
}

/* Super-frames have no checksum on their simulated wire; in a capture they have. */
static void super_frames_are_complete(void)
{
	static const char bytes[30000];
	struct tern_iface card = {
		"card", TERN_LINK_IP, 1500, TERN_IFACE_CSUM | TERN_IFACE_TSO4, { 0 }
	};
	struct tern_weather calm = { .delay = TERN_MS };
	struct tern_sim *sim = tern_sim_new(1);
	struct tern_view *v = tern_view_new(0);
	struct tern_stack *st[2];
	tern_sock listener, s;
	struct tern_addr at = { .family = 0 };
	int link = tern_sim_link_add(sim, &calm);

	tern_sim_observe(sim, tern_view_note, v);
	for (int i = 0; i < 2; i++) {
		int host = tern_sim_host_add(sim, i ? "b" : "a", NULL);

		at = tern_ip4(192, 0, 2, (uint8_t)(1 + i), PORT);
		st[i] = tern_sim_stack(sim, host);
		check_eq(tern_sim_attach(sim, link, host, &card), CARD);
		check_eq(tern_addr_add(st[i], CARD, &at, 24), 0);
	}
	check_eq(tern_socket(st[1], TERN_AF_INET, TERN_SOCK_STREAM, 0, &listener), 0);
	check_eq(tern_bind(st[1], listener, &at), 0);
	check_eq(tern_listen(st[1], listener, 1), 0);
	check_eq(tern_socket(st[0], TERN_AF_INET, TERN_SOCK_STREAM, 0, &s), 0);
	check_eq(tern_connect(st[0], s, &at), -TERN_EINPROGRESS);
	tern_sim_run(sim, TERN_SEC);
	check_eq(tern_send(st[0], s, bytes, sizeof(bytes), 0), sizeof(bytes));
	tern_sim_run(sim, 2 * TERN_SEC);
	check_says(v, TERN_VIEW_FULL, "len=14480");
	check_sums(v);
	tern_sim_free(sim);
	tern_view_free(v);
}

/* ---- a stack, by its trace hook ---- */

struct traced {
	struct test_env memory;
	struct tern_stack *st;
	struct tern_view *view;
};

static void hook(void *ctx, const struct tern_trace *t)
{
	struct traced *h = ctx;

	tern_view_trace(h->view, h->st, t);
}

static void *take(void *ctx, size_t size)
{
	(void)ctx;
	return malloc(size);
}

static void give(void *ctx, void *p, size_t size)
{
	(void)ctx, (void)size;
	free(p);
}

/* Its device makes checksums: what the stack hands over has none. */
static struct tern_stack *traced_stack(struct traced *h, uint8_t last)
{
	struct tern_env env = { .alloc = take, .free = give, .trace = hook, .ctx = h };
	struct tern_iface card = { "card", TERN_LINK_IP, 1500, TERN_IFACE_CSUM, { 0 } };
	struct tern_addr addr = tern_ip4(192, 0, 2, last, 0);
	struct tern_config cfg;

	env.seed[0] = last;
	tern_config_default(&cfg);
	h->st = tern_new(&cfg, &env);
	check_eq(tern_iface_add(h->st, &card), CARD);
	check_eq(tern_addr_add(h->st, CARD, &addr, 24), 0);
	return h->st;
}

static void carry(struct tern_stack *from, struct tern_stack *to)
{
	struct tern_pkt *p, *copy;

	while ((p = tern_output(from, CARD))) {
		tern_pkt_complete(from, p);
		copy = tern_pkt_new(to, p->total_len);
		tern_pkt_copy(p, 0, copy->data, p->total_len);
		copy->ifindex = CARD;
		tern_pkt_free(from, p);
		tern_input(to, copy);
	}
}

static void exchange(struct traced *a, struct traced *b)
{
	for (int i = 0; i < 8; i++) {
		carry(a->st, b->st);
		carry(b->st, a->st);
	}
}

static void a_stack_is_drawn(void)
{
	struct traced a = { .view = tern_view_new(0) }, b = { .view = tern_view_new(0) };
	struct tern_addr at = tern_ip4(192, 0, 2, 2, PORT), self = tern_ip4(127, 0, 0, 1, PORT);
	tern_sock listener, client, server, own;

	traced_stack(&a, 1);
	traced_stack(&b, 2);
	tern_advance(a.st, 77 * TERN_SEC);
	tern_view_name(a.view, 0, "us");
	tern_socket(b.st, TERN_AF_INET, TERN_SOCK_STREAM, 0, &listener);
	tern_bind(b.st, listener, &at);
	tern_listen(b.st, listener, 1);
	tern_socket(a.st, TERN_AF_INET, TERN_SOCK_STREAM, 0, &client);
	check_eq(tern_connect(a.st, client, &at), -TERN_EINPROGRESS);
	tern_socket(a.st, TERN_AF_INET, TERN_SOCK_DGRAM, 0, &own);
	check_eq(tern_sendto(a.st, own, "me", 2, 0, &self), 2); /* over lo: not of the device */
	exchange(&a, &b);
	check_eq(tern_accept(b.st, listener, &server, NULL), 0);
	check_eq(tern_send(a.st, client, "hello", 5, 0), 5);
	exchange(&a, &b);
	tern_close(a.st, client);
	tern_close(b.st, server);
	exchange(&a, &b);
	check_says(a.view, 0, "us, active");
	check_says(a.view, 0, "FIN-WAIT-1");
	check_says(a.view, 0, "len=5");
	check_says(a.view, 0, "   0.000000");
	check_says(b.view, 0, "passive");
	check_sums(a.view);
	tern_free(a.st);
	tern_free(b.st);
	tern_view_free(a.view);
	tern_view_free(b.view);
}

/* A frame over lo that is lost inside the stack does not take the next ones' arrival. */
static void what_is_lost_over_lo_is_lost_alone(void)
{
	static const char bytes[20000];
	struct tern_addr at = tern_ip4(127, 0, 0, 1, PORT), to = tern_ip4(127, 0, 0, 1, 99);
	struct tern_sim *sim = tern_sim_new(1);
	struct tern_view *v = tern_view_new(0);
	struct tern_config cfg;
	struct tern_stack *st;
	tern_sock from, full;
	char *text;

	tern_config_default(&cfg);
	cfg.memory_max = 150000;
	check_eq(tern_sim_host_add(sim, "a", &cfg), 0);
	st = tern_sim_stack(sim, 0);
	tern_sim_observe(sim, tern_view_note, v);
	check_eq(tern_socket(st, TERN_AF_INET, TERN_SOCK_DGRAM, 0, &from), 0);
	check_eq(tern_socket(st, TERN_AF_INET, TERN_SOCK_DGRAM, 0, &full), 0);
	check_eq(tern_bind(st, full, &to), 0);
	for (int i = 0; i < 300; i++) {
		tern_sendto(st, from, bytes, (size_t)(100 + i % 7 * 3000), 0, &to);
		if (i % 9 == 0)
			tern_sim_run(sim, tern_sim_now(sim) + TERN_MS);
	}
	tern_close(st, from);
	tern_close(st, full);
	tern_sim_run(sim, tern_sim_now(sim) + TERN_SEC);
	open_and_close(st, st, sim, &at);
	text = written(v, TERN_VIEW_TEXT, 0);
	text = text ? text : calloc(1, 1);
	check(strstr(text, "127.0.0.1:7 ") || strstr(text, "127.0.0.1:7\n"));
	/* all of the connection has arrived */
	check(strstr(text, "SYN-SENT") && !strstr(strstr(text, "SYN-SENT"), "not seen to arrive"));
	free(text);
	tern_sim_free(sim);
	tern_view_free(v);
}

static const struct test tests[] = {
	TEST(what_is_lost_over_lo_is_lost_alone), TEST(a_simulation_is_drawn),
	TEST(what_goes_over_lo_is_drawn),	  TEST(every_format_is_written),
	TEST(so_many_hosts_as_are_drawn),	  TEST(names_are_made_harmless),
	TEST(super_frames_are_complete),	  TEST(a_stack_is_drawn),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
