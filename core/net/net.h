/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net.h - what the internet layer remembers: interfaces, their addresses, routes, path MTUs,
 * neighbours, and the limiter of ICMP errors. It decides; the stack sends.
 *
 * Addresses are in struct addr form: IPv4 as mapped. Times are the stack's. Nothing here sends a
 * packet: neigh_next_probe says which request is due, the caller builds it.
 */
#ifndef TERN_NET_H
#define TERN_NET_H

#include "../../include/tern.h"
#include "../base/addr.h"
#include "../base/list.h"
#include "../base/mem.h"
#include "../base/pkt.h"
#include "../base/rand.h"
#include "../base/table.h"
#include "../base/timers.h"
#include "../base/tree.h"

enum { IFACES_MAX = 64, LO_INDEX = 1 };

struct net;
struct dhcp4_client;
struct dhcp6_client;
struct link_local4;

/* ---- iface.c: which interfaces are there, and which addresses are ours? ---- */

struct iface {
	unsigned index;
	struct tern_iface cfg;
	struct pkt_queue control; /* the stack's: packets that go before data */
	struct list ready;	  /* the stack's: sockets with something to send here */
	struct list cutting;	  /* the stack's: the one whose burst is being sent, if any */
	struct burst *burst;	  /* the stack's: that burst */
	uint32_t n_neigh;
	struct list neigh_lru; /* all entries of this interface, least recently used first */
	struct timer announce_timer;
	uint8_t announcements_due; /* of a new link-layer address */
	unsigned means;		   /* enum tern_auto: what configures it */
	struct slaac *slaac;	   /* of TERN_AUTO_RA; else NULL */
	/* what routers said of IPv6 on this link; 0: nothing */
	uint32_t mtu6, reachable_ms, retrans_ms;
	tern_time older_router_until[2][2]; /* IGMP 1, 2; MLD 1 */
	/* how it is configured, dhcp.h; NULL: not so */
	struct dhcp4_client *dhcp4;
	struct dhcp6_client *dhcp6;
	struct link_local4 *link_local4;
};

struct ifaddr {
	unsigned ifindex;
	struct addr addr;
	uint8_t prefix_len; /* of the family's own form */
	uint8_t origin;	    /* enum tern_origin */
	uint8_t flags;	    /* enum tern_addr_flag */
	bool off_link;	    /* it says nothing about who else is on the link: no route */
	tern_time made_at, preferred_until, valid_until;
	uint32_t ip4; /* the same as a number, and its broadcast address; 0: none, or not usable */
	uint32_t broadcast;
};
/* Ours: neither tentative nor a duplicate. */
static inline bool ifaddr_is_usable(const struct ifaddr *a)
{
	return !(a->flags & (TERN_ADDR_TENTATIVE | TERN_ADDR_DUPLICATE));
}

/* Returns the index (given >= 1: that one, 0: the next free from 2) or a negative error. */
int iface_add(struct net *, const struct tern_iface *, unsigned index);
/* Also removes addresses, routes and neighbours; the queues must be empty. */
int iface_del(struct net *, unsigned index);
struct iface *iface_get(const struct net *, unsigned index); /* NULL: none */
int iface_set(struct net *, unsigned ifindex, uint32_t mtu, uint32_t flags);
bool iface_is_up(const struct iface *);
static inline bool iface_has_ready(const struct iface *i)
{
	return !list_empty(&i->ready) || !list_empty(&i->cutting);
}

/* A static one: usable at once, for ever. */
int ifaddr_add(struct net *, unsigned ifindex, const struct addr *, unsigned prefix_len);
/*
 * One of any origin; ip4 and broadcast are filled in. A TENTATIVE one is put under detection of
 * duplicates (dad.c). One that is there, and not static, gets the new lifetimes, and no other flags
 * than it had. -TERN_EEXIST: there is a static one.
 */
int ifaddr_put(struct net *, const struct ifaddr *);
int ifaddr_del(struct net *, unsigned ifindex, const struct addr *);
void ifaddr_fini(struct net *); /* frees the array; for net_fini */
/* On this interface, usable or not; NULL: none. */
struct ifaddr *ifaddr_on(const struct net *, unsigned ifindex, const struct addr *);
/*
 * The IPv6 address from which the interface itself speaks to its link: a link-local one, else any
 * that is usable. NULL: none.
 */
