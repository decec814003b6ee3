/* SPDX-License-Identifier: Apache-2.0 */
/* Where a key-value secret lives; the verbs of kv share it. */
#pragma once

#include "cli/cli.h"

struct kv_place {
	char *mount; /* "secret/" */
	char *path;  /* mount and key as people know them: "secret/webapp/db" */
	char *rest;  /* the key below the mount, no leading slash */
	bool v2;
};

void kv_place_free(struct kv_place *place);
#define AUTO_PLACE CLEANUP(kv_place_free)

/* Asks the server where the first argument of CLI lives. CLI_OK, or CLI_SERVER after the reason was printed. */
int kv_find(struct cli *cli, struct kv_place *ret);
/* The path of the API: FOLDER ("data") comes between mount and key in version 2. The caller frees it. */
char *kv_api_path(const struct kv_place *place, const char *folder);
/* {"versions": [...]} of -versions. The caller owns it. */
struct value *kv_versions(const struct cli *cli);
/* Prints "Success! Data written to: PATH", or REPLY where there is one. */
int kv_written(const struct cli *cli, const char *path, const struct reply *reply);
