/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * panic.c - the default of the assert hook, in an object of its own so that a program can replace
 * it by defining tern_panic itself.
 */
#include "../../include/tern.h"

TERN_API void tern_panic(const char *file, int line)
{
	(void)file;
	(void)line;
	__builtin_trap();
}
