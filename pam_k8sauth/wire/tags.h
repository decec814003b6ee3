/* SPDX-License-Identifier: Apache-2.0 */
/* What each item of the wire protocol holds: for checking and for printing without secrets. Used inside wire/ only. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum wire_kind {
	WIRE_KIND_U32,
	WIRE_KIND_TEXT,
	WIRE_KIND_SECRET,      /* any bytes */
	WIRE_KIND_SECRET_TEXT, /* text that no log may show */
	WIRE_KIND_ENV,	       /* NAME=value: a log may show the name */
	WIRE_KIND_FILE,	       /* name and content: a log may show the name */
};

struct wire_tag_info {
	const char *name; /* for a log */
	enum wire_kind kind;
	bool repeats;
};

/* NULL for a tag that this version does not know. Every known tag is below 64. */
const struct wire_tag_info *wire_tag_info(uint16_t tag);
