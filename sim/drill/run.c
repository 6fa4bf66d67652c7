/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * run.c - a script against one stack, in virtual time.
 *
 * Time moves from event to event and from deadline to deadline; what the stack sends is noted with
 * its instant and waits to be expected, in order. A call that blocks is tried again whenever
 * something has happened, and must return at the instant that the script names.
 */
#include "drill.h"

#include <stdlib.h>
#include <string.h>

enum { IFINDEX = 2, SERVER_PORT = 8080, CLIENT_PORT = 40001 };
static const uint32_t remote_isn = 1000000;
static const tern_time epoch = 1000 * TERN_SEC; /* script time 0, on the stack's clock */

/* ---- saying what went wrong ---- */

static void fail_at(struct drill *d, int line, const char *what)
{
	if (d->end != DRILL_PASSED)
		return;
	fprintf(d->out, "%s:%d: %s\n", d->script->name, line, what);
	d->end = DRILL_FAILED;
}

static void fail_packets(struct drill *d, const struct drill_event *e, const char *what,
			 const struct drill_packet *got)
{
	char buf[256];

	fail_at(d, e->line, what);
	fprintf(d->out, "  expected  > %s\n", packet_format(&e->packet, buf, sizeof(buf)));
	fprintf(d->out, "  actual    > %s\n", packet_format(got, buf, sizeof(buf)));
}

/* ---- the stack ---- */

static void *plain_alloc(void *ctx, size_t size)
{
	(void)ctx;
	return malloc(size);
}

static void plain_free(void *ctx, void *ptr, size_t size)
{
	(void)ctx;
	(void)size;
	free(ptr);
}

static bool set_up(struct drill *d)
{
	struct tern_env env = { .alloc = plain_alloc, .free = plain_free, .seed = { 'd' } };
	struct tern_iface wire = { "wire", TERN_LINK_IP, d->script->mtu, 0, { 0 } };
	struct tern_route all = { .ifindex = IFINDEX };
	struct tern_config cfg;

	tern_config_default(&cfg);
	d->st = tern_new(&cfg, &env);
	if (!d->st)
		return false;
	tern_addr_parse(d->script->ipv6 ? "fd3d:a0b:17d6::1" : "192.168.0.1", SERVER_PORT,
			&d->local);
	tern_addr_parse(d->script->ipv6 ? "fd3d:fa7b:d17d::1" : "192.0.2.1", SERVER_PORT,
			&d->remote);
	all.dst.family = d->local.family;
	d->remote_isn = remote_isn;
	tern_advance(d->st, epoch);
	if (tern_iface_add(d->st, &wire) != IFINDEX ||
	    tern_addr_add(d->st, IFINDEX, &d->local, d->script->ipv6 ? 48 : 16) != 0 ||
	    tern_route_add(d->st, &all) != 0)
		return false;
	for (int i = 0; i < d->script->n_settings; i++) {
		const char *const *s =
			(const char *const[]){ d->script->setting[i][0], d->script->setting[i][1] };

		if (tern_sysctl_set(d->st, s[0], s[1]) != 0) {
			fprintf(d->out, "%s: not supported: the setting %s=%s\n", d->script->name,
				s[0], s[1]);
			d->end = DRILL_NOT_SUPPORTED;
		}
	}
	return true;
}

/* ---- live numbers <-> the script's ---- */

static void to_script(struct drill *d, struct drill_packet *p)
{
	struct tcp_hdr *h = &p->h;

	if ((h->flags & TCP_SYN) && !d->local_isn_known) {
		d->local_isn = h->seq;
		d->local_isn_known = true;
	}
	/* <SEQ=0> of a RST from nowhere stays as it is; so does what answers an unknown number */
	if (d->local_isn_known && !((h->flags & TCP_RST) && h->seq == 0))
		h->seq -= d->local_isn;
	if (h->flags & TCP_ACK)
		h->ack -= d->remote_isn;
	for (int i = 0; i < h->n_sack; i++) {
		h->sack[i].lo -= d->remote_isn;
		h->sack[i].hi -= d->remote_isn;
	}
	if (h->has_ts && d->ts_offset_known)
		h->ts_val -= d->ts_offset;
}

