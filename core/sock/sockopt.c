/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sockopt.c - socket options, with Linux's numbers, structs and limits.
 *
 * Most options are one integer. They are in two tables, here and in sockopt_ip.c: level, name,
 * which sockets know it, its range, and the function that carries it out. What is neither there nor
 * in sockopt_struct.c is ENOPROTOOPT.
 */
#include "sock_tcp.h"
#include "sockopt.h"

FLAG(reuseaddr)
FLAG(reuseport)
FLAG(broadcast)
PLAIN(dgram_keepalive, dgram->keepalive, bool)
PLAIN(dgram_oob_inline, dgram->oob_inline, bool)
PLAIN(gro, dgram->gro, bool)
PLAIN(segment, dgram->segment, uint16_t)
PLAIN(fast_open_max, fast_open_max, uint16_t)

/* As Linux: who has a peer already is to find the way there anew. */
static void set_bound_ifindex(struct sockets *ss, struct sock *s, int32_t v)
{
	(void)ss;
	s->bound_ifindex = (uint16_t)v;
	s->out_ifindex = 0;
}

GETTER(bound_ifindex, bound_ifindex)

static void set_rcvlowat(struct sockets *ss, struct sock *s, int32_t v)
{
	(void)ss;
	s->rcvlowat = v < 0 ? INT32_MAX : (uint32_t)MAX(v, 1); /* as on Linux */
}

GETTER(rcvlowat, rcvlowat)

/* Linux's answer to whoever asks: a write waits for one byte. */
static int32_t get_sndlowat(const struct sockets *ss, const struct sock *s)
{
	(void)ss;
	(void)s;
	return 1;
}

/* After a change that the connection must hear of. */
static void settle_stream(struct sockets *ss, struct sock *s)
{
	if (sock_is_stream(s) && s->state != TERN_TCP_LISTEN && s->tcp && s->t.in_table) {
		s->writable = s->writable && sock_tcp_writable(s);
		sock_tcp_settle(ss, s, 0);
	}
}

enum { MSS_UNTOLD = 536 }; /* Linux's TCP_MSS_DEFAULT: what a socket without a peer tells */

/* Options of a stream; a value of 0 means what the configuration says. */
#define TCP_GETTER(fn, field, to_user)                                                             \
	static int32_t get_##fn(const struct sockets *ss, const struct sock *s)                    \
	{                                                                                          \
		int32_t v = (int32_t)stream_tcp(s)->opt.field;                                     \
		(void)ss;                                                                          \
		return to_user;                                                                    \
	}
#define TCP_OPTION(fn, field, type, to_user)                                                       \
	static void set_##fn(struct sockets *ss, struct sock *s, int32_t v)                        \
	{                                                                                          \
		stream_tcp(s)->opt.field = (type)v;                                                \
		settle_stream(ss, s);                                                              \
	}                                                                                          \
	TCP_GETTER(fn, field, to_user)

/* As tcp(7) says: a cork holds all the same, but what it holds goes now. */
static void set_nodelay(struct sockets *ss, struct sock *s, int32_t v)
{
	stream_tcp(s)->opt.nodelay = v != 0;
	if (v)
		stream_tcp(s)->cork = false; /* until the next text comes */
	settle_stream(ss, s);
}

TCP_GETTER(nodelay, nodelay, v)

static void set_cork(struct sockets *ss, struct sock *s, int32_t v)
{
	stream_tcp(s)->opt.cork = stream_tcp(s)->cork = v != 0;
	settle_stream(ss, s);
}

TCP_GETTER(cork, cork, v)
TCP_OPTION(user_timeout, user_timeout_ms, uint32_t, v)
TCP_OPTION(fast_open_connect, fast_open_connect, bool, v)
TCP_OPTION(fast_open_no_cookie, fast_open_no_cookie, bool, v)
TCP_OPTION(notsent_lowat, notsent_lowat, uint32_t, v)
TCP_OPTION(oob_inline, oob_inline, bool, v)
TCP_OPTION(maxseg, user_mss, uint16_t,
	   sockopt_has_tcp(s) && s->tcp->snd_mss ? s->tcp->snd_mss :
	   v					 ? v :
						   (int32_t)MSS_UNTOLD)
TCP_OPTION(keepintvl, keep_interval_s, uint16_t,
	   v ? v : (int32_t)ss->cfg->tcp_keepalive_interval_ms / 1000)
TCP_OPTION(keepcnt, keep_count, uint8_t, v ? v : (int32_t)ss->cfg->tcp_keepalive_probes)
TCP_OPTION(syncnt, syn_retries, uint8_t, v ? v : (int32_t)ss->cfg->tcp_syn_retries)

