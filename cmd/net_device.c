/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net_device.c - a device by its name, as an interface of a command's stack.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "../core/wire/wire.h"
#include "../host/dev/mesh.h"
#include "../host/dev/own_socket.h"
#include "net.h"
#include "run_place.h"

static const char *after(const char *text, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(text, prefix, len) == 0 ? text + len : NULL;
}

/* The peer's side of a simulated wire, in the same loop. */
static bool open_peer(struct net *n, struct dev *end)
{
	static const uint8_t six[16] = { 0xfd, [15] = 2 };
	struct tern_addr v4 = tern_ip4(10, 0, 0, 2, 0), v6 = { .family = TERN_AF_INET6 };
	struct tern_config cfg;
	struct tern_stack *st;
	int ifindex;

	tern_config_default(&cfg);
	cfg.id = 2;
	st = loop_new_stack(&n->loop, &cfg, NULL, NULL);
	ifindex = st ? loop_add(&n->loop, st, end) : -TERN_ENOMEM;
	if (ifindex < 0) {
		dev_close(end);
		return false;
	}
	memcpy(v6.ip, six, 16);
	tern_addr_add(st, (unsigned)ifindex, &v4, 24);
	tern_addr_add(st, (unsigned)ifindex, &v6, 64);
	n->peer = sim_peer_new(st);
	return n->peer != NULL;
}

/* What is drawn or captured there is as a wire would have it. */
static bool open_wire(const struct net *n, struct dev *end[2], struct dev_wish *w)
{
	w->no_offload |= n->options->pcap || n->options->ladder;
	return pipe_open(end, w);
}

static struct dev *open_sim(struct net *n, struct net_dev *d, struct dev_wish *w)
{
	static const uint8_t six[16] = { 0xfd, [15] = 1 };
	struct dev *end[2];

	if (n->peer) {
		snprintf(w->error, sizeof(w->error), "only one device can be sim");
		return NULL;
	}
	if (!open_wire(n, end, w))
		return NULL;
	if (!open_peer(n, end[1])) {
		snprintf(w->error, sizeof(w->error), "out of memory");
		dev_close(end[0]);
		return NULL;
	}
	if (d->addr.family == TERN_AF_UNSPEC && d->addr6.family == TERN_AF_UNSPEC) {
		d->addr = tern_ip4(10, 0, 0, 1, 0);
		d->len = 24;
		if (end[0]->iface.mtu < IP6_MTU_MIN)
			return end[0];
		d->addr6.family = TERN_AF_INET6;
		memcpy(d->addr6.ip, six, 16);
		d->len6 = 64;
	}
	return end[0];
}

static struct tern_addr six_at(uint8_t last)
{
	struct tern_addr a = { .family = TERN_AF_INET6, .ip = { 0xfd, [15] = last } };

	return a;
}

/* What d says of the addresses of both sides, where it says nothing. */
static void default_to_gateway(struct net_dev *d, bool six)
{
	if (d->addr.family != TERN_AF_UNSPEC || d->addr6.family != TERN_AF_UNSPEC)
		return;
	d->addr = tern_ip4(10, 0, 2, 15, 0);
	d->len = 24;
	d->gw = tern_ip4(10, 0, 2, 2, 0);
	if (six)
		d->addr6 = six_at(0x15); /* reads like that of IPv4 */
	d->len6 = 64;
	if (six)
		d->gw6 = six_at(2);
}

static bool make_gateway(struct net *n, struct dev *far_side, bool traced, char *error)
{
	struct gateway_wish wish = { .addr = tern_ip4(10, 0, 2, 2, 0),
				     .name = names_find,
				     .named = names_find_address,
				     .name_ctx = n };

	if (far_side->iface.mtu >= IP6_MTU_MIN)
		wish.addr6 = six_at(2);
	if (traced && (n->options->pcap || n->options->ladder)) {
		wish.trace = recorder_trace;
		wish.trace_ctx = &n->recorder;
	}
	n->gateway = gateway_new(&n->loop, far_side, &wish);
	if (!n->gateway)
		snprintf(error, DEV_ERROR_MAX, "%s", wish.error);
	return n->gateway != NULL;
}

