/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * record_test.c - what a recorder writes of a running stack reads back: the same packets, in order,
 * with their directions, bytes and causes; and a file that cannot be written is told.
 */
#include "pair_fixture.h"

#include "../../host/loop/record.h"
#include "../../view/pcapng.h"

enum { SEEN_MAX = 4000 };

/* The packets as the stack's own trace told them. */
struct seen {
	uint32_t len;
	uint8_t head[40];
	bool out;
	const char *cause;
};
struct witness {
	struct recorder r;
	struct seen seen[SEEN_MAX];
	unsigned n;
};
static struct witness w;

static void trace(void *ctx, const struct tern_trace *t)
{
	struct witness *v = ctx;

	recorder_trace(&v->r, t);
	if ((t->kind == TERN_TRACE_PACKET_IN || t->kind == TERN_TRACE_PACKET_OUT) &&
	    t->pkt->ifindex != 1 && v->n < SEEN_MAX) {
		struct seen *s = &v->seen[v->n++];

		s->len = t->pkt->total_len;
		s->out = t->kind == TERN_TRACE_PACKET_OUT;
		s->cause = t->cause ? tern_cause_name((enum tern_cause)t->cause) : NULL;
		tern_pkt_copy(t->pkt, 0, s->head, sizeof(s->head));
	}
}

/* A stream of 20 kB over a wire in the process; its sender is recorded. */
static void run_and_record(FILE *f, bool with_view)
{
	struct dev_wish wish = { .no_offload = true };
	struct dev *end[2];
	struct pair p = { .sent = 0 };
	struct tern_config cfg;

	memset(&w, 0, sizeof(w));
	check(recorder_init(&w.r, f, with_view));
	check(pipe_open(end, &wish));
	tern_config_default(&cfg);
	loop_init(&p.l);
	p.st[0] = loop_new_stack(&p.l, &cfg, trace, &w);
	p.st[1] = loop_new_stack(&p.l, &cfg, NULL, NULL);
	for (int i = 0; i < 2; i++) {
		p.ifindex[i] = loop_add(&p.l, p.st[i], end[i]);
		pair_addresses(&p, i);
	}
	recorder_note_link(&w.r, (unsigned)p.ifindex[0], TERN_LINK_IP);
	pair_connect(&p, false);
	pair_transfer(&p, 20000);
	tern_close(p.st[0], p.s[0]);
	pair_turn(&p, loop_now());
	pair_close(&p);
}

static void the_capture_holds_what_was_seen(void)
{
	FILE *f = tmpfile();
	const char *why = NULL;
	struct view *v;
	unsigned n = 0;

	run_and_record(f, false);
	check(!w.r.failed);
	check(w.n > 10);
	rewind(f);
	v = pcapng_read(f, &why);
	check(v != NULL);
	for (size_t i = 0; v && i < v->n_events; i++) {
		const struct view_event *e = &v->event[i];
		const struct seen *s = &w.seen[n];

		if (e->kind != VIEW_SENT)
			continue;
		test_at("packet %u", n);
		check(n < w.n);
		check_eq(e->len, s->len);
		check(e->raw_ip);
		check(e->kept >= sizeof(s->head));
		check_mem(e->bytes, s->head, sizeof(s->head));
		n++;
	}
	check_eq(n, w.n);
	view_free(v);
	recorder_fini(&w.r);
	fclose(f);
}

static uint32_t word(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* Block after block, as the format's text has it: lengths twice, options ended, directions. */
static void the_file_is_made_of_whole_blocks(void)
{
	static uint8_t b[400000];
	FILE *f = tmpfile();
	size_t size, at = 0;
	unsigned n_packets = 0, n_interfaces = 0;

	run_and_record(f, false);
	rewind(f);
	size = fread(b, 1, sizeof(b), f);
	check(size > 0 && size < sizeof(b));
	while (at + 12 <= size) {
		uint32_t type = word(b + at), len = word(b + at + 4);

		test_at("block at %zu", at);
		check(len % 4 == 0 && len >= 12 && at + len <= size);
		if (len % 4 || len < 12 || at + len > size)
			break;
		check_eq(word(b + at + len - 4), len);
		n_interfaces += type == 1;
		if (type == 6) {
			uint32_t kept = (word(b + at + 20) + 3) & ~3u;
			const uint8_t *options = b + at + 28 + kept;

			check_eq(n_interfaces, 1);
			check_eq(word(options), 2 | 4 << 16); /* epb_flags */
			check_eq(word(options + 4), w.seen[n_packets].out ? 2 : 1);
			n_packets++;
		}
		at += len;
	}
	check_eq(at, size);
	check_eq(n_packets, w.n);
	recorder_fini(&w.r);
	fclose(f);
}

static void the_view_holds_the_same(void)
{
	unsigned n_sent = 0, n_delivered = 0, n_states = 0;

	run_and_record(NULL, true);
	check(w.r.view != NULL);
	for (size_t i = 0; i < w.r.view->n_events; i++) {
		n_sent += w.r.view->event[i].kind == VIEW_SENT;
		n_delivered += w.r.view->event[i].kind == VIEW_DELIVERED;
		n_states += w.r.view->event[i].kind == VIEW_STATE;
	}
	check_eq(n_sent, w.n);
	check_eq(n_delivered, w.n);
	check(n_states >= 3);
	check(!w.r.full);
	recorder_fini(&w.r);
}

static void a_full_disk_is_told(void)
{
	FILE *f = fopen("/dev/full", "wb");

	check(f != NULL);
	setvbuf(f, NULL, _IONBF, 0);
	run_and_record(f, false);
	check(w.r.failed);
	recorder_fini(&w.r);
	fclose(f);
}

/* What has no link that it was told of, or a number beyond its table, is left out. */
static void unknown_interfaces_are_left_out(void)
{
	struct tern_pkt p = { .data = (uint8_t[1]){ 0 }, .len = 1, .total_len = 1 };
	struct tern_trace t = { .kind = TERN_TRACE_PACKET_IN, .pkt = &p };
	static const uint16_t indices[] = { 0, 1, 2, 63, 64, 65535 };

	check(recorder_init(&w.r, NULL, true));
	recorder_note_link(&w.r, 64, TERN_LINK_IP);
	recorder_note_link(&w.r, 1000000, TERN_LINK_IP);
	for (size_t i = 0; i < N_TESTS(indices); i++) {
		p.ifindex = indices[i];
		t.at = w.r.begun + i;
		recorder_trace(&w.r, &t);
	}
	check_eq(w.r.view->n_events, 0);
	recorder_note_link(&w.r, 63, TERN_LINK_IP);
	p.ifindex = 63;
	recorder_trace(&w.r, &t);
	check_eq(w.r.view->n_events, 2);
	recorder_fini(&w.r);
}

static const struct test tests[] = {
	TEST(the_capture_holds_what_was_seen), TEST(the_file_is_made_of_whole_blocks),
	TEST(the_view_holds_the_same),	       TEST(a_full_disk_is_told),
	TEST(unknown_interfaces_are_left_out),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
