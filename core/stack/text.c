/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * text.c - names and addresses as people read them.
 */
#include "stack.h"

#include "../base/text.h"

TERN_API const char *tern_version(void)
{
	return TERN_VERSION;
}

static const char *const state_names[] = {
	[TERN_TCP_CLOSED] = "CLOSED",		[TERN_TCP_LISTEN] = "LISTEN",
	[TERN_TCP_SYN_SENT] = "SYN-SENT",	[TERN_TCP_SYN_RECEIVED] = "SYN-RECEIVED",
	[TERN_TCP_ESTABLISHED] = "ESTABLISHED", [TERN_TCP_FIN_WAIT_1] = "FIN-WAIT-1",
	[TERN_TCP_FIN_WAIT_2] = "FIN-WAIT-2",	[TERN_TCP_CLOSE_WAIT] = "CLOSE-WAIT",
	[TERN_TCP_CLOSING] = "CLOSING",		[TERN_TCP_LAST_ACK] = "LAST-ACK",
	[TERN_TCP_TIME_WAIT] = "TIME-WAIT",
};
_Static_assert(N_ELEMENTS(state_names) == TERN_TCP_N_STATES, "every state has a name");

TERN_API const char *tern_tcp_state_name(enum tern_tcp_state state)
{
	return (unsigned)state < TERN_TCP_N_STATES ? state_names[state] : "?";
}

static const char *const cause_names[] = {
	[TERN_CAUSE_NONE] = "",
	[TERN_CAUSE_RTO] = "rto",
	[TERN_CAUSE_FAST_RETRANSMIT] = "fast-retransmit",
	[TERN_CAUSE_PARTIAL_ACK] = "partial-ack",
	[TERN_CAUSE_PROBE] = "probe",
	[TERN_CAUSE_KEEPALIVE] = "keepalive",
	[TERN_CAUSE_CHALLENGE] = "challenge",
	[TERN_CAUSE_SYN_AGAIN] = "syn-again",
	[TERN_CAUSE_TLP] = "tlp",
	[TERN_CAUSE_PATH_MTU] = "path-mtu",
};
_Static_assert(N_ELEMENTS(cause_names) == TERN_N_CAUSES, "every cause has a name");

TERN_API const char *tern_cause_name(enum tern_cause cause)
{
	return (unsigned)cause < TERN_N_CAUSES ? cause_names[cause] : "?";
}

#define DROP(name) "Drop-" name

/* With the prefix under which they are counted. */
static const char *const drop_names[] = {
	[TERN_DROP_NONE] = DROP("none"),
	[TERN_DROP_NO_MEMORY] = DROP("no-memory"),
	[TERN_DROP_IFACE_DOWN] = DROP("iface-down"),
	[TERN_DROP_ETH_SHORT] = DROP("eth-short"),
	[TERN_DROP_ETH_NOT_OURS] = DROP("eth-not-ours"),
	[TERN_DROP_NO_PROTO] = DROP("no-proto"),
	[TERN_DROP_DUPLICATE_ADDRESS] = DROP("duplicate-address"),
	[TERN_DROP_ARP_MALFORMED] = DROP("arp-malformed"),
	[TERN_DROP_IP_MALFORMED] = DROP("ip-malformed"),
	[TERN_DROP_IP_CHECKSUM] = DROP("ip-checksum"),
	[TERN_DROP_IP_SOURCE] = DROP("ip-source"),
	[TERN_DROP_IP_NOT_OURS] = DROP("ip-not-ours"),
	[TERN_DROP_FRAG_MALFORMED] = DROP("frag-malformed"),
	[TERN_DROP_FRAG_OVERLAP] = DROP("frag-overlap"),
	[TERN_DROP_FRAG_MEMORY] = DROP("frag-memory"),
	[TERN_DROP_FRAG_TIMEOUT] = DROP("frag-timeout"),
	[TERN_DROP_IP_OPTIONS] = DROP("ip-options"),
	[TERN_DROP_IP_TTL] = DROP("ip-ttl"),
	[TERN_DROP_ICMP_MALFORMED] = DROP("icmp-malformed"),
	[TERN_DROP_ICMP_CHECKSUM] = DROP("icmp-checksum"),
	[TERN_DROP_ICMP_STALE] = DROP("icmp-stale"),
	[TERN_DROP_IGMP_MALFORMED] = DROP("igmp-malformed"),
	[TERN_DROP_ND_MALFORMED] = DROP("nd-malformed"),
	[TERN_DROP_UDP_MALFORMED] = DROP("udp-malformed"),
	[TERN_DROP_UDP_CHECKSUM] = DROP("udp-checksum"),
	[TERN_DROP_UDP_NO_SOCKET] = DROP("udp-no-socket"),
	[TERN_DROP_SOCK_QUEUE_FULL] = DROP("sock-queue-full"),
	[TERN_DROP_TCP_MALFORMED] = DROP("tcp-malformed"),
	[TERN_DROP_TCP_CHECKSUM] = DROP("tcp-checksum"),
	[TERN_DROP_TCP_NO_SOCKET] = DROP("tcp-no-socket"),
	[TERN_DROP_TCP_ADDRESS] = DROP("tcp-address"),
	[TERN_DROP_TCP_PAWS] = DROP("tcp-paws"),
	[TERN_DROP_TCP_SEQUENCE] = DROP("tcp-sequence"),
	[TERN_DROP_TCP_RESET] = DROP("tcp-reset"),
	[TERN_DROP_TCP_NO_ACK] = DROP("tcp-no-ack"),
	[TERN_DROP_TCP_ACK_RANGE] = DROP("tcp-ack-range"),
	[TERN_DROP_TCP_FLAGS] = DROP("tcp-flags"),
	[TERN_DROP_TCP_SYN_CHALLENGED] = DROP("tcp-syn-challenged"),
	[TERN_DROP_TCP_SYN_QUEUE_FULL] = DROP("tcp-syn-queue-full"),
	[TERN_DROP_TCP_ACCEPT_QUEUE_FULL] = DROP("tcp-accept-queue-full"),
	[TERN_DROP_TCP_AFTER_CLOSE] = DROP("tcp-after-close"),
	[TERN_DROP_TCP_TIME_WAIT] = DROP("tcp-time-wait"),
	[TERN_DROP_TCP_MEMORY] = DROP("tcp-memory"),
	[TERN_DROP_NEIGH_UNRESOLVED] = DROP("neigh-unresolved"),
	[TERN_DROP_NO_ROUTE] = DROP("no-route"),
	[TERN_DROP_TOO_BIG] = DROP("too-big"),
	[TERN_DROP_RATE_LIMITED] = DROP("rate-limited"),
};
_Static_assert(N_ELEMENTS(drop_names) == TERN_N_DROPS, "every drop has a name");

