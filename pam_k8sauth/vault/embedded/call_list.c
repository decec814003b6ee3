/* SPDX-License-Identifier: Apache-2.0 */
/* What a call lists: names of the store, kept for the next call where they are few, under the call's own writes. */
#include "vault/embedded/core_internal.h"

#include <errno.h>
#include <stdio.h>

#include "base/text.h"

#define OPEN_BATCH 2048 /* names that one run opens */

/* --- folders that are asked for again and again (a mount's roles, at each login) */

static void names_free(char **names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(names[i]);
	free(names);
}

static void folder_clear(struct kept_folder *folder)
{
	names_free(folder->names, folder->n);
	free(folder->path);
	*folder = (struct kept_folder){ 0 };
}

void folders_free(struct core *core)
{
	for (size_t i = 0; i < KEPT_FOLDERS; i++)
		folder_clear(&core->folders[i]);
}

/*
 * A place for the names of PATH, which are on their way; its number. From now on each commit that may change them takes
 * it away: what the store answers is older.
 */
static uint64_t folder_reserve(struct core *core, const char *path)
{
	struct kept_folder *folder = &core->folders[core->folder_serial % KEPT_FOLDERS];

	folder_clear(folder);
	folder->path = strdup(path);
	folder->serial = ++core->folder_serial;
	return folder->serial;
}

static char **names_copy(char *const *names, size_t n)
{
	char **copy = calloc(n + 1, sizeof(*copy));

	for (size_t i = 0; copy && i < n; i++) {
		copy[i] = strdup(names[i]);
		if (!copy[i]) {
			names_free(copy, i);
			return NULL;
		}
	}
	return copy;
}

/* LISTING has its names: they are kept, if its place is still there. */
static void folder_keep(struct core *core, const struct call_listing *listing)
{
	for (size_t i = 0; i < KEPT_FOLDERS; i++) {
		struct kept_folder *folder = &core->folders[i];

		if (!folder->path || folder->serial != listing->kept)
			continue;
		folder->names = listing->n <= KEPT_NAMES ? names_copy(listing->names, listing->n) : NULL;
		folder->n = folder->names ? listing->n : 0;
		if (!folder->names)
			folder_clear(folder);
	}
}

/* Whether WRITE may change the names in FOLDER: it is below, or takes the folder itself away. */
static bool touches(const struct call_write *write, const char *folder)
{
	return write->kind != WRITE_META && (starts_with(write->key, folder) ||
						(write->kind == WRITE_DELETE_TREE && starts_with(folder, write->key)));
}

void folders_forget(const struct call_private *call)
{
	struct core *core = call->call.core;

	for (size_t i = 0; i < KEPT_FOLDERS; i++) {
		for (size_t w = 0; w < call->writes.n && core->folders[i].path; w++) {
			if (touches(&call->writes.items[w], core->folders[i].path))
				folder_clear(&core->folders[i]);
		}
	}
}

/* A listing for CALL of what is kept of PATH; NULL: nothing is. */
static struct call_listing *listing_of_kept(struct call_private *call, const char *path)
{
	for (size_t i = 0; i < KEPT_FOLDERS; i++) {
		const struct kept_folder *folder = &call->call.core->folders[i];
		struct call_listing *listing;

		if (!folder->names || !streq(folder->path, path))
			continue;
		listing = calloc(1, sizeof(*listing));
		if (!listing)
			return NULL;
		listing->call = call;
		listing->folder = strdup(path);
		listing->names = names_copy(folder->names, folder->n);
		listing->n = listing->names ? folder->n : 0;
		if (listing->folder && listing->names) {
			STAILQ_INSERT_TAIL(&call->listings, listing, link);
			return listing;
		}
		names_free(listing->names, listing->n);
		free(listing->folder);
		free(listing);
		return NULL;
	}
	return NULL;
}

/* --- listings */

