/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tree.h - records in order of a 64-bit key, each found in O(log n): an AA tree.
 *
 * The node lives inside the record and stays where it is; the owner keeps the root. A node may be
 * marked, and each subtree knows whether it holds a marked one. A key may be changed in place as
 * long as the order stays the same.
 *
 * Source: Andersson, "Balanced search trees made simple", 1993.
 */
#ifndef TERN_TREE_H
#define TERN_TREE_H

#include "base.h"

struct tree_node {
	struct tree_node *left, *right;
	uint64_t key;
	uint8_t level;
	bool marked, any_marked; /* itself; itself or one below it */
};

/* Both return the new root. The key is not in the tree yet; the mark is the node's. */
struct tree_node *tree_put(struct tree_node *root, struct tree_node *);
/* The node with this key, which is there, leaves. */
struct tree_node *tree_take(struct tree_node *root, uint64_t key);

/* The last whose key is at most this; NULL: none. */
struct tree_node *tree_floor(struct tree_node *root, uint64_t key);
/* The first whose key is greater; NULL: none. */
struct tree_node *tree_above(struct tree_node *root, uint64_t key);
struct tree_node *tree_first(struct tree_node *root);
struct tree_node *tree_last(struct tree_node *root);

void tree_set_mark(struct tree_node *root, struct tree_node *, bool marked);
struct tree_node *tree_first_marked(struct tree_node *root);

void tree_check(const struct tree_node *root);

#endif
