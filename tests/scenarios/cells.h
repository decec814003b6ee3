/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which cells of the table of return codes (module/codes.def) the scenarios reach: a build of the module that tells them
 * (traced_codes.c) calls the runner.
 */
#pragma once

#include <stdbool.h>

#include "module/codes.h"

/* The runner exports it for the module. */
void cell_seen(enum phase phase, enum situation situation);
/* Before the first scenario; forked processes share what is kept. False: no memory. */
bool cells_begin(void);
/* The scenario that comes now. */
void cells_scenario(unsigned number);
/* Prints TAP, a test for each cell: that a scenario reaches it, or that none does where the table says so. NAMES are
 * the scenarios'. Whether all passed. */
bool cells_report(char *const *names);
