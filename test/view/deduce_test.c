/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * deduce_test.c - the states of RFC 9293 from segments alone: a table of small captures.
 *
 * What a segment changes is written "L=CLOSED L:SYN-SENT | R:ESTABLISHED": "=" for how a side
 * begins, ":" for what it becomes; behind the bar at the receiver.
 */
#include "../../view/deduce.h"
#include "test.h"

enum { STEPS_MAX = 12, S = TCP_SYN, A = TCP_ACK, F = TCP_FIN, R = TCP_RST };

struct step_case {
	char from; /* '>' or '<'; 0: the end */
	uint16_t flags;
	int seq, ack, len;
	const char *changes;
};

struct case_row {
	const char *name;
	struct step_case step[STEPS_MAX];
};

#define OPENING                                                                                    \
	{ '>', S, 0, 0, 0, "L=CLOSED L:SYN-SENT |" },                                              \
		{ '<', S | A, 0, 1, 0, "R=LISTEN R:SYN-RECEIVED | L:ESTABLISHED" },                \
	{                                                                                          \
		'>', A, 1, 1, 0, "| R:ESTABLISHED"                                                 \
	}

static const struct case_row cases[] = {
	{ "open, talk, close",
	  { OPENING,
	    { '>', A, 1, 1, 100, "|" },
	    { '<', A, 1, 101, 0, "|" },
	    { '>', F | A, 101, 1, 0, "L:FIN-WAIT-1 | R:CLOSE-WAIT" },
	    { '<', A, 1, 102, 0, "| L:FIN-WAIT-2" },
	    { '<', F | A, 1, 102, 0, "R:LAST-ACK | L:TIME-WAIT" },
	    { '>', A, 102, 2, 0, "| R:CLOSED" } } },
	{ "three segments close: FIN-WAIT-2 is not entered",
	  { OPENING,
	    { '>', F | A, 1, 1, 0, "L:FIN-WAIT-1 | R:CLOSE-WAIT" },
	    { '<', F | A, 1, 2, 0, "R:LAST-ACK | L:TIME-WAIT" },
	    { '>', A, 2, 2, 0, "| R:CLOSED" } } },
	{ "both close at once",
	  { OPENING,
	    { '>', F | A, 1, 1, 0, "L:FIN-WAIT-1 | R:CLOSE-WAIT" },
	    { '<', F | A, 1, 1, 0, "R:LAST-ACK | L:CLOSING" },
	    { '<', A, 2, 2, 0, "| L:TIME-WAIT" },
	    { '>', A, 2, 2, 0, "| R:CLOSED" } } },
	{ "both open at once",
	  { { '>', S, 0, 0, 0, "L=CLOSED L:SYN-SENT |" },
	    { '<', S, 0, 0, 0, "R=CLOSED R:SYN-SENT | L:SYN-RECEIVED" },
	    { '>', S | A, 0, 1, 0, "| R:ESTABLISHED" },
	    { '<', S | A, 0, 1, 0, "| L:ESTABLISHED" } } },
	{ "a closed port",
	  { { '>', S, 0, 0, 0, "L=CLOSED L:SYN-SENT |" },
	    { '<', R | A, 0, 1, 0, "R=CLOSED | L:CLOSED" } } },
	{ "a reset that acknowledges nothing does not count",
	  { { '>', S, 0, 0, 0, "L=CLOSED L:SYN-SENT |" },
	    { '<', R | A, 0, 0, 0, "|" },
	    { '<', S | A, 0, 1, 0, "R=LISTEN R:SYN-RECEIVED | L:ESTABLISHED" } } },
	{ "nobody answers",
	  { { '>', S, 0, 0, 0, "L=CLOSED L:SYN-SENT |" }, { '>', S, 0, 0, 0, "|" } } },
	{ "a reset in the window",
	  { OPENING, { '<', R, 1, 0, 0, "R:CLOSED | L:CLOSED" }, { '>', A, 1, 1, 9, "|" } } },
	{ "a reset beyond the window",
	  { OPENING, { '<', R, 90000, 0, 0, "|" }, { '>', A, 1, 1, 9, "|" } } },
	{ "a reset behind a gap, to a window that was not captured",
	  { { '>', S, 0, 0, 0, "L=CLOSED L:SYN-SENT |" },
	    { '>', A, 1, 1, 100, "R=LISTEN R:SYN-RECEIVED L:ESTABLISHED | R:ESTABLISHED" },
	    { '>', A, 1101, 1, 100, "|" },
	    { '>', R | A, 1201, 1, 0, "L:CLOSED | R:CLOSED" } } },
	{ "a reset behind a gap, to a window whose scale was not captured",
	  { { '>', A, 1, 1, 100, "L=ESTABLISHED R=ESTABLISHED |" },
	    { '<', A, 1, 101, 0, "|" },
	    { '>', A, 3101, 1, 100, "|" },
	    { '>', R | A, 3201, 1, 0, "L:CLOSED | R:CLOSED" } } },
	{ "joined in the middle",
	  { { '<', A, 1, 1, 10, "L=ESTABLISHED R=ESTABLISHED |" },
	    { '>', A, 1, 11, 0, "|" },
	    { '<', F | A, 11, 1, 0, "R:FIN-WAIT-1 | L:CLOSE-WAIT" },
	    { '>', F | A, 1, 12, 0, "L:LAST-ACK | R:TIME-WAIT" },
	    { '<', A, 12, 2, 0, "| L:CLOSED" } } },
	{ "joined at the SYN,ACK",
	  { { '<', S | A, 0, 1, 0, "L=SYN-SENT R=LISTEN R:SYN-RECEIVED | L:ESTABLISHED" },
	    { '>', A, 1, 1, 0, "| R:ESTABLISHED" } } },
	{ "only the left side was captured",
	  { { '>', S, 0, 0, 0, "L=CLOSED L:SYN-SENT |" },
	    { '>', A, 1, 1, 0, "R=LISTEN R:SYN-RECEIVED L:ESTABLISHED | R:ESTABLISHED" },
	    { '>', F | A, 1, 1, 0, "L:FIN-WAIT-1 | R:CLOSE-WAIT" } } },
	{ "only the right side was captured",
	  { { '<', S | A, 0, 1, 0, "L=SYN-SENT R=LISTEN R:SYN-RECEIVED | L:ESTABLISHED" },
	    { '<', A, 1, 1, 10, "R:ESTABLISHED |" } } },
	{ "data in the SYN is answered with data before the handshake is over",
	  { { '>', S, 0, 0, 50, "L=CLOSED L:SYN-SENT |" },
	    { '<', S | A, 0, 51, 0, "R=LISTEN R:SYN-RECEIVED | L:ESTABLISHED" },
	    { '<', A, 1, 51, 10, "|" },
	    { '>', A, 51, 11, 0, "| R:ESTABLISHED" } } },
	{ "a FIN ahead of its data counts when the gap is filled",
	  { OPENING,
	    { '>', F | A, 101, 1, 0, "L:FIN-WAIT-1 |" },
	    { '>', A, 1, 1, 100, "| R:CLOSE-WAIT" } } },
	{ "a FIN ahead of data that was not captured counts when it is acknowledged",
	  { OPENING,
	    { '>', F | A, 101, 1, 0, "L:FIN-WAIT-1 |" },
	    { '<', A, 1, 102, 0, "R:CLOSE-WAIT | L:FIN-WAIT-2" } } },
	{ "a FIN sent again changes nothing",
	  { OPENING,
	    { '>', F | A, 1, 1, 0, "L:FIN-WAIT-1 | R:CLOSE-WAIT" },
	    { '>', F | A, 1, 1, 0, "|" } } },
	{ "a lone reset says nothing", { { '<', R, 0, 0, 0, "" } } },
};

