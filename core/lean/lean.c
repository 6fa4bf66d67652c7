/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lean.c - IPv4, ICMP, UDP and TCP alone: what stands in the place of all that is left out.
 *
 * The lean core is every file of the core but those of left_out, and this one. What the remaining
 * files ask those for is answered here: such packets are dropped as of a protocol that nobody
 * knows, such sockets and options do not exist, and nothing is ever configured by itself. Calls of
 * tern.h that are wholly about what is left out are not there at all, so that a program that makes
 * them is told when it is linked.
 */
#include "../base/build.h"
#include "../net/dhcp.h"
#include "../sock/sock_dgram.h"
#include "../sock/sockopt.h"
#include "../stack/stack.h"

const struct build build = { .ip6 = false, .raw = false };
const struct tern_cc_ops *const cc_built_in[] = { &cc_reno, &cc_cubic, NULL };

/* ---- packets: IPv6 and what it brings, groups, forwarding ---- */

enum tern_drop ip6_input(struct tern_stack *st, struct inbound *in)
{
	(void)st, (void)in;
	return TERN_DROP_NO_PROTO;
}

enum tern_drop refuse_ip6_header(struct tern_stack *st, const struct inbound *in,
				 const struct ip6_walk *walk)
{
	(void)st, (void)in, (void)walk;
	return TERN_DROP_NO_PROTO;
}

enum tern_drop advert_input(struct tern_stack *st, const struct inbound *in)
{
	(void)st, (void)in;
	return TERN_DROP_NO_PROTO;
}

enum tern_drop redirect4_input(struct tern_stack *st, const struct inbound *in)
{
	(void)st, (void)in;
	return TERN_DROP_NO_PROTO;
}

enum tern_drop redirect6_input(struct tern_stack *st, const struct inbound *in)
{
	(void)st, (void)in;
	return TERN_DROP_NO_PROTO;
}

enum tern_drop mld_input(struct tern_stack *st, const struct inbound *in)
{
	(void)st, (void)in;
	return TERN_DROP_NO_PROTO;
}

enum tern_drop igmp_input(struct tern_stack *st, const struct inbound *in)
{
	(void)st, (void)in;
	return TERN_DROP_NO_PROTO;
}

enum tern_drop forward_input(struct tern_stack *st, const struct inbound *in)
{
	(void)st, (void)in;
	return TERN_DROP_IP_NOT_OURS;
}

/* ---- sockets: raw, ping, and members of groups ---- */

bool sock_raw_input(struct sockets *ss, const struct dgram_in *in, int icmp_type)
{
	(void)ss, (void)in, (void)icmp_type;
	return false;
}

bool sock_raw_speaks(const struct sock *s, const struct tuple *names, unsigned ifindex)
{
	(void)s, (void)names, (void)ifindex;
	return false;
}

enum tern_drop sock_ping_input(struct sockets *ss, const struct dgram_in *in)
{
	(void)ss, (void)in;
	return TERN_DROP_NONE;
}

int64_t raw_send(struct sockets *ss, struct sock *s, const struct tern_msg *m,
		 const struct dgram_path *path)
{
	(void)ss, (void)s, (void)m, (void)path;
	return -TERN_EOPNOTSUPP;
}

int64_t ping_send(struct sockets *ss, struct sock *s, const struct tern_msg *m,
		  const struct dgram_path *path)
{
	(void)ss, (void)s, (void)m, (void)path;
	return -TERN_EOPNOTSUPP;
}

int sock_group_option(struct sockets *ss, struct sock *s, const struct sock_option *o)
{
	(void)ss, (void)s, (void)o;
	return -TERN_ENOPROTOOPT;
}

int sock_set_mcast_if(struct sockets *ss, struct sock *s, const struct sock_option *o)
{
	(void)ss, (void)s, (void)o;
	return -TERN_ENOPROTOOPT;
}

int sock_get_filter(struct sockets *ss, const struct sock *s, struct sock_option *o)
{
	(void)ss, (void)s, (void)o;
	return -TERN_ENOPROTOOPT;
}

