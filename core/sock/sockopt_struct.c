/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sockopt_struct.c - socket options whose value is more than one integer, with Linux's structs.
 */
#include "sock_tcp.h"
#include "sockopt.h"

void sockopt_put(struct sock_option *o, const void *from, size_t size)
{
	o->len = MIN(o->len, size);
	memcpy(o->place, from, o->len);
}

/* ---- SO_LINGER ---- */

static int set_linger(struct sock *s, const struct sock_option *o)
{
	struct tern_linger l;

	if (o->len < sizeof(l))
		return -TERN_EINVAL;
	memcpy(&l, o->given, sizeof(l));
	s->linger_s = l.onoff ? MAX(l.linger, 0) : -1 - MAX(MIN(l.linger, INT32_MAX - 1), 0);
	return 0;
}

static void get_linger(const struct sock *s, struct sock_option *o)
{
	struct tern_linger l = { s->linger_s >= 0, s->linger_s };

	if (!l.onoff)
		l.linger = -1 - s->linger_s;
	sockopt_put(o, &l, sizeof(l));
}

/* ---- SO_MAX_PACING_RATE: bytes a second, in 32 or 64 bits; all ones: none ---- */

static int set_pacing_rate(struct sock *s, const struct sock_option *o)
{
	uint32_t rate32;
	uint64_t rate;

	if (o->len < sizeof(rate32))
		return -TERN_EINVAL;
	memcpy(&rate32, o->given, sizeof(rate32));
	rate = rate32;
	if (o->len >= sizeof(rate))
		memcpy(&rate, o->given, sizeof(rate));
	stream_tcp(s)->opt.max_pacing_rate = rate < UINT32_MAX ? (uint32_t)rate : 0;
	return 0;
}

static void get_pacing_rate(const struct sock *s, struct sock_option *o)
{
	uint32_t rate = stream_tcp(s)->opt.max_pacing_rate;
	uint64_t wide = rate ? rate : UINT64_MAX;

	if (!rate)
		rate = UINT32_MAX;
	if (o->len >= sizeof(wide))
		sockopt_put(o, &wide, sizeof(wide));
	else
		sockopt_put(o, &rate, sizeof(rate));
}

/* ---- TCP_CONGESTION ---- */

static int set_congestion(const struct sockets *ss, struct sock *s, const struct sock_option *o)
{
	char name[TERN_CC_NAME_MAX] = { 0 };
	const struct tern_cc_ops *ops;

	if (o->len == 0)
		return -TERN_EINVAL;
	memcpy(name, o->given, MIN(o->len, sizeof(name) - 1));
	ops = cc_find(&ss->own_cc, name);
	if (!ops)
		return -TERN_ENOENT;
	if (sockopt_has_tcp(s))
		cc_change(&s->tcp->cc, ops);
	else
		stream_tcp(s)->cc.ops = ops;
	return 0;
}

static void get_congestion(struct sock *s, struct sock_option *o)
{
	const char *algorithm = stream_tcp(s)->cc.ops->name;
	char name[TERN_CC_NAME_MAX] = { 0 };

	for (size_t n = 0; algorithm[n] && n < sizeof(name) - 1; n++)
		name[n] = algorithm[n];
	sockopt_put(o, name, sizeof(name));
}

/* ---- TCP_INFO ---- */

static void get_info(struct sockets *ss, struct sock *s, struct sock_option *o)
{
	const struct tcp_ctx *x = sock_ctx(ss);
	struct tern_tcp_info info = { 0 };

	if (sockopt_has_tcp(s)) {
		tcp_info(s->tcp, x, &info);
		info.pmtu = sock_path_mtu(ss, s);
	} else {
		info.state = s->state == TERN_TCP_LISTEN ? 10 : 7;
	}
	sockopt_put(o, &info, sizeof(info));
}

/* ---- ICMP_FILTER, ICMPV6_FILTER ---- */

