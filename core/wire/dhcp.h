/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dhcp.h - the messages of DHCP for IPv4 and IPv6, and the domain names in them.
 *
 * The rules of wire.h hold: parse checks every length that it relies on and never reads beyond the
 * slice; emit(parse(x)) == x for each x that holds nothing the struct cannot say. An option of a
 * known kind with a wrong length or contents is as if it were not there; one that reaches beyond
 * the message makes all of it malformed. What is more than a struct holds is left out. IPv4
 * addresses are numbers in host order; 0 and empty mean "not there".
 */
#ifndef TERN_WIRE_DHCP_H
#define TERN_WIRE_DHCP_H

#include "../../include/tern.h"
#include "wire.h"

/* ---- dhcp_name.c: domain names, RFC 1035 3.1, 4.1.4 ---- */

enum { DOMAIN_WIRE_MAX = 255, DOMAIN_LABEL_MAX = 63 };

/*
 * The name at offset `at` of what its pointers count from; text holds TERN_DOMAIN_MAX bytes.
 * Returns the offset behind it, or 0: malformed, a pointer that does not lead backwards, the root,
 * or a name that holds anything but letters, digits, '-' and '_'.
 */
size_t domain_parse(const uint8_t *, size_t len, size_t at, char *text);
/* Writes the name without pointers, DOMAIN_WIRE_MAX bytes at most; 0: it is no such name. */
size_t domain_emit(const char *text, uint8_t *);

enum { DOMAINS_TEXT_MAX = 512 };
/* Some names, one after the other, each with its terminating zero. */
struct domains {
	uint16_t len;
	char text[DOMAINS_TEXT_MAX];
};
/* false: there is no room, or it is no name. */
bool domains_put(struct domains *, const char *name);
/* The next; *cursor starts at 0; NULL: no more. */
const char *domains_next(const struct domains *, unsigned *cursor);
/* A list of names that fills the slice; false: malformed. Those that do not fit are left out. */
bool domains_parse(struct domains *, const uint8_t *, size_t);
/* Returns the length; `out` holds DOMAINS_TEXT_MAX * 2 bytes. */
size_t domains_emit(const struct domains *, uint8_t *out);

/* ---- dhcp4.c: RFC 2131, RFC 2132 ---- */

enum { DHCP4_SERVER_PORT = 67, DHCP4_CLIENT_PORT = 68 };
enum {
	DHCP4_HDR_LEN = 240,  /* with the magic cookie */
	DHCP4_MIN_LEN = 300,  /* what BOOTP has: relays drop less (RFC 1542 2.1) */
	DHCP4_SAFE_LEN = 548, /* what every client takes: RFC 2131 2 */
};
enum dhcp4_type { /* RFC 2132 9.6 */
		  DHCP4_DISCOVER = 1,
		  DHCP4_OFFER,
		  DHCP4_REQUEST,
		  DHCP4_DECLINE,
		  DHCP4_ACK,
		  DHCP4_NAK,
		  DHCP4_RELEASE,
		  DHCP4_INFORM
};
enum dhcp4_option_code {
	DHCP4_OPT_PAD = 0,
	DHCP4_OPT_MASK = 1,
	DHCP4_OPT_ROUTERS = 3,
	DHCP4_OPT_DNS = 6,
	DHCP4_OPT_DOMAIN = 15,
	DHCP4_OPT_MTU = 26,
	DHCP4_OPT_NTP = 42,
	DHCP4_OPT_REQUESTED = 50,
	DHCP4_OPT_LEASE = 51,
	DHCP4_OPT_OVERLOAD = 52,
	DHCP4_OPT_TYPE = 53,
	DHCP4_OPT_SERVER = 54,
	DHCP4_OPT_ASKED = 55,
	DHCP4_OPT_MESSAGE = 56,
	DHCP4_OPT_MAX_LEN = 57,
	DHCP4_OPT_T1 = 58,
	DHCP4_OPT_T2 = 59,
	DHCP4_OPT_CLIENT_ID = 61,
	DHCP4_OPT_SEARCH = 119, /* RFC 3397 */
	DHCP4_OPT_ROUTES = 121, /* RFC 3442 */
	DHCP4_OPT_END = 255
};
enum { DHCP4_ADDRS_MAX = 4, DHCP4_ROUTES_MAX = 16, DHCP4_BYTES_MAX = 64 };
#define DHCP_FOREVER 0xffffffffu /* of lifetimes, of both families */

struct dhcp4_addrs {
	uint8_t n;
	uint32_t ip[DHCP4_ADDRS_MAX];
};
struct dhcp4_bytes {
	uint8_t len;
	uint8_t b[DHCP4_BYTES_MAX];
};
struct dhcp4_route {
	uint32_t dst;
	uint32_t gateway; /* 0: on link */
	uint8_t len;
};
struct dhcp4_routes {
	bool is_there; /* which silences the option of routers, even when it is empty */
	uint8_t n;
	struct dhcp4_route route[DHCP4_ROUTES_MAX];
};

