/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_fixture.h - one connection of its own for each test function, and a peer made by hand.
 *
 * Numbers are relative, as in a packet capture: our SYN and the peer's are 0, the first byte is 1.
 * Both true numbers lie just below a wrap. Text is a function of its position, so that every byte
 * that is read or sent is compared without keeping a copy. Everything that touches the connection
 * goes through a function here; each of them ends with tcp_check.
 */
#ifndef TERN_TCP_FIXTURE_H
#define TERN_TCP_FIXTURE_H

#include "../../core/base/mem.h"
#include "../../core/tcp/tcp.h"
#include "../../core/tcp/tcp_record.h"
#include "test.h"

enum { MSS = 1000, TEXT_MAX = 70000 };

struct fixture {
	struct test_env world;
	struct mem mem;
	struct tern_config cfg;
	tern_time now;
	struct tcp c;
	struct tcp_open open;
	uint32_t iss, irs;
	uint16_t wnd; /* the window of the peer's segments */
	bool ts;      /* they carry timestamps: */
	uint32_t ts_val, ts_ecr;
	uint64_t given, taken;	     /* bytes of text that the user gave and read */
	enum tern_tcp_state log[16]; /* states entered, oldest first */
	unsigned n_log;
	uint32_t events; /* since they were last asked for */
	bool cut;	 /* bursts are cut into segments before they go */
	bool land;	 /* text is put in its place before its segment is judged */
	bool suspect;
};

static struct fixture f;

static inline struct tcp_ctx ctx(void)
{
	struct tcp_ctx x = { .mem = &f.mem, .cfg = &f.cfg };

	tcp_set_time(&x, f.now);
	return x;
}

/* ---- what may be read of the connection ---- */

static inline enum tern_tcp_state state(void)
{
	return (enum tern_tcp_state)f.c.state;
}

static inline int error_of_end(void)
{
	return f.c.error;
}

static inline struct tern_tcp_info info(void)
{
	struct tcp_ctx x = ctx();
	struct tern_tcp_info i;

	tcp_info(&f.c, &x, &i);
	return i;
}

static inline uint32_t cwnd_bytes(void)
{
	return f.c.cc.cwnd;
}

static inline uint32_t ssthresh_bytes(void)
{
	return f.c.cc.ssthresh;
}

/* ---- options of the user ---- */

static inline void set_nodelay(bool on)
{
	f.c.opt.nodelay = on;
}

static inline void set_cork(bool on)
{
	f.c.cork = on;
}

static inline void set_oob_inline(bool on)
{
	f.c.opt.oob_inline = on;
}

static inline void set_user_timeout(uint32_t ms)
{
	f.c.opt.user_timeout_ms = ms;
}

static inline void set_user_mss(uint16_t mss)
{
	f.c.opt.user_mss = mss;
}

static inline void set_receive_buffer(uint32_t size)
{
	f.c.opt.rcvbuf = size;
	f.c.opt.rcvbuf_set = true;
}

static inline void set_send_buffer(uint32_t size)
{
	f.c.opt.sndbuf = size;
	f.c.opt.sndbuf_set = true;
}

/* ---- life ---- */

static inline uint8_t text_at(uint64_t pos)
{
	return (uint8_t)(pos * 31 + (pos >> 8) * 7);
}

static inline void fill_text(uint8_t *p, uint64_t pos, size_t len)
{
	for (size_t i = 0; i < len; i++)
		p[i] = text_at(pos + i);
}

static inline void start(void)
{
	struct tern_env env;

	memset(&f, 0, sizeof(f));
	f.world.fill = 0xb7;
	env = test_env_make(&f.world, 1);
	mem_init(&f.mem, env.alloc, env.free, env.ctx, (uint64_t)1 << 32);
	tern_config_default(&f.cfg);
	f.cfg.tcp_timestamps = f.cfg.tcp_pacing = false;
	f.cfg.tcp_quick_acks = 0;
	f.now = 1000 * TERN_SEC;
	f.iss = UINT32_MAX - 511;
	f.irs = UINT32_MAX - 255;
	f.wnd = 65535;
	f.open = (struct tcp_open){
		.adv_mss = MSS, .path_mss = MSS, .default_mss = 536, .rcv_buf_max = 65535
	};
	f.c.opt.sndbuf = f.cfg.tcp_sndbuf_default;
	f.c.cc.ops = &cc_reno;
}

