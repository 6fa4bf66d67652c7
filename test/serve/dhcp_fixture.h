/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dhcp_fixture.h - a link with a host that serves DHCP (host 0) and hosts that ask, in virtual time.
 *
 * What went by is kept as parsed messages; one that is named by its number is lost.
 */
#ifndef TERN_DHCP_FIXTURE_H
#define TERN_DHCP_FIXTURE_H

#include "../../include/tern_sim.h"
#include "../../serve/serve.h"
#include "test.h"

enum { NIC = 2, CLIENTS_MAX = 8, SEEN_MAX = 512, HOST_SERVER = 0 };

struct seen {
	tern_time at;
	int host;
	bool is6, to_broadcast, ip_unicast;
	uint8_t type;
	uint8_t src6[16], dst6[16];
	struct dhcp4 m4;
	struct dhcp6 m6;
};

struct place_of_test {
	struct tern_sim *sim;
	int link, n_clients;
	struct tern_stack *server_stack, *client[CLIENTS_MAX];
	struct dhcp4_server *server4;
	struct dhcp6_server *server6;
	unsigned n_seen, lose; /* lose: the number of the message that is lost, from 1; 0: none */
	bool server_is_deaf;
	struct seen seen[SEEN_MAX];
};

static struct place_of_test w;

/* ---- what goes by ---- */

static inline void see(int host, const uint8_t *frame, uint32_t len)
{
	bool is6 = get_be16(frame + 12) == ETH_IP6;
	uint32_t udp = ETH_HDR_LEN + (is6 ? IP6_HDR_LEN : IP4_HDR_LEN);
	struct seen s = { .at = tern_sim_now(w.sim), .host = host, .is6 = is6 };

	if (len < udp + UDP_HDR_LEN || frame[is6 ? 20 : 23] != TERN_IPPROTO_UDP ||
	    w.n_seen == SEEN_MAX)
		return;
	s.to_broadcast = frame[0] & 1;
	s.ip_unicast = !is6 && frame[30] != 255;
	if (is6) {
		memcpy(s.src6, frame + 22, 16);
		memcpy(s.dst6, frame + 38, 16);
	}
	if (is6 ? !dhcp6_parse(&s.m6, frame + udp + UDP_HDR_LEN, len - udp - UDP_HDR_LEN) :
		  !dhcp4_parse(&s.m4, frame + udp + UDP_HDR_LEN, len - udp - UDP_HDR_LEN))
		return;
	s.type = is6 ? s.m6.type : s.m4.type;
	w.seen[w.n_seen++] = s;
}

static inline enum tern_sim_verdict on_frame(void *ctx, int host, const uint8_t *frame,
					     uint32_t len)
{
	unsigned before = w.n_seen;

	(void)ctx;
	if (len < 60)
		return TERN_SIM_PASS;
	see(host, frame, len);
	if (w.n_seen == before)
		return TERN_SIM_PASS;
	if (w.server_is_deaf && host != HOST_SERVER)
		return TERN_SIM_LOSE;
	return w.lose == w.n_seen ? TERN_SIM_LOSE : TERN_SIM_PASS;
}

/* The last message of this type since the start; NULL: none. */
static inline const struct seen *last_seen(bool is6, uint8_t type)
{
	for (unsigned i = w.n_seen; i-- > 0;)
		if (w.seen[i].is6 == is6 && w.seen[i].type == type)
			return &w.seen[i];
	return NULL;
}

static inline unsigned count_seen(bool is6, uint8_t type)
{
	unsigned n = 0;

	for (unsigned i = 0; i < w.n_seen; i++)
		n += w.seen[i].is6 == is6 && w.seen[i].type == type;
	return n;
}

/* ---- the link ---- */

static inline void on_server_event(void *ctx, int host, const struct tern_event *ev)
{
	(void)ctx;
	(void)host;
	if (w.server4 && dhcp4_server_on_event(w.server4, ev))
		return;
	if (w.server6)
		dhcp6_server_on_event(w.server6, ev);
}

static inline struct tern_stack *add_host(const char *name, uint8_t last)
{
	struct tern_iface nic = { "nic", TERN_LINK_ETHERNET, 1500, 0, { 2, 0, 0, 0, 0, last } };
	int host = tern_sim_host_add(w.sim, name, NULL);

	check(host >= 0);
	check_eq(tern_sim_attach(w.sim, w.link, host, &nic), NIC);
	return tern_sim_stack(w.sim, host);
}

