/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * symbols.c - constants that scripts name, with Linux's numbers.
 */
#include <string.h>

#include "script.h"

struct symbol {
	const char *name;
	int64_t value;
};

static const struct symbol symbols[] = {
	{ "AF_INET", TERN_AF_INET },
	{ "AF_INET6", TERN_AF_INET6 },
	{ "AF_UNSPEC", TERN_AF_UNSPEC },
	{ "PF_INET", TERN_AF_INET },
	{ "PF_INET6", TERN_AF_INET6 },
	{ "SOCK_STREAM", TERN_SOCK_STREAM },
	{ "SOCK_DGRAM", TERN_SOCK_DGRAM },
	{ "SOCK_RAW", TERN_SOCK_RAW },
	{ "SOCK_NONBLOCK", 04000 },
	{ "SOCK_CLOEXEC", 02000000 },
	{ "IPPROTO_IP", TERN_IPPROTO_IP },
	{ "IPPROTO_ICMP", TERN_IPPROTO_ICMP },
	{ "IPPROTO_TCP", TERN_IPPROTO_TCP },
	{ "IPPROTO_UDP", TERN_IPPROTO_UDP },
	{ "IPPROTO_IPV6", TERN_IPPROTO_IPV6 },
	{ "IPPROTO_ICMPV6", TERN_IPPROTO_ICMPV6 },
	{ "SOL_SOCKET", TERN_SOL_SOCKET },
	{ "SOL_IP", TERN_IPPROTO_IP },
	{ "SOL_TCP", TERN_IPPROTO_TCP },
	{ "SOL_UDP", TERN_IPPROTO_UDP },
	{ "SOL_IPV6", TERN_IPPROTO_IPV6 },
	{ "SO_REUSEADDR", TERN_SO_REUSEADDR },
	{ "SO_TYPE", TERN_SO_TYPE },
	{ "SO_ERROR", TERN_SO_ERROR },
	{ "SO_BROADCAST", TERN_SO_BROADCAST },
	{ "SO_SNDBUF", TERN_SO_SNDBUF },
	{ "SO_RCVBUF", TERN_SO_RCVBUF },
	{ "SO_KEEPALIVE", TERN_SO_KEEPALIVE },
	{ "SO_OOBINLINE", TERN_SO_OOBINLINE },
	{ "SO_LINGER", TERN_SO_LINGER },
	{ "SO_REUSEPORT", TERN_SO_REUSEPORT },
	{ "SO_RCVLOWAT", TERN_SO_RCVLOWAT },
	{ "SO_ACCEPTCONN", TERN_SO_ACCEPTCONN },
	{ "SO_PROTOCOL", TERN_SO_PROTOCOL },
	{ "SO_DOMAIN", TERN_SO_DOMAIN },
	{ "IP_TOS", TERN_IP_TOS },
	{ "IP_TTL", TERN_IP_TTL },
	{ "IP_MTU_DISCOVER", TERN_IP_MTU_DISCOVER },
	{ "IP_PMTUDISC_DONT", 0 },
	{ "IP_PMTUDISC_WANT", 1 },
	{ "IP_PMTUDISC_DO", 2 },
	{ "IP_PMTUDISC_PROBE", 3 },
	{ "IP_RECVERR", TERN_IP_RECVERR },
	{ "IP_RECVTTL", TERN_IP_RECVTTL },
	{ "IP_RECVTOS", TERN_IP_RECVTOS },
	{ "IP_PKTINFO", TERN_IP_PKTINFO },
	{ "IP_MTU", TERN_IP_MTU },
	{ "IP_FREEBIND", TERN_IP_FREEBIND },
	{ "IPV6_UNICAST_HOPS", TERN_IPV6_UNICAST_HOPS },
	{ "IPV6_RECVERR", TERN_IPV6_RECVERR },
	{ "IPV6_V6ONLY", TERN_IPV6_V6ONLY },
	{ "IPV6_TCLASS", TERN_IPV6_TCLASS },
	{ "TCP_NODELAY", TERN_TCP_NODELAY },
	{ "TCP_MAXSEG", TERN_TCP_MAXSEG },
	{ "TCP_CORK", TERN_TCP_CORK },
	{ "TCP_KEEPIDLE", TERN_TCP_KEEPIDLE },
	{ "TCP_KEEPINTVL", TERN_TCP_KEEPINTVL },
	{ "TCP_KEEPCNT", TERN_TCP_KEEPCNT },
	{ "TCP_SYNCNT", TERN_TCP_SYNCNT },
	{ "TCP_LINGER2", TERN_TCP_LINGER2 },
	{ "TCP_INFO", TERN_TCP_INFO },
	{ "TCP_QUICKACK", TERN_TCP_QUICKACK },
	{ "TCP_CONGESTION", TERN_TCP_CONGESTION },
	{ "TCP_USER_TIMEOUT", TERN_TCP_USER_TIMEOUT },
	{ "TCP_ESTABLISHED", 1 },
	{ "TCP_SYN_SENT", 2 },
	{ "TCP_SYN_RECV", 3 },
	{ "TCP_FIN_WAIT1", 4 },
	{ "TCP_FIN_WAIT2", 5 },
	{ "TCP_TIME_WAIT", 6 },
	{ "TCP_CLOSE", 7 },
	{ "TCP_CLOSE_WAIT", 8 },
	{ "TCP_LAST_ACK", 9 },
	{ "TCP_LISTEN", 10 },
	{ "TCP_CLOSING", 11 },
	{ "TCP_CA_Open", 0 },
	{ "TCP_CA_Disorder", 1 },
	{ "TCP_CA_CWR", 2 },
	{ "TCP_CA_Recovery", 3 },
	{ "TCP_CA_Loss", 4 },
	{ "TCPI_OPT_TIMESTAMPS", 1 },
	{ "TCPI_OPT_SACK", 2 },
	{ "TCPI_OPT_WSCALE", 4 },
	{ "TCPI_OPT_ECN", 8 },
	{ "TCPI_OPT_ECN_SEEN", 16 },
	{ "TCPI_OPT_SYN_DATA", 32 },
	{ "NULL", 0 },
	{ "MSG_OOB", TERN_MSG_OOB },
	{ "MSG_PEEK", TERN_MSG_PEEK },
	{ "MSG_CTRUNC", TERN_MSG_CTRUNC },
	{ "MSG_TRUNC", TERN_MSG_TRUNC },
	{ "MSG_DONTWAIT", 0x40 },
	{ "MSG_EOR", TERN_MSG_EOR },
	{ "MSG_ERRQUEUE", TERN_MSG_ERRQUEUE },
	{ "MSG_NOSIGNAL", TERN_MSG_NOSIGNAL },
	{ "MSG_MORE", TERN_MSG_MORE },
	{ "SHUT_RD", TERN_SHUT_RD },
	{ "SHUT_WR", TERN_SHUT_WR },
	{ "SHUT_RDWR", TERN_SHUT_RDWR },
	{ "F_GETFL", 3 },
	{ "F_SETFL", 4 },
	{ "O_RDWR", 2 },
	{ "O_NONBLOCK", 04000 },
	{ "POLLIN", TERN_POLLIN },
	{ "POLLPRI", TERN_POLLPRI },
	{ "POLLOUT", TERN_POLLOUT },
	{ "POLLERR", TERN_POLLERR },
	{ "POLLHUP", TERN_POLLHUP },
	{ "POLLRDHUP", TERN_POLLRDHUP },
	{ "FIONREAD", 0x541b },
	{ "SIOCINQ", 0x541b },
	{ "SIOCOUTQ", 0x5411 },
	{ "TIOCOUTQ", 0x5411 },
	{ "SIOCATMARK", 0x8905 },
};

int errno_find(struct slice name)
{
	for (int e = 1; e <= 133; e++) {
		const char *known = tern_errno_name(e);

		if (strcmp(known, "E?") != 0 && slice_is(name, known))
			return e;
	}
	return slice_is(name, "EWOULDBLOCK") ? TERN_EAGAIN : 0;
}

bool symbol_find(struct slice name, int64_t *value)
{
	for (size_t i = 0; i < N_ELEMENTS(symbols); i++) {
		if (slice_is(name, symbols[i].name)) {
			*value = symbols[i].value;
			return true;
		}
	}
	*value = errno_find(name);
	return *value != 0;
}
