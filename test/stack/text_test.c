/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * text_test.c - core/stack/text.c: the names of numbers, also of those that have none.
 */
#include <limits.h>

#include "test.h"

#include "../../include/tern.h"

static void errors(void)
{
	check_str(tern_errno_name(TERN_ECONNREFUSED), "ECONNREFUSED");
	check_str(tern_errno_name(-TERN_ECONNREFUSED), "ECONNREFUSED");
	check_str(tern_errno_name(0), "E?");
	check_str(tern_errno_name(-1000), "E?");
	check_str(tern_errno_name(INT_MAX), "E?");
	check_str(tern_errno_name(INT_MIN), "E?"); /* which has no negative */
}

static void others(void)
{
	check_str(tern_drop_name(TERN_DROP_TCP_CHECKSUM), "tcp-checksum");
	check_str(tern_drop_name(TERN_N_DROPS), "?");
	check_str(tern_tcp_state_name(TERN_TCP_SYN_RECEIVED), "SYN-RECEIVED");
	check_str(tern_tcp_state_name(TERN_TCP_N_STATES), "?");
	check_str(tern_cause_name(TERN_CAUSE_RTO), "rto");
	check_str(tern_cause_name(TERN_N_CAUSES), "?");
}

static const struct test tests[] = {
	TEST(errors),
	TEST(others),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