/* What follows after each verb. */
static inline void settle(void)
{
	struct tcp_ctx x = ctx();
	enum tern_tcp_state s;

	while (tcp_state_change(&f.c, &s) && f.n_log < N_ELEMENTS(f.log))
		f.log[f.n_log++] = s;
	tcp_review_timers(&f.c, &x, tcp_plan(&f.c, 0).what);
	tcp_check(&f.c);
}

static inline void finish(void)
{
	struct tcp_ctx x = ctx();

	tcp_fini(&f.c, &x);
	mem_fini(&f.mem);
	check_eq(f.world.out, 0);
}

/* ---- segments out ---- */

struct seen {
	struct tcp_plan plan; /* what is SEND_NOTHING: there was none */
	struct tcp_hdr h;     /* of the first piece, with the flags of all; numbers relative */
	uint32_t len;	      /* of all pieces */
	unsigned n_pieces;
};

static inline struct tcp_plan plan_of(uint32_t burst_max)
{
	struct tcp_plan a = tcp_plan(&f.c, burst_max), b = tcp_plan(&f.c, burst_max);

	/* the plan is pure: asking twice gives the same */
	check(a.what == b.what && a.cause == b.cause && a.lo == b.lo && a.hi == b.hi);
	check(a.fin == b.fin && a.again == b.again);
	check_eq(tcp_next(&f.c), tcp_plan(&f.c, 0).what);
	return a;
}

static inline void check_payload(const struct tcp_piece *piece, uint32_t seq)
{
	uint32_t done = 0;

	for (int i = 0; i < piece->n_spans; i++) {
		for (uint32_t k = 0; k < piece->span[i].len; k++, done++) {
			if (piece->span[i].ptr[k] == text_at(seq + done))
				continue;
			test_fail(__FILE__, __LINE__, "byte %u is not what was given", seq + done);
			return;
		}
	}
	check_eq(done, piece->len);
}

/* It can be said on the wire, and says the same there. */
static inline void check_header(const struct tcp_hdr *h)
{
	uint8_t bytes[TCP_HDR_MAX], again[TCP_HDR_MAX];
	size_t len = tcp_emit(h, bytes);
	struct tcp_hdr back;

	check(len <= TCP_HDR_MAX && tcp_parse(&back, bytes, len));
	check_eq(back.n_sack, h->n_sack);
	check_eq(tcp_emit(&back, again), len);
	check_mem(again, bytes, len);
}

/* What the plan says, carried out in pieces of max bytes: the first header, all that went. */
static inline struct seen carry_out(const struct tcp_plan *plan, uint32_t max)
{
	struct tcp_ctx x = ctx();
	struct seen s = { .plan = *plan };
	struct tcp_piece piece;
	struct tcp_out o;

	memset(&o, 0xee, sizeof(o));
	tcp_output(&f.c, &x, plan, &o);
	settle();
	for (unsigned n = 0; n == 0 || !o.done; n++) {
		uint16_t last = n ? piece.h->flags & (TCP_PSH | TCP_FIN) : 0;

		memset(&piece, 0xee, sizeof(piece));
		if (!tcp_next_piece(&f.c, &o, max, &piece) || n > 100) {
			test_fail(__FILE__, __LINE__, "a burst that does not end");
			break;
		}
		check_header(piece.h);
		if (n > 0) { /* what belongs to the end is in the last piece alone */
			check_eq(piece.h->seq - f.iss, s.h.seq + s.len);
			check_eq(last, 0);
			check(piece.len > 0);
			s.h.flags |= piece.h->flags;
		} else {
			s.h = *piece.h;
			s.h.seq -= f.iss;
			if (s.h.flags & TCP_ACK)
				s.h.ack -= f.irs;
		}
		check_payload(&piece, s.h.seq + s.len);
		s.len += piece.len;
		s.n_pieces = n + 1;
	}
	return s;
}

/* The next burst, carried out: by a device that cuts, or cut for it segment by segment. */
static inline struct seen out_burst(uint32_t burst_max)
{
	struct tcp_plan plan = plan_of(burst_max);

	if (plan.what == SEND_NOTHING)
		return (struct seen){ .plan = plan };
	return carry_out(&plan, f.cut ? 0 : burst_max);
}

static inline struct seen out(void)
{
	return out_burst(0);
}

/* Takes all that goes now; how many. */
static inline unsigned drain(void)
{
	unsigned n = 0;

	while (out().plan.what != SEND_NOTHING && n < 100000)
		n++;
	return n;
}