static bool is_icmp_filter(const struct sock *s, const struct sock_option *o)
{
	if (s->type != TERN_SOCK_RAW || o->name != TERN_ICMP_FILTER)
		return false;
	return (o->level == TERN_IPPROTO_RAW && s->protocol == TERN_IPPROTO_ICMP) ||
	       (o->level == TERN_IPPROTO_ICMPV6 && s->protocol == TERN_IPPROTO_ICMPV6);
}

static size_t filter_size(const struct sock *s)
{
	return s->family == TERN_AF_INET ? sizeof(uint32_t) : sizeof(s->dgram->icmp_filter);
}

/* ---- all ---- */

static bool is_option(const struct sock_option *o, int level, int name)
{
	return o->level == level && o->name == name;
}

static bool is_mcast_if(const struct sock *s, const struct sock_option *o)
{
	if (sock_is_stream(s))
		return false;
	return is_option(o, TERN_IPPROTO_IP, TERN_IP_MULTICAST_IF) ||
	       (s->family == TERN_AF_INET6 &&
		is_option(o, TERN_IPPROTO_IPV6, TERN_IPV6_MULTICAST_IF));
}

int sockopt_set_struct(struct sockets *ss, struct sock *s, const struct sock_option *o)
{
	bool stream = sock_is_stream(s);

	if (is_option(o, TERN_SOL_SOCKET, TERN_SO_LINGER))
		return set_linger(s, o);
	if (is_option(o, TERN_SOL_SOCKET, TERN_SO_MAX_PACING_RATE) && stream)
		return set_pacing_rate(s, o);
	if (is_option(o, TERN_IPPROTO_TCP, TERN_TCP_CONGESTION) && stream)
		return set_congestion(ss, s, o);
	if (is_mcast_if(s, o))
		return sock_set_mcast_if(ss, s, o);
	if (!is_icmp_filter(s, o))
		return sock_group_option(ss, s, o);
	memcpy(s->dgram->icmp_filter, o->given, MIN(o->len, filter_size(s)));
	return 0;
}

/* RFC 3542 11.4, as Linux: the address is left empty. */
static int get_path_mtu(const struct sockets *ss, const struct sock *s, struct sock_option *o)
{
	struct {
		uint8_t sockaddr_in6[28];
		uint32_t mtu;
	} info = { .mtu = sock_path_mtu(ss, s) };

	if (!info.mtu)
		return -TERN_ENOTCONN;
	sockopt_put(o, &info, sizeof(info));
	return 0;
}

int sockopt_get_struct(struct sockets *ss, struct sock *s, struct sock_option *o)
{
	bool stream = sock_is_stream(s);
	int32_t error;

	if (is_option(o, TERN_SOL_SOCKET, TERN_SO_ERROR)) {
		error = -sock_take_error(s);
		sockopt_put(o, &error, sizeof(error));
	} else if (is_option(o, TERN_SOL_SOCKET, TERN_SO_LINGER)) {
		get_linger(s, o);
	} else if (is_option(o, TERN_SOL_SOCKET, TERN_SO_MAX_PACING_RATE) && stream) {
		get_pacing_rate(s, o);
	} else if (is_option(o, TERN_IPPROTO_TCP, TERN_TCP_CONGESTION) && stream) {
		get_congestion(s, o);
	} else if (is_option(o, TERN_IPPROTO_TCP, TERN_TCP_INFO) && stream) {
		get_info(ss, s, o);
	} else if (is_option(o, TERN_IPPROTO_IPV6, TERN_IPV6_PATHMTU) &&
		   s->family == TERN_AF_INET6) {
		return get_path_mtu(ss, s, o);
	} else if (is_mcast_if(s, o)) {
		sock_get_mcast_if(s, o);
	} else if (is_icmp_filter(s, o)) {
		sockopt_put(o, s->dgram->icmp_filter, filter_size(s));
	} else {
		return sock_get_filter(ss, s, o);
	}
	return 0;
}
