/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * icmp_err.c - ICMP errors: which do we send, and whom do those concern that we get?
 *
 * Sent: never about an ICMP error, a fragment but the first, or what came by broadcast or
 * multicast, and within the limiter (RFC 1122 3.2.2, RFC 4443 2.4). Received: matched to the
 * socket by the names that the quoted packet carries, to a connection only when the quoted
 * sequence number is in flight (RFC 5927 section 4).
 */
#include "stack.h"

/* ---- sending ---- */

static bool is_icmp_error(const struct inbound *in)
{
	uint8_t type;

	if (in->end <= in->l4_off)
		return false;
	type = in->p->data[in->l4_off];
	if (addr_is4(&in->dst))
		return in->proto == TERN_IPPROTO_ICMP && type != ICMP4_ECHO &&
		       type != ICMP4_ECHO_REPLY;
	/* RFC 4443 2.4 (e.1, e.2): redirects count as such */
	return in->proto == TERN_IPPROTO_ICMPV6 && (type < ICMP6_ECHO || type == ICMP6_REDIRECT);
}

/* Of IPv6 nobody looks into one before it is whole. */
static bool is_later_fragment(const struct inbound *in)
{
	return addr_is4(&in->dst) && (get_be16(in->p->data + in->l3_off + 6) & IP4_FRAG_OFF);
}

static bool may_complain(struct tern_stack *st, const struct inbound *in,
			 const struct icmp_problem *problem)
{
	enum addr_kind src = addr_classify(&st->net, &in->src, in->iface->index);
	bool group = in->to == ADDR_BROADCAST || in->to == ADDR_MULTICAST ||
		     (in->p->flags & TERN_PKT_LINK_BROADCAST);

	/* RFC 4443 2.4 (e.3): some ICMPv6 errors answer multicast, too */
	if (group && !(!addr_is4(&in->dst) &&
		       (problem->type == ICMP6_TOO_BIG ||
			(problem->type == ICMP6_PARAMETER_PROBLEM && problem->code == 2))))
		return false;
	if (src == ADDR_BROADCAST || src == ADDR_MULTICAST || src == ADDR_UNSPECIFIED)
		return false;
	return !is_icmp_error(in) && !is_later_fragment(in) && icmp_limit_take(&st->net, &in->src);
}

/* The error comes from where the packet went to; a router's, and one about a group, do not. */
static bool speaks_for_destination(const struct inbound *in)
{
	if (in->to == ADDR_OTHER)
		return in->iface->cfg.flags & TERN_IFACE_ANY_ADDRESS;
	return in->to == ADDR_OURS;
}

void icmp_send_error(struct tern_stack *st, const struct inbound *in,
		     const struct icmp_problem *problem)
{
	bool v4 = addr_is4(&in->dst);
	uint32_t max =
		v4 ? 576 - IP4_HDR_LEN - ICMP_HDR_LEN : IP6_MTU_MIN - IP6_HDR_LEN - ICMP_HDR_LEN;
	uint32_t quoted = MIN(in->end - in->l3_off, max);
	struct icmp h = { .type = problem->type, .code = problem->code, .rest = problem->rest };
	struct ip_names names = { .src = in->dst, .dst = in->src, .ttl = -1 };
	struct tern_pkt *p;

	if (!may_complain(st, in, problem))
		return;
	if (!speaks_for_destination(in) &&
	    source_select(&st->net, &in->src, in->iface->index, &names.src))
		return;
	p = pkt_new(&st->mem, PKT_HEAD_ROOM, ICMP_HDR_LEN + quoted);
	if (!p)
		return;
	icmp_emit(&h, p->data);
	memcpy(p->data + ICMP_HDR_LEN, in->p->data + in->l3_off, quoted);
	stack_label_icmp(st, &names);
	stack_push_icmp(st, p, &names);
	stack_send_ip(st, p, addr_is_link_local(&in->src) ? in->iface->index : 0);
}

/* ---- receiving ---- */

/* The packet that a message quotes. */
struct quoted {
	struct tuple key; /* as of what we would get in answer */
	uint32_t len;	  /* of the whole packet, as its header says */
	const uint8_t *l4;
	uint32_t l4_len; /* quoted of what follows the IP headers */
};

struct meaning {
	uint8_t error;
	enum tcp_icmp kind;
};

