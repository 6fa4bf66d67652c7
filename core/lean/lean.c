/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lean.c - IPv4, ICMP, UDP, TCP and DHCP: what stands in the place of all that is left out.
 *
 * The lean core is every file of the core but those of left_out, and this one. What the remaining
 * files ask those for is answered here: such packets are dropped as of a protocol that nobody
 * knows, and such sockets, options and ways of configuration do not exist.
 */
#include "../base/build.h"
#include "../sock/sock_dgram.h"
#include "../sock/sockopt.h"
#include "../stack/means.h"

const struct build build = { .ip6 = false, .raw = false };
const struct tern_cc_ops *const cc_built_in[] = { &cc_reno, &cc_cubic, NULL };
const struct means *const all_means[] = { &link_local4_means, &dhcp4_means, &inform4_means, NULL };

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

/* ---- the internet layer: groups, temporary addresses ---- */

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

void slaac_renew_temporaries(struct net *net)
{
	(void)net;
}

/* ---- the timer of theirs, which is never set ---- */

void group_timer(struct tern_stack *st, struct group *g)
{
	(void)st, (void)g;
}
