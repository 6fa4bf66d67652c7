/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * conn.c - connections as the script sees them: which one a packet belongs to, and the way between
 * the script's numbers and the stack's.
 *
 * A packet without ports belongs to the connection used last; after listen() the first segment that
 * is injected begins a new one.
 */
#include <stdlib.h>

#include "run.h"

void conns_free(struct drill *d)
{
	struct conn *next;

	for (; d->conns; d->conns = next) {
		next = d->conns->next;
		free(d->conns);
	}
	d->current = NULL;
}

static struct conn *find(struct drill *d, uint8_t proto, uint16_t local, uint16_t remote)
{
	struct conn *c;

	for (c = d->conns; c; c = c->next)
		if (c->proto == proto && c->local == local && c->remote == remote)
			break;
	return c;
}

struct conn *conn_get(struct drill *d, uint8_t proto, uint16_t local, uint16_t remote)
{
	struct conn *c = find(d, proto, local, remote);

	if (c)
		return c;
	c = calloc(1, sizeof(*c));
	if (!c) {
		drill_end(d, DRILL_BROKEN, "memory is short");
		return NULL;
	}
	*c = (struct conn){
		.next = d->conns, .proto = proto, .local = local, .remote = remote, .learns = true
	};
	d->conns = c;
	return c;
}

static struct conn *by_ports(struct drill *d, uint8_t proto, const struct packet *p)
{
	uint16_t local = p->inbound ? p->dst : p->src, remote = p->inbound ? p->src : p->dst;

	for (struct conn *c = d->conns; c; c = c->next)
		if (c->proto == proto && c->remote == remote && c->script_local == local)
			return c;
	/* The script names a port that the stack has chosen. */
	for (struct conn *c = d->conns; c; c = c->next) {
		if (c->proto == proto && c->remote == remote && !c->script_local &&
		    c->local != d->s->bind_port) {
			c->script_local = local;
			return c;
		}
	}
	return conn_get(d, proto, local, remote);
}

struct conn *conn_of_packet(struct drill *d, const struct packet *p)
{
	uint8_t proto = p->proto;
	struct conn *c = d->current;

	if (proto == TERN_IPPROTO_ICMP) {
		if (p->quoted == TERN_IPPROTO_TCP || p->quoted == TERN_IPPROTO_UDP)
			proto = p->quoted;
		else if (c)
			proto = c->proto;
	}
	if (p->src || p->dst) {
		c = by_ports(d, proto, p);
	} else if (p->inbound && proto == TERN_IPPROTO_TCP && d->listen_port) {
		c = conn_get(d, proto, d->listen_port, d->next_remote++);
		d->listen_port = 0;
	} else if (!c || c->proto != proto) {
		c = conn_get(d, proto, d->s->bind_port, d->next_remote++);
	}
	if (c)
		d->current = c;
	return c;
}

/* ---- timestamps ---- */

static const struct ts_pair *pair_by_live(const struct conn *c, uint32_t live)
{
	for (unsigned i = 0; i < MIN(c->n_ts, TS_PAIRS); i++)
		if (c->ts[i].live == live)
			return &c->ts[i];
	return NULL;
}

static uint32_t ts_to_script(const struct conn *c, uint32_t live)
{
	const struct ts_pair *pair = pair_by_live(c, live);

	if (pair)
		return pair->script;
	return c->n_ts ? live - c->ts[0].live + c->ts[0].script : live;
}

/* The newest pair wins; what was never seen is as far from the first as in the script. */
static uint32_t ts_to_live(const struct conn *c, uint32_t script)
{
	const struct ts_pair *found = NULL;

	for (unsigned i = 0; i < MIN(c->n_ts, TS_PAIRS); i++)
		if (c->ts[i].script == script &&
		    (!found || (int32_t)(c->ts[i].live - found->live) > 0))
			found = &c->ts[i];
	if (found)
		return found->live;
	return c->n_ts && script ? script - c->ts[0].script + c->ts[0].live : script;
}

