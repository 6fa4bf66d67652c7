/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dhcp4.c - DHCP messages of IPv4.
 *
 * Options lie in up to three fields: their own, and `file` and `sname` when option 52 says so. All
 * parts of an option, in that order of fields, are one value (RFC 3396 7). The fields are looked
 * through once to see that their lengths hold, then once for each option that is known: a table
 * says where its value belongs in the struct, for reading and for writing.
 *
 * Sources: RFC 2131 2, 4.1; RFC 2132; RFC 3396 (long options); RFC 3397; RFC 3442; RFC 4361.
 */
#include "dhcp.h"

enum { COOKIE = 0x63825363, HTYPE_ETHERNET = 1, BOOTREQUEST = 1, BOOTREPLY = 2 };
enum { SNAME_OFF = 44, SNAME_LEN = 64, FILE_OFF = 108, FILE_LEN = 128, BROADCAST_FLAG = 0x8000 };
enum { OVERLOAD_FILE = 1, OVERLOAD_SNAME = 2 };
enum { VALUE_MAX = 1024 }; /* of an option in all its parts; longer: it is not there */

/* ---- the table ---- */

enum value_kind {
	VALUE_BYTE,
	VALUE_SHORT,
	VALUE_NUMBER, /* also an address */
	VALUE_ADDRS,
	VALUE_BYTES,
	VALUE_TEXT, /* a domain name as text */
	VALUE_NAMES,
	VALUE_ROUTES
};

struct known_option {
	uint8_t code, kind;
	uint16_t offset;
};

#define AT(field) offsetof(struct dhcp4, field)

static const struct known_option known_options[] = {
	{ DHCP4_OPT_TYPE, VALUE_BYTE, AT(type) },
	{ DHCP4_OPT_CLIENT_ID, VALUE_BYTES, AT(client_id) },
	{ DHCP4_OPT_SERVER, VALUE_NUMBER, AT(server) },
	{ DHCP4_OPT_REQUESTED, VALUE_NUMBER, AT(requested) },
	{ DHCP4_OPT_LEASE, VALUE_NUMBER, AT(lease) },
	{ DHCP4_OPT_T1, VALUE_NUMBER, AT(t1) },
	{ DHCP4_OPT_T2, VALUE_NUMBER, AT(t2) },
	{ DHCP4_OPT_MASK, VALUE_NUMBER, AT(mask) },
	{ DHCP4_OPT_ROUTES, VALUE_ROUTES, AT(routes) },
	{ DHCP4_OPT_ROUTERS, VALUE_ADDRS, AT(routers) },
	{ DHCP4_OPT_DNS, VALUE_ADDRS, AT(dns) },
	{ DHCP4_OPT_NTP, VALUE_ADDRS, AT(ntp) },
	{ DHCP4_OPT_MTU, VALUE_SHORT, AT(mtu) },
	{ DHCP4_OPT_MAX_LEN, VALUE_SHORT, AT(max_len) },
	{ DHCP4_OPT_ASKED, VALUE_BYTES, AT(asked) },
	{ DHCP4_OPT_MESSAGE, VALUE_BYTES, AT(message) },
	{ DHCP4_OPT_DOMAIN, VALUE_TEXT, AT(domain) },
	{ DHCP4_OPT_SEARCH, VALUE_NAMES, AT(search) },
};

/* ---- values to the struct ---- */

static void read_addrs(struct dhcp4_addrs *to, const uint8_t *p, size_t len)
{
	if (len % 4)
		return;
	for (; len && to->n < DHCP4_ADDRS_MAX; p += 4, len -= 4)
		to->ip[to->n++] = get_be32(p);
}

static void read_bytes(struct dhcp4_bytes *to, const uint8_t *p, size_t len)
{
	if (len > DHCP4_BYTES_MAX)
		return;
	to->len = (uint8_t)len;
	memcpy(to->b, p, len);
}

/* It carries its length; RFC 2132 2: zeroes at its end are no part of it. */
static void read_domain_text(char *to, const uint8_t *p, size_t len)
{
	uint8_t wire[DOMAIN_WIRE_MAX];

	while (len && p[len - 1] == 0)
		len--;
	if (len >= TERN_DOMAIN_MAX)
		return;
	memcpy(to, p, len);
	to[len] = 0;
	if (domain_emit(to, wire) != len + 2) /* it is no name, or holds a zero */
		to[0] = 0;
}

/* RFC 3442: the width, as many octets as it has, and the router. */
static void read_routes(struct dhcp4_routes *to, const uint8_t *p, size_t len)
{
	struct dhcp4_routes r = { .is_there = true };

	while (len) {
		unsigned width = p[0], n = (width + 7) / 8;
		uint8_t dst[4] = { 0 };

		if (width > 32 || len < 1 + n + 4)
			return;
		memcpy(dst, p + 1, n);
		if (r.n < DHCP4_ROUTES_MAX)
			r.route[r.n++] = (struct dhcp4_route){
				.dst = width ? get_be32(dst) & 0xffffffffu << (32 - width) : 0,
				.gateway = get_be32(p + 1 + n),
				.len = (uint8_t)width,
			};
		p += 1 + n + 4;
		len -= 1 + n + 4;
	}
	*to = r;
}

