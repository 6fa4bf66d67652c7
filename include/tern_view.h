/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tern_view.h - what happened, to be looked at: ladders and captures of simulations and of stacks.
 *
 * A view remembers frames, states of connections, timers and drops. A program fills it by what a
 * simulation's observer or a stack's trace hook is told, and writes it when it wants to: a test
 * that fails, say, with the picture that `tern lab` draws, and a capture that `tern ladder` and
 * Wireshark read. It is in libtern.so (-ltern), in libtern_posix.a, which has all and is linked
 * alone, and, for other programs linked statically, in libtern_view.a, which goes before libtern.a
 * (-ltern_view -ltern, what pkg-config says of tern_view, CMake's tern::tern_view).
 *
 *	struct tern_view *v = tern_view_new(0);
 *
 *	tern_sim_observe(sim, tern_view_note, v);
 *	...
 *	tern_view_write(v, stderr, TERN_VIEW_TEXT, 0);
 */
#ifndef TERN_VIEW_H
#define TERN_VIEW_H

#include <stdio.h>

#include "tern.h"

#ifdef __cplusplus
extern "C" {
#endif

struct tern_sim_note; /* tern_sim.h */
struct tern_view;

/*
 * Of one simulation or of one stack, from its beginning to its end: time never goes back in it.
 * keep: how many bytes of each frame to remember; a ladder needs 160, a capture all of them, which
 * is 0. A view grows by these and up to 600 bytes with each frame until it is freed. NULL: no
 * memory.
 */
TERN_API struct tern_view *tern_view_new(uint32_t keep);
TERN_API void tern_view_free(struct tern_view *); /* NULL is allowed */

/*
 * What pictures call a host: up to 31 bytes of UTF-8. Sides without a name are "left" and "right".
 */
TERN_API void tern_view_name(struct tern_view *, int host, const char *name);

/*
 * Takes what a simulation tells: ctx is the view. It is an observer (tern_sim_observe), and may be
 * called by one. Hosts are those of the simulation, of which the first 256 are drawn.
 */
TERN_API void tern_view_note(void *ctx, const struct tern_sim_note *);

/*
 * Takes what a stack tells its trace hook; st is that stack, or NULL while tern_new has not
 * returned: frames are not taken then. The stack is host 0, all others are host 1: what goes out is
 * drawn as arriving at once. Time counts from the first record.
 */
TERN_API void tern_view_trace(struct tern_view *, const struct tern_stack *st,
			      const struct tern_trace *);

enum tern_view_format {
	TERN_VIEW_TEXT,	   /* a ladder of at most 80 columns */
	TERN_VIEW_SVG,	   /* the same as one document */
	TERN_VIEW_HTML,	   /* a page that needs nothing else */
	TERN_VIEW_MERMAID, /* a sequence diagram of the first conversation */
	TERN_VIEW_JSON,	   /* one object, complete */
	/*
	 * A capture, with states, causes and drops as comments: one interface for each host, so
	 * that a frame is in it as it went out and as it came in.
	 */
	TERN_VIEW_PCAPNG
};
enum { TERN_VIEW_FULL = 1 }; /* ladders: nothing is folded; timers, and IPv6's talk of the link */

/*
 * Writes all that the view has, and flushes the stream; the view may be filled and written again.
 * false: the stream failed (errno), memory is short, or was when something happened that is missing
 * now.
 */
TERN_API bool tern_view_write(const struct tern_view *, FILE *, enum tern_view_format,
			      unsigned flags);

#ifdef __cplusplus
}
#endif
#endif
