/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sec_flags_test.c - SEC-81: every combination of the nine flags, in every state, with numbers
 * inside, at and outside the edges, against a small model.
 *
 * The model is written from RFC 9293 3.10.7 with RFC 5961 (blind attacks), RFC 1337 and RFC 6191
 * (TIME-WAIT); it knows nothing of the code. For each segment it says which state follows and what
 * is answered, numbers and all. Where an RFC leaves a choice, the model says so (may_ack).
 */
#include "state_fixture.h"

enum answer { NOTHING, PURE_ACK, RST, RST_ACK, SYN_ACK };

/* The segment, as distances: from what we expect next, and from our next number. */
struct cell {
	enum tern_tcp_state state;
	uint16_t flags;
	int32_t seq, ack;
	uint32_t len;
};

struct verdict {
	enum tern_tcp_state state;
	enum answer answer;
	bool may_ack;  /* an ACK instead of nothing is as good */
	bool taken;    /* something of it was accepted */
	uint32_t gain; /* numbers of the peer's that we acknowledge in addition */
};

/* ---- the model ---- */

static bool has(const struct cell *c, uint16_t flag)
{
	return c->flags & flag;
}

static uint32_t numbers_of(const struct cell *c)
{
	return c->len + (has(c, TCP_SYN) ? 1 : 0) + (has(c, TCP_FIN) ? 1 : 0);
}

/* 3.10.7.4, first step: the window begins at 0. */
static bool is_acceptable(const struct cell *c, int32_t window)
{
	uint32_t n = numbers_of(c);
	int64_t last = (int64_t)c->seq + n - 1;

	if (c->seq >= 0 && c->seq < window)
		return true;
	return n > 0 && last >= 0 && last < window;
}

/* 3.10.7.1 */
static struct verdict closed(const struct cell *c)
{
	struct verdict v = { .state = TERN_TCP_CLOSED };

	if (!has(c, TCP_RST))
		v.answer = has(c, TCP_ACK) ? RST : RST_ACK;
	return v;
}

/* 3.10.7.2; the record of a SYN is what "SYN-RECEIVED" is. */
static struct verdict listening(const struct cell *c)
{
	struct verdict v = { .state = TERN_TCP_CLOSED };

	if (has(c, TCP_RST))
		return v;
	if (has(c, TCP_ACK)) {
		v.answer = RST;
	} else if (has(c, TCP_SYN)) {
		v.state = TERN_TCP_SYN_RECEIVED;
		v.answer = SYN_ACK;
	}
	return v;
}

/* 3.10.7.3; the only acknowledgment that is possible is of our SYN. */
static struct verdict syn_sent(const struct cell *c)
{
	struct verdict v = { .state = TERN_TCP_SYN_SENT };

	if (has(c, TCP_ACK) && c->ack != 0) {
		v.answer = has(c, TCP_RST) ? NOTHING : RST;
		return v;
	}
	if (has(c, TCP_RST)) {
		if (has(c, TCP_ACK))
			v.state = TERN_TCP_CLOSED;
		return v;
	}
	if (!has(c, TCP_SYN))
		return v;
	if (!has(c, TCP_ACK)) {
		v.state = TERN_TCP_SYN_RECEIVED;
		v.answer = SYN_ACK;
		return v;
	}
	v.state = has(c, TCP_FIN) ? TERN_TCP_CLOSE_WAIT : TERN_TCP_ESTABLISHED;
	v.answer = PURE_ACK;
	v.gain = numbers_of(c);
	return v;
}

/* A FIN in its place, eighth step. */
static enum tern_tcp_state after_fin(enum tern_tcp_state s, bool ours_acked)
{
	switch (s) {
	case TERN_TCP_ESTABLISHED:
		return TERN_TCP_CLOSE_WAIT;
	case TERN_TCP_FIN_WAIT_1:
		return ours_acked ? TERN_TCP_TIME_WAIT : TERN_TCP_CLOSING;
	case TERN_TCP_FIN_WAIT_2:
		return TERN_TCP_TIME_WAIT;
	default:
		return s;
	}
}

static enum tern_tcp_state after_ack_of_fin(enum tern_tcp_state s)
{
	switch (s) {
	case TERN_TCP_FIN_WAIT_1:
		return TERN_TCP_FIN_WAIT_2;
	case TERN_TCP_CLOSING:
		return TERN_TCP_TIME_WAIT;
	case TERN_TCP_LAST_ACK:
		return TERN_TCP_CLOSED;
	default:
		return s;
	}
}

static bool takes_text(enum tern_tcp_state s)
{
	return s == TERN_TCP_ESTABLISHED || s == TERN_TCP_FIN_WAIT_1 || s == TERN_TCP_FIN_WAIT_2;
}

