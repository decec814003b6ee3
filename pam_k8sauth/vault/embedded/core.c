/* SPDX-License-Identifier: Apache-2.0 */
/* The embedded backend as a whole: opened, asked what it holds, closed. */
#include "vault/embedded/core_internal.h"

#include <errno.h>
#include <stdio.h>

#include "base/metrics.h"
#include "kube/kube.h"
#include "vault/embedded/audit/audit.h"
#include "vault/embedded/identity.h"
#include "vault/embedded/lease/lease.h"
#include "vault/embedded/policies.h"
#include "vault/embedded/rotation.h"
#include "vault/embedded/seal/seal.h"
#include "vault/embedded/token.h"

#define CLOSE_MS 5000

static int check_options(const struct core_options *options, char *why, size_t why_size)
{
	if (options->seal || !options->store_path)
		return 0;
	snprintf(why, why_size, "-dev keeps everything in memory: it takes no store path");
	return -EINVAL;
}

static int copy_options(struct core *core, const struct core_options *options)
{
	core->dev = !options->seal;
	core->init_over_tcp = options->init_over_tcp;
	core->storage_type = strdup(options->storage_type ? options->storage_type
				    : options->store_path ? "sqlite"
							  : "inmem");
	core->settings = options->settings ? json_incref(options->settings) : json_object();
	if (options->dev_root_token)
		core->dev_root_token = secret_copy(options->dev_root_token, strlen(options->dev_root_token));
	if (!core->storage_type || !core->settings || (options->dev_root_token && !core->dev_root_token))
		return -ENOMEM;
	return 0;
}

static int make_parts(struct core *core)
{
	core->sys = mount_new(&system_engine, "sys/", "", NULL);
	core->kube = kube_new(core->base);
	core->tokens = tokens_new(core);
	core->policies = policies_new();
	core->quotas = quotas_new();
	core->identity = identity_new();
	core->leases = leases_new(core);
	if (!core->leases || !core->sys || !core->kube || !core->tokens || !core->policies || !core->quotas ||
	    !core->identity || audit_new(core, &core->audit) < 0)
		return -ENOMEM;
	return core_calls_init(core) < 0 || rotation_watch(core) < 0 || core_seal_init(core) < 0 ? -ENOMEM : 0;
}

int core_open(
    struct event_base *base, const struct core_options *options, struct core **ret, char *why, size_t why_size)
{
	struct core *core;
	int r = check_options(options, why, why_size);

	if (r < 0)
		return r;
	core = calloc(1, sizeof(*core));
	if (!core) {
		snprintf(why, why_size, "no memory");
		return -ENOMEM;
	}
	metrics_on_show(core_set_metrics, core);
	core->base = base;
	core->rehearsal_fd = -1;
	TAILQ_INIT(&core->calls);
	TAILQ_INIT(&core->ready);
	r = copy_options(core, options);
	if (r == 0)
		r = make_parts(core);
	if (r < 0)
		snprintf(why, why_size, "no memory");
	if (r == 0)
		r = store_open(base, options->store_path, &core->store, why, why_size);
	if (r == 0) {
		r = core_read_restored(core);
		if (r < 0)
			snprintf(why, why_size, "cannot read the store: %s", strerror(-r));
	}
	if (r == 0)
		r = seal_new(core, options->seal, options->old_seal, why, why_size);
	if (r == 0)
		r = core_unseal_at_start(core, why, why_size);
	if (r < 0)
		core_close(core);
	else
		*ret = core;
	return r;
}

void core_close(struct core *core)
{
	if (!core)
		return;
	metrics_off_show(core_set_metrics, core);
	core_calls_end(core, core->damaged ? 0 : CLOSE_MS);
	audit_free(core->audit);
	quotas_free(core->quotas);
	store_close(core->store);
	folders_free(core);
	mounts_free(core);
	mount_unref(core, core->sys);
	kube_free(core->kube);
	tokens_free(core->tokens);
	leases_free(core->leases);
	policies_free(core->policies);
	identity_free(core->identity);
	if (core->run)
		event_free(core->run);
	if (core->sweep)
		event_free(core->sweep);
	if (core->rehearsal)
		event_free(core->rehearsal);
	cleanup_close(&core->rehearsal_fd);
	rotation_stop(core);
	seal_free(core);
	if (core->seal_step)
		event_free(core->seal_step);
	barrier_free(core->barrier);
	secret_free(core->dev_root_token);
	secret_free(core->dev_unseal_key);
	free(core->restored_by_hand.data);
	free(core->storage_type);
	json_decref(core->settings);
	free(core);
}

void core_reopen(struct core *core)
{
	audit_reopen(core->audit);
}

struct vault *core_vault(struct core *core)
{
	return &core->vault;
}

const struct secret *core_dev_root_token(const struct core *core)
{
	return core->dev ? core->dev_root_token : NULL;
}

const struct secret *core_dev_unseal_key(const struct core *core)
{
	return core->dev_unseal_key;
}

void core_on_seal(struct core *core, void (*changed)(void *arg), void *arg)
{
	core->seal_changed = changed;
	core->seal_changed_arg = arg;
}

static void on_damaged(void *arg, const char *why)
{
	struct core *core = arg;

	core->damaged = core->closing = true;
	core->store_damaged(core->store_damaged_arg, why);
}

void core_watch_store(struct core *core, store_damaged_fn *damaged, void *arg)
{
	core->store_damaged = damaged;
	core->store_damaged_arg = arg;
	store_watch(core->store, on_damaged, core);
}

void core_tell_seal(struct core *core)
{
	if (core->seal_changed)
		core->seal_changed(core->seal_changed_arg);
}

struct event_base *core_base(const struct core *core)
{
	return core->base;
}

struct kube *core_kube(const struct core *core)
{
	return core->kube;
}

struct tokens *core_tokens(const struct core *core)
{
	return core->tokens;
}

struct policies *core_policies(const struct core *core)
{
	return core->policies;
}

struct identity *core_identity(const struct core *core)
{
	return core->identity;
}

struct quotas *core_quotas(const struct core *core)
{
	return core->quotas;
}

struct audit *core_audit(const struct core *core)
{
	return core->audit;
}

struct leases *core_leases(const struct core *core)
{
	return core->leases;
}

bool core_sealed(const struct core *core)
{
	return !core->barrier || core->opening || core->sealing;
}
