/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * neighbour.c - ARP (RFC 826) and neighbour discovery (RFC 4861): the packets around net/neigh.
 *
 * Asking, answering, and what becomes of those who waited: datagrams wait in the entry, connections
 * hang on it without having built anything.
 */
#include "stack.h"

static const uint8_t broadcast_mac[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

size_t put_eth(const struct iface *i, uint8_t *to, const uint8_t mac[6], uint16_t type)
{
	struct eth h = { .type = type };

	memcpy(h.dst, mac, 6);
	memcpy(h.src, i->cfg.mac, 6);
	return eth_emit(&h, to);
}

void push_eth(const struct iface *i, struct tern_pkt *p, const uint8_t mac[6], uint16_t type)
{
	put_eth(i, pkt_push(p, ETH_HDR_LEN), mac, type);
}

/* ---- asking ---- */

void send_arp(struct tern_stack *st, struct iface *i, const struct arp *arp, const uint8_t to[6])
{
	struct tern_pkt *p = pkt_new(&st->mem, PKT_HEAD_ROOM, ARP_LEN);

	if (!p)
		return;
	arp_emit(arp, p->data);
	p->ifindex = (uint16_t)i->index;
	/* RFC 3927 2.5: so that everybody hears of a conflict about such an address */
	push_eth(i, p, addr_is_link_local(&arp->sender) ? broadcast_mac : to, ETH_ARP);
	stack_put_control(st, i, p);
}

static void ask_by_arp(struct tern_stack *st, struct iface *i, const struct neigh *n)
{
	struct arp arp = { .op = ARP_REQUEST, .target = n->addr };

	if (source_select(&st->net, &n->addr, i->index, &arp.sender))
		return;
	memcpy(arp.sender_mac, i->cfg.mac, 6);
	send_arp(st, i, &arp, n->state == TERN_NEIGH_PROBE ? n->mac : broadcast_mac);
}

void multicast_mac(const struct addr *group, uint8_t mac[6])
{
	if (addr_is4(group)) { /* RFC 1112 6.4 */
		mac[0] = 0x01;
		mac[1] = 0x00;
		mac[2] = 0x5e;
		mac[3] = group->b[13] & 0x7f;
		memcpy(mac + 4, group->b + 14, 2);
	} else { /* RFC 2464 section 7 */
		mac[0] = mac[1] = 0x33;
		memcpy(mac + 2, group->b + 12, 4);
	}
}

void send_nd_packet(struct tern_stack *st, struct iface *i, struct tern_pkt *p,
		    struct ip_names *names, const uint8_t mac[6])
{
	names->ttl = 255; /* RFC 4861 4.3: from this link, or nobody believes it */
	stack_push_icmp(st, p, names);
	p->ifindex = (uint16_t)i->index;
	push_eth(i, p, mac, ETH_IP6);
	stack_put_control(st, i, p);
}

void send_ndp(struct tern_stack *st, struct iface *i, const struct ndp *msg, struct ip_names *names,
	      const uint8_t mac[6])
{
	struct tern_pkt *p = pkt_new(&st->mem, PKT_HEAD_ROOM, NDP_MAX_LEN);

	if (!p)
		return;
	pkt_trim(&st->mem, p, (uint32_t)ndp_emit(msg, p->data));
	send_nd_packet(st, i, p, names, mac);
}

/* RFC 4861 7.2.2: of the packet, or connection, that waits first, if it is of this interface. */
static bool source_of_waiting(const struct tern_stack *st, const struct neigh *n, struct addr *out)
{
	const struct tern_pkt *p = n->queue.head;
	const struct ifaddr *a;
	struct ip6 ip;

	if (p && ip6_parse_quoted(&ip, p->data, p->len))
		*out = ip.src;
	else if (!list_empty(&n->waiters))
		*out = CONTAINER_OF(n->waiters.next, struct sock, ready_link)->t.local;
	else
		return false;
	a = ifaddr_on(&st->net, n->ifindex, out);
	return a && ifaddr_is_usable(a);
}

/*
 * RFC 4861 4.3, 7.2.2: else from any address of this interface; without one nobody is asked, since
 * from :: it would be a question of detection.
 */
static bool source_of_question(const struct tern_stack *st, const struct neigh *n, struct addr *out)
{
	const struct ifaddr *own;

	if (source_of_waiting(st, n, out))
		return true;
	own = ifaddr_for_link6(&st->net, n->ifindex);
	if (own)
		*out = own->addr;
	return own != NULL;
}

static void ask_by_nd(struct tern_stack *st, struct iface *i, const struct neigh *n)
{
	struct ndp msg = { .type = ICMP6_NEIGH_SOLICIT, .target = n->addr, .has_mac = true };
	struct ip_names names = { .dst = n->addr };
	uint8_t mac[6];

	if (!source_of_question(st, n, &names.src))
		return;
	memcpy(msg.mac, i->cfg.mac, 6);
	if (n->state == TERN_NEIGH_PROBE) {
		memcpy(mac, n->mac, 6);
	} else {
		names.dst = solicited_node(&n->addr);
		multicast_mac(&names.dst, mac);
	}
	send_ndp(st, i, &msg, &names, mac);
}

void neighbour_request(struct tern_stack *st, struct neigh *n)
{
	struct iface *i = iface_get(&st->net, n->ifindex);

	if (!i)
		return;
	if (addr_is4(&n->addr))
		ask_by_arp(st, i, n);
	else
		ask_by_nd(st, i, n);
}

/* ---- using ---- */

enum link_verdict neighbour_of(struct tern_stack *st, struct iface *i, const struct addr *next,
			       struct neigh **out, uint8_t mac[6])
{
	struct neigh *n;
	bool ready;

	*out = NULL;
	if (!neigh_recent(&st->net, i->index, next)) {
		if (addr_is_multicast(next)) {
			multicast_mac(next, mac);
			return LINK_READY;
		}
		if (addr_classify(&st->net, next, i->index) == ADDR_BROADCAST) {
			memcpy(mac, broadcast_mac, 6);
			return LINK_READY;
		}
	}
	n = neigh_resolve(&st->net, i->index, next, &ready);
	if (!n)
		return LINK_NO_MEMORY;
	*out = n;
	if (ready) {
		memcpy(mac, n->mac, 6);
		return LINK_READY;
	}
	return LINK_WAIT;
}

void neighbour_await(struct tern_stack *st, struct neigh *n)
{
	if (neigh_take_first_request(n))
		neighbour_request(st, n);
}

/* The entry has just become usable: its datagrams go, its connections are ready again. */
static void release_waiting(struct tern_stack *st, struct neigh *n)
{
	struct iface *i = iface_get(&st->net, n->ifindex);
	struct tern_pkt *p;
	struct list *l;

	while ((p = pkt_queue_take(&n->queue)))
		send_linked(st, i, p, n->mac);
	while ((l = list_take(&n->waiters)))
		list_put_tail(&i->ready, l);
}

/* ---- answering ---- */

/* RFC 4861 7.2.3: of this interface. Of IPv4 any of ours, as Linux answers, in the weak model. */
static bool is_our_target(const struct tern_stack *st, const struct iface *i,
			  const struct addr *target)
{
	const struct ifaddr *a = addr_is4(target) ? ifaddr_find(&st->net, target) :
						    ifaddr_on(&st->net, i->index, target);

	if (i->cfg.flags & TERN_IFACE_ANY_ADDRESS)
		return !addr_is_multicast(target);
	return a && ifaddr_is_usable(a) && !addr_is_loopback(target) &&
	       ifaddr_fits(&st->net, target, i->index);
}

void neighbour_hear(struct tern_stack *st, const struct neigh_news *news)
{
	struct neigh *n = neigh_on_news(&st->net, news);

	if (news->solicited)
		gateway_mark(&st->net, news->ifindex, &news->addr, false);
	if (n)
		release_waiting(st, n);
}

enum tern_drop arp_input(struct tern_stack *st, struct iface *i, const struct tern_pkt *p,
			 uint32_t off)
{
	struct neigh_news news = { .ifindex = i->index, .override = true };
	struct arp arp, reply;
	bool ours;

	if (!arp_parse(&arp, p->data + off, p->len - off))
		return TERN_DROP_ARP_MALFORMED;
	/* RFC 5227 probes have no sender; a group or our own address is a lie */
	if (arp.sender_mac[0] & 1)
		return TERN_DROP_ARP_MALFORMED;
	if (detect_arp(st, i, &arp))
		return TERN_DROP_DUPLICATE_ADDRESS;
	ours = is_our_target(st, i, &arp.target);
	if (addr_classify(&st->net, &arp.sender, i->index) == ADDR_OTHER) {
		news.addr = arp.sender;
		news.mac = arp.sender_mac;
		news.solicited = arp.op == ARP_REPLY && ours;
		news.create = arp.op == ARP_REQUEST && ours;
		neighbour_hear(st, &news);
	} else if (!addr_is_unspecified(&arp.sender)) {
		return TERN_DROP_ARP_MALFORMED;
	}
	if (arp.op != ARP_REQUEST || !ours)
		return TERN_DROP_NONE;
	reply = (struct arp){ .op = ARP_REPLY, .sender = arp.target, .target = arp.sender };
	memcpy(reply.sender_mac, i->cfg.mac, 6);
	memcpy(reply.target_mac, arp.sender_mac, 6);
	send_arp(st, i, &reply, arp.sender_mac);
	return TERN_DROP_NONE;
}

/* Who gives no link address is answered where it is known to be (RFC 4861 7.2.4). */
static const uint8_t *mac_of_asker(struct tern_stack *st, const struct inbound *in)
{
	const struct neigh *n = neigh_find(&st->net, in->iface->index, &in->src);

	return n && n->state != TERN_NEIGH_INCOMPLETE ? n->mac : in->p->data + 6;
}

static void advertise(struct tern_stack *st, const struct inbound *in, const struct ndp *ask)
{
	struct ndp msg = { .type = ICMP6_NEIGH_ADVERT,
			   .router = st->cfg.ipv6_forward,
			   .solicited = true,
			   .override = true,
			   .target = ask->target,
			   .has_mac = true };
	struct ip_names names = {
		.src = ask->target, .dst = in->src, .proto = TERN_IPPROTO_ICMPV6, .ttl = 255
	};
	static const uint8_t all_nodes[16] = { 0xff, 0x02, [15] = 1 };
	uint8_t mac[6];

	memcpy(msg.mac, in->iface->cfg.mac, 6);
	if (addr_is_unspecified(&in->src)) { /* duplicate address detection, RFC 4862 5.4.4 */
		names.dst = addr_from6(all_nodes);
		msg.solicited = false;
		multicast_mac(&names.dst, mac);
	} else {
		memcpy(mac, ask->has_mac ? ask->mac : mac_of_asker(st, in), 6);
	}
	send_ndp(st, in->iface, &msg, &names, mac);
}

static bool is_solicited_node(const struct addr *a)
{
	struct addr group = solicited_node(a);

	return addr_equal(a, &group);
}

/* RFC 4861 7.2.5: of whom nobody asked it says nothing, nor if it may not override. */
static bool is_heeded(const struct tern_stack *st, const struct inbound *in, const struct ndp *msg)
{
	const struct neigh *n = neigh_find(&st->net, in->iface->index, &msg->target);

	if (!n || n->state == TERN_NEIGH_INCOMPLETE)
		return n && msg->has_mac;
	return msg->override || !msg->has_mac || memcmp(n->mac, msg->mac, 6) == 0;
}

/* Solicitations and advertisements of neighbours: RFC 4861 7.1, a sane target. */
static enum tern_drop neighbour_input(struct tern_stack *st, const struct inbound *in)
{
	struct neigh_news news = { .ifindex = in->iface->index };
	struct ndp msg;
	bool asks, ends_router;

	if (!ndp_parse(&msg, in->p->data + in->l4_off, in->end - in->l4_off))
		return TERN_DROP_ND_MALFORMED;
	asks = msg.type == ICMP6_NEIGH_SOLICIT;
	if (addr_is_multicast(&msg.target) || (msg.has_mac && (msg.mac[0] & 1)))
		return TERN_DROP_ND_MALFORMED;
	if (asks && addr_is_unspecified(&in->src) && (msg.has_mac || !is_solicited_node(&in->dst)))
		return TERN_DROP_ND_MALFORMED;
	if (!asks && msg.solicited && in->to == ADDR_MULTICAST)
		return TERN_DROP_ND_MALFORMED;
	if (detect_nd(st, in, &msg))
		return TERN_DROP_DUPLICATE_ADDRESS;
	if (asks && !is_our_target(st, in->iface, &msg.target))
		return TERN_DROP_NONE;
	news.addr = asks ? in->src : msg.target;
	news.mac = msg.has_mac ? msg.mac : NULL;
	news.solicited = !asks && msg.solicited;
	news.override = asks || msg.override;
	news.create = asks;
	ends_router = !asks && !msg.router && is_heeded(st, in, &msg);
	if (addr_classify(&st->net, &news.addr, in->iface->index) == ADDR_OTHER)
		neighbour_hear(st, &news);
	if (ends_router) /* RFC 4861 7.2.5: it is no longer one */
		route_forget_gateway(&st->net, in->iface->index, &msg.target);
	if (asks)
		advertise(st, in, &msg);
	return TERN_DROP_NONE;
}

/* From this link: hop limit 255; code 0, and never in fragments (RFC 6980 5). */
enum tern_drop nd_input(struct tern_stack *st, const struct inbound *in)
{
	const uint8_t *message = in->p->data + in->l4_off;

	if (in->iface->cfg.link != TERN_LINK_ETHERNET || in->ttl != 255 || in->was_cut ||
	    message[1] != 0)
		return TERN_DROP_ND_MALFORMED;
	switch (message[0]) {
	case ICMP6_ROUTER_ADVERT:
		return advert_input(st, in);
	case ICMP6_REDIRECT:
		return redirect6_input(st, in);
	case ICMP6_ROUTER_SOLICIT: /* for routers: RFC 4861 6.2.6 */
		return TERN_DROP_NONE;
	default:
		return neighbour_input(st, in);
	}
}

/* ---- giving up ---- */

/* One that was handed on: RFC 1812 5.2.7.1, code 1; RFC 4443 3.1, code 3. */
static bool tell_sender(struct tern_stack *st, const struct neigh *n, struct tern_pkt *p)
{
	bool v6 = !addr_is4(&n->addr);
	struct icmp_problem problem = { v6 ? ICMP6_UNREACHABLE : ICMP4_UNREACHABLE, v6 ? 3 : 1, 0 };
	struct inbound in = { .p = p,
			      .iface = iface_get(&st->net, n->ifindex),
			      .end = p->len,
			      .proto = p->data[v6 ? 6 : 9],
			      .l4_off = v6 ? IP6_HDR_LEN : ip4_hdr_len(p->data),
			      .to = ADDR_OTHER };

	in.src = v6 ? addr_from6(p->data + 8) : addr_from4(p->data + 12);
	in.dst = v6 ? addr_from6(p->data + 24) : addr_from4(p->data + 16);
	if (addr_classify(&st->net, &in.src, 0) != ADDR_OTHER)
		return false;
	icmp_send_error(st, &in, &problem);
	return true;
}

/* RFC 4861 7.2.2: who sent it hears that the host cannot be reached. */
static void fail_packet(struct tern_stack *st, const struct neigh *n, struct tern_pkt *p)
{
	bool v6 = !addr_is4(&n->addr);
	struct icmp_report report = { .type = v6 ? ICMP6_UNREACHABLE : ICMP4_UNREACHABLE,
				      .code = v6 ? 3 : 1,
				      .v6 = v6,
				      .ifindex = (uint16_t)n->ifindex,
				      .quoted = p->data,
				      .len = p->len };

	if (tell_sender(st, n, p)) {
		stack_drop(st, p, TERN_DROP_NEIGH_UNRESOLVED);
		return;
	}
	icmp_deliver_error(st, &report);
	stack_drop(st, p, TERN_DROP_NEIGH_UNRESOLVED);
}

static void fail_connection(struct tern_stack *st, struct sock *s)
{
	const struct tcp_ctx *x = sock_ctx(&st->ss);

	s->soft_error = TERN_EHOSTUNREACH;
	if (s->tcp->state == TERN_TCP_SYN_SENT) {
		tcp_abort(s->tcp, x, TERN_EHOSTUNREACH);
		sock_tcp_settle(&st->ss, s, TCP_ENDED);
		return;
	}
	stack_lose_segment(st, s);
}

/* Nobody is left behind: who waited learns that the host cannot be reached. */
void neighbour_forget(struct tern_stack *st, struct neigh *n)
{
	struct tern_pkt *p;
	struct list *l;

	while ((p = pkt_queue_take(&n->queue)))
		fail_packet(st, n, p);
	while ((l = list_take(&n->waiters)))
		fail_connection(st, CONTAINER_OF(l, struct sock, ready_link));
	neigh_free(&st->net, n);
}

void neighbour_on_timer(struct tern_stack *st, struct neigh *n)
{
	switch (neigh_on_timer(&st->net, n)) {
	case NEIGH_NOTHING:
		return;
	case NEIGH_SEND_REQUEST:
		neighbour_request(st, n);
		return;
	case NEIGH_FAILED:
		gateway_mark(&st->net, n->ifindex, &n->addr, true);
		neighbour_forget(st, n);
		return;
	}
}
