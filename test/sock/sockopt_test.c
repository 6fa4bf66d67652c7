/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sockopt_test.c - core/sock/sockopt.c: every option on every kind of socket: what it is at first,
 * what may be set, what is read back, and the errors that Linux gives.
 */
#include "sockopt_fixture.h"

/* ---- the options that are one integer ---- */

enum what {
	FLAG,	/* any integer; read as 0 or 1 */
	NUMBER, /* from min to max, read as set */
	ASKED,	/* only read */
};

struct option {
	const char *name;
	int level, number;
	unsigned kinds;
	enum what what;
	int32_t min, max; /* of a NUMBER */
	int32_t at_first;
};

#define SOCKET(n) "SO_" #n, TERN_SOL_SOCKET, TERN_SO_##n
#define IP(n) "IP_" #n, TERN_IPPROTO_IP, TERN_IP_##n
#define IPV6(n) "IPV6_" #n, TERN_IPPROTO_IPV6, TERN_IPV6_##n
#define TCP(n) "TCP_" #n, TERN_IPPROTO_TCP, TERN_TCP_##n

/* Level IP: all but a raw socket of IPv6. */
enum { OF_IP = ANY & ~RAW6 };

static const struct option options[] = {
	{ SOCKET(REUSEADDR), ANY, FLAG, 0, 0, 0 },
	{ SOCKET(REUSEPORT), ANY, FLAG, 0, 0, 0 },
	{ SOCKET(BROADCAST), ANY, FLAG, 0, 0, 0 },
	{ SOCKET(KEEPALIVE), ANY, FLAG, 0, 0, 0 },
	{ SOCKET(OOBINLINE), ANY, FLAG, 0, 0, 0 },
	{ SOCKET(RCVLOWAT), ANY, NUMBER, 1, 0, 1 },
	{ SOCKET(BINDTOIFINDEX), ANY, NUMBER, 0, 2, 0 },
	{ SOCKET(TYPE), STREAM, ASKED, 0, 0, TERN_SOCK_STREAM },
	{ SOCKET(TYPE), UDP4 | UDP6, ASKED, 0, 0, TERN_SOCK_DGRAM },
	{ SOCKET(TYPE), RAW, ASKED, 0, 0, TERN_SOCK_RAW },
	{ SOCKET(DOMAIN), FOUR, ASKED, 0, 0, TERN_AF_INET },
	{ SOCKET(DOMAIN), SIX, ASKED, 0, 0, TERN_AF_INET6 },
	{ SOCKET(PROTOCOL), STREAM, ASKED, 0, 0, TERN_IPPROTO_TCP },
	{ SOCKET(PROTOCOL), UDP4 | UDP6, ASKED, 0, 0, TERN_IPPROTO_UDP },
	{ SOCKET(PROTOCOL), RAW, ASKED, 0, 0, 99 },
	{ SOCKET(ACCEPTCONN), ANY, ASKED, 0, 0, 0 },
	{ SOCKET(SIOCINQ), ANY, ASKED, 0, 0, 0 },
	{ SOCKET(SIOCOUTQ), ANY, ASKED, 0, 0, 0 },
	{ SOCKET(ATMARK), STREAM, ASKED, 0, 0, 0 },
	{ SOCKET(DROPS), ANY, ASKED, 0, 0, 0 },
	{ IP(TOS), OF_IP, NUMBER, 0, 252, 0 },
	{ IP(TTL), OF_IP, NUMBER, 1, 255, 64 },
	{ IP(HDRINCL), RAW4, FLAG, 0, 0, 0 },
	{ IP(PKTINFO), OF_IP, FLAG, 0, 0, 0 },
	{ IP(RECVTTL), OF_IP, FLAG, 0, 0, 0 },
	{ IP(RECVTOS), OF_IP, FLAG, 0, 0, 0 },
	{ IP(RECVERR), OF_IP, FLAG, 0, 0, 0 },
	{ IP(MTU_DISCOVER), OF_IP, NUMBER, 0, 5, 1 },
	{ IP(FREEBIND), OF_IP, FLAG, 0, 0, 0 },
	{ IP(MULTICAST_TTL), UDP4 | UDP6 | RAW4, NUMBER, 1, 255, 1 },
	{ IP(MULTICAST_LOOP), UDP4 | UDP6 | RAW4, FLAG, 0, 0, 1 },
	{ IP(MULTICAST_ALL), UDP4 | RAW4, NUMBER, 0, 1, 1 },
	{ IP(MULTICAST_ALL), UDP6, NUMBER, 0, 1, 0 },
	{ IPV6(MULTICAST_LOOP), UDP6 | RAW6, NUMBER, 0, 1, 1 },
	{ IPV6(MULTICAST_ALL), UDP6 | RAW6, NUMBER, 0, 1, 1 },
	{ IPV6(MTU_DISCOVER), SIX, NUMBER, 0, 5, 1 },
	{ IPV6(DONTFRAG), UDP6 | RAW6, FLAG, 0, 0, 0 },
	{ IPV6(RECVPATHMTU), UDP6 | RAW6, FLAG, 0, 0, 0 },
	{ IPV6(V6ONLY), SIX, FLAG, 0, 0, 0 },
	{ IPV6(UNICAST_HOPS), SIX, NUMBER, 1, 255, 64 },
	{ IPV6(MULTICAST_HOPS), UDP6 | RAW6, NUMBER, 1, 255, 1 },
	{ IPV6(TCLASS), UDP6 | RAW6, NUMBER, 0, 255, 0 },
	{ IPV6(TCLASS), TCP6, NUMBER, 0, 252, 0 },
	{ SOCKET(SNDLOWAT), ANY, ASKED, 0, 0, 1 },
	{ IPV6(RECVERR), SIX, FLAG, 0, 0, 0 },
	{ IPV6(RECVPKTINFO), SIX, FLAG, 0, 0, 0 },
	{ IPV6(RECVHOPLIMIT), SIX, FLAG, 0, 0, 0 },
	{ IPV6(RECVTCLASS), SIX, FLAG, 0, 0, 0 },
	{ IPV6(2292PKTINFO), SIX, FLAG, 0, 0, 0 },
	{ IPV6(2292HOPLIMIT), SIX, FLAG, 0, 0, 0 },
	{ IPV6(FLOWINFO), SIX, FLAG, 0, 0, 0 },
	{ IPV6(FLOWINFO_SEND), SIX, FLAG, 0, 0, 0 },
	{ IPV6(AUTOFLOWLABEL), SIX, FLAG, 0, 0, 1 },
	{ IPV6(HDRINCL), RAW6, FLAG, 0, 0, 0 },
	{ "UDP_SEGMENT", TERN_IPPROTO_UDP, TERN_UDP_SEGMENT, UDP4 | UDP6, NUMBER, 0, 65535, 0 },
	{ "UDP_GRO", TERN_IPPROTO_UDP, TERN_UDP_GRO, UDP4 | UDP6, FLAG, 0, 0, 0 },
	{ TCP(NODELAY), STREAM, FLAG, 0, 0, 0 },
	{ TCP(FASTOPEN), STREAM, NUMBER, 0, 65535, 0 },
	{ TCP(FASTOPEN_NO_COOKIE), STREAM, NUMBER, 0, 1, 0 },
	{ TCP(CORK), STREAM, FLAG, 0, 0, 0 },
	{ TCP(KEEPIDLE), STREAM, NUMBER, 1, 32767, 7200 },
	{ TCP(KEEPINTVL), STREAM, NUMBER, 1, 32767, 75 },
	{ TCP(KEEPCNT), STREAM, NUMBER, 1, 127, 9 },
	{ TCP(SYNCNT), STREAM, NUMBER, 1, 127, 7 },
	{ TCP(USER_TIMEOUT), STREAM, NUMBER, 0, INT32_MAX, 0 },
};

