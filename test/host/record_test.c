/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * record_test.c - what a recorder writes of a running stack reads back: the same packets, in order,
 * with their directions, bytes and causes; and a file that cannot be written is told.
 */
#include "pair_fixture.h"

#include "../../core/wire/wire.h"
#include "../../host/loop/record.h"
#include "../../view/flow.h"
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
	struct tern_stack *st;
	struct seen seen[SEEN_MAX];
	unsigned n;
};
static struct witness w;

static void trace(void *ctx, const struct tern_trace *t)
{
	static uint8_t whole[70000];
	struct witness *v = ctx;

	recorder_trace(&v->r, t);
	if ((t->kind == TERN_TRACE_PACKET_IN || t->kind == TERN_TRACE_PACKET_OUT) &&
	    t->pkt->ifindex != 1 && v->n < SEEN_MAX) {
		struct seen *s = &v->seen[v->n++];

		s->len = t->pkt->total_len;
		s->out = t->kind == TERN_TRACE_PACKET_OUT;
		s->cause = t->cause ? tern_cause_name((enum tern_cause)t->cause) : NULL;
		if (t->pkt->gso_size) {
			tern_pkt_copy(t->pkt, 0, s->head, sizeof(s->head));
			return;
		}
		tern_pkt_emit(v->st, t->pkt, whole); /* as it goes on the wire */
		memcpy(s->head, whole, sizeof(s->head));
	}
}

/* Two hosts at the ends of a wire; the first is recorded. */
static void open_recorded(struct pair *p, struct dev *const end[2])
{
	struct tern_config cfg;

	tern_config_default(&cfg);
	loop_init(&p->l);
	p->st[0] = w.st = loop_new_stack(&p->l, &cfg, trace, &w);
	p->st[1] = loop_new_stack(&p->l, &cfg, NULL, NULL);
	for (int i = 0; i < 2; i++) {
		p->ifindex[i] = loop_add(&p->l, p->st[i], end[i]);
		pair_addresses(p, i);
	}
	recorder_note_link(&w.r, (unsigned)p->ifindex[0], TERN_LINK_IP);
}

/* A stream of 20 kB over a wire in the process; its sender is recorded. */
static void run_and_record_over(FILE *f, bool with_view, bool no_offload)
{
	struct dev_wish wish = { .no_offload = no_offload };
	struct dev *end[2];
	struct pair p = { .sent = 0 };

	memset(&w, 0, sizeof(w));
	check(recorder_init(&w.r, f, with_view));
	check(pipe_open(end, &wish));
	open_recorded(&p, end);
	pair_connect(&p, false);
	pair_transfer(&p, 20000);
	tern_close(p.st[0], p.s[0]);
	pair_turn(&p, loop_now());
	pair_close(&p);
}