static void sealed_free(struct call_listing *listing)
{
	for (size_t i = 0; i < listing->n_sealed; i++)
		free(listing->sealed[i].name.data);
	free(listing->sealed);
	listing->sealed = NULL;
	listing->n_sealed = 0;
}

void call_listings_free(struct call_private *call)
{
	struct call_listing *listing;

	while ((listing = STAILQ_FIRST(&call->listings))) {
		STAILQ_REMOVE_HEAD(&call->listings, link);
		sealed_free(listing);
		names_free(listing->names, listing->n);
		free(listing->folder);
		free(listing);
	}
}

/* A name must be the one that its record is found by: else records were swapped. */
static int open_name(struct call_listing *listing, const struct store_child *child, char **ret)
{
	const struct barrier *barrier = call_barrier(listing->call);
	char *whole AUTO_FREE = NULL;
	struct store_blob name;
	struct store_key key;
	int r;

	r = barrier_open(barrier, listing->folder, strlen(listing->folder), &child->name, &name);
	if (r < 0)
		return r;
	if (asprintf(&whole, "%s%s", listing->folder, (char *)name.data) < 0) {
		whole = NULL;
		free(name.data);
		return -ENOMEM;
	}
	r = barrier_hash(barrier, whole, strlen(whole), &key);
	if (r == 0 && memcmp(&key, &child->key, sizeof(key)) != 0)
		r = -EBADMSG;
	if (r < 0) {
		free(name.data);
		return r;
	}
	*ret = (char *)name.data;
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void on_listed(void *arg, struct store_child **children, size_t n, int r)
{
	struct call_listing *listing = arg;

	listing->loading = false;
	if (r == 0) {
		listing->sealed = TAKE_PTR(*children);
		listing->n_sealed = listing->sealed ? n : 0;
		listing->names = calloc(n + 1, sizeof(*listing->names));
		r = listing->names ? 0 : -ENOMEM;
	}
	if (r == 0 && !listing->sealed)
		folder_keep(listing->call->call.core, listing);
	call_listed(listing->call, r);
}

static int give_way(struct call_private *call)
{
	call_yield(&call->call);
	return -EAGAIN;
}

/* Opens the names that came, some at a time, and sorts them: the loop does other things in between. 0, -EAGAIN,
 * -EBADMSG, -ENOMEM. */
static int open_names(struct call_private *call, struct call_listing *listing)
{
	const bool is_long = listing->n_sealed > OPEN_BATCH;
	size_t i;

	for (i = 0; listing->n < listing->n_sealed; i++) {
		int r;

		if (i == OPEN_BATCH)
			return give_way(call);
		r = open_name(listing, &listing->sealed[listing->n], &listing->names[listing->n]);
		if (r == -EBADMSG)
			log_line(LOG_ERR, call->call.request->ref,
			    "store: the list of %s was changed by somebody else: refused", listing->folder);
		if (r < 0)
			return r;
		listing->n++;
	}
	if (is_long && i > 0)
		return give_way(call);
	sealed_free(listing);
	qsort(listing->names, listing->n, sizeof(*listing->names), compare_names);
	folder_keep(call->call.core, listing);
	return is_long ? give_way(call) : 0;
}

/* Starts to read the children of FOLDER. */
static int start_listing(struct call_private *call, const char *folder)
{
	struct call_listing *listing = calloc(1, sizeof(*listing));
	struct store_key key;
	int r;

	if (!listing)
		return -ENOMEM;
	listing->call = call;
	listing->folder = strdup(folder);
	listing->loading = true;
	r = listing->folder ? barrier_hash(call_barrier(call), folder, strlen(folder), &key) : -ENOMEM;
	if (r == 0)
		r = store_list(call->call.core->store, &key, on_listed, listing);
	if (r < 0) {
		free(listing->folder);
		free(listing);
		return r;
	}
	STAILQ_INSERT_TAIL(&call->listings, listing, link);
	if (!call->barrier)
		listing->kept = folder_reserve(call->call.core, folder);
	call_list_started(call);
	return -EAGAIN;
}

/* Whether the call itself removes or adds NAME of FOLDER: 1 adds, -1 removes, 0 neither. */
static int own_change(struct call_private *call, const char *folder, const char *name)
{
	char *key AUTO_FREE = NULL;
	const struct call_write *write;

	if (asprintf(&key, "%s%s", folder, name) < 0) {
		key = NULL;
		return 0;
	}
	write = call_own_write(call, key);
	return !write ? 0 : write->kind == WRITE_PUT ? 1 : -1;
}

/* The names below FOLDER that the call itself writes, added to NAMES (an object, as a set). */
static int add_own_names(struct call_private *call, const char *folder, json_t *names)
{
	size_t len = strlen(folder);

	for (size_t i = 0; i < call->writes.n; i++) {
		const struct call_write *write = &call->writes.items[i];
		const char *name = write->key + len;
		char *first AUTO_FREE = NULL;

		if (write->kind != WRITE_PUT || strncmp(write->key, folder, len) != 0 ||
		    call_own_write(call, write->key) != write)
			continue;
		first = strndup(name, strcspn(name, "/") + (strchr(name, '/') != NULL));
		if (!first || json_object_set_new(names, first, json_true()))
			return -ENOMEM;
	}
	return 0;
}

static int names_json(char *const *names, size_t n, json_t **ret)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++) {
		if (json_array_append_new(list, json_string(names[i]))) {
			json_decref(list);
			return -ENOMEM;
		}
	}
	*ret = list;
	return list ? 0 : -ENOMEM;
}