static int set(tern_sock s, const struct option *o, int32_t v)
{
	return tern_setsockopt(st, s, o->level, o->number, &v, sizeof(v));
}

static int32_t get(tern_sock s, const struct option *o)
{
	int32_t v = -99999;
	size_t len = sizeof(v);

	check_eq(tern_getsockopt(st, s, o->level, o->number, &v, &len), 0);
	check_eq(len, sizeof(v));
	return v;
}

static void try_flag(tern_sock s, const struct option *o)
{
	static const int32_t values[] = { 1, 0, 5, 0, -1, 0, 256, 0, INT32_MIN };

	for (size_t i = 0; i < N_TESTS(values); i++) {
		check_eq(set(s, o, values[i]), 0);
		check_eq(get(s, o), values[i] != 0);
	}
}

static bool is_ip(const struct option *o, int number)
{
	return o->level == TERN_IPPROTO_IP && o->number == number;
}

static bool is_socket(const struct option *o, int number)
{
	return o->level == TERN_SOL_SOCKET && o->number == number;
}

static void try_number(tern_sock s, const struct option *o)
{
	int32_t max = o->max ? o->max : INT32_MAX, mid = o->min + (max - o->min) / 3;

	check_eq(set(s, o, o->min), 0);
	check_eq(get(s, o), o->min);
	check_eq(set(s, o, max), 0);
	check_eq(get(s, o), max);
	check_eq(set(s, o, mid), 0);
	check_eq(get(s, o), mid);
	if (max == 252) /* the classes of traffic: odd_numbers says more */
		return;
	if (max < INT32_MAX && !is_socket(o, TERN_SO_BINDTOIFINDEX))
		check_eq(set(s, o, max + 1), -TERN_EINVAL);
	if (is_ip(o, TERN_IP_TTL))
		check_eq(set(s, o, 0), -TERN_EINVAL);
	if (!is_socket(o, TERN_SO_RCVLOWAT))
		check_eq(set(s, o, -2), -TERN_EINVAL);
	check_eq(get(s, o), mid);
}

