/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wire.h - bytes <-> structs for every header the stack speaks.
 *
 * parse functions take a slice and its length, check every length they rely on, and return false
 * (or a negative number) for what is malformed; they never read beyond the slice and never write
 * to it. emit functions write every byte of the header they produce and return its length. Numbers
 * in the structs are in host order, addresses in struct addr form. emit(parse(x)) == x for each x
 * that holds nothing the struct cannot say.
 */
#ifndef TERN_WIRE_H
#define TERN_WIRE_H

#include "../base/addr.h"
#include "../base/base.h"

/* ---- checksum.c: RFC 1071 ---- */

typedef uint32_t (*sum_fn)(const void *, size_t, uint32_t);
typedef uint32_t (*copy_sum_fn)(void *, const void *, size_t, uint32_t);

/*
 * The ones'-complement sum of the bytes taken as big-endian 16-bit words (an odd last byte is the
 * high half of a word), added to `sum`, folded only so far that it fits 32 bits.
 */
uint32_t checksum_add(const void *, size_t, uint32_t sum);
uint32_t checksum_copy_add(void *dst, const void *src, size_t, uint32_t sum);
/* What a few 32-bit words were added to, as a sum of 16-bit words. */
static inline uint32_t checksum_words(uint64_t sum)
{
	return (uint32_t)((sum >> 16) + (sum & 0xffff));
}
/* The sum of a header, whose length is a multiple of four, at most 60: a few words, no setup. */
static inline uint32_t checksum_header(const uint8_t *p, unsigned len)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < len; i += 4)
		sum += get_be32(p + i);
	return checksum_words(sum);
}
/* Folds to 16 bits and complements: the value for the header field. */
static inline uint16_t checksum_finish(uint32_t sum)
{
	sum += sum << 16 | sum >> 16; /* the upper half is now both, and the carry */
	return (uint16_t) ~(sum >> 16);
}
/* The part of a pseudo-header that all packets between two addresses share. */
uint32_t checksum_addresses(const struct addr *src, const struct addr *dst);
/* The pseudo-header of TCP, UDP and ICMPv6, of either family: by the form of the addresses. */
uint32_t checksum_pseudo(const struct addr *src, const struct addr *dst, uint8_t proto,
			 uint32_t len);
/* Changes a header checksum after a 16-bit word went from old to new (RFC 1624). */
uint16_t checksum_update16(uint16_t check, uint16_t old, uint16_t new);

/* ---- eth.c ---- */

enum { ETH_HDR_LEN = 14, ETH_IP4 = 0x0800, ETH_ARP = 0x0806, ETH_IP6 = 0x86dd };

struct eth {
	uint8_t dst[6], src[6];
	uint16_t type;
};
bool eth_parse(struct eth *, const uint8_t *, size_t);
size_t eth_emit(const struct eth *, uint8_t *);

/* ---- arp.c: RFC 826, Ethernet and IPv4 only ---- */

enum { ARP_LEN = 28, ARP_REQUEST = 1, ARP_REPLY = 2 };

struct arp {
	uint16_t op;
	uint8_t sender_mac[6], target_mac[6];
	struct addr sender, target;
};
bool arp_parse(struct arp *, const uint8_t *, size_t);
size_t arp_emit(const struct arp *, uint8_t *);

/* ---- IPv4: RFC 791. Each packet passes here, and most of what one writes is constant. ---- */

enum {
	IP4_HDR_LEN = 20,
	IP4_HDR_MAX = 60,
	IP4_DF = 0x4000,
	IP4_MF = 0x2000,
	IP4_FRAG_OFF = 0x1fff
};

struct ip4 {
	uint8_t tos, ttl, proto;
	uint8_t hdr_len;    /* with options, 20..60 */
	uint16_t total_len; /* header and payload */
	uint16_t id;
	uint16_t frag_off; /* bytes */
	bool df, mf;
	uint16_t checksum; /* as found; emit computes it */
	struct addr src, dst;
	const uint8_t *options; /* hdr_len - 20 bytes inside the slice; NULL: none */
};
enum ip4_verdict { IP4_OK = 0, IP4_MALFORMED = -1, IP4_BAD_CHECKSUM = -2 };

