/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ladder.c - tern ladder: draws what a capture file holds.
 *
 * The picture, or the list, is the data and goes to standard output; remarks on the capture and the
 * progress bar go to standard error.
 */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../view/capture.h"
#include "../view/ladder.h"
#include "../view/list.h"
#include "args.h"
#include "cmd.h"

enum { WHOLE_FRAME = 1600 };

typedef bool draw_fn(FILE *, const struct view *, const struct ladder_options *);

static const struct format {
	const char *name;
	draw_fn *draw;
} formats[] = {
	{ "text", ladder_text },       { "svg", ladder_svg },	{ "html", ladder_html },
	{ "mermaid", ladder_mermaid }, { "json", ladder_json },
};

struct options {
	const struct format *format;
	const char *file, *output;
	uint64_t conn;
	bool full, list;
};

static void print_help(void)
{
	printf("usage: tern ladder FILE [OPTIONS]\n\n"
	       "Draws the conversations of a capture file: segments, and the states of both ends\n"
	       "as they can be deduced. Reads pcap and pcapng, of Ethernet with VLAN tags, raw\n"
	       "IP, Linux cooked and BSD loopback frames; FILE is - for standard input.\n\n"
	       "  --format F        text (default), svg, html, mermaid or json\n"
	       "  -o FILE           instead of standard output\n"
	       "  --conn N          only conversation N; without it the first %d are drawn\n"
	       "  --list            the conversations as a table (--format text or json)\n"
	       "  --full            fold nothing\n"
	       "  --version         which tern this is\n\n"
	       "Exit: 0 done as asked, 2 usage, a bad file, or nothing in it to draw.\n",
	       CAPTURE_DRAWN_MAX);
}

/* ---- options ---- */

static bool take_format(struct args *a, struct options *o)
{
	if (!args_value(a))
		return false;
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		if (strcmp(a->value, formats[i].name) == 0) {
			o->format = &formats[i];
			return true;
		}
	}
	args_error(a, "--format: '%s' is not text, svg, html, mermaid or json", a->value);
	return false;
}

static bool take_conn(struct args *a, struct options *o)
{
	if (!args_count(a, UINT32_MAX, &o->conn))
		return false;
	if (o->conn == 0)
		args_error(a, "--conn: conversations are counted from 1");
	return o->conn > 0;
}

static enum taken take_option(struct args *a, void *ctx)
{
	struct options *o = ctx;

	if (args_is(a, "--format"))
		return args_taken(take_format(a, o));
	if (args_is(a, "--conn"))
		return args_taken(take_conn(a, o));
	if (args_is(a, "-o") || args_is(a, "--output"))
		return args_taken(args_output(a, &o->output));
	if (args_is(a, "--full"))
		return args_taken(o->full = true);
	if (args_is(a, "--list"))
		return args_taken(o->list = true);
	return UNKNOWN;
}

static int read_options(struct options *o, struct args *a)
{
	int code = args_read(a, print_help, take_option, o);

	if (code >= 0)
		return code;
	if (a->n_words == 0)
		return args_error(a, "which file?");
	if (a->n_words > 1)
		return args_error(a, "'%s' is one file too many", a->word[1]);
	o->file = a->word[0];
	if (o->list && o->format->draw != ladder_text && o->format->draw != ladder_json)
		return args_error(a, "--list is text or json, not %s", o->format->name);
	return -1;
}

/* ---- reading ---- */

struct progress {
	uint64_t size; /* of the file */
	int shown;     /* per cent; -1: nothing */
};

static void show_progress(void *ctx, uint64_t bytes_read)
{
	enum { BAR = 40 };
	struct progress *p = ctx;
	int percent = (int)(bytes_read * 100 / (p->size ? p->size : 1));
	int filled = percent * BAR / 100;

	if (percent == p->shown || percent > 100)
		return;
	p->shown = percent;
	fprintf(stderr, "\r[%.*s%.*s] %3d%%", filled, "########################################",
		BAR - filled, "........................................", percent);
	fflush(stderr);
}

static void end_progress(const struct progress *p)
{
	if (p->shown >= 0)
		fputs("\r\033[K", stderr);
}

static int refuse(const struct options *o, const char *why)
{
	fprintf(stderr, "tern ladder: %s: %s\n", o->file, why);
	return EXIT_USAGE;
}