/* Lengths: less than an integer is refused (IP options excepted, where Linux takes one byte). */
static void try_lengths(tern_sock s, const struct option *o)
{
	uint8_t room[16] = { 0 };
	int32_t now = get(s, o);
	size_t len;

	for (len = 0; len < 4; len++)
		if (o->level != TERN_IPPROTO_IP)
			check_eq(tern_setsockopt(st, s, o->level, o->number, room, len),
				 -TERN_EINVAL);
	memcpy(room, &now, sizeof(now));
	if (o->what != ASKED)
		check_eq(tern_setsockopt(st, s, o->level, o->number, room, sizeof(room)), 0);
	len = sizeof(room);
	memset(room, 0x77, sizeof(room));
	check_eq(tern_getsockopt(st, s, o->level, o->number, room, &len), 0);
	check_eq(len, 4); /* never more than an integer, and not a byte beyond */
	check_mem(room, &now, 4);
	check_eq(room[4], 0x77);
	for (size_t n = 0; n < 4; n++) {
		len = n;
		memset(room, 0x77, sizeof(room));
		check_eq(tern_getsockopt(st, s, o->level, o->number, room, &len), 0);
		check_eq(len, n);
		check_eq(room[n], 0x77);
	}
}

static bool is_elsewhere(const struct option *o, unsigned kind)
{
	for (size_t i = 0; i < N_TESTS(options); i++)
		if (options[i].level == o->level && options[i].number == o->number &&
		    (options[i].kinds & kind))
			return true;
	return o->number == TERN_IP_MULTICAST_TTL || o->number == TERN_IPV6_MULTICAST_HOPS;
}

/* Linux's IPv4 says otherwise to who asks at a level that the socket does not know. */
static int unknown_when_asked(unsigned kind, int level)
{
	int own = kind & STREAM ? TERN_IPPROTO_TCP : kind & RAW ? 99 : TERN_IPPROTO_UDP;
	bool known = level == TERN_SOL_SOCKET || level == TERN_IPPROTO_IP || level == own ||
		     (level == TERN_IPPROTO_RAW && (kind & RAW));

	return (kind & FOUR) && !known ? -TERN_EOPNOTSUPP : -TERN_ENOPROTOOPT;
}

static void try_option(const struct option *o, unsigned kind)
{
	tern_sock s = new_sock(kind);
	int32_t v = 1;
	size_t len = sizeof(v);

	test_at("%s on socket %u", o->name, kind);
	if (!(o->kinds & kind)) {
		if (!is_elsewhere(o, kind)) {
			check_eq(set(s, o, 1), -TERN_ENOPROTOOPT);
			check_eq(tern_getsockopt(st, s, o->level, o->number, &v, &len),
				 unknown_when_asked(kind, o->level));
			check_eq(v, 1);
		}
		check_eq(tern_close(st, s), 0);
		return;
	}
	check_eq(get(s, o), o->at_first);
	if (o->what == FLAG)
		try_flag(s, o);
	else if (o->what == NUMBER)
		try_number(s, o);
	else
		check_eq(set(s, o, 1), -TERN_ENOPROTOOPT);
	try_lengths(s, o);
	check_eq(tern_close(st, s), 0);
	check_eq(set(s, o, 1), -TERN_EBADF);
	check_eq(tern_getsockopt(st, s, o->level, o->number, &v, &len), -TERN_EBADF);
}

