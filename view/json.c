/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * json.c - writing JSON: commas, quotes, and null for what is unknown.
 */
#include "json.h"

#include <inttypes.h>

static void put_text(struct json *j, const char *text)
{
	fputc('"', j->out);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			fprintf(j->out, "\\%c", c);
		else if (c < 0x20 || c >= 0x7f)
			fprintf(j->out, "\\u%04x", c);
		else
			fputc(c, j->out);
	}
	fputc('"', j->out);
}

void json_key(struct json *j, const char *name)
{
	if (j->comma)
		fputc(',', j->out);
	j->comma = true;
	if (!name)
		return;
	put_text(j, name);
	fputc(':', j->out);
}

void json_open(struct json *j, const char *name, char bracket)
{
	json_key(j, name);
	if (!name || bracket == '[')
		fputc('\n', j->out);
	fputc(bracket, j->out);
	j->comma = false;
}

void json_list(struct json *j, const char *name)
{
	json_key(j, name);
	fputc('[', j->out);
	j->comma = false;
}

void json_close(struct json *j, char bracket)
{
	fputc(bracket, j->out);
	j->comma = true;
}

void json_string(struct json *j, const char *name, const char *value)
{
	json_key(j, name);
	if (value)
		put_text(j, value);
	else
		fputs("null", j->out);
}

void json_number(struct json *j, const char *name, uint64_t value)
{
	json_key(j, name);
	fprintf(j->out, "%" PRIu64, value);
}

void json_signed(struct json *j, const char *name, int64_t value)
{
	json_key(j, name);
	fprintf(j->out, "%" PRId64, value);
}

void json_number_if(struct json *j, const char *name, bool known, uint64_t value)
{
	if (known)
		json_number(j, name, value);
	else
		json_string(j, name, NULL);
}

void json_ms(struct json *j, const char *name, uint64_t ns)
{
	uint64_t us = (ns + 500) / 1000;

	json_key(j, name);
	fprintf(j->out, "%" PRIu64 ".%03" PRIu64, us / 1000, us % 1000);
}

void json_bool(struct json *j, const char *name, bool value)
{
	json_key(j, name);
	fputs(value ? "true" : "false", j->out);
}
