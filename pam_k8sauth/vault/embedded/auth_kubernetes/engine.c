/* SPDX-License-Identifier: Apache-2.0 */
/* The engine "kubernetes": its paths (kubernetes-auth.md 0.3). */
#include "vault/embedded/auth_kubernetes/kubernetes.h"

static const struct engine_path paths[] = {
	{ .pattern = "login",
	    .flags = ENGINE_UNAUTHENTICATED,
	    .update = kube_login,
	    .resolve = kube_login_resolve,
	    .fields = kube_login_fields },
	{ .pattern = "config", .read = kube_config_read, .update = kube_config_write, .fields = kube_config_fields },
	{ .pattern = "role/", .list = kube_role_list },
	{ .pattern = "role" },
	{ .pattern = "role/{name}",
	    .read = kube_role_read,
	    .update = kube_role_write,
	    .delete = kube_role_delete,
	    .exists = kube_role_exists,
	    .fields = kube_role_fields },
	{ NULL },
};

extern const struct engine kubernetes_engine;

const struct engine kubernetes_engine = {
	.type = "kubernetes",
	.auth = true,
	.paths = paths,
	.mounted = kube_mounted,
	.unmounted = kube_unmounted,
	.renew = kube_renew,
};