/* Also parses what ICMP quotes: checks only that the header itself is there. */
static inline bool ip4_parse_quoted(struct ip4 *h, const uint8_t *p, size_t len)
{
	uint16_t frag;

	if (len < IP4_HDR_LEN || p[0] >> 4 != 4)
		return false;
	h->hdr_len = (uint8_t)((p[0] & 15) * 4);
	if (h->hdr_len < IP4_HDR_LEN || h->hdr_len > len)
		return false;
	frag = get_be16(p + 6);
	h->tos = p[1];
	h->total_len = get_be16(p + 2);
	h->id = get_be16(p + 4);
	h->df = frag & IP4_DF;
	h->mf = frag & IP4_MF;
	h->frag_off = (uint16_t)((frag & IP4_FRAG_OFF) * 8);
	h->ttl = p[8];
	h->proto = p[9];
	h->checksum = get_be16(p + 10);
	h->src = addr_from4(p + 12);
	h->dst = addr_from4(p + 16);
	h->options = h->hdr_len > IP4_HDR_LEN ? p + IP4_HDR_LEN : NULL;
	return true;
}

static inline unsigned ip4_hdr_len(const uint8_t *p)
{
	return (p[0] & 15) * 4u;
}

/* Version, lengths against the slice, and the header checksum. Each packet pays for it. */
static inline enum ip4_verdict ip4_verify(const uint8_t *p, size_t len)
{
	unsigned hdr_len, total_len;
	uint32_t sum;

	if (len < IP4_HDR_LEN || p[0] >> 4 != 4)
		return IP4_MALFORMED;
	hdr_len = ip4_hdr_len(p);
	total_len = get_be16(p + 2);
	if (hdr_len < IP4_HDR_LEN || total_len < hdr_len || total_len > len)
		return IP4_MALFORMED;
	sum = checksum_header(p, IP4_HDR_LEN);
	if (hdr_len > IP4_HDR_LEN)
		sum += checksum_header(p + IP4_HDR_LEN, hdr_len - IP4_HDR_LEN);
	return checksum_finish(sum) == 0 ? IP4_OK : IP4_BAD_CHECKSUM;
}

/* The header at p has changed, or is new. */
static inline void ip4_set_checksum(uint8_t *p)
{
	put_be16(p + 10, 0);
	put_be16(p + 10, checksum_finish(checksum_header(p, ip4_hdr_len(p))));
}

static inline enum ip4_verdict ip4_parse(struct ip4 *h, const uint8_t *p, size_t len)
{
	return ip4_parse_quoted(h, p, len) ? ip4_verify(p, len) : IP4_MALFORMED;
}

static inline size_t ip4_emit(const struct ip4 *h, uint8_t *p)
{
	uint32_t frag = h->frag_off / 8u | (h->df ? IP4_DF : 0) | (h->mf ? IP4_MF : 0);
	uint8_t hdr_len = h->options ? h->hdr_len : IP4_HDR_LEN;
	uint32_t first = (0x40u | hdr_len / 4u) << 8 | h->tos;
	uint32_t fifth = (uint32_t)h->ttl << 8 | h->proto;
	uint32_t sum = first + h->total_len + h->id + frag + fifth;

	assert(hdr_len >= IP4_HDR_LEN && hdr_len <= IP4_HDR_MAX && hdr_len % 4 == 0);
	put_be16(p, first);
	put_be16(p + 2, h->total_len);
	put_be16(p + 4, h->id);
	put_be16(p + 6, frag);
	put_be16(p + 8, fifth);
	memcpy(p + 12, h->src.b + 12, 4);
	memcpy(p + 16, h->dst.b + 12, 4);
	if (h->options) {
		memmove(p + IP4_HDR_LEN, h->options, hdr_len - IP4_HDR_LEN);
		sum += checksum_header(p + IP4_HDR_LEN, hdr_len - IP4_HDR_LEN);
	}
	sum += checksum_header(h->src.b + 12, 4) + checksum_header(h->dst.b + 12, 4);
	put_be16(p + 10, checksum_finish(sum));
	return hdr_len;
}

