/* SPDX-License-Identifier: Apache-2.0 */
/* Looking for leftovers; see tidy.h. */
#include "vault/embedded/tidy.h"

#include <errno.h>
#include <stdio.h>

#include "base/log.h"
#include "base/text.h"
#include "vault/embedded/core_internal.h"

#define STEP 128 /* names of one step, and of one transaction */

/* A folder on the way from tidy_folder.path down to where the walk is. */
struct level {
	char *path;
	json_t *names; /* NULL: not listed yet */
	size_t at;
};

struct tidy {
	struct core *core;
	const char *what;
	const struct tidy_folder *folder;
	bool *running;
	struct level levels[PATH_PARTS_MAX + 8];
	size_t n;
	/* Of the step under way, and of all. */
	size_t step_seen, step_removed, seen, removed;
	char *below; /* the folder that the step has come to; NULL */
};

static void pop(struct tidy *tidy)
{
	struct level *level = &tidy->levels[--tidy->n];

	free(level->path);
	json_decref(level->names);
	*level = (struct level){ 0 };
}

static void tidy_free(struct tidy *tidy)
{
	while (tidy->n)
		pop(tidy);
	free(tidy->below);
	free(tidy);
}

/* PATH is taken over. 0, -ENOMEM, -ELOOP. */
static int push(struct tidy *tidy, char *path)
{
	if (!path)
		return -ENOMEM;
	if (tidy->n == ARRAY_SIZE(tidy->levels)) {
		free(path);
		return -ELOOP;
	}
	tidy->levels[tidy->n++].path = path;
	return 0;
}

void tidy_removed(struct tidy *tidy)
{
	tidy->step_removed++;
}

int tidy_remove(struct call *call, struct tidy *tidy, const char *folder, const char *name)
{
	char *key AUTO_FREE = NULL;

	if (asprintf(&key, "%s%s", folder, name) < 0) {
		key = NULL;
		return -ENOMEM;
	}
	tidy_removed(tidy);
	return core_delete(call, key);
}

/* The next names, up to a folder that is to be looked into. */
static int look_at_some(struct call *call, struct tidy *tidy, const struct level *level)
{
	bool waiting = false;

	for (size_t i = level->at; i < json_array_size(level->names) && i < level->at + STEP; i++) {
		const char *name = json_string_value(json_array_get(level->names, i));
		int r = tidy->folder->look(call, tidy, level->path, name);

		if (r == -EAGAIN) {
			waiting = true; /* ask for the others before waiting for this one */
			continue;
		}
		if (r < 0 && r != -EIO)
			return r;
		tidy->step_seen++;
		if (r != TIDY_BELOW)
			continue;
		if (asprintf(&tidy->below, "%s%s", level->path, name) < 0) {
			tidy->below = NULL;
			return -ENOMEM;
		}
		break;
	}
	return waiting ? -EAGAIN : 0;
}

static int step(struct call *call)
{
	struct tidy *tidy = call->state;
	struct level *level = &tidy->levels[tidy->n - 1];

	tidy->step_seen = tidy->step_removed = 0;
	free(TAKE_PTR(tidy->below));
	if (!level->names) {
		int r = core_list(call, level->path, &level->names);

		if (r < 0)
			return r;
	}
	return look_at_some(call, tidy, level);
}

static void go_on(struct tidy *tidy);

static void end(struct tidy *tidy, int r)
{
	if (r < 0 && r != -ECANCELED)
		log_warning("tidy: looking for leftovers of %s failed: %s; remedy: start it again", tidy->what, strerror(-r));
	else
		log_info("tidy: %s: looked at %zu records, removed %zu leftovers%s", tidy->what, tidy->seen, tidy->removed,
		    r < 0 ? " before it was stopped" : "");
	*tidy->running = false;
	tidy_free(tidy);
}

static void stepped(void *arg, int r)
{
	struct tidy *tidy = arg;
	struct level *level = &tidy->levels[tidy->n - 1];

	if (r == 0) {
		level->at += tidy->step_seen;
		tidy->seen += tidy->step_seen;
		tidy->removed += tidy->step_removed;
		if (tidy->below)
			r = push(tidy, TAKE_PTR(tidy->below));
		else if (level->at >= json_array_size(level->names))
			pop(tidy);
	}
	if (r < 0)
		end(tidy, r);
	else
		go_on(tidy);
}

static void go_on(struct tidy *tidy)
{
	if (tidy->n == 0) {
		tidy->folder++;
		if (!tidy->folder->path || push(tidy, strdup(tidy->folder->path)) < 0) {
			end(tidy, tidy->folder->path ? -ENOMEM : 0);
			return;
		}
	}
	core_run(tidy->core, step, tidy, NULL, stepped, tidy);
}

int tidy_start(struct core *core, const char *what, const struct tidy_folder *folders, bool *running)
{
	struct tidy *tidy = *running ? NULL : calloc(1, sizeof(*tidy));

	if (!tidy)
		return *running ? -EBUSY : -ENOMEM;
	*tidy = (struct tidy){ .core = core, .what = what, .folder = folders, .running = running };
	if (push(tidy, strdup(folders->path)) < 0) {
		tidy_free(tidy);
		return -ENOMEM;
	}
	*running = true;
	go_on(tidy);
	return 0;
}

int tidy_answer(struct call *call)
{
	call_warn(call, "Tidy operation successfully started. Any information from the operation will be printed to "
			"Vault's server logs.");
	call->response->status = 202;
	return 0;
}
