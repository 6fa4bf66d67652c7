/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * list.c - the conversations of a capture as a table: who, when, how much each way, how it ended.
 *
 * Bytes are those of the payload, each counted once; resent counts segments. The rows of tern's own
 * captures come from their events, those of others from the table that was made while reading.
 */
#include "list.h"

#include <inttypes.h>
#include <string.h>

#include "json.h"
#include "label.h"

struct list_row {
	const struct flow *flow;
	uint64_t n_packets[2];
	bool state_known[2];
	uint8_t state[2];
};

/* Who gets the rows. */
struct list {
	FILE *out;
	struct json json;
	uint32_t conn;
	void (*put)(struct list *, const struct list_row *);
};

static void put_wanted(struct list *l, const struct list_row *row)
{
	if (!l->conn || row->flow->number == l->conn)
		l->put(l, row);
}

const char *list_ended(const struct flow *f)
{
	static const char *const words[] = {
		[FLOW_OPEN] = "open",	    [FLOW_REFUSED] = "refused",
		[FLOW_CLOSED] = "closed",   [FLOW_RESET] = "reset",
		[FLOW_GAVE_UP] = "gave up", [FLOW_HALF_CLOSED] = "half closed",
	};
	enum flow_ending end = flow_ending(f);

	if (f->proto != TERN_IPPROTO_TCP)
		return "";
	if ((end == FLOW_OPEN || end == FLOW_GAVE_UP) && !f->answered && f->side[0].opened_by_syn &&
	    !f->side[1].isn_known)
		return "no answer";
	return words[end];
}

const char *list_protocol(const struct flow *f)
{
	switch (f->proto) {
	case TERN_IPPROTO_TCP:
		return "tcp";
	case TERN_IPPROTO_UDP:
		return "udp";
	case TERN_IPPROTO_ICMP:
		return "icmp";
	default:
		return "icmpv6";
	}
}

static void each_foreign(const struct capture *c, struct list *l)
{
	for (size_t i = 0; i < c->n_conns; i++) {
		const struct capture_conn *k = &c->conn[i];
		struct list_row row = { .flow = &k->flow };

		for (int side = 0; side < 2; side++) {
			row.n_packets[side] = k->n_packets[side];
			row.state_known[side] = k->deduced.known[side];
			row.state[side] = k->deduced.state[side];
		}
		put_wanted(l, &row);
	}
}

static bool each_own(const struct capture *c, struct list *l)
{
	struct flows *fs = flows_new(c->view);
	bool good = fs && !fs->incomplete;

	for (size_t i = 0; good && i < fs->n; i++) {
		const struct flow *f = &fs->flow[i];
		struct list_row row = { .flow = f };

		for (int side = 0; side < 2; side++) {
			row.n_packets[side] = f->side[side].n_segments;
			row.state_known[side] = f->side[side].state_known;
			row.state[side] = f->side[side].state;
		}
		put_wanted(l, &row);
	}
	flows_free(fs);
	return good;
}

static bool each_row(const struct capture *c, struct list *l)
{
	if (c->own)
		return each_own(c, l);
	each_foreign(c, l);
	return true;
}

/* ---- text ---- */

static void put_text_row(struct list *l, const struct list_row *r)
{
	FILE *out = l->out;
	const struct flow *f = r->flow;
	char left[TERN_ADDR_TEXT_MAX], right[TERN_ADDR_TEXT_MAX], between[140];
	char time[TIME_TEXT_MAX];

	snprintf(between, sizeof(between), "%s > %s", flow_endpoint(f, 0, left),
		 flow_endpoint(f, 1, right));
	fprintf(out, "%6" PRIu32 " %12s  %-6s ", f->number, label_time(time, f->first_at, 6),
		list_protocol(f));
	if (strlen(between) <= 52)
		fprintf(out, "%s\n", between);
	else
		fprintf(out, "%s\n%29s> %s\n", left, "", right);
	fprintf(out, "%20" PRIu64 " %8" PRIu64 " %12" PRIu64 " %12" PRIu64 " %8" PRIu64 "%s%s\n",
		r->n_packets[0], r->n_packets[1], f->side[0].n_bytes, f->side[1].n_bytes,
		f->side[0].n_retransmitted + f->side[1].n_retransmitted, *list_ended(f) ? "  " : "",
		list_ended(f));
}

bool list_text(FILE *out, const struct capture *c, uint32_t conn)
{
	struct list l = { .out = out, .conn = conn, .put = put_text_row };

	fprintf(out, "     #    start (s)         between\n"
		     "           packets >        <      bytes >            <   resent  ended\n");
	return each_row(c, &l) && !ferror(out);
}

/* ---- JSON ---- */

static void put_json_end(struct json *j, const struct list_row *r, int side)
{
	const struct flow_side *s = &r->flow->side[side];
	bool has_port = r->flow->proto == TERN_IPPROTO_TCP || r->flow->proto == TERN_IPPROTO_UDP;
	char address[TERN_ADDR_TEXT_MAX];

	json_open(j, NULL, '{');
	json_string(j, "address", tern_addr_format(&s->addr, false, address));
	json_number_if(j, "port", has_port, s->addr.port);
	json_number(j, "packets", r->n_packets[side]);
	json_number(j, "bytes", s->n_bytes);
	json_number(j, "retransmitted", s->n_retransmitted);
	json_string(j, "state",
		    r->state_known[side] ?
			    tern_tcp_state_name((enum tern_tcp_state)r->state[side]) :
			    NULL);
	json_close(j, '}');
}

static void put_json_row(struct list *l, const struct list_row *r)
{
	struct json *j = &l->json;

	json_open(j, NULL, '{');
	json_number(j, "number", r->flow->number);
	json_string(j, "protocol", list_protocol(r->flow));
	json_number(j, "start_ns", r->flow->first_at);
	json_number(j, "end_ns", r->flow->last_at);
	json_open(j, "ends", '[');
	put_json_end(j, r, 0);
	put_json_end(j, r, 1);
	json_close(j, ']');
	json_string(j, "ended", *list_ended(r->flow) ? list_ended(r->flow) : NULL);
	json_close(j, '}');
}

bool list_json(FILE *out, const struct capture *c, uint32_t conn)
{
	struct list l = { .json.out = out, .conn = conn, .put = put_json_row };
	struct json *j = &l.json;
	bool good;

	fputc('{', out);
	json_string(j, "tern", TERN_VERSION);
	json_number(j, "packets", c->n_packets);
	json_number(j, "first_packet_unix_ns", c->first_at);
	json_open(j, "conversations", '[');
	good = each_row(c, &l);
	json_close(j, ']');
	json_open(j, "remarks", '[');
	for (int i = 0; i < c->n_remarks; i++)
		json_string(j, NULL, c->remark[i]);
	json_close(j, ']');
	fputs("}\n", out);
	return good && !ferror(out);
}