static FILE *open_input(const struct options *o, struct progress *progress)
{
	static char buffer[256 * 1024]; /* glibc makes none of a size that is asked for */
	FILE *in = strcmp(o->file, "-") == 0 ? stdin : fopen(o->file, "rb");
	struct stat st;

	if (!in)
		return NULL;
	if (fstat(fileno(in), &st) != 0 || S_ISDIR(st.st_mode)) {
		errno = EISDIR;
		return NULL;
	}
	progress->size = S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
	setvbuf(in, buffer, _IOFBF, sizeof(buffer));
	return in;
}

static bool is_written_over(const struct options *o)
{
	const char *file = strcmp(o->file, "-") == 0 ? "/dev/stdin" : o->file;

	return o->output && args_is_one_file(file, o->output);
}

static struct capture *read_capture(const struct options *o, FILE *in, struct progress *progress)
{
	struct capture_options co = {
		.conn = (uint32_t)o->conn, .table_only = o->list, .full = o->full, .ctx = progress
	};
	struct capture *c;
	const char *why;

	if (!o->list && o->format->draw == ladder_html)
		co.keep = WHOLE_FRAME; /* its panels show the payload */
	if (o->format->draw == ladder_mermaid)
		co.drawn_max = 1;
	if (progress->size && isatty(STDERR_FILENO))
		co.progress = show_progress;
	c = capture_read(in, &co, &why);
	end_progress(progress);
	if (!c)
		refuse(o, why);
	return c;
}

/* ---- drawing ---- */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

static bool draw(const struct capture *c, const struct options *o, FILE *out)
{
	struct ladder_options lo = { .full = o->full,
				     .conn = (uint32_t)o->conn,
				     .numbered = true,
				     .title = base_name(o->file) };

	if (o->list)
		return o->format->draw == ladder_json ? list_json(out, c, lo.conn) :
							list_text(out, c, lo.conn);
	lo.without_link_talk = c->own && !o->full;
	lo.colour = !o->output && args_in_colour(stdout);
	lo.remark = c->remark;
	lo.n_remarks = c->n_remarks;
	return o->format->draw(out, c->view, &lo);
}

static int refuse_output(const struct options *o)
{
	fprintf(stderr, "tern ladder: cannot write %s: %s\n", o->output ? o->output : "the picture",
		strerror(errno));
	return EXIT_USAGE;
}

static int write_picture(const struct capture *c, const struct options *o)
{
	FILE *out = o->output ? fopen(o->output, "wb") : stdout;
	bool good = out && draw(c, o, out);

	if (out && (o->output ? fclose(out) : fflush(out)) != 0)
		good = false;
	return good ? EXIT_DONE : refuse_output(o);
}

/* Why there is no picture, or NULL. */
static const char *nothing_to_draw(const struct capture *c, const struct options *o, char buf[300])
{
	struct flows *fs;
	size_t n = c->n_conns;

	if (c->own) {
		fs = flows_new(c->view);
		n = fs ? fs->n : 0;
		flows_free(fs);
	}
	if (o->conn > n && n > 0)
		snprintf(buf, 300, "there is no conversation %llu; --list names all %zu",
			 (unsigned long long)o->conn, n);
	else if (c->n_packets == 0)
		snprintf(buf, 300, "holds no packets");
	else if (n == 0)
		snprintf(buf, 300, "nothing to draw: %s", c->n_remarks ? c->remark[0] : "no IP");
	else
		return NULL;
	return buf;
}

static int run(const struct options *o)
{
	struct progress progress = { .shown = -1 };
	FILE *in = open_input(o, &progress);
	struct capture *c;
	char why[300];
	int code;

	if (!in)
		return refuse(o, strerror(errno));
	if (is_written_over(o))
		return refuse(o, "-o would write over the capture: name another file");
	c = read_capture(o, in, &progress);
	if (in != stdin)
		fclose(in);
	if (!c)
		return EXIT_USAGE;
	if (nothing_to_draw(c, o, why)) {
		code = refuse(o, why);
	} else {
		for (int i = 0; i < c->n_remarks; i++)
			fprintf(stderr, "tern ladder: %s\n", c->remark[i]);
		code = write_picture(c, o);
	}
	capture_free(c);
	return code;
}

int cmd_ladder(int argc, char **argv)
{
	struct options o = { .format = &formats[0] };
	struct args a = args_of("tern ladder", argc, argv);
	int code = read_options(&o, &a);

	if (code >= 0)
		return code;
	return o.output && !args_is_writable(o.output) ? refuse_output(&o) : run(&o);
}
