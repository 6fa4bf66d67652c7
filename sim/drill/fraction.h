/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fraction.h - exact arithmetic on num / den. Each returns false where the result does not fit.
 */
#ifndef TERN_DRILL_FRACTION_H
#define TERN_DRILL_FRACTION_H

#include "python.h"

bool fraction_add(struct fraction, struct fraction, struct fraction *);
bool fraction_subtract(struct fraction, struct fraction, struct fraction *);
bool fraction_multiply(struct fraction, struct fraction, struct fraction *);
/* Also false when the second is 0. */
bool fraction_divide(struct fraction, struct fraction, struct fraction *);
/* The greatest integer that is not above. */
int64_t fraction_floor(struct fraction);
/* Below, equal to or above 0, as the first is to the second; false as above. */
bool fraction_compare(struct fraction, struct fraction, int *);

#endif