static void every_option_on_every_socket(void)
{
	start();
	for (size_t i = 0; i < N_TESTS(options); i++)
		for (unsigned k = 0; k < N_KINDS; k++)
			try_option(&options[i], 1u << k);
	finish();
}

/* ---- numbers with a rule of their own ---- */

struct odd {
	const char *name;
	int level, number;
	unsigned kind;
	int32_t set;
	int err;
	int32_t get;
};

static const struct odd odds[] = {
	/* doubled, as the kernel does for its own needs, with a floor */
	{ SOCKET(SNDBUF), TCP4, 10000, 0, 20000 },
	/* time-outs of a SYN-ACK after 1, 3, 7 ... s */
	{ TCP(DEFER_ACCEPT), TCP4, 0, 0, 0 },
	{ TCP(DEFER_ACCEPT), TCP4, 1, 0, 1 },
	{ TCP(DEFER_ACCEPT), TCP4, 4, 0, 7 },
	{ TCP(DEFER_ACCEPT), TCP6, -1, 0, 0 },
	{ TCP(FASTOPEN_CONNECT), TCP4, 1, -TERN_EOPNOTSUPP, 0 }, /* off by default */
	{ SOCKET(SNDBUF), UDP4, 10000, 0, 20000 },
	{ SOCKET(SNDBUF), UDP4, 0, 0, 4608 },
	{ SOCKET(SNDBUF), UDP4, INT32_MAX, 0, 2 * (4 << 20) },
	{ SOCKET(RCVBUF), TCP6, 10000, 0, 20000 },
	{ SOCKET(RCVBUF), UDP6, 1, 0, 2304 },
	{ SOCKET(RCVBUF), UDP6, INT32_MAX, 0, 2 * (4 << 20) },
	{ SOCKET(RCVBUF), TCP4, INT32_MAX, 0, 2 * (255 << 20) },
	{ SOCKET(SNDBUF), UDP4, -1, 0, 2 * (4 << 20) }, /* a large number, as unsigned */
	{ SOCKET(RCVLOWAT), TCP4, 0, 0, 1 },
	{ IP(TOS), UDP4, 255, 0, 255 },
	{ IP(TOS), UDP4, 256, 0, 0 },
	{ IP(TTL), UDP6, 0, -TERN_EINVAL, 64 },
	{ IP(TOS), TCP6, 255, 0, 252 },
	{ IP(MULTICAST_TTL), TCP4, 2, -TERN_EINVAL, 1 }, /* though it may be asked for */
	{ IP(MULTICAST_TTL), TCP6, 2, -TERN_EINVAL, 1 },
	{ IPV6(MULTICAST_HOPS), TCP6, 2, -TERN_ENOPROTOOPT, 1 },
	{ IP(TOS), TCP4, 255, 0, 252 }, /* the ECN bits of a stream are TCP's */
	{ IPV6(TCLASS), TCP6, 255, 0, 252 },
	{ IPV6(TCLASS), UDP6, -1, 0, 0 }, /* the default again */
	{ IPV6(TCLASS), UDP6, 256, -TERN_EINVAL, 0 },
	{ IPV6(UNICAST_HOPS), UDP6, 0, 0, 0 },
	{ IP(MULTICAST_TTL), UDP4, 0, 0, 0 },
	{ IPV6(MULTICAST_HOPS), UDP6, 0, 0, 0 },
	{ IP(TTL), UDP4, -1, 0, 64 }, /* the default again */
	{ IP(TTL), UDP4, 256, -TERN_EINVAL, 64 },
	{ IP(MULTICAST_TTL), UDP4, -1, 0, 1 },
	{ IPV6(UNICAST_HOPS), UDP6, -1, 0, 64 },
	{ IPV6(MULTICAST_HOPS), UDP6, -1, 0, 1 },
	{ IPV6(CHECKSUM), RAW6, -1, 0, -1 },
	{ IPV6(CHECKSUM), RAW6, 2, 0, 2 },
	{ IPV6(CHECKSUM), RAW6, 3, -TERN_EINVAL, -1 }, /* RFC 3542 3.1: even */
	{ TCP(MAXSEG), TCP4, 1, -TERN_EINVAL, 536 },   /* room for all options */
	{ TCP(MAXSEG), TCP4, 87, -TERN_EINVAL, 536 },
	{ TCP(MAXSEG), TCP4, 88, 0, 88 },
	{ TCP(MAXSEG), TCP4, 32767, 0, 32767 },
	{ TCP(MAXSEG), TCP4, 32768, -TERN_EINVAL, 536 },
	{ TCP(MAXSEG), TCP4, -1, -TERN_EINVAL, 536 },
	{ TCP(NOTSENT_LOWAT), TCP4, 131072, 0, 131072 },
	{ TCP(NOTSENT_LOWAT), TCP4, -1, 0, -1 }, /* Linux's default: all ones */
	{ TCP(WINDOW_CLAMP), TCP4, 65535, 0, 65535 },
	{ TCP(WINDOW_CLAMP), TCP4, 1, 0, 1152 },
	{ TCP(WINDOW_CLAMP), TCP4, 0, 0, 0 },
	{ TCP(WINDOW_CLAMP), TCP4, -1, 0, 1152 },
	{ TCP(LINGER2), TCP4, 30, 0, 30 },
	{ TCP(LINGER2), TCP4, 0, 0, 60 }, /* the default */
	{ TCP(LINGER2), TCP4, -5, 0, -1 },
	{ TCP(LINGER2), TCP4, 1000, 0, 120 }, /* two minutes at most */
};

