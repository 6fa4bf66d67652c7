/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * calls_cmsg.c - ancillary data of sendmsg and recvmsg.
 *
 * The stack hands over what it knows of a datagram in a struct; here that becomes the list of
 * control messages that Linux would make of it, as far as the socket has asked for them.
 */
#include <string.h>

#include "run.h"

enum { CMSGS_MAX = 8 };

/* Linux's types of control messages where they are not the options that ask for them. */
enum { CMSG_IPV6_PKTINFO = 50, CMSG_IPV6_HOPLIMIT = 52 };

struct cmsg {
	int64_t level, type, value;
	const struct tern_msg *error; /* its sock_extended_err is in here; NULL: value counts */
};

/* ---- sending ---- */

static bool put_one(struct tern_msg *msg, const struct cmsg *m)
{
	bool v4 = m->level == TERN_IPPROTO_IP, v6 = m->level == TERN_IPPROTO_IPV6;

	if ((v4 && m->type == TERN_IP_TTL) || (v6 && m->type == CMSG_IPV6_HOPLIMIT))
		msg->ttl = (int)m->value;
	else if ((v4 && m->type == TERN_IP_TOS) || (v6 && m->type == TERN_IPV6_TCLASS))
		msg->tos = (int)m->value;
	else
		return false;
	return true;
}

bool cmsg_put(struct drill *d, const struct calling *c, const struct expr *control,
	      struct tern_msg *msg)
{
	struct cmsg m = { 0 };

	if (!control)
		return true;
	for (const struct expr *e = control->items; e; e = e->next) {
		if (!expr_number(e, "cmsg_level", &m.level) ||
		    !expr_number(e, "cmsg_type", &m.type) || !expr_number(e, "cmsg_data", &m.value))
			return call_mistyped(d, c, 1, "with cmsg_level, cmsg_type and cmsg_data");
		if (!put_one(msg, &m)) {
			drill_end(d, DRILL_UNSUPPORTED, "control message %lld of level %lld",
				  (long long)m.type, (long long)m.level);
			return false;
		}
	}
	return true;
}

/* ---- receiving ---- */

static bool asks_for(struct drill *d, const struct fd *fd, int level, int option)
{
	int32_t on = 0;
	size_t len = sizeof(on);

	return tern_getsockopt(d->st, fd->sock, level, option, &on, &len) == 0 && on;
}

static int32_t domain_of(struct drill *d, const struct fd *fd)
{
	int32_t domain = 0;
	size_t len = sizeof(domain);

	tern_getsockopt(d->st, fd->sock, TERN_SOL_SOCKET, TERN_SO_DOMAIN, &domain, &len);
	return domain;
}

/* What Linux would have put there; returns how many. */
static unsigned make_list(struct drill *d, const struct fd *fd, const struct tern_msg *msg,
			  struct cmsg list[CMSGS_MAX])
{
	const struct {
		int level, option, type;
		int64_t value;
	} askable[] = {
		{ TERN_IPPROTO_IP, TERN_IP_PKTINFO, TERN_IP_PKTINFO, msg->ifindex },
		{ TERN_IPPROTO_IP, TERN_IP_RECVTTL, TERN_IP_TTL, msg->ttl },
		{ TERN_IPPROTO_IP, TERN_IP_RECVTOS, TERN_IP_TOS, msg->tos },
		{ TERN_IPPROTO_IPV6, TERN_IPV6_RECVPKTINFO, CMSG_IPV6_PKTINFO, msg->ifindex },
		{ TERN_IPPROTO_IPV6, TERN_IPV6_RECVHOPLIMIT, CMSG_IPV6_HOPLIMIT, msg->ttl },
		{ TERN_IPPROTO_IPV6, TERN_IPV6_RECVTCLASS, TERN_IPV6_TCLASS, msg->tos },
	};
	bool v6 = domain_of(d, fd) == TERN_AF_INET6;
	unsigned n = 0;

	for (size_t i = 0; i < N_ELEMENTS(askable) && fd->type != TERN_SOCK_STREAM; i++)
		if (v6 == (askable[i].level == TERN_IPPROTO_IPV6) &&
		    asks_for(d, fd, askable[i].level, askable[i].option))
			list[n++] = (struct cmsg){ .level = askable[i].level,
						   .type = askable[i].type,
						   .value = askable[i].value };
	if (msg->flags & TERN_MSG_ERRQUEUE)
		list[n++] = (struct cmsg){ .level = v6 ? TERN_IPPROTO_IPV6 : TERN_IPPROTO_IP,
					   .type = v6 ? TERN_IPV6_RECVERR : TERN_IP_RECVERR,
					   .error = msg };
	return n;
}

static void check_error(struct drill *d, const struct calling *c, const struct expr *e,
			const struct tern_msg *msg)
{
	const struct {
		const char *name;
		int64_t value;
	} parts[] = {
		{ "ee_errno", msg->error }, { "ee_origin", msg->origin }, { "ee_type", msg->type },
		{ "ee_code", msg->code },   { "ee_info", msg->info },	  { "ee_data", 0 },
	};
	int64_t want;

	for (size_t i = 0; i < N_ELEMENTS(parts); i++)
		if (expr_number(e, parts[i].name, &want) && want != parts[i].value)
			call_differs(d, c, parts[i].name, want, parts[i].value);
}

static void check_data(struct drill *d, const struct calling *c, const struct expr *e,
		       const struct cmsg *m)
{
	if (e && e->kind == EXPR_LIST && e->items && !e->items->next)
		e = e->items;
	if (!e || e->kind == EXPR_ANY)
		return;
	if (e->kind != EXPR_INT)
		call_mistyped(d, c, 1, "with a number, an error or ... as cmsg_data");
	else if (e->number != m->value)
		call_differs(d, c, "cmsg_data", e->number, m->value);
}

static void check_cmsg(struct drill *d, const struct calling *c, const struct expr *e,
		       const struct cmsg *m)
{
	const struct expr *data = expr_field(e, "cmsg_data");
	int64_t level, type;

	if (!expr_number(e, "cmsg_level", &level) || !expr_number(e, "cmsg_type", &type)) {
		call_mistyped(d, c, 1, "with cmsg_level, cmsg_type and cmsg_data");
		return;
	}
	if (level != m->level)
		call_differs(d, c, "cmsg_level", level, m->level);
	if (type != m->type)
		call_differs(d, c, "cmsg_type", type, m->type);
	if (m->error)
		check_error(d, c, data, m->error);
	else
		check_data(d, c, data, m);
}

/* In Linux's order. */
void cmsg_check(struct drill *d, const struct calling *c, const struct fd *fd,
		const struct tern_msg *msg)
{
	const struct expr *control = expr_field(call_arg(c, 1), "msg_control"), *e;
	struct cmsg list[CMSGS_MAX];
	unsigned n, n_wanted = 0;

	if (!control || control->kind != EXPR_LIST)
		return;
	n = make_list(d, fd, msg, list);
	for (e = control->items; e; e = e->next)
		n_wanted++;
	if (n != n_wanted) {
		call_differs(d, c, "the number of control messages", n_wanted, n);
		return;
	}
	e = control->items;
	for (unsigned i = 0; i < n; i++, e = e->next)
		check_cmsg(d, c, e, &list[i]);
}
