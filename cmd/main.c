/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * main.c - the tern command: finds the subcommand.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../include/tern.h"
#include "args.h"
#include "cmd.h"

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary;
} commands[] = {
	{ "lab", cmd_lab, "two hosts in one process: watch TCP open, talk and close" },
	{ "ladder", cmd_ladder, "draw the conversations of a capture file" },
	{ "get", cmd_get, "fetch http URLs over tern's own TCP" },
	{ "serve", cmd_serve, "serve a directory by HTTP over tern's own TCP" },
	{ "ping", cmd_ping, "echo requests over tern's own stack" },
	{ "resolve", cmd_resolve, "addresses of names, and names of addresses" },
	{ "ip", cmd_ip, "addresses, routes and neighbours of a stack" },
	{ "traceroute", cmd_traceroute, "the routers on the way to a host" },
	{ "tracepath", cmd_tracepath, "the same, and how large a packet they carry" },
	{ "nc", cmd_nc, "standard input and output over a TCP or UDP socket of tern's" },
	{ "run", cmd_run, "any program, unmodified and without root, on tern's own TCP" },
	{ "weather", cmd_weather, "changes the weather of a tern run that lives" },
	{ "doctor", cmd_doctor, "what this machine lacks for that, and what mends it" },
	{ "drill", cmd_drill, "run packetdrill scripts against a stack, in virtual time" },
};

static void print_help(FILE *out)
{
	fprintf(out, "usage: tern COMMAND [OPTIONS]\n\n"
		     "tern is TCP/IP as a C library; this command shows it at work.\n\n");
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].summary);
	fprintf(out, "\n  tern COMMAND --help   what a command can do\n"
		     "  tern --version        which tern this is\n");
}

/* Closed standard descriptors stay unusable, and no file or device gets their numbers. */
static void keep_standard_descriptors(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

/* What was to be read and is lost was not done as asked. Who has failed has said why. */
static int end_output(int code)
{
	if (code != EXIT_DONE || (fflush(stdout) == 0 && !ferror(stdout)))
		return code;
	fprintf(stderr, "tern: standard output cannot be written\n");
	return EXIT_USAGE;
}

static int run_command(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : NULL;

	if (!name) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
		print_help(stdout);
		return EXIT_DONE;
	}
	if (strcmp(name, "--version") == 0) {
		printf("tern %s\n", tern_version());
		return EXIT_DONE;
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(commands[i].name, name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	fprintf(stderr, "tern: there is no command '%s'; try 'tern --help'\n", name);
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	keep_standard_descriptors();
	return end_output(run_command(argc, argv));
}
