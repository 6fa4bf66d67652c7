/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * run.c - the clock of a script and its events, one after the other.
 *
 * Only one thing happens at a time: either the script acts, or the clock moves to the stack's next
 * deadline. What the stack sends is kept, with its instant, until an event asks for it.
 */
#include "run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../include/tern_malloc.h"
#include "parse.h"
#include "profile.h"
#include "sysctl.h"

enum { FIRST_REMOTE_PORT = 40001, STEPS_MAX = 10000 };

/* Above any time that a script can name, so that its own 0 may lie before. */
static const tern_time START = 2000000 * TERN_SEC;
static const long SCRIPT_MAX = 16 << 20;

struct tern_addr drill_addr(const struct drill *d, bool remote, uint16_t port)
{
	struct tern_addr a = remote ? d->s->remote : d->s->local;

	a.port = port;
	if (d->s->socket_family != d->s->family) { /* ::ffff:192.0.2.1 */
		memmove(a.ip + 12, a.ip, 4);
		memset(a.ip, 0, 10);
		a.ip[10] = a.ip[11] = 0xff;
		a.family = TERN_AF_INET6;
	}
	return a;
}

/* ---- the stack ---- */

static void env_trace(void *ctx, const struct tern_trace *t)
{
	const struct drill *d = ctx;

	d->o->watch(d->o->ctx, &(struct drill_note){ .what = DRILL_TRACE,
						     .at = t->at - MIN(t->at, d->start),
						     .trace = t });
}

static bool make_interface(struct drill *d)
{
	struct tern_iface iface = { .name = "drill0", .link = TERN_LINK_IP, .mtu = d->s->mtu };
	struct tern_route route = { .dst = { .family = (uint16_t)d->s->family } };
	int ifindex = tern_iface_add(d->st, &iface);

	if (ifindex < 0)
		return false;
	d->ifindex = route.ifindex = (unsigned)ifindex;
	return tern_addr_add(d->st, d->ifindex, &d->s->local,
			     d->s->family == TERN_AF_INET ? 16 : 64) == 0 &&
	       tern_route_add(d->st, &route) == 0;
}

static bool make_stack(struct drill *d)
{
	struct tern_env env = {
		.alloc = tern_malloc, .free = tern_malloc_free, .ctx = d, .seed = "drill"
	};
	struct tern_config cfg;

	tern_config_default(&cfg);
	cfg.id = 1;
	profile_apply(d->o->profile, &cfg);
	if (d->o->watch)
		env.trace = env_trace;
	d->st = tern_new(&cfg, &env);
	if (!d->st)
		return false;
	tern_advance(d->st, d->now);
	return make_interface(d);
}

static void apply_settings(struct drill *d)
{
	for (const struct setting *s = d->s->settings; s; s = s->next)
		if (!setting_apply(d->st, s->name, s->value))
			drill_end(d, DRILL_BROKEN, "tern has no setting %s=%s", s->name, s->value);
}

void drill_watch(struct drill *d, enum drill_seen what, const uint8_t *frame, size_t len)
{
	if (d->o->watch)
		d->o->watch(d->o->ctx, &(struct drill_note){ .what = what,
							     .at = d->now - d->start,
							     .frame = frame,
							     .len = len });
}

/* ---- time ---- */

static void keep_frame(struct drill *d, struct tern_pkt *pkt)
{
	struct frame *f;

	tern_pkt_complete(d->st, pkt);
	f = malloc(sizeof(*f) + pkt->total_len);
	if (f) {
		f->next = NULL;
		f->at = d->now;
		f->len = tern_pkt_copy(pkt, 0, f->bytes, pkt->total_len);
		drill_watch(d, DRILL_SENT, f->bytes, f->len);
		*d->frames_tail = f;
		d->frames_tail = &f->next;
	} else {
		drill_end(d, DRILL_BROKEN, "memory is short");
	}
	tern_pkt_free(d->st, pkt);
}

