/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a session gets (decision 19): `export` blocks name secrets, and the block "policy" derives KV version 2 paths
 * from what the token's own policies allow. Everything is read with the session's token. A secret that cannot be read
 * is left out with a journal line; it never fails the login.
 */
#pragma once

#include "session/manifest.h"
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
	struct block_lease *lease;	   /* what was read, if it has one; whoever needs it takes it */
	bool leased; /* reading it makes something anew, such as a database role: read once, not looked at again */
	enum {
		EXPORT_UNREAD, /* not asked, or not answered: what lies there of it may be right */
		EXPORT_READ,
		EXPORT_GONE, /* there is no such secret (any more), or the token may not read it */
	} state;
};

enum export_kind {
	EXPORT_OPEN,   /* a session begins: all that it is to get */
	EXPORT_ROTATE, /* the same again: FILES gets what changed, and WIRE_KEEP for what did not */
	EXPORT_GET,    /* one block, for whoever asked for it */
};

/* What was said about a session's export, so that the same is not said every minute. */
#define EXPORT_NOTES_MAX 16
struct export_notes {
	uint32_t hashes[EXPORT_NOTES_MAX];
	unsigned n;
};

struct export
{
	struct sessions *all;
	struct session_record record;
	struct secret *token;
	char ref[REF_SIZE];
	enum export_kind kind;
	const struct export_config *only;  /* GET: the block */
	const struct manifest *before;	   /* ROTATE: what lies there; NULL: not known */
	const struct export_notes *silent; /* ROTATE: what need not be said again; NULL: nothing is said */
	struct buf *files;		   /* a begun WIRE_HELPER_SESSION or the like: gets WIRE_FILE items */
	struct buf *env;		   /* OPEN: a begun reply: gets WIRE_ENV items */
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

	/* What came of it. */
	struct manifest manifest; /* all files that can be compared later */
	struct export_notes notes;
	size_t at_before; /* where in BEFORE the next file is looked for first */
	size_t n_changed; /* ROTATE: files that are new or not what lies there */
	bool incomplete;  /* what the policies allow is not known */
	char outage[256]; /* ROTATE: why not all could be read; "" */
	struct {
		int status; /* GET: the answer's */
		char why[512];
		json_t *data; /* as the backend gave it */
	} answer;
};

/* --- export.c -------------------------------------------------------------------------------- */

/* Starts; everything of EXPORT up to ARG is set by the caller. DONE is called once, maybe from inside. */
void export_start(struct export *export);
/* Frees what EXPORT holds (not EXPORT, FILES and ENV). */
void export_clear(struct export *export);
/* A journal line of this session, unless it was said before: something is left out. */
void export_note(struct export *export, const char *format, ...) PRINTF_LIKE(2, 3);
/* Adds a secret to be read: PATH and NAME are copied, NAME NULL: the path with '.' for '/'. */
void export_add(struct export *export, const char *path, const char *name, const struct export_config *block);

/* --- rotate.c ---------------------------------------------------------------------------- */

/* FILES were written for SESSION, whose record the caller saves, besides those that lie there. */
void rotation_wrote(struct session *session, const struct manifest *files);

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
/* Whether BLOCK is for SERVICE. */
bool export_serves(const struct export_config *block, const char *service);
/* Whether NAME is safe as one component below a session's directory. */
bool export_name_safe(const char *name, size_t len);

/* --- export_files.c -------------------------------------------------------------------------- */

/* The members of the secret in DATA: KV version 2 wraps them. */
const json_t *export_members(const json_t *data);
/* Writes ITEM's secret into FILES and ENV: DATA is the answer's data. */
void export_write(struct export *export, const struct export_item *item, const json_t *data);
