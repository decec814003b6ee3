/* SPDX-License-Identifier: Apache-2.0 */
/* Backups: the store's copy with a mark that tells, without any key, what it is a copy of. */
#include <errno.h>
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

/* The time that the mark NAME says, in nanoseconds. 0 also where there is no mark. */
static int read_time(struct core *core, const char *name, int64_t *ret)
{
	struct store_blob text = { 0 };
	json_auto_t *mark = NULL;
	int r = store_meta_get(core->store, name, &text);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	mark = json_loadb((char *)text.data, text.len, 0, NULL);
	free(text.data);
	*ret = json_integer_value(json_object_get(mark, "time")) * NANOTIME_SECOND;
	return 0;
}

int core_read_restored(struct core *core)
{
	int r = read_time(core, STORE_META_RESTORED, &core->restored.at);

	return r < 0 ? r : read_time(core, STORE_META_BACKUP, &core->restored.made);
}

const struct core_restored *core_restored(const struct core *core)
{
	return &core->restored;
}
