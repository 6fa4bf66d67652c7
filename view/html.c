/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * html.c - parts of the page that is one self-contained file.
 */
#include "html.h"

#include <inttypes.h>
#include <stdarg.h>

#include "label.h"

static void put_char(FILE *out, unsigned char c)
{
	if (c == '<')
		fputs("&lt;", out);
	else if (c == '>')
		fputs("&gt;", out);
	else if (c == '&')
		fputs("&amp;", out);
	else if (c == '"')
		fputs("&quot;", out);
	else
		fputc(c < 0x20 || c == 0x7f ? '?' : c, out);
}

void html_text(FILE *out, const char *text)
{
	for (; *text; text++)
		put_char(out, (unsigned char)*text);
}

/* ---- the panel of a segment ---- */

static void put_field(FILE *out, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void put_field(FILE *out, const char *name, const char *format, ...)
{
	char value[LABEL_MAX];
	va_list ap;

	va_start(ap, format);
	vsnprintf(value, sizeof(value), format, ap);
	va_end(ap);
	fprintf(out, "<dt>%s</dt><dd>", name);
	html_text(out, value);
	fputs("</dd>", out);
}

static void put_options(FILE *out, const struct tcp_hdr *h)
{
	if (h->has_mss)
		put_field(out, "mss", "%u", h->mss);
	if (h->has_wscale)
		put_field(out, "window scale", "%u", h->wscale);
	if (h->sack_permitted)
		put_field(out, "sack", "permitted");
	if (h->has_ts)
		put_field(out, "timestamps", "%" PRIu32 ", echo %" PRIu32, h->ts_val, h->ts_ecr);
	for (int i = 0; i < h->n_sack; i++)
		put_field(out, "sack block", "%" PRIu32 "-%" PRIu32, h->sack[i].lo, h->sack[i].hi);
}

static void put_tcp(FILE *out, const struct segment *g)
{
	const struct tcp_hdr *h = &g->tcp;
	char flags[FLAGS_TEXT_MAX];

	put_field(out, "flags", "%s", label_flags(flags, h->flags));
	put_field(out, "sequence", "%" PRId64 " (%" PRIu32 ")", g->seq, h->seq);
	if (h->flags & TCP_ACK)
		put_field(out, "acknowledges", "%" PRId64 " (%" PRIu32 ")", g->ack, h->ack);
	put_field(out, "window", "%" PRIu64 " (%u)", g->wnd, h->wnd);
	put_field(out, "checksum", "0x%04x", h->checksum);
	if (h->flags & TCP_URG)
		put_field(out, "urgent", "%u", h->urg);
	put_options(out, h);
}

static void put_line_of_bytes(FILE *out, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < 8; i++) {
		if (i < n)
			fprintf(out, "%02x ", p[i]);
		else
			fputs("   ", out);
	}
	fputc(' ', out);
	for (size_t i = 0; i < n; i++)
		put_char(out, p[i] >= 0x20 && p[i] < 0x7f ? p[i] : '.');
	fputc('\n', out);
}

static void put_payload(FILE *out, const struct segment *g)
{
	struct decoded d;

	if (!decode_frame(&d, g->sent) || d.payload_kept == 0)
		return;
	fputs("<pre>", out);
	for (uint32_t i = 0; i < d.payload_kept; i += 8)
		put_line_of_bytes(out, d.payload + i, MIN(d.payload_kept - i, 8U));
	if (d.payload_kept < d.len)
		fprintf(out, "... %" PRIu32 " more bytes", d.len - d.payload_kept);
	fputs("</pre>", out);
}

static void put_fate(FILE *out, const struct segment *g)
{
	char time[TIME_TEXT_MAX], marks[LABEL_MAX] = "";

	put_field(out, "sent", "%s s", label_time(time, g->sent->at, 9));
	if (g->n_arrivals && g->arrived_at != g->sent->at)
		put_field(out, "arrived", "%s s", label_time(time, g->arrived_at, 9));
	if (g->sent->lost)
		put_field(out, "lost", "%s", g->sent->lost);
	label_add_sent_marks(marks, g);
	label_add_arrived_marks(marks, g);
	if (marks[0])
		put_field(out, "remarkable", "%s", marks + 1);
}

