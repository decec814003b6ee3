/* SPDX-License-Identifier: Apache-2.0 */
/* What a `seal "TYPE" { }` block may say. A kind of seal has one entry here, and one file beside this one. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum seal_value {
	SEAL_TEXT,
	SEAL_NAME, /* of a systemd credential: no path */
	SEAL_FILE, /* an absolute path */
	SEAL_URL,  /* https://... or http://... */
};

struct seal_setting {
	const char *name;
	enum seal_value value;
	const char *preset; /* where the block does not say it; NULL: none */
	bool required;
};

#define SEAL_SETTINGS_MAX 8

struct seal_settings {
	const char *type;
	struct seal_setting settings[SEAL_SETTINGS_MAX]; /* up to one without a name */
};

/* All kinds; ends with a NULL type. */
extern const struct seal_settings seal_settings[];

/* A block that was read: VALUES are in the order of the kind's settings, NULL where one is not set. */
struct seal_config {
	const struct seal_settings *kind;
	char *values[SEAL_SETTINGS_MAX];
};

/* The entry of TYPE; NULL. */
const struct seal_settings *seal_settings_of(const char *type);
/* What CONFIG says of NAME, which is a setting of its kind; NULL. */
const char *seal_config_value(const struct seal_config *config, const char *name);
