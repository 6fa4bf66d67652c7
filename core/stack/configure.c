/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * configure.c - by which means is an interface configured, and who is told of what becomes of it?
 *
 * What happens to the link or to an address is told to the means that are on.
 */
#include "means.h"

static unsigned means_known(void)
{
	unsigned all = 0;

	for (const struct means *const *m = all_means; *m; m++)
		all |= (*m)->bit;
	return all;
}

/* ---- what they are told ---- */

static void means_on_timer(struct tern_stack *st, struct timer *t)
{
	const struct means *const *m = all_means;

	while ((*m)->timer_kind != t->kind)
		m++;
	(*m)->on_timer(st, t);
}

static void means_on_link(struct tern_stack *st, struct iface *i)
{
	bool is_up = iface_is_up(i);

	if (is_up)
		ifaddr_try_again(&st->net, i->index);
	for (const struct means *const *m = all_means; *m; m++)
		if ((*m)->on_link && (*m)->is_on(i))
			(*m)->on_link(st, i, is_up);
}

static void means_review(struct tern_stack *st, struct iface *i)
{
	for (const struct means *const *m = all_means; *m; m++)
		if ((*m)->review && (*m)->is_on(i))
			(*m)->review(st, i);
}

static void means_on_good(struct tern_stack *st, struct iface *i, const struct addr *addr)
{
	const struct ifaddr *a = ifaddr_on(&st->net, i->index, addr);

	if (!a || !ifaddr_is_usable(a))
		return;
	for (const struct means *const *m = all_means; *m; m++)
		if ((*m)->on_good && (*m)->is_on(i))
			(*m)->on_good(st, i, addr);
	means_review(st, i);
}

static void means_on_lost(struct tern_stack *st, struct iface *i, const struct addr *addr,
			  enum tern_origin origin)
{
	for (const struct means *const *m = all_means; *m; m++)
		if ((*m)->on_lost && (*m)->is_on(i))
			(*m)->on_lost(st, i, addr, origin);
	means_review(st, i);
}

static bool means_awaits(const struct inbound *in)
{
	for (const struct means *const *m = all_means; *m; m++)
		if ((*m)->awaits && (*m)->is_on(in->iface) && (*m)->awaits(in))
			return true;
	return false;
}

static bool means_input(struct tern_stack *st, const struct inbound *in, const struct dgram_in *dg)
{
	for (const struct means *const *m = all_means; *m; m++)
		if ((*m)->input && (*m)->is_on(in->iface) && (*m)->input(st, in, dg))
			return true;
	return false;
}

static void means_forget(struct tern_stack *st, struct iface *i)
{
	for (const struct means *const *m = all_means; *m; m++)
		if ((*m)->is_on(i))
			(*m)->free(st, i);
}

static const struct configuring configuring = { .on_timer = means_on_timer,
						.on_link = means_on_link,
						.review = means_review,
						.on_good = means_on_good,
						.on_lost = means_on_lost,
						.awaits = means_awaits,
						.input = means_input,
						.forget = means_forget };

/* ---- beginning and ending ---- */

static void end_means(struct tern_stack *st, struct iface *i, unsigned bits)
{
	unsigned n = 0;

	while (all_means[n])
		n++;
	while (n-- > 0)
		if (bits & all_means[n]->bit && all_means[n]->is_on(i))
			all_means[n]->end(st, i);
}

TERN_API int tern_auto_set(struct tern_stack *st, unsigned ifindex, unsigned wanted)
{
	struct iface *i = iface_get(&st->net, ifindex);
	unsigned begun = 0;

	if (!i)
		return -TERN_ENODEV;
	if (i->cfg.link != TERN_LINK_ETHERNET || wanted & ~means_known() ||
	    (wanted & TERN_AUTO_DHCP4 && wanted & TERN_AUTO_INFORM4))
		return -TERN_EINVAL;
	st->configuring = &configuring;
	for (const struct means *const *m = all_means; *m; m++) {
		int err;

		if (!(wanted & (*m)->bit) || (*m)->is_on(i))
			continue;
		err = (*m)->begin(st, i, wanted);
		if (err) { /* it is as it was */
			end_means(st, i, begun);
			return err;
		}
		begun |= (*m)->bit;
	}
	end_means(st, i, ~wanted);
	for (const struct means *const *m = all_means; *m; m++)
		if ((*m)->on_set && (*m)->is_on(i))
			(*m)->on_set(st, i);
	i->means = wanted;
	return 0;
}