static struct tcp_hdr to_live(const struct drill *d, const struct tcp_hdr *script)
{
	struct tcp_hdr h = *script;

	h.seq += d->remote_isn;
	if (h.flags & TCP_ACK)
		h.ack += d->local_isn;
	for (int i = 0; i < h.n_sack; i++) {
		h.sack[i].lo += d->local_isn;
		h.sack[i].hi += d->local_isn;
	}
	if (h.has_ts && d->ts_offset_known && h.ts_ecr)
		h.ts_ecr += d->ts_offset;
	h.src_port = d->remote.port;
	h.dst_port = d->local.port;
	return h;
}

/* ---- what the stack sends ---- */

static bool decode(struct drill *d, const uint8_t *bytes, uint32_t len, struct drill_packet *p)
{
	uint32_t ip_len = d->script->ipv6 ? IP6_HDR_LEN : IP4_HDR_LEN;
	uint8_t proto = len > ip_len ? bytes[d->script->ipv6 ? 6 : 9] : 0;

	*p = (struct drill_packet){ .proto = DRILL_TCP };
	bytes += ip_len;
	len -= len > ip_len ? ip_len : len;
	if (proto == TERN_IPPROTO_TCP && tcp_parse(&p->h, bytes, len)) {
		p->len = len - p->h.hdr_len;
		to_script(d, p);
		return true;
	}
	if (proto == TERN_IPPROTO_UDP && len >= UDP_HDR_LEN) {
		p->proto = DRILL_UDP;
		p->len = len - UDP_HDR_LEN;
		return true;
	}
	p->proto = DRILL_ICMP;
	p->icmp_type = len > 0 ? bytes[0] : 0;
	p->icmp_code = len > 1 ? bytes[1] : 0;
	return len >= ICMP_HDR_LEN;
}

static void take_output(struct drill *d)
{
	static uint8_t buf[70000];
	struct tern_pkt *p;
	struct tern_event ev;
	char text[256];

	while ((p = tern_output(d->st, IFINDEX))) {
		uint32_t len = tern_pkt_copy(p, 0, buf, sizeof(buf));
		struct drill_sent *s = &d->queue[d->n_queue];

		tern_pkt_free(d->st, p);
		if (d->n_queue == DRILL_QUEUE_MAX || !decode(d, buf, len, &s->packet))
			continue;
		s->at = d->now;
		d->n_queue++;
		if (d->verbose)
			fprintf(d->out, "%s: %llu us > %s\n", d->script->name,
				(unsigned long long)(d->now / TERN_US),
				packet_format(&s->packet, text, sizeof(text)));
	}
	while (tern_event(d->st, &ev))
		continue;
}

/* ---- calls that block ---- */

static void judge_result(struct drill *d, const struct drill_call *c, int line, int64_t r)
{
	const char *got = r < 0 ? tern_errno_name((int)r) : "";
	char what[160];

	if (c->any_result)
		return;
	if (c->result == (r < 0 ? -1 : r) && (r >= 0 || !c->error[0] || !strcmp(c->error, got)))
		return;
	snprintf(what, sizeof(what), "%s gives %lld%s%s, not %lld%s%s", c->name,
		 (long long)(r < 0 ? -1 : r), r < 0 ? " " : "", got, (long long)c->result,
		 c->error[0] ? " " : "", c->error);
	fail_at(d, line, what);
}

static bool near(const struct drill *d, tern_time a, tern_time b)
{
	return a > b ? a - b <= d->script->tolerance : b - a <= d->script->tolerance;
}

