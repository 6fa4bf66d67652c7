/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ladder_json.c - everything that is known about each conversation, for programs.
 *
 * One object: hosts, flows (ends, segments with all header fields and marks, states, a summary),
 * drops that belong to no frame. Keys come in a fixed order; times are nanoseconds; relative
 * numbers are as in the picture, raw ones as on the wire; what is unknown is null.
 */
#include "ladder.h"

#include <string.h>

#include "flow.h"
#include "json.h"
#include "label.h"

static const char *state_name(unsigned state)
{
	return tern_tcp_state_name((enum tern_tcp_state)state);
}

static void put_end(struct json *j, const struct flows *fs, const struct flow *f, int side)
{
	const struct flow_side *s = &f->side[side];
	bool tcp = f->proto == TERN_IPPROTO_TCP;
	char address[TERN_ADDR_TEXT_MAX];

	json_open(j, NULL, '{');
	json_string(j, "address", tern_addr_format(&s->addr, false, address));
	json_number_if(j, "port", tcp || f->proto == TERN_IPPROTO_UDP, s->addr.port);
	json_string(j, "name", flow_side_name(fs, f, side));
	json_string(j, "role", flow_role(f, side)[0] ? flow_role(f, side) : NULL);
	json_number_if(j, "isn", s->isn_known, s->isn);
	json_string(j, "first_state", s->state_known ? state_name(s->first_state) : NULL);
	json_string(j, "last_state", s->state_known ? state_name(s->state) : NULL);
	json_number(j, "segments", s->n_segments);
	json_number(j, "data_segments", s->n_data);
	json_number(j, "bytes", s->n_bytes);
	json_number(j, "retransmitted", s->n_retransmitted);
	json_number(j, "lost", s->n_lost);
	json_number(j, "dropped", s->n_dropped);
	json_number(j, "duplicate", s->n_duplicate);
	json_close(j, '}');
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
		{ MARK_GAP, "gap" },
		{ MARK_CE, "CE" },
	};

	json_list(j, "marks");
	for (size_t i = 0; i < N_ELEMENTS(names); i++)
		if (marks & names[i].bit)
			json_string(j, NULL, names[i].name);
	json_close(j, ']');
}

static void put_tcp(struct json *j, const struct segment *g)
{
	const struct tcp_hdr *h = &g->tcp;
	bool ack = h->flags & TCP_ACK;
	char flags[FLAGS_TEXT_MAX];

	json_string(j, "flags", label_flags(flags, h->flags));
	json_signed(j, "seq", g->seq);
	if (ack)
		json_signed(j, "ack", g->ack);
	else
		json_string(j, "ack", NULL);
	json_number(j, "window", g->wnd);
	json_number(j, "raw_seq", h->seq);
	json_number(j, "raw_ack", h->ack);
	json_number(j, "raw_window", h->wnd);
	json_number(j, "checksum", h->checksum);
	json_number(j, "urgent", h->urg);
	json_number_if(j, "mss", h->has_mss, h->mss);
	json_number_if(j, "window_scale", h->has_wscale, h->wscale);
	json_bool(j, "sack_permitted", h->sack_permitted);
	json_number_if(j, "ts_val", h->has_ts, h->ts_val);
	json_number_if(j, "ts_ecr", h->has_ts, h->ts_ecr);
	json_list(j, "raw_sack");
	for (int i = 0; i < h->n_sack; i++) {
		json_list(j, NULL);
		json_number(j, NULL, h->sack[i].lo);
		json_number(j, NULL, h->sack[i].hi);
		json_close(j, ']');
	}
	json_close(j, ']');
}

static void put_segment(struct json *j, const struct flow *f, const struct segment *g)
{
	json_open(j, NULL, '{');
	json_number(j, "frame", g->sent->frame);
	json_number(j, "from", (uint64_t)g->from);
	json_number(j, "sent_ns", g->sent->at);
	json_number_if(j, "arrived_ns", g->n_arrivals > 0, g->arrived_at);
	json_number(j, "arrivals", g->n_arrivals);
	json_number(j, "length", g->len);
	if (f->proto == TERN_IPPROTO_TCP) {
		put_tcp(j, g);
	} else if (f->proto != TERN_IPPROTO_UDP) {
		json_number(j, "type", g->icmp.type);
		json_number(j, "code", g->icmp.code);
		json_number(j, "rest", g->icmp.rest);
	}
	put_marks(j, g->marks);
	json_string(j, "cause", g->sent->text);
	json_string(j, "lost", g->sent->lost);
	json_string(j, "dropped", g->dropped);
	json_close(j, '}');
}

