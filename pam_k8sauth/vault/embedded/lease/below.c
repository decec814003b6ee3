/* SPDX-License-Identifier: Apache-2.0 */
/* Leases found by prefix, by token, and because they cannot be revoked. */
#include <errno.h>
#include <stdio.h>

#include "base/log.h"
#include "base/text.h"
#include "vault/embedded/core_internal.h"
#include "vault/embedded/lease/lease_internal.h"

#define BELOW_MAX 1000000 /* leases of one prefix */
#define RETRY_S	  60

int leases_names(struct call *call, const char *prefix, json_t **ret)
{
	char key[LEASE_KEY_SIZE];

	if ((size_t)snprintf(key, sizeof(key), LEASE_PATHS "%s", prefix) >= sizeof(key)) {
		*ret = json_array();
		return *ret ? 0 : -ENOMEM;
	}
	return core_list(call, key, ret);
}

/* The folders are asked for before the first is waited for. 0, -EAGAIN, -errno. */
static int add_below(struct call *call, const char *prefix, json_t *ids)
{
	json_auto_t *names = NULL;
	bool waiting = false;
	json_t *name;
	size_t i;
	int r = leases_names(call, prefix, &names);

	json_array_foreach(names, i, name)
	{
		char *id AUTO_FREE = NULL;

		if (r < 0)
			return r;
		if (asprintf(&id, "%s%s", prefix, json_string_value(name)) < 0) {
			id = NULL;
			return -ENOMEM;
		}
		if (ends_with(id, "/"))
			r = add_below(call, id, ids);
		else if (json_array_size(ids) >= BELOW_MAX)
			r = -EFBIG;
		else
			r = json_array_append_new(ids, json_string(id)) < 0 ? -ENOMEM : 0;
		if (r == -EAGAIN) {
			waiting = true;
			r = 0;
		}
	}
	return r < 0 ? r : waiting ? -EAGAIN : 0;
}

int leases_below(struct call *call, const char *prefix, json_t **ret)
{
	json_t *ids = json_array();
	int r = ids ? add_below(call, prefix, ids) : -ENOMEM;

	if (r < 0)
		json_decref(ids);
	else
		*ret = ids;
	return r;
}

int leases_irrevocable_all(struct call *call, json_t **ret)
{
	json_auto_t *names = NULL, *all = json_array();
	bool waiting = false;
	json_t *name;
	size_t i;
	int r = all ? core_list(call, LEASE_IRREVOCABLE, &names) : -ENOMEM;

	json_array_foreach(names, i, name)
	{
		struct lease *lease AUTO_LEASE = NULL;
		const struct mount *mount;
		int one = r < 0 ? r : lease_load(call, json_string_value(name), &lease);

		if (one == -EAGAIN)
			waiting = true;
		else if (one < 0 && one != -ENOENT && one != -EIO)
			return one;
		if (one < 0 || !lease->revoke_error)
			continue;
		mount = lease_mount(call->core, lease);
		if (json_array_append_new(all, json_pack("{s:s, s:s, s:s}", "lease_id", lease->id, "mount_id",
						   mount ? mount->accessor : "", "error", lease->revoke_error)) < 0)
			return -ENOMEM;
	}
	if (r == 0 && !waiting)
		*ret = json_incref(all);
	return r < 0 ? r : waiting ? -EAGAIN : 0;
}

/* --- of a token that is gone */

struct token_gone {
	LIST_ENTRY(token_gone) link;
	struct leases *leases;
	char hex[LEASE_HEX_LEN + 1];
	json_t *folders; /* of its leases; NULL: not listed yet */
	size_t at;
	struct event *retry;
};

static void gone_free(struct token_gone *gone)
{
	if (gone->retry)
		event_free(gone->retry);
	json_decref(gone->folders);
	free(gone);
}

void leases_gone_stop(struct leases *leases)
{
	struct token_gone *gone;

	while ((gone = LIST_FIRST(&leases->gone))) {
		LIST_REMOVE(gone, link);
		gone_free(gone);
	}
}

static int end_one(struct call *call, const char *folder, const char *rest)
{
	struct lease *lease AUTO_LEASE = NULL;
	char hex[LEASE_HEX_LEN + 1];
	int r;

	if ((size_t)snprintf(hex, sizeof(hex), "%.2s%s", folder, rest) != LEASE_HEX_LEN)
		return 0;
	r = lease_load(call, hex, &lease);
	if (r == -ENOENT || r == -EIO)
		return 0;
	return r < 0 ? r : lease_has_ended(lease) ? 0 : lease_end(call, lease);
}

/* One folder of its leases, whose names are a 256th of all. */
static int gone_step(struct call *call)
{
	struct token_gone *gone = call->state;
	json_auto_t *names = NULL;
	char key[LEASE_KEY_SIZE];
	const char *folder;
	bool waiting = false;
	json_t *name;
	size_t i;
	int r = 0;

	snprintf(key, sizeof(key), LEASE_TOKENS "%s/", gone->hex);
	if (!gone->folders)
		r = core_list(call, key, &gone->folders);
	folder = json_string_value(json_array_get(gone->folders, gone->at));
	if (r < 0 || !folder)
		return r;
	snprintf(key, sizeof(key), LEASE_TOKENS "%s/%s", gone->hex, folder);
	r = core_list(call, key, &names);
	json_array_foreach(names, i, name)
	{
		int one = r < 0 ? r : end_one(call, folder, json_string_value(name));

		if (one == -EAGAIN)
			waiting = true;
		else if (one < 0)
			return one;
	}
	return r < 0 ? r : waiting ? -EAGAIN : 0;
}

static void run_gone(struct token_gone *gone);

static void on_retry(evutil_socket_t fd, short events, void *arg)
{
	(void)fd;
	(void)events;
	run_gone(arg);
}

static void gone_done(void *arg, int r)
{
	struct timeval delay = { .tv_sec = RETRY_S };
	struct token_gone *gone = arg;

	if (r == 0 && ++gone->at < json_array_size(gone->folders)) {
		run_gone(gone);
		return;
	}
	if (r < 0 && r != -ECANCELED) {
		log_warning("ending the leases of a token that is gone failed: %s; trying again in %d s", strerror(-r), RETRY_S);
		if (!gone->retry)
			gone->retry = evtimer_new(core_base(gone->leases->core), on_retry, gone);
		if (gone->retry && evtimer_add(gone->retry, &delay) == 0)
			return;
	}
	/* What is left to do, the load at the next start does. */
	LIST_REMOVE(gone, link);
	gone_free(gone);
}

static void run_gone(struct token_gone *gone)
{
	core_run(gone->leases->core, gone_step, gone, NULL, gone_done, gone);
}

void leases_token_gone(struct core *core, const char *hex)
{
	struct leases *leases = core_leases(core);
	struct token_gone *gone = calloc(1, sizeof(*gone));

	if (!gone) {
		log_error("no memory to end the leases of a token: restart k8sauthd");
		return;
	}
	gone->leases = leases;
	snprintf(gone->hex, sizeof(gone->hex), "%s", hex);
	LIST_INSERT_HEAD(&leases->gone, gone, link);
	run_gone(gone);
}