/* A gateway of tern's at the other end of a wire in this loop: the host's own sockets beyond. */
static struct dev *open_gateway(struct net *n, struct net_dev *d, struct dev_wish *w)
{
	struct dev *end[2];

	if (n->gateway) {
		snprintf(w->error, sizeof(w->error), "only one device can be the gateway");
		return NULL;
	}
	if (!open_wire(n, end, w))
		return NULL;
	if (!make_gateway(n, end[1], false, w->error)) {
		dev_close(end[0]);
		dev_close(end[1]);
		return NULL;
	}
	default_to_gateway(d, end[0]->iface.mtu >= IP6_MTU_MIN);
	return end[0];
}

void net_default_addresses(struct net_options *o)
{
	default_to_gateway(&o->dev[0], o->mtu == 0 || o->mtu >= IP6_MTU_MIN);
}

int net_open_far_side(struct net *n, int fd)
{
	uint8_t seed[32];
	struct dev_wish w = { .mtu = (uint32_t)n->options->mtu,
			      .no_offload = n->options->no_offload,
			      .seed = seed };
	struct dev *d;

	if (getrandom(seed, sizeof(seed), 0) < 0)
		return net_refuse(n, "no random numbers: %s", strerror(errno));
	d = fd_open(fd, true, &w);
	if (!d || !make_gateway(n, d, true, w.error)) {
		dev_close(d);
		return net_refuse(n, "%s", w.error);
	}
	n->st = gateway_stack(n->gateway);
	recorder_note_link(&n->recorder, d->ifindex, d->iface.link);
	return n->options->has_weather ? weather_begin(n) : EXIT_DONE;
}

/* A network that lives in a directory while a member does. */
static struct dev *open_mesh(struct net *n, const char *name, struct net_dev *d, struct dev_wish *w)
{
	char inside[PLACE_NAME_MAX + 8];

	if (n->mesh || !place_is_name(name)) {
		snprintf(w->error, sizeof(w->error),
			 n->mesh ? "only one device can be a network" :
				   "'%s' is no name of a network",
			 name);
		return NULL;
	}
	snprintf(inside, sizeof(inside), "net-%s", name);
	if (place_dir(inside, n->mesh_dir, sizeof(n->mesh_dir)) < 0) {
		snprintf(w->error, sizeof(w->error), "no network in %s: %s", n->mesh_dir,
			 own_socket_trouble(errno));
		return NULL;
	}
	n->mesh = mesh_open(n->mesh_dir, n->options->name, w);
	if (!n->mesh)
		return NULL;
	if (d->addr.family == TERN_AF_UNSPEC && d->addr6.family == TERN_AF_UNSPEC) {
		d->addr = mesh_addr(n->mesh, TERN_AF_INET);
		d->len = MESH_LEN4;
		d->addr6.family = TERN_AF_UNSPEC;
		if (n->mesh->iface.mtu >= IP6_MTU_MIN)
			d->addr6 = mesh_addr(n->mesh, TERN_AF_INET6);
		d->len6 = MESH_LEN6;
	}
	return n->mesh;
}

static struct dev *open_named(struct net *n, struct net_dev *d, struct dev_wish *w)
{
	const char *name;

	if (strcmp(d->what, "sim") == 0)
		return open_sim(n, d, w);
	if (strcmp(d->what, "gateway") == 0)
		return open_gateway(n, d, w);
	if ((name = after(d->what, "tap:")) && *name)
		return tap_open(name, true, w);
	if ((name = after(d->what, "tun:")) && *name)
		return tap_open(name, false, w);
	if ((name = after(d->what, "packet:")) && *name)
		return packet_open(name, w);
	if ((name = after(d->what, "net:")))
		return open_mesh(n, name, d, w);
	if ((name = after(d->what, "fd:")) && *name && strlen(name) < 8 &&
	    strspn(name, "0123456789") == strlen(name))
		return fd_open(atoi(name), true, w);
	snprintf(w->error, sizeof(w->error),
		 "%s: not tap:NAME, tun:NAME, packet:IF, fd:N, net:NAME, sim or gateway", d->what);
	return NULL;
}

