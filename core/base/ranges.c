/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ranges.c - four ranges in place, more in an AA tree keyed by lo.
 *
 * Adding finds the first range that ends at or after the new one's start. When that one begins
 * beyond the new one's end, the new one is a range of its own; else it takes the new one in, and
 * after it all that the grown range has reached. Only the first case needs memory, and it allocates
 * before it changes anything.
 *
 * Invariants of the tree: a leaf has level 1; a left child's level is one less than its parent's, a
 * right child's is one less or equal, a right grandchild's is less; above level 1 both children
 * exist.
 *
 * Source: Andersson, "Balanced search trees made simple", 1993.
 */
#include "ranges.h"

struct ranges_node {
	struct ranges_node *left, *right;
	struct range range;
	uint32_t level;
};

enum { RANGES_BACK_INLINE = RANGES_INLINE / 2 };

void ranges_init(struct ranges *r)
{
	memset(r, 0, sizeof(*r));
}

static void free_tree(struct ranges_node *t, struct mem *mem)
{
	if (!t)
		return;
	free_tree(t->left, mem);
	free_tree(t->right, mem);
	mem_free(mem, t, sizeof(*t));
}

void ranges_fini(struct ranges *r, struct mem *mem)
{
	free_tree(r->root, mem);
	ranges_init(r);
}

/* ---- the tree ---- */

static uint32_t level_of(const struct ranges_node *t)
{
	return t ? t->level : 0;
}

/* Rights a left child of the same level. */
static struct ranges_node *skew(struct ranges_node *t)
{
	struct ranges_node *left = t->left;

	if (!left || left->level != t->level)
		return t;
	t->left = left->right;
	left->right = t;
	return left;
}

/* Lifts the middle of three nodes of the same level. */
static struct ranges_node *split(struct ranges_node *t)
{
	struct ranges_node *right = t->right;

	if (!right || !right->right || right->right->level != t->level)
		return t;
	t->right = right->left;
	right->left = t;
	right->level++;
	return right;
}

static struct ranges_node *insert_node(struct ranges_node *t, struct ranges_node *n)
{
	if (!t)
		return n;
	if (n->range.lo < t->range.lo)
		t->left = insert_node(t->left, n);
	else
		t->right = insert_node(t->right, n);
	return split(skew(t));
}

static struct ranges_node *rebalance_after_removal(struct ranges_node *t)
{
	uint32_t level = MIN(level_of(t->left), level_of(t->right)) + 1;

	if (level == t->level)
		return t;
	t->level = level;
	if (level_of(t->right) > level)
		t->right->level = level;
	t = skew(t);
	if (t->right) {
		t->right = skew(t->right);
		if (t->right->right)
			t->right->right = skew(t->right->right);
	}
	t = split(t);
	if (t->right)
		t->right = split(t->right);
	return t;
}

/* Removes the range that begins at lo; *gone is a node to be freed, maybe not the one it was in. */
static struct ranges_node *remove_node(struct ranges_node *t, uint64_t lo,
				       struct ranges_node **gone)
{
	if (lo < t->range.lo) {
		t->left = remove_node(t->left, lo, gone);
	} else if (lo > t->range.lo) {
		t->right = remove_node(t->right, lo, gone);
	} else if (!t->left) {
		*gone = t;
		return t->right;
	} else {
		struct ranges_node *next = t->right;

		while (next->left)
			next = next->left;
		t->range = next->range;
		t->right = remove_node(t->right, next->range.lo, gone);
	}
	return rebalance_after_removal(t);
}

/* The first range with hi >= pos, or NULL. */
static struct ranges_node *first_ending_from(struct ranges_node *t, uint64_t pos)
{
	struct ranges_node *found = NULL;

	while (t) {
		if (t->range.hi >= pos) {
			found = t;
			t = t->left;
		} else {
			t = t->right;
		}
	}
	return found;
}

/* The first range with lo > pos, or NULL. */
static struct ranges_node *first_starting_after(struct ranges_node *t, uint64_t pos)
{
	struct ranges_node *found = NULL;

	while (t) {
		if (t->range.lo > pos) {
			found = t;
			t = t->left;
		} else {
			t = t->right;
		}
	}
	return found;
}

static uint32_t collect_in_order(const struct ranges_node *t, struct range *out)
{
	uint32_t n;

	if (!t)
		return 0;
	n = collect_in_order(t->left, out);
	out[n++] = t->range;
	return n + collect_in_order(t->right, out + n);
}

static void remove_from_tree(struct ranges *r, struct mem *mem, uint64_t lo)
{
	struct ranges_node *gone = NULL;

	r->root = remove_node(r->root, lo, &gone);
	mem_free(mem, gone, sizeof(*gone));
	r->n--;
}

static void go_back_inline(struct ranges *r, struct mem *mem)
{
	if (r->n > RANGES_BACK_INLINE)
		return;
	collect_in_order(r->root, r->inl);
	free_tree(r->root, mem);
	r->root = NULL;
}

