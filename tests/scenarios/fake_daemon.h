/* SPDX-License-Identifier: Apache-2.0 */
/* A k8sauthd that says what a scenario tells it to, on the real socket path, in a thread. */
#pragma once

#include "base/secret.h"
#include "scenario.h"

#define SEEN_MAX 32

/* A request that came. */
struct seen {
	char text[512];
	char *credential; /* NULL if it had none */
};

struct fake_daemon;

/* NULL where none shall listen. */
struct fake_daemon *fake_daemon_start(enum daemon_kind kind);
void fake_daemon_stop(struct fake_daemon *daemon);

/* Answers the next requests as CALL says; REPEAT: its first reply, for ever. Forgets what was seen before. */
void fake_daemon_script(struct fake_daemon *daemon, const struct action *call, bool repeat);
size_t fake_daemon_seen(struct fake_daemon *daemon, const struct seen **ret);