static int add_addresses(struct net *n, const struct net_dev *d, unsigned ifindex)
{
	struct tern_route via = { .ifindex = ifindex };
	struct tern_iface iface;

	if (d->addr.family == TERN_AF_UNSPEC && d->addr6.family == TERN_AF_UNSPEC && !d->is_auto)
		return net_refuse(n,
				  "%s has no address; give it one: --addr 10.0.0.1/24, or --auto",
				  d->what);
	tern_iface_get(n->st, ifindex, &iface);
	if (d->addr6.family && iface.mtu < IP6_MTU_MIN)
		return net_refuse(n, "%s: IPv6 needs an MTU of 1280 at least", d->what);
	if ((d->addr.family && tern_addr_add(n->st, ifindex, &d->addr, d->len)) ||
	    (d->addr6.family && tern_addr_add(n->st, ifindex, &d->addr6, d->len6)))
		return net_refuse(n, "the address of %s cannot be used", d->what);
	via.dst.family = TERN_AF_INET;
	via.gateway = d->gw;
	if (d->gw.family && tern_route_add(n->st, &via))
		return net_refuse(n, "%s: the gateway is not on its network", d->what);
	via.dst.family = TERN_AF_INET6;
	via.gateway = d->gw6;
	if (d->gw6.family && tern_route_add(n->st, &via))
		return net_refuse(n, "%s: the IPv6 gateway is not on its network", d->what);
	return EXIT_DONE;
}

/* Who is in a network of processes speaks to groups there, not behind the gateway. */
static void route_groups(struct net *n, unsigned ifindex)
{
	struct tern_route four = { .dst = tern_ip4(224, 0, 0, 0, 0), .prefix_len = 4 };
	struct tern_route six = { .dst = { .family = TERN_AF_INET6, .ip = { 0xff } },
				  .prefix_len = 8 };

	four.ifindex = six.ifindex = ifindex;
	tern_route_add(n->st, &four);
	tern_route_add(n->st, &six);
}

int net_open_device(struct net *n, struct net_dev *d)
{
	uint8_t seed[32];
	struct dev_wish w = { .mtu = (uint32_t)n->options->mtu,
			      .no_offload = n->options->no_offload,
			      .seed = seed };
	struct dev *dev;
	int ifindex, code;

	if (d->is_auto && (strcmp(d->what, "sim") == 0 || strcmp(d->what, "gateway") == 0 ||
			   strcmp(d->what, "none") == 0 || after(d->what, "net:")))
		return net_refuse(n, "%s: nobody there says what is --auto", d->what);
	if (d->host_addr.family && !after(d->what, "tap:") && !after(d->what, "tun:"))
		return net_refuse(n, "--host-addr: %s is no tap or tun", d->what);
	if (strcmp(d->what, "none") == 0) /* the stack's own loopback is all there is */
		return EXIT_DONE;
	if (getrandom(seed, sizeof(seed), 0) < 0)
		return net_refuse(n, "no random numbers: %s", strerror(errno));
	dev = open_named(n, d, &w);
	if (!dev)
		return net_refuse(n, "%s", w.error);
	if (d->host_addr.family &&
	    host_addr_add(dev->iface.name, &d->host_addr, d->host_len, w.error) != 0) {
		dev_close(dev);
		return net_refuse(n, "--host-addr: %s", w.error);
	}
	ifindex = loop_add(&n->loop, n->st, dev);
	if (ifindex < 0) {
		dev_close(dev);
		return net_refuse(n, "%s cannot be added", d->what);
	}
	recorder_note_link(&n->recorder, (unsigned)ifindex, dev->iface.link);
	code = add_addresses(n, d, (unsigned)ifindex);
	if (code == EXIT_DONE && dev == n->mesh)
		route_groups(n, (unsigned)ifindex);
	return code == EXIT_DONE ? auto_begin(n, d, (unsigned)ifindex) : code;
}
