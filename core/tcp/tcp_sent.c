/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_sent.c - the tree and the list of what is outstanding.
 *
 * One free record is kept at hand, so that a plan, once begun, cannot fail for want of memory, and
 * a connection that sends one message after the other allocates nothing.
 */
#include "tcp_sent.h"

static struct sent *sent_of(struct tree_node *n)
{
	return n ? CONTAINER_OF(n, struct sent, node) : NULL;
}

static struct sent *aged(const struct sent_log *log, struct list *l)
{
	return l != &log->in_flight ? CONTAINER_OF(l, struct sent, by_age) : NULL;
}

static uint64_t length_of(const struct sent *s)
{
	return s->hi - sent_lo(s);
}

void sent_init(struct sent_log *log)
{
	*log = (struct sent_log){ .root = NULL };
	list_init(&log->in_flight);
}

static void free_all(struct tree_node *t, struct mem *mem)
{
	if (!t)
		return;
	free_all(t->left, mem);
	free_all(t->right, mem);
	mem_free(mem, sent_of(t), sizeof(struct sent));
}

void sent_fini(struct sent_log *log, struct mem *mem)
{
	free_all(log->root, mem);
	if (log->spare)
		mem_free(mem, log->spare, sizeof(*log->spare));
	sent_init(log);
}

bool sent_reserve(struct sent_log *log, struct mem *mem)
{
	if (!log->spare)
		log->spare = mem_new(mem, sizeof(*log->spare));
	return log->spare != NULL;
}

/* ---- looking ---- */

struct sent *sent_first(const struct sent_log *log)
{
	return sent_of(tree_first(log->root));
}

struct sent *sent_last(const struct sent_log *log)
{
	return sent_of(tree_last(log->root));
}

struct sent *sent_find(const struct sent_log *log, uint64_t pos)
{
	struct sent *s = sent_of(tree_floor(log->root, pos));

	return s && s->hi > pos ? s : sent_of(tree_above(log->root, pos));
}

struct sent *sent_first_lost(const struct sent_log *log)
{
	return sent_of(tree_first_marked(log->root));
}

struct sent *sent_oldest(const struct sent_log *log)
{
	return aged(log, log->in_flight.next);
}

struct sent *sent_next_oldest(const struct sent_log *log, const struct sent *s)
{
	return aged(log, s->by_age.next);
}

/* ---- changing ---- */

/* What counts bytes by their fate: `s` comes (1) or goes (-1). */
static void count_fate(struct sent_log *log, const struct sent *s, int sign)
{
	uint64_t n;

	if (s->fate == SENT_IN_FLIGHT && !s->again) /* most are */
		return;
	n = sign > 0 ? length_of(s) : 0 - length_of(s);
	if (s->fate == SENT_SACKED)
		log->n_sacked += n;
	if (s->fate == SENT_LOST)
		log->n_lost += n;
	if (s->fate == SENT_IN_FLIGHT)
		log->n_again += n;
}

/* The record ends at pos; what lies behind becomes one of its own, beside it in the list. */
static void split_at(struct sent_log *log, struct sent *like, uint64_t pos)
{
	struct sent *s = log->spare;

	log->spare = NULL;
	*s = *like;
	s->node.key = pos;
	like->hi = pos;
	like->view.tx_in_flight -= (uint32_t)MIN(length_of(s), like->view.tx_in_flight);
	list_init(&s->by_age);
	if (s->fate == SENT_IN_FLIGHT)
		list_put_tail(like->by_age.next, &s->by_age); /* before the next: right behind */
	log->root = tree_put(log->root, &s->node);
	log->n++;
}

static void remove_record(struct sent_log *log, struct mem *mem, struct sent *s)
{
	log->root = tree_take(log->root, sent_lo(s));
	log->n--;
	list_unlink(&s->by_age);
	if (log->spare)
		mem_free(mem, s, sizeof(*s));
	else
		log->spare = s;
}

struct sent *sent_put(struct sent_log *log, uint64_t lo, uint64_t hi, tern_time now)
{
	struct sent *last = sent_last(log), *s = log->spare;

	assert(lo < hi && (!last || last->hi == lo));
	if (last && last->sent_at == now && last->fate == SENT_IN_FLIGHT && !last->again &&
	    last->mss == log->mss) {
		last->hi = hi;
		return last;
	}
	log->spare = NULL;
	s->node.key = lo; /* the rest of the node is the tree's */
	s->node.marked = false;
	s->hi = hi;
	s->first_at = s->sent_at = now;
	s->fate = SENT_IN_FLIGHT;
	s->cause = TERN_CAUSE_NONE;
	s->again = s->app_limited = false;
	s->view = (struct sent_view){ 0 };
	s->mss = log->mss;
	list_put_tail(&log->in_flight, &s->by_age);
	log->root = tree_put(log->root, &s->node);
	log->n++;
	return s;
}

