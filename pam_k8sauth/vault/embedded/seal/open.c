/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a sealed store to one that serves: the root key is unwrapped, the keyring opened, and what must be known before
 * the first request is read. At start, by a seal that opens by itself; later by what people bring.
 */
#include "vault/embedded/seal/seal.h"

#include <errno.h>
#include <stdio.h>

#include "vault/embedded/audit/audit.h"
#include "vault/embedded/policies.h"
#include "vault/embedded/rotation.h"
#include "vault/embedded/token.h"

#define AGAIN_FIRST_S 1
#define AGAIN_MAX_S   60

/* --- what is read */

static int load_cluster(struct call *call)
{
	struct core *core = call->core;
	json_t *cluster;
	const char *name, *id;
	int r = core_get(call, CLUSTER_KEY, &cluster);

	if (r < 0)
		return r;
	if (json_unpack(cluster, "{s:s, s:s}", "name", &name, "id", &id) == 0) {
		snprintf(core->cluster_name, sizeof(core->cluster_name), "%s", name);
		snprintf(core->cluster_id, sizeof(core->cluster_id), "%s", id);
		core->created = json_integer_value(json_object_get(cluster, "created"));
	}
	json_decref(cluster);
	/* Again each time: a store of an older release has it only inside of the barrier. */
	return call_put_meta(call, STORE_META_CLUSTER, core->cluster_id, strlen(core->cluster_id));
}

static int load_all(struct call *call)
{
	int r = call->core->n_mounts ? 0 : mounts_load(call);

	if (r == 0)
		r = load_cluster(call);
	if (r == 0)
		r = core_mark_restored(call);
	if (r == 0)
		r = policies_start(call);
	if (r == 0)
		r = tokens_start(call);
	if (r == 0)
		r = rotation_start(call);
	if (r == 0)
		r = audit_load(call);
	if (r == 0)
		r = quotas_load(call);
	return r == 0 ? mounts_complete(call) : r;
}

/* It is open: nothing is left to be tried, so that whoever seals it by hand finds it sealed later, too. */
static void end_tries(struct core *core)
{
	struct seal_opening *opening = &core->seal->opening;

	opening->by_itself = false;
	opening->tries = 0;
	if (opening->again)
		event_del(opening->again);
}

static int open_barrier(struct core *core, const struct secret *root_key, char *why, size_t why_size)
{
	const struct store_blob *keyring = &core->seal->keyring;
	int r = barrier_load(root_key, keyring->data, keyring->len, &core->barrier);

	if (r == 0)
		r = barrier_hash(core->barrier, MOUNTS_KEY, strlen(MOUNTS_KEY), &core->mounts_key);
	if (r < 0) {
		snprintf(why, why_size, "the keyring cannot be opened: %s", strerror(-r));
		barrier_free(core->barrier);
		core->barrier = NULL;
		return r;
	}
	core->opening = true;
	return 0;
}

/* --- the end of an opening */

static void try_again_later(struct core *core);

static void tell_end(struct core *core, int r, const char *why)
{
	struct seal_opening *opening = &core->seal->opening;
	struct seal_waiting *waiter = TAKE_PTR(opening->waiter);

	secret_free(opening->key);
	opening->key = NULL;
	opening->op.r = r;
	if (waiter) {
		waiter->r = r;
		core->seal->opener = r == 0 ? waiter->call : NULL;
		snprintf(waiter->why, sizeof(waiter->why), "%s", why);
		call_resume(waiter->call);
	} else if (r < 0) {
		log_error("the store stays sealed, and logins are refused: %s", why);
	}
	if (r < 0 && opening->by_itself)
		try_again_later(core);
	if (r == 0)
		core_tell_seal(core);
}

/* --- it is loaded */

static void on_rewrap_ended(void *arg, int r)
{
	if (r < 0 && r != -ECANCELED)
		log_error("wrapping the root key by the current key of the seal failed: %s; keep the previous key, and "
			  "restart k8sauthd",
		    strerror(-r));
}

static void end_loading(struct core *core, int r, const char *why)
{
	if (r < 0)
		core_forget(core);
	core->opening = false;
	if (r == 0)
		end_tries(core);
	if (r == 0 && core->seal->opening.renew)
		core_run(core, seal_rewrap, NULL, NULL, on_rewrap_ended, core);
	core->seal->opening.renew = false;
	tell_end(core, r, why);
}

static void on_move_ended(void *arg, int r)
{
	struct core *core = arg;
	char why[sizeof(core->seal->opening.op.why)];

	snprintf(why, sizeof(why), "%s", core->seal->opening.op.why);
	if (!*why)
		snprintf(why, sizeof(why), "cannot move to the other seal: %s", strerror(-r));
	end_loading(core, r, why);
}