/* RFC 1122 4.2.3.9 and 4.1.3.3, RFC 4443 3.1, with Linux's errno for each code. */
static struct meaning meaning4(uint8_t type, uint8_t code)
{
	static const struct meaning unreachable[] = {
		[0] = { TERN_ENETUNREACH, TCP_ICMP_NO_ROUTE },
		[1] = { TERN_EHOSTUNREACH, TCP_ICMP_NO_ROUTE },
		[2] = { TERN_ENOPROTOOPT, TCP_ICMP_HARD },
		[3] = { TERN_ECONNREFUSED, TCP_ICMP_HARD },
		[4] = { TERN_EMSGSIZE, TCP_ICMP_TOO_BIG },
		[5] = { TERN_EOPNOTSUPP, TCP_ICMP_SOFT },
		[6] = { TERN_ENETUNREACH, TCP_ICMP_HARD },
		[7] = { TERN_EHOSTDOWN, TCP_ICMP_HARD },
		[8] = { TERN_ENONET, TCP_ICMP_HARD },
		[9] = { TERN_ENETUNREACH, TCP_ICMP_HARD },
		[10] = { TERN_EHOSTUNREACH, TCP_ICMP_HARD },
		[11] = { TERN_ENETUNREACH, TCP_ICMP_SOFT },
		[12] = { TERN_EHOSTUNREACH, TCP_ICMP_SOFT },
		[13] = { TERN_EHOSTUNREACH, TCP_ICMP_HARD },
		[14] = { TERN_EHOSTUNREACH, TCP_ICMP_HARD },
		[15] = { TERN_EHOSTUNREACH, TCP_ICMP_HARD },
	};

	if (type == ICMP4_UNREACHABLE && code < N_ELEMENTS(unreachable))
		return unreachable[code];
	if (type == ICMP4_PARAMETER_PROBLEM)
		return (struct meaning){ TERN_EPROTO, TCP_ICMP_SOFT };
	return (struct meaning){ TERN_EHOSTUNREACH, TCP_ICMP_SOFT };
}

static struct meaning meaning6(uint8_t type, uint8_t code)
{
	static const struct meaning unreachable[] = {
		[0] = { TERN_ENETUNREACH, TCP_ICMP_NO_ROUTE },
		[1] = { TERN_EACCES, TCP_ICMP_HARD },
		[2] = { TERN_EHOSTUNREACH, TCP_ICMP_SOFT },
		[3] = { TERN_EHOSTUNREACH, TCP_ICMP_SOFT },
		[4] = { TERN_ECONNREFUSED, TCP_ICMP_HARD },
		[5] = { TERN_EACCES, TCP_ICMP_HARD }, /* more of 1 */
		[6] = { TERN_EACCES, TCP_ICMP_HARD },
	};

	if (type == ICMP6_TOO_BIG)
		return (struct meaning){ TERN_EMSGSIZE, TCP_ICMP_TOO_BIG };
	if (type == ICMP6_UNREACHABLE && code < N_ELEMENTS(unreachable))
		return unreachable[code];
	if (type == ICMP6_UNREACHABLE || type == ICMP6_TIME_EXCEEDED)
		return (struct meaning){ TERN_EHOSTUNREACH, TCP_ICMP_SOFT };
	if (type == ICMP6_PARAMETER_PROBLEM && code == 1)
		return (struct meaning){ TERN_EPROTO, TCP_ICMP_HARD };
	return (struct meaning){ TERN_EPROTO, TCP_ICMP_SOFT };
}

static bool is_own(const struct icmp_report *r)
{
	return addr_is_unspecified(&r->to);
}

/* What we know ourselves is certain, unlike a router's opinion. */
static struct meaning meaning_of(const struct icmp_report *r)
{
	struct meaning m = r->v6 ? meaning6(r->type, r->code) : meaning4(r->type, r->code);

	if (is_own(r))
		m.kind = TCP_ICMP_HARD;
	return m;
}

/* RFC 1191 7.1: an old router does not say, so the next plateau below what it refused. */
static uint32_t plateau_below(uint32_t len)
{
	static const uint16_t plateaus[] = { 32000, 17914, 8166, 4352, 2002, 1492, 1006, 508, 296 };

	for (size_t i = 0; i < N_ELEMENTS(plateaus); i++)
		if (plateaus[i] < len)
			return plateaus[i];
	return IP4_MTU_MIN;
}

