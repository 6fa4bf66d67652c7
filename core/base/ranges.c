/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ranges.c - four ranges in place, more in a tree keyed by lo.
 *
 * Adding finds the first range that ends at or after the new one's start. When that one begins
 * beyond the new one's end, the new one is a range of its own; else it takes the new one in, and
 * after it all that the grown range has reached. Only the first case needs memory, and it allocates
 * before it changes anything.
 */
#include "ranges.h"

#include "tree.h"

/* The node's key is the range's lo. */
struct ranges_node {
	struct tree_node node;
	uint64_t hi;
};

enum { RANGES_BACK_INLINE = RANGES_INLINE / 2 };

void ranges_init(struct ranges *r)
{
	memset(r, 0, sizeof(*r));
}

static struct ranges_node *node_of(struct tree_node *t)
{
	return t ? CONTAINER_OF(t, struct ranges_node, node) : NULL;
}

static struct range range_of(const struct ranges_node *t)
{
	return (struct range){ t->node.key, t->hi };
}

static void free_tree(struct tree_node *t, struct mem *mem)
{
	if (!t)
		return;
	free_tree(t->left, mem);
	free_tree(t->right, mem);
	mem_free(mem, node_of(t), sizeof(struct ranges_node));
}

void ranges_fini(struct ranges *r, struct mem *mem)
{
	free_tree(r->root, mem);
	ranges_init(r);
}

/* ---- the tree ---- */

static bool put_range(struct tree_node **root, struct mem *mem, struct range new)
{
	struct ranges_node *t = mem_new(mem, sizeof(*t));

	if (!t)
		return false;
	*t = (struct ranges_node){ .node.key = new.lo, .hi = new.hi };
	*root = tree_put(*root, &t->node);
	return true;
}

/* The first range with hi >= pos, or NULL: no other that begins as early reaches as far. */
static struct ranges_node *first_ending_from(const struct ranges *r, uint64_t pos)
{
	struct ranges_node *t = node_of(tree_floor(r->root, pos));

	return t && t->hi >= pos ? t : node_of(tree_above(r->root, pos));
}

static uint32_t collect_in_order(struct tree_node *t, struct range *out)
{
	uint32_t n;

	if (!t)
		return 0;
	n = collect_in_order(t->left, out);
	out[n++] = range_of(node_of(t));
	return n + collect_in_order(t->right, out + n);
}

static void remove_from_tree(struct ranges *r, struct mem *mem, struct ranges_node *t)
{
	r->root = tree_take(r->root, t->node.key);
	mem_free(mem, t, sizeof(*t));
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
	struct ranges_node *t = first_ending_from(r, new.lo), *next;

	if (!t || t->node.key > new.hi) {
		if (!put_range(&r->root, mem, new))
			return false;
		r->n++;
		return true;
	}
	t->node.key = MIN(t->node.key, new.lo);
	t->hi = MAX(t->hi, new.hi);
	while ((next = node_of(tree_above(r->root, t->node.key))) && next->node.key <= t->hi) {
		t->hi = MAX(t->hi, next->hi);
		remove_from_tree(r, mem, next);
	}
	go_back_inline(r, mem);
	return true;
}

static bool move_to_tree(struct ranges *r, struct mem *mem)
{
	struct tree_node *root = NULL;

	for (uint32_t i = 0; i < r->n; i++) {
		if (!put_range(&root, mem, r->inl[i])) {
			free_tree(root, mem);
			return false;
		}
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
		while ((t = node_of(tree_first(r->root))) && t->hi <= pos)
			remove_from_tree(r, mem, t);
		if (t && t->node.key < pos)
			t->node.key = pos;
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
		struct ranges_node *t = pos < UINT64_MAX ? first_ending_from(r, pos + 1) : NULL;

		if (t)
			*out = range_of(t);
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
	if (r->n == 0)
		return false;
	*out = r->root ? range_of(node_of(tree_last(r->root))) : r->inl[r->n - 1];
	return true;
}

void ranges_check(const struct ranges *r)
{
	struct range at = { 0, 0 };
	uint64_t pos = 0;
	uint32_t n = 0;

	assert(r->root ? r->n > RANGES_BACK_INLINE : r->n <= RANGES_INLINE);
	tree_check(r->root);
	for (; ranges_find(r, pos, &at); pos = at.hi, n++) {
		assert(at.lo < at.hi);
		assert(n == 0 || pos < at.lo);
	}
	assert(n == r->n);
}