/* Whether the call itself writes anything below FOLDER. */
static bool has_own_names(const struct call_private *call, const char *folder)
{
	for (size_t i = 0; i < call->writes.n; i++)
		if (starts_with(call->writes.items[i].key, folder))
			return true;
	return false;
}

static int merged_names(struct call_private *call, const struct call_listing *listing, json_t **ret)
{
	json_t *set = json_object();
	char **sorted AUTO_FREE = NULL;
	size_t n = 0;
	int r = set ? add_own_names(call, listing->folder, set) : -ENOMEM;

	for (size_t i = 0; r == 0 && i < listing->n; i++)
		if (own_change(call, listing->folder, listing->names[i]) == 0 &&
		    json_object_set_new(set, listing->names[i], json_true()))
			r = -ENOMEM;
	if (r == 0)
		sorted = calloc(json_object_size(set) + 1, sizeof(*sorted));
	for (void *iter = sorted ? json_object_iter(set) : NULL; iter; iter = json_object_iter_next(set, iter)) {
		const char *name = json_object_iter_key(iter);

		sorted[n++] = (char *)(uintptr_t)name;
	}
	if (n)
		qsort(sorted, n, sizeof(*sorted), compare_names);
	if (r == 0)
		r = sorted ? names_json(sorted, n, ret) : -ENOMEM;
	json_decref(set);
	return r;
}

static int all_names(struct call_private *call, struct call_listing *listing, json_t **ret)
{
	int r = listing->loading ? -EAGAIN : listing->sealed ? open_names(call, listing) : 0;

	if (r < 0)
		return r;
	return has_own_names(call, listing->folder) ? merged_names(call, listing, ret)
						    : names_json(listing->names, listing->n, ret);
}

int core_list(struct call *call, const char *prefix, json_t **ret)
{
	struct call_private *private = private_of(call);
	struct call_listing *listing;

	if (*prefix && !ends_with(prefix, "/"))
		return -EINVAL;
	if (!call_barrier(private))
		return -EIO; /* sealed */
	STAILQ_FOREACH(listing, &private->listings, link)
	if (streq(listing->folder, prefix))
		return all_names(private, listing, ret);
	listing = call->private->barrier ? NULL : listing_of_kept(private, prefix);
	return listing ? all_names(private, listing, ret) : start_listing(private, prefix);
}
