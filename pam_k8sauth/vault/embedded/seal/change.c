/* SPDX-License-Identifier: Apache-2.0 */
/* A change of keyring, root key or shares: all of it in one transaction, in force when that is durable. */
#include "vault/embedded/seal/seal.h"

#include <errno.h>
#include <stdio.h>

void seal_change_free(struct seal_change *change)
{
	if (!change)
		return;
	barrier_free(change->barrier);
	free(change->keyring.data);
	free(change->root_key.data);
	free(change->recovery.data);
	free(change);
}

static void take_blob(struct store_blob *to, struct store_blob *from)
{
	if (!from->data)
		return;
	free(to->data);
	*to = *from;
	*from = (struct store_blob){ 0 };
}

/* Counts of sealed records belong to a term. */
static void use_barrier(struct core *core, struct barrier *barrier)
{
	struct barrier_term_info old, new;

	barrier_term(core->barrier, &old);
	barrier_term(barrier, &new);
	core->sealed_before = old.term == new.term ? core->sealed_before + old.sealed : 0;
	if (old.term != new.term)
		core->sealed_noted = 0;
	barrier_free(core->barrier);
	core->barrier = barrier;
}

static void use_change(struct core *core, int r, void *arg)
{
	struct seal_change *change = arg;
	struct seal *seal = core->seal;

	/* A failed commit may be on the disk nevertheless: then it is in force after the next start, and the keys that
	 * were not handed out open nothing. The old ones do until then. */
	if (r == 0) {
		take_blob(&seal->keyring, &change->keyring);
		take_blob(&seal->root_key, &change->root_key);
		take_blob(&seal->recovery, &change->recovery);
		if (change->shape.shares) {
			seal->shape = change->shape;
			snprintf(seal->stored_type, sizeof(seal->stored_type), "%s", seal->kind->type);
		}
		if (change->barrier && core->barrier)
			use_barrier(core, TAKE_PTR(change->barrier));
	}
	seal_change_free(change);
}

static int put_blob(struct call *call, const char *name, const struct store_blob *blob)
{
	return blob->data ? call_put_meta(call, name, blob->data, blob->len) : 0;
}

static int put_shape(struct call *call, const struct seal_shape *shape)
{
	json_auto_t *json = json_pack("{s:s, s:I, s:I}", "type", call->core->seal->kind->type, "shares",
	    (json_int_t)shape->shares, "threshold", (json_int_t)shape->threshold);
	char *text AUTO_FREE = json ? json_dumps(json, JSON_COMPACT) : NULL;

	return text ? call_put_meta(call, META_SEAL, text, strlen(text)) : -ENOMEM;
}

int seal_change_put(struct call *call, struct seal_change *change)
{
	int r = put_blob(call, META_KEYRING, &change->keyring);

	if (r == 0)
		r = put_blob(call, META_ROOT_KEY, &change->root_key);
	if (r == 0)
		r = put_blob(call, META_RECOVERY, &change->recovery);
	if (r == 0 && change->shape.shares)
		r = put_shape(call, &change->shape);
	if (r < 0)
		seal_change_free(change);
	else
		call_on_commit(call, use_change, change);
	return r;
}
