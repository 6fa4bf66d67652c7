/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * match.c - packets in and out of the stack: injects what the script says, compares what the stack
 * has sent with what the script expects.
 */
#include <stdlib.h>
#include <string.h>

#include "run.h"

static struct addr core_addr(const struct tern_addr *a)
{
	return a->family == TERN_AF_INET ? addr_from4(a->ip) : addr_from6(a->ip);
}

struct flow flow_of(const struct drill *d, const struct conn *c, bool inbound)
{
	struct addr local = core_addr(&d->s->local), remote = core_addr(&d->s->remote);

	if (inbound)
		return (struct flow){ remote, local, c->remote, c->local };
	return (struct flow){ local, remote, c->local, c->remote };
}

/* ---- in ---- */

void inject_packet(struct drill *d, const struct event *ev)
{
	struct conn *c = conn_of_packet(d, &ev->packet);
	struct packet p = ev->packet;
	struct flow flow;
	struct tern_pkt *pkt;
	size_t len;

	if (!c)
		return;
	conn_to_wire(c, &p);
	flow = flow_of(d, c, true);
	len = packet_build(&p, &flow, d->s->family, d->scratch);
	if (len == 0) {
		drill_end(d, DRILL_BROKEN, "the packet is longer than IP allows");
		return;
	}
	pkt = tern_pkt_new(d->st, (uint32_t)len);
	if (!pkt) {
		drill_end(d, DRILL_BROKEN, "memory is short");
		return;
	}
	memcpy(pkt->data, d->scratch, len);
	pkt->ifindex = (uint16_t)d->ifindex;
	drill_watch(d, DRILL_INJECTED, pkt->data, len);
	tern_input(d->st, pkt);
	drill_settle(d);
}

/* ---- out: what differs ---- */

/* What the script does not ask for is not compared and not shown. */
static void hide_unasked(const struct packet *want, struct packet *got)
{
	got->tos_check = want->tos_check;
	if (want->tos_check == TOS_UNCHECKED)
		got->tos = 0;
	else if (want->tos_check == TOS_ECT01 && (got->tos & 3) - 1u > 1u)
		got->tos_check = TOS_ECN; /* shows what it is instead */
	if (!want->ttl)
		got->ttl = 0;
	if (!want->flow_label)
		got->flow_label = 0;
	if (want->win == WIN_ANY)
		got->win = WIN_ANY;
	got->any_options = want->any_options;
	got->any_ts_val = want->any_ts_val;
	got->any_ts_ecr = want->any_ts_ecr;
	if (want->proto != TERN_IPPROTO_ICMP || got->proto != TERN_IPPROTO_ICMP)
		return;
	if (!want->has_mtu)
		got->has_mtu = false;
	if (!want->id)
		got->id = 0;
	if (!want->quoted) {
		got->quoted = 0;
		got->seq = got->len = 0;
	}
}

static bool same_tos(const struct packet *want, const struct packet *got)
{
	switch (want->tos_check) {
	case TOS_UNCHECKED:
		return true;
	case TOS_WHOLE:
		return want->tos == got->tos;
	case TOS_ECN:
		return (want->tos & 3) == (got->tos & 3);
	case TOS_ECT01:
		return got->tos_check == TOS_ECT01;
	case TOS_DSCP:
		return want->tos >> 2 == got->tos >> 2;
	}
	return true;
}

static void clear_wild(struct packet *p, bool val, bool ecr)
{
	struct option_at o;
	unsigned pos = 0;

	while (option_next(p->options, p->options_len, &pos, &o)) {
		if (o.kind != OPT_TS || o.len != 10)
			continue;
		if (val)
			put_be32(o.data, 0);
		if (ecr)
			put_be32(o.data + 4, 0);
	}
}

static bool has_option(struct packet *p, const struct option_at *wanted)
{
	struct option_at o;
	unsigned pos = 0;

	while (option_next(p->options, p->options_len, &pos, &o))
		if (o.kind == wanted->kind && o.len == wanted->len &&
		    memcmp(o.data, wanted->data, o.len - 2u) == 0)
			return true;
	return false;
}