/* Something has happened: does the call that blocks return now? */
static void try_pending(struct drill *d)
{
	const struct drill_call *c = d->pending;
	int64_t r;

	if (!c || calls_try(d, c, d->pending_line, &r) == DRILL_WAITS)
		return;
	d->pending = NULL;
	judge_result(d, c, d->pending_line, r);
	if (c->blocks && !near(d, d->now, c->returns_at))
		fail_at(d, d->pending_line, "the call returned at another time");
}

/* ---- time ---- */

/* Moves to the script time `to`, through every deadline on the way. */
static void move_to(struct drill *d, tern_time to)
{
	for (;;) {
		tern_time next = tern_deadline(d->st);

		take_output(d);
		try_pending(d);
		if (d->end != DRILL_PASSED)
			return;
		next = tern_deadline(d->st);
		if (next == TERN_NEVER || next > epoch + to)
			break;
		d->now = next > epoch + d->now ? next - epoch : d->now;
		tern_advance(d->st, epoch + d->now);
	}
	d->now = to > d->now ? to : d->now;
	tern_advance(d->st, epoch + d->now);
	take_output(d);
	try_pending(d);
}

/* Moves until something is sent, but not beyond `limit`. */
static void move_until_sent(struct drill *d, tern_time limit)
{
	take_output(d);
	while (d->n_queue == 0 && d->end == DRILL_PASSED) {
		tern_time next = tern_deadline(d->st);

		if (next == TERN_NEVER || next > epoch + limit)
			return;
		move_to(d, next > epoch ? next - epoch : 0);
	}
}

/* ---- events ---- */

static uint32_t put_transport(struct drill *d, const struct drill_event *e, uint8_t *out)
{
	const struct drill_packet *p = &e->packet;
	struct udp u = { d->remote.port, d->local.port, (uint16_t)(UDP_HDR_LEN + p->len), 0 };
	struct tcp_hdr h = to_live(d, &p->h);
	uint32_t n;

	if (p->proto == DRILL_UDP) {
		udp_emit(&u, out);
		memset(out + UDP_HDR_LEN, 0, p->len);
		return UDP_HDR_LEN + p->len;
	}
	n = (uint32_t)tcp_emit(&h, out);
	if (p->n_raw) {
		uint32_t padded = (p->n_raw + 3u) & ~3u;

		memset(out + n, 0, padded);
		memcpy(out + n, p->raw, p->n_raw);
		n += padded;
		out[12] = (uint8_t)(n / 4 << 4 | (out[12] & 15));
	}
	memset(out + n, 0, p->len);
	return n + p->len;
}

/* An ICMP message about a segment that the stack has sent. */
static uint32_t put_icmp(struct drill *d, const struct drill_event *e, uint8_t *out)
{
	struct icmp m = { .type = e->packet.icmp_type,
			  .code = e->packet.icmp_code,
			  .rest = e->packet.icmp_mtu };
	struct tcp_hdr h = { .src_port = d->local.port, .dst_port = d->remote.port };
	bool v6 = d->script->ipv6;
	struct addr local = v6 ? addr_from6(d->local.ip) : addr_from4(d->local.ip);
	struct addr remote = v6 ? addr_from6(d->remote.ip) : addr_from4(d->remote.ip);
	struct ip4 ip4 = { .ttl = 64, .proto = 6, .hdr_len = 20, .src = local, .dst = remote };
	struct ip6 ip6 = { .hop_limit = 64, .next_header = 6, .src = local, .dst = remote };
	uint32_t n = (uint32_t)icmp_emit(&m, out);

	h.seq = e->packet.h.seq + d->local_isn;
	ip4.total_len = (uint16_t)(40 + e->packet.len);
	ip6.payload_len = (uint16_t)(20 + e->packet.len);
	n += (uint32_t)(v6 ? ip6_emit(&ip6, out + n) : ip4_emit(&ip4, out + n));
	return n + (uint32_t)tcp_emit(&h, out + n);
}

