/* SPDX-License-Identifier: Apache-2.0 */
/* The first start of a store (keyring, mounts, root token), and the unsealing of later ones (decision 6). */
#include "vault/embedded/core_internal.h"

#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "vault/embedded/nanotime.h"
#include "vault/embedded/policies.h"
#include "vault/embedded/rotation.h"
#include "vault/embedded/seal.h"
#include "vault/embedded/token.h"

#define FIRST_MOUNTS (MOUNT_BUILTINS_MAX + 1)

/* What an initialisation makes; kept between the runs of its call, handed to the core when it is durable. */
struct first {
	struct core *core;
	struct store_key mounts_key;
	struct barrier *barrier;
	struct store_blob keyring, root_key; /* sealed, wrapped */
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

	first->core->initialising = false;
	barrier_free(first->barrier);
	free(first->keyring.data);
	free(first->root_key.data);
	for (size_t i = 0; i < first->n_mounts; i++)
		mount_unref(first->core, first->mounts[i]);
	secret_free(first->root_token);
	free(first);
}

/* The key that wraps the root key. -dev makes one that nobody keeps: its store dies with it. */
static int seal_key(const struct core *core, struct secret **ret, char *why, size_t why_size)
{
	if (core->seal == SEAL_CREDENTIAL)
		return seal_credential_key(core->seal_credential, ret, why, why_size);
	*ret = secret_new(BARRIER_KEY_SIZE);
	if (!*ret)
		return -ENOMEM;
	random_bytes(secret_reveal(*ret), BARRIER_KEY_SIZE);
	return 0;
}

static int make_keys(struct first *first)
{
	struct secret *wrapping AUTO_SECRET = NULL;
	char why[512] = "no memory";
	int r = seal_key(first->core, &wrapping, why, sizeof(why));

	if (r < 0) {
		log_error("cannot initialise: %s", why);
		return r;
	}
	r = barrier_new(&first->barrier);
	if (r == 0)
		r = barrier_hash(first->barrier, MOUNTS_KEY, strlen(MOUNTS_KEY), &first->mounts_key);
	if (r == 0)
		r = barrier_save(first->barrier, &first->keyring);
	if (r == 0)
		r = seal_wrap(wrapping, barrier_root_key(first->barrier), &first->root_key);
	return r;
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
	if (r < 0 || first->core->seal != SEAL_DEV)
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

static int first_new(struct call *call, struct first **ret)
{
	struct first *first = calloc(1, sizeof(*first));
	int r;

	if (!first)
		return -ENOMEM;
	first->core = call->core;
	call->core->initialising = true;
	make_cluster_id(first);
	r = make_keys(first);
	if (r == 0)
		r = make_mounts(first);
	if (r < 0) {
		first_free(first);
		return r;
	}
	call->state = first;
	call->state_free = first_free;
	*ret = first;
	return 0;
}

/* It is durable: the core takes over what was made. */
static void use_first(struct core *core, int r, void *arg)
{
	struct first *first = arg;

	if (r < 0)
		return;
	core->barrier = TAKE_PTR(first->barrier);
	core->initialised = true;
	core->mounts_key = first->mounts_key;
	memcpy(core->cluster_name, first->cluster_name, sizeof(core->cluster_name));
	memcpy(core->cluster_id, first->cluster_id, sizeof(core->cluster_id));
	core->created = first->created;
	for (size_t i = 0; i < first->n_mounts; i++)
		if (mounts_add(core, first->mounts[i]) < 0)
			log_error("no memory for the mount table: restart k8sauthd");
	first->n_mounts = 0;
}

static int put_cluster(struct call *call, const struct first *first)
{
	json_t *cluster = json_pack("{s:s, s:s, s:I}", "name", first->cluster_name, "id", first->cluster_id, "created",
	    (json_int_t)first->created);
	int r = cluster ? core_put(call, CLUSTER_KEY, cluster) : -ENOMEM;

	json_decref(cluster);
	return r < 0 ? r : call_put_meta(call, STORE_META_CLUSTER, first->cluster_id, strlen(first->cluster_id));
}

int core_initialise(struct call *call, const struct secret *root_token_id, const struct secret **ret_root_token)
{
	struct first *first = call->state;
	int r = first ? 0 : first_new(call, &first);

	if (r < 0)
		return r;
	private_of(call)->barrier = first->barrier;
	r = call_put_meta(call, META_KEYRING, first->keyring.data, first->keyring.len);
	if (r == 0)
		r = call_put_meta(call, META_ROOT_KEY, first->root_key.data, first->root_key.len);
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
	*ret_root_token = first->root_token;
	return 0;
}

/* --- later starts */

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
		r = policies_start(call);
	if (r == 0)
		r = tokens_start(call);
	if (r == 0)
		r = rotation_start(call);
	return r == 0 ? mounts_complete(call) : r;
}

/* 0 with the barrier, or why the store stays sealed. */
static int open_barrier(struct core *core, const struct store_blob *wrapped, char *why, size_t why_size)
{
	struct secret *key AUTO_SECRET = NULL, *root_key AUTO_SECRET = NULL;
	struct store_blob keyring = { 0 };
	int r = seal_key(core, &key, why, why_size);

	if (r < 0)
		return r;
	r = seal_unwrap(key, wrapped, &root_key);
	if (r < 0) {
		snprintf(why, why_size, "the credential %s is not the key that this store was sealed with",
		    core->seal_credential);
		return r;
	}
	r = store_meta_get(core->store, META_KEYRING, &keyring);
	if (r == 0)
		r = barrier_load(root_key, keyring.data, keyring.len, &core->barrier);
	free(keyring.data);
	if (r < 0)
		snprintf(why, why_size, "the keyring cannot be opened: %s", strerror(-r));
	return r;
}

static int dev_initialise(struct call *call)
{
	const struct secret *root_token;
	struct core *core = call->core;
	int r = core_initialise(call, core->dev_root_token, &root_token);

	if (r == 0 && !core->dev_root_token) {
		core->dev_root_token = secret_copy(secret_reveal(root_token), secret_len(root_token));
		r = core->dev_root_token ? 0 : -ENOMEM;
	}
	return r;
}

static int start_dev(struct core *core, char *why, size_t why_size)
{
	int r = core_run_now(core, dev_initialise, NULL);

	if (r < 0)
		snprintf(why, why_size, "cannot initialise the store in memory: %s", strerror(-r));
	return r;
}

int core_unseal_at_start(struct core *core, char *why, size_t why_size)
{
	struct store_blob wrapped = { 0 };
	int r;

	if (core->seal == SEAL_DEV)
		return start_dev(core, why, why_size);
	r = store_meta_get(core->store, META_ROOT_KEY, &wrapped);
	if (r == -ENOENT) {
		log_notice("the store is not initialised yet: run `k8sauth operator init` as root");
		return 0;
	}
	if (r < 0) {
		snprintf(why, why_size, "cannot read the store: %s", strerror(-r));
		return r;
	}
	core->initialised = true;
	r = open_barrier(core, &wrapped, why, why_size);
	free(wrapped.data);
	if (r < 0) {
		log_error("the store stays sealed, and logins are refused: %s", why);
		return 0;
	}
	r = barrier_hash(core->barrier, MOUNTS_KEY, strlen(MOUNTS_KEY), &core->mounts_key);
	if (r == 0)
		r = core_run_now(core, load_all, NULL);
	if (r < 0)
		snprintf(why, why_size, "cannot load the store: %s", strerror(-r));
	return r;
}
