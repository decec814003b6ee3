/* SPDX-License-Identifier: Apache-2.0 */
/*
 * k8sauth-helper: the only part that is root. It believes nothing that the daemon says: what it publishes and writes is
 * checked against root's own files (decision 14), so that a daemon that was taken over can let a wrong service account
 * in as a k8s user, and can make nobody root.
 *
 * Every function returns 0, or a negative errno with the reason in WHY: -EPERM where the request is refused, others
 * where it could not be carried out.
 */
#pragma once

#include <sys/types.h>

#include "accounts/conf.h"
#include "accounts/index.h"
#include "wire/wire.h"

/* Files and directories; the tests have their own. */
struct helper_places {
	const char *index_dir; /* root's */
	const char *index;     /* a file in it */
	const char *conf;      /* accounts.conf */
	const char *sessions;  /* a directory of root's */
	const char *passwd, *group;
	const char *hook;	 /* a program of root's for users whose secrets changed */
	const char *systemd_run; /* which starts it */
};

/* For refusals: writes WHY, returns -EPERM. */
int helper_refuse(char *why, size_t why_size, const char *format, ...) PRINTF_LIKE(3, 4);
/* For failures: "WHAT: strerror", returns ERROR. */
int helper_fail(char *why, size_t why_size, int error, const char *what);

/* Opens a directory that must be root's, and nobody else's to write. */
int helper_open_dir(int parent, const char *path, int *ret_fd, char *why, size_t why_size) NODISCARD;

/* Whether text is 1 to MAX characters A-Z a-z 0-9 . _ - and does not start with '.': a file name that is no path. */
bool helper_name_valid(const char *text, size_t max);

/* Writes it all: 0 or write's errno. */
int helper_write(int fd, const void *data, size_t len) NODISCARD;

/* --- requests ------------------------------------------------------------------------------------------------- */

/* WIRE_HELPER_PUBLISH: the sealed memfd FD (-1 if none came); REBIND is a Unix name, NULL if none. */
int publish(const struct helper_places *places, int fd, const char *rebind, char *why, size_t why_size) NODISCARD;

/* WIRE_HELPER_SESSION: writes the files that REQUEST names, and leaves the session's other ones alone. */
int files_write(
    const struct helper_places *places, const struct wire_frame *request, char *why, size_t why_size) NODISCARD;

/*
 * WIRE_HELPER_UPDATE: the same for a session that has files already. WIRE_HELPER_ROTATE: besides, what lies below
 * secrets/ and is named by no WIRE_FILE and no WIRE_KEEP goes, and if that changed anything the hook runs.
 */
int files_update(
    const struct helper_places *places, const struct wire_frame *request, char *why, size_t why_size) NODISCARD;

/* WIRE_HELPER_REMOVE: everything of a session. None left is fine. */
int files_remove(const struct helper_places *places, const char *session, char *why, size_t why_size) NODISCARD;

/* WIRE_HELPER_LIST: adds a WIRE_SESSION item per session to REPLY, as many as a frame can hold. */
int files_list(const struct helper_places *places, struct buf *reply, char *why, size_t why_size) NODISCARD;

/* WIRE_HELPER_SIGNAL: adds WIRE_COUNT to REPLY. */
int processes_signal(const struct helper_places *places, const struct wire_frame *request, struct buf *reply, char *why,
    size_t why_size) NODISCARD;

/* Answers one request: REPLY becomes a finished frame. What was refused or failed is logged. */
void helper_answer(
    const struct helper_places *places, const struct wire_frame *request, int passed_fd, struct buf *reply);

/* --- clamp.c -------------------------------------------------------------------------------------------------- */

/*
 * What an index may say: every id, name, group, home and shell as root's files have it; NOW (of no data if there is
 * none) goes on but for what REBIND names.
 */
struct clamp {
	const struct helper_places *places;
	const struct accounts_conf *conf;
	const struct index_map *now, *next;
	const char *rebind; /* NULL: none */
	char *why;
	size_t why_size;
};
int clamp_check(const struct clamp *clamp) NODISCARD;