static void set_fate(struct sent_log *log, struct sent *s, enum sent_fate fate)
{
	count_fate(log, s, -1);
	list_unlink(&s->by_age);
	if (s->node.marked != (fate == SENT_LOST))
		tree_set_mark(log->root, &s->node, fate == SENT_LOST);
	s->fate = (uint8_t)fate;
	count_fate(log, s, 1);
}

void sent_renew(struct sent_log *log, struct sent *s, uint64_t hi, tern_time now)
{
	assert(s->fate == SENT_LOST && hi > sent_lo(s) && hi <= s->hi);
	if (hi < s->hi) /* the bytes are as lost as before, in two records */
		split_at(log, s, hi);
	s->again = true;
	s->mss = log->mss;
	set_fate(log, s, SENT_IN_FLIGHT);
	s->sent_at = now;
	list_put_tail(&log->in_flight, &s->by_age);
}

void sent_drop_first(struct sent_log *log, struct mem *mem, uint64_t pos)
{
	struct sent *s = sent_first(log);

	count_fate(log, s, -1);
	if (s->hi <= pos) {
		remove_record(log, mem, s);
		return;
	}
	s->node.key = MAX(pos, sent_lo(s));
	count_fate(log, s, 1);
}

COLD bool sent_cut(struct sent_log *log, struct mem *mem, uint64_t pos)
{
	struct sent *s = sent_of(tree_floor(log->root, pos));

	if (!s || s->fate == SENT_SACKED || sent_lo(s) == pos || s->hi <= pos)
		return true;
	if (!sent_reserve(log, mem))
		return false;
	split_at(log, s, pos);
	return true;
}

/* Of two sacked neighbours only the extent is of interest. */
static void join_sacked(struct sent_log *log, struct mem *mem, struct sent *left,
			struct sent *right)
{
	if (!left || !right || left->fate != SENT_SACKED || right->fate != SENT_SACKED)
		return;
	left->hi = right->hi;
	remove_record(log, mem, right);
}

void sent_set_sacked(struct sent_log *log, struct mem *mem, struct sent *s)
{
	uint64_t lo = sent_lo(s);
	struct sent *left = lo ? sent_of(tree_floor(log->root, lo - 1)) : NULL;

	set_fate(log, s, SENT_SACKED);
	join_sacked(log, mem, s, sent_of(tree_above(log->root, lo)));
	join_sacked(log, mem, left, s);
}

COLD void sent_set_lost(struct sent_log *log, struct sent *s, uint8_t cause)
{
	set_fate(log, s, SENT_LOST);
	s->cause = cause;
}

/* The lost ones went before all that is in flight, so they go to the head, the lowest first. */
void sent_forgive(struct sent_log *log)
{
	struct list *behind = &log->in_flight;
	struct sent *s;

	while ((s = sent_first_lost(log))) {
		set_fate(log, s, SENT_IN_FLIGHT);
		list_put_tail(behind->next, &s->by_age);
		behind = &s->by_age;
	}
}

static uint64_t count_in_flight(const struct sent_log *log)
{
	uint64_t n = 0;

	for (const struct sent *s = sent_oldest(log); s; s = sent_next_oldest(log, s)) {
		assert(s->fate == SENT_IN_FLIGHT);
		n += length_of(s);
	}
	return n;
}

void sent_check(const struct sent_log *log, uint64_t nxt)
{
	uint64_t n[3] = { 0 }, n_again = 0;
	uint32_t n_records = 0;
	const struct sent *s = sent_first(log), *next;

	tree_check(log->root);
	for (; s; s = next) {
		next = sent_of(tree_above(log->root, sent_lo(s)));
		assert(sent_lo(s) < s->hi && s->hi == (next ? sent_lo(next) : nxt));
		assert(s->node.marked == (s->fate == SENT_LOST));
		assert(!next || s->fate != SENT_SACKED || next->fate != SENT_SACKED);
		n[s->fate] += length_of(s);
		n_again += s->fate == SENT_IN_FLIGHT && s->again ? length_of(s) : 0;
		n_records++;
	}
	assert(n_records == log->n && n_again == log->n_again);
	assert(n[SENT_SACKED] == log->n_sacked && n[SENT_LOST] == log->n_lost);
	assert(n[SENT_IN_FLIGHT] == count_in_flight(log));
}