/* Linux's TCP_LINGER2: below zero at once, above two minutes as two minutes. */
static void set_linger2(struct sockets *ss, struct sock *s, int32_t v)
{
	(void)ss;
	stream_tcp(s)->opt.linger2_s = (int8_t)MAX(MIN(v, 120), -1);
}

static int32_t get_linger2(const struct sockets *ss, const struct sock *s)
{
	int32_t v = stream_tcp(s)->opt.linger2_s;

	return v ? v : (int32_t)ss->cfg->tcp_fin_timeout_ms / 1000;
}

/* TCP_DEFER_ACCEPT counts time-outs of the SYN-ACK; the user's seconds are rounded up to them. */
static int32_t seconds_of_timeouts(const struct sockets *ss, unsigned n)
{
	uint64_t ms = 0, rto = ss->cfg->tcp_rto_initial_ms;

	for (; n > 0; n--) {
		ms += rto;
		rto = MIN(2 * rto, ss->cfg->tcp_rto_max_ms);
	}
	return (int32_t)MIN(ms / 1000, INT32_MAX);
}

static void set_defer_accept(struct sockets *ss, struct sock *s, int32_t v)
{
	uint8_t n = 0;

	while (n < UINT8_MAX && seconds_of_timeouts(ss, n) < v)
		n++;
	stream_tcp(s)->opt.defer_accept = n;
}

static int32_t get_defer_accept(const struct sockets *ss, const struct sock *s)
{
	return seconds_of_timeouts(ss, stream_tcp(s)->opt.defer_accept);
}

static void set_keepalive(struct sockets *ss, struct sock *s, int32_t v)
{
	const struct tcp_ctx *x = sock_ctx(ss);

	tcp_set_keepalive(stream_tcp(s), x, v != 0);
	settle_stream(ss, s);
}

static int32_t get_keepalive(const struct sockets *ss, const struct sock *s)
{
	(void)ss;
	return stream_tcp(s)->opt.keepalive;
}

enum { CLAMP_MIN = 1152 }; /* Linux's SOCK_MIN_RCVBUF / 2 */

static void set_keepidle(struct sockets *ss, struct sock *s, int32_t v)
{
	const struct tcp_ctx *x = sock_ctx(ss);

	tcp_set_keep_idle(stream_tcp(s), x, (uint16_t)v);
	settle_stream(ss, s);
}

static int32_t get_keepidle(const struct sockets *ss, const struct sock *s)
{
	int32_t v = stream_tcp(s)->opt.keep_idle_s;

	return v ? v : (int32_t)ss->cfg->tcp_keepalive_time_ms / 1000;
}

static void set_window_clamp(struct sockets *ss, struct sock *s, int32_t v)
{
	stream_tcp(s)->opt.window_clamp = v ? (uint32_t)MAX(v, CLAMP_MIN) : 0;
	settle_stream(ss, s);
}

static int32_t get_window_clamp(const struct sockets *ss, const struct sock *s)
{
	(void)ss;
	return (int32_t)stream_tcp(s)->opt.window_clamp;
}

static void set_quickack(struct sockets *ss, struct sock *s, int32_t v)
{
	stream_tcp(s)->opt.quickack = v != 0;
	stream_tcp(s)->opt.quickack_off = v == 0;
	if (!sockopt_has_tcp(s))
		return;
	if (!v)
		s->tcp->quick_acks = 0;
	if (v && s->tcp->ack_due == ACK_LATER) {
		s->tcp->ack_due = ACK_NOW;
		settle_stream(ss, s);
	}
}

static int32_t get_quickack(const struct sockets *ss, const struct sock *s)
{
	(void)ss;
	return !stream_tcp(s)->opt.quickack_off; /* Linux: it begins so */
}

/* As Linux: the kernel doubles what was asked for, within limits. */
static uint32_t buffer_size(int32_t asked, uint32_t max, uint32_t min)
{
	uint32_t v = MIN((uint32_t)asked, max); /* below zero is a large number, as on Linux */

	return MAX(2 * v, min);
}

static uint32_t *sndbuf_of(const struct sock *s)
{
	return sock_is_stream(s) ? &stream_tcp(s)->opt.sndbuf : &s->dgram->sndbuf;
}

static uint32_t *rcvbuf_of(const struct sock *s)
{
	return sock_is_stream(s) ? &stream_tcp(s)->opt.rcvbuf : &s->dgram->rcvbuf;
}

