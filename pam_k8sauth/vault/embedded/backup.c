/* SPDX-License-Identifier: Apache-2.0 */
/* Backups: the store's copy with a mark that tells, without any key, what it is a copy of. */
#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "vault/embedded/core_internal.h"
#include "vault/embedded/nanotime.h"
#include "vault/embedded/token.h"

int core_backup(struct core *core, store_copied_fn *done, void *arg)
{
	json_auto_t *mark = NULL;
	struct store_blob text = { 0 };

	if (core_sealed(core))
		return -EPERM;
	mark = json_pack("{s:I, s:s, s:s, s:s, s:I}", "time", (json_int_t)time(NULL), "version", K8SAUTH_VERSION,
	    "cluster_id", core->cluster_id, "cluster_name", core->cluster_name, "tokens",
	    (json_int_t)tokens_count(core->tokens));
	text.len = mark ? json_dumpb(mark, NULL, 0, JSON_COMPACT) : 0;
	text.data = text.len ? malloc(text.len) : NULL;
	if (!text.data)
		return -ENOMEM;
	json_dumpb(mark, (char *)text.data, text.len, JSON_COMPACT);
	return store_backup(core->store, text, done, arg);
}

/* The mark NAME, the caller's; no data where there is none. */
static int read_mark(struct core *core, const char *name, struct store_blob *ret)
{
	int r = store_meta_get(core->store, name, ret);

	return r == -ENOENT ? 0 : r;
}

/* The time that MARK says, in nanoseconds; 0 where it is none. Anybody can have written it. */
static int64_t time_of(const struct store_blob *mark)
{
	json_auto_t *json = mark->data ? json_loadb((const char *)mark->data, mark->len, 0, NULL) : NULL;

	return nanotime_after(0, json_integer_value(json_object_get(json, "time")));
}

static bool is_same(const struct store_blob *a, const struct store_blob *b)
{
	return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

int core_read_restored(struct core *core)
{
	struct store_blob at = { 0 }, from = { 0 }, backup = { 0 };
	int r = read_mark(core, STORE_META_RESTORED, &at);

	if (r == 0)
		r = read_mark(core, STORE_META_RESTORED_FROM, &from);
	if (r == 0)
		r = read_mark(core, STORE_META_BACKUP, &backup);
	core->restored = (struct core_restored){ .made = time_of(&backup), .at = time_of(&at) };
	if (r == 0 && !is_same(&backup, &from)) {
		log_notice("store: it is a backup that was put in its place by hand: tokens and leases are as after "
			   "`k8sauth operator restore`");
		core->restored.at = nanotime_now();
		core->restored_by_hand = backup;
		backup = (struct store_blob){ 0 };
	}
	free(at.data);
	free(from.data);
	free(backup.data);
	return r;
}

static void on_marked(struct core *core, int r, void *arg)
{
	if (r < 0)
		return;
	free(core->restored_by_hand.data);
	core->restored_by_hand = (struct store_blob){ 0 };
}

int core_mark_restored(struct call *call)
{
	const struct store_blob *backup = &call->core->restored_by_hand;
	char mark[64];
	int r;

	if (!backup->data)
		return 0;
	snprintf(mark, sizeof(mark), "{\"time\":%lld}", (long long)(call->core->restored.at / NANOTIME_SECOND));
	r = call_put_meta(call, STORE_META_RESTORED, mark, strlen(mark));
	if (r == 0)
		r = call_put_meta(call, STORE_META_RESTORED_FROM, backup->data, backup->len);
	if (r == 0)
		call_on_commit(call, on_marked, NULL);
	return r;
}

const struct core_restored *core_restored(const struct core *core)
{
	return &core->restored;
}