static void odd_numbers(void)
{
	start();
	for (size_t i = 0; i < N_TESTS(odds); i++) {
		const struct odd *o = &odds[i];
		struct option option = { o->name, o->level, o->number, 0, NUMBER, 0, 0, 0 };
		tern_sock s = new_sock(o->kind);

		test_at("%s = %d", o->name, o->set);
		check_eq(set(s, &option, o->set), o->err);
		check_eq(get(s, &option), o->get);
		check_eq(tern_close(st, s), 0);
	}
	finish();
}

/* Options of level IP take one byte: programs set IP_MULTICAST_TTL so. */
static void one_byte(void)
{
	static const int numbers[] = { TERN_IP_TOS, TERN_IP_TTL, TERN_IP_MULTICAST_TTL };

	start();
	for (size_t i = 0; i < N_TESTS(numbers); i++) {
		uint8_t byte = 16;
		int32_t v = 0;
		size_t len = sizeof(v);
		tern_sock s;

		test_at("IP option %d", numbers[i]);
		tern_socket(st, TERN_AF_INET, TERN_SOCK_DGRAM, 0, &s);
		check_eq(tern_setsockopt(st, s, TERN_IPPROTO_IP, numbers[i], &byte, 1), 0);
		check_eq(tern_getsockopt(st, s, TERN_IPPROTO_IP, numbers[i], &v, &len), 0);
		check_eq(v, 16);
	}
	finish();
}

/* No peer, no path. */
static void mtu_of_nowhere(void)
{
	int32_t v;
	size_t len = sizeof(v);
	tern_sock s;

	start();
	tern_socket(st, TERN_AF_INET, TERN_SOCK_DGRAM, 0, &s);
	check_eq(tern_getsockopt(st, s, TERN_IPPROTO_IP, TERN_IP_MTU, &v, &len), -TERN_ENOTCONN);
	finish();
}

/* ---- what is no integer ---- */

/* SO_ERROR is taken by reading it. */
static void pending_error(void)
{
	struct tern_addr to = tern_ip4(10, 0, 0, 1, 81);
	int32_t err = -1;
	size_t len = sizeof(err);
	tern_sock s;

	start();
	s = new_sock(TCP4);
	check_eq(tern_connect(st, s, &to), -TERN_EINPROGRESS); /* to ourselves: refused */
	tern_advance(st, TERN_SEC);
	check_eq(tern_setsockopt(st, s, TERN_SOL_SOCKET, TERN_SO_ERROR, &err, sizeof(err)),
		 -TERN_ENOPROTOOPT);
	check_eq(tern_getsockopt(st, s, TERN_SOL_SOCKET, TERN_SO_ERROR, &err, &len), 0);
	check_eq(err, TERN_ECONNREFUSED);
	check_eq(tern_getsockopt(st, s, TERN_SOL_SOCKET, TERN_SO_ERROR, &err, &len), 0);
	check_eq(err, 0);
	finish();
}