void drill_settle(struct drill *d)
{
	struct tern_event ev;
	struct tern_pkt *pkt;

	do {
		while (tern_event(d->st, &ev))
			epoll_news(d, ev.sock);
		while ((pkt = tern_output(d->st, d->ifindex)) != NULL)
			keep_frame(d, pkt);
	} while (d->calling.ev && d->outcome == DRILL_PASSED && call_retry(d));
}

void drill_step(struct drill *d, tern_time limit)
{
	tern_time next = MIN(limit, tern_deadline(d->st));

	if (d->calling.ev)
		next = MIN(next, d->calling.timer);
	d->n_steps_here = next > d->now ? 0 : d->n_steps_here + 1;
	if (d->n_steps_here > STEPS_MAX)
		drill_end(d, DRILL_FAILED, "the stack's deadline does not move on");
	d->now = MAX(d->now, next);
	tern_advance(d->st, d->now);
	drill_settle(d);
}

static void wait_until(struct drill *d, tern_time t)
{
	while ((d->now < t || tern_deadline(d->st) <= t) && d->outcome == DRILL_PASSED)
		drill_step(d, t);
}

/* ---- events ---- */

static void say_event(const struct drill *d, const struct event *ev)
{
	char text[PACKET_TEXT_MAX], at[24];

	if (!d->o->verbose || d->outcome != DRILL_PASSED)
		return;
	fprintf(d->o->out, "%s:%d: %s ", d->s->name, ev->line, drill_time(d, d->now, at));
	switch (ev->kind) {
	case EVENT_PACKET:
		fprintf(d->o->out, "%s\n", packet_text(&ev->packet, d->s->family, text));
		break;
	case EVENT_CALL:
		fprintf(d->o->out, "%.*s = %.*s\n", (int)ev->call.text.len, ev->call.text.text,
			(int)ev->call.result_text.len, ev->call.result_text.text);
		break;
	case EVENT_COMMAND:
		fprintf(d->o->out, "`%.*s`\n", (int)ev->text.len, ev->text.text);
		break;
	case EVENT_CODE:
		fprintf(d->o->out, "%%{%.*s}%%\n", (int)ev->text.len, ev->text.text);
		break;
	}
}

/* The next call waits until the one that blocks has returned. */
static void finish_call(struct drill *d)
{
	tern_time limit = MAX(d->calling.end, d->now) + d->s->tolerance + 10 * TERN_SEC;

	while (d->calling.ev && d->now < limit && d->outcome == DRILL_PASSED)
		drill_step(d, limit);
	if (d->calling.ev && d->outcome == DRILL_PASSED) {
		d->line = d->calling.ev->line;
		drill_end(d, DRILL_FAILED, "%.*s does not return",
			  (int)d->calling.ev->call.text.len, d->calling.ev->call.text.text);
	}
}

static void do_event(struct drill *d, const struct event *ev)
{
	tern_time base = ev->when.kind == WHEN_AT ? d->start : d->now;
	tern_time at = base + ev->when.from;
	bool expects = ev->kind == EVENT_PACKET && !ev->packet.inbound;

	d->line = ev->line;
	d->column = ev->column;
	d->forgives = (ev->kind == EVENT_PACKET && d->s->forgives_packets) ||
		      (ev->kind == EVENT_CALL && d->s->forgives_calls);
	if (expects) {
		match_packet(d, ev);
		say_event(d, ev);
		return;
	}
	if (at + d->s->tolerance < d->now) {
		drill_end(d, DRILL_FAILED, "its time has passed when the event before it is over");
		return;
	}
	wait_until(d, at);
	if (ev->kind == EVENT_CALL && d->calling.ev)
		finish_call(d);
	if (d->outcome != DRILL_PASSED)
		return;
	d->line = ev->line;
	say_event(d, ev);
	if (ev->kind == EVENT_PACKET)
		inject_packet(d, ev);
	else if (ev->kind == EVENT_CALL)
		call_start(d, ev, base + ev->call.end);
	else if (ev->kind == EVENT_COMMAND)
		command_run(d, ev->text);
	else
		code_run(d, ev->text);
}