/*
 * The MTU that a message tells; 0: it is not to be heard. No link of IPv6 has less than 1280 (RFC
 * 8201 4). ip_no_pmtu_disc has Linux's meaning: 1: whatever it says, as little as there is; 2: no
 * message is heard; 3: only those that TCP can check.
 */
static uint32_t reported_mtu(const struct tern_stack *st, const struct icmp_report *r,
			     const struct quoted *q)
{
	uint32_t mtu = r->v6 ? r->info : r->info & 0xffff;
	uint8_t mode = st->cfg.ip_no_pmtu_disc;

	if (r->v6)
		return mtu >= IP6_MTU_MIN ? mtu : 0;
	if (mode == 2 || (mode == 3 && q->key.proto != TERN_IPPROTO_TCP))
		return 0;
	if (mode == 1)
		return st->cfg.path_mtu_min;
	if (mtu == 0)
		mtu = plateau_below(q->len);
	return MAX(mtu, st->cfg.path_mtu_min);
}

/* A router refuses only what is larger. */
static void learn_path_mtu(struct tern_stack *st, const struct quoted *q, uint32_t mtu)
{
	if (mtu < q->len)
		path_mtu_learn(&st->net, &q->key.remote, mtu);
}

static enum tern_drop deliver_to_tcp(struct tern_stack *st, const struct icmp_report *r,
				     const struct quoted *q, struct tuple *t)
{
	struct meaning m = meaning_of(r);
	struct sock *s = CONTAINER_OF(t, struct sock, t);
	uint32_t headers = (r->v6 ? IP6_HDR_LEN : IP4_HDR_LEN) + TCP_HDR_LEN;
	bool too_big = m.kind == TCP_ICMP_TOO_BIG;
	uint32_t mtu = too_big ? reported_mtu(st, r, q) : 0;
	const struct tcp_ctx *x = sock_ctx(&st->ss);
	struct tcp_result result = { .drop = TERN_DROP_NONE };
	struct tcp_icmp_news news = { .kind = m.kind,
				      .seq = get_be32(q->l4 + 4),
				      .error = m.error };

	if (t->kind == TUPLE_HALF && m.kind == TCP_ICMP_HARD &&
	    half_refuse(&st->ss, CONTAINER_OF(t, struct half, t), news.seq))
		return TERN_DROP_NONE;
	if (t->kind != TUPLE_SOCK)
		return TERN_DROP_ICMP_STALE;
	if (too_big && (mtu <= headers || mtu >= q->len || !sock_hears_too_big(s, !r->v6)))
		return TERN_DROP_ICMP_STALE;
	news.mss = (uint16_t)MIN(mtu - MIN(mtu, headers), 65535);
	if (!tcp_on_icmp(s->tcp, x, &news, &result))
		return TERN_DROP_ICMP_STALE;
	if (!too_big)
		s->soft_error = m.error;
	sock_tcp_settle(&st->ss, s, result.events);
	return TERN_DROP_NONE;
}

/* As Linux: too large a datagram is an error of a connected socket, unless it does not care. */
static bool tell_dgram(struct tern_stack *st, struct sock *s, const struct quoted *q,
		       struct dgram_error e)
{
	bool v4 = addr_is4(&e.dst);

	if (e.error == TERN_EMSGSIZE) {
		if (!e.info || !sock_hears_too_big(s, v4))
			return false;
		learn_path_mtu(st, q, e.info);
		if (sock_choice(s, v4)->mtu_discover == TERN_IP_PMTUDISC_DONT)
			return true;
		e.hard = true;
	}
	dgram_on_error(&st->ss, s, &e);
	return true;
}

static bool deliver_to_dgram(struct tern_stack *st, const struct quoted *q,
			     const struct dgram_error *e)
{
	struct sock *s = sock_match(&st->ss, &q->key, e->ifindex);

	return s && !sock_is_stream(s) && tell_dgram(st, s, q, *e);
}

/* As Linux: who sends a protocol raw hears whatever is said of it. */
static bool deliver_to_raws(struct tern_stack *st, const struct quoted *q,
			    const struct dgram_error *e)
{
	bool told = false;

	for (struct list *l = st->ss.raws.next; l != &st->ss.raws; l = l->next) {
		struct sock *s = CONTAINER_OF(l, struct sock, bind_link);

		if (sock_raw_speaks(s, &q->key, e->ifindex) && tell_dgram(st, s, q, *e))
			told = true;
	}
	return told;
}

