/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * option.c - socket options of Linux's that a stack does not know: see option.h.
 */
#define _GNU_SOURCE
#include "option.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "ifreq.h"

/* ---- numbers ---- */

int option_read_number(int level, const void *value, size_t len, int *out)
{
	if (len < sizeof(*out) && level != IPPROTO_IP)
		return -EINVAL;
	if (len >= sizeof(*out))
		memcpy(out, value, sizeof(*out));
	else
		*out = len ? *(const uint8_t *)value : 0;
	return 0;
}

static void copy_out(const void *value, size_t size, void *out, size_t *len)
{
	*len = *len < size ? *len : size;
	memcpy(out, value, *len);
}

void option_put_number(int level, int v, void *value, size_t *len)
{
	uint8_t byte = (uint8_t)v;

	if (level == IPPROTO_IP && *len > 0 && *len < sizeof(v) && v >= 0 && v <= 255)
		copy_out(&byte, sizeof(byte), value, len);
	else
		copy_out(&v, sizeof(v), value, len);
}

/* ---- interfaces by name ---- */

static int bind_to_device(struct tern_stack *st, tern_sock s, const void *value, size_t len)
{
	char name[IF_NAMESIZE] = "";
	int index = 0;

	memcpy(name, value, len < sizeof(name) - 1 ? len : sizeof(name) - 1);
	if (name[0]) {
		index = (int)ifreq_index_of(st, name);
		if (!index)
			return -ENODEV;
	}
	return tern_setsockopt(st, s, TERN_SOL_SOCKET, TERN_SO_BINDTOIFINDEX, &index,
			       sizeof(index));
}

static int bound_device(struct tern_stack *st, tern_sock s, void *value, size_t *len)
{
	struct tern_iface i;
	size_t size = sizeof(int);
	int index = 0;

	tern_getsockopt(st, s, TERN_SOL_SOCKET, TERN_SO_BINDTOIFINDEX, &index, &size);
	if (!index || tern_iface_get(st, (unsigned)index, &i)) {
		*len = 0;
		return 0;
	}
	if (*len < IF_NAMESIZE)
		return -EINVAL;
	copy_out(i.name, strlen(i.name) + 1, value, len);
	return 0;
}

/* ---- nobody's rights ---- */

/* Who is at the other end of the Internet is not known, and so is nobody: as on Linux. */
static int peer_credentials(void *value, size_t *len)
{
	static const struct ucred nobody = { 0, (uid_t)-1, (gid_t)-1 };

	copy_out(&nobody, sizeof(nobody), value, len);
	return 0;
}

/* ---- group_req, group_source_req, group_filter ---- */

/* The stack reads these as 64-bit machines lay them out; on others no gap follows the interface. */
enum { INTERFACE_LEN = 4, GAP = 8 - (int)offsetof(struct group_req, gr_group) };

static bool is_of_groups(int level, int name)
{
	return GAP && (level == IPPROTO_IP || level == IPPROTO_IPV6) && name >= MCAST_JOIN_GROUP &&
	       name <= MCAST_MSFILTER;
}

/* With the gap, the caller's to free; NULL: no memory. */
static uint8_t *widen(const uint8_t *value, size_t len)
{
	uint8_t *wide = calloc(1, len + GAP);

	if (wide) {
		memcpy(wide, value, INTERFACE_LEN);
		memcpy(wide + INTERFACE_LEN + GAP, value + INTERFACE_LEN, len - INTERFACE_LEN);
	}
	return wide;
}

static int set_groups(struct tern_stack *st, tern_sock s, int level, int name, const void *value,
		      size_t len)
{
	uint8_t *wide;
	int err;

	if (len < INTERFACE_LEN)
		return -EINVAL;
	wide = widen(value, len);
	err = wide ? tern_setsockopt(st, s, level, name, wide, len + GAP) : -ENOBUFS;
	free(wide);
	return err;
}