static void on_loaded(void *arg, int r)
{
	struct core *core = arg;
	char why[128];

	core->seal->opening.op.why[0] = '\0';
	snprintf(why, sizeof(why), "cannot load the store: %s", strerror(-r));
	if (r == 0 && core->seal->from)
		core_run(core, seal_move, NULL, NULL, on_move_ended, core);
	else
		end_loading(core, r, why);
}

/* --- by the seal itself */

/* With the root key that was unwrapped: 0, or what is wrong in op.why. */
static int use_root_key(struct core *core)
{
	struct seal_opening *opening = &core->seal->opening;
	struct seal_op *op = &opening->op;
	int r = op->r;

	if (r == 0 && opening->key && !seal_opener(core->seal)->by_shares) {
		r = seal_recovery_check(opening->key, op->root_key, &core->seal->recovery);
		if (r < 0)
			snprintf(op->why, sizeof(op->why),
			    "invalid key: failed to verify recovery key: recovery key does not match submitted values");
	}
	if (r == 0)
		r = open_barrier(core, op->root_key, op->why, sizeof(op->why));
	secret_free(op->root_key);
	op->root_key = NULL;
	opening->renew = r == 0 && op->renew && !core->seal->from;
	return r;
}

static void on_unwrapped(void *arg)
{
	struct core *core = arg;
	int r = use_root_key(core);

	if (r < 0)
		tell_end(core, r, core->seal->opening.op.why);
	else
		core_run(core, load_all, NULL, NULL, on_loaded, core);
}

static void unwrap(struct core *core)
{
	struct seal *seal = core->seal;

	seal_op_begin(&seal->opening.op, on_unwrapped, core);
	seal_opener(seal)->unwrap(
	    seal->from ? seal->from_state : seal->state, &seal->root_key, &seal->opening.op);
}

static void on_again(evutil_socket_t fd, short events, void *arg)
{
	struct core *core = arg;

	if (core->barrier || core->seal->opening.op.r == -EINPROGRESS)
		return; /* people were faster */
	unwrap(core);
	if (core->seal->opening.op.r != -EINPROGRESS)
		on_unwrapped(core);
}

static void try_again_later(struct core *core)
{
	struct seal_opening *opening = &core->seal->opening;
	struct timeval delay = { .tv_sec = AGAIN_FIRST_S };

	for (unsigned i = 0; i < opening->tries && delay.tv_sec < AGAIN_MAX_S; i++)
		delay.tv_sec *= 2;
	if (delay.tv_sec > AGAIN_MAX_S)
		delay.tv_sec = AGAIN_MAX_S;
	opening->tries++;
	if (!opening->again)
		opening->again = evtimer_new(core->base, on_again, core);
	if (!opening->again || evtimer_add(opening->again, &delay) < 0)
		log_error("no memory to try again: restart k8sauthd");
	else
		log_notice("unsealing is tried again in %lld s", (long long)delay.tv_sec);
}

/* --- by people */

/* 0 where more is to come, or what is wrong with KEY. */
static int open_by_share_key(struct core *core, const struct secret *key, char *why, size_t why_size)
{
	struct secret *root_key AUTO_SECRET = NULL;
	int r = seal_key_unwrap(key, &core->seal->root_key, &root_key);

	if (r < 0)
		snprintf(why, why_size, SEAL_WRONG_KEY, seal_opener(core->seal)->type);
	return r < 0 ? r : open_barrier(core, root_key, why, why_size);
}

int seal_open_with(struct call *call, const struct secret *key)
{
	struct core *core = call->core;
	struct seal_opening *opening = &core->seal->opening;
	struct seal_waiting *waiting = calloc(1, sizeof(*waiting));
	bool by_shares = seal_opener(core->seal)->by_shares;
	int r;

	seal_op_end(&opening->op);
	secret_free(opening->key);
	opening->key = secret_copy(secret_reveal(key), secret_len(key));
	if (!waiting || !opening->key) {
		free(waiting);
		return -ENOMEM;
	}
	*waiting = (struct seal_waiting){ .call = call, .r = -EINPROGRESS };
	call->state = opening->waiter = waiting;
	call->state_free = free;
	call_hold(call);
	if (!by_shares) {
		unwrap(core);
		if (opening->op.r != -EINPROGRESS)
			on_unwrapped(core);
		return 0;
	}
	r = open_by_share_key(core, key, opening->op.why, sizeof(opening->op.why));
	if (r < 0)
		tell_end(core, r, opening->op.why);
	else
		core_run(core, load_all, NULL, NULL, on_loaded, core);
	return 0;
}

