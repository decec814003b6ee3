/* SPDX-License-Identifier: Apache-2.0 */
/* The first start of a store: keyring, shares, mounts, root token (decision 6). */
#include "vault/embedded/init.h"

#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "vault/embedded/nanotime.h"
#include "vault/embedded/policies.h"
#include "vault/embedded/token.h"

#define FIRST_MOUNTS (MOUNT_BUILTINS_MAX + 1)

/* What an initialisation makes; kept between the runs of its call, handed to the core when it is durable. */
struct first {
	struct call *call;
	struct seal_shape shape;
	struct store_key mounts_key;
	struct barrier *barrier;
	struct store_blob keyring, recovery; /* sealed */
	struct seal_op wrapping;	     /* of the root key */
	struct secret *shares;
	struct mount *mounts[FIRST_MOUNTS];
	size_t n_mounts;
	char cluster_name[sizeof(((struct core *)NULL)->cluster_name)];
	char cluster_id[sizeof(((struct core *)NULL)->cluster_id)];
	int64_t created;
	struct secret *root_token;
};

static void first_free(void *state)
{
	struct first *first = state;
	struct core *core = first->call->core;

	core->initialising = false;
	barrier_free(first->barrier);
	free(first->keyring.data);
	free(first->recovery.data);
	seal_op_end(&first->wrapping);
	secret_free(first->shares);
	for (size_t i = 0; i < first->n_mounts; i++)
		mount_unref(core, first->mounts[i]);
	secret_free(first->root_token);
	free(first);
}

static void on_wrapped(void *arg)
{
	call_resume(((struct first *)arg)->call);
}

/* Wraps the root key, and makes the shares of the key that people get. */
static int make_shares(struct first *first)
{
	const struct seal *seal = first->call->core->seal;
	const struct secret *root_key = barrier_root_key(first->barrier);
	struct secret *key AUTO_SECRET = secret_new(BARRIER_KEY_SIZE);
	int r;

	if (!key)
		return -ENOMEM;
	random_bytes(secret_reveal(key), secret_len(key));
	r = seal_make_shares(key, &first->shape, &first->shares);
	seal_op_begin(&first->wrapping, on_wrapped, first);
	if (r == 0 && seal->kind->by_shares)
		return seal_key_wrap(key, root_key, &first->wrapping.wrapped);
	if (r == 0)
		r = seal_recovery_seal(key, root_key, &first->recovery);
	if (r == 0)
		seal->kind->wrap(seal->state, root_key, &first->wrapping);
	if (first->wrapping.r == -EINPROGRESS)
		call_hold(first->call);
	return r;
}

static int make_keys(struct first *first)
{
	int r = barrier_new(&first->barrier);

	if (r == 0)
		r = barrier_hash(first->barrier, MOUNTS_KEY, strlen(MOUNTS_KEY), &first->mounts_key);
	if (r == 0)
		r = barrier_save(first->barrier, &first->keyring);
	return r < 0 ? r : make_shares(first);
}

/* Takes MOUNT over; NULL is one without memory. */
static int add_first_mount(struct first *first, struct mount *mount)
{
	if (!mount)
		return -ENOMEM;
	first->mounts[first->n_mounts++] = mount;
	return 0;
}

static int make_mounts(struct first *first)
{
	json_auto_t *version_2 = json_pack("{s:s}", "version", "2");
	int r = version_2 ? 0 : -ENOMEM;

	for (const struct mount_builtin *builtin = mount_builtins; r == 0 && builtin->type; builtin++)
		r = add_first_mount(first, mount_new_builtin(builtin));
	if (r < 0 || !first->call->core->dev)
		return r;
	return add_first_mount(first, mount_new(&kv_engine, "secret/", "key/value secret storage", version_2));
}

static void make_cluster_id(struct first *first)
{
	uint8_t id[4];
	char hex[9];

	random_bytes(id, sizeof(id));
	hex_encode(id, sizeof(id), hex);
	snprintf(first->cluster_name, sizeof(first->cluster_name), "vault-cluster-%s", hex);
	random_uuid(first->cluster_id);
	first->created = nanotime_now();
}

static int first_new(struct call *call, const struct seal_shape *shape, struct first **ret)
{
	struct first *first = calloc(1, sizeof(*first));
	int r;

	if (!first)
		return -ENOMEM;
	first->call = call;
	first->shape = *shape;
	call->core->initialising = true;
	make_cluster_id(first);
	r = make_mounts(first);
	if (r == 0)
		r = make_keys(first);
	if (r < 0) {
		first_free(first);
		return r;
	}
	call->state = first;
	call->state_free = first_free;
	*ret = first;
	return 0;
}

