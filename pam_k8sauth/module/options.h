/* SPDX-License-Identifier: Apache-2.0 */
/* The options of the PAM line (options.def). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Every field is there for every option; texts point into the line and are NULL where the option is absent. */
struct options {
#define OPTION_FLAG(name)	bool name;
#define OPTION_ALLOW(name)	bool name;
#define OPTION_TEXT(name)	const char *name;
#define OPTION(kind, name, ...) OPTION_##kind(name)
#include "module/options.def"
#undef OPTION
#undef OPTION_FLAG
#undef OPTION_ALLOW
#undef OPTION_TEXT
};

/*
 * Reads one argument of the line into OPTIONS. NULL, or what is wrong with it, in words that follow the argument in a
 * log line ("is unknown"). A careful module does not go on then: an option that it does not know may be a gate.
 */
const char *option_parse(struct options *options, const char *argument);

/* What is wrong with OPTIONS as a whole, once all are read; NULL: nothing. */
const char *options_conflict(const struct options *options);
