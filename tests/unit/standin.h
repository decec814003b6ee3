/* SPDX-License-Identifier: Apache-2.0 */
/* The stand-in API server (tests/testbed/apiserver) as a child of a test; the environment variable TESTBED says where
 * it lies. */
#pragma once

#include <sys/types.h>
#include <jansson.h>

#include "base/macros.h"

extern char standin_state[64]; /* its folder */
extern char standin_host[64];  /* "https://127.0.0.1:PORT" of the one that was started last */
extern char *standin_ca;       /* its CA's certificate */

/* 0, or -1. */
int standin_start(void) NODISCARD;
int standin_restart(void) NODISCARD;
void standin_stop(void);

/* Another one on the same state, listening at ADDRESS. */
pid_t standin_serve(const char *address);
void standin_end(pid_t pid);

/* A file of its folder; NULL. The caller frees it. */
char *standin_read(const char *name) NODISCARD;
/* Runs `apiserver ctl` with these words (NULL at the end): what it printed, without the newline. The caller frees it.
 */
char *standin_ctl(const char *first, ...) NODISCARD;
#define CTL(...) free(standin_ctl(__VA_ARGS__, (char *)NULL))
/* The teardown of a test that sets another mode, for the next one's sake: a test that fails does not come to its end.
 */
int standin_mode_ok(void **state);
/* How many requests it got, and over how many connections, since `requests --clear`. */
size_t standin_count(json_int_t *ret_connections);