/* ---- ip4_options.c: RFC 791 3.1 ---- */

enum ip4_options { IP4_OPTIONS_GOOD, IP4_OPTIONS_BAD, IP4_OPTIONS_SOURCE_ROUTE };
/* What is behind the first 20 bytes of a header of hdr_len; *bad_at: where, from its start. */
enum ip4_options ip4_options_look(const uint8_t *hdr, unsigned hdr_len, unsigned *bad_at);

/* ---- ip6.c: RFC 8200 ---- */

enum { IP6_HDR_LEN = 40 };
/* The last two bits of TOS and of the traffic class: RFC 3168 5. */
enum { IP_ECN_NOT_ECT, IP_ECN_ECT1, IP_ECN_ECT0, IP_ECN_CE };
/* What every link must carry: RFC 791, RFC 8200 5. */
enum { IP4_MTU_MIN = 68, IP6_MTU_MIN = 1280, IP6_LABEL_MASK = 0xfffff };
enum {
	IP6_EXT_HOP_BY_HOP = 0,
	IP6_EXT_ROUTING = 43,
	IP6_EXT_FRAGMENT = 44,
	IP6_EXT_NONE = 59,
	IP6_EXT_DESTINATION = 60
};

struct ip6 {
	uint8_t traffic_class, next_header, hop_limit;
	uint32_t flow_label;
	uint16_t payload_len;
	struct addr src, dst;
};
bool ip6_parse(struct ip6 *, const uint8_t *, size_t); /* also payload_len against the slice */
bool ip6_parse_quoted(struct ip6 *, const uint8_t *, size_t);
size_t ip6_emit(const struct ip6 *, uint8_t *);

/* Where the chain of extension headers ends. */
struct ip6_walk {
	uint8_t proto;	   /* of what follows the chain */
	uint16_t offset;   /* of it, from the start of the IPv6 header */
	bool fragment;	   /* a fragment header was met: the next four say what it held */
	uint16_t frag_off; /* bytes */
	bool mf;
	uint32_t frag_id;
	uint16_t frag_hdr_off;
	bool mld_alert; /* routers are to look, because it is of MLD: RFC 2711 */
	/*
	 * What an ICMPv6 parameter problem would say when the walk failed, code 0xff: nothing; when
	 * it did not, what it would say if nobody knows proto (code 1, where proto was named).
	 */
	uint8_t bad_code;
	uint16_t bad_pointer;
};
bool ip6_is_extension(uint8_t proto); /* one of those that a walk steps over */
/*
 * Walks at most 8 extension headers of a packet that begins with the IPv6 header; stops at a
 * fragment header whose offset is not 0. false: malformed, too many, or an option that must not be
 * skipped (RFC 8200 4.2).
 */
bool ip6_walk(struct ip6_walk *, const uint8_t *pkt, size_t len);
/*
 * What such a packet carries, and where, whatever is wrong with its headers. Of a later fragment,
 * and when nothing can be found, *proto is that of an extension header.
 */
uint32_t ip6_find_transport(const uint8_t *pkt, size_t len, uint8_t *proto);

/* ---- icmp.c: RFC 792 and 4443, one shape ---- */

enum { ICMP_HDR_LEN = 8 };
enum {
	ICMP4_ECHO_REPLY = 0,
	ICMP4_UNREACHABLE = 3,
	ICMP4_SOURCE_QUENCH = 4,
	ICMP4_REDIRECT = 5,
	ICMP4_ECHO = 8,
	ICMP4_TIME_EXCEEDED = 11,
	ICMP4_PARAMETER_PROBLEM = 12
};
enum {
	ICMP6_UNREACHABLE = 1,
	ICMP6_TOO_BIG = 2,
	ICMP6_TIME_EXCEEDED = 3,
	ICMP6_PARAMETER_PROBLEM = 4,
	ICMP6_ECHO = 128,
	ICMP6_ECHO_REPLY = 129,
	ICMP6_ROUTER_SOLICIT = 133,
	ICMP6_ROUTER_ADVERT = 134,
	ICMP6_NEIGH_SOLICIT = 135,
	ICMP6_NEIGH_ADVERT = 136,
	ICMP6_REDIRECT = 137
};

