/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * parse_option.c - the option lines at the top of a script: --name=value.
 */
#include <string.h>

#include "parse.h"

static bool option_number(struct parser *p, struct slice v, uint32_t max, uint32_t *out)
{
	uint64_t n = 0;

	for (size_t i = 0; i < v.len; i++) {
		if (v.text[i] < '0' || v.text[i] > '9' || n > max)
			return parse_wrong(p, "the option's value is not a number in range");
		n = n * 10 + (uint64_t)(v.text[i] - '0');
	}
	if (v.len == 0 || n > max)
		return parse_wrong(p, "the option's value is not a number in range");
	*out = (uint32_t)n;
	return true;
}

static bool option_family(struct parser *p, struct slice v)
{
	struct script *s = p->script;

	s->family = slice_is(v, "ipv6") ? TERN_AF_INET6 : TERN_AF_INET;
	s->socket_family = slice_is(v, "ipv4") ? TERN_AF_INET : TERN_AF_INET6;
	if (slice_is(v, "ipv4") || slice_is(v, "ipv6") || slice_is(v, "ipv4-mapped-ipv6") ||
	    slice_is(v, "ipv4_mapped_ipv6"))
		return true;
	return parse_wrong(p, "--ip_version is ipv4, ipv6 or ipv4-mapped-ipv6");
}

static bool option_port(struct parser *p, struct slice v, uint16_t *port)
{
	uint32_t n;

	if (!option_number(p, v, 65535, &n))
		return false;
	*port = (uint16_t)n;
	return true;
}

static bool option_addr(struct parser *p, struct slice v, struct tern_addr *out)
{
	const char *text = script_text(p->script, v);

	if (!text || tern_addr_parse(text, 0, out) != 0)
		return parse_wrong(p, "the option's value is not an address");
	return true;
}

static bool option_mtu(struct parser *p, struct slice v)
{
	if (!option_number(p, v, 65535, &p->script->mtu))
		return false;
	return p->script->mtu >= 68 || parse_wrong(p, "--mtu is 68 at least");
}

static bool option_tolerance(struct parser *p, struct slice v)
{
	uint32_t us;

	if (!option_number(p, v, UINT32_MAX, &us))
		return false;
	p->script->tolerance = us * TERN_US;
	return true;
}

static bool option_ts_tick(struct parser *p, struct slice v)
{
	uint32_t us;

	if (!option_number(p, v, UINT32_MAX, &us))
		return false;
	if (us != 0 && us != 1000)
		return parse_unsupported(p, "timestamps that do not tick in milliseconds");
	p->script->strict_ts = us != 0;
	return true;
}

/* name=value, into a setting or a definition. */
static bool split(struct slice v, struct slice *name, struct slice *value)
{
	const char *equals = v.len ? memchr(v.text, '=', v.len) : NULL;

	if (!equals)
		return false;
	*name = (struct slice){ v.text, (size_t)(equals - v.text) };
	*value = (struct slice){ equals + 1, v.len - name->len - 1 };
	return true;
}

static bool option_tern(struct parser *p, struct slice v)
{
	struct setting *s = script_alloc(p->script, sizeof(*s));
	struct setting **tail = &p->script->settings;
	struct slice name, value;

	if (!s || !split(v, &name, &value))
		return parse_wrong(p, "--tern wants name=value");
	s->name = script_text(p->script, name);
	s->value = script_text(p->script, value);
	if (!s->name || !s->value)
		return parse_wrong(p, "memory is short");
	while (*tail)
		tail = &(*tail)->next;
	*tail = s;
	return true;
}

static bool option_define(struct parser *p, struct slice v)
{
	struct slice name, value;

	if (!split(v, &name, &value))
		return parse_wrong(p, "--define wants NAME=value");
	return lex_define(&p->lx, name, value) || parse_wrong(p, "too many --define");
}

/* --non_fatal=packet,syscall */
static bool option_non_fatal(struct parser *p, struct slice v)
{
	struct slice part;

	while (v.len > 0) {
		const char *comma = memchr(v.text, ',', v.len);

		part = (struct slice){ v.text, comma ? (size_t)(comma - v.text) : v.len };
		if (slice_is(part, "packet"))
			p->script->forgives_packets = true;
		else if (slice_is(part, "syscall"))
			p->script->forgives_calls = true;
		else
			return parse_wrong(p, "--non_fatal is packet, syscall or both");
		v.text += part.len + (comma != NULL);
		v.len -= part.len + (comma != NULL);
	}
	return true;
}

