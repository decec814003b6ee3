/* SPDX-License-Identifier: Apache-2.0 */
/* Whether nsswitch.conf has a service for a database, and whether it is ever asked. */
#pragma once

#include <stddef.h>

enum nsswitch_place {
	NSSWITCH_NO_LINE, /* nothing is said about the database */
	NSSWITCH_ABSENT,
	NSSWITCH_CUT_OFF, /* an action such as [NOTFOUND=return] in front of it ends the search */
	NSSWITCH_THERE,
};

/* Looks for SERVICE in the line of DATABASE, which is the last one, as libc has it. *RET_LINE is its number, or 0. */
enum nsswitch_place nsswitch_find(
    const char *text, size_t len, const char *database, const char *service, unsigned *ret_line);
