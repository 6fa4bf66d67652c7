/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * command.c - shell `commands` that set sysctls, which is all that scripts can ask of the shell
 * here, and which tern knows under the same names.
 */
#include <stdio.h>
#include <string.h>

#include "run.h"

enum { WORD_MAX = 128 };

/* What tern has not and does as if it had this value; NULL: it makes no difference to packets. */
static const struct {
	const char *name, *value;
} harmless[] = {
	{ "net.core.default_qdisc", NULL },
	{ "net.ipv4.tcp_no_metrics_save", NULL },
	{ "net.ipv4.tcp_autocorking", "0" },
	{ "net.ipv4.tcp_ecn", "0" },
	{ "net.ipv4.tcp_fastopen", "0" },
	{ "net.ipv4.tcp_frto", "0" },
	{ "net.ipv4.tcp_fack", "0" },
	{ "net.ipv4.tcp_dsack", "0" },
	{ "net.ipv4.tcp_recovery", "0" },
	{ "net.ipv4.tcp_early_retrans", "0" },
	{ "net.ipv4.tcp_moderate_rcvbuf", "0" },
	{ "net.ipv4.tcp_abort_on_overflow", "0" },
	{ "net.ipv4.tcp_syncookies", "0" },
	{ "net.ipv4.tcp_thin_linear_timeouts", "0" },
	{ "net.ipv4.tcp_tso_win_divisor", NULL },
	{ "net.ipv4.tcp_min_tso_segs", NULL },
	{ "net.ipv4.tcp_limit_output_bytes", NULL },
};

static bool is_harmless(const char *name, const char *value)
{
	for (size_t i = 0; i < N_ELEMENTS(harmless); i++)
		if (strcmp(harmless[i].name, name) == 0)
			return !harmless[i].value || strcmp(harmless[i].value, value) == 0;
	return false;
}

static bool is_setting(const char *name)
{
	const char *known;

	for (unsigned i = 0; (known = tern_sysctl_name(i)) != NULL; i++)
		if (strcmp(known, name) == 0)
			return true;
	return false;
}

bool setting_apply(struct tern_stack *st, const char *name, const char *value)
{
	static const char *const prefixes[] = { "", "net.ipv4.", "net.tern." };
	char full[WORD_MAX];

	for (size_t i = 0; i < N_ELEMENTS(prefixes); i++) {
		snprintf(full, sizeof(full), "%s%s", prefixes[i], name);
		if (is_setting(full))
			return tern_sysctl_set(st, full, value) == 0;
	}
	return false;
}

/* "4096 131072 6291456" of tcp_rmem: the second and third are settings of their own. */
static bool set_triple(struct tern_stack *st, const char *name, const char *value)
{
	char least[24], usual[24], most[24], full[WORD_MAX];

	if (strcmp(name, "net.ipv4.tcp_rmem") != 0 && strcmp(name, "net.ipv4.tcp_wmem") != 0)
		return false;
	if (sscanf(value, "%23s %23s %23s", least, usual, most) != 3)
		return false;
	if (!st)
		return true;
	snprintf(full, sizeof(full), "%s_default", name);
	if (tern_sysctl_set(st, full, usual) != 0)
		return false;
	snprintf(full, sizeof(full), "%s_max", name);
	return tern_sysctl_set(st, full, most) == 0;
}

/* One name=value; without a stack: could it be set? */
static bool assign(struct tern_stack *st, char *word)
{
	static const char proc[] = "/proc/sys/";
	char *value = strchr(word, '=');

	if (!value)
		return false;
	*value++ = 0;
	if (strncmp(word, proc, sizeof(proc) - 1) == 0) {
		word += sizeof(proc) - 1;
		for (char *p = word; *p; p++)
			if (*p == '/')
				*p = '.';
	}
	if (is_harmless(word, value) || set_triple(st, word, value))
		return true;
	return is_setting(word) && (!st || tern_sysctl_set(st, word, value) == 0);
}

/* ---- words of a shell ---- */

struct words {
	const char *p, *end;
	char word[WORD_MAX];
};

static bool ends_command(char c)
{
	return c == '\n' || c == ';' || c == '&';
}

/* The next word of this command, without quotes; false: it has none, or one too long. */
static bool next_word(struct words *w)
{
	char quote = 0;
	size_t n = 0;

	while (w->p < w->end && (*w->p == ' ' || *w->p == '\t' || *w->p == '\\' || *w->p == '\r')) {
		bool continues = *w->p == '\\';

		w->p++;
		if (continues && w->p < w->end && *w->p == '\n')
			w->p++;
	}
	if (w->p == w->end || ends_command(*w->p))
		return false;
	for (; w->p < w->end && n < WORD_MAX - 1; w->p++) {
		if (!quote && (*w->p == ' ' || *w->p == '\t' || ends_command(*w->p)))
			break;
		if (*w->p == quote)
			quote = 0;
		else if (!quote && (*w->p == '"' || *w->p == '\''))
			quote = *w->p;
		else
			w->word[n++] = *w->p;
	}
	w->word[n] = 0;
	return true;
}

static bool ends_with(const char *text, const char *tail)
{
	size_t len = strlen(text), n = strlen(tail);

	return len >= n && strcmp(text + len - n, tail) == 0;
}

/* NULL, or what cannot be done. */
static const char *do_command(struct tern_stack *st, struct words *w)
{
	if (!next_word(w))
		return NULL;
	if (ends_with(w->word, "defaults.sh")) {
		while (next_word(w))
			continue;
		return NULL;
	}
	if (strcmp(w->word, "sysctl") != 0 && !ends_with(w->word, "set_sysctls.py"))
		return "a shell command";
	while (next_word(w))
		if (w->word[0] != '-' && !assign(st, w->word))
			return "a sysctl that tern has not";
	return NULL;
}

static const char *do_commands(struct tern_stack *st, struct slice text)
{
	struct words w = { .p = text.text, .end = text.text + text.len };
	const char *problem = NULL;

	while (!problem && w.p < w.end) {
		problem = do_command(st, &w);
		while (w.p < w.end && ends_command(*w.p))
			w.p++;
	}
	return problem;
}

const char *command_unsupported(struct slice text)
{
	return do_commands(NULL, text);
}

void command_run(struct drill *d, struct slice text)
{
	const char *problem = do_commands(d->st, text);

	if (problem)
		drill_end(d, DRILL_UNSUPPORTED, "%s", problem);
	drill_settle(d);
}
