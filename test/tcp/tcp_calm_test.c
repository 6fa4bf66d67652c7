/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_calm_test.c - the short ways through TCP lead where the long ones do.
 *
 * A connection lives three times. The second time each segment of the peer has ECE set, which says
 * nothing where ECN was not agreed on, but is not what was to come: so all checks are made, and
 * all questions asked. The third time what is a message goes and comes as such (tcp_message.h).
 * After each step everything that can be seen of the connection is the same.
 */
#include "../../core/base/rand.h"
#include "../../core/tcp/tcp_message.h"
#include "tcp_fixture.h"

enum { STEPS = 400 };
enum way { SHORT, LONG, BY_MESSAGES };

static unsigned n_put, n_taken; /* messages */

static uint64_t seen[STEPS], hash;
static struct tern_cc_sample heard;

static void hear(struct tern_cc *cc, const struct tern_cc_sample *s)
{
	heard = *s;
	cc_reno.on_ack(cc, s);
}

static void add(uint64_t v)
{
	hash = (hash ^ v) * 0x100000001b3;
	hash ^= hash >> 29;
}

static void add_bytes(const void *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		add(((const uint8_t *)p)[i]);
}

static void add_sample(const struct tern_cc_sample *s)
{
	add(s->now), add(s->srtt), add(s->in_flight), add(s->flight), add(s->rtt), add(s->acked);
	add(s->newly_delivered), add(s->newly_lost), add(s->random), add(s->new_round);
	add(s->cwnd_limited), add(s->in_recovery), add(s->has_sack), add(s->app_limited);
	add(s->delivered), add(s->prior_delivered), add(s->interval), add(s->delivery_rate);
	add(s->tx_in_flight), add(s->lost);
}

static void add_work(const struct tcp_work *w)
{
	add(w->rack.sent_at), add(w->rack.end), add(w->rack.rtt), add(w->rack.fack);
	add(w->rate.delivered), add(w->rate.delivered_at), add(w->rate.first_sent_at);
	add(w->rate.app_limited), add(w->rate.last), add(w->rate.last_limited);
	add(w->timed_pos), add(w->timed_at), add(w->round_end), add(w->rtt_end), add(w->loss_at);
	add(w->first_rtx_at), add(w->limited), add(w->sent.n), add(w->snd_buf.head), add(w->wait);
}

/* All that is to be seen now. */
static uint64_t look(void)
{
	struct tern_tcp_info i = info();

	hash = 0xcbf29ce484222325;
	add_bytes(&i, sizeof(i));
	add(tcp_deadline(&f.c)), add(f.c.rtx_at), add(f.c.ack_at), add(f.c.idle_at);
	add(f.c.snd.una), add(f.c.snd.nxt), add(f.c.snd.wnd), add(f.c.snd.wl1), add(f.c.snd.wl2);
	add(f.c.rcv.nxt), add(f.c.rcv.adv), add(f.c.rcv.acked), add(f.c.rcv.ts_recent);
	add(f.c.ack_due), add(f.c.unusual), add(f.c.acked_size), add(f.c.n_rtx), add(f.c.backoff);
	add(f.c.cc.cwnd), add(f.c.cc.ssthresh), add(f.events);
	add_sample(&heard);
	if (f.c.work)
		add_work(f.c.work);
	return hash;
}

/* All that goes: a message beside it says what a segment would. */
static void drain_by(enum way way)
{
	struct tcp_ctx x = ctx();
	struct tcp_message m;

	if (way != BY_MESSAGES) {
		drain();
		return;
	}
	do {
		while (tcp_put_message(&f.c, &x, &m)) {
			struct tcp_piece piece = { .n_spans = 1, .span = { m.text } };

			piece.len = m.text.len;
			check_payload(&piece, m.seq - f.iss);
			check_eq(m.ack, (uint32_t)f.c.rcv.nxt);
			check_eq(m.has_ts, f.ts);
			n_put++;
			settle();
		}
	} while (out().plan.what != SEND_NOTHING);
}

/* False: it is no message, or not now. */
static bool message_in(uint32_t seq, uint32_t ack, uint32_t len)
{
	static uint8_t bytes[TCP_LAND_MIN];
	struct tcp_ctx x = ctx();
	struct tcp_seg seg = { .h = header(TCP_ACK | TCP_PSH, seq + f.irs, ack + f.iss),
			       .data = bytes,
			       .len = len };

	if (len == 0 || len >= TCP_LAND_MIN)
		return false;
	fill_text(bytes, seq, len);
	if (!tcp_input_message(&f.c, &x, &seg))
		return false;
	n_taken++;
	f.events |= TCP_READABLE;
	settle();
	return true;
}

/* What the peer has, and has acknowledged. */
static uint32_t peer_seq, peer_acked;

static void peer_says(struct rand *r, enum way way)
{
	uint32_t nxt = (uint32_t)(f.c.snd.nxt - seq_first(f.iss)), len = 0;

	if (rand_below(r, 8))
		peer_acked += (uint32_t)rand_below(r, nxt - peer_acked + 1);
	if (rand_below(r, 2))
		len = (uint32_t)rand_below(r, 2) ? 1 : (uint32_t)rand_below(r, MSS) + 1;
	f.ts_val += (uint32_t)rand_below(r, 3);
	f.wnd = (uint16_t)(60000 + rand_below(r, 5000));
	if (way != BY_MESSAGES || !message_in(peer_seq, peer_acked, len))
		in((way == LONG ? TCP_ECE : 0) | TCP_ACK | (len ? TCP_PSH : 0), peer_seq,
		   peer_acked, len);
	peer_seq += len;
}

static void step(struct rand *r, enum way way)
{
	switch (rand_below(r, 5)) {
	case 0:
		give(rand_below(r, 4) ? 1 + rand_below(r, 200) : 1 + rand_below(r, 6 * MSS));
		break;
	case 1:
		drain_by(way);
		break;
	case 2:
		take(1 + rand_below(r, 2000));
		pass(rand_below(r, 30 * TERN_MS));
		break;
	default:
		peer_says(r, way);
	}
}

static void live(uint64_t seed, enum way way)
{
	static struct tern_cc_ops ops;
	struct tcp_hdr h;
	struct rand r;
	uint8_t key[32] = { (uint8_t)seed, (uint8_t)(seed >> 8) };

	rand_init(&r, key, 1);
	start();
	ops = cc_reno;
	ops.on_ack = hear;
	memset(&heard, 0, sizeof(heard));
	f.c.cc.ops = seed & 1 ? &ops : &cc_cubic;
	f.ts = f.cfg.tcp_timestamps = (seed & 2) != 0;
	f.cfg.tcp_pacing = (seed & 4) != 0;
	h = peer_syn(TCP_SYN | TCP_ACK);
	h.sack_permitted = (seed & 8) != 0;
	open_active_with(&h);
	peer_seq = peer_acked = 1;
	for (unsigned i = 0; i < STEPS; i++) {
		step(&r, way);
		test_at("seed %u, step %u, way %d", (unsigned)seed, i, way);
		if (way != SHORT && seen[i] != look()) {
			test_fail(__FILE__, __LINE__, "the ways part");
			break;
		}
		seen[i] = look();
	}
	check_eq(state(), TERN_TCP_ESTABLISHED);
	finish();
}

static void all_ways_are_one(void)
{
	n_put = n_taken = 0;
	for (uint64_t seed = 0; seed < 200; seed++)
		for (int way = SHORT; way <= BY_MESSAGES; way++)
			live(seed, (enum way)way);
	check(n_put > 2000 && n_taken > 2000);
}

static const struct test tests[] = { TEST(all_ways_are_one) };

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
