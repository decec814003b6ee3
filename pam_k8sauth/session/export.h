/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a session gets (decision 19): `export` blocks name secrets, and the block "policy" derives KV version 2 paths
 * from what the token's own policies allow. Everything is read with the session's token. A secret that cannot be read
 * is left out with a journal line; it never fails the login.
 */
#pragma once

#include "session/state.h"

#define EXPORT_SECRETS_MAX 64
#define EXPORT_LISTS_MAX   64 /* LIST requests for `*` */
#define EXPORT_FILES_MAX   1024
#define EXPORT_SECRET_MAX  (64 * 1024)
#define EXPORT_TOTAL_MAX   (2 * 1024 * 1024)
#define EXPORT_NAME_MAX	   128 /* bytes of a name of a directory or file */

/* One secret to read. */
struct export_item {
	char *path;
	char *name; /* below secrets/: a directory, or a file where the block has field and file */
	const struct export_config *block; /* NULL: derived from the policies */
	bool dropped;			   /* not even read */
	bool no_file;			   /* another item writes the same file: only the variable is wanted */
};

struct export
{
	struct sessions *all;
	struct session_record record;
	struct secret *token;
	char ref[REF_SIZE];
	struct buf *files; /* a begun WIRE_HELPER_SESSION: gets WIRE_FILE items */
	struct buf *env;   /* a begun reply: gets WIRE_ENV items */
	struct deadline until;
	bool stopped; /* set by the owner: nobody waits any more */
	void (*done)(void *arg);
	void *arg;

	struct export_item items[EXPORT_SECRETS_MAX];
	size_t n_items, at_item;
	bool over; /* more secrets than that: said once */
	json_t *acl;
	char **mounts; /* "secret/": KV version 2, NULL-terminated */
	struct export_list {
		char *path;  /* "secret/metadata/app/" */
		char *data;  /* "secret/data/app/": before the names of its answer */
		char *begin; /* what a path must begin with: the policy's path up to its `*` */
	} lists[EXPORT_LISTS_MAX];
	size_t n_lists, at_list;
	size_t bytes, env_bytes, n_files;
};

/* --- export.c -------------------------------------------------------------------------------- */

/* Starts; everything of EXPORT up to ARG is set by the caller. DONE is called once, maybe from inside. */
void export_start(struct export *export);
/* Frees what EXPORT holds (not EXPORT, FILES and ENV). */
void export_clear(struct export *export);
/* A journal line of this login: something is left out. */
void export_note(const struct export *export, const char *format, ...) PRINTF_LIKE(2, 3);
/* Adds a secret to be read: PATH and NAME are copied, NAME NULL: the path with '.' for '/'. */
void export_add(struct export *export, const char *path, const char *name, const struct export_config *block);

/* --- export_plan.c --------------------------------------------------------------------------- */

/* The named blocks that this session's service has. */
void export_plan_named(struct export *export);
/* Whether the block "policy" is on for the service. */
bool export_wants_policy(const struct export *export);
/* The KV version 2 mounts of sys/internal/ui/mounts. */
bool export_take_mounts(struct export *export, const json_t *mounts) NODISCARD;
/* From export->acl (resultant-acl) and mounts: exact paths become items, `*` become lists. */
void export_plan_policy(struct export *export);
/* What a list answered: items. */
void export_plan_listed(struct export *export, const struct export_list *list, const json_t *keys);
/* Drops items whose names are unsafe, and all that share one. */
void export_check_names(struct export *export);
/* Whether NAME is safe as one component below a session's directory. */
bool export_name_safe(const char *name, size_t len);

/* --- export_files.c -------------------------------------------------------------------------- */

/* Writes ITEM's secret into FILES and ENV: DATA is the answer's data. */
void export_write(struct export *export, const struct export_item *item, const json_t *data);
