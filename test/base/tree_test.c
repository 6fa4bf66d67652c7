/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tree_test.c - core/base/tree.c against a plain array: order, neighbours and marks.
 */
#include "../../core/base/rand.h"
#include "../../core/base/tree.h"
#include "test.h"

enum { KEYS = 300 };

/* Key i is 10 * i; there[i]: its node is in the tree. */
struct model {
	struct tree_node node[KEYS];
	bool there[KEYS], marked[KEYS];
	struct tree_node *root;
};

static struct tree_node *last_there(struct model *m, int from)
{
	while (from >= 0 && !m->there[from])
		from--;
	return from >= 0 ? &m->node[from] : NULL;
}

static struct tree_node *first_there(struct model *m, int from)
{
	while (from < KEYS && !m->there[from])
		from++;
	return from < KEYS ? &m->node[from] : NULL;
}

static struct tree_node *first_marked(struct model *m)
{
	for (int i = 0; i < KEYS; i++)
		if (m->there[i] && m->marked[i])
			return &m->node[i];
	return NULL;
}

static void compare(struct model *m, int i)
{
	uint64_t key = 10 * (uint64_t)i;

	tree_check(m->root);
	check(tree_first(m->root) == first_there(m, 0));
	check(tree_last(m->root) == last_there(m, KEYS - 1));
	check(tree_floor(m->root, key) == last_there(m, i));
	check(tree_floor(m->root, key + 9) == last_there(m, i));
	check(tree_above(m->root, key) == first_there(m, i + 1));
	check(tree_above(m->root, key + 9) == first_there(m, i + 1));
	check(tree_first_marked(m->root) == first_marked(m));
}

static void random_steps(uint8_t seed, unsigned density)
{
	static struct model m;
	struct rand dice;

	memset(&m, 0, sizeof(m));
	rand_init(&dice, (uint8_t[32]){ seed }, 0);
	for (unsigned step = 0; step < 3000; step++) {
		int i = (int)rand_below(&dice, KEYS);
		bool put = rand_below(&dice, 100) < density;

		test_at("seed %u, step %u, key %d", seed, step, i);
		if (m.there[i] && rand_below(&dice, 2)) {
			m.marked[i] = !m.marked[i];
			tree_set_mark(m.root, &m.node[i], m.marked[i]);
		} else if (m.there[i] && !put) {
			m.root = tree_take(m.root, m.node[i].key);
			m.there[i] = false;
		} else if (!m.there[i] && put) {
			m.node[i].key = 10 * (uint64_t)i;
			m.node[i].marked = m.marked[i] = rand_below(&dice, 3) == 0;
			m.root = tree_put(m.root, &m.node[i]);
			m.there[i] = true;
		}
		compare(&m, i);
	}
}

static void agrees_with_an_array(void)
{
	for (uint8_t seed = 0; seed < 10; seed++)
		random_steps(seed, 20 + 8 * seed);
}

/* In order, as positions come, the tree is as shallow as with any other order. */
static void stays_shallow(void)
{
	static struct tree_node node[4096];
	struct tree_node *root = NULL;

	for (unsigned i = 0; i < N_TESTS(node); i++) {
		node[i].key = i;
		root = tree_put(root, &node[i]);
	}
	tree_check(root);
	check(root->level <= 13); /* 2 to the 12th nodes */
	for (unsigned i = 0; i < N_TESTS(node); i++)
		root = tree_take(root, i);
	check(root == NULL);
}

static const struct test tests[] = {
	TEST(agrees_with_an_array),
	TEST(stays_shallow),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