struct icmp {
	uint8_t type, code;
	uint16_t checksum; /* as found */
	uint32_t rest;	   /* bytes 4..7: id and sequence, MTU, pointer */
};
/* Does not verify the checksum: that is one checksum_add over the whole message. */
bool icmp_parse(struct icmp *, const uint8_t *, size_t);
/* Writes 8 bytes with a zero checksum field. */
size_t icmp_emit(const struct icmp *, uint8_t *);

/* ---- ndp.c: RFC 4861, neighbour solicitation and advertisement ---- */

enum { NDP_NS_LEN = 24, NDP_OPT_LEN = 8, NDP_MAX_LEN = 32 };

struct ndp {
	uint8_t type; /* ICMP6_NEIGH_SOLICIT or _ADVERT */
	bool router, solicited, override;
	struct addr target;
	bool has_mac; /* source (NS) or target (NA) link-layer address option */
	uint8_t mac[6];
};
/* From the ICMPv6 header on. Options of length 0 make it malformed (RFC 4861 4.6). */
bool ndp_parse(struct ndp *, const uint8_t *, size_t);
/* Writes the whole ICMPv6 message with a zero checksum field. */
size_t ndp_emit(const struct ndp *, uint8_t *);

/* ---- ra.c: RFC 4861 4.1, 4.2, 4.5, 4.6; RFC 4191, RFC 8106: what routers say ---- */

enum { RS_LEN = 8, RA_LEN = 16, REDIRECT_LEN = 40 };
enum nd_option_type {
	ND_SOURCE_MAC = 1,
	ND_TARGET_MAC = 2,
	ND_PREFIX = 3,
	ND_REDIRECTED = 4,
	ND_MTU = 5,
	ND_ROUTE = 24,
	ND_RDNSS = 25,
	ND_DNSSL = 31
};

struct ra {
	uint8_t hop_limit; /* 0: not said */
	bool managed, other;
	int8_t preference;	     /* RFC 4191 2.1: 1 high, 0 medium, -1 low */
	uint16_t lifetime;	     /* seconds; 0: no default router */
	uint32_t reachable, retrans; /* ms; 0: not said */
};
/* From the ICMPv6 header on; the options' lengths, too. Does not look at the packet's headers. */
bool ra_parse(struct ra *, const uint8_t *, size_t);
/* The fixed part, with a zero checksum field. */
size_t ra_emit(const struct ra *, uint8_t *);

struct nd_option {
	uint8_t type;
	uint32_t len; /* with its first two bytes; a multiple of 8 */
	const uint8_t *bytes;
};
/*
 * The option at *at, which moves behind it. false: there is no more, or what is there has length 0
 * or is not all there; then *at < len.
 */
bool nd_option_next(const uint8_t *, size_t len, size_t *at, struct nd_option *);
/* Are all options, from `at` on, well-formed? */
bool nd_options_are_sound(const uint8_t *, size_t len, size_t at);

struct nd_prefix {
	struct addr prefix; /* bits beyond len are 0 */
	uint8_t len;
	bool on_link, autonomous;
	uint32_t valid, preferred; /* seconds; UINT32_MAX: for ever */
};
struct nd_route {
	struct addr prefix;
	uint8_t len;
	int8_t preference; /* -2: reserved, not to be heard */
	uint32_t lifetime;
};
/* Each checks type, length and values; false: the option is not to be heard. */
bool nd_prefix_parse(struct nd_prefix *, const struct nd_option *);
size_t nd_prefix_emit(const struct nd_prefix *, uint8_t *);
bool nd_route_parse(struct nd_route *, const struct nd_option *);
bool nd_mtu_parse(uint32_t *mtu, const struct nd_option *);
bool nd_mac_parse(uint8_t mac[6], const struct nd_option *);
/* How many servers the option names; 0: not to be heard. The i-th begins at bytes + 8 + 16 i. */
unsigned nd_rdnss_parse(uint32_t *lifetime, const struct nd_option *);
/*
 * The next domain at *at (8 at first) as text without a dot at its end, in out[256]. false: no
 * more, or malformed.
 */