/* Each of a's is among b's; padding aside. */
static bool among_options(struct packet *a, struct packet *b)
{
	struct option_at o;
	unsigned pos = 0;

	while (option_next(a->options, a->options_len, &pos, &o))
		if (o.kind != OPT_NOP && o.kind != OPT_EOL && !has_option(b, &o))
			return false;
	return pos == a->options_len;
}

static bool same_options(const struct drill *d, const struct packet *want, const struct packet *got)
{
	struct packet w = *want, g = *got;

	if (want->any_options)
		return true;
	clear_wild(&w, want->any_ts_val, want->any_ts_ecr);
	clear_wild(&g, want->any_ts_val, want->any_ts_ecr);
	if (d->any_option_order)
		return among_options(&w, &g) && among_options(&g, &w);
	return w.options_len == g.options_len && memcmp(w.options, g.options, w.options_len) == 0;
}

static const char *icmp_difference(const struct packet *want, const struct packet *got)
{
	if (want->type != got->type || want->code != got->code)
		return "type or code differs";
	if (want->has_mtu && (!got->has_mtu || want->mtu != got->mtu))
		return "MTU differs";
	if (want->id != got->id)
		return "identifier differs";
	if (want->quoted != got->quoted || want->seq != got->seq || want->len != got->len)
		return "the packet that is quoted differs";
	return NULL;
}

static const char *tcp_difference(const struct drill *d, const struct packet *want,
				  const struct packet *got)
{
	if (want->flags != got->flags)
		return "flags differ";
	if (want->seq != got->seq)
		return "sequence number differs";
	if (want->len != got->len)
		return "length differs";
	if (want->ack != got->ack)
		return "acknowledgment number differs";
	if (want->win != got->win)
		return "window differs";
	if (want->urg != got->urg)
		return "urgent pointer differs";
	return same_options(d, want, got) ? NULL : "options differ";
}

static const char *difference(const struct drill *d, const struct packet *want,
			      const struct packet *got)
{
	const char *what = NULL;

	if (want->proto != got->proto)
		return "another kind of packet came";
	if (want->src != got->src || want->dst != got->dst)
		return "the packet is of another connection";
	if (want->proto == TERN_IPPROTO_TCP)
		what = tcp_difference(d, want, got);
	else if (want->proto == TERN_IPPROTO_ICMP)
		what = icmp_difference(want, got);
	else if (want->len != got->len)
		what = "length differs";
	if (what)
		return what;
	if (!same_tos(want, got))
		return "type of service differs";
	if (want->ttl != got->ttl)
		return "time to live differs";
	return want->flow_label == got->flow_label ? NULL : "flow label differs";
}

/* ---- out: when ---- */

static void check_time(struct drill *d, const struct event *ev, tern_time at, tern_time base)
{
	tern_time from = base + ev->when.from, to = base + ev->when.to, slack;
	char text[PACKET_TEXT_MAX], t1[24], t2[24], t3[24];

	slack = (to - MIN(to, base)) / 100 * d->s->tolerance_percent;
	slack = MAX(slack, d->s->tolerance);
	if (ev->when.kind == WHEN_ANY || (at + slack >= from && at <= to + slack))
		return;
	packet_text(&ev->packet, d->s->family, text);
	drill_time(d, from, t1);
	drill_time(d, at, t2);
	drill_time(d, to, t3);
	if (from == to)
		drill_end(d, DRILL_FAILED,
			  "the packet comes too %s\n  expected  %s  %s\n"
			  "  actual    %s  %s",
			  at < from ? "early" : "late", t1, text, t2, text);
	else
		drill_end(d, DRILL_FAILED,
			  "the packet comes too %s\n  expected  %s~%s  %s\n"
			  "  actual    %s%*s  %s",
			  at < from ? "early" : "late", t1, t3, text, t2, (int)strlen(t3) + 1, "",
			  text);
}

/* ---- out: the whole ---- */

static struct frame *take_frame(struct drill *d)
{
	struct frame *f = d->frames;

	if (f)
		d->frames = f->next;
	if (!d->frames)
		d->frames_tail = &d->frames;
	return f;
}