static void fill_checksum(struct drill *d, uint8_t proto, uint8_t *l4, uint32_t len)
{
	bool v6 = d->script->ipv6;
	struct addr local = v6 ? addr_from6(d->local.ip) : addr_from4(d->local.ip);
	struct addr remote = v6 ? addr_from6(d->remote.ip) : addr_from4(d->remote.ip);
	uint32_t off = proto == TERN_IPPROTO_TCP ? 16 : proto == TERN_IPPROTO_UDP ? 6 : 2;
	uint32_t sum =
		proto == TERN_IPPROTO_ICMP ? 0 : checksum_pseudo(&remote, &local, proto, len);
	uint16_t check;

	put_be16(l4 + off, 0);
	check = checksum_finish(checksum_add(l4, len, sum));
	put_be16(l4 + off, proto == TERN_IPPROTO_UDP && check == 0 ? 0xffff : check);
}

static void inject(struct drill *d, const struct drill_event *e)
{
	static uint8_t buf[70000];
	static const uint8_t protos[] = { [DRILL_TCP] = 6, [DRILL_UDP] = 17, [DRILL_ICMP] = 1 };
	bool v6 = d->script->ipv6;
	struct ip4 ip4 = { .ttl = 64, .hdr_len = IP4_HDR_LEN };
	struct ip6 ip6 = { .hop_limit = 64 };
	uint32_t ip_len = v6 ? IP6_HDR_LEN : IP4_HDR_LEN, n;
	uint8_t proto = protos[e->packet.proto];
	struct tern_pkt *p;

	if (e->packet.proto == DRILL_ICMP && v6)
		proto = TERN_IPPROTO_ICMPV6;
	n = e->packet.proto == DRILL_ICMP ? put_icmp(d, e, buf + ip_len) :
					    put_transport(d, e, buf + ip_len);
	fill_checksum(d, proto, buf + ip_len, n);
	ip4.proto = ip6.next_header = proto;
	ip4.total_len = (uint16_t)(ip_len + n);
	ip6.payload_len = (uint16_t)n;
	ip4.src = addr_from4(d->remote.ip);
	ip4.dst = addr_from4(d->local.ip);
	ip6.src = addr_from6(d->remote.ip);
	ip6.dst = addr_from6(d->local.ip);
	if (v6)
		ip6_emit(&ip6, buf);
	else
		ip4_emit(&ip4, buf);
	p = tern_pkt_new(d->st, ip_len + n);
	if (!p)
		return;
	memcpy(p->data, buf, ip_len + n);
	p->ifindex = IFINDEX;
	tern_input(d->st, p);
	take_output(d);
	try_pending(d);
}

/* The first explicit TSval of a script fixes how it counts. */
static void learn_ts_offset(struct drill *d, const struct drill_packet *want,
			    struct drill_packet *got)
{
	if (d->ts_offset_known || !want->h.has_ts || want->any_ts_val || !got->h.has_ts)
		return;
	d->ts_offset = got->h.ts_val - want->h.ts_val;
	d->ts_offset_known = true;
	for (size_t i = 0; i < d->n_queue; i++)
		d->queue[i].packet.h.ts_val -= d->ts_offset;
}

static void expect(struct drill *d, const struct drill_event *e, tern_time from, tern_time to)
{
	tern_time limit =
		e->when == WHEN_ANY ? d->now + 3600 * TERN_SEC : to + d->script->tolerance;
	char what[160], buf[256];
	const char *differs;
	struct drill_sent s;

	move_until_sent(d, limit);
	if (d->n_queue == 0) {
		fail_at(d, e->line, "nothing was sent");
		if (d->end == DRILL_FAILED)
			fprintf(d->out, "  expected  > %s\n",
				packet_format(&e->packet, buf, sizeof(buf)));
		return;
	}
	learn_ts_offset(d, &e->packet, &d->queue[0].packet);
	s = d->queue[0];
	memmove(d->queue, d->queue + 1, --d->n_queue * sizeof(*d->queue));
	s.packet.any_win = e->packet.any_win;
	differs = packet_differs(&e->packet, &s.packet);
	if (differs) {
		s.packet.any_win = false;
		fail_packets(d, e, differs, &s.packet);
		return;
	}
	if (e->when != WHEN_ANY && (s.at + d->script->tolerance < from || s.at > limit)) {
		snprintf(what, sizeof(what), "it was sent at %llu us, not at %llu us",
			 (unsigned long long)(s.at / TERN_US),
			 (unsigned long long)(from / TERN_US));
		fail_packets(d, e, what, &s.packet);
	}
	if (e->when == WHEN_ANY || e->is_range)
		d->last = s.at;
}