const struct ifaddr *ifaddr_for_link6(const struct net *, unsigned ifindex);
/* The link-local one alone. */
const struct ifaddr *ifaddr_link_local6(const struct net *, unsigned ifindex);
/* It passed: it is ours. Or another host has it: it is a DUPLICATE, and loses its route. */
void ifaddr_accept(struct net *, struct ifaddr *);
void ifaddr_refuse(struct net *, struct ifaddr *);
/* Deprecates and removes what has had its time; the next instant at which there is something. */
tern_time ifaddr_expire(struct net *);
/* All of an interface that have this origin go. */
void ifaddr_forget(struct net *, unsigned ifindex, enum tern_origin);
/*
 * The link is there again, and perhaps another one: whoever was tried is (RFC 5227 2.1, RFC 4862
 * 5.4); what the user gave stays as it is.
 */
void ifaddr_try_again(struct net *, unsigned ifindex);

/* Is the address one of ours (of any interface: the weak host model of Linux)? NULL: no. */
const struct ifaddr *ifaddr_find(const struct net *, const struct addr *);

/*
 * May this address of ours be used on the interface? In the weak host model each may (RFC 1122
 * 3.3.4.2), in the strong one those that the interface has; a link-local one of IPv6 has a meaning
 * on its link alone. What goes through lo never left us.
 */
bool ifaddr_fits(const struct net *, const struct addr *, unsigned ifindex);

enum addr_kind {
	ADDR_OTHER,	/* some other host's unicast address */
	ADDR_OURS,	/* one of ours, 127/8 and ::1 included */
	ADDR_BROADCAST, /* 255.255.255.255 or the broadcast address of a prefix of ours */
	ADDR_MULTICAST,
	ADDR_UNSPECIFIED
};
/* ifindex 0: of any interface; else broadcast means that of this interface's prefixes. */
enum addr_kind addr_classify(const struct net *, const struct addr *, unsigned ifindex);
/* RFC 4291 2.7.1: ff02::1:ff and the last three octets. */
struct addr solicited_node(const struct addr *target);
/*
 * Does the interface listen to this multicast group? Always to ff01::1, ff02::1, 224.0.0.1 and the
 * solicited-node groups of its addresses; else while a socket is a member.
 */
bool group_is_joined(const struct net *, const struct addr *group, unsigned ifindex);

/* ---- dad.c: is another host using this address? RFC 4862 5.4, RFC 5227 ---- */

struct dad {
	struct list link; /* net.dads */
	struct timer timer;
	unsigned ifindex;
	struct addr addr;
	uint8_t n_probes, n_announced;
	bool passed;
	tern_time defended_at; /* IPv4: when last a conflict was answered; 0: never */
};

/* Begins, after a random delay; false: no memory. With dad_transmits 0 the address passes now. */
bool dad_begin(struct net *, struct ifaddr *);
/* Of an address that goes. */
void dad_end(struct net *, unsigned ifindex, const struct addr *);
/*
 * A timer passed: what to send about d->addr. An IPv4 probe has no sender; an announcement names
 * the address as sender and target. IPv6 sends solicitations from ::.
 */
enum dad_verdict { DAD_NOTHING, DAD_SEND_PROBE, DAD_SEND_ANNOUNCEMENT };
enum dad_verdict dad_on_timer(struct net *, struct dad *);
/*
 * Somebody else was heard to use (or to probe for) an address of ours. DAD_LOST: it is a DUPLICATE
 * from now on; DAD_DEFEND: an announcement is due (RFC 5227 2.4 (b)); DAD_KEPT: nothing happens.
 */
enum dad_conflict { DAD_KEPT, DAD_DEFEND, DAD_LOST };
enum dad_conflict dad_on_conflict(struct net *, struct ifaddr *);

/* ---- slaac.c: which IPv6 addresses do we make for ourselves? RFC 4862, RFC 7217, RFC 8981 ---- */

struct slaac {
	struct timer timer; /* of router solicitations */
	unsigned ifindex;
	uint32_t n_sent;
	tern_time interval; /* until the next; RFC 7559 */
};

