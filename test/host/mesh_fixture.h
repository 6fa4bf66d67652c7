/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mesh_fixture.h - a directory for a network, and devices that join it.
 */
#ifndef TERN_TEST_MESH_FIXTURE_H
#define TERN_TEST_MESH_FIXTURE_H

#include <stdlib.h>

#include "test.h"

#include "../../host/dev/mesh.h"
#include "../../host/dev/own_socket.h"

static char dir[] = "/tmp/tern-mesh-XXXXXX";

static inline void make_dir(void)
{
	strcpy(dir + strlen(dir) - 6, "XXXXXX");
	check(mkdtemp(dir) != NULL);
}

static inline struct dev *join(const char *name)
{
	struct dev_wish w = { .mtu = 0 };
	struct dev *d = mesh_open(dir, name, &w);

	if (!d)
		test_fail(__FILE__, __LINE__, "%s", w.error);
	return d;
}

#endif