/* --- at start */

static int read_meta(struct core *core, const char *name, struct store_blob *ret)
{
	int r = store_meta_get(core->store, name, ret);

	return r == -ENOENT ? 0 : r;
}

/* A store from before there was a choice says nothing, and was sealed by a credential. */
static int read_shape(struct core *core)
{
	struct seal *seal = core->seal;
	struct store_blob text = { 0 };
	json_auto_t *json = NULL;
	const char *type;
	int r = read_meta(core, META_SEAL, &text);

	if (r < 0 || !text.data) {
		snprintf(seal->stored_type, sizeof(seal->stored_type), "systemd-credential");
		return r;
	}
	json = json_loadb((const char *)text.data, text.len, 0, NULL);
	free(text.data);
	seal->shape.shares = json_integer_value(json_object_get(json, "shares"));
	seal->shape.threshold = json_integer_value(json_object_get(json, "threshold"));
	type = json_string_value(json_object_get(json, "type"));
	/* It is outside of the barrier: whoever can write the file can have changed it. */
	if (!type || !seal_kind_of(type) || seal_shape_fault(&seal->shape))
		return -EBADMSG;
	snprintf(seal->stored_type, sizeof(seal->stored_type), "%s", type);
	return 0;
}

static int read_metas(struct core *core)
{
	struct seal *seal = core->seal;
	int r = read_meta(core, META_ROOT_KEY, &seal->root_key);

	if (r == 0)
		r = read_meta(core, META_KEYRING, &seal->keyring);
	if (r == 0)
		r = read_meta(core, META_RECOVERY, &seal->recovery);
	return r < 0 ? r : read_shape(core);
}

/* Whether the store can move from the seal that it has to the one that is configured: then people are asked for. */
static int prepare_move(struct core *core, char *why, size_t why_size)
{
	struct seal *seal = core->seal;
	const struct seal_kind *stored = seal_kind_of(seal->stored_type);
	const struct seal_config *old = seal->old_config;
	int r = 0;

	if (!stored->by_shares && !(old && streq(old->kind->type, stored->type))) {
		log_error("the store stays sealed: it was initialised with seal \"%s\", and the configuration has seal "
			  "\"%s\"; to move it, keep the block of the former too, with disabled = true",
		    stored->type, seal->kind->type);
		return 0;
	}
	if (stored->open)
		r = stored->open(core->base, old, &seal->from_state, why, why_size);
	if (r < 0)
		return r;
	seal->from = stored;
	log_notice("the store is sealed by seal \"%s\", and moves to seal \"%s\" when %lld of the %lld key shares say so "
		   "(k8sauth operator unseal -migrate)",
	    stored->type, seal->kind->type, seal->shape.threshold, seal->shape.shares);
	return 0;
}

static int open_by_itself(struct core *core, char *why, size_t why_size)
{
	struct seal_opening *opening = &core->seal->opening;
	int r;

	opening->by_itself = core->seal->kind->remote;
	unwrap(core);
	if (opening->op.r == -EINPROGRESS)
		return 0;
	r = use_root_key(core);
	if (r < 0) {
		tell_end(core, r, opening->op.why);
		return 0;
	}
	r = core_run_now(core, load_all, NULL);
	core->opening = false;
	if (r < 0)
		snprintf(why, why_size, "cannot load the store: %s", strerror(-r));
	else if (opening->renew)
		core_run(core, seal_rewrap, NULL, NULL, on_rewrap_ended, core);
	opening->renew = false;
	return r;
}

int core_unseal_at_start(struct core *core, char *why, size_t why_size)
{
	struct seal *seal = core->seal;
	int r;

	if (core->dev)
		return core_start_dev(core, why, why_size);
	r = read_metas(core);
	if (r < 0) {
		snprintf(why, why_size, "cannot read the store: %s",
		    r == -EBADMSG ? "what it says of its seal was changed" : strerror(-r));
		return r;
	}
	core->initialised = seal->root_key.data != NULL;
	if (!core->initialised)
		log_notice("the store is not initialised yet: run `k8sauth operator init`%s",
		    core->init_over_tcp ? "" : " as root");
	else if (!streq(seal->stored_type, seal->kind->type))
		return prepare_move(core, why, why_size);
	else if (seal->kind->by_shares)
		log_notice("the store is sealed: %lld of the %lld key shares open it (k8sauth operator unseal)",
		    seal->shape.threshold, seal->shape.shares);
	else
		return open_by_itself(core, why, why_size);
	return 0;
}
