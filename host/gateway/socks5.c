/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * socks5.c - what to say to a SOCKS5 server next, and what did it answer? RFC 1928, RFC 1929.
 *
 * Four steps: methods, name and password (if the server asks), request, reply. Each step knows how
 * many bytes it needs before it can look: a message that tells its own length is looked at twice.
 * So never a byte is read that belongs to the stream behind the reply, and nothing is read beyond
 * SOCKS5_IN_MAX. A server that breaks the rules has failed; only the reply 5 means "refused".
 *
 * Datagrams carry a header with their address (section 7); cut ones are not taken, as it allows.
 */
#include "socks5.h"

#include <string.h>

#include "../../core/base/base.h"

enum { VERSION = 5, AUTH_VERSION = 1 };
enum { METHOD_NONE = 0, METHOD_PASSWORD = 2 };
enum { ATYP_IP4 = 1, ATYP_NAME = 3, ATYP_IP6 = 4 };
enum { REPLY_HEAD = 5 }; /* to the first byte of the address, which may be a length */
enum { REP_SUCCEEDED = 0, REP_REFUSED = 5 };

enum state { METHODS, AUTH, REPLY, DONE, REFUSED, FAILED };

bool socks5_credentials_fit(const char *user, const char *password)
{
	size_t n = strlen(user), m = password ? strlen(password) : 0;

	return n > 0 && n <= SOCKS5_TEXT_MAX && m > 0 && m <= SOCKS5_TEXT_MAX;
}

/* ---- saying ---- */

static size_t put_address(const struct tern_addr *a, uint8_t *out)
{
	size_t len = a->family == TERN_AF_INET6 ? 16 : 4;

	out[0] = len == 16 ? ATYP_IP6 : ATYP_IP4;
	memcpy(out + 1, a->ip, len);
	put_be16(out + 1 + len, a->port);
	return 1 + len + 2;
}

static void await(struct socks5 *s, enum state state, size_t need)
{
	s->state = (uint8_t)state;
	s->in_len = 0;
	s->in_need = (uint16_t)need;
}

static void say_methods(struct socks5 *s)
{
	uint8_t n = s->ask.user ? 2 : 1;
	const uint8_t text[] = { VERSION, n, METHOD_NONE, METHOD_PASSWORD };

	memcpy(s->out, text, 2u + n);
	s->out_len = 2 + n;
	await(s, METHODS, 2);
}

static void say_password(struct socks5 *s)
{
	size_t n = strlen(s->ask.user), m = strlen(s->ask.password);

	s->out[0] = AUTH_VERSION;
	s->out[1] = (uint8_t)n;
	memcpy(s->out + 2, s->ask.user, n);
	s->out[2 + n] = (uint8_t)m;
	memcpy(s->out + 3 + n, s->ask.password, m);
	s->out_len = (uint16_t)(3 + n + m);
	await(s, AUTH, 2);
}

static void say_request(struct socks5 *s)
{
	const uint8_t head[] = { VERSION, (uint8_t)s->ask.command, 0 };

	memcpy(s->out, head, sizeof(head));
	s->out_len = (uint16_t)(sizeof(head) + put_address(&s->ask.to, s->out + sizeof(head)));
	await(s, REPLY, REPLY_HEAD);
}

void socks5_begin(struct socks5 *s, const struct socks5_ask *ask)
{
	memset(s, 0, sizeof(*s));
	s->ask = *ask;
	say_methods(s);
}

const uint8_t *socks5_out(const struct socks5 *s, size_t *len)
{
	*len = s->out_len - s->out_off;
	return s->out + s->out_off;
}

void socks5_sent(struct socks5 *s, size_t len)
{
	s->out_off = (uint16_t)(s->out_off + len);
	if (s->out_off == s->out_len)
		s->out_len = s->out_off = 0;
}

/* ---- hearing ---- */

enum socks5_status socks5_status(const struct socks5 *s)
{
	switch (s->state) {
	case DONE:
		return SOCKS5_DONE;
	case REFUSED:
		return SOCKS5_REFUSED;
	case FAILED:
		return SOCKS5_FAILED;
	default:
		return SOCKS5_GOING;
	}
}

size_t socks5_wants(const struct socks5 *s)
{
	return s->state >= DONE || s->out_len ? 0 : (size_t)s->in_need - s->in_len;
}

static void hear_method(struct socks5 *s)
{
	if (s->in[0] == VERSION && s->in[1] == METHOD_NONE)
		say_request(s);
	else if (s->in[0] == VERSION && s->in[1] == METHOD_PASSWORD && s->ask.user)
		say_password(s);
	else
		await(s, FAILED, 0);
}

/* RFC 1929: any status but 0 is a failure. Some servers answer with 5 as the version. */
static void hear_auth(struct socks5 *s)
{
	if ((s->in[0] == AUTH_VERSION || s->in[0] == VERSION) && s->in[1] == 0)
		say_request(s);
	else
		await(s, FAILED, 0);
}

/* The bytes of the address with this type; a name has its length before it. 0: no such type. */
static size_t address_len(uint8_t type, uint8_t first)
{
	switch (type) {
	case ATYP_IP4:
		return 4;
	case ATYP_IP6:
		return 16;
	case ATYP_NAME:
		return 1u + first;
	default:
		return 0;
	}
}

static struct tern_addr take_address(uint8_t type, const uint8_t *p)
{
	struct tern_addr a = { .family = TERN_AF_UNSPEC };
	size_t len = address_len(type, p[0]);

	if (type != ATYP_NAME) {
		a.family = type == ATYP_IP6 ? TERN_AF_INET6 : TERN_AF_INET;
		memcpy(a.ip, p, len);
	}
	a.port = get_be16(p + len);
	return a;
}

static void hear_reply(struct socks5 *s)
{
	size_t len = address_len(s->in[3], s->in[4]);

	if (s->in[0] != VERSION || (s->in[1] == REP_SUCCEEDED && len == 0)) {
		await(s, FAILED, 0);
	} else if (s->in[1] != REP_SUCCEEDED) { /* what follows does not matter */
		await(s, s->in[1] == REP_REFUSED ? REFUSED : FAILED, 0);
	} else if (s->in_need == REPLY_HEAD) {
		s->in_need = (uint16_t)(4 + len + 2);
	} else {
		s->bound = take_address(s->in[3], s->in + 4);
		await(s, DONE, 0);
	}
}

void socks5_input(struct socks5 *s, const uint8_t *bytes, size_t len)
{
	assert(len <= socks5_wants(s));
	memcpy(s->in + s->in_len, bytes, len);
	s->in_len = (uint16_t)(s->in_len + len);
	if (s->in_len < s->in_need || len == 0)
		return;
	if (s->state == METHODS)
		hear_method(s);
	else if (s->state == AUTH)
		hear_auth(s);
	else
		hear_reply(s);
}

/* ---- datagrams ---- */

size_t socks5_udp_emit(const struct tern_addr *to, uint8_t *out)
{
	memset(out, 0, 3); /* reserved, and not cut */
	return 3 + put_address(to, out + 3);
}

size_t socks5_udp_parse(const uint8_t *p, size_t len, struct tern_addr *from)
{
	size_t n;

	if (len < 5 || p[2] != 0 || p[3] == ATYP_NAME)
		return 0;
	n = address_len(p[3], 0);
	if (n == 0 || len < 4 + n + 2)
		return 0;
	*from = take_address(p[3], p + 4);
	return 4 + n + 2;
}