void html_panel(FILE *out, const struct flows *fs, const struct flow *f, const struct segment *g)
{
	char from[TERN_ADDR_TEXT_MAX], to[TERN_ADDR_TEXT_MAX];

	fprintf(out, "<div class=\"panel\"><h3>packet %" PRIu64 "</h3><dl>", g->sent->frame);
	put_field(out, "from", "%s (%s)", flow_endpoint(f, g->from, from),
		  flow_side_name(fs, f, g->from));
	put_field(out, "to", "%s (%s)", flow_endpoint(f, 1 - g->from, to),
		  flow_side_name(fs, f, 1 - g->from));
	put_fate(out, g);
	if (f->proto == TERN_IPPROTO_TCP) {
		put_tcp(out, g);
	} else if (f->proto != TERN_IPPROTO_UDP) {
		put_field(out, "type", "%u", g->icmp.type);
		put_field(out, "code", "%u", g->icmp.code);
		put_field(out, "rest", "0x%08" PRIx32, g->icmp.rest);
	}
	put_field(out, "payload", "%" PRIu32 " bytes", g->len);
	fputs("</dl>", out);
	put_payload(out, g);
	fputs("</div>", out);
}

/* ---- the head ---- */

/* The colours are those of the SVG. */
static const char page_style[] =
	"*{box-sizing:border-box}\n"
	"html{scroll-padding-top:8px}\n"
	"body{margin:0;display:flex;color:#222;background:#fff;"
	"font:14px/1.4 system-ui,'DejaVu Sans',sans-serif}\n"
	"nav{flex:0 0 18rem;height:100vh;position:sticky;top:0;overflow:auto;padding:12px;"
	"background:#f6f6f2;border-right:1px solid #ddd}\n"
	"nav h1{font-size:15px;margin:0 0 8px;overflow-wrap:anywhere}\n"
	".remark{margin:0 0 8px;font-size:12px;color:#7a4700}\n"
	"nav a{display:block;padding:6px;margin:0 -6px;border-radius:4px;color:inherit;"
	"text-decoration:none;font-size:12.5px;overflow-wrap:anywhere}\n"
	"nav a:hover,nav a:focus{background:#e6e6de}\n"
	"nav small{display:block;color:#666}\n"
	"main{flex:1;min-width:0;padding:12px 20px 45vh}\n"
	"section{max-width:62rem;margin:0 0 48px}\n"
	"h2{font-size:15px;margin:0 0 6px;color:#555;font-weight:normal}\n"
	".ends{display:flex;justify-content:space-between;gap:12px;margin:0 0 8px;"
	"padding-left:6.5em;overflow-wrap:anywhere}\n"
	".end.right{text-align:right}\n"
	".row{display:grid;grid-template-columns:6.5em 8.5em 1fr 8.5em;align-items:stretch;"
	"position:relative;outline:none}\n"
	"time{grid-column:1;grid-row:1;align-self:end;text-align:right;padding-right:8px;"
	"color:#777;font:11px/1.6 ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace}\n"
	".mid{grid-column:3;grid-row:1;min-height:26px;border:0 solid;border-width:0 5px;"
	"padding:0;position:relative}\n"
	".l-closed{border-left-color:#d0d0d0}.l-opening{border-left-color:#ecc66a}"
	".l-open{border-left-color:#8fc08f}.l-closing{border-left-color:#93b4dc}"
	".l-waiting{border-left-color:#c3add9}\n"
	".r-closed{border-right-color:#d0d0d0}.r-opening{border-right-color:#ecc66a}"
	".r-open{border-right-color:#8fc08f}.r-closing{border-right-color:#93b4dc}"
	".r-waiting{border-right-color:#c3add9}\n";

