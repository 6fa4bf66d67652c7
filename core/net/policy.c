/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * policy.c - which kinds of addresses belong together, and which are better? RFC 6724 2.1.
 *
 * A table of prefixes, the longest first; the first that holds an address says its label and its
 * precedence. IPv4 is ::ffff:0:0/96. What no line holds has a label of its own, and is worst.
 */
#include "net.h"

static const struct policy default_policies[] = {
	{ { { [15] = 1 } }, 128, 50, 0 },  { { { [10] = 0xff, 0xff } }, 96, 35, 4 },
	{ { { 0 } }, 96, 1, 3 },	   { { { 0x20, 0x01 } }, 32, 5, 5 },
	{ { { 0x20, 0x02 } }, 16, 30, 2 }, { { { 0x3f, 0xfe } }, 16, 1, 12 },
	{ { { 0xfe, 0xc0 } }, 10, 1, 11 }, { { { 0xfc } }, 7, 3, 13 },
	{ { { 0 } }, 0, 40, 1 },
};

void policies_init(struct net *net)
{
	net->n_policies = N_ELEMENTS(default_policies);
	memcpy(net->policies, default_policies, sizeof(default_policies));
}

static bool read_policy(struct policy *out, const struct tern_policy *p)
{
	struct addr a;

	if (!addr_from_public(&a, &p->prefix))
		return false;
	*out = (struct policy){
		.prefix = a, .len = p->prefix_len, .precedence = p->precedence, .label = p->label
	};
	if (p->prefix.family == TERN_AF_INET)
		out->len += 96;
	if (p->prefix_len > 128 || out->len > 128)
		return false;
	for (unsigned bit = out->len; bit < 128; bit++)
		if (a.b[bit / 8] & 0x80 >> bit % 8)
			return false;
	return true;
}

int policy_set(struct net *net, const struct tern_policy *lines, unsigned n)
{
	struct policy sorted[TERN_POLICIES_MAX], p;

	if (n > TERN_POLICIES_MAX)
		return -TERN_EINVAL;
	for (unsigned i = 0; i < n; i++) {
		unsigned at = i;

		if (!read_policy(&p, &lines[i]))
			return -TERN_EINVAL;
		for (unsigned k = 0; k < i; k++)
			if (sorted[k].len == p.len && addr_equal(&sorted[k].prefix, &p.prefix))
				return -TERN_EINVAL;
		for (; at > 0 && sorted[at - 1].len < p.len; at--)
			sorted[at] = sorted[at - 1];
		sorted[at] = p;
	}
	if (n == 0) {
		policies_init(net);
		return 0;
	}
	net->n_policies = n;
	memcpy(net->policies, sorted, n * sizeof(*sorted));
	return 0;
}

const struct policy *policy_of(const struct net *net, const struct addr *a)
{
	static const struct policy none = { .label = UINT32_MAX };

	for (uint32_t i = 0; i < net->n_policies; i++)
		if (addr_has_prefix(a, &net->policies[i].prefix, net->policies[i].len))
			return &net->policies[i];
	return &none;
}

void policy_out(const struct policy *p, struct tern_policy *out)
{
	*out = (struct tern_policy){ .prefix = { .family = TERN_AF_INET6 },
				     .prefix_len = p->len,
				     .precedence = p->precedence,
				     .label = p->label };
	memcpy(out->prefix.ip, p->prefix.b, 16);
}

bool policy_next(const struct net *net, unsigned *cursor, struct tern_policy *out)
{
	if (*cursor >= net->n_policies)
		return false;
	policy_out(&net->policies[(*cursor)++], out);
	return true;
}
