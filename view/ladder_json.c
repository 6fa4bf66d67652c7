/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ladder_json.c - everything that is known about each conversation, for programs.
 *
 * One object: hosts, flows (ends, segments with all header fields and marks, states, a summary),
 * drops that belong to no frame. Keys come in a fixed order; times are nanoseconds; relative
 * numbers are as in the picture, raw ones as on the wire; what is unknown is null.
 */
#include "ladder.h"

#include <inttypes.h>
#include <string.h>

#include "flow.h"
#include "label.h"

struct json {
	FILE *out;
	bool comma; /* something stands before the next value */
};

static void put_text(struct json *j, const char *text)
{
	fputc('"', j->out);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			fprintf(j->out, "\\%c", c);
		else if (c < 0x20 || c >= 0x7f)
			fprintf(j->out, "\\u%04x", c);
		else
			fputc(c, j->out);
	}
	fputc('"', j->out);
}

/* Begins the next member of an object, or, without a name, of an array. */
static void key(struct json *j, const char *name)
{
	if (j->comma)
		fputc(',', j->out);
	j->comma = true;
	if (!name)
		return;
	put_text(j, name);
	fputc(':', j->out);
}

static void open_with(struct json *j, const char *name, char bracket)
{
	key(j, name);
	if (!name || bracket == '[')
		fputc('\n', j->out);
	fputc(bracket, j->out);
	j->comma = false;
}

static void close_with(struct json *j, char bracket)
{
	fputc(bracket, j->out);
	j->comma = true;
}

static void put_string(struct json *j, const char *name, const char *value)
{
	key(j, name);
	if (value)
		put_text(j, value);
	else
		fputs("null", j->out);
}

static void put_number(struct json *j, const char *name, uint64_t value)
{
	key(j, name);
	fprintf(j->out, "%" PRIu64, value);
}

static void put_signed(struct json *j, const char *name, int64_t value)
{
	key(j, name);
	fprintf(j->out, "%" PRId64, value);
}

static void put_number_if(struct json *j, const char *name, bool known, uint64_t value)
{
	if (known)
		put_number(j, name, value);
	else
		put_string(j, name, NULL);
}

static void put_bool(struct json *j, const char *name, bool value)
{
	key(j, name);
	fputs(value ? "true" : "false", j->out);
}

static const char *state_name(unsigned state)
{
	return tern_tcp_state_name((enum tern_tcp_state)state);
}

static void put_end(struct json *j, const struct flows *fs, const struct flow *f, int side)
{
	const struct flow_side *s = &f->side[side];
	bool tcp = f->proto == TERN_IPPROTO_TCP;
	char address[TERN_ADDR_TEXT_MAX];

	open_with(j, NULL, '{');
	put_string(j, "address", tern_addr_format(&s->addr, false, address));
	put_number_if(j, "port", tcp || f->proto == TERN_IPPROTO_UDP, s->addr.port);
	put_string(j, "name", flow_side_name(fs, f, side));
	put_string(j, "role", flow_role(f, side)[0] ? flow_role(f, side) : NULL);
	put_number_if(j, "isn", s->isn_known, s->isn);
	put_string(j, "first_state", s->state_known ? state_name(s->first_state) : NULL);
	put_string(j, "last_state", s->state_known ? state_name(s->state) : NULL);
	put_number(j, "segments", s->n_segments);
	put_number(j, "data_segments", s->n_data);
	put_number(j, "bytes", s->n_bytes);
	put_number(j, "retransmitted", s->n_retransmitted);
	put_number(j, "lost", s->n_lost);
	put_number(j, "dropped", s->n_dropped);
	put_number(j, "duplicate", s->n_duplicate);
	close_with(j, '}');
}

static void put_marks(struct json *j, uint32_t marks)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} names[] = {
		{ MARK_RETRANSMITTED, "retransmission" },
		{ MARK_DUPLICATE, "duplicate" },
		{ MARK_OUT_OF_ORDER, "out-of-order" },
		{ MARK_ZERO_WINDOW, "zero-window" },
		{ MARK_PROBE, "probe" },
		{ MARK_KEEPALIVE, "keepalive" },
		{ MARK_CORRUPTED, "corrupted" },
	};

	key(j, "marks");
	fputc('[', j->out);
	j->comma = false;
	for (size_t i = 0; i < N_ELEMENTS(names); i++)
		if (marks & names[i].bit)
			put_string(j, NULL, names[i].name);
	close_with(j, ']');
}