/* It is durable: the core takes over what was made. Where people keep the key, it stays sealed until they bring it. */
static void use_first(struct core *core, int r, void *arg)
{
	struct first *first = arg;

	if (r < 0)
		return;
	core->initialised = true;
	if (core->seal->kind->by_shares && !core->dev)
		return;
	core->barrier = TAKE_PTR(first->barrier);
	core->mounts_key = first->mounts_key;
	memcpy(core->cluster_name, first->cluster_name, sizeof(core->cluster_name));
	memcpy(core->cluster_id, first->cluster_id, sizeof(core->cluster_id));
	core->created = first->created;
	for (size_t i = 0; i < first->n_mounts; i++)
		if (mounts_add(core, first->mounts[i]) < 0)
			log_error("no memory for the mount table: restart k8sauthd");
	first->n_mounts = 0;
	core_tell_seal(core);
}

/* Nobody got a token or policy of this store yet, but what was read for them was read through its barrier. */
static void forget_first(struct core *core, int r, void *arg)
{
	if (r == 0 && !core->barrier)
		core_forget(core);
}

static int put_cluster(struct call *call, const struct first *first)
{
	json_t *cluster = json_pack("{s:s, s:s, s:I}", "name", first->cluster_name, "id", first->cluster_id, "created",
	    (json_int_t)first->created);
	int r = cluster ? core_put(call, CLUSTER_KEY, cluster) : -ENOMEM;

	json_decref(cluster);
	return r < 0 ? r : call_put_meta(call, STORE_META_CLUSTER, first->cluster_id, strlen(first->cluster_id));
}

static int copy_blob(const struct store_blob *from, struct store_blob *to)
{
	if (!from->data)
		return 0;
	to->data = malloc(from->len);
	if (!to->data)
		return -ENOMEM;
	memcpy(to->data, from->data, from->len);
	to->len = from->len;
	return 0;
}

/* Copies: the call may be run again. */
static int put_seal(struct call *call, const struct first *first)
{
	struct seal_change *change = calloc(1, sizeof(*change));
	int r = change ? copy_blob(&first->keyring, &change->keyring) : -ENOMEM;

	if (r == 0)
		r = copy_blob(&first->wrapping.wrapped, &change->root_key);
	if (r == 0)
		r = copy_blob(&first->recovery, &change->recovery);
	if (r < 0) {
		seal_change_free(change);
		return r;
	}
	change->shape = first->shape;
	return seal_change_put(call, change);
}

int core_initialise(struct call *call, const struct seal_shape *shape, const struct secret *root_token_id,
    struct core_first *ret)
{
	struct first *first = call->state;
	int r = first ? 0 : first_new(call, shape, &first);

	if (r < 0)
		return r;
	if (first->wrapping.r < 0) {
		if (first->wrapping.r != -EINPROGRESS)
			log_error("cannot initialise: %s", first->wrapping.why);
		return first->wrapping.r == -EINPROGRESS ? -EAGAIN : -EKEYREJECTED;
	}
	private_of(call)->barrier = first->barrier;
	r = put_seal(call, first);
	if (r == 0)
		r = mounts_write_all(call, first->mounts, first->n_mounts);
	if (r == 0)
		r = put_cluster(call, first);
	if (r == 0)
		r = policies_start(call);
	if (r == 0)
		r = tokens_start(call);
	if (r < 0)
		return r;
	secret_free(first->root_token);
	first->root_token = NULL;
	r = token_create_root(call, root_token_id, &first->root_token);
	if (r < 0)
		return r;
	call_on_commit(call, use_first, first);
	call_on_commit(call, forget_first, NULL);
	*ret = (struct core_first){ .root_token = first->root_token, .shares = first->shares };
	return 0;
}

static int dev_initialise(struct call *call)
{
	static const struct seal_shape one = { .shares = 1, .threshold = 1 };
	struct core *core = call->core;
	struct core_first first;
	int r = core_initialise(call, &one, core->dev_root_token, &first);

	if (r < 0)
		return r;
	if (!core->dev_root_token)
		core->dev_root_token = secret_copy(secret_reveal(first.root_token), secret_len(first.root_token));
	if (!core->dev_unseal_key)
		core->dev_unseal_key = secret_copy(secret_reveal(first.shares), secret_len(first.shares));
	return core->dev_root_token && core->dev_unseal_key ? 0 : -ENOMEM;
}

int core_start_dev(struct core *core, char *why, size_t why_size)
{
	int r = core_run_now(core, dev_initialise, NULL);

	if (r < 0)
		snprintf(why, why_size, "cannot initialise the store in memory: %s", strerror(-r));
	return r;
}
