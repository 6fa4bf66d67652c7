/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dhcp6.c - DHCP messages of IPv6.
 *
 * Options are walked once at each of three levels: those of the message, those of its identity
 * association (the first: tern asks for one), and those of an address in it.
 *
 * Sources: RFC 8415 8 (messages), 21 (options), 11.4 (DUID-LL); RFC 3646 (servers and domains).
 */
#include "dhcp.h"

enum { OPTION_HDR_LEN = 4, IA_LEN = 12, IAADDR_LEN = 24 };

struct option6 {
	uint16_t code;
	size_t len;
	const uint8_t *value;
};

/* The option at *at, which then is behind it. false: the end, or (*at is not len) malformed. */
static bool next_option6(const uint8_t *p, size_t len, size_t *at, struct option6 *o)
{
	if (len - *at < OPTION_HDR_LEN)
		return false;
	o->code = get_be16(p + *at);
	o->len = get_be16(p + *at + 2);
	o->value = p + *at + OPTION_HDR_LEN;
	if (len - *at - OPTION_HDR_LEN < o->len)
		return false;
	*at += OPTION_HDR_LEN + o->len;
	return true;
}

static void read_status(uint16_t *status, const struct option6 *o)
{
	if (o->len >= 2)
		*status = get_be16(o->value);
}

static bool read_ia_addr(struct dhcp6_ia *ia, const struct option6 *o)
{
	struct dhcp6_addr a = { .status = DHCP6_SUCCESS };
	size_t at = IAADDR_LEN;
	struct option6 inner;

	if (o->len < IAADDR_LEN)
		return true;
	a.addr = addr_from6(o->value);
	a.preferred = get_be32(o->value + 16);
	a.valid = get_be32(o->value + 20);
	while (next_option6(o->value, o->len, &at, &inner))
		if (inner.code == DHCP6_OPT_STATUS)
			read_status(&a.status, &inner);
	if (ia->n < DHCP6_ADDRS_MAX)
		ia->addr[ia->n++] = a;
	return at == o->len;
}

static bool read_ia(struct dhcp6_ia *ia, const struct option6 *o)
{
	size_t at = IA_LEN;
	struct option6 inner;

	if (o->len < IA_LEN || ia->is_there)
		return true;
	ia->is_there = true;
	ia->iaid = get_be32(o->value);
	ia->t1 = get_be32(o->value + 4);
	ia->t2 = get_be32(o->value + 8);
	while (next_option6(o->value, o->len, &at, &inner)) {
		if (inner.code == DHCP6_OPT_STATUS)
			read_status(&ia->status, &inner);
		if (inner.code == DHCP6_OPT_IAADDR && !read_ia_addr(ia, &inner))
			return false;
	}
	return at == o->len;
}

static void read_duid(struct dhcp6_duid *d, const struct option6 *o)
{
	if (o->len < DHCP6_DUID_MIN || o->len > DHCP6_DUID_MAX)
		return;
	d->len = (uint8_t)o->len;
	memcpy(d->b, o->value, o->len);
}

static void read_asked(struct dhcp6 *m, const struct option6 *o)
{
	for (size_t i = 0; o->len % 2 == 0 && i < o->len && m->n_asked < DHCP6_ASKED_MAX; i += 2)
		m->asked[m->n_asked++] = get_be16(o->value + i);
}

static void read_dns(struct dhcp6 *m, const struct option6 *o)
{
	for (size_t i = 0; o->len % 16 == 0 && i < o->len && m->n_dns < DHCP6_ADDRS_MAX; i += 16)
		m->dns[m->n_dns++] = addr_from6(o->value + i);
}

static void read_seconds(uint32_t *to, const struct option6 *o)
{
	if (o->len == 4)
		*to = get_be32(o->value);
}

static bool read_option6(struct dhcp6 *m, const struct option6 *o)
{
	switch (o->code) {
	case DHCP6_OPT_CLIENT_ID:
		read_duid(&m->client, o);
		break;
	case DHCP6_OPT_SERVER_ID:
		read_duid(&m->server, o);
		break;
	case DHCP6_OPT_IA_NA:
		return read_ia(&m->ia, o);
	case DHCP6_OPT_ORO:
		read_asked(m, o);
		break;
	case DHCP6_OPT_PREFERENCE:
		m->preference = o->len == 1 ? o->value[0] : m->preference;
		break;
	case DHCP6_OPT_ELAPSED:
		m->has_elapsed = o->len == 2;
		m->elapsed = o->len == 2 ? get_be16(o->value) : 0;
		break;
	case DHCP6_OPT_STATUS:
		read_status(&m->status, o);
		break;
	case DHCP6_OPT_RAPID_COMMIT:
		m->rapid_commit = o->len == 0;
		break;
	case DHCP6_OPT_DNS:
		read_dns(m, o);
		break;
	case DHCP6_OPT_SEARCH:
		domains_parse(&m->search, o->value, o->len);
		break;
	case DHCP6_OPT_REFRESH:
		m->has_refresh = o->len == 4;
		read_seconds(&m->refresh, o);
		break;
	case DHCP6_OPT_SOL_MAX_RT:
		read_seconds(&m->sol_max_rt, o);
		break;
	case DHCP6_OPT_INF_MAX_RT:
		read_seconds(&m->inf_max_rt, o);
		break;
	}
	return true;
}