static void put_tcp(struct json *j, const struct segment *g)
{
	const struct tcp_hdr *h = &g->tcp;
	bool ack = h->flags & TCP_ACK;
	char flags[FLAGS_TEXT_MAX];

	put_string(j, "flags", label_flags(flags, h->flags));
	put_signed(j, "seq", g->seq);
	if (ack)
		put_signed(j, "ack", g->ack);
	else
		put_string(j, "ack", NULL);
	put_number(j, "window", g->wnd);
	put_number(j, "raw_seq", h->seq);
	put_number(j, "raw_ack", h->ack);
	put_number(j, "raw_window", h->wnd);
	put_number(j, "checksum", h->checksum);
	put_number(j, "urgent", h->urg);
	put_number_if(j, "mss", h->has_mss, h->mss);
	put_number_if(j, "window_scale", h->has_wscale, h->wscale);
	put_bool(j, "sack_permitted", h->sack_permitted);
	put_number_if(j, "ts_val", h->has_ts, h->ts_val);
	put_number_if(j, "ts_ecr", h->has_ts, h->ts_ecr);
	key(j, "raw_sack");
	fputc('[', j->out);
	for (int i = 0; i < h->n_sack; i++)
		fprintf(j->out, "%s[%" PRIu32 ",%" PRIu32 "]", i ? "," : "", h->sack[i].lo,
			h->sack[i].hi);
	close_with(j, ']');
}

static void put_segment(struct json *j, const struct flow *f, const struct segment *g)
{
	open_with(j, NULL, '{');
	put_number(j, "frame", g->sent->frame);
	put_number(j, "from", (uint64_t)g->from);
	put_number(j, "sent_ns", g->sent->at);
	put_number_if(j, "arrived_ns", g->n_arrivals > 0, g->arrived_at);
	put_number(j, "arrivals", g->n_arrivals);
	put_number(j, "length", g->len);
	if (f->proto == TERN_IPPROTO_TCP) {
		put_tcp(j, g);
	} else if (f->proto != TERN_IPPROTO_UDP) {
		put_number(j, "type", g->icmp.type);
		put_number(j, "code", g->icmp.code);
		put_number(j, "rest", g->icmp.rest);
	}
	put_marks(j, g->marks);
	put_string(j, "cause", g->sent->text);
	put_string(j, "lost", g->sent->lost);
	put_string(j, "dropped", g->dropped);
	close_with(j, '}');
}

static void put_states(struct json *j, const struct flow *f)
{
	open_with(j, "states", '[');
	for (size_t i = 0; i < f->n_steps; i++) {
		const struct step *s = &f->step[i];

		if (s->kind != STEP_STATE)
			continue;
		open_with(j, NULL, '{');
		put_number(j, "at_ns", s->at);
		put_number(j, "side", s->side);
		put_string(j, "from", state_name(s->old_state));
		put_string(j, "to", state_name(s->new_state));
		close_with(j, '}');
	}
	close_with(j, ']');
}

static void put_flow(struct json *j, const struct flows *fs, const struct flow *f)
{
	const char *proto = f->proto == TERN_IPPROTO_TCP  ? "tcp" :
			    f->proto == TERN_IPPROTO_UDP  ? "udp" :
			    f->proto == TERN_IPPROTO_ICMP ? "icmp" :
							    "icmpv6";
	char summary[LABEL_MAX];

	open_with(j, NULL, '{');
	put_string(j, "protocol", proto);
	open_with(j, "ends", '[');
	put_end(j, fs, f, 0);
	put_end(j, fs, f, 1);
	close_with(j, ']');
	put_states(j, f);
	open_with(j, "segments", '[');
	for (size_t i = 0; i < f->n_segments; i++)
		put_segment(j, f, &f->segment[i]);
	close_with(j, ']');
	label_summary(summary, fs, f);
	put_string(j, "summary", summary);
	close_with(j, '}');
}

/* Drops that belong to no frame that was delivered. */
static void put_drops(struct json *j, const struct view *v)
{
	open_with(j, "drops", '[');
	for (size_t i = 0; i < v->n_events; i++) {
		const struct view_event *ev = &v->event[i];

		if (ev->kind != VIEW_DROP)
			continue;
		open_with(j, NULL, '{');
		put_number(j, "at_ns", ev->at);
		put_number(j, "host", (uint64_t)ev->host);
		put_string(j, "reason", ev->text);
		close_with(j, '}');
	}
	close_with(j, ']');
}

bool ladder_json(FILE *out, const struct view *v, const struct ladder_options *options)
{
	struct flows *fs = flows_new(v);
	struct json j = { .out = out };
	bool good;

	if (!fs)
		return false;
	fputc('{', out);
	put_string(&j, "tern", TERN_VERSION);
	if (options->json_head) {
		key(&j, NULL);
		fputs(options->json_head, out);
	}
	open_with(&j, "hosts", '[');
	for (int i = 0; i < v->n_hosts; i++)
		put_string(&j, NULL, v->host[i].name);
	close_with(&j, ']');
	open_with(&j, "flows", '[');
	for (size_t i = 0; i < fs->n; i++)
		put_flow(&j, fs, &fs->flow[i]);
	close_with(&j, ']');
	put_drops(&j, v);
	put_number(&j, "other_frames", fs->n_other);
	fputs("}\n", out);
	good = !fs->incomplete && !ferror(out);
	flows_free(fs);
	return good;
}