static void run_and_record(FILE *f, bool with_view)
{
	run_and_record_over(f, with_view, true);
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

static bool checksum_is_right(const uint8_t *packet, uint32_t len)
{
	struct addr src = addr_from4(packet + 12), dst = addr_from4(packet + 16);
	uint32_t n = len - IP4_HDR_LEN;
	uint32_t sum = checksum_pseudo(&src, &dst, TERN_IPPROTO_TCP, n);

	return checksum_finish(checksum_add(packet + IP4_HDR_LEN, n, sum)) == 0;
}

/* Of a device that completes them, and of super-frames, too: the capture has them complete. */
static void checksums_are_complete(void)
{
	static uint8_t b[400000];

	for (int no_offload = 0; no_offload < 2; no_offload++) {
		FILE *f = tmpfile();
		size_t size;

		run_and_record_over(f, false, no_offload);
		rewind(f);
		size = fread(b, 1, sizeof(b), f);
		for (size_t at = 0; at + 12 <= size; at += word(b + at + 4)) {
			test_at("block at %zu", at);
			check(word(b + at) != 6 ||
			      checksum_is_right(b + at + 28, word(b + at + 20)));
		}
		recorder_fini(&w.r);
		fclose(f);
	}
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

/* ---- weather ---- */

/* A stream over a wire with weather both ways; known: the recorder watches it. */
static void run_in_weather(const struct tern_weather *weather, bool transfers, bool known)
{
	struct tern_weather way[IMPAIR_WAYS] = { *weather, *weather };
	struct dev_wish wish = { .no_offload = true };
	struct dev *end[2];
	struct pair p = { .sent = 0 };
	tern_time until = loop_now() + 20 * TERN_MS;

	memset(&w, 0, sizeof(w));
	check(recorder_init(&w.r, NULL, true));
	check(pipe_open(end, &wish));
	end[0] = impair_open(end[0], way, 3);
	open_recorded(&p, end);
	if (known)
		recorder_watch_weather(&w.r, end[0]);
	if (transfers) {
		pair_connect(&p, false);
		pair_transfer(&p, 100000);
	} else {
		struct tern_addr to = tern_ip4(10, 0, 0, 2, 80);

		check_eq(tern_socket(p.st[0], TERN_AF_INET, TERN_SOCK_STREAM, 0, &p.s[0]), 0);
		check_eq(tern_connect(p.st[0], p.s[0], &to), -TERN_EINPROGRESS);
		while (loop_now() < until)
			pair_turn(&p, until);
	}
	pair_close(&p);
}

static unsigned arrivals_of(const struct view *v, uint64_t frame)
{
	unsigned n = 0;

	for (size_t i = 0; i < v->n_events; i++)
		n += v->event[i].kind == VIEW_DELIVERED &&
		     (v->event[i].frame == frame || v->event[i].copy_of == frame);
	return n;
}

/* Both ways: what is lost never arrives, all else does, and the instants are in order. */
static void what_the_weather_loses_is_recorded_as_lost(void)
{
	unsigned n_lost[2] = { 0, 0 }, n_in_time = 0, n = 0;
	tern_time before = 0;

	run_in_weather(&(struct tern_weather){ .loss_ppm = 100000, .delay = TERN_MS }, true, true);
	for (size_t i = 0; i < w.r.view->n_events; i++) {
		const struct view_event *e = &w.r.view->event[i];

		n_in_time += e->at >= before;
		before = e->at;
		if (e->kind != VIEW_SENT)
			continue;
		test_at("frame %u", (unsigned)e->frame);
		n++;
		check(arrivals_of(w.r.view, e->frame) <= (e->lost ? 0 : 1));
		n_lost[e->host] += e->lost != NULL;
		if (e->lost)
			check_str(e->lost, "loss");
	}
	check_eq(n_in_time, w.r.view->n_events);
	check(n_lost[0] > 0 && n_lost[1] > 0 && n_lost[0] + n_lost[1] < n / 2);
	recorder_fini(&w.r);
}

/* Nothing comes, and what went is not said to have arrived. */
static void a_wire_that_is_down_is_recorded_so(void)
{
	unsigned n = 0;

	run_in_weather(&(struct tern_weather){ .down = true }, false, true);
	for (size_t i = 0; i < w.r.view->n_events; i++) {
		const struct view_event *e = &w.r.view->event[i];

		check(e->kind != VIEW_DELIVERED);
		n += e->kind == VIEW_SENT && e->lost && strcmp(e->lost, "down") == 0;
	}
	check(n > 0);
	check_eq(n, w.n);
	recorder_fini(&w.r);
}

/* A copy of the weather's own is one; flipped bits are told. */
static void copies_and_flipped_bits_are_recorded(void)
{
	unsigned n_copies = 0, n_corrupted = 0;

	run_in_weather(&(struct tern_weather){ .duplicate_ppm = 200000, .corrupt_ppm = 50000 },
		       true, true);
	for (size_t i = 0; i < w.r.view->n_events; i++) {
		const struct view_event *e = &w.r.view->event[i];

		n_copies += e->kind == VIEW_DELIVERED && e->copy_of != 0;
		n_corrupted += e->kind == VIEW_SENT && e->corrupted;
	}
	check(n_copies > 0);
	check(n_corrupted > 0);
	recorder_fini(&w.r);
}

/* Of a wire that tells nothing: what went again is no duplicate, for nobody knows. */
static void repairs_on_a_real_wire_are_no_duplicates(void)
{
	struct flows *flows;
	unsigned n_repairs = 0;

	run_in_weather(&(struct tern_weather){ .loss_ppm = 100000 }, true, false);
	flows = flows_new(w.r.view);
	for (size_t i = 0; i < flows->n; i++) {
		const struct flow *f = &flows->flow[i];

		n_repairs += (unsigned)f->side[0].n_retransmitted;
		for (size_t k = 0; k < f->n_steps; k++)
			check(f->step[k].side == 0 || !f->step[k].duplicate);
	}
	check(n_repairs > 0);
	flows_free(flows);
	recorder_fini(&w.r);
}

static const struct test tests[] = {
	TEST(the_capture_holds_what_was_seen),
	TEST(the_file_is_made_of_whole_blocks),
	TEST(checksums_are_complete),
	TEST(the_view_holds_the_same),
	TEST(a_full_disk_is_told),
	TEST(unknown_interfaces_are_left_out),
	TEST(what_the_weather_loses_is_recorded_as_lost),
	TEST(a_wire_that_is_down_is_recorded_so),
	TEST(copies_and_flipped_bits_are_recorded),
	TEST(repairs_on_a_real_wire_are_no_duplicates),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