static const char row_style[] =
	".box{font:bold 11px/20px ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace;"
	"padding:0 8px;border:.5px solid #999;border-radius:3px;display:inline-block;"
	"align-self:center}\n"
	".box.closed{background:#e5e5e5}.box.opening{background:#f4dfae}"
	".box.open{background:#c1dcc1}.box.closing{background:#c4d6ec}"
	".box.waiting{background:#decfea}\n"
	".row .box{grid-row:1;margin:0 10px}\n"
	".row .box.left{grid-column:2;justify-self:end}"
	".row .box.right{grid-column:4;justify-self:start}\n"
	".mid p{margin:0;padding:4px 10px 0;text-align:center;overflow-wrap:anywhere;"
	"font:12px/1.3 ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace}\n"
	".arrow{height:12px;margin:0 1px 4px;position:relative;color:#333}\n"
	".arrow svg{position:absolute;inset:0;width:100%;height:100%}\n"
	".arrow line{stroke:currentColor;stroke-width:1.4;vector-effect:non-scaling-stroke}\n"
	".arrow i{position:absolute;right:-1px;bottom:-3px;border:4px solid transparent;"
	"border-left:9px solid currentColor;border-right:0}\n"
	".to-left .arrow{transform:scaleX(-1)}\n"
	".again .arrow{color:#a35f00}\n"
	".lost .arrow{color:#b3261e;width:60%}.lost line{stroke-dasharray:5 3}\n"
	".lost .arrow i{border:0;right:-6px;bottom:-10px}"
	".lost .arrow i::after{content:'\\2715';font:bold 15px/1 sans-serif}\n"
	".lost.to-left .arrow,.part.to-left .arrow{margin-left:auto}\n"
	".lost em{color:#b3261e}\n"
	".part .arrow{width:85%}\n"
	".arrive .arrow{width:40%;margin-left:auto}.arrive.to-left .arrow{margin-left:1px}\n"
	".lost p,.part p,.arrive p{text-align:left}"
	".lost.to-left p,.part.to-left p{text-align:right}\n"
	".arrive.to-right p{text-align:right}.arrive.to-left p{text-align:left}\n"
	".mid em{position:absolute;bottom:0;right:8px;font:11px/1.2 ui-monospace,"
	"'DejaVu Sans Mono',Menlo,Consolas,monospace}\n"
	".to-left .mid em{right:auto;left:8px}.arrive.to-right .mid em{right:42%}"
	".arrive.to-left .mid em{left:42%}\n"
	".fold .mid{background:#f6f6f2;border-style:dotted}.fold p,.gap p,.timer p{color:#555;"
	"padding:6px 10px}\n"
	".gap .mid{border-style:dotted}\n"
	".timer p{text-align:left}.timer.right p{text-align:right}\n"
	".summary{border-top:1px solid #ddd;padding-top:8px;margin:8px 0 0}\n"
	".seg:hover .mid,.seg:focus .mid{background:#eef4fb}\n"
	".panel{display:none;position:fixed;right:12px;bottom:12px;z-index:2;width:25rem;"
	"max-width:calc(100vw - 24px);max-height:60vh;overflow:auto;background:#fff;"
	"border:1px solid #999;border-radius:6px;box-shadow:0 4px 18px #0003;padding:10px 12px;"
	"text-align:left}\n"
	".seg:hover .panel,.seg:focus .panel,.seg:focus-within .panel{display:block}\n"
	".seg:hover .panel{z-index:3}\n"
	".panel h3{margin:0 0 6px;font-size:13px}\n"
	"dl{display:grid;grid-template-columns:auto 1fr;gap:1px 12px;margin:0;font-size:12px}\n"
	"dt{color:#666}dd{margin:0;overflow-wrap:anywhere;font-family:ui-monospace,"
	"'DejaVu Sans Mono',Menlo,Consolas,monospace}\n"
	"pre{margin:8px 0 0;font:11px/1.35 ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,"
	"monospace;overflow:auto}\n"
	"@media(max-width:760px){body{display:block}\n"
	"nav{position:static;height:auto;max-height:34vh;border:0;border-bottom:1px solid #ddd}\n"
	"main{padding:10px 8px 62vh}\n"
	".ends{padding-left:4.6em;font-size:12px}\n"
	".row{grid-template-columns:4.6em 1fr}time{padding-right:5px;font-size:10px}\n"
	".mid{grid-column:2}\n"
	".row .box.left,.row .box.right{grid-column:2}"
	".row .box.left{justify-self:start}.row .box.right{justify-self:end}\n"
	".mid p{font-size:11.5px}.panel{left:8px;right:8px;bottom:8px;width:auto}}\n";

void html_head(FILE *out, const char *title)
{
	fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>",
	      out);
	html_text(out, title ? title : "tern");
	fputs("</title>\n<style>\n", out);
	fputs(page_style, out);
	fputs(row_style, out);
	fputs("</style>\n</head>\n<body>\n", out);
}
