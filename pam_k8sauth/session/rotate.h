/* SPDX-License-Identifier: Apache-2.0 */
/* One look at a living session's secrets: rotate.c says when and what becomes of it, rotate_changes.c what changed. */
#pragma once

#include "session/export.h"

/* Of one session, as long as it has files. */
struct rotation {
	struct session *session;
	struct event *timer;
	struct rotation *next; /* waits until fewer are under way */
	bool waiting;
	bool known;		  /* MANIFEST tells what lies there */
	unsigned unread_looks;	  /* that could not be compared after a restart, since a secret was not read */
	struct manifest manifest; /* else the record's digest tells whether it is what it should be */
	struct export_notes notes;
	bool quiet; /* what the daemon before this one said is not said again */
	struct run *run;
};

/* One look. ROTATION is NULL once the session has ended or begun anew: then nothing comes of it. */
struct run {
	struct sessions *all;
	struct rotation *rotation;
	int64_t started;
	struct buf files;
	struct export export;
	struct buf changed, gone; /* names, for the journal */
};

/* --- rotate_changes.c ------------------------------------------------------------------------ */

/* Whether everything was read that is read at all. */
bool run_complete(const struct run *run);
/*
 * Sorts the files that lay there into those that stay, which RUN keeps, and those that go, and names for the journal
 * what changed and what is gone. False without memory.
 */
bool run_compare(struct run *run) NODISCARD;
/* Keeps what is not read again, and what `k8sauth get` wrote since this look began. */
void run_keep_blocks(struct run *run);
/* Whether `k8sauth get` wrote the file NAME since RUN began. */
bool run_got_meanwhile(const struct run *run, const char *name);