/* A larger one may be room that somebody waits for: a stream's settling tells of it. */
static void set_sndbuf(struct sockets *ss, struct sock *s, int32_t v)
{
	bool stream = sock_is_stream(s);
	bool was_full = !stream && !(sock_dgram_poll(s) & TERN_POLLOUT);

	if (stream)
		stream_tcp(s)->opt.sndbuf_set = true;
	*sndbuf_of(s) =
		buffer_size(v, stream ? ss->cfg->tcp_sndbuf_max : ss->cfg->sndbuf_max, 4608);
	settle_stream(ss, s);
	if (was_full && (sock_dgram_poll(s) & TERN_POLLOUT))
		sock_news(ss, s, NEWS_OUT);
}

static int32_t get_sndbuf(const struct sockets *ss, const struct sock *s)
{
	(void)ss;
	return (int32_t)*sndbuf_of(s);
}

static void set_rcvbuf(struct sockets *ss, struct sock *s, int32_t v)
{
	if (sock_is_stream(s))
		stream_tcp(s)->opt.rcvbuf_set = true;
	*rcvbuf_of(s) = buffer_size(
		v, sock_is_stream(s) ? ss->cfg->tcp_rcvbuf_max : ss->cfg->rcvbuf_max, 2304);
}

static int32_t get_rcvbuf(const struct sockets *ss, const struct sock *s)
{
	(void)ss;
	return (int32_t)*rcvbuf_of(s);
}

static void set_defer(struct sockets *ss, struct sock *s, int32_t v)
{
	(void)ss;
	stream_tcp(s)->opt.defer_syn = v != 0;
}

static int32_t get_defer(const struct sockets *ss, const struct sock *s)
{
	(void)ss;
	return stream_tcp(s)->opt.defer_syn;
}

/* ---- what can only be asked ---- */

#define ASKED(fn, value)                                                                           \
	static int32_t get_##fn(const struct sockets *ss, const struct sock *s)                    \
	{                                                                                          \
		(void)ss;                                                                          \
		return value;                                                                      \
	}

ASKED(type, s->type)
ASKED(domain, s->family)
ASKED(protocol, s->protocol)
ASKED(acceptconn, sock_is_stream(s) && s->state == TERN_TCP_LISTEN)
ASKED(atmark, sockopt_has_tcp(s) && tcp_at_mark(s->tcp))
ASKED(any_port, s->any_port)

static int32_t get_inq(const struct sockets *ss, const struct sock *s)
{
	(void)ss;
	if (!sock_is_stream(s))
		return s->dgram->recv.head ? (int32_t)s->dgram->recv.head->len : 0;
	return sockopt_has_tcp(s) ? (int32_t)tcp_unread(s->tcp) : 0;
}

static int32_t get_outq(const struct sockets *ss, const struct sock *s)
{
	(void)ss;
	if (!sock_is_stream(s))
		return (int32_t)s->dgram->send_bytes;
	if (!sockopt_has_tcp(s) || s->tcp->state == TERN_TCP_CLOSED)
		return 0;
	return (int32_t)(s->tcp->snd.end - MIN(MAX(s->tcp->snd.una, seq_first(s->tcp->snd.iss) + 1),
					       s->tcp->snd.end));
}

static int32_t get_drops(const struct sockets *ss, const struct sock *s)
{
	(void)ss;
	return sock_is_stream(s) ? 0 : (int32_t)s->dgram->drops;
}

/* ---- the table ---- */