/* Seventh and eighth step; c->state is the one before the segment. */
static void text_and_fin(const struct cell *c, bool fin_acked, struct verdict *v)
{
	bool in_place = c->seq <= 0 && (int64_t)c->seq + c->len + (has(c, TCP_FIN) ? 1 : 0) > 0;
	bool brings = c->len || has(c, TCP_FIN);

	if (!brings || v->state == TERN_TCP_CLOSED)
		return;
	if (!takes_text(c->state)) { /* the peer had said its last: "this should not occur" */
		v->may_ack = true;
		return;
	}
	if (!in_place) { /* ahead of a gap: RFC 5681 4.2 */
		v->answer = PURE_ACK;
		return;
	}
	v->gain = (uint32_t)((int64_t)c->seq + c->len + (has(c, TCP_FIN) ? 1 : 0));
	if (has(c, TCP_FIN)) {
		v->state = after_fin(c->state, fin_acked);
		v->answer = PURE_ACK;
	} else {
		v->may_ack = true; /* now or a little later */
	}
}

/* 3.10.7.4 for a passive open that is half done. */
static struct verdict syn_received(const struct cell *c, int32_t window)
{
	struct verdict v = { .state = TERN_TCP_SYN_RECEIVED };
	struct cell est = *c;

	if (has(c, TCP_SYN) && !has(c, TCP_ACK | TCP_RST) && c->seq == -1) {
		v.answer = SYN_ACK; /* the SYN again: our answer was lost */
		return v;
	}
	if (has(c, TCP_RST)) { /* RFC 5961 3.2 */
		if (c->seq == 0)
			v.state = TERN_TCP_CLOSED;
		else if (c->seq > 0 && c->seq < window)
			v.answer = PURE_ACK;
		return v;
	}
	if (!is_acceptable(c, window) || c->seq < 0) {
		v.answer = PURE_ACK;
		return v;
	}
	if (has(c, TCP_SYN)) { /* fourth step: back to LISTEN */
		v.state = TERN_TCP_CLOSED;
		return v;
	}
	if (!has(c, TCP_ACK))
		return v;
	if (c->ack != 0) {
		v.answer = RST;
		return v;
	}
	v.state = est.state = TERN_TCP_ESTABLISHED;
	text_and_fin(&est, false, &v);
	return v;
}

/* RFC 1337, RFC 6191 section 2 without timestamps; the FIN's number is -1. */
static struct verdict time_wait(const struct cell *c, int32_t window)
{
	struct verdict v = { .state = TERN_TCP_TIME_WAIT };

	if (has(c, TCP_RST))
		return v;
	if (has(c, TCP_SYN) && !has(c, TCP_ACK)) {
		v.state = c->seq < 0 ? TERN_TCP_TIME_WAIT : TERN_TCP_SYN_RECEIVED;
		v.answer = c->seq < 0 ? PURE_ACK : SYN_ACK; /* RFC 5961 4.2 */
		v.taken = true;				    /* a RST would end it now */
		return v;
	}
	if (has(c, TCP_ACK) && !is_acceptable(c, window))
		v.answer = PURE_ACK;
	v.taken = has(c, TCP_FIN); /* it may start 2 MSL anew */
	v.may_ack = !has(c, TCP_ACK) || numbers_of(c) > 0 || c->seq != 0;
	return v;
}

/* 3.10.7.4 for all states between. fin_out: our FIN is not acknowledged yet. */
static struct verdict synchronized(const struct cell *c, int32_t window)
{
	bool fin_out = c->state == TERN_TCP_FIN_WAIT_1 || c->state == TERN_TCP_CLOSING ||
		       c->state == TERN_TCP_LAST_ACK;
	struct verdict v = { .state = c->state };

	if (has(c, TCP_RST)) {
		if (c->seq == 0)
			v.state = TERN_TCP_CLOSED;
		else if (c->seq > 0 && c->seq < window)
			v.answer = PURE_ACK; /* RFC 5961 3.2 */
		return v;
	}
	if (!is_acceptable(c, window) || has(c, TCP_SYN)) { /* RFC 5961 4.2 */
		v.answer = PURE_ACK;
		return v;
	}
	if (!has(c, TCP_ACK))
		return v;
	if (c->ack > 0 || c->ack < -WINDOW - (fin_out ? 1 : 0)) { /* RFC 5961 5.2 */
		v.answer = PURE_ACK;
		return v;
	}
	v.taken = true;
	if (fin_out && c->ack == 0)
		v.state = after_ack_of_fin(c->state);
	text_and_fin(c, fin_out && c->ack == 0, &v);
	return v;
}

static struct verdict judge(const struct cell *c, int32_t window)
{
	switch (c->state) {
	case TERN_TCP_CLOSED:
		return closed(c);
	case TERN_TCP_LISTEN:
		return listening(c);
	case TERN_TCP_SYN_SENT:
		return syn_sent(c);
	case TERN_TCP_SYN_RECEIVED:
		return syn_received(c, window);
	case TERN_TCP_TIME_WAIT:
		return time_wait(c, window);
	default:
		return synchronized(c, window);
	}
}

