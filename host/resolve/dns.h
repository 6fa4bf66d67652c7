/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dns.h - names and messages of the domain name system, as a client needs them: bytes <-> structs.
 *
 * Everything here is pure. A message is borrowed from the caller and never written to.
 */
#ifndef TERN_HOST_RESOLVE_DNS_H
#define TERN_HOST_RESOLVE_DNS_H

#include "../../core/base/base.h"

enum {
	DNS_NAME_MAX = 255, /* as it is in a message, with the empty label at its end */
	DNS_LABEL_MAX = 63,
	DNS_TEXT_MAX = 1020, /* of a name as text, with its end */
	DNS_HEADER_LEN = 12,
	DNS_UDP_MAX = 1232, /* a datagram of this size fits every IPv6 path: nobody cuts it */
	DNS_QUERY_MAX = DNS_HEADER_LEN + DNS_NAME_MAX + 4 + 11,
	DNS_CHAIN_MAX = 16, /* aliases of aliases */
	DNS_ADDRS_MAX = 32, /* of one answer; further ones are left out */
};

enum dns_type {
	DNS_A = 1,
	DNS_NS = 2,
	DNS_CNAME = 5,
	DNS_SOA = 6,
	DNS_PTR = 12,
	DNS_AAAA = 28,
	DNS_OPT = 41,
};

enum { DNS_IN = 1 }; /* the class of the Internet */

enum dns_rcode {
	DNS_NOERROR = 0,
	DNS_FORMERR = 1,
	DNS_SERVFAIL = 2,
	DNS_NXDOMAIN = 3,
	DNS_NOTIMP = 4,
	DNS_REFUSED = 5,
	DNS_BADVERS = 16, /* of EDNS */
};

enum dns_flag {
	DNS_QR = 0x8000, /* an answer */
	DNS_OPCODE = 0x7800,
	DNS_AA = 0x0400,
	DNS_TC = 0x0200, /* not all of it fitted */
	DNS_RD = 0x0100,
	DNS_RA = 0x0080,
	DNS_RCODE = 0x000f,
};

/* ---- dns_name.c ---- */

/* Labels, each behind its length, and the empty one. len 0: no name; 1: the root. */
struct dns_name {
	uint8_t len;
	uint8_t wire[DNS_NAME_MAX];
};

/* "www.example.org", with or without a dot at its end. false: that is no name. */
bool dns_name_parse(struct dns_name *, const char *text, size_t len);
/* Without a dot at its end; odd bytes as \DDD (RFC 1035 5.1). Returns buf: DNS_TEXT_MAX bytes. */
char *dns_name_format(const struct dns_name *, char *buf);
/* Large and small letters are the same, RFC 4343. */
bool dns_name_equal(const struct dns_name *, const struct dns_name *);
/* Is it the zone's own name, or below it? */
bool dns_name_is_under(const struct dns_name *, const struct dns_name *zone);
/* Puts the domain behind the name; false: that would be too long, and nothing has changed. */
bool dns_name_append(struct dns_name *, const struct dns_name *domain);
/* Only letters, digits, '-' and '_', as names of hosts are: RFC 952, RFC 1123 2.1. */
bool dns_name_is_host(const struct dns_name *);
/* Small letters only, so that equal names are equal bytes. */
void dns_name_fold(struct dns_name *);
/* The name under which an address's own name is found; ip: 4 or 16 bytes. RFC 1035 3.5, 3596. */
void dns_name_of_address(struct dns_name *, const uint8_t *ip, size_t len);
/*
 * Reads the name at `at` of a message. Returns where it ends, or 0: it is malformed. A pointer
 * leads strictly backwards (RFC 9267), so that no chain of them has a loop.
 */
size_t dns_name_read(const uint8_t *msg, size_t len, size_t at, struct dns_name *out);

/* ---- dns_message.c ---- */

struct dns_question {
	struct dns_name name;
	uint16_t type; /* enum dns_type */
};

/* Writes a query (DNS_QUERY_MAX bytes at most) that asks for recursion; returns its length. */
size_t dns_emit_query(uint8_t *buf, uint16_t id, const struct dns_question *, bool edns);

enum dns_section { DNS_QUESTION, DNS_ANSWER, DNS_AUTHORITY, DNS_ADDITIONAL, DNS_N_SECTIONS };

struct dns_head {
	uint16_t id, flags;
	uint16_t n[DNS_N_SECTIONS];
	unsigned rcode; /* all 12 bits, if dns_check has found an OPT record */
};

struct dns_record {
	struct dns_name owner;
	unsigned section;
	uint16_t type, class;
	uint32_t ttl; /* as it is in the message */
	size_t data;  /* offset from the message's start */
	uint16_t data_len;
};

/* The records of a message, one after the other. */
struct dns_walk {
	const uint8_t *msg;
	size_t len, at;
	unsigned section;
	uint16_t left[DNS_N_SECTIONS];
	bool malformed;
};

/* The fixed part; false: it is not there. */
bool dns_read_head(const uint8_t *msg, size_t len, struct dns_head *);
/* Is the message's only question this one? */
bool dns_asks(const uint8_t *msg, size_t len, const struct dns_question *);
/* Behind the questions; false: they are malformed. */
bool dns_walk_begin(struct dns_walk *, const uint8_t *msg, size_t len);
/* false: there is no further one, or w->malformed. */
bool dns_walk_next(struct dns_walk *, struct dns_record *);
/*
 * Is every part of the message what its counts and lengths say, and is there one OPT record at
 * most? Fills in the head.
 */
bool dns_check(const uint8_t *msg, size_t len, struct dns_head *);

/* ---- dns_result.c ---- */

enum dns_kind {
	DNS_FOUND,
	DNS_NO_DATA, /* the name is there, without a record of that type */
	DNS_NO_NAME, /* it is not there */
	DNS_LAME,    /* the server does not know, and asks nobody */
	DNS_LOOPS,   /* aliases that lead nowhere, or on for too long */
};

/* What an answer says of its question. */
struct dns_result {
	uint8_t kind; /* enum dns_kind */
	uint8_t n_addrs;
	uint32_t ttl;		   /* seconds that it may be kept; 0: not at all */
	struct dns_name canonical; /* the owner of the addresses; of a PTR what it points to */
	uint8_t addr[DNS_ADDRS_MAX][16];
};

/* Of a message that dns_check has passed, with DNS_NOERROR or DNS_NXDOMAIN. */
void dns_read_result(const uint8_t *msg, size_t len, const struct dns_question *,
		     struct dns_result *);

#endif