const char *drop_counter_name(enum tern_drop drop)
{
	return drop_names[drop];
}

TERN_API const char *tern_drop_name(enum tern_drop drop)
{
	return (unsigned)drop < TERN_N_DROPS ? drop_names[drop] + sizeof(DROP("")) - 1 : "?";
}

#define NAME(e)                                                                                    \
	{                                                                                          \
		TERN_##e, #e                                                                       \
	}
static const struct {
	int number;
	const char *name;
} errno_names[] = {
	NAME(ENOENT),	       NAME(EBADF),	  NAME(EAGAIN),	      NAME(ENOMEM),
	NAME(EACCES),	       NAME(EFAULT),	  NAME(EEXIST),	      NAME(ENODEV),
	NAME(EINVAL),	       NAME(ENFILE),	  NAME(EPIPE),	      NAME(EDESTADDRREQ),
	NAME(EMSGSIZE),	       NAME(ENOPROTOOPT), NAME(EPROTO),	      NAME(EPROTONOSUPPORT),
	NAME(ESOCKTNOSUPPORT), NAME(EOPNOTSUPP),  NAME(EAFNOSUPPORT), NAME(EADDRINUSE),
	NAME(EADDRNOTAVAIL),   NAME(ENETUNREACH), NAME(ECONNRESET),   NAME(ENOBUFS),
	NAME(EISCONN),	       NAME(ENOTCONN),	  NAME(ETIMEDOUT),    NAME(ECONNREFUSED),
	NAME(EHOSTDOWN),       NAME(ENONET),	  NAME(EHOSTUNREACH), NAME(EALREADY),
	NAME(EINPROGRESS),     NAME(ENOSPC),
};

TERN_API const char *tern_errno_name(int error)
{
	unsigned number = error < 0 ? 0u - (unsigned)error : (unsigned)error;

	for (size_t i = 0; i < N_ELEMENTS(errno_names); i++)
		if ((unsigned)errno_names[i].number == number)
			return errno_names[i].name;
	return "E?";
}

TERN_API struct tern_addr tern_ip4(uint8_t a, uint8_t b, uint8_t c, uint8_t d, uint16_t port)
{
	return (struct tern_addr){ .family = TERN_AF_INET, .port = port, .ip = { a, b, c, d } };
}

/* ---- reading addresses ---- */

static bool read_number(const char **text, uint32_t max, uint32_t *out)
{
	const char *p = *text;
	uint32_t v = 0;

	if (*p < '0' || *p > '9' || (*p == '0' && p[1] >= '0' && p[1] <= '9'))
		return false;
	for (; *p >= '0' && *p <= '9'; p++) {
		v = v * 10 + (uint32_t)(*p - '0');
		if (v > max)
			return false;
	}
	*text = p;
	*out = v;
	return true;
}