bool dhcp6_parse(struct dhcp6 *m, const uint8_t *p, size_t len)
{
	size_t at = DHCP6_HDR_LEN;
	struct option6 o;

	if (len < DHCP6_HDR_LEN || p[0] < DHCP6_SOLICIT || p[0] > DHCP6_INFORM)
		return false;
	memset(m, 0, sizeof(*m));
	m->type = p[0];
	m->xid = get_be32(p) & 0xffffff;
	while (next_option6(p, len, &at, &o))
		if (!read_option6(m, &o))
			return false;
	return at == len;
}

/* ---- emit ---- */

struct writer6 {
	uint8_t *p;
	size_t len, cap;
	bool full;
};

/* The head of an option, and where its value goes; NULL: it does not fit. */
static uint8_t *begin_option6(struct writer6 *w, uint16_t code, size_t len)
{
	uint8_t *at = w->p + w->len;

	w->full = w->full || w->cap - w->len < OPTION_HDR_LEN + len;
	if (w->full)
		return NULL;
	put_be16(at, code);
	put_be16(at + 2, (uint32_t)len);
	w->len += OPTION_HDR_LEN + len;
	return at + OPTION_HDR_LEN;
}

static void put_option6(struct writer6 *w, uint16_t code, const void *value, size_t len)
{
	uint8_t *at = begin_option6(w, code, len);

	if (at && len)
		memcpy(at, value, len);
}

static void put_number6(struct writer6 *w, uint16_t code, uint32_t v, size_t len)
{
	uint8_t bytes[4];

	put_be32(bytes, v);
	put_option6(w, code, bytes + 4 - len, len);
}

static void put_ia_addr(struct writer6 *w, const struct dhcp6_addr *a)
{
	size_t status_len = a->status ? OPTION_HDR_LEN + 2 : 0;
	uint8_t *at = begin_option6(w, DHCP6_OPT_IAADDR, IAADDR_LEN + status_len);

	if (!at)
		return;
	memcpy(at, a->addr.b, 16);
	put_be32(at + 16, a->preferred);
	put_be32(at + 20, a->valid);
	w->len -= status_len;
	if (status_len)
		put_number6(w, DHCP6_OPT_STATUS, a->status, 2);
}

static void put_ia(struct writer6 *w, const struct dhcp6_ia *ia)
{
	size_t start = w->len;
	uint8_t *at = begin_option6(w, DHCP6_OPT_IA_NA, IA_LEN);

	if (!at)
		return;
	put_be32(at, ia->iaid);
	put_be32(at + 4, ia->t1);
	put_be32(at + 8, ia->t2);
	for (unsigned i = 0; i < ia->n; i++)
		put_ia_addr(w, &ia->addr[i]);
	if (ia->status)
		put_number6(w, DHCP6_OPT_STATUS, ia->status, 2);
	put_be16(w->p + start + 2, (uint32_t)(w->len - start - OPTION_HDR_LEN));
}

static void put_asked(struct writer6 *w, const struct dhcp6 *m)
{
	uint8_t *at = begin_option6(w, DHCP6_OPT_ORO, 2u * m->n_asked);

	for (unsigned i = 0; at && i < m->n_asked; i++)
		put_be16(at + 2 * i, m->asked[i]);
}

static void put_what_is_served(struct writer6 *w, const struct dhcp6 *m)
{
	uint8_t names[2 * DOMAINS_TEXT_MAX];

	if (m->n_dns)
		put_option6(w, DHCP6_OPT_DNS, m->dns, 16u * m->n_dns);
	if (m->search.len)
		put_option6(w, DHCP6_OPT_SEARCH, names, domains_emit(&m->search, names));
	if (m->has_refresh)
		put_number6(w, DHCP6_OPT_REFRESH, m->refresh, 4);
	if (m->sol_max_rt)
		put_number6(w, DHCP6_OPT_SOL_MAX_RT, m->sol_max_rt, 4);
	if (m->inf_max_rt)
		put_number6(w, DHCP6_OPT_INF_MAX_RT, m->inf_max_rt, 4);
}

size_t dhcp6_emit(const struct dhcp6 *m, uint8_t *p, size_t cap)
{
	struct writer6 w = { .p = p, .len = DHCP6_HDR_LEN, .cap = cap };

	if (cap < DHCP6_HDR_LEN)
		return 0;
	put_be32(p, (uint32_t)m->type << 24 | (m->xid & 0xffffff));
	if (m->client.len)
		put_option6(&w, DHCP6_OPT_CLIENT_ID, m->client.b, m->client.len);
	if (m->server.len)
		put_option6(&w, DHCP6_OPT_SERVER_ID, m->server.b, m->server.len);
	if (m->ia.is_there)
		put_ia(&w, &m->ia);
	if (m->n_asked)
		put_asked(&w, m);
	if (m->preference)
		put_number6(&w, DHCP6_OPT_PREFERENCE, m->preference, 1);
	if (m->has_elapsed)
		put_number6(&w, DHCP6_OPT_ELAPSED, m->elapsed, 2);
	if (m->rapid_commit)
		put_option6(&w, DHCP6_OPT_RAPID_COMMIT, NULL, 0);
	if (m->status)
		put_number6(&w, DHCP6_OPT_STATUS, m->status, 2);
	put_what_is_served(&w, m);
	return w.full ? 0 : w.len;
}