/* Begins with a link-local address, and to ask for routers; false: no memory. */
bool slaac_begin(struct net *, struct iface *, uint32_t timer_kind);
/* Gives back all that came of it. */
void slaac_end(struct net *, struct iface *);
/* Its timer passed: a router solicitation is due. */
void slaac_on_timer(struct net *, struct slaac *);
/* The link is up again: routers are asked for anew (RFC 4861 6.3.7). */
void slaac_on_link_up(struct net *, struct slaac *);
/* A router that wants to be one was heard: nobody needs to be asked. */
void slaac_on_router(struct net *, struct slaac *);
/* A prefix that is good for addresses of ours. */
struct slaac_prefix {
	struct addr prefix;
	tern_time valid_until, preferred_until;
};
/* The temporary addresses that are missing are made: RFC 8981 3.5. */
void slaac_renew_temporaries(struct net *);
void slaac_on_prefix(struct net *, struct iface *, const struct slaac_prefix *);
/* An address of ours was lost to another host: another is tried (RFC 7217 6). */
void slaac_on_duplicate(struct net *, struct iface *, const struct addr *);

/* ---- group.c: which multicast groups does an interface listen to, from which sources? ---- */

/* What a socket, or an interface, wants of a group: all but these sources, or these alone. */
struct group_filter {
	bool exclude;
	uint32_t n, cap;
	struct addr *sources;
};

struct group {
	struct table_node node;
	unsigned ifindex;
	struct addr addr;
	struct list members;
	uint32_t n_internal; /* this host itself, so many times */
	struct group_filter filter, before;
	struct timer timer;
	uint8_t changes_due; /* times that the change from `before` is still told */
	bool answer_due;     /* to a query */
};

/* A socket's. The sources are its own to allocate. */
struct membership {
	struct list of_group, of_sock;
	struct group *group; /* NULL: the interface has gone */
	struct addr addr;
	unsigned ifindex;
	bool exclude;
	uint32_t n_sources, cap;
	struct addr *sources;
};

bool groups_init(struct net *, uint32_t timer_kind);
void groups_fini(struct net *);
struct group *group_find(const struct net *, unsigned ifindex, const struct addr *);
static inline bool group_has_members(const struct group *g)
{
	return g->n_internal || !list_empty(&g->members);
}
struct group *group_walk(const struct net *, uint64_t *cursor);
/* m's links are initialised, its filter is filled in. false: no memory. */
bool group_join(struct net *, unsigned ifindex, const struct addr *, struct membership *m);
void group_leave(struct net *, struct membership *);
/* Its filter has changed. */
void group_change(struct net *, struct membership *);
bool membership_passes(const struct membership *, const struct addr *src);
/* This host needs it: solicited-node groups (RFC 4861 7.2.1). */
void group_join_internal(struct net *, unsigned ifindex, const struct addr *);
void group_leave_internal(struct net *, unsigned ifindex, const struct addr *);
/*
 * Of one family all is told as if it had just been joined: the link has come up, or what was told
 * came from nobody.
 */
void groups_tell_again(struct net *, unsigned ifindex, bool v6);
/* The interface goes. */
void group_purge(struct net *, unsigned ifindex);
void group_filter_fini(struct net *, struct group_filter *);
bool group_is_reported(const struct net *, const struct group *);

struct group_query;
/* The version to be spoken on the interface now: IGMP 1 to 3, MLD 1 or 2. */
unsigned group_version(const struct net *, const struct iface *, bool v6);
void group_on_query(struct net *, struct iface *, bool v6, const struct group_query *);
void group_on_report(struct net *, struct iface *, const struct addr *group);
/* Its timer passed: what is to be told; afterwards group_rest, which may end it. */
enum group_words { GROUP_SAY_CHANGE, GROUP_SAY_STATE };
enum group_words group_on_timer(struct net *, struct group *);
void group_rest(struct net *, struct group *);

/* ---- servers.c: which servers has the network told of? ---- */

/*
 * Takes what is new, or the new lifetime of what is known; one that has passed removes it. At most
 * servers_max: what does not fit is not taken.
 */
void servers_put(struct net *, const struct tern_server *);
/* What came by this way is no longer said. */
void servers_purge(struct net *, unsigned ifindex, enum tern_origin);
tern_time servers_expire(struct net *);
void servers_fini(struct net *);

/* ---- route.c: through which interface, to which next hop? ---- */

struct hop {
	unsigned ifindex;
	struct addr next;  /* gateway, or the destination itself */
	uint32_t link_mtu; /* least of route and interface */
	uint32_t mtu;	   /* of the path, as far as it is known: path_mtu.c */
	enum addr_kind to; /* the destination, as addr_classify says */
};

/* What is sent, as far as it is known. */
struct route_key {
	struct addr dst, src; /* src unspecified: not chosen yet */
	unsigned ifindex;     /* 0: by any; else only by this one */
};

