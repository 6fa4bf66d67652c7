/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * configure.c - by which means does an interface configure itself?
 */
#include "stack.h"

TERN_API int tern_auto_set(struct tern_stack *st, unsigned ifindex, unsigned means)
{
	struct iface *i = iface_get(&st->net, ifindex);

	if (!i)
		return -TERN_ENODEV;
	if (i->cfg.link != TERN_LINK_ETHERNET || (means & ~(unsigned)TERN_AUTO_RA))
		return -TERN_EINVAL;
	if ((means & TERN_AUTO_RA) && !i->slaac && !slaac_begin(&st->net, i, TIMER_SLAAC))
		return -TERN_ENOMEM;
	if (!(means & TERN_AUTO_RA) && i->slaac)
		slaac_end(&st->net, i);
	i->means = means;
	return 0;
}