/* What a segment is like: flags, numbers, length, in one look. */
static inline void check_seen(const struct seen *s, uint16_t flags, uint32_t seq, uint32_t ack,
			      uint32_t len)
{
	check(s->plan.what != SEND_NOTHING);
	check_eq(s->h.flags, flags);
	check_eq(s->h.seq, seq);
	check_eq(s->h.ack, ack);
	check_eq(s->len, len);
}

static inline void expect(uint16_t flags, uint32_t seq, uint32_t ack, uint32_t len)
{
	struct seen s = out();

	check_seen(&s, flags, seq, ack, len);
}

static inline void expect_silence(void)
{
	check_eq(plan_of(0).what, SEND_NOTHING);
}

/* ---- segments in ---- */

/* Numbers are relative; the text is what belongs there. */
static inline struct tcp_result in_hdr(const struct tcp_hdr *relative, uint32_t len)
{
	static uint8_t text[TEXT_MAX];
	struct tcp_ctx x = ctx();
	struct tcp_seg seg = { .h = *relative, .data = text, .len = len };
	struct tcp_result r;
	uint32_t sum = 0;

	fill_text(text, relative->seq + (relative->flags & TCP_SYN ? 1 : 0), len);
	seg.h.seq += f.irs;
	if (seg.h.flags & TCP_ACK)
		seg.h.ack += f.iss;
	if (f.land)
		tcp_land(&f.c, &x, &seg, checksum_copy_add, &sum);
	r = tcp_input(&f.c, &x, &seg);
	f.events |= r.events;
	settle();
	return r;
}

static inline struct tcp_hdr header(uint16_t flags, uint32_t seq, uint32_t ack)
{
	return (struct tcp_hdr){ .flags = flags,
				 .seq = seq,
				 .ack = ack,
				 .wnd = f.wnd,
				 .has_ts = f.ts,
				 .ts_val = f.ts_val,
				 .ts_ecr = f.ts_ecr };
}

static inline struct tcp_result in(uint16_t flags, uint32_t seq, uint32_t ack, uint32_t len)
{
	struct tcp_hdr h = header(flags, seq, ack);

	return in_hdr(&h, len);
}

/* ---- opening ---- */

static inline struct tcp_hdr peer_syn(uint16_t flags)
{
	struct tcp_hdr h = { .flags = flags, .ack = 1, .wnd = f.wnd, .has_mss = true, .mss = MSS };

	h.has_ts = f.ts;
	h.ts_val = f.ts_val;
	return h;
}

/* SYN-SENT; the SYN is still to go. */
static inline void begin_active(void)
{
	struct tcp_ctx x = ctx();

	f.open.iss = f.iss;
	f.c.opt.rcvbuf = f.open.rcv_buf_max;
	tcp_connect(&f.c, &x, &f.open);
	settle();
}

static inline void open_active_with(const struct tcp_hdr *synack)
{
	begin_active();
	out();
	in_hdr(synack, 0);
	out();
}

/* The answer comes a round trip later. */
static inline void open_active_after(tern_time rtt, const struct tcp_hdr *synack)
{
	begin_active();
	out();
	f.now += rtt;
	in_hdr(synack, 0);
	out();
}

/* ESTABLISHED by an active open; nothing is owed. */
static inline void open_active(void)
{
	struct tcp_hdr h = peer_syn(TCP_SYN | TCP_ACK);

	open_active_with(&h);
	check_eq(state(), TERN_TCP_ESTABLISHED);
}

static inline void begin_passive_with(struct tcp_half *half, const struct tcp_hdr *syn)
{
	struct tcp_ctx x = ctx();
	struct tcp_seg seg = { .h = *syn };

	seg.h.seq += f.irs;
	f.open.iss = f.iss;
	half_init(half, &x, &seg, &f.open);
}

static inline void become_connection(const struct tcp_half *half)
{
	struct tcp_ctx x = ctx();

	f.c.opt.rcvbuf = f.open.rcv_buf_max;
	check(tcp_from_half(&f.c, &x, half, &f.open));
}

/* SYN-RECEIVED as it is when the ACK of our SYN-ACK has come and is about to be handed over. */
static inline void begin_passive(void)
{
	struct tcp_hdr syn = peer_syn(TCP_SYN);
	struct tcp_half half;

	begin_passive_with(&half, &syn);
	become_connection(&half);
	settle();
}

static inline void open_passive(void)
{
	begin_passive();
	in(TCP_ACK, 1, 1, 0);
	check_eq(state(), TERN_TCP_ESTABLISHED);
}