static bool read_ip4(const char **text, uint8_t ip[4])
{
	for (int i = 0; i < 4; i++) {
		uint32_t v;

		if (i > 0 && *(*text)++ != '.')
			return false;
		if (!read_number(text, 255, &v))
			return false;
		ip[i] = (uint8_t)v;
	}
	return true;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* One group of one to four hexadecimal digits. */
static bool read_group(const char **text, uint8_t out[2])
{
	unsigned v = 0, n = 0;

	for (; hex_digit(**text) >= 0 && n < 4; n++)
		v = v << 4 | (unsigned)hex_digit(*(*text)++);
	out[0] = (uint8_t)(v >> 8);
	out[1] = (uint8_t)v;
	return n > 0;
}

static bool has_dot_before_colon(const char *p)
{
	while (hex_digit(*p) >= 0)
		p++;
	return *p == '.';
}

/* RFC 4291 2.2: groups, one "::", an IPv4 tail. */
static bool read_ip6(const char **text, uint8_t ip[16])
{
	uint8_t head[18] = { 0 };
	int n = 0, gap = -1;
	const char *p = *text;

	if (p[0] == ':' && p[1] != ':')
		return false;
	while (n < 16) {
		if (p[0] == ':' && p[1] == ':') {
			if (gap >= 0)
				return false;
			gap = n;
			p += 2;
			if (hex_digit(*p) < 0)
				break;
		} else if (n > 0) {
			if (*p != ':')
				break;
			p++;
		}
		if (n <= 12 && has_dot_before_colon(p)) {
			if (!read_ip4(&p, head + n))
				return false;
			n += 4;
			break;
		}
		if (!read_group(&p, head + n))
			return false;
		n += 2;
	}
	if (gap < 0 ? n != 16 : n > 14)
		return false;
	memset(ip, 0, 16);
	if (gap < 0)
		gap = n;
	memcpy(ip, head, (size_t)gap);
	memcpy(ip + 16 - (n - gap), head + gap, (size_t)(n - gap));
	*text = p;
	return true;
}

static bool is_ip6_text(const char *p)
{
	while (hex_digit(*p) >= 0)
		p++;
	return *p == ':';
}

TERN_API int tern_addr_parse(const char *text, uint16_t port, struct tern_addr *out)
{
	struct tern_addr a = { .port = port };
	const char *p = text;

	if (is_ip6_text(p)) {
		a.family = TERN_AF_INET6;
		if (!read_ip6(&p, a.ip))
			return -TERN_EINVAL;
		if (*p == '%') {
			p++;
			if (!read_number(&p, IFACES_MAX, &a.scope_id))
				return -TERN_EINVAL;
		}
	} else {
		a.family = TERN_AF_INET;
		if (!read_ip4(&p, a.ip))
			return -TERN_EINVAL;
	}
	if (*p)
		return -TERN_EINVAL;
	*out = a;
	return 0;
}

/* ---- writing addresses ---- */

static char *put_ip4(char *p, const uint8_t ip[4])
{
	for (int i = 0; i < 4; i++) {
		if (i > 0)
			*p++ = '.';
		p = text_put_number(p, ip[i]);
	}
	return p;
}

static char *put_group(char *p, unsigned v)
{
	static const char digits[] = "0123456789abcdef";
	int shift = 12;

	while (shift > 0 && (v >> shift) == 0)
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		*p++ = digits[v >> shift & 15];
	return p;
}

/* RFC 5952 4.2: the longest run of two zero groups or more, the first of equals. */
static void find_gap(const uint8_t ip[16], int *first, int *len)
{
	*first = -1;
	*len = 1;
	for (int i = 0; i < 8; i++) {
		int n = 0;

		while (i + n < 8 && get_be16(ip + 2 * (i + n)) == 0)
			n++;
		if (n > *len) {
			*first = i;
			*len = n;
		}
	}
}

static char *put_ip6(char *p, const uint8_t ip[16])
{
	int gap, gap_len;

	if (addr_is_mapped(ip)) {
		memcpy(p, "::ffff:", 7);
		return put_ip4(p + 7, ip + 12);
	}
	find_gap(ip, &gap, &gap_len);
	for (int i = 0; i < 8; i++) {
		if (i == gap) {
			*p++ = ':';
			*p++ = ':';
			i += gap_len - 1;
			continue;
		}
		if (i > 0 && i != gap + gap_len)
			*p++ = ':';
		else if (i > 0 && gap < 0)
			*p++ = ':';
		p = put_group(p, get_be16(ip + 2 * i));
	}
	return p;
}

TERN_API char *tern_addr_format(const struct tern_addr *a, bool with_port, char *buf)
{
	char *p = buf;

	if (a->family == TERN_AF_INET) {
		p = put_ip4(p, a->ip);
	} else if (a->family == TERN_AF_INET6) {
		if (with_port)
			*p++ = '[';
		p = put_ip6(p, a->ip);
		if (a->scope_id) {
			*p++ = '%';
			p = text_put_number(p, a->scope_id);
		}
		if (with_port)
			*p++ = ']';
	} else {
		*p++ = '*';
	}
	if (with_port) {
		*p++ = ':';
		p = text_put_number(p, a->port);
	}
	*p = 0;
	return buf;
}