static void call(struct drill *d, struct drill_event *e)
{
	struct drill_call *c = &e->call;
	int64_t r = 0;
	int verdict;

	if (c->blocks && e->when == WHEN_RELATIVE)
		c->returns_at += d->last - e->from;
	verdict = calls_try(d, c, e->line, &r);
	if (verdict < 0) {
		d->end = DRILL_NOT_SUPPORTED;
		return;
	}
	if (verdict == DRILL_WAITS) {
		if (!c->blocks) {
			fail_at(d, e->line, "the call blocks");
			return;
		}
		d->pending = c;
		d->pending_line = e->line;
		return;
	}
	if (strcmp(c->name, "listen") == 0)
		d->remote.port = CLIENT_PORT;
	judge_result(d, c, e->line, r);
	take_output(d);
}

static void run_event(struct drill *d, struct drill_event *e)
{
	tern_time base = e->when == WHEN_RELATIVE ? d->last : 0;
	tern_time from = base + e->from, to = base + e->to;

	if (e->when == WHEN_ANY)
		from = to = d->now;
	if (e->when != WHEN_ANY && !e->is_range)
		d->last = from;
	if (e->kind == DRILL_EXPECT) {
		expect(d, e, from, to);
		return;
	}
	if (from < d->now && !near(d, from, d->now)) {
		fail_at(d, e->line, "this time has passed");
		return;
	}
	move_to(d, from);
	if (d->end != DRILL_PASSED)
		return;
	if (e->kind == DRILL_INJECT)
		inject(d, e);
	else
		call(d, e);
}

static enum drill_end run_script(const struct drill_script *s, FILE *out, bool verbose)
{
	struct drill d = { .script = s, .out = out, .verbose = verbose, .end = DRILL_PASSED };

	d.queue = malloc((DRILL_QUEUE_MAX + 1) * sizeof(*d.queue));
	if (!d.queue || !set_up(&d)) {
		fprintf(out, "%s: the stack cannot be set up\n", s->name);
		d.end = DRILL_FAILED;
	}
	for (size_t i = 0; i < s->n_events && d.end == DRILL_PASSED; i++)
		run_event(&d, &s->event[i]);
	if (d.pending && d.end == DRILL_PASSED)
		move_to(&d, d.pending->returns_at + s->tolerance);
	if (d.pending)
		fail_at(&d, d.pending_line, "the call did not return");
	if (d.st)
		tern_check(d.st);
	tern_free(d.st);
	free(d.queue);
	return d.end;
}

enum drill_end drill_run(const char *name, const char *text, FILE *out, bool verbose)
{
	struct lexer lx = { .name = name, .at = text, .line = 1 };
	struct drill_script s;
	enum drill_end end;

	if (drill_parse(&s, &lx)) {
		end = run_script(&s, out, verbose);
	} else if (lx.unsupported) {
		fprintf(out, "%s:%d: not supported: %s\n", name, lx.line, lx.error);
		end = DRILL_NOT_SUPPORTED;
	} else {
		fprintf(out, "%s:%d: expected %s\n", name, lx.line, lx.error);
		end = DRILL_BAD_SCRIPT;
	}
	drill_script_fini(&s);
	return end;
}