static bool add_to_tree(struct ranges *r, struct mem *mem, struct range new)
{
	struct ranges_node *t = first_ending_from(r->root, new.lo), *next;

	if (!t || t->range.lo > new.hi) {
		t = mem_new(mem, sizeof(*t));
		if (!t)
			return false;
		*t = (struct ranges_node){ .range = new, .level = 1 };
		r->root = insert_node(r->root, t);
		r->n++;
		return true;
	}
	new.lo = t->range.lo = MIN(t->range.lo, new.lo);
	new.hi = MAX(t->range.hi, new.hi);
	while ((next = first_starting_after(r->root, new.lo)) && next->range.lo <= new.hi) {
		/* Removal may carry a range from node to node, so that t is looked up again. */
		new.hi = MAX(new.hi, next->range.hi);
		remove_from_tree(r, mem, next->range.lo);
		t = first_ending_from(r->root, new.lo);
	}
	t->range.hi = new.hi;
	go_back_inline(r, mem);
	return true;
}

static bool move_to_tree(struct ranges *r, struct mem *mem)
{
	struct ranges_node *root = NULL;

	for (uint32_t i = 0; i < r->n; i++) {
		struct ranges_node *t = mem_new(mem, sizeof(*t));

		if (!t) {
			free_tree(root, mem);
			return false;
		}
		*t = (struct ranges_node){ .range = r->inl[i], .level = 1 };
		root = insert_node(root, t);
	}
	r->root = root;
	return true;
}

/* ---- both forms ---- */

bool ranges_add(struct ranges *r, struct mem *mem, uint64_t lo, uint64_t hi)
{
	struct range new = { lo, hi };
	uint32_t from = 0, to;

	assert(lo < hi);
	if (r->root)
		return add_to_tree(r, mem, new);
	while (from < r->n && r->inl[from].hi < lo)
		from++;
	for (to = from; to < r->n && r->inl[to].lo <= hi; to++) {
		new.lo = MIN(new.lo, r->inl[to].lo);
		new.hi = MAX(new.hi, r->inl[to].hi);
	}
	if (from == to && r->n == RANGES_INLINE) {
		if (!move_to_tree(r, mem))
			return false;
		if (add_to_tree(r, mem, new))
			return true;
		free_tree(r->root, mem); /* inl still holds them all */
		r->root = NULL;
		return false;
	}
	memmove(r->inl + from + 1, r->inl + to, (r->n - to) * sizeof(r->inl[0]));
	r->inl[from] = new;
	r->n -= to - from;
	r->n++;
	return true;
}

void ranges_drop_below(struct ranges *r, struct mem *mem, uint64_t pos)
{
	struct ranges_node *t;
	uint32_t n = 0;

	if (r->root) {
		while ((t = first_ending_from(r->root, 0)) && t->range.hi <= pos)
			remove_from_tree(r, mem, t->range.lo);
		if (t && t->range.lo < pos)
			t->range.lo = pos;
		go_back_inline(r, mem);
		return;
	}
	while (n < r->n && r->inl[n].hi <= pos)
		n++;
	r->n -= n;
	memmove(r->inl, r->inl + n, r->n * sizeof(r->inl[0]));
	if (r->n && r->inl[0].lo < pos)
		r->inl[0].lo = pos;
}

bool ranges_find(const struct ranges *r, uint64_t pos, struct range *out)
{
	if (r->root) {
		struct ranges_node *t =
			pos < UINT64_MAX ? first_ending_from(r->root, pos + 1) : NULL;

		if (t)
			*out = t->range;
		return t != NULL;
	}
	for (uint32_t i = 0; i < r->n; i++) {
		if (r->inl[i].hi > pos) {
			*out = r->inl[i];
			return true;
		}
	}
	return false;
}

bool ranges_contain(const struct ranges *r, uint64_t lo, uint64_t hi)
{
	struct range found;

	if (lo >= hi)
		return true;
	return ranges_find(r, lo, &found) && found.lo <= lo && hi <= found.hi;
}

bool ranges_last(const struct ranges *r, struct range *out)
{
	const struct ranges_node *t = r->root;

	if (r->n == 0)
		return false;
	while (t && t->right)
		t = t->right;
	*out = t ? t->range : r->inl[r->n - 1];
	return true;
}

static void check_tree(const struct ranges_node *t)
{
	if (!t)
		return;
	assert(level_of(t->left) + 1 == t->level);
	assert(level_of(t->right) + 1 == t->level || level_of(t->right) == t->level);
	assert(!t->right || level_of(t->right->right) < t->level);
	check_tree(t->left);
	check_tree(t->right);
}

void ranges_check(const struct ranges *r)
{
	struct range at = { 0, 0 };
	uint64_t pos = 0;
	uint32_t n = 0;

	assert(r->root ? r->n > RANGES_BACK_INLINE : r->n <= RANGES_INLINE);
	check_tree(r->root);
	for (; ranges_find(r, pos, &at); pos = at.hi, n++) {
		assert(at.lo < at.hi);
		assert(n == 0 || pos < at.lo);
	}
	assert(n == r->n);
}