struct dhcp4 {
	bool is_reply;
	bool broadcast;
	uint8_t type; /* enum dhcp4_type */
	uint8_t mac[6];
	uint16_t secs;
	uint32_t xid;
	uint32_t ciaddr, yiaddr, siaddr, giaddr;
	/* options */
	uint16_t mtu, max_len;
	uint32_t mask, requested, server;
	uint32_t lease, t1, t2; /* seconds */
	struct dhcp4_addrs routers, dns, ntp;
	struct dhcp4_bytes client_id, asked, message;
	struct dhcp4_routes routes;
	char domain[TERN_DOMAIN_MAX];
	struct domains search;
};
/* Of Ethernet, with cookie and type; false: malformed, or something else. */
bool dhcp4_parse(struct dhcp4 *, const uint8_t *, size_t);
/* DHCP4_MIN_LEN bytes at least; 0: it does not fit in cap. */
size_t dhcp4_emit(const struct dhcp4 *, uint8_t *, size_t cap);

/* ---- dhcp6.c: RFC 8415 ---- */

enum { DHCP6_CLIENT_PORT = 546, DHCP6_SERVER_PORT = 547 };
enum { DHCP6_HDR_LEN = 4, DHCP6_LEN_MAX = 1232 }; /* what fits a packet of 1280 */
enum dhcp6_type {				  /* 7.3 */
		  DHCP6_SOLICIT = 1,
		  DHCP6_ADVERTISE,
		  DHCP6_REQUEST,
		  DHCP6_CONFIRM,
		  DHCP6_RENEW,
		  DHCP6_REBIND,
		  DHCP6_REPLY,
		  DHCP6_RELEASE,
		  DHCP6_DECLINE,
		  DHCP6_RECONFIGURE,
		  DHCP6_INFORM /* INFORMATION-REQUEST */
};
enum dhcp6_option_code { /* 21; RFC 3646 */
			 DHCP6_OPT_CLIENT_ID = 1,
			 DHCP6_OPT_SERVER_ID = 2,
			 DHCP6_OPT_IA_NA = 3,
			 DHCP6_OPT_IAADDR = 5,
			 DHCP6_OPT_ORO = 6,
			 DHCP6_OPT_PREFERENCE = 7,
			 DHCP6_OPT_ELAPSED = 8,
			 DHCP6_OPT_STATUS = 13,
			 DHCP6_OPT_RAPID_COMMIT = 14,
			 DHCP6_OPT_DNS = 23,
			 DHCP6_OPT_SEARCH = 24,
			 DHCP6_OPT_REFRESH = 32,
			 DHCP6_OPT_SOL_MAX_RT = 82,
			 DHCP6_OPT_INF_MAX_RT = 83
};
enum dhcp6_status { /* 21.13 */
		    DHCP6_SUCCESS,
		    DHCP6_UNSPEC_FAIL,
		    DHCP6_NO_ADDRS_AVAIL,
		    DHCP6_NO_BINDING,
		    DHCP6_NOT_ON_LINK,
		    DHCP6_USE_MULTICAST
};
enum { DHCP6_DUID_MIN = 3, DHCP6_DUID_MAX = 130, DHCP6_ADDRS_MAX = 4, DHCP6_ASKED_MAX = 16 };

struct dhcp6_duid {
	uint8_t len;
	uint8_t b[DHCP6_DUID_MAX];
};
struct dhcp6_addr {
	struct addr addr;
	uint32_t preferred, valid; /* seconds */
	uint16_t status;	   /* enum dhcp6_status */
};
/* RFC 8415 18.2.10.1: does what a server says of it end it? */
static inline bool dhcp6_addr_ends(const struct dhcp6_addr *a)
{
	return a->valid == 0 && a->status == DHCP6_SUCCESS;
}
struct dhcp6_ia {
	bool is_there;
	uint8_t n;
	uint16_t status;
	uint32_t iaid, t1, t2; /* seconds */
	struct dhcp6_addr addr[DHCP6_ADDRS_MAX];
};
struct dhcp6 {
	uint8_t type; /* enum dhcp6_type */
	uint8_t preference;
	uint8_t n_asked, n_dns;
	bool rapid_commit, has_elapsed, has_refresh;
	uint16_t elapsed; /* hundredths of a second */
	uint16_t status;
	uint32_t xid; /* 24 bits */
	uint32_t refresh, sol_max_rt, inf_max_rt;
	struct dhcp6_duid client, server;
	struct dhcp6_ia ia; /* the first of the message */
	uint16_t asked[DHCP6_ASKED_MAX];
	struct addr dns[DHCP6_ADDRS_MAX];
	struct domains search;
};
/* A message between client and server; false: malformed, or relayed. */
bool dhcp6_parse(struct dhcp6 *, const uint8_t *, size_t);
size_t dhcp6_emit(const struct dhcp6 *, uint8_t *, size_t cap); /* 0: it does not fit */
/* DUID-LL of an Ethernet address: RFC 8415 11.4. */
struct dhcp6_duid duid_from_mac(const uint8_t mac[6]);

#endif