/* What changes nothing here: no wall time, no other machine, no other addresses to be reached. */
static bool is_harmless(struct slice name)
{
	static const char *const names[] = {
		"--gateway_ip",	 "--gateway_ip_addr", "--netmask_ip", "--speed",
		"--so_filename", "--send_omit_free",  "--verbose",    "--persistent_tun_dev",
		"--so_flags",	 "--is_anyip",	      "--debug",      "--code_command",
		"--code_format", "--code_sockopt",    "--mss",
	};

	for (size_t i = 0; i < N_ELEMENTS(names); i++)
		if (slice_is(name, names[i]))
			return true;
	return false;
}

/* Of packetdrill between two machines; here there is one, and no wire. */
static bool leave_out(struct parser *p, struct slice name)
{
	struct left_out **tail = &p->script->left_out;

	while (*tail)
		tail = &(*tail)->next;
	*tail = script_alloc(p->script, sizeof(**tail));
	if (!*tail)
		return parse_no_memory(p);
	(*tail)->line = p->lx.line;
	(*tail)->text = script_text(p->script, name);
	return (*tail)->text || parse_no_memory(p);
}

static bool is_of_wire(struct slice name)
{
	static const char prefix[] = "--wire_";

	return name.len >= sizeof(prefix) && memcmp(name.text, prefix, sizeof(prefix) - 1) == 0;
}

static bool option_bind_port(struct parser *p, struct slice v)
{
	return option_port(p, v, &p->script->bind_port);
}

static bool option_connect_port(struct parser *p, struct slice v)
{
	return option_port(p, v, &p->script->connect_port);
}

static bool option_local(struct parser *p, struct slice v)
{
	return option_addr(p, v, &p->script->local);
}

static bool option_remote(struct parser *p, struct slice v)
{
	return option_addr(p, v, &p->script->remote);
}

static bool option_percent(struct parser *p, struct slice v)
{
	return option_number(p, v, 1000, &p->script->tolerance_percent);
}

static const struct {
	const char *name;
	bool (*take)(struct parser *, struct slice value);
} options[] = {
	{ "--tolerance_usecs", option_tolerance },
	{ "--tolerance_percent", option_percent },
	{ "--ip_version", option_family },
	{ "--mtu", option_mtu },
	{ "--bind_port", option_bind_port },
	{ "--connect_port", option_connect_port },
	{ "--local_ip", option_local },
	{ "--remote_ip", option_remote },
	{ "--tcp_ts_tick_usecs", option_ts_tick },
	{ "--tern", option_tern },
	{ "--define", option_define },
	{ "--non_fatal", option_non_fatal },
	{ "--init_scripts", parse_init_command },
};

bool drill_is_script_option(const char *name)
{
	struct slice s = { name, strlen(name) };

	for (size_t i = 0; i < N_ELEMENTS(options); i++)
		if (slice_is(s, options[i].name))
			return true;
	return is_of_wire(s) || is_harmless(s);
}

static bool take(struct parser *p, struct slice name, struct slice v)
{
	const char *text;

	for (size_t i = 0; i < N_ELEMENTS(options); i++)
		if (slice_is(name, options[i].name))
			return options[i].take(p, v);
	if (is_harmless(name))
		return true;
	if (is_of_wire(name))
		return leave_out(p, name);
	text = script_text(p->script, name);
	return text ? parse_unsupported(p, text) : parse_no_memory(p);
}

bool parse_option(struct parser *p)
{
	struct slice name = p->lx.text, value = { "", 0 };

	if (split(p->lx.text, &name, &value) && value.len >= 2 && value.text[0] == '"' &&
	    value.text[value.len - 1] == '"')
		value = (struct slice){ value.text + 1, value.len - 2 };
	if (!take(p, name, value))
		return false;
	lex_next(&p->lx);
	return true;
}

bool drill_option_is_right(const char *option, char problem[DRILL_PROBLEM_MAX])
{
	struct script s;
	struct parser p = { .script = &s, .problem = problem };

	script_init(&s, option);
	lex_init(&p.lx, option, strlen(option));
	lex_next(&p.lx);
	parse_option(&p);
	script_fini(&s);
	return p.outcome != DRILL_BROKEN;
}