bool nd_dnssl_next(const struct nd_option *, size_t *at, char *out);

/* RFC 792, RFC 4861 4.5: a host never sends one. */
struct redirect {
	struct addr target, dst;
	bool has_mac;
	uint8_t mac[6];
	const uint8_t *quoted; /* the packet that caused it; NULL: none */
	uint32_t quoted_len;
};
bool redirect_parse(struct redirect *, const uint8_t *, size_t); /* of ICMPv6 */

/* ---- membership.c: IGMP (RFC 1112, 2236, 3376) and MLD (RFC 2710, 3810), one shape ---- */

enum {
	IGMP_QUERY = 0x11,
	IGMP1_REPORT = 0x12,
	IGMP2_REPORT = 0x16,
	IGMP2_LEAVE = 0x17,
	IGMP3_REPORT = 0x22,
	MLD_QUERY = 130,
	MLD1_REPORT = 131,
	MLD1_DONE = 132,
	MLD2_REPORT = 143
};
/* Types of group records: RFC 3376 4.2.12, RFC 3810 5.2.12. */
enum group_record {
	GROUP_IS_INCLUDE = 1,
	GROUP_IS_EXCLUDE,
	GROUP_TO_INCLUDE,
	GROUP_TO_EXCLUDE,
	GROUP_ALLOW,
	GROUP_BLOCK
};

struct group_query {
	unsigned version;  /* of the protocol: IGMP 1 to 3, MLD 1 or 2 */
	struct addr group; /* unspecified: a general one */
	uint32_t max_delay_ms;
};
bool group_query_parse(struct group_query *, bool v6, const uint8_t *, size_t);

/* A report is a header and records behind it; the checksum field stays zero. */
enum { GROUP_REPORT_HDR = 8 };
size_t group_report_begin(uint8_t *, bool v6);
size_t group_record_len(bool v6, uint32_t n_sources);
/* Adds a record at p + len, and counts it; returns the new length. */
struct group_record_body {
	enum group_record type;
	struct addr group;
	const struct addr *sources;
	uint32_t n_sources;
};
size_t group_report_add(uint8_t *p, size_t len, bool v6, const struct group_record_body *);
/* A report of IGMPv1, IGMPv2 or MLDv1, or its leave or done, of type `type`. */
size_t group_report_old(uint8_t *, uint8_t type, const struct addr *group);

/* ---- udp.c: RFC 768 ---- */

enum { UDP_HDR_LEN = 8 };

struct udp {
	uint16_t src_port, dst_port, len, checksum;
};
/* len is checked against the slice and may be smaller than it. */
bool udp_parse(struct udp *, const uint8_t *, size_t);
size_t udp_emit(const struct udp *, uint8_t *); /* writes checksum as given */

/* ---- tcp_wire.c: RFC 9293 3.1 and 3.2, 7323, 2018, 9768 ---- */

enum { TCP_HDR_LEN = 20, TCP_HDR_MAX = 60, TCP_SACK_MAX = 4 };
enum tcp_flag {
	TCP_FIN = 0x01,
	TCP_SYN = 0x02,
	TCP_RST = 0x04,
	TCP_PSH = 0x08,
	TCP_ACK = 0x10,
	TCP_URG = 0x20,
	TCP_ECE = 0x40,
	TCP_CWR = 0x80,
	TCP_AE = 0x100
};

struct tcp_sack {
	uint32_t lo, hi;
};

enum { TCP_COOKIE_MIN = 4, TCP_COOKIE_MAX = 16 };