/* ---- the user ---- */

/* Gives the next len bytes of text; what was taken. */
static inline int64_t give(size_t len)
{
	static uint8_t text[TEXT_MAX];
	struct tcp_ctx x = ctx();
	int64_t n;

	fill_text(text, f.given + 1, len);
	n = tcp_send(&f.c, &x, text, len);
	if (n > 0)
		f.given += (uint64_t)n;
	settle();
	return n;
}

/* Reads up to len bytes and compares them with what belongs there. */
static inline size_t take(size_t len)
{
	static uint8_t got[TEXT_MAX], want[TEXT_MAX];
	struct tcp_ctx x = ctx();
	size_t n = tcp_recv(&f.c, &x, got, len);

	fill_text(want, f.taken + 1, n);
	check_mem(got, want, n);
	f.taken += n;
	settle();
	return n;
}

static inline void close_send(void)
{
	struct tcp_ctx x = ctx();

	tcp_close_send(&f.c, &x);
	settle();
}

static inline void close_all(void)
{
	struct tcp_ctx x = ctx();

	tcp_close(&f.c, &x);
	settle();
}

static inline void abort_all(void)
{
	struct tcp_ctx x = ctx();

	tcp_abort(&f.c, &x, 0);
	settle();
}

static inline void set_keepalive(bool on)
{
	struct tcp_ctx x = ctx();

	tcp_set_keepalive(&f.c, &x, on);
	settle();
}

/* ---- time ---- */

/* Nanoseconds until the next deadline, giving memory back when silent apart; TERN_NEVER. */
static inline tern_time until_deadline(void)
{
	struct tcp c = f.c;
	tern_time at;

	if (c.work)
		c.idle_at = TERN_NEVER;
	at = tcp_deadline(&c);
	return at == TERN_NEVER ? TERN_NEVER : at > f.now ? at - f.now : 0;
}

/* Time passes; deadlines on the way are carried out when they come. The last one's name. */
static inline const char *pass(tern_time span)
{
	tern_time end = f.now + span;
	const char *timer = NULL;

	for (int i = 0; i < 1000 && tcp_deadline(&f.c) <= end; i++) {
		struct tcp_time_result r;
		struct tcp_ctx x;

		f.now = MAX(f.now, tcp_deadline(&f.c));
		x = ctx();
		r = tcp_on_time(&f.c, &x);
		f.events |= r.events;
		f.suspect = f.suspect || r.suspect;
		timer = r.timer ? r.timer : timer;
		settle();
	}
	f.now = end;
	return timer;
}

/* Time passes up to the next deadline, which is carried out; its name, or "" when there is none. */
static inline const char *next_timer(void)
{
	const char *timer = until_deadline() == TERN_NEVER ? NULL : pass(until_deadline());

	return timer ? timer : "";
}

/* ---- any state ---- */

/* Our next number and the peer's, relative, after reach(). */
static uint32_t snd_nxt, rcv_nxt;

static inline void reach(enum tern_tcp_state s)
{
	snd_nxt = rcv_nxt = 1;
	if (s == TERN_TCP_SYN_SENT) {
		begin_active();
		out();
		rcv_nxt = 0;
		return;
	}
	if (s == TERN_TCP_SYN_RECEIVED) {
		begin_passive();
		return;
	}
	open_passive();
	if (s == TERN_TCP_CLOSE_WAIT || s == TERN_TCP_LAST_ACK)
		in(TCP_FIN | TCP_ACK, rcv_nxt++, snd_nxt, 0);
	if (s != TERN_TCP_ESTABLISHED && s != TERN_TCP_CLOSE_WAIT && s != TERN_TCP_CLOSED) {
		close_send();
		drain();
		snd_nxt++;
	}
	if (s == TERN_TCP_CLOSING)
		in(TCP_FIN | TCP_ACK, rcv_nxt++, snd_nxt - 1, 0);
	if (s == TERN_TCP_FIN_WAIT_2 || s == TERN_TCP_TIME_WAIT)
		in(TCP_ACK, rcv_nxt, snd_nxt, 0);
	if (s == TERN_TCP_TIME_WAIT)
		in(TCP_FIN | TCP_ACK, rcv_nxt++, snd_nxt, 0);
	if (s == TERN_TCP_CLOSED)
		in(TCP_RST, rcv_nxt, 0, 0);
	drain();
	check_eq(state(), s);
}

#endif
