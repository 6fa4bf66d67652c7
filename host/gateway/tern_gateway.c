/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tern_gateway.c - a gateway with its own loop, behind one descriptor: tern_gateway.h.
 *
 * The descriptor is an epoll set of three: the device, the host's sockets of the gateway (a set,
 * too), and a timer that is set to the next deadline whenever a turn ends.
 */
#define _GNU_SOURCE
#include "../../include/tern_gateway.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "gateway.h"

enum { SOCKS_WORD_MAX = 255 }; /* RFC 1929 */

struct tern_gateway {
	struct loop loop;
	struct dev *dev; /* the loop's once there is a gateway */
	struct gateway *gateway;
	int set, timer;
	short dev_events; /* what the set asks the device for */
	bool gone;
	char user[SOCKS_WORD_MAX + 2], password[SOCKS_WORD_MAX + 2]; /* one more is too long */
};

void tern_gateway_config_default(struct tern_gateway_config *c)
{
	*c = (struct tern_gateway_config){ .size = sizeof(*c),
					   .fd = -1,
					   .flows_max = 16384,
					   .udp_idle_ms = 120000,
					   .connect_timeout_ms = 130000 };
}

/* ---- making ---- */

static int refuse(char *error, const char *why)
{
	snprintf(error, TERN_GATEWAY_ERROR_MAX, "%s", why);
	return -1;
}

static int open_link(struct tern_gateway *g, const struct tern_gateway_config *c, char *error)
{
	struct dev_wish wish = { .mtu = c->mtu };

	if (!c->device && c->fd < 0)
		return refuse(error, "no link: set device or fd");
	/* of a descriptor it has a copy, so that the caller's stays when something else fails */
	g->dev = c->device ? tap_open(c->device, c->ethernet, &wish) :
			     fd_open(c->fd, c->ethernet, &wish);
	return g->dev ? 0 : refuse(error, wish.error);
}

static int watch(struct tern_gateway *g, int op, int fd, short events)
{
	struct epoll_event ev = { .events = (uint32_t)events, .data.fd = fd };

	return epoll_ctl(g->set, op, fd, &ev);
}

static int open_set(struct tern_gateway *g, char *error)
{
	g->set = epoll_create1(EPOLL_CLOEXEC);
	g->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (g->set < 0 || g->timer < 0 || watch(g, EPOLL_CTL_ADD, g->timer, POLLIN) != 0)
		return refuse(error, strerror(errno));
	return 0;
}

static int open_gateway(struct tern_gateway *g, const struct tern_gateway_config *c, char *error)
{
	struct gateway_wish wish = { .addr = c->addr,
				     .addr6 = c->addr6,
				     .no_loopback = c->no_loopback,
				     .socks = c->socks,
				     .socks_user = c->socks_user ? g->user : NULL,
				     .socks_password = c->socks_password ? g->password : NULL,
				     .name = c->name,
				     .name_ctx = c->ctx,
				     .trace = c->trace,
				     .trace_ctx = c->ctx,
				     .flows_max = c->flows_max,
				     .udp_idle = c->udp_idle_ms * TERN_MS,
				     .connect_timeout = c->connect_timeout_ms * TERN_MS };

	if (c->socks_user)
		snprintf(g->user, sizeof(g->user), "%s", c->socks_user);
	if (c->socks_password)
		snprintf(g->password, sizeof(g->password), "%s", c->socks_password);
	g->gateway = gateway_new(&g->loop, g->dev, &wish);
	if (!g->gateway)
		return refuse(error, wish.error);
	g->dev_events = POLLIN;
	if (watch(g, EPOLL_CTL_ADD, gateway_fd(g->gateway), POLLIN) != 0 ||
	    watch(g, EPOLL_CTL_ADD, g->dev->fd, POLLIN) != 0)
		return refuse(error, strerror(errno));
	return 0;
}

static int begin(struct tern_gateway *g, char *error)
{
	int err = tern_gateway_turn(g);

	return err ? refuse(error, strerror(-err)) : 0;
}

struct tern_gateway *tern_gateway_new(const struct tern_gateway_config *c,
				      char error[TERN_GATEWAY_ERROR_MAX])
{
	struct tern_gateway *g;

	if (c->size != sizeof(*c)) {
		refuse(error,
		       "the configuration was not made by this tern's tern_gateway_config_default");
		return NULL;
	}
	g = calloc(1, sizeof(*g));
	if (!g) {
		refuse(error, strerror(ENOMEM));
		return NULL;
	}
	g->set = g->timer = -1;
	loop_init(&g->loop);
	if (open_set(g, error) != 0 || open_link(g, c, error) != 0 ||
	    open_gateway(g, c, error) != 0 || begin(g, error) != 0) {
		tern_gateway_free(g);
		return NULL;
	}
	if (!c->device)
		close(c->fd);
	return g;
}

void tern_gateway_free(struct tern_gateway *g)
{
	if (!g)
		return;
	if (!g->gateway)
		dev_close(g->dev);
	gateway_free(g->gateway);
	loop_fini(&g->loop);
	if (g->timer >= 0)
		close(g->timer);
	if (g->set >= 0)
		close(g->set);
	free(g);
}

/* ---- turning ---- */

int tern_gateway_fd(const struct tern_gateway *g)
{
	return g->set;
}

/* The next turn is due when this much time has passed, if nothing else calls for it. */
static void arm(struct tern_gateway *g, tern_time wait)
{
	struct itimerspec at = { .it_value = { (time_t)(wait / TERN_SEC),
					       (long)(wait % TERN_SEC) } };

	if (wait == 0)
		at.it_value.tv_nsec = 1; /* 0 would stop it */
	timerfd_settime(g->timer, 0, &at, NULL);
}

int tern_gateway_turn(struct tern_gateway *g)
{
	struct pollfd fds[LOOP_PORTS_MAX];
	tern_time wait;
	unsigned n;

	loop_pump(&g->loop);
	gateway_turn(g->gateway);
	n = loop_prepare_wait(&g->loop, gateway_deadline(g->gateway), fds, &wait);
	arm(g, wait);
	if (n == 1 && fds[0].events != g->dev_events) {
		g->dev_events = fds[0].events;
		watch(g, EPOLL_CTL_MOD, g->dev->fd, g->dev_events);
	}
	g->gone = g->gone || loop_take_gone(&g->loop);
	return g->gone ? -ENODEV : 0;
}

/* ---- looking ---- */

struct tern_stack *tern_gateway_stack(const struct tern_gateway *g)
{
	return gateway_stack(g->gateway);
}

int tern_gateway_forward(struct tern_gateway *g, bool udp, const struct tern_addr *at,
			 const struct tern_addr *to)
{
	const struct gateway_forward f = { .udp = udp, .at = *at, .to = *to };

	return gateway_forward(g->gateway, &f);
}

void tern_gateway_count(const struct tern_gateway *g, struct tern_gateway_counts *out)
{
	*out = gateway_counts(g->gateway);
}