/* The hop looked up last, good as long as routes and addresses stay: packets come in trains. */
struct hop_found {
	struct route_key key;
	uint64_t version; /* 0: none */
	struct hop hop;
};

int route_add(struct net *, const struct tern_route *);
int route_del(struct net *, const struct tern_route *);
/*
 * A route with an end that its origin tells: adds it, or moves its end and metric; an end that has
 * passed removes it. Static ones stay as they are. Of one origin and interface at most `max` routes
 * of this kind (default or not).
 */
struct route_lease {
	struct tern_route route;
	tern_time until;
	uint32_t max;
};
void route_learn(struct net *, const struct route_lease *);
/* All that came by this way; and all that go by this gateway. */
void route_forget(struct net *, unsigned ifindex, enum tern_origin);
void route_forget_gateway(struct net *, unsigned ifindex, const struct addr *);
tern_time route_expire(struct net *);
/* Drops all routes of an interface; for iface_del. */
void route_purge(struct net *, unsigned ifindex);
/* The next route, in no order, in public form; *cursor starts at 0. false: no more. */
bool route_next(const struct net *, unsigned *cursor, struct tern_route *);
void route_check(const struct net *);
bool routes_init(struct net *); /* false: no memory */
void routes_fini(struct net *); /* when all routes have gone */
/*
 * The hop. Our own addresses go through lo. Longest prefix of the destination, then of the source,
 * then lowest metric, then oldest. 0 or -TERN_ENETUNREACH.
 */
int route_lookup(struct net *, const struct route_key *, struct hop *);

/* ---- gateway.c: does this gateway answer? ---- */

struct gateway {
	struct table_node node;
	struct list silent; /* net.silent_gateways, first those that are tried again first */
	struct addr addr;
	unsigned ifindex;
	uint32_t n_routes;
	tern_time silent_until; /* it does not answer; 0: it does */
};

bool gateways_init(struct net *); /* false: no memory */
void gateways_fini(struct net *);
void gateways_check(const struct net *);
/* The record that one more route shares; NULL: no memory. And one less. */
struct gateway *gateway_hold(struct net *, unsigned ifindex, const struct addr *);
void gateway_release(struct net *, struct gateway *);
/*
 * It does not answer: for a minute its routes are the last to be taken (RFC 4861 6.3.6, RFC 4191
 * 3.2, RFC 1122 3.3.1.4); or it was heard again. Of no effect when no route goes by it.
 */
void gateway_mark(struct net *, unsigned ifindex, const struct addr *, bool is_silent);
/* Ends what has lasted long enough; the next instant at which there is something. */
tern_time gateways_expire(struct net *);

/* ---- source.c: from which of our addresses? ---- */

/*
 * The source address for dst through ifindex: RFC 6724 section 5 rules 1-3, 5, 8 for IPv6; for
 * IPv4 an address whose prefix holds dst, else the first of the interface, else of any.
 * 0 or -TERN_EADDRNOTAVAIL.
 */
int source_select(const struct net *, const struct addr *dst, unsigned ifindex, struct addr *);

/* ---- path_mtu.c: which MTU does the path to this address have? RFC 1191, RFC 8201 ---- */

struct path_mtu {
	struct table_node node;
	struct list age; /* net.path_mtus, oldest first */
	struct addr dst;
	uint32_t mtu;
	tern_time learned_at;
};

/*
 * A message that was found good says that packets to dst may have `mtu` bytes. It never raises what
 * is known; the floor is the configuration's, or 1280. false: nothing has changed.
 */
bool path_mtu_learn(struct net *, const struct addr *dst, uint32_t mtu);
/* What is known of dst; UINT32_MAX: nothing. */
uint32_t path_mtu_of(const struct net *, const struct addr *dst);
/* Forgets what is too old: when its timer fires, and when the time to keep it has changed. */
void path_mtu_expire(struct net *);
void path_mtu_fini(struct net *);
void path_mtu_check(const struct net *);

/* ---- neigh.c: which link-layer address has this next hop? RFC 826, RFC 4861 section 7 ---- */

struct neigh {
	struct table_node node;
	struct list lru;
	struct timer timer;
	struct addr addr;
	unsigned ifindex;
	uint32_t state; /* enum tern_neigh_state */
	uint8_t mac[6];
	uint8_t n_probes;
	bool confirmed_once;
	struct pkt_queue queue; /* packets without link header that wait for the answer */
	struct list waiters;	/* the stack's: connections that wait, as list nodes */
};

