/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * said.c - the options that a program has set on a socket, to be set on another one of the stack.
 *
 * A pair may change the socket behind it, or have two (far.c). What the program has said by then
 * holds for these, too; of each option the last word.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "inside.h"

enum { VALUE_MAX = 16 }; /* groups and their filters are longer, and of one socket alone */

struct said {
	struct said *next;
	int level, name;
	size_t len;
	uint8_t value[VALUE_MAX];
};

static bool is_membership(int level, int name)
{
	return level == IPPROTO_IP && name >= IP_ADD_MEMBERSHIP &&
	       name <= IP_DROP_SOURCE_MEMBERSHIP;
}

static void unsay(struct pair *p, int level, int name)
{
	struct said **at = &p->said, *s;

	while ((s = *at) && !(s->level == level && s->name == name))
		at = &s->next;
	if (!s)
		return;
	*at = s->next;
	free(s);
}

void said_note(struct pair *p, int level, int name, const void *value, size_t len)
{
	struct said **at = &p->said, *s;

	if (len > VALUE_MAX || is_membership(level, name))
		return;
	unsay(p, level, name);
	s = calloc(1, sizeof(*s));
	if (!s)
		return;
	s->level = level;
	s->name = name;
	s->len = len;
	memcpy(s->value, value, len);
	while (*at)
		at = &(*at)->next;
	*at = s;
}

void said_again(struct run *r, const struct pair *p, tern_sock to)
{
	for (const struct said *s = p->said; s; s = s->next)
		option_set(r->st, to, s->level, s->name, s->value, s->len);
}

void said_fini(struct pair *p)
{
	while (p->said)
		unsay(p, p->said->level, p->said->name);
}
