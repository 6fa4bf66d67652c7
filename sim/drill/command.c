/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * command.c - shell `lines`: which of their commands mean something to the stack?
 *
 * Those that set sysctls, and the defaults scripts of the public suites. The rest is left out, told
 * and counted; with --allow-shell it is run. A line is cut into its commands at newlines, ; and &&;
 * nothing is expanded but $((sums)).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fraction.h"
#include "run.h"
#include "sysctl.h"

enum { WORD_MAX = 200 };

/* ---- commands of a line ---- */

static bool ends_command(const struct slice *rest, const char *p)
{
	if (*p == '\n' || *p == ';')
		return true;
	/* && or & but not the 2>&1 of a redirection */
	return *p == '&' && (p == rest->text || p[-1] != '>');
}

static void skip_between(struct slice *line)
{
	bool comment = false;

	for (; line->len > 0; line->text++, line->len--) {
		if (*line->text == '#')
			comment = true;
		else if (*line->text == '\n')
			comment = false;
		else if (!comment && !strchr(" \t\r;&", *line->text))
			return;
	}
}

/* The next command of the line, which shrinks; false: none is left. */
static bool next_command(struct slice *line, struct slice *command)
{
	const char *end = line->text + line->len, *p;
	char quote = 0;

	skip_between(line);
	for (p = line->text; p < end && (quote || !ends_command(line, p)); p++) {
		if (*p == '\\' && p + 1 < end)
			p++;
		else if (*p == quote)
			quote = 0;
		else if (!quote && (*p == '"' || *p == '\''))
			quote = *p;
	}
	*command = (struct slice){ line->text, (size_t)(p - line->text) };
	line->len -= command->len;
	line->text = p;
	while (command->len > 0 && strchr(" \t\r", command->text[command->len - 1]))
		command->len--;
	return command->len > 0;
}

/* ---- words of a command ---- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool no_names(void *ctx, struct slice name, int64_t *value)
{
	(void)ctx;
	(void)name;
	(void)value;
	return false;
}

/* $((15*1024*1024)) becomes its value, wherever it stands in the word. */
static void do_sums(char word[WORD_MAX])
{
	char *from, *to, rest[WORD_MAX];

	while ((from = strstr(word, "$((")) != NULL && (to = strstr(from, "))")) != NULL) {
		struct py py = { .lookup = no_names };
		struct fraction v;

		py_init(&py.lx, (struct slice){ from + 3, (size_t)(to - from - 3) });
		if (!py_expression(&py, &v) || py.lx.kind != PY_END)
			return;
		snprintf(rest, sizeof(rest), "%s", to + 2);
		snprintf(from, WORD_MAX - (size_t)(from - word), "%lld%s",
			 (long long)fraction_floor(v), rest);
	}
}

/* The next word, without quotes; false: none is left, or one too long. */
static bool next_word(struct slice *rest, char word[WORD_MAX])
{
	const char *p = rest->text, *end = p + rest->len;
	char quote = 0;
	size_t n = 0;

	while (p < end && (is_blank(*p) || (*p == '\\' && p + 1 < end && p[1] == '\n')))
		p++;
	if (p == end || *p == '|' || *p == '#')
		return false;
	for (; p < end && (quote || !is_blank(*p)) && n < WORD_MAX - 1; p++) {
		if (*p == quote)
			quote = 0;
		else if (!quote && (*p == '"' || *p == '\''))
			quote = *p;
		else
			word[n++] = *p;
	}
	word[n] = 0;
	do_sums(word);
	*rest = (struct slice){ p, (size_t)(end - p) };
	return n < WORD_MAX - 1;
}

static bool is_redirection(const char *word)
{
	return word[0] == '>' || strncmp(word, "2>", 2) == 0;
}

static bool ends_with(const char *text, const char *tail)
{
	size_t len = strlen(text), n = strlen(tail);

	return len >= n && strcmp(text + len - n, tail) == 0;
}

/* ---- the commands that are known ---- */