static void run_events(struct drill *d)
{
	const struct event *first = d->s->events;

	/* The clock starts with the first event. */
	if (first->when.kind == WHEN_AT)
		d->start = d->now - first->when.from;
	for (const struct left_out *l = d->s->left_out; l; l = l->next) {
		d->line = l->line;
		drill_skip(d, "%s", l->text);
	}
	for (const struct init_command *c = d->s->init_commands; c; c = c->next) {
		d->line = c->line;
		command_run(d, c->text);
	}
	for (const struct event *ev = first; ev && d->outcome == DRILL_PASSED; ev = ev->next)
		do_event(d, ev);
	if (d->outcome == DRILL_PASSED)
		finish_call(d);
}

enum drill_outcome run_script(struct script *s, const struct drill_options *o)
{
	struct drill *d = calloc(1, sizeof(*d));
	enum drill_outcome outcome = DRILL_BROKEN;
	struct frame *next;

	if (!d)
		return DRILL_BROKEN;
	*d = (struct drill){ .s = s,
			     .o = o,
			     .now = START,
			     .start = START,
			     .last_fd = -1,
			     .next_remote = FIRST_REMOTE_PORT,
			     .frames_tail = &d->frames };
	d->any_option_order = o->any_option_order || (o->profile && o->profile->any_option_order);
	d->pushes_bursts = !o->profile || o->profile->pushes_bursts;
	d->line = s->events->line;
	d->scratch = malloc(FRAME_MAX);
	if (d->scratch && make_stack(d)) {
		apply_settings(d);
		run_events(d);
		outcome = d->outcome;
	} else {
		drill_end(d, DRILL_BROKEN, "a stack with these addresses and MTU cannot be made");
	}
	if (o->n_skipped)
		*o->n_skipped += d->n_skipped;
	for (; d->frames; d->frames = next) {
		next = d->frames->next;
		free(d->frames);
	}
	conns_free(d);
	tern_free(d->st);
	free(d->scratch);
	free(d);
	return outcome;
}

/* ---- files ---- */

static void default_addresses(struct script *s)
{
	bool v4 = s->family == TERN_AF_INET;

	if (s->local.family != s->family)
		tern_addr_parse(v4 ? "192.168.0.1" : "fd3d:0a0b:17d6::1", 0, &s->local);
	if (s->remote.family != s->family)
		tern_addr_parse(v4 ? "192.0.2.1" : "fd3d:fa7b:d17d::1", 0, &s->remote);
}

enum drill_outcome drill_text(const char *name, const char *text, size_t len,
			      const struct drill_options *o)
{
	enum drill_outcome outcome;
	struct script s;

	script_init(&s, name);
	outcome = parse_script(&s, text, len, o);
	if (outcome == DRILL_PASSED) {
		default_addresses(&s);
		outcome = run_script(&s, o);
	}
	script_fini(&s);
	return outcome;
}

static char *read_all(FILE *f, size_t *len)
{
	char *text;
	long size;

	if (fseek(f, 0, SEEK_END) != 0 || (size = ftell(f)) < 0)
		return NULL;
	if (size > SCRIPT_MAX) {
		errno = EFBIG;
		return NULL;
	}
	rewind(f);
	text = malloc((size_t)size + 1);
	if (!text)
		return NULL;
	*len = fread(text, 1, (size_t)size, f);
	text[*len] = 0;
	return text;
}

enum drill_outcome drill_file(const char *path, const struct drill_options *o)
{
	FILE *f = fopen(path, "rb");
	size_t len = 0;
	char *text = f ? read_all(f, &len) : NULL;
	enum drill_outcome outcome = DRILL_BROKEN;

	if (text)
		outcome = drill_text(path, text, len, o);
	else
		fprintf(o->err, "%s: cannot be read: %s\n", path, strerror(errno));
	if (f)
		fclose(f);
	free(text);
	return outcome;
}