/* V6ONLY once the name is taken. */
static void too_late(void)
{
	struct tern_addr at;
	int32_t one = 1;
	tern_sock s;

	start();
	s = new_sock(TCP6);
	tern_addr_parse("::", 80, &at);
	check_eq(tern_bind(st, s, &at), 0);
	check_eq(tern_setsockopt(st, s, TERN_IPPROTO_IPV6, TERN_IPV6_V6ONLY, &one, sizeof(one)),
		 -TERN_EINVAL);
	finish();
}

/* ---- everything else ---- */

static bool is_known(int level, int number)
{
	static const int by_hand[][2] = {
		{ TERN_SOL_SOCKET, TERN_SO_ERROR },
		{ TERN_SOL_SOCKET, TERN_SO_LINGER },
		{ TERN_SOL_SOCKET, TERN_SO_DEFER_SYN },
		{ TERN_IPPROTO_IP, TERN_IP_MTU },
		{ TERN_IPPROTO_IPV6, TERN_IPV6_MTU },
		{ TERN_IPPROTO_IPV6, TERN_IPV6_PATHMTU },
		{ TERN_SOL_SOCKET, TERN_SO_MAX_PACING_RATE },
		{ TERN_IPPROTO_TCP, TERN_TCP_INFO },
		{ TERN_IPPROTO_IP, TERN_IP_MULTICAST_IF }, /* test/sock/group_test.c, and these: */
		{ TERN_IPPROTO_IPV6, TERN_IPV6_MULTICAST_IF },
		{ TERN_IPPROTO_IPV6, TERN_IPV6_ADD_MEMBERSHIP },
		{ TERN_IPPROTO_IPV6, TERN_IPV6_DROP_MEMBERSHIP },
		{ TERN_IPPROTO_TCP, TERN_TCP_CONGESTION },
		{ TERN_IPPROTO_TCP, TERN_TCP_QUICKACK },
		{ TERN_IPPROTO_TCP, TERN_TCP_DEFER_ACCEPT },
		{ TERN_IPPROTO_TCP, TERN_TCP_FASTOPEN_CONNECT },
		{ TERN_IPPROTO_RAW, TERN_IPV6_CHECKSUM },
		{ TERN_SOL_SOCKET, TERN_SO_PRIORITY },
		{ TERN_SOL_SOCKET, TERN_SO_MARK },
		{ TERN_IPPROTO_IP, TERN_IP_BIND_ADDRESS_NO_PORT },
	};

	for (size_t i = 0; i < N_TESTS(options); i++)
		if (options[i].level == level && options[i].number == number)
			return true;
	for (size_t i = 0; i < N_TESTS(odds); i++)
		if (odds[i].level == level && odds[i].number == number)
			return true;
	if (level == TERN_IPPROTO_IP && number >= TERN_IP_ADD_MEMBERSHIP &&
	    number <= TERN_IP_MSFILTER)
		return true;
	if ((level == TERN_IPPROTO_IP || level == TERN_IPPROTO_IPV6) &&
	    number >= TERN_MCAST_JOIN_GROUP && number <= TERN_MCAST_MSFILTER)
		return true;
	for (size_t i = 0; i < N_TESTS(by_hand); i++)
		if (by_hand[i][0] == level && by_hand[i][1] == number)
			return true;
	return false;
}

static void unknown_options(void)
{
	static const int levels[] = { 0, 1, 6, 17, 41, 58, 132, 255, 256, -1, 270 };

	start();
	for (unsigned k = 0; k < N_KINDS; k++) {
		tern_sock s = new_sock(1u << k);

		for (size_t i = 0; i < N_TESTS(levels); i++) {
			for (int number = -2; number < 300; number++) {
				int32_t v = 1;
				size_t len = sizeof(v);

				if (is_known(levels[i], number))
					continue;
				test_at("socket %u, level %d, option %d", 1u << k, levels[i],
					number);
				check_eq(tern_setsockopt(st, s, levels[i], number, &v, sizeof(v)),
					 -TERN_ENOPROTOOPT);
				check_eq(tern_getsockopt(st, s, levels[i], number, &v, &len),
					 unknown_when_asked(1u << k, levels[i]));
				check_eq(v, 1);
			}
		}
		check_eq(tern_close(st, s), 0);
	}
	finish();
}

static const struct test tests[] = {
	TEST(every_option_on_every_socket),
	TEST(odd_numbers),
	TEST(one_byte),
	TEST(mtu_of_nowhere),
	TEST(pending_error),
	TEST(too_late),
	TEST(unknown_options),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
