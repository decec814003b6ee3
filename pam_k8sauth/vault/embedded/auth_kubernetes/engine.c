/* SPDX-License-Identifier: Apache-2.0 */
/* The engine "kubernetes": its paths (kubernetes-auth.md 0.3). */
#include <errno.h>

#include "vault/embedded/auth_kubernetes/kubernetes.h"

extern const struct engine kubernetes_engine;

#define CA_TTL_MS    (60 * 60 * 1000)
#define TOKEN_TTL_MS (60 * 1000)

int kube_mounted(struct core *core, struct mount *mount)
{
	struct kube_mount *state = calloc(1, sizeof(*state));

	(void)core;
	if (!state || !(state->roles = json_object())) {
		free(state);
		return -ENOMEM;
	}
	state->ca = (struct local_file){ .path = POD_CA_FILE, .ttl_ms = CA_TTL_MS };
	state->token = (struct local_file){ .path = POD_TOKEN_FILE, .ttl_ms = TOKEN_TTL_MS };
	mount->state = state;
	return 0;
}

void kube_unmounted(struct core *core, struct mount *mount)
{
	struct kube_mount *state = mount->state;

	(void)core;
	mount->state = NULL;
	kube_config_unref(state->config);
	json_decref(state->roles);
	buf_free(&state->ca.content);
	buf_free(&state->token.content);
	free(state);
}

struct kube_mount *kube_mount_at(struct core *core, const char *path)
{
	struct mount *mount = core_mount_of(core, path);

	return mount && mount->engine == &kubernetes_engine ? mount->state : NULL;
}

static const struct engine_path paths[] = {
	{ .pattern = "login",
	    .flags = ENGINE_UNAUTHENTICATED,
	    .update = kube_login,
	    .resolve = kube_login_resolve,
	    .verify = kube_login,
	    .fields = kube_login_fields,
	    .help = "Log in with a service account's token." },
	{ .pattern = "config",
	    .read = kube_config_read,
	    .update = kube_config_write,
	    .fields = kube_config_fields,
	    .help = "How the API server is reached that reviews tokens." },
	{ .pattern = "role/", .list = kube_role_list, .fields = engine_no_fields, .help = "The names of the roles." },
	{ .pattern = "role" },
	{ .pattern = "role/{name}",
	    .read = kube_role_read,
	    .update = kube_role_write,
	    .delete = kube_role_delete,
	    .exists = kube_role_exists,
	    .fields = kube_role_fields,
	    .help = "A role: which service accounts may log in, and what their tokens can do." },
	{ NULL },
};

static const struct engine_path own_paths[] = {
	{ .pattern = "serviceaccount/{namespace}/{name}", .read = kube_account_read },
	{ NULL },
};

const struct engine kubernetes_engine = {
	.type = "kubernetes",
	.auth = true,
	.help = "Logs in pods with the tokens of their Kubernetes service accounts.",
	.paths = paths,
	.own_paths = own_paths,
	.mounted = kube_mounted,
	.unmounted = kube_unmounted,
	.renew = kube_renew,
	.login_role = kube_login_role,
	.set_metrics = kube_set_metrics,
};