/* Ports are shown where the script names them or where they are the difference. */
static void set_ports(struct packet *want, struct packet *got, const struct conn *c,
		      const struct conn *of_got)
{
	if ((c == of_got || want->proto != got->proto) && !want->src && !want->dst)
		return;
	got->src = of_got->script_local ? of_got->script_local : of_got->local;
	got->dst = of_got->remote;
	if (!want->src && !want->dst) {
		want->src = c->script_local ? c->script_local : c->local;
		want->dst = c->remote;
	}
}

static struct conn *conn_of_frame(struct drill *d, const struct packet *got, const struct flow *f,
				  struct conn *current)
{
	uint8_t proto = got->proto;

	if (proto == TERN_IPPROTO_ICMP) {
		if (got->quoted != TERN_IPPROTO_TCP && got->quoted != TERN_IPPROTO_UDP)
			return current;
		proto = got->quoted;
	}
	return conn_get(d, proto, f->src_port, f->dst_port);
}

/*
 * A script may expect as one segment what a device with segmentation offload would see: longer than
 * the MTU. Takes what follows it at the same instant, as one. Linux sets PSH on each of those, also
 * where more is to come; tern, which cuts before it tells the device, on the last of a write.
 */
static void join_segments(struct drill *d, const struct packet *want, struct packet *got,
			  const struct frame *first)
{
	struct packet more;
	struct flow flow;
	struct frame *f;

	if (got->proto != TERN_IPPROTO_TCP || want->len + IP4_HDR_LEN + TCP_HDR_LEN <= d->s->mtu)
		return;
	while ((f = d->frames) != NULL && got->len < want->len) {
		if (f->at != first->at || packet_read(&more, &flow, f->bytes, f->len) != NULL ||
		    more.proto != TERN_IPPROTO_TCP || more.seq != got->seq + got->len ||
		    more.ack != got->ack || more.len == 0)
			return;
		got->len += more.len;
		got->flags |= more.flags;
		if (d->pushes_bursts)
			got->flags |= want->flags & TCP_PSH;
		take_frame(d);
		free(f);
	}
}

static void compare(struct drill *d, const struct event *ev, const struct frame *frame)
{
	struct packet want = ev->packet, got;
	struct conn *c = conn_of_packet(d, &want), *of_got;
	char expected[PACKET_TEXT_MAX], actual[PACKET_TEXT_MAX];
	const char *what;
	struct flow flow, right;

	what = packet_read(&got, &flow, frame->bytes, frame->len);
	if (what) {
		drill_end(d, DRILL_FAILED, "the stack sent %s", what);
		return;
	}
	join_segments(d, &want, &got, frame);
	of_got = c ? conn_of_frame(d, &got, &flow, c) : NULL;
	if (!of_got)
		return;
	conn_learn(d, of_got, &want, &got);
	conn_to_script(of_got, &got);
	set_ports(&want, &got, c, of_got);
	hide_unasked(&want, &got);
	what = difference(d, &want, &got);
	right = flow_of(d, c, false);
	if (!what && (!addr_equal(&flow.src, &right.src) || !addr_equal(&flow.dst, &right.dst)))
		what = "addresses differ";
	if (!what)
		return;
	packet_texts(&want, &got, d->s->family, expected, actual);
	drill_end(d, DRILL_FAILED, "%s\n  expected  %s\n  actual    %s", what, expected, actual);
}

void match_packet(struct drill *d, const struct event *ev)
{
	tern_time base = ev->when.kind == WHEN_AFTER ? d->now : d->start;
	/* A packet that comes too late is worth waiting for: it says more than silence. */
	tern_time patience = ev->when.kind == WHEN_ANY ? 86400 * TERN_SEC : 10 * TERN_SEC;
	tern_time limit = MAX(base + ev->when.to, d->now) + patience;
	struct frame *frame;
	char text[PACKET_TEXT_MAX];

	while (!d->frames && d->now < limit && d->outcome == DRILL_PASSED)
		drill_step(d, limit);
	if (d->outcome != DRILL_PASSED)
		return;
	frame = take_frame(d);
	if (!frame) {
		drill_end(d, DRILL_FAILED, "no packet comes\n  expected  %s\n  actual    nothing",
			  packet_text(&ev->packet, d->s->family, text));
		return;
	}
	compare(d, ev, frame);
	if (d->outcome == DRILL_PASSED)
		check_time(d, ev, frame->at, base);
	free(frame);
}