static const struct option options[] = {
	{ TERN_SOL_SOCKET, TERN_SO_REUSEADDR, ALL, ANY, RW(reuseaddr) },
	{ TERN_SOL_SOCKET, TERN_SO_REUSEPORT, ALL, ANY, RW(reuseport) },
	{ TERN_SOL_SOCKET, TERN_SO_BROADCAST, ALL, ANY, RW(broadcast) },
	{ TERN_SOL_SOCKET, TERN_SO_KEEPALIVE, STREAM, ANY, RW(keepalive) },
	{ TERN_SOL_SOCKET, TERN_SO_KEEPALIVE, DGRAM | RAW, ANY, RW(dgram_keepalive) },
	{ TERN_SOL_SOCKET, TERN_SO_OOBINLINE, STREAM, ANY, RW(oob_inline) },
	{ TERN_SOL_SOCKET, TERN_SO_OOBINLINE, DGRAM | RAW, ANY, RW(dgram_oob_inline) },
	{ TERN_SOL_SOCKET, TERN_SO_SNDBUF, ALL, ANY, RW(sndbuf) },
	{ TERN_SOL_SOCKET, TERN_SO_RCVBUF, ALL, ANY, RW(rcvbuf) },
	{ TERN_SOL_SOCKET, TERN_SO_RCVLOWAT, ALL, ANY, RW(rcvlowat) },
	{ TERN_SOL_SOCKET, TERN_SO_SNDLOWAT, ALL, ANY, RO(sndlowat) },
	{ TERN_SOL_SOCKET, TERN_SO_BINDTOIFINDEX, ALL, 0, IFACES_MAX, RW(bound_ifindex) },
	{ TERN_SOL_SOCKET, TERN_SO_TYPE, ALL, ANY, RO(type) },
	{ TERN_SOL_SOCKET, TERN_SO_DOMAIN, ALL, ANY, RO(domain) },
	{ TERN_SOL_SOCKET, TERN_SO_PROTOCOL, ALL, ANY, RO(protocol) },
	{ TERN_SOL_SOCKET, TERN_SO_ACCEPTCONN, ALL, ANY, RO(acceptconn) },
	{ TERN_SOL_SOCKET, TERN_SO_SIOCINQ, ALL, ANY, RO(inq) },
	{ TERN_SOL_SOCKET, TERN_SO_SIOCOUTQ, ALL, ANY, RO(outq) },
	{ TERN_SOL_SOCKET, TERN_SO_ATMARK, STREAM, ANY, RO(atmark) },
	{ TERN_SOL_SOCKET, TERN_SO_DROPS, ALL, ANY, RO(drops) },
	{ TERN_SOL_SOCKET, TERN_SO_DEFER_SYN, STREAM, ANY, RW(defer) },
	{ TERN_SOL_SOCKET, TERN_SO_ANY_PORT, STREAM | DGRAM, ANY, RO(any_port) },
	{ TERN_IPPROTO_UDP, TERN_UDP_SEGMENT, DGRAM, 0, 65535, RW(segment) },
	{ TERN_IPPROTO_UDP, TERN_UDP_GRO, DGRAM, ANY, RW(gro) },
	{ TERN_IPPROTO_TCP, TERN_TCP_NODELAY, STREAM, ANY, RW(nodelay) },
	{ TERN_IPPROTO_TCP, TERN_TCP_CORK, STREAM, ANY, RW(cork) },
	{ TERN_IPPROTO_TCP, TERN_TCP_MAXSEG, STREAM, ANY, RW(maxseg) },
	{ TERN_IPPROTO_TCP, TERN_TCP_KEEPIDLE, STREAM, 1, 32767, RW(keepidle) },
	{ TERN_IPPROTO_TCP, TERN_TCP_KEEPINTVL, STREAM, 1, 32767, RW(keepintvl) },
	{ TERN_IPPROTO_TCP, TERN_TCP_KEEPCNT, STREAM, 1, 127, RW(keepcnt) },
	{ TERN_IPPROTO_TCP, TERN_TCP_SYNCNT, STREAM, 1, 127, RW(syncnt) },
	{ TERN_IPPROTO_TCP, TERN_TCP_LINGER2, STREAM, ANY, RW(linger2) },
	{ TERN_IPPROTO_TCP, TERN_TCP_DEFER_ACCEPT, STREAM, ANY, RW(defer_accept) },
	{ TERN_IPPROTO_TCP, TERN_TCP_FASTOPEN, STREAM, 0, 65535, RW(fast_open_max) },
	{ TERN_IPPROTO_TCP, TERN_TCP_FASTOPEN_CONNECT, STREAM, 0, 1, RW(fast_open_connect) },
	{ TERN_IPPROTO_TCP, TERN_TCP_FASTOPEN_NO_COOKIE, STREAM, 0, 1, RW(fast_open_no_cookie) },
	{ TERN_IPPROTO_TCP, TERN_TCP_QUICKACK, STREAM, ANY, RW(quickack) },
	{ TERN_IPPROTO_TCP, TERN_TCP_NOTSENT_LOWAT, STREAM, ANY, RW(notsent_lowat) },
	{ TERN_IPPROTO_TCP, TERN_TCP_WINDOW_CLAMP, STREAM, ANY, RW(window_clamp) },
	{ TERN_IPPROTO_TCP, TERN_TCP_USER_TIMEOUT, STREAM, 0, INT32_MAX, RW(user_timeout) },
};

static bool applies(const struct option *o, const struct sock *s)
{
	unsigned kind = sock_is_stream(s) ? STREAM : s->type == TERN_SOCK_RAW ? RAW : DGRAM;

	if (!(o->who & kind) || (o->level == TERN_IPPROTO_UDP && s->protocol != TERN_IPPROTO_UDP))
		return false;
	return !(o->who & V6) || s->family == TERN_AF_INET6;
}

static const struct option *look_up(const struct option *o, size_t n, const struct sock *s,
				    int level, int name)
{
	for (size_t i = 0; i < n; i++)
		if (o[i].level == level && o[i].name == name && applies(&o[i], s))
			return &o[i];
	return NULL;
}

