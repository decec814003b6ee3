/* SPDX-License-Identifier: Apache-2.0 */
/* When the reviewer's token ends: who finds out by refused logins finds out late. */
#include <errno.h>
#include <stdio.h>

#include "base/metrics.h"
#include "base/text.h"
#include "kube/jwt.h"
#include "vault/embedded/auth_kubernetes/kubernetes.h"
#include "vault/embedded/core_internal.h"

/* 0 where it has no end, or cannot be read. */
static int64_t expiry_of(const char *token)
{
	AUTO_SECRET struct secret *secret = secret_copy(token, strlen(token));
	struct jwt_error error;
	struct jwt *jwt = NULL;
	int64_t expires;

	if (!secret || jwt_read(secret, true, &jwt, &error) < 0)
		return 0;
	expires = jwt->expires;
	jwt_free(jwt);
	return expires;
}

int kube_set_metrics(struct call *call, const struct mount *mount)
{
	const struct kube_mount *state = mount->state;
	const char *token, *pod_token = state->token.content.data;
	char key[STORE_KEY_MAX];
	json_t *config;
	int64_t expires;
	int r;

	snprintf(key, sizeof(key), MOUNT_DATA "config", mount->uuid);
	r = core_get(call, key, &config);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	token = json_string_value(json_object_get(config, "token_reviewer_jwt"));
	if ((!token || !*token) && !json_is_true(json_object_get(config, "disable_local_ca_jwt")))
		token = pod_token;
	expires = token && *token ? expiry_of(token) : 0;
	if (expires)
		metric_set_number(METRIC_REVIEWER, METRIC_LABELS(mount->path), expires);
	json_decref(config);
	return 0;
}
