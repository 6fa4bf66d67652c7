/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * start.c - the process's stack: its device, addresses and routes, as wished for.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "os.h"

static bool say_no(struct tern_posix_wish *w, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static bool say_no(struct tern_posix_wish *w, int error, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(w->error, sizeof(w->error), format, ap);
	va_end(ap);
	errno = error;
	return false;
}

static struct dev *open_dev(struct tern_posix_wish *w)
{
	struct dev_wish wish = { .mtu = 0 };
	uint8_t seed[32];
	struct dev *d = NULL;

	wish.seed = getrandom(seed, sizeof(seed), 0) == (ssize_t)sizeof(seed) ? seed : NULL;
	if (strncmp(w->dev, "tap:", 4) == 0)
		d = tap_open(w->dev + 4, true, &wish);
	else if (strncmp(w->dev, "tun:", 4) == 0)
		d = tap_open(w->dev + 4, false, &wish);
	else if (strncmp(w->dev, "packet:", 7) == 0)
		d = packet_open(w->dev + 7, &wish);
	else
		snprintf(wish.error, sizeof(wish.error),
			 "'%s' is no device: tap:NAME, tun:NAME or packet:IF", w->dev);
	if (!d)
		say_no(w, ENODEV, "%s", wish.error);
	return d;
}

/* An address and the way to all that is not on its network; none of either is right, too. */
static bool add_names(struct tern_posix_wish *w, struct tern_stack *st, unsigned ifindex, bool v6)
{
	const struct tern_addr *addr = v6 ? &w->addr6 : &w->addr, *gw = v6 ? &w->gw6 : &w->gw;
	unsigned len = v6 ? w->len6 : w->len;
	struct tern_route r = { .ifindex = ifindex, .gateway = *gw };
	int err = addr->family ? tern_addr_add(st, ifindex, addr, len) : 0;
	char text[TERN_ADDR_TEXT_MAX];

	if (err)
		return say_no(w, -err, "%s/%u is no address for an interface (%s)",
			      tern_addr_format(addr, false, text), len, tern_errno_name(err));
	r.dst.family = gw->family;
	err = gw->family ? tern_route_add(st, &r) : 0;
	return !err || say_no(w, -err, "%s: the gateway is not on the network of the address (%s)",
			      tern_addr_format(gw, false, text), tern_errno_name(err));
}

bool posix_open_stack(struct loop *l, struct tern_posix_wish *w)
{
	struct tern_config c;
	struct tern_stack *st;
	struct dev *d;
	int index;

	tern_config_default(&c);
	st = loop_new_stack(l, &c, NULL, NULL);
	if (!st)
		return say_no(w, ENOMEM, "out of memory");
	if (!w->dev)
		return true;
	d = open_dev(w);
	if (!d)
		return false;
	index = loop_add(l, st, d);
	if (index < 0) {
		dev_close(d);
		return say_no(w, -index, "%s: %s", w->dev, tern_errno_name(index));
	}
	return add_names(w, st, (unsigned)index, false) && add_names(w, st, (unsigned)index, true);
}

/* What a variable of the environment is not; always false. */
static bool say_bad_value(const char *name, const char *value, const char *wanted)
{
	fprintf(stderr, "tern: %s: '%s' is %s\n", name, value, wanted);
	errno = EINVAL;
	return false;
}

/* "10.0.0.2/24": without a length nobody would be on its network. */
static bool read_own_addr(const char *name, struct tern_addr *out, unsigned *len)
{
	char text[TERN_ADDR_TEXT_MAX], *slash, *end = NULL;
	const char *value = getenv(name);
	unsigned long v = 0;

	if (!value)
		return true;
	snprintf(text, sizeof(text), "%s", value);
	slash = strchr(text, '/');
	if (slash) {
		*slash = 0;
		v = strtoul(slash + 1, &end, 10);
	}
	if (!slash || slash[1] < '0' || slash[1] > '9' || *end || tern_addr_parse(text, 0, out) ||
	    v > (out->family == TERN_AF_INET ? 32u : 128u))
		return say_bad_value(
			name, value,
			"not an address with its prefix length, such as 10.0.0.2/24 or "
			"fd00::2/64");
	*len = (unsigned)v;
	return true;
}

static bool read_gateway(const char *name, struct tern_addr *out)
{
	const char *value = getenv(name);

	return !value || tern_addr_parse(value, 0, out) == 0 ||
	       say_bad_value(name, value, "no address");
}

bool posix_wish_of_environment(struct tern_posix_wish *w)
{
	w->dev = getenv("TERN_DEV");
	return read_own_addr("TERN_ADDR", &w->addr, &w->len) && read_gateway("TERN_GW", &w->gw) &&
	       read_own_addr("TERN_ADDR6", &w->addr6, &w->len6) &&
	       read_gateway("TERN_GW6", &w->gw6);
}
