/* SPDX-License-Identifier: Apache-2.0 */
/* One test for each cell of the table of return codes; see cells.h. */
#include "cells.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <security/_pam_types.h>

#include "base/macros.h"

#define NONE (-1)

static const struct {
	const char *name;
	int codes[N_PHASES];
} table[N_SITUATIONS] = {
#define CODE(situation, text, ...) [SITUATION_##situation] = { #situation, { __VA_ARGS__ } },
#include "module/codes.def"
#undef CODE
};

static unsigned (*seen)[N_PHASES]; /* the first scenario that reached it, from 1; 0: none */
static unsigned now;

__attribute__((visibility("default"))) void cell_seen(enum phase phase, enum situation situation)
{
	if (seen && seen[situation][phase] == 0)
		seen[situation][phase] = now;
}

bool cells_begin(void)
{
	seen = mmap(NULL, N_SITUATIONS * sizeof(*seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return seen != MAP_FAILED;
}

void cells_scenario(unsigned number)
{
	now = number;
}

bool cells_report(char *const *names)
{
	unsigned n = 0;
	bool all = true;

	for (int s = 0; s < N_SITUATIONS; s++) {
		for (int p = 0; p < N_PHASES; p++) {
			bool can = table[s].codes[p] != NONE, was = seen[s][p] != 0;

			printf("%sok %u - %s of %s %s%s\n", can == was ? "" : "not ", ++n, table[s].name, phase_name(p),
			    !was ? (can ? "is reached by no scenario" : "cannot happen")
				 : (can ? "by " : "cannot happen, and did in "),
			    was ? names[seen[s][p] - 1] : "");
			all = all && can == was;
		}
	}
	printf("1..%u\n", n);
	return all;
}