static int get_groups(struct tern_stack *st, tern_sock s, int level, int name, void *value,
		      size_t *len)
{
	size_t size = *len + GAP;
	uint8_t *wide;
	int err;

	if (*len < INTERFACE_LEN)
		return -EINVAL;
	wide = widen(value, *len);
	err = wide ? tern_getsockopt(st, s, level, name, wide, &size) : -ENOBUFS;
	if (!err && size >= INTERFACE_LEN + GAP) {
		*len = size - GAP;
		memcpy((uint8_t *)value + INTERFACE_LEN, wide + INTERFACE_LEN + GAP,
		       *len - INTERFACE_LEN);
	}
	free(wide);
	return err;
}

/* ---- the stack's ---- */

/* SO_RCVBUFFORCE is for the administrator: on a stack of one's own, everybody. */
static int plain_name(int level, int name)
{
	if (level != SOL_SOCKET)
		return name;
	return name == SO_RCVBUFFORCE ? SO_RCVBUF : name == SO_SNDBUFFORCE ? SO_SNDBUF : name;
}

int option_set(struct tern_stack *st, tern_sock s, int level, int name, const void *value,
	       size_t len)
{
	if (level == SOL_SOCKET && name == SO_BINDTODEVICE)
		return bind_to_device(st, s, value, len);
	if (is_of_groups(level, name))
		return set_groups(st, s, level, name, value, len);
	return tern_setsockopt(st, s, level, plain_name(level, name), value, len);
}

int option_get(struct tern_stack *st, tern_sock s, int level, int name, void *value, size_t *len)
{
	size_t size = sizeof(int);
	int v, err;

	if (level == SOL_SOCKET && name == SO_BINDTODEVICE)
		return bound_device(st, s, value, len);
	if (is_of_groups(level, name))
		return get_groups(st, s, level, name, value, len);
	if (level == SOL_SOCKET && name == SO_PEERCRED)
		return peer_credentials(value, len);
	if (level != IPPROTO_IP || *len == 0 || *len >= size)
		return tern_getsockopt(st, s, level, plain_name(level, name), value, len);
	err = tern_getsockopt(st, s, level, name, &v, &size);
	if (!err)
		option_put_number(level, v, value, len);
	return err;
}

/* ---- accepted without effect ---- */

static const struct {
	int level, name;
	bool flag;
} idle[] = {
	{ SOL_SOCKET, SO_DEBUG, true },
	{ SOL_SOCKET, SO_DONTROUTE, true },
	{ SOL_SOCKET, SO_NO_CHECK, true },
	{ SOL_SOCKET, SO_INCOMING_CPU, false },
	{ SOL_SOCKET, SO_PRIORITY, false },
	{ SOL_SOCKET, SO_MARK, false },
	{ IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, true },
	{ IPPROTO_IP, IP_RECVOPTS, true },
	{ IPPROTO_IP, IP_RETOPTS, true },
};
enum { N_IDLE = sizeof(idle) / sizeof(idle[0]) };
_Static_assert((int)N_IDLE <= (int)IDLE_OPTIONS_MAX, "all are remembered");

/* N_IDLE: it is none of them. */
static unsigned find_idle(int level, int name)
{
	unsigned i = 0;

	while (i < N_IDLE && (idle[i].level != level || idle[i].name != name))
		i++;
	return i;
}

bool idle_option_is(int level, int name)
{
	return find_idle(level, name) < N_IDLE;
}

int idle_option_set(struct idle_options *o, int level, int name, const void *value, size_t len)
{
	unsigned i = find_idle(level, name);
	int v = 0, err = option_read_number(level, value, len, &v);

	if (!err)
		o->as_set[i] = idle[i].flag ? v != 0 : v;
	return err;
}

void idle_option_get(const struct idle_options *o, int level, int name, void *value, size_t *len)
{
	option_put_number(level, o->as_set[find_idle(level, name)], value, len);
}