static void read_value(struct dhcp4 *m, const struct known_option *o, const uint8_t *p, size_t len)
{
	uint8_t *to = (uint8_t *)m + o->offset;
	uint16_t v16 = len == 2 ? get_be16(p) : 0;
	uint32_t v32 = len == 4 ? get_be32(p) : 0;

	switch ((enum value_kind)o->kind) {
	case VALUE_BYTE:
		if (len == 1)
			*to = p[0];
		break;
	case VALUE_SHORT:
		memcpy(to, &v16, 2);
		break;
	case VALUE_NUMBER:
		memcpy(to, &v32, 4);
		break;
	case VALUE_ADDRS:
		read_addrs((struct dhcp4_addrs *)(void *)to, p, len);
		break;
	case VALUE_BYTES:
		read_bytes((struct dhcp4_bytes *)(void *)to, p, len);
		break;
	case VALUE_TEXT:
		read_domain_text((char *)to, p, len);
		break;
	case VALUE_NAMES:
		domains_parse((struct domains *)(void *)to, p, len);
		break;
	case VALUE_ROUTES:
		read_routes((struct dhcp4_routes *)(void *)to, p, len);
		break;
	}
}

/* ---- fields of options ---- */

struct option_fields {
	const uint8_t *p[3];
	size_t len[3];
	unsigned n;
};

/* The length of the option at p, with its head; 0: the end; a length beyond len: malformed. */
static size_t option_len(const uint8_t *p, size_t len)
{
	if (len == 0 || p[0] == DHCP4_OPT_END)
		return 0;
	if (p[0] == DHCP4_OPT_PAD)
		return 1;
	return len < 2 ? len + 1 : 2u + p[1];
}

/* Do all lengths of the field hold? */
static bool is_whole(const uint8_t *p, size_t len)
{
	size_t n;

	while ((n = option_len(p, len))) {
		if (n > len)
			return false;
		p += n;
		len -= n;
	}
	return true;
}

/* All parts of an option in a row; its length, or VALUE_MAX + 1: it is too long. *found: there. */
static size_t gather(const struct option_fields *f, uint8_t code, uint8_t *value, bool *found)
{
	size_t total = 0, n;

	*found = false;
	for (unsigned i = 0; i < f->n; i++) {
		const uint8_t *p = f->p[i];

		for (size_t len = f->len[i]; (n = option_len(p, len)); p += n, len -= n) {
			if (p[0] != code || p[0] == DHCP4_OPT_PAD)
				continue;
			if (total + p[1] > VALUE_MAX)
				return VALUE_MAX + 1;
			memcpy(value + total, p + 2, p[1]);
			total += p[1];
			*found = true;
		}
	}
	return total;
}

/* RFC 2131 4.1: option 52 stands in the options' own field. */
static bool add_overloaded(struct option_fields *f, const uint8_t *p)
{
	uint8_t value[VALUE_MAX];
	bool found;
	size_t len = gather(f, DHCP4_OPT_OVERLOAD, value, &found);

	if (!found || len != 1)
		return true;
	if (value[0] & OVERLOAD_FILE) {
		f->p[f->n] = p + FILE_OFF;
		f->len[f->n++] = FILE_LEN;
	}
	if (value[0] & OVERLOAD_SNAME) {
		f->p[f->n] = p + SNAME_OFF;
		f->len[f->n++] = SNAME_LEN;
	}
	for (unsigned i = 1; i < f->n; i++)
		if (!is_whole(f->p[i], f->len[i]))
			return false;
	return true;
}

static bool parse_dhcp4_header(struct dhcp4 *m, const uint8_t *p, size_t len)
{
	if (len < DHCP4_HDR_LEN || (p[0] != BOOTREQUEST && p[0] != BOOTREPLY) ||
	    p[1] != HTYPE_ETHERNET || p[2] != 6 || get_be32(p + 236) != COOKIE)
		return false;
	memset(m, 0, sizeof(*m));
	m->is_reply = p[0] == BOOTREPLY;
	m->xid = get_be32(p + 4);
	m->secs = get_be16(p + 8);
	m->broadcast = get_be16(p + 10) & BROADCAST_FLAG;
	m->ciaddr = get_be32(p + 12);
	m->yiaddr = get_be32(p + 16);
	m->siaddr = get_be32(p + 20);
	m->giaddr = get_be32(p + 24);
	memcpy(m->mac, p + 28, 6);
	return true;
}

