/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * no_http.c - what stands in for get and serve in a build without http_parser.
 */
#include <stdio.h>

#include "args.h"
#include "cmd.h"

static int refuse(const char *command)
{
	fprintf(stderr,
		"tern %s: this build has no HTTP; install http_parser "
		"(Debian: libhttp-parser-dev) and build again\n",
		command);
	return EXIT_USAGE;
}

int cmd_get(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return refuse("get");
}

int cmd_serve(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return refuse("serve");
}
