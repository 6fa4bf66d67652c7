/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tree.c - an AA tree whose nodes stay where they are.
 *
 * Invariants: a leaf has level 1; a left child's level is one less than its parent's, a right
 * child's is one less or equal, a right grandchild's is less; above level 1 both children exist. So
 * no path is longer than twice the logarithm, and the recursion is as shallow.
 */
#include "tree.h"

static uint8_t level_of(const struct tree_node *t)
{
	return t ? t->level : 0;
}

static void look_below(struct tree_node *t)
{
	t->any_marked =
		t->marked || (t->left && t->left->any_marked) || (t->right && t->right->any_marked);
}

/* Rights a left child of the same level. */
static struct tree_node *skew(struct tree_node *t)
{
	struct tree_node *left = t->left;

	if (!left || left->level != t->level)
		return t;
	t->left = left->right;
	left->right = t;
	look_below(t);
	look_below(left);
	return left;
}

/* Lifts the middle of three nodes of the same level. */
static struct tree_node *split(struct tree_node *t)
{
	struct tree_node *right = t->right;

	if (!right || !right->right || right->right->level != t->level)
		return t;
	t->right = right->left;
	right->left = t;
	right->level++;
	look_below(t);
	look_below(right);
	return right;
}

static struct tree_node *put_below(struct tree_node *t, struct tree_node *n)
{
	if (!t)
		return n;
	if (n->key < t->key)
		t->left = put_below(t->left, n);
	else
		t->right = put_below(t->right, n);
	look_below(t);
	return split(skew(t));
}

struct tree_node *tree_put(struct tree_node *root, struct tree_node *n)
{
	n->left = n->right = NULL;
	n->level = 1;
	n->any_marked = n->marked;
	return put_below(root, n);
}

static struct tree_node *rebalance(struct tree_node *t)
{
	uint8_t level = MIN(level_of(t->left), level_of(t->right)) + 1;

	look_below(t);
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
		look_below(t->right);
	}
	look_below(t);
	t = split(t);
	if (t->right)
		t->right = split(t->right);
	look_below(t);
	return t;
}

static struct tree_node *take_leftmost(struct tree_node *t, struct tree_node **out)
{
	if (!t->left) {
		*out = t;
		return t->right;
	}
	t->left = take_leftmost(t->left, out);
	return rebalance(t);
}

struct tree_node *tree_take(struct tree_node *t, uint64_t key)
{
	if (key < t->key) {
		t->left = tree_take(t->left, key);
	} else if (key > t->key) {
		t->right = tree_take(t->right, key);
	} else if (!t->left) {
		return t->right;
	} else { /* above level 1: there is a right side, whose first takes the place */
		struct tree_node *next, *rest = take_leftmost(t->right, &next);

		next->left = t->left;
		next->right = rest;
		next->level = t->level;
		t = next;
	}
	return rebalance(t);
}

struct tree_node *tree_floor(struct tree_node *t, uint64_t key)
{
	struct tree_node *found = NULL;

	while (t) {
		if (t->key <= key) {
			found = t;
			t = t->right;
		} else {
			t = t->left;
		}
	}
	return found;
}

struct tree_node *tree_above(struct tree_node *t, uint64_t key)
{
	struct tree_node *found = NULL;

	while (t) {
		if (t->key > key) {
			found = t;
			t = t->left;
		} else {
			t = t->right;
		}
	}
	return found;
}

struct tree_node *tree_first(struct tree_node *t)
{
	while (t && t->left)
		t = t->left;
	return t;
}

struct tree_node *tree_last(struct tree_node *t)
{
	while (t && t->right)
		t = t->right;
	return t;
}

void tree_set_mark(struct tree_node *t, struct tree_node *n, bool marked)
{
	if (t == n)
		n->marked = marked;
	else
		tree_set_mark(n->key < t->key ? t->left : t->right, n, marked);
	look_below(t);
}

struct tree_node *tree_first_marked(struct tree_node *t)
{
	while (t && t->any_marked) {
		if (t->left && t->left->any_marked)
			t = t->left;
		else if (t->marked)
			return t;
		else
			t = t->right;
	}
	return NULL;
}

static void check_sides(const struct tree_node *t)
{
	bool below = (t->left && t->left->any_marked) || (t->right && t->right->any_marked);

	assert(t->any_marked == (t->marked || below));
	assert(!t->left || t->left->key < t->key);
	assert(!t->right || t->right->key > t->key);
}

void tree_check(const struct tree_node *t)
{
	if (!t)
		return;
	check_sides(t);
	assert(level_of(t->left) + 1 == t->level);
	assert(level_of(t->right) + 1 == t->level || level_of(t->right) == t->level);
	assert(!t->right || level_of(t->right->right) < t->level);
	tree_check(t->left);
	tree_check(t->right);
}