static void add(char *buf, size_t size, const char *format, const char *side, const char *state)
{
	size_t used = strlen(buf);

	snprintf(buf + used, size - used, format, used ? " " : "", side, state);
}

static void write_changes(char *buf, size_t size, const struct deduced_change *c, size_t n)
{
	bool arrived = false;

	buf[0] = 0;
	for (size_t i = 0; i < n; i++) {
		if (c[i].on_arrival && !arrived)
			add(buf, size, "%s%s%s", "|", "");
		arrived |= c[i].on_arrival;
		add(buf, size, c[i].old_state == c[i].new_state ? "%s%s=%s" : "%s%s:%s",
		    c[i].side ? "R" : "L",
		    tern_tcp_state_name((enum tern_tcp_state)c[i].new_state));
	}
	if (!arrived)
		add(buf, size, "%s%s%s", "|", "");
}

static struct decoded segment_of(const struct step_case *s)
{
	bool right = s->from == '<';
	struct decoded d = { .proto = TERN_IPPROTO_TCP, .len = (uint32_t)s->len };

	d.src = tern_ip4(10, 0, 0, right ? 2 : 1, right ? 80 : 40000);
	d.dst = tern_ip4(10, 0, 0, right ? 1 : 2, right ? 40000 : 80);
	d.tcp.flags = s->flags;
	d.tcp.seq = (right ? 5000U : 4294967290U) + (uint32_t)s->seq;
	d.tcp.ack = (right ? 4294967290U : 5000U) + (uint32_t)s->ack;
	d.tcp.wnd = 1000;
	return d;
}

static void run_case(const struct case_row *row)
{
	struct deduced deduced = { 0 };
	struct flow f;
	char got[256];

	for (size_t i = 0; i < STEPS_MAX && row->step[i].from; i++) {
		const struct step_case *s = &row->step[i];
		struct decoded d = segment_of(s);
		struct view_event ev = { .at = i };
		struct segment g = { 0 };
		struct deduced_change change[DEDUCED_MAX];

		test_at("%s, segment %zu", row->name, i + 1);
		if (i == 0)
			flow_begin(&f, &d);
		flow_sent(&f, &g, &d, &ev);
		write_changes(got, sizeof(got), change, deduce(&deduced, &f, &g, change));
		check_str(got, *s->changes ? s->changes : "|");
	}
}

static void deduces_states(void)
{
	for (size_t i = 0; i < N_TESTS(cases); i++)
		run_case(&cases[i]);
}

static const struct test tests[] = { TEST(deduces_states) };

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
