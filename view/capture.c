/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * capture.c - one face for the readers of pcap and pcapng: which format it is, from a frame to a
 * whole IP packet, and what has to be remarked on.
 *
 * Times become relative to the first packet and never go back: ladders run downwards in the order
 * of the file. Nothing about a packet is an error; what could not be used is counted and said once.
 */
#include "capture.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>

#include "capture_impl.h"
#include "link_layer.h"
#include "pcapng.h"
#include "pcapng_impl.h"

enum { PROGRESS_EVERY = 4096, VIEW_KEEP = 192 };

bool capture_take(struct capturing *c, void *buf, size_t n)
{
	size_t got = fread(buf, 1, n, c->in);

	c->bytes_read += got;
	return got == n;
}

const uint8_t *capture_take_block(struct capturing *c, size_t n)
{
	if (n >= c->block_size) { /* also of an empty one */
		uint8_t *grown = realloc(c->block, n + 1);

		if (!grown) {
			c->out_of_memory = true;
			return NULL;
		}
		c->block = grown;
		c->block_size = n + 1;
	}
	return capture_take(c, c->block, n) ? c->block : NULL;
}

void capture_count(struct capturing *c, struct tally *t)
{
	if (t->n++ == 0)
		t->first = c->out->n_packets;
}

/* ---- packets ---- */

static tern_time relative_time(struct capturing *c, const struct captured *p)
{
	tern_time at;

	if (p->timeless)
		return c->last_at;
	if (!c->any)
		c->out->first_at = p->at;
	c->any = true;
	at = p->at > c->out->first_at ? p->at - c->out->first_at : 0;
	if (at < c->last_at || p->at < c->out->first_at) {
		capture_count(c, &c->went_back);
		at = c->last_at;
	}
	c->last_at = at;
	return at;
}

static void give_up_fragments(struct capturing *c, tern_time now)
{
	struct ip_bytes beginning;
	tern_time at;

	while (reassembly_give_up(c->fragments, now, &beginning, &at)) {
		struct whole_packet p = { .at = at, .incomplete = true };

		capture_count(c, &c->fragments_lost);
		p.bytes = beginning.bytes;
		p.kept = beginning.kept;
		p.len = beginning.len;
		if (p.kept)
			conns_packet(c, &p);
	}
}

static void put_ip_packet(struct capturing *c, tern_time at, const struct ip_bytes *in,
			  const char *cause)
{
	struct ip_bytes whole = *in;

	give_up_fragments(c, at);
	switch (reassemble(c->fragments, at, in, &whole)) {
	case REASSEMBLY_HELD:
		return;
	case REASSEMBLY_BAD:
		capture_count(c, &c->malformed);
		return;
	case REASSEMBLY_DONE:
		capture_count(c, &c->reassembled);
		break;
	case REASSEMBLY_WHOLE:
		break;
	}
	conns_packet(c, &(struct whole_packet){ .at = at,
						.bytes = whole.bytes,
						.kept = whole.kept,
						.len = whole.len,
						.cause = cause });
}

/* Captured on another interface just before? Most captures are of one, and ask nothing. */
static bool is_copy(struct capturing *c, const struct captured *p, const struct ip_bytes *ip)
{
	uint64_t iface =
		(uint64_t)p->iface << 32 | link_find_iface(p->link_type, p->bytes, p->kept);

	if (!iface || p->timeless)
		return false;
	if (!c->copies)
		c->copies = copies_new();
	if (!c->copies) {
		c->out_of_memory = true;
		return false;
	}
	return copies_recognize(c->copies, p->at, iface, ip);
}

void capture_packet(struct capturing *c, const struct captured *p)
{
	uint32_t len = MAX(p->len, p->kept);
	struct ip_bytes ip;
	tern_time at;
	size_t offset;

	c->out->n_packets++;
	if (c->options->progress && c->out->n_packets % PROGRESS_EVERY == 0)
		c->options->progress(c->options->ctx, c->bytes_read);
	at = relative_time(c, p);
	if (p->kept > p->len)
		capture_count(c, &c->kept_beyond);
	switch (link_find_ip(p->link_type, p->bytes, p->kept, &offset)) {
	case LINK_OTHER:
		capture_count(c, &c->not_ip);
		return;
	case LINK_CUT:
		capture_count(c, &c->cut_link);
		return;
	case LINK_UNKNOWN:
		c->unknown_link = p->link_type;
		capture_count(c, &c->unknown);
		return;
	case LINK_IP:
		break;
	}
	ip.bytes = p->bytes + offset;
	ip.kept = p->kept - (uint32_t)offset;
	ip.len = len - (uint32_t)offset;
	if (is_copy(c, p, &ip))
		capture_count(c, &c->copied);
	else
		put_ip_packet(c, at, &ip, p->cause);
}