/* Timing (RFC 4861 section 10): RETRANS_TIMER 1 s, 3 probes, REACHABLE_TIME 30 s, DELAY 5 s. */

/*
 * The entry for addr, made INCOMPLETE when there was none; NULL: no memory (when the interface is
 * full, the least recently used entry that is not PERMANENT and holds nobody gives way).
 * *ready says that n->mac may be used now; a STALE one becomes DELAY by this use.
 */
struct neigh *neigh_resolve(struct net *, unsigned ifindex, const struct addr *, bool *ready);
struct neigh *neigh_find(const struct net *, unsigned ifindex, const struct addr *);
/* It, if it was resolved last and addresses have not changed since: datagrams come in trains. */
struct neigh *neigh_recent(const struct net *, unsigned ifindex, const struct addr *);

/* An INCOMPLETE entry takes one more packet; the oldest goes (returned) when the queue is full. */
struct tern_pkt *neigh_queue_put(struct net *, struct neigh *, struct tern_pkt *);

/*
 * Something was heard from a neighbour. solicited: it answers our request (becomes REACHABLE);
 * override: a different mac replaces the known one (RFC 4861 7.2.5; an ARP reply overrides).
 * create: make a STALE entry when there was none (a request to us). Returns the entry when it has
 * just become usable, so that the stack releases its queue and waiters; else NULL.
 */
struct neigh_news {
	unsigned ifindex;
	struct addr addr;
	const uint8_t *mac;
	bool solicited, override, create;
};
struct neigh *neigh_on_news(struct net *, const struct neigh_news *);
/* Forward progress: TCP saw an ACK of new data (RFC 4861 7.3.1). */
void neigh_confirm(struct net *, struct neigh *);
/* Many time-outs: a REACHABLE entry becomes STALE so that its next use probes it. */
void neigh_suspect(struct net *, struct neigh *);

/*
 * A timer of an entry passed. Says what the stack does now: nothing; send a request for n->addr
 * (unicast to n->mac when n->state is PROBE, else broadcast or solicited-node multicast); or the
 * entry failed: its queue and waiters get EHOSTUNREACH, then the stack calls neigh_free.
 */
enum neigh_verdict { NEIGH_NOTHING, NEIGH_SEND_REQUEST, NEIGH_FAILED };
enum neigh_verdict neigh_on_timer(struct net *, struct neigh *);
/*
 * A fresh INCOMPLETE entry must be asked for at once: true once after neigh_resolve made it.
 */
bool neigh_take_first_request(struct neigh *);
/* Unlinks and frees; queue and waiters must be empty. */
void neigh_free(struct net *, struct neigh *);
/* All, of all interfaces: *cursor as in table_walk. */
struct neigh *neigh_walk(const struct net *, uint64_t *cursor);
int neigh_add_permanent(struct net *, unsigned ifindex, const struct addr *, const uint8_t mac[6]);

/* ---- icmp_limit.c: may an ICMP error go out now? RFC 4443 2.4 (f), RFC 1812 4.3.2.8 ---- */

struct icmp_limit {
	tern_time full_at; /* when the bucket has all its tokens again */
};
/*
 * A token bucket for the stack (icmp_ratelimit_ms, icmp_burst), and one for each of 64 destination
 * hashes, of a quarter of its rate and burst.
 */
bool icmp_limit_take(struct net *, const struct addr *dst);

/* ---- net.c ---- */

struct net_config {
	uint32_t neighbours_max, neighbour_queue_max, routes_max, addresses_max;
	uint32_t neighbour_reachable_ms, neighbour_delay_ms;
	uint32_t icmp_ratelimit_ms, icmp_burst;
	uint32_t path_mtus_max, path_mtu_min; /* entries; bytes, of IPv4 */
	uint32_t path_mtu_expires_ms;	      /* 0: never */
	uint32_t routers_max, prefixes_max, servers_max;
	uint32_t frag_memory_max, frag_source_max, frag_time_ms;
	uint32_t group_sources_max;
	uint8_t dad_transmits, use_tempaddr, strong_host;
};

/* ---- policy.c: which kinds of addresses belong together? ---- */

struct policy {
	struct addr prefix;
	unsigned len; /* of the 128 bits */
	uint32_t precedence, label;
};
void policies_init(struct net *);
int policy_set(struct net *, const struct tern_policy *, unsigned n);
const struct policy *policy_of(const struct net *, const struct addr *); /* never NULL */
bool policy_next(const struct net *, unsigned *cursor, struct tern_policy *);
void policy_out(const struct policy *, struct tern_policy *);

