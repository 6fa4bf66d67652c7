/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * comment.c - tern's comments in captures, read back.
 *
 * A comment is words with single spaces between them; pcapng.h lists the forms. Anything else,
 * a form with too long a word among it, is a stranger's and says nothing to us.
 */
#include "comment.h"

#include <stdlib.h>
#include <string.h>

struct words {
	const char *at;
	bool bad;
};

static void take_word(struct words *w, char *buf, size_t size)
{
	size_t n = strcspn(w->at, " ");

	buf[0] = 0;
	if (n == 0 || n >= size) {
		w->bad = true;
		return;
	}
	memcpy(buf, w->at, n);
	buf[n] = 0;
	w->at += n;
	if (*w->at == ' ')
		w->at++;
}

static void expect(struct words *w, const char *word)
{
	char buf[24];

	take_word(w, buf, sizeof(buf));
	w->bad |= strcmp(buf, word) != 0;
}

static uint64_t number_of(struct words *w, const char *digits, size_t n_digits)
{
	uint64_t v = 0;

	w->bad |= n_digits == 0 || n_digits > 19;
	for (size_t i = 0; !w->bad && i < n_digits; i++) {
		w->bad |= digits[i] < '0' || digits[i] > '9';
		v = v * 10 + (uint64_t)(digits[i] - '0');
	}
	return w->bad ? 0 : v;
}

static uint64_t take_number(struct words *w)
{
	char buf[24];

	take_word(w, buf, sizeof(buf));
	return number_of(w, buf, strlen(buf));
}

/* "0.010000000": nine decimals. */
static tern_time take_time(struct words *w)
{
	char buf[32];
	size_t whole;
	uint64_t seconds, fraction;

	take_word(w, buf, sizeof(buf));
	whole = strcspn(buf, ".");
	if (w->bad || strlen(buf) != whole + 10) {
		w->bad = true;
		return 0;
	}
	seconds = number_of(w, buf, whole);
	fraction = number_of(w, buf + whole + 1, 9);
	w->bad |= seconds > UINT64_MAX / TERN_SEC - 1;
	return w->bad ? 0 : seconds * TERN_SEC + fraction;
}

static struct tern_addr take_endpoint(struct words *w)
{
	struct tern_addr a = { .family = TERN_AF_UNSPEC };
	char buf[TERN_ADDR_TEXT_MAX], *ip = buf, *colon;
	uint64_t port;

	take_word(w, buf, sizeof(buf));
	colon = strrchr(buf, ':');
	if (w->bad || !colon) {
		w->bad = true;
		return a;
	}
	*colon = 0;
	port = number_of(w, colon + 1, strlen(colon + 1));
	if (*ip == '[' && colon > ip + 1 && colon[-1] == ']') {
		colon[-1] = 0;
		ip++;
	}
	w->bad |= port > UINT16_MAX || tern_addr_parse(ip, (uint16_t)port, &a) != 0;
	return a;
}

static uint32_t take_state(struct words *w)
{
	char buf[24];

	take_word(w, buf, sizeof(buf));
	for (uint32_t i = 0; i < TERN_TCP_N_STATES; i++)
		if (strcmp(buf, tern_tcp_state_name((enum tern_tcp_state)i)) == 0)
			return i;
	w->bad = true;
	return 0;
}

/* "(filter)" */
static void take_reason(struct words *w, struct comment *c)
{
	size_t n;

	take_word(w, c->word, sizeof(c->word));
	n = strlen(c->word);
	if (w->bad || n < 3 || c->word[0] != '(' || c->word[n - 1] != ')') {
		w->bad = true;
		return;
	}
	memmove(c->word, c->word + 1, n - 2);
	c->word[n - 2] = 0;
}

static int take_host(struct words *w)
{
	uint64_t host;

	expect(w, "host");
	host = take_number(w);
	w->bad |= host >= VIEW_HOSTS_MAX;
	return w->bad ? 0 : (int)host;
}

static void take_at(struct words *w, struct comment *c)
{
	expect(w, "at");
	c->event.at = take_time(w);
}

static void take_conn(struct words *w, struct comment *c)
{
	c->event.host = take_host(w);
	expect(w, "conn");
	c->event.conn = take_number(w);
}

static void take_endpoints(struct words *w, struct comment *c)
{
	c->event.local = take_endpoint(w);
	expect(w, ">");
	c->event.remote = take_endpoint(w);
}

/* ---- the forms ---- */

static void parse_frame(struct words *w, struct comment *c)
{
	c->event.frame = take_number(w);
}

static void parse_cause(struct words *w, struct comment *c)
{
	take_word(w, c->word, sizeof(c->word));
}

static void parse_corrupted(struct words *w, struct comment *c)
{
	(void)w;
	c->event.kind = VIEW_CORRUPTED;
}

static void parse_lost(struct words *w, struct comment *c)
{
	c->event.kind = VIEW_LOST;
	take_reason(w, c);
	take_at(w, c);
}

static void parse_copied(struct words *w, struct comment *c)
{
	c->event.kind = VIEW_DUPLICATED;
	expect(w, "as");
	expect(w, "frame");
	c->event.frame = take_number(w);
}

static void parse_state(struct words *w, struct comment *c)
{
	char role[16];

	c->event.kind = VIEW_STATE;
	take_endpoints(w, c);
	c->event.old_state = take_state(w);
	expect(w, "->");
	c->event.new_state = take_state(w);
	take_at(w, c);
	take_conn(w, c);
	take_word(w, role, sizeof(role));
	c->event.by_listen = strcmp(role, "passive") == 0;
}

static void parse_timer(struct words *w, struct comment *c)
{
	c->event.kind = VIEW_TIMER;
	take_word(w, c->word, sizeof(c->word));
	take_endpoints(w, c);
	take_at(w, c);
	take_conn(w, c);
}

static void parse_drop(struct words *w, struct comment *c)
{
	c->event.kind = VIEW_DROP;
	take_reason(w, c);
	take_at(w, c);
	c->event.host = take_host(w);
}

static const struct {
	const char *verb;
	enum comment_kind kind;
	void (*parse)(struct words *, struct comment *);
} forms[] = {
	{ "frame", COMMENT_FRAME, parse_frame },
	{ "cause", COMMENT_CAUSE, parse_cause },
	{ "corrupted", COMMENT_CORRUPTED, parse_corrupted },
	{ "lost", COMMENT_LOST, parse_lost },
	{ "copied", COMMENT_COPIED, parse_copied },
	{ "dropped", COMMENT_DROPPED, take_reason },
	{ "state", COMMENT_STATE, parse_state },
	{ "timer", COMMENT_TIMER, parse_timer },
	{ "drop", COMMENT_DROP, parse_drop },
};

void comment_parse(struct comment *c, const char *text)
{
	struct words w = { .at = text };
	char verb[16];

	memset(c, 0, sizeof(*c));
	expect(&w, "tern:");
	take_word(&w, verb, sizeof(verb));
	for (size_t i = 0; !w.bad && i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (strcmp(verb, forms[i].verb) != 0)
			continue;
		forms[i].parse(&w, c);
		if (!w.bad && *w.at == 0)
			c->kind = forms[i].kind;
		break;
	}
	if (c->word[0])
		c->event.text = c->word;
}