/* RFC 9768 3.2.3: the low 24 bits of the first n counters, in this order or the other way round. */
enum tcp_accecn_field { TCP_ACCECN_E0B, TCP_ACCECN_CEB, TCP_ACCECN_E1B, TCP_ACCECN_MAX };

struct tcp_hdr {
	uint16_t src_port, dst_port;
	uint32_t seq, ack;
	uint16_t flags; /* enum tcp_flag */
	uint16_t wnd;	/* as on the wire */
	uint16_t urg;
	uint16_t checksum; /* as found */
	uint8_t hdr_len;   /* parse: with options */
	/* options: which there are is one byte, because mostly there are none */
	bool has_mss : 1, has_wscale : 1, sack_permitted : 1, has_ts : 1;
	bool has_cookie : 1; /* RFC 7413 */
	bool has_accecn : 1;
	bool accecn_order : 1; /* false: as in enum tcp_accecn_field, true: the other way round */
	bool bad_options : 1;  /* an illegal length ended the walk; what came before it counts */
	uint8_t n_sack;
	uint8_t cookie_len; /* 0: it is asked for */
	uint8_t wscale;	    /* as on the wire: may exceed 14 */
	uint8_t n_accecn;
	uint16_t mss;
	uint32_t ts_val, ts_ecr;
	uint32_t accecn[TCP_ACCECN_MAX]; /* by enum tcp_accecn_field; those that are not there: 0 */
	struct tcp_sack sack[TCP_SACK_MAX]; /* n_sack of them; the others mean nothing */
	uint8_t cookie[TCP_COOKIE_MAX];	    /* cookie_len bytes */
};
/* Timestamps without other options: RFC 7323 appendix A: as long, and so they begin. */
enum { TCP_TIMESTAMPS_LEN = 12, TCP_TIMESTAMPS_ALONE = 0x0101080a };

/* All fields 0, no options. */
static inline void tcp_hdr_init(struct tcp_hdr *h)
{
	memset(h, 0, offsetof(struct tcp_hdr, sack));
}
static inline bool tcp_has_options(const struct tcp_hdr *h)
{
	return h->has_mss || h->has_wscale || h->sack_permitted || h->has_ts || h->has_cookie ||
	       h->has_accecn || h->n_sack;
}
/*
 * Parses header and options of a segment of len bytes. false: shorter than its header says, or
 * data offset below 5. A malformed option ends the option walk (MUST-7); an option of a known kind
 * with a wrong length is ignored.
 */
bool tcp_parse(struct tcp_hdr *, const uint8_t *, size_t len);
/* The bytes of options that tcp_emit will write: a multiple of 4, at most 40. */
size_t tcp_len_of_options(const struct tcp_hdr *); /* of one that has some */
static inline size_t tcp_options_len(const struct tcp_hdr *h)
{
	return tcp_has_options(h) ? tcp_len_of_options(h) : 0;
}
size_t tcp_accecn_len(unsigned n_fields);
/*
 * Writes header and options, checksum zero. Order: MSS, SACK-permitted with timestamps, window
 * scale, timestamps alone, Fast Open's cookie, SACK; as many SACK blocks as fit in 40 bytes.
 */
uint8_t *tcp_emit_options(const struct tcp_hdr *, uint8_t *); /* where they end */
static inline size_t tcp_emit(const struct tcp_hdr *h, uint8_t *start)
{
	size_t hdr_len = TCP_HDR_LEN;

	if (tcp_has_options(h))
		hdr_len = (size_t)(tcp_emit_options(h, start + TCP_HDR_LEN) - start);
	put_be16(start, h->src_port);
	put_be16(start + 2, h->dst_port);
	put_be32(start + 4, h->seq);
	put_be32(start + 8, h->ack);
	put_be32(start + 12, ((uint32_t)hdr_len << 10 | (h->flags & 0x1ff)) << 16 | h->wnd);
	put_be32(start + 16, h->urg);
	return hdr_len;
}

#endif