/* The server's host has 10.0.0.1/24 and fe80::1/64; it answers nothing yet. */
static inline void open_link(int n_clients)
{
	static const struct tern_weather weather = { .delay = TERN_MS };
	struct tern_addr self = tern_ip4(10, 0, 0, 1, 0);
	struct tern_addr self6 = { .family = TERN_AF_INET6, .ip = { 0xfe, 0x80, [15] = 1 } };

	memset(&w, 0, sizeof(w));
	w.sim = tern_sim_new(1);
	w.link = tern_sim_link_add(w.sim, &weather);
	w.n_clients = n_clients;
	w.server_stack = add_host("server", 100);
	check_eq(tern_addr_add(w.server_stack, NIC, &self, 24), 0);
	check_eq(tern_addr_add(w.server_stack, NIC, &self6, 64), 0);
	for (int i = 0; i < n_clients; i++)
		w.client[i] = add_host("client", (uint8_t)(i + 1));
	tern_sim_filter(w.sim, w.link, on_frame, NULL);
	tern_sim_on_event(w.sim, HOST_SERVER, on_server_event, NULL);
}

static inline struct dhcp4_server_config config4(void)
{
	struct dhcp4_server_config c = {
		.ifindex = NIC,
		.self = tern_ip4(10, 0, 0, 1, 0),
		.prefix_len = 24,
		.first = tern_ip4(10, 0, 0, 100, 0),
		.last = tern_ip4(10, 0, 0, 103, 0),
		.says = { .lease = 3600,
			  .routers = { 1, { 0x0a000001 } },
			  .dns = { 2, { 0x0a000001, 0x0a000002 } },
			  .ntp = { 1, { 0x0a000003 } },
			  .domain = "home.test" },
	};

	return c;
}

static inline void serve4(const struct dhcp4_server_config *cfg)
{
	w.server4 = dhcp4_server_new(w.server_stack, cfg);
	check(w.server4 != NULL);
}

static inline void close_link(void)
{
	tern_sim_check(w.sim);
	dhcp4_server_free(w.server4);
	dhcp6_server_free(w.server6);
	tern_sim_free(w.sim);
}

static inline void pass(tern_time t)
{
	tern_sim_run(w.sim, tern_sim_now(w.sim) + t);
	tern_sim_check(w.sim);
}

/* ---- what a stack has ---- */

/* The first address of that origin and family; false: none. */
static inline bool find_addr(struct tern_stack *st, uint32_t origin, int family,
			     struct tern_iface_addr *out)
{
	unsigned cursor = 0;

	while (tern_addr_next(st, &cursor, out))
		if (out->ifindex == NIC && out->origin == origin && out->addr.family == family)
			return true;
	return false;
}

static inline bool is_usable(struct tern_stack *st, uint32_t origin, int family)
{
	struct tern_iface_addr a;

	return find_addr(st, origin, family, &a) &&
	       !(a.flags & (TERN_ADDR_TENTATIVE | TERN_ADDR_DUPLICATE));
}

static inline unsigned count_routes(struct tern_stack *st, uint32_t origin)
{
	struct tern_route r;
	unsigned cursor = 0, n = 0;

	while (tern_route_next(st, &cursor, &r))
		n += r.ifindex == NIC && r.origin == origin;
	return n;
}

/* "10.0.0.1 via 10.0.0.9" of the route to that destination of that origin; "": none. */
static inline const char *route_text(struct tern_stack *st, uint32_t origin, const char *dst,
				     unsigned len)
{
	static char text[2 * TERN_ADDR_TEXT_MAX];
	char name[TERN_ADDR_TEXT_MAX];
	struct tern_route r;
	unsigned cursor = 0;

	while (tern_route_next(st, &cursor, &r)) {
		tern_addr_format(&r.dst, false, name);
		if (r.ifindex != NIC || r.origin != origin || r.prefix_len != len ||
		    strcmp(name, dst) != 0)
			continue;
		strcpy(text, "link");
		if (r.gateway.family)
			tern_addr_format(&r.gateway, false, text);
		return text;
	}
	return "";
}

static inline unsigned count_servers(struct tern_stack *st, uint32_t kind, uint32_t origin)
{
	struct tern_server s;
	unsigned cursor = 0, n = 0;

	while (tern_server_next(st, &cursor, &s))
		n += s.ifindex == NIC && s.kind == kind && s.origin == origin;
	return n;
}

#endif
