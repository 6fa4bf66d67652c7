/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http_head_test.c - names and values that come in pieces, and what does not fit.
 */
#include "../../cmd/http_head.h"

#include <string.h>

#include "test.h"

static void pieces_of_a_name(void)
{
	struct http_field f = { .len = 0 };

	http_field_name(&f, "Loc", 3);
	http_field_name(&f, "ation", 5);
	check_str(f.name, "Location");
	check(http_field_value(&f));
	check(!http_field_value(&f));
	http_field_name(&f, "Ran", 3);
	http_field_name(&f, "ge", 2);
	check_str(f.name, "Range");
	check(http_field_value(&f));
}

static void a_name_too_long_is_none(void)
{
	struct http_field f = { .len = 0 };
	char name[sizeof(f.name)];

	memset(name, 'n', sizeof(name));
	http_field_name(&f, name, sizeof(name) - 1); /* fits, with its end */
	check_eq(strlen(f.name), sizeof(name) - 1);
	http_field_name(&f, name, 1);
	check_str(f.name, "");
	http_field_name(&f, "Range", 5); /* the rest of it is no other name */
	check_str(f.name, "");
	http_field_value(&f);
	http_field_name(&f, "Range", 5);
	check_str(f.name, "Range");
}

static void a_value_too_long_is_empty_but_there(void)
{
	char text[8] = "";
	size_t len = 0;

	http_add(text, sizeof(text), &len, "1234567", 7);
	check_str(text, "1234567");
	http_add(text, sizeof(text), &len, "8", 1);
	check_str(text, "");
	check_eq(len, 8);
	http_add(text, sizeof(text), &len, "", 0);
	check_str(text, "");
}

static const struct test tests[] = {
	TEST(pieces_of_a_name),
	TEST(a_name_too_long_is_none),
	TEST(a_value_too_long_is_empty_but_there),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