/* The first pair stays: it is the base of all others. */
static void ts_remember(struct conn *c, uint32_t script, uint32_t live)
{
	unsigned i = c->n_ts < TS_PAIRS ? c->n_ts : 1 + c->n_ts % (TS_PAIRS - 1);

	c->ts[i] = (struct ts_pair){ script, live };
	c->n_ts++;
}

static bool find_option(struct packet *p, uint8_t kind, uint8_t len, struct option_at *o)
{
	unsigned pos = 0;

	while (option_next(p->options, p->options_len, &pos, o))
		if (o->kind == kind && (!len || o->len == len))
			return true;
	return false;
}

/* How far may a timestamp be from where the ticks of its clock put it? */
static bool ts_plausible(const struct drill *d, const struct conn *c, uint32_t script,
			 uint32_t live)
{
	int32_t off = (int32_t)(live - c->ts[0].live - (script - c->ts[0].script));
	tern_time ms = d->s->tolerance / TERN_MS;

	return (tern_time)(off < 0 ? -(int64_t)off : off) <= ms;
}

static void learn_ts(struct drill *d, struct conn *c, struct packet *want, struct packet *got)
{
	struct option_at w, g;
	uint32_t script, live;

	if (!find_option(want, OPT_TS, 10, &w) || !find_option(got, OPT_TS, 10, &g) ||
	    want->any_ts_val)
		return;
	script = get_be32(w.data);
	live = get_be32(g.data);
	if (c->n_ts && d->s->strict_ts && !ts_plausible(d, c, script, live))
		return;
	if (!pair_by_live(c, live))
		ts_remember(c, script, live);
}

void conn_learn(struct drill *d, struct conn *c, const struct packet *p, struct packet *got)
{
	struct packet want = *p;

	if (got->proto != TERN_IPPROTO_TCP)
		return;
	/* A script that numbers a new incarnation from 0 does not say what its number is. */
	if (c->may_learn && (want.flags & TCP_SYN) && want.seq == 0)
		c->learns = true;
	if (c->learns && (got->flags & TCP_SYN)) {
		c->iss_offset = got->seq - (want.flags & TCP_SYN ? want.seq : 0);
		c->learns = c->may_learn = false;
	}
	learn_ts(d, c, &want, got);
}

/* ---- numbers ---- */

static void shift_sack(struct packet *p, uint32_t by)
{
	struct option_at o;

	if (!find_option(p, OPT_SACK, 0, &o))
		return;
	for (unsigned i = 0; i + 4 <= o.len - 2u; i += 4)
		put_be32(o.data + i, get_be32(o.data + i) + by);
}

void conn_to_wire(struct conn *c, struct packet *p)
{
	struct option_at o;

	if (p->proto == TERN_IPPROTO_ICMP) {
		if (p->quoted == TERN_IPPROTO_TCP)
			p->seq += c->iss_offset;
		return;
	}
	if (p->proto != TERN_IPPROTO_TCP)
		return;
	if (p->flags & TCP_ACK)
		p->ack += c->iss_offset;
	shift_sack(p, c->iss_offset);
	if (find_option(p, OPT_TS, 10, &o))
		put_be32(o.data + 4, ts_to_live(c, get_be32(o.data + 4)));
	if ((p->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN)
		c->may_learn = true; /* it may begin a new incarnation */
}

void conn_to_script(const struct conn *c, struct packet *p)
{
	struct option_at o;

	if (p->proto != TERN_IPPROTO_TCP)
		return;
	/* A reset that answers a segment without an ACK has the sequence number 0 itself. */
	if (p->seq != 0 || (p->flags & (TCP_RST | TCP_ACK)) != (TCP_RST | TCP_ACK))
		p->seq -= c->iss_offset;
	if (find_option(p, OPT_TS, 10, &o))
		put_be32(o.data, ts_to_script(c, get_be32(o.data)));
}