static void set_one(struct drill *d, char *assignment)
{
	char *value = strchr(assignment, '=');
	const char *problem;

	if (!value)
		return; /* asks only */
	*value++ = 0;
	problem = sysctl_apply(d->st, assignment, value);
	if (problem)
		drill_skip(d, "%s=%s: %s", assignment, value, problem);
}

/* sysctl -q -w a=1 b=2 > /dev/null */
static void run_sysctl(struct drill *d, struct slice rest)
{
	char word[WORD_MAX];

	while (next_word(&rest, word) && !is_redirection(word))
		if (word[0] != '-')
			set_one(d, word);
}

/* echo 1 > /proc/sys/net/ipv4/tcp_sack; false: it is not that. */
static bool run_echo(struct drill *d, struct slice rest)
{
	char value[WORD_MAX], arrow[WORD_MAX], path[WORD_MAX], assignment[2 * WORD_MAX];

	if (!next_word(&rest, value) || !next_word(&rest, arrow) || strcmp(arrow, ">") != 0 ||
	    !next_word(&rest, path) || strncmp(path, "/proc/sys/", 10) != 0)
		return false;
	snprintf(assignment, sizeof(assignment), "%s=%s", path, value);
	set_one(d, assignment);
	return true;
}

/* What the defaults scripts of packetdrill's own suite and of Linux's set, as far as it goes. */
static void run_defaults(struct drill *d)
{
	static const struct {
		const char *name, *value;
	} defaults[] = {
		{ "net.ipv4.tcp_rmem", "4096 540000 15728640" },
		{ "net.ipv4.tcp_wmem", "4096 262144 4194304" },
		{ "net.ipv4.tcp_timestamps", "1" },
		{ "net.ipv4.tcp_syn_retries", "5" },
		{ "net.ipv4.tcp_synack_retries", "5" },
		{ "net.ipv4.tcp_frto", "2" },
		{ "net.ipv4.tcp_sack", "1" },
		{ "net.ipv4.tcp_dsack", "1" },
		{ "net.ipv4.tcp_reordering", "3" },
		{ "net.ipv4.tcp_congestion_control", "cubic" },
		{ "net.ipv4.tcp_slow_start_after_idle", "0" },
		{ "net.ipv4.tcp_early_retrans", "4" },
		{ "net.ipv4.tcp_recovery", "1" },
		{ "net.ipv4.tcp_ecn", "0" },
		{ "net.ipv4.tcp_fastopen", "0x3" },
		{ "net.ipv4.tcp_fastopen_key", "a1a1a1a1-b2b2b2b2-c3c3c3c3-d4d4d4d4" },
		{ "net.ipv4.tcp_syncookies", "1" },
	};

	for (size_t i = 0; i < N_ELEMENTS(defaults); i++)
		sysctl_apply(d->st, defaults[i].name, defaults[i].value);
}

static bool run_known(struct drill *d, struct slice command)
{
	char word[WORD_MAX];

	if (!next_word(&command, word))
		return false;
	if (strcmp(word, "sudo") == 0 && !next_word(&command, word))
		return false;
	if (ends_with(word, "defaults.sh"))
		run_defaults(d);
	else if (strcmp(word, "sysctl") == 0 || ends_with(word, "set_sysctls.py"))
		run_sysctl(d, command);
	else if (strcmp(word, "echo") != 0 || !run_echo(d, command))
		return false;
	return true;
}

/* ---- the others ---- */

static void run_unknown(struct drill *d, struct slice command)
{
	const char *text;
	int code;

	if (!d->o->shell) {
		drill_skip(d, "%.*s", (int)command.len, command.text);
		return;
	}
	text = script_text(d->s, command);
	if (!text) {
		drill_end(d, DRILL_BROKEN, "memory is short");
		return;
	}
	code = d->o->shell(text);
	if (code != 0)
		drill_end(d, DRILL_FAILED, "`%s` exits with %d", text, code);
}

void command_run(struct drill *d, struct slice line)
{
	struct slice command;

	while (d->outcome == DRILL_PASSED && next_command(&line, &command))
		if (!run_known(d, command))
			run_unknown(d, command);
	drill_settle(d);
}