bool dhcp4_parse(struct dhcp4 *m, const uint8_t *p, size_t len)
{
	struct option_fields f = { .n = 1 };
	uint8_t value[VALUE_MAX];

	if (!parse_dhcp4_header(m, p, len))
		return false;
	f.p[0] = p + DHCP4_HDR_LEN;
	f.len[0] = len - DHCP4_HDR_LEN;
	if (!is_whole(f.p[0], f.len[0]) || !add_overloaded(&f, p))
		return false;
	for (size_t i = 0; i < N_ELEMENTS(known_options); i++) {
		bool found;
		size_t n = gather(&f, known_options[i].code, value, &found);

		if (found && n <= VALUE_MAX)
			read_value(m, &known_options[i], value, n);
	}
	return m->type >= DHCP4_DISCOVER && m->type <= DHCP4_INFORM;
}

/* ---- the struct to values ---- */

static size_t write_addrs(const struct dhcp4_addrs *a, uint8_t *value)
{
	for (unsigned i = 0; i < a->n; i++)
		put_be32(value + 4 * i, a->ip[i]);
	return 4u * a->n;
}

static size_t write_routes(const struct dhcp4_routes *r, uint8_t *value)
{
	size_t n = 0;

	for (unsigned i = 0; i < r->n; i++) {
		const struct dhcp4_route *one = &r->route[i];
		uint8_t dst[4];
		unsigned octets = (one->len + 7u) / 8;

		put_be32(dst, one->dst);
		value[n++] = one->len;
		memcpy(value + n, dst, octets);
		put_be32(value + n + octets, one->gateway);
		n += octets + 4;
	}
	return n;
}

static size_t text_len(const char *text)
{
	size_t n = 0;

	while (text[n])
		n++;
	return n;
}

/* Returns its length; 0: the struct does not have it. */
static size_t write_value(const struct dhcp4 *m, const struct known_option *o, uint8_t *value)
{
	const uint8_t *from = (const uint8_t *)m + o->offset;
	const struct dhcp4_bytes *bytes = (const void *)from;
	uint16_t v16;
	uint32_t v32;

	switch ((enum value_kind)o->kind) {
	case VALUE_BYTE:
		value[0] = *from;
		return 1;
	case VALUE_SHORT:
		memcpy(&v16, from, 2);
		put_be16(value, v16);
		return v16 ? 2 : 0;
	case VALUE_NUMBER:
		memcpy(&v32, from, 4);
		put_be32(value, v32);
		return v32 ? 4 : 0;
	case VALUE_ADDRS:
		return write_addrs((const struct dhcp4_addrs *)(const void *)from, value);
	case VALUE_BYTES:
		memcpy(value, bytes->b, bytes->len);
		return bytes->len;
	case VALUE_TEXT:
		v32 = (uint32_t)text_len((const char *)from);
		memcpy(value, from, v32);
		return v32;
	case VALUE_NAMES:
		return domains_emit((const struct domains *)(const void *)from, value);
	case VALUE_ROUTES:
		return write_routes((const struct dhcp4_routes *)(const void *)from, value);
	}
	return 0;
}

struct option_writer {
	uint8_t *p;
	size_t len, cap;
	bool full;
};

/* RFC 3396 5: what is longer than 255 goes in parts. */
static void put_option4(struct option_writer *w, uint8_t code, const uint8_t *value, size_t len)
{
	while (len && !w->full) {
		size_t part = MIN(len, 255);

		w->full = w->len + 2 + part + 1 > w->cap; /* and the end */
		if (w->full)
			return;
		w->p[w->len] = code;
		w->p[w->len + 1] = (uint8_t)part;
		memcpy(w->p + w->len + 2, value, part);
		w->len += 2 + part;
		value += part;
		len -= part;
	}
}

static void emit_dhcp4_header(const struct dhcp4 *m, uint8_t *p)
{
	memset(p, 0, DHCP4_HDR_LEN);
	p[0] = m->is_reply ? BOOTREPLY : BOOTREQUEST;
	p[1] = HTYPE_ETHERNET;
	p[2] = 6;
	put_be32(p + 4, m->xid);
	put_be16(p + 8, m->secs);
	put_be16(p + 10, m->broadcast ? BROADCAST_FLAG : 0);
	put_be32(p + 12, m->ciaddr);
	put_be32(p + 16, m->yiaddr);
	put_be32(p + 20, m->siaddr);
	put_be32(p + 24, m->giaddr);
	memcpy(p + 28, m->mac, 6);
	put_be32(p + 236, COOKIE);
}

size_t dhcp4_emit(const struct dhcp4 *m, uint8_t *p, size_t cap)
{
	struct option_writer w = { .p = p, .len = DHCP4_HDR_LEN, .cap = cap };
	uint8_t value[VALUE_MAX];

	if (cap < DHCP4_MIN_LEN)
		return 0;
	emit_dhcp4_header(m, p);
	for (size_t i = 0; i < N_ELEMENTS(known_options); i++)
		put_option4(&w, known_options[i].code, value,
			    write_value(m, &known_options[i], value));
	if (w.full)
		return 0;
	p[w.len++] = DHCP4_OPT_END;
	if (w.len < DHCP4_MIN_LEN) {
		memset(p + w.len, DHCP4_OPT_PAD, DHCP4_MIN_LEN - w.len);
		w.len = DHCP4_MIN_LEN;
	}
	return w.len;
}