struct route;

struct net {
	struct mem *mem;
	struct timers *timers;
	struct rand *rand;
	const struct net_config *cfg;
	struct sip_key key;		  /* of the neighbour table and the limiter */
	struct iface *ifaces[IFACES_MAX]; /* by index - 1 */
	unsigned top_ifindex;		  /* none has ever had a higher one */
	unsigned n_down;		  /* interfaces */
	struct ifaddr *addrs;
	uint32_t n_addrs, addrs_cap;
	struct list dads;
	struct tern_server *servers; /* best first */
	uint32_t n_servers, servers_cap;
	struct policy policies[TERN_POLICIES_MAX]; /* the longest prefix first */
	uint32_t n_policies;
	struct timer life_timer;      /* of the first address, server, ... whose time is over */
	uint32_t changes[IFACES_MAX]; /* enum tern_net_change, not yet told; by index - 1 */
	uint64_t changed;	      /* a bit for each that is not 0 */
	struct route **routes;	      /* all, in no order */
	uint32_t n_routes, routes_cap;
	uint32_t n_source_routes; /* of them, those that look at the source */
	struct table route_table, gateways;
	uint32_t n_routes4[33], n_routes6[129]; /* by length of prefix */
	struct list learned_routes, silent_gateways;
	uint64_t next_route_number;
	struct hop_found recent_hop;
	uint32_t routes_version; /* changes with every change of routes or addresses */
	struct table neighs;
	struct neigh *recent_neigh; /* resolved last, and no broadcast since the version below */
	uint32_t recent_neigh_version;
	struct icmp_limit limit_all, limit_dst[64];
	uint8_t duid_mac[6]; /* what dhcp_duid is made of, once it was asked */
	bool has_duid;
	uint32_t timer_kind; /* given to every neighbour's timer, for the dispatcher */
	uint32_t dad_timer_kind;
	struct table path_mtu_table;
	struct list path_mtus;	 /* by age, oldest first */
	struct timer path_timer; /* of the oldest */
	struct table frag_sets, frag_sources;
	struct list frags; /* sets by age, oldest first */
	struct timer frag_timer;
	uint32_t frag_used; /* bytes */
	struct table groups;
	uint32_t group_timer_kind, announce_timer_kind;
};

/* May two packets to one destination go different ways because of their sources? */
static inline bool routes_look_at_sources(const struct net *net)
{
	return net->n_source_routes || net->cfg->strong_host;
}

struct net_parts {
	struct mem *mem;
	struct timers *timers;
	struct rand *rand;
	const struct net_config *cfg; /* borrowed for the life of the net */
	uint32_t timer_kind, path_timer_kind, life_timer_kind, dad_timer_kind;
	uint32_t frag_timer_kind, group_timer_kind, announce_timer_kind;
};
bool net_init(struct net *, const struct net_parts *);
void net_fini(struct net *);
void net_check(const struct net *);

/* Under the net's key: of an address, and of one on an interface. */
static inline uint32_t net_hash(const struct net *net, const struct addr *addr)
{
	return (uint32_t)siphash13(&net->key, addr, sizeof(*addr));
}
static inline uint32_t net_hash_on(const struct net *net, unsigned ifindex, const struct addr *addr)
{
	struct {
		struct addr addr;
		uint32_t ifindex;
	} key = { *addr, le32(ifindex) };

	return (uint32_t)siphash13(&net->key, &key, sizeof(key));
}

/* After so many seconds; all ones, as RFC 4861 and RFC 8415 write "for ever": never. */
static inline tern_time net_after_seconds(const struct net *net, uint32_t seconds)
{
	return seconds == UINT32_MAX ? TERN_NEVER : net->timers->now + seconds * TERN_SEC;
}

/* Something of the interface has changed; news for the user. */
void net_note(struct net *, unsigned ifindex, enum tern_net_change);
bool net_take_news(struct net *, struct tern_net_event *);
/* A lifetime was set: the timer is as early as it must be. And when it fires. */
void net_arm_life(struct net *, tern_time until);
void net_on_life_timer(struct net *);

/* Public form <-> struct addr. false: family is neither. */
bool addr_from_public(struct addr *, const struct tern_addr *);
void addr_to_public(struct tern_addr *, const struct addr *, uint16_t port);

#endif