/* false: too little was quoted, or what this host does not send; a later fragment has no ports. */
static bool parse_quoted(const struct icmp_report *r, struct quoted *q)
{
	uint32_t off;
	struct ip6_walk walk;
	struct ip4 ip4;
	struct ip6 ip6;

	if (r->v6) {
		if (!ip6_parse_quoted(&ip6, r->quoted, r->len) ||
		    !ip6_walk(&walk, r->quoted, r->len) || walk.frag_off)
			return false;
		q->key = (struct tuple){ .local = ip6.src, .remote = ip6.dst, .proto = walk.proto };
		q->len = IP6_HDR_LEN + ip6.payload_len;
		off = walk.offset;
	} else {
		if (!ip4_parse_quoted(&ip4, r->quoted, r->len) || ip4.frag_off)
			return false;
		q->key = (struct tuple){ .local = ip4.src, .remote = ip4.dst, .proto = ip4.proto };
		q->len = ip4.total_len;
		off = ip4.hdr_len;
	}
	if (off == 0 || off + 8 > r->len)
		return false;
	q->l4 = r->quoted + off;
	q->l4_len = r->len - off;
	q->key.lport = get_be16(q->l4);
	q->key.rport = get_be16(q->l4 + 2);
	return true;
}

/* A report of our own is told as if this host had sent it to itself. */
static void tell_way(const struct tern_stack *st, const struct icmp_report *r,
		     const struct quoted *q, struct dgram_error *e)
{
	bool own = is_own(r);

	e->offender = own ? q->key.local : r->offender;
	e->to = q->key.local;
	e->ifindex = r->ifindex;
	e->ttl = !own ? r->ttl : r->v6 ? st->cfg.hop_limit : st->cfg.ttl;
	e->tos = r->tos;
}

/* A header that somebody could not read: a stream goes on (RFC 1122 4.2.3.9), the others do not. */
static bool is_hard_for_datagrams(const struct icmp_report *r, const struct meaning *m)
{
	return m->kind == TCP_ICMP_HARD ||
	       r->type == (r->v6 ? ICMP6_PARAMETER_PROBLEM : ICMP4_PARAMETER_PROBLEM);
}

enum tern_drop icmp_deliver_error(struct tern_stack *st, const struct icmp_report *r)
{
	struct meaning m = meaning_of(r);
	struct dgram_error e = { .error = m.error,
				 .hard = is_hard_for_datagrams(r, &m),
				 .type = r->type,
				 .code = r->code,
				 .origin = r->v6 ? ORIGIN_ICMP6 : ORIGIN_ICMP };
	struct quoted q;
	struct tuple *t;
	bool told;

	if (!parse_quoted(r, &q))
		return TERN_DROP_ICMP_MALFORMED;
	/* errors go to who sent what they quote */
	if (!is_own(r) && !addr_equal(&q.key.local, &r->to))
		return TERN_DROP_ICMP_STALE;
	if (q.key.proto == TERN_IPPROTO_TCP) {
		t = tuple_find_on(&st->ss, &q.key, r->ifindex);
		return t ? deliver_to_tcp(st, r, &q, t) : TERN_DROP_ICMP_STALE;
	}
	tell_way(st, r, &q, &e);
	e.info = m.kind == TCP_ICMP_TOO_BIG ? reported_mtu(st, r, &q) : 0;
	e.dst = q.key.remote;
	e.quoted = q.l4; /* with the header of an echo: which request was it? */
	e.quoted_len = q.l4_len;
	told = deliver_to_raws(st, &q, &e);
	if (q.key.proto == TERN_IPPROTO_ICMP || q.key.proto == TERN_IPPROTO_ICMPV6) {
		q.key.lport = get_be16(q.l4 + 4); /* the identifier of an echo socket */
		q.key.rport = 0;
		told |= deliver_to_dgram(st, &q, &e);
	} else if (q.key.proto == TERN_IPPROTO_UDP) {
		e.dport = q.key.rport;
		e.quoted += UDP_HDR_LEN;
		e.quoted_len -= UDP_HDR_LEN;
		told |= deliver_to_dgram(st, &q, &e);
	}
	return told ? TERN_DROP_NONE : TERN_DROP_ICMP_STALE;
}