static const struct option *find_option(const struct sock *s, int level, int name)
{
	const struct option *o, *of_ip;
	size_t n_of_ip;

	of_ip = sockopt_ip_table(&n_of_ip);
	o = look_up(options, N_ELEMENTS(options), s, level, name);
	return o ? o : look_up(of_ip, n_of_ip, s, level, name);
}

enum { MAXSEG_MIN = 88 }; /* Linux's TCP_MIN_MSS: room for all options */

/* Options of level IP may be one byte, as programs set IP_MULTICAST_TTL, and some none, for 0. */
static bool read_integer(const struct option *o, const void *value, size_t len, int32_t *v)
{
	if (len >= sizeof(*v)) {
		memcpy(v, value, sizeof(*v));
		return true;
	}
	if (o->level != TERN_IPPROTO_IP || (len == 0 && o->who & NOT_EMPTY))
		return false;
	*v = len ? *(const uint8_t *)value : 0;
	return true;
}

static int set_integer(struct sockets *ss, struct sock *s, const struct option *o,
		       const void *value, size_t len)
{
	int32_t v;
	int err;

	if (!read_integer(o, value, len, &v))
		return -TERN_EINVAL;
	if (o->name == TERN_SO_ANY_PORT)
		return v == 1 ? port_take_any(ss, s) : -TERN_EINVAL;
	if (!o->set)
		return -TERN_ENOPROTOOPT;
	if (o->min <= o->max && (v < o->min || v > o->max))
		return -TERN_EINVAL;
	if (o->set == set_fast_open_connect && !(ss->cfg->tcp_fastopen & FAST_OPEN_CLIENT))
		return -TERN_EOPNOTSUPP;
	if (o->set == set_window_clamp && v == 0 && s->state != TERN_TCP_CLOSED)
		return -TERN_EINVAL;
	if (o->set == set_fast_open_max && s->state != TERN_TCP_CLOSED &&
	    s->state != TERN_TCP_LISTEN)
		return -TERN_EINVAL;
	if (o->set == set_maxseg && v != 0 && (v < MAXSEG_MIN || v > 32767))
		return -TERN_EINVAL;
	err = sockopt_ip_refuses(s, o, v);
	if (!err)
		o->set(ss, s, v);
	return err;
}

/* IPv4's are of the IPv6 sockets that can have peers of IPv4's: as on Linux, not of raw ones. */
static bool lacks_level(const struct sock *s, int level)
{
	return level == TERN_IPPROTO_IP && s->family == TERN_AF_INET6 && s->type == TERN_SOCK_RAW;
}

int sock_setopt(struct sockets *ss, struct sock *s, int level, int name, const void *value,
		size_t len)
{
	const struct option *o = find_option(s, level, name);
	struct sock_option opt = { level, name, value, NULL, len };

	if (lacks_level(s, level))
		return -TERN_ENOPROTOOPT;
	return o ? set_integer(ss, s, o, value, len) : sockopt_set_struct(ss, s, &opt);
}

static bool is_mtu(const struct option *o)
{
	return o->level == TERN_IPPROTO_IP ?
		       o->name == TERN_IP_MTU :
		       o->level == TERN_IPPROTO_IPV6 && o->name == TERN_IPV6_MTU;
}

static bool knows_level(const struct sock *s, int level)
{
	return level == TERN_SOL_SOCKET || level == TERN_IPPROTO_IP || level == s->protocol ||
	       (level == TERN_IPPROTO_RAW && s->type == TERN_SOCK_RAW);
}

int sock_getopt(struct sockets *ss, struct sock *s, int level, int name, void *value, size_t *len)
{
	const struct option *o = find_option(s, level, name);
	struct sock_option opt = { level, name, NULL, value, *len };
	int err = 0;

	if (lacks_level(s, level))
		return -TERN_ENOPROTOOPT;
	if (o && is_mtu(o) && !sock_path_mtu(ss, s))
		return -TERN_ENOTCONN;
	if (o && (o->get == get_inq || o->get == get_outq) && s->state == TERN_TCP_LISTEN)
		return -TERN_EINVAL;
	if (o) {
		int32_t v = o->get(ss, s);

		sockopt_put(&opt, &v, sizeof(v));
	} else {
		err = sockopt_get_struct(ss, s, &opt);
		if (err && s->family == TERN_AF_INET && !knows_level(s, level))
			err = -TERN_EOPNOTSUPP; /* of Linux's IPv4, and only when asked */
	}
	*len = opt.len;
	return err;
}