void sock_get_mcast_if(const struct sock *s, struct sock_option *o)
{
	sockopt_put(o, s->dgram->mcast_ip4, sizeof(s->dgram->mcast_ip4));
}

bool sock_wants_group(const struct sock *s, const struct dgram_in *in)
{
	(void)s;
	return !addr_is_multicast(&in->dst); /* else it is to everybody */
}

void sock_leave_groups(struct sockets *ss, struct sock *s)
{
	(void)ss, (void)s;
}

/* ---- the internet layer: groups, detection of duplicates, configuration ---- */

bool groups_init(struct net *net, uint32_t timer_kind)
{
	(void)net, (void)timer_kind;
	return true;
}

void groups_fini(struct net *net)
{
	(void)net;
}

struct group *group_find(const struct net *net, unsigned ifindex, const struct addr *group)
{
	(void)net, (void)ifindex, (void)group;
	return NULL;
}

void group_join_internal(struct net *net, unsigned ifindex, const struct addr *group)
{
	(void)net, (void)ifindex, (void)group;
}

void group_leave_internal(struct net *net, unsigned ifindex, const struct addr *group)
{
	(void)net, (void)ifindex, (void)group;
}

void groups_tell_again(struct net *net, unsigned ifindex, bool v6)
{
	(void)net, (void)ifindex, (void)v6;
}

void group_purge(struct net *net, unsigned ifindex)
{
	(void)net, (void)ifindex;
}

/* Only addresses that configure themselves are tentative. */
bool dad_begin(struct net *net, struct ifaddr *a)
{
	(void)net, (void)a;
	return false;
}

void dad_end(struct net *net, unsigned ifindex, const struct addr *addr)
{
	(void)net, (void)ifindex, (void)addr;
}

bool detect_arp(struct tern_stack *st, struct iface *i, const struct arp *arp)
{
	(void)st, (void)i, (void)arp;
	return false;
}

bool detect_nd(struct tern_stack *st, const struct inbound *in, const struct ndp *msg)
{
	(void)st, (void)in, (void)msg;
	return false;
}

void configure_on_link(struct tern_stack *st, struct iface *i)
{
	(void)st, (void)i;
}

void configure_review(struct tern_stack *st, struct iface *i)
{
	(void)st, (void)i;
}

bool dhcp_awaits(const struct inbound *in)
{
	(void)in;
	return false;
}

bool dhcp_input(struct tern_stack *st, const struct inbound *in, const struct dgram_in *dg)
{
	(void)st, (void)in, (void)dg;
	return false;
}

void slaac_renew_temporaries(struct net *net)
{
	(void)net;
}

void slaac_end(struct net *net, struct iface *i)
{
	(void)net, (void)i;
}

void dhcp4_free(struct net *net, struct dhcp4_client *c)
{
	(void)net, (void)c;
}

void dhcp6_free(struct net *net, struct dhcp6_client *c)
{
	(void)net, (void)c;
}

void link_local4_free(struct net *net, struct link_local4 *l)
{
	(void)net, (void)l;
}

tern_time servers_expire(struct net *net)
{
	(void)net;
	return TERN_NEVER;
}

void servers_purge(struct net *net, unsigned ifindex, enum tern_origin origin)
{
	(void)net, (void)ifindex, (void)origin;
}

void servers_fini(struct net *net)
{
	(void)net;
}

/* ---- timers of theirs, which are never set ---- */

void advert_on_timer(struct tern_stack *st, struct slaac *s)
{
	(void)st, (void)s;
}

void group_timer(struct tern_stack *st, struct group *g)
{
	(void)st, (void)g;
}

void detect_on_timer(struct tern_stack *st, struct dad *d)
{
	(void)st, (void)d;
}

void dhcp4_expire(struct tern_stack *st, struct dhcp4_client *c)
{
	(void)st, (void)c;
}

void dhcp6_expire(struct tern_stack *st, struct dhcp6_client *c)
{
	(void)st, (void)c;
}

void link_local4_on_timer(struct net *net, struct link_local4 *l)
{
	(void)net, (void)l;
}