static void put_states(struct json *j, const struct flow *f)
{
	json_open(j, "states", '[');
	for (size_t i = 0; i < f->n_steps; i++) {
		const struct step *s = &f->step[i];

		if (s->kind != STEP_STATE)
			continue;
		json_open(j, NULL, '{');
		json_number(j, "at_ns", s->at);
		json_number(j, "side", s->side);
		json_string(j, "from", state_name(s->old_state));
		json_string(j, "to", state_name(s->new_state));
		json_close(j, '}');
	}
	json_close(j, ']');
}

/* What arrived once more, made by the link. */
static void put_copies(struct json *j, const struct flow *f)
{
	json_open(j, "copies", '[');
	for (size_t i = 0; i < f->n_steps; i++) {
		const struct step *s = &f->step[i];

		if (s->kind != STEP_ARRIVE || !s->copy)
			continue;
		json_open(j, NULL, '{');
		json_number(j, "frame", f->segment[s->segment].sent->frame);
		json_number(j, "arrived_ns", s->at);
		json_string(j, "dropped", s->text);
		json_close(j, '}');
	}
	json_close(j, ']');
}

static void put_flow(struct json *j, const struct flows *fs, const struct flow *f)
{
	const char *proto = f->proto == TERN_IPPROTO_TCP  ? "tcp" :
			    f->proto == TERN_IPPROTO_UDP  ? "udp" :
			    f->proto == TERN_IPPROTO_ICMP ? "icmp" :
							    "icmpv6";
	char summary[LABEL_MAX];

	json_open(j, NULL, '{');
	json_number(j, "number", f->number);
	json_string(j, "protocol", proto);
	json_open(j, "ends", '[');
	put_end(j, fs, f, 0);
	put_end(j, fs, f, 1);
	json_close(j, ']');
	put_states(j, f);
	json_open(j, "segments", '[');
	for (size_t i = 0; i < f->n_segments; i++)
		put_segment(j, f, &f->segment[i]);
	json_close(j, ']');
	put_copies(j, f);
	label_summary(summary, fs, f);
	json_string(j, "summary", summary);
	json_close(j, '}');
}

/* Drops that belong to no frame that was delivered. */
static void put_drops(struct json *j, const struct view *v)
{
	json_open(j, "drops", '[');
	for (size_t i = 0; i < v->n_events; i++) {
		const struct view_event *ev = &v->event[i];

		if (ev->kind != VIEW_DROP)
			continue;
		json_open(j, NULL, '{');
		json_number(j, "at_ns", ev->at);
		json_number(j, "host", (uint64_t)ev->host);
		json_string(j, "reason", ev->text);
		json_close(j, '}');
	}
	json_close(j, ']');
}

bool ladder_json(FILE *out, const struct view *v, const struct ladder_options *options)
{
	struct flows *fs = flows_new(v);
	struct json j = { .out = out };
	bool good;

	if (!fs)
		return false;
	fputc('{', out);
	json_string(&j, "tern", TERN_VERSION);
	if (options->json_head) {
		json_key(&j, NULL);
		fputs(options->json_head, out);
	}
	json_open(&j, "hosts", '[');
	for (int i = 0; i < v->n_hosts; i++)
		json_string(&j, NULL, v->host[i].name);
	json_close(&j, ']');
	json_open(&j, "flows", '[');
	for (size_t i = 0; i < fs->n; i++)
		if (!options->conn || fs->flow[i].number == options->conn)
			put_flow(&j, fs, &fs->flow[i]);
	json_close(&j, ']');
	put_drops(&j, v);
	json_number(&j, "other_frames", fs->n_other);
	if (options->remark) {
		json_open(&j, "remarks", '[');
		for (int i = 0; i < options->n_remarks; i++)
			json_string(&j, NULL, options->remark[i]);
		json_close(&j, ']');
	}
	fputs("}\n", out);
	good = !fs->incomplete && !ferror(out);
	flows_free(fs);
	return good;
}