/* ---- remarks ---- */

static void remark(struct capture *out, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void remark(struct capture *out, const char *format, ...)
{
	va_list ap;

	if (out->n_remarks == CAPTURE_REMARKS_MAX)
		return;
	va_start(ap, format);
	vsnprintf(out->remark[out->n_remarks++], LADDER_REMARK_LEN, format, ap);
	va_end(ap);
}

static void remark_tally(struct capture *out, const struct tally *t, const char *one,
			 const char *many)
{
	if (t->n == 1)
		remark(out, "packet %" PRIu64 " %s", t->first, one);
	else if (t->n > 1)
		remark(out, "%" PRIu64 " packets %s, the first is packet %" PRIu64, t->n, many,
		       t->first);
}

static void remark_on_packets(const struct capturing *c)
{
	struct capture *out = c->out;

	remark_tally(out, &c->kept_beyond, "claims fewer bytes than the file holds of it",
		     "claim fewer bytes than the file holds of them");
	remark_tally(out, &c->cut_link, "ends within its link header",
		     "end within their link headers");
	remark_tally(out, &c->cut_header, "ends within its IP or transport header: not drawn",
		     "end within their IP or transport headers: not drawn");
	remark_tally(out, &c->cut_tcp, "ends within its TCP header: options are missing",
		     "end within their TCP headers: options are missing");
	remark_tally(out, &c->malformed, "is malformed: not drawn", "are malformed: not drawn");
	remark_tally(out, &c->copied, "was captured on another interface just before: left out",
		     "were captured on another interface just before: left out");
	remark_tally(out, &c->bursts,
		     "is a burst, longer than a segment: a network card cuts or joins such",
		     "are bursts, longer than a segment: a network card cuts or joins such");
	remark_tally(out, &c->reassembled, "completes a datagram that came in fragments",
		     "complete datagrams that came in fragments");
	remark_tally(out, &c->fragments_lost,
		     "is where a datagram with missing fragments is given up",
		     "are where datagrams with missing fragments are given up");
	remark_tally(out, &c->bad_checksum,
		     "has a wrong checksum (usual where the sender's card computes it)",
		     "have a wrong checksum (usual where the sender's card computes it)");
	remark_tally(out, &c->went_back, "bears an earlier time than the one before it",
		     "bear an earlier time than the one before");
	remark_tally(out, &c->not_ip, "is no IP: not drawn", "are no IP: not drawn");
	remark_tally(out, &c->no_transport, "is neither TCP, UDP nor ICMP: not drawn",
		     "are neither TCP, UDP nor ICMP: not drawn");
	if (c->unknown.n)
		remark(out, "%" PRIu64 " packet%s of link type %" PRIu32 ", which is not read",
		       c->unknown.n, c->unknown.n == 1 ? "" : "s", c->unknown_link);
	if (c->beyond.n)
		remark(out, "the picture ends before packet %" PRIu64 ": the file is too long",
		       c->beyond.first);
	if (c->uncounted.n)
		remark(out,
		       "%" PRIu64 " packets belong to conversations beyond the first %d: "
		       "not counted",
		       c->uncounted.n, CAPTURE_CONNS_MAX);
}

static void remark_on_conns(const struct capturing *c)
{
	struct capture *out = c->out;
	uint64_t n_midstream = 0, n_one_sided = 0, n_resets = 0, n_left_out = 0;
	uint32_t first[3] = { 0 };

	for (size_t i = 0; i < out->n_conns; i++) {
		const struct capture_conn *k = &out->conn[i];
		bool one_sided = !k->n_packets[0] || !k->n_packets[1];

		n_left_out += k->n_left_out;
		if (k->flow.proto != TERN_IPPROTO_TCP)
			continue;
		/* A call without an answer is no matter of the capture. */
		one_sided = one_sided && k->n_packets[0] + k->n_packets[1] > 1 &&
			    (k->deduced.midstream || k->flow.side[1].isn_known);
		if (k->deduced.midstream && n_midstream++ == 0)
			first[0] = k->flow.number;
		if (one_sided && n_one_sided++ == 0)
			first[1] = k->flow.number;
		if (k->deduced.n_resets_ignored && n_resets++ == 0)
			first[2] = k->flow.number;
	}
	if (n_midstream)
		remark(out,
		       "%" PRIu64 " connection%s joined in the middle (the first: %" PRIu32
		       "): taken to be ESTABLISHED",
		       n_midstream, n_midstream == 1 ? "" : "s", first[0]);
	if (n_one_sided)
		remark(out,
		       "of %" PRIu64 " connection%s only one side was captured (the first: %" PRIu32
		       "): the other is deduced",
		       n_one_sided, n_one_sided == 1 ? "" : "s", first[1]);
	if (n_resets)
		remark(out,
		       "%" PRIu64 " connection%s resets that do not count, by their numbers "
		       "(the first: %" PRIu32 ")",
		       n_resets, n_resets == 1 ? " has" : "s have", first[2]);
	if (n_left_out)
		remark(out,
		       "%" PRIu64 " packets of long conversations are counted in the picture, "
		       "not drawn",
		       n_left_out);
}

uint32_t capture_drawn_max(const struct capture_options *o)
{
	return o->drawn_max ? o->drawn_max : CAPTURE_DRAWN_MAX;
}

static void remark_on_drawn(const struct capturing *c)
{
	const struct capture *out = c->out;

	uint32_t max = capture_drawn_max(c->options);

	if (c->options->table_only || c->options->conn || out->n_conns <= max)
		return;
	remark(c->out,
	       "of %zu conversations the first %" PRIu32 " %s drawn; --list names all, "
	       "--conn N draws one",
	       out->n_conns, max, max == 1 ? "is" : "are");
}

/* ---- the whole file ---- */

static bool is_pcap(const uint8_t m[4])
{
	static const uint8_t magics[4][4] = { { 0xa1, 0xb2, 0xc3, 0xd4 },
					      { 0xd4, 0xc3, 0xb2, 0xa1 },
					      { 0xa1, 0xb2, 0x3c, 0x4d },
					      { 0x4d, 0x3c, 0xb2, 0xa1 } };

	for (size_t i = 0; i < 4; i++)
		if (memcmp(m, magics[i], 4) == 0)
			return true;
	return false;
}

static const char *refuse_magic(const uint8_t m[4], size_t n)
{
	if (n == 0)
		return "the file is empty";
	if (n >= 2 && m[0] == 0x1f && m[1] == 0x8b)
		return "compressed with gzip: unpack it first";
	if (n == 4 && memcmp(m, "\x28\xb5\x2f\xfd", 4) == 0)
		return "compressed with zstd: unpack it first";
	return "neither a pcap nor a pcapng file";
}

static const char *read_file(struct capturing *c)
{
	static const uint8_t section[4] = { 0x0a, 0x0d, 0x0d, 0x0a };

	if (!capture_take(c, c->magic, 4))
		return refuse_magic(c->magic, (size_t)c->bytes_read);
	if (is_pcap(c->magic))
		pcap_read_packets(c);
	else if (memcmp(c->magic, section, 4) == 0)
		pcapng_read_packets(c);
	else
		return refuse_magic(c->magic, 4);
	if (c->out_of_memory || c->out->view->incomplete)
		return "out of memory";
	if (c->broken && c->out->n_packets == 0 && c->out->view->n_events == 0)
		return c->broken;
	return NULL;
}

static bool start(struct capturing *c, FILE *in, const struct capture_options *options)
{
	*c = (struct capturing){ .in = in, .options = options };
	c->out = calloc(1, sizeof(*c->out));
	c->fragments = reassembly_new();
	if (!c->out || !c->fragments)
		return false;
	c->out->view = view_new(options->keep ? options->keep : VIEW_KEEP);
	return c->out->view != NULL;
}

struct capture *capture_read(FILE *in, const struct capture_options *options, const char **why)
{
	struct capturing c;

	*why = "out of memory";
	if (start(&c, in, options))
		*why = read_file(&c);
	if (!*why) {
		give_up_fragments(&c, TERN_NEVER);
		conns_end(&c);
		if (c.broken)
			remark(c.out, "%s", c.broken);
		remark_on_packets(&c);
		remark_on_conns(&c);
		remark_on_drawn(&c);
		if (c.out_of_memory || c.out->view->incomplete)
			*why = "out of memory";
	}
	copies_free(c.copies);
	reassembly_free(c.fragments);
	free(c.slot);
	free(c.block);
	if (*why) {
		capture_free(c.out);
		return NULL;
	}
	return c.out;
}

void capture_free(struct capture *c)
{
	if (!c)
		return;
	view_free(c->view);
	free(c->conn);
	free(c);
}

struct view *pcapng_read(FILE *in, const char **why)
{
	const struct capture_options options = { .full = true };
	struct capture *c = capture_read(in, &options, why);
	struct view *v = c ? c->view : NULL;

	if (c)
		c->view = NULL;
	capture_free(c);
	return v;
}
