/* SPDX-License-Identifier: Apache-2.0 */
/* The module's own table of codes, which tells the runner each cell that is used. Linked in place of codes.c. */
#define module_code table_code
#include "module/codes.c" /* the same table, under another name */
#undef module_code

#include "../cells.h"

int module_code(enum phase phase, enum situation situation); /* above it was the other one */

int module_code(enum phase phase, enum situation situation)
{
	cell_seen(phase, situation);
	return table_code(phase, situation);
}