/* ---- the stack beside it ---- */

/* Answers to what is refused are not rationed here. */
static void no_limits(struct tern_config *cfg)
{
	cfg->tcp_challenge_ack_limit = 255;
	cfg->tcp_invalid_ratelimit_ms = 0;
}

enum { REFUSALS_MAX = 200 };
static int standing = -1; /* the state in which a stack stands; -1: there is none */
static unsigned n_refused;

/*
 * A refused segment must change nothing: so the stack that refused it serves for the next one. If
 * anything had changed, later verdicts would be wrong.
 */
static void stand(enum tern_tcp_state s)
{
	if (standing == (int)s && n_refused++ < REFUSALS_MAX)
		return;
	if (standing >= 0)
		end_stack();
	reach(s);
	standing = (int)s;
	n_refused = 0;
}

static void leave(void)
{
	if (standing >= 0)
		end_stack();
	standing = -1;
}

/* RFC 9768 table 2 and 3.1.3: a SYN that opens with ECE and CWR alone, with none, with any others. */
static uint16_t ecn_answer(const struct cell *c)
{
	switch (c->flags & (TCP_ECE | TCP_CWR | TCP_AE)) {
	case 0:
		return 0;
	case TCP_ECE | TCP_CWR:
		return TCP_ECE;
	default:
		return TCP_CWR;
	}
}

static void compare_answer(const struct cell *c, const struct verdict *v, const struct reply *r)
{
	uint32_t seq = rcv_nxt + (uint32_t)c->seq, ack = snd_nxt + (uint32_t)c->ack;
	bool opens;

	check_eq(r->len, 0);
	switch (v->answer) {
	case NOTHING:
	case PURE_ACK:
		check_eq(r->h.flags, TCP_ACK);
		check_eq(r->h.seq, snd_nxt);
		check_eq(r->h.ack, (c->state == TERN_TCP_SYN_SENT ? seq : rcv_nxt) + v->gain);
		break;
	case RST:
		check_eq(r->h.flags, TCP_RST);
		check_eq(r->h.seq, ack);
		break;
	case RST_ACK:
		check_eq(r->h.flags, TCP_RST | TCP_ACK);
		check_eq(r->h.seq, 0);
		check_eq(r->h.ack, seq + numbers_of(c));
		break;
	case SYN_ACK:
		opens = c->state == TERN_TCP_LISTEN || c->state == TERN_TCP_TIME_WAIT;
		check_eq(r->h.flags, TCP_SYN | TCP_ACK | (opens ? ecn_answer(c) : 0));
		check_eq(r->h.ack, seq + 1);
		break;
	}
}

static void try_cell(const struct cell *c)
{
	struct reply r = { .len = 0 };
	struct verdict v;
	int32_t window;
	unsigned n;

	stand(c->state);
	window = (int32_t)(edge - rcv_nxt);
	v = judge(c, window);
	send_plain(c->flags, rcv_nxt + (uint32_t)c->seq, snd_nxt + (uint32_t)c->ack, c->len);
	n = take_replies(&r);
	test_at("%s, flags %03x, seq %+d, ack %+d, %u bytes", tern_tcp_state_name(c->state),
		c->flags, c->seq, c->ack, c->len);
	check_str(tern_tcp_state_name(state_now()), tern_tcp_state_name(v.state));
	if (v.answer == NOTHING)
		check(n <= (v.may_ack ? 1 : 0));
	else
		check_eq(n, 1);
	if (n)
		compare_answer(c, &v, &r);
	if (v.taken || v.state != c->state)
		leave();
}

static const int32_t seqs[] = { -70000, -1, 0, 1, 1000, WINDOW - 2, WINDOW, INT32_MIN };
static const int32_t acks[] = { -70000, -1, 0, 1, 100000, INT32_MIN };

static void every_flag_in_every_state(void)
{
	adjust = no_limits;
	for (unsigned s = 0; s < TERN_TCP_N_STATES; s++)
		for (uint16_t flags = 0; flags < 0x200; flags++)
			for (size_t i = 0; i < N_TESTS(seqs); i++)
				for (size_t k = 0; k < N_TESTS(acks); k++)
					try_cell(&(struct cell){ s, flags, seqs[i], acks[k], 0 });
	leave();
}

static void the_same_with_text(void)
{
	adjust = no_limits;
	for (unsigned s = 0; s < TERN_TCP_N_STATES; s++)
		for (uint16_t flags = 0; flags < 0x20; flags++)
			for (size_t i = 0; i < N_TESTS(seqs); i++)
				for (size_t k = 0; k < N_TESTS(acks); k++)
					for (uint32_t len = 1; len < 3; len++)
						try_cell(&(struct cell){ s, flags, seqs[i], acks[k],
									 len });
	leave();
}

static const struct test tests[] = {
	TEST(every_flag_in_every_state),
	TEST(the_same_with_text),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
