/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_send.c - the user gives bytes: how many are taken, and where do they go?
 *
 * Bytes are copied once, to their position in snd_buf, and stay there until acknowledged. The room
 * is opt.sndbuf less what is unacknowledged.
 */
#include "tcp_impl.h"

static size_t room_behind_end(const struct tcp *c)
{
	if (c->state == TERN_TCP_SYN_SENT)
		return tcp_syn_room(c);
	if (c->opt.notsent_lowat && c->snd.end >= c->snd.nxt + c->opt.notsent_lowat)
		return 0;
	return tcp_room_of_open(c);
}

size_t tcp_send_room(const struct tcp *c)
{
	return tcp_send_allowed(c) < 0 ? 0 : room_behind_end(c);
}

/* RFC 9293 3.10.2, with Linux's errors. */
int tcp_send_allowed(const struct tcp *c)
{
	switch (c->state) {
	case TERN_TCP_SYN_SENT:
	case TERN_TCP_SYN_RECEIVED:
		if (!c->fin_queued &&
		    (c->state == TERN_TCP_SYN_SENT ? tcp_may_add_to_syn(c) : c->fast_open))
			return 0;
		return c->fin_queued ? -TERN_EPIPE : -TERN_EAGAIN;
	case TERN_TCP_ESTABLISHED:
	case TERN_TCP_CLOSE_WAIT:
		return c->fin_queued ? -TERN_EPIPE : 0;
	default:
		return -TERN_EPIPE;
	}
}

/* RFC 5681 section 4.1: nothing has gone for an RTO. */
static inline bool has_been_idle(const struct tcp *c, const struct tcp_ctx *x)
{
	return c->snd.una == c->snd.nxt && (uint64_t)1000 * (x->ms - c->sent_ms) > c->rto_us;
}

/*
 * The work record, for bytes that come. RFC 5681 section 4.1: after an idle RTO the old window says
 * little. That the record had to be made says that it was longer.
 */
static bool prepare_to_send(struct tcp *c, const struct tcp_ctx *x)
{
	bool idle = c->work ? has_been_idle(c, x) : c->snd.una == c->snd.nxt;

	if (!tcp_take_work(c, x))
		return false;
	tcp_rate_check_limited(c, tcp_flight(c));
	if (c->snd.una >= c->snd.end)
		tcp_begin_taking(c, x);
	if (idle) {
		struct tern_cc_sample s = { .now = x->now,
					    .srtt = (tern_time)c->srtt_us * TERN_US };

		cc_on_idle(&c->cc, &s);
		if (cc_pace(&c->cc)->rate)
			tcp_set_pace(c, x);
	}
	return true;
}

/* The user has more to say than the buffer takes: tcp_busy.c. */
static void note_refusal(struct tcp *c, bool refused)
{
	if (c->work)
		c->work->refused = refused;
}

/* A SYN that waits for text has waited long enough. */
static void move_end(struct tcp *c, size_t n)
{
	c->snd.end += n;
	if (c->state == TERN_TCP_SYN_SENT && n > 0)
		c->syn_due = true;
}

static APART int64_t send_any(struct tcp *c, const struct tcp_ctx *x, const void *data, size_t len)
{
	int allowed = tcp_send_allowed(c);
	size_t room, n;

	if (allowed < 0 || len == 0)
		return allowed;
	room = room_behind_end(c);
	note_refusal(c, len > room);
	if (room == 0)
		return -TERN_EAGAIN;
	if (!prepare_to_send(c, x))
		return -TERN_ENOBUFS;
	note_refusal(c, len > room); /* there may have been no work before */
	n = buf_write(&c->work->snd_buf, x->mem, c->snd.end, data, MIN(len, room));
	if (n == 0) {
		tcp_review_work(c, x);
		return -TERN_ENOBUFS;
	}
	move_end(c, n);
	return (int64_t)n;
}

/* Mostly all of it is taken, of a connection that goes on. */
int64_t tcp_send(struct tcp *c, const struct tcp_ctx *x, const void *data, size_t len)
{
	struct tcp_work *w = c->work;
	uint64_t end = c->snd.end;
	uint8_t *place;

	if (!w || !tcp_is_calm(c) || c->opt.notsent_lowat || has_been_idle(c, x) || len == 0 ||
	    end - w->snd_buf.head + len > c->opt.sndbuf)
		return send_any(c, x, data, len);
	place = buf_place(&w->snd_buf, x->mem, end, len);
	if (!place)
		return send_any(c, x, data, len);
	memcpy(place, data, len);
	w->refused = false;
	tcp_rate_check_limited(c, tcp_flight(c));
	if (c->snd.una >= end)
		tcp_begin_taking(c, x);
	c->snd.end = end + len;
	return (int64_t)len;
}

int tcp_send_space(struct tcp *c, const struct tcp_ctx *x, struct tern_span *out, int max)
{
	struct buf_span spans[TERN_PKT_SPANS_MAX];
	int allowed = tcp_send_allowed(c), n;
	size_t room;

	if (allowed < 0)
		return allowed;
	room = room_behind_end(c);
	note_refusal(c, room == 0);
	if (room == 0)
		return -TERN_EAGAIN;
	if (!prepare_to_send(c, x))
		return -TERN_ENOBUFS;
	n = buf_reserve(&c->work->snd_buf, x->mem, c->snd.end, room, spans,
			MIN(max, TERN_PKT_SPANS_MAX));
	if (n == 0) {
		tcp_review_work(c, x);
		return -TERN_ENOBUFS;
	}
	for (int i = 0; i < n; i++)
		out[i] = (struct tern_span){ spans[i].ptr, spans[i].len };
	return n;
}

int tcp_send_commit(struct tcp *c, const struct tcp_ctx *x, size_t len)
{
	int allowed = tcp_send_allowed(c);

	if (allowed < 0)
		return allowed;
	if (len > (c->work ? c->work->snd_buf.end - c->snd.end : 0))
		return -TERN_EINVAL;
	if (!c->work)
		return 0;
	move_end(c, len);
	buf_cut(&c->work->snd_buf, x->mem, MAX(c->snd.end, c->work->snd_buf.head));
	return 0;
}
