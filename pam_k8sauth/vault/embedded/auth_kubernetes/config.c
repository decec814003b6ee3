/* SPDX-License-Identifier: Apache-2.0 */
/* auth/<mount>/config (kubernetes-auth.md 1): written, read, and made into what a login needs. */
#include <errno.h>
#include <stdio.h>

#include "kube/pem.h"
#include "vault/embedded/auth_kubernetes/kubernetes.h"

const struct engine_field kube_config_fields[] = {
	{ "disable_iss_validation", FIELD_BOOL, "Whether the issuer of tokens is not looked at. Deprecated." },
	{ "disable_local_ca_jwt", FIELD_BOOL,
	    "Whether the CA certificate and the token of the pod that this server runs in are not used." },
	{ "issuer", FIELD_STRING, "The issuer that tokens must have. Deprecated." },
	{ "kubernetes_ca_cert", FIELD_STRING, "PEM certificates that the API server's certificate must lead to." },
	{ "kubernetes_host", FIELD_STRING, "URL of the API server." },
	{ "pem_keys", FIELD_STRINGS, "PEM public keys or certificates with which tokens are signed." },
	{ "token_reviewer_jwt", FIELD_STRING,
	    "The service account token that asks for TokenReviews. Without it each login's own token does." },
	{ "use_annotations_as_alias_metadata", FIELD_BOOL,
	    "Whether annotations of service accounts become metadata of aliases." },
	{ 0 },
};

/* --- for logins */

void kube_config_unref(struct kube_config *config)
{
	if (!config || --config->references > 0)
		return;
	kube_server_free(config->server);
	jwt_keys_free(config->keys);
	cleanup_wipe_str(&config->reviewer);
	free(config->ca);
	free(config->issuer);
	free(config->host);
	free(config);
}

/* A copy of a member that is a non-empty string; NULL. False without memory. */
static bool take(const json_t *stored, const char *name, char **ret)
{
	const char *text = json_string_value(json_object_get(stored, name));

	if (!text || !*text)
		return true;
	*ret = strdup(text);
	return *ret != NULL;
}

static int config_new(const json_t *stored, struct kube_config **ret)
{
	struct kube_config *config = calloc(1, sizeof(*config));
	const json_t *keys = json_object_get(stored, "pem_keys");
	char error[256];
	int r = 0;

	if (!config)
		return -ENOMEM;
	config->references = 1;
	config->annotations = json_is_true(json_object_get(stored, "use_annotations_as_alias_metadata"));
	config->local = !json_is_true(json_object_get(stored, "disable_local_ca_jwt"));
	if (!take(stored, "host", &config->host) || !take(stored, "ca_cert", &config->ca) ||
	    !take(stored, "token_reviewer_jwt", &config->reviewer) ||
	    (json_is_false(json_object_get(stored, "disable_iss_validation")) &&
		!take(stored, "issuer", &config->issuer)))
		r = -ENOMEM;
	if (r == 0 && json_array_size(keys) > 0)
		r = jwt_keys_new(keys, &config->keys, error, sizeof(error));
	if (r < 0) {
		kube_config_unref(config);
		return r;
	}
	*ret = config;
	return 0;
}

/* Gives CONFIG the server that its words and the pod's files say. */
static int make_server(struct call *call, struct kube_mount *state, struct kube_config *config)
{
	AUTO_SECRET struct secret *reviewer = NULL;
	const char *ca = config->ca ? config->ca : config->local ? state->ca.content.data : NULL;
	const char *bearer = config->reviewer ? config->reviewer : config->local ? state->token.content.data : NULL;

	if (bearer && !(reviewer = secret_copy(bearer, strlen(bearer))))
		return -ENOMEM;
	config->has_reviewer = bearer != NULL;
	config->server = kube_server_new(core_kube(call->core), config->host ? config->host : "", ca, reviewer);
	return config->server ? 0 : -ENOMEM;
}

/* Reads the pod's files if they count. A change makes another configuration. 0, or 1 after the answer 500. */
static int refresh_local(
    struct call *call, struct kube_mount *state, const struct kube_config *config, bool *ret_changed)
{
	bool changed = false;
	char error[256];
	int r;

	*ret_changed = false;
	if (!config->local)
		return 0;
	if (!config->reviewer) {
		r = local_file_refresh(&state->token, &changed);
		if (r < 0) {
			/* No pod's token: each login's own reviews itself. */
			changed = state->token.content.data != NULL;
			buf_free(&state->token.content);
		}
		*ret_changed = changed;
	}
	if (config->ca)
		return 0;
	r = local_file_refresh(&state->ca, &changed);
	if (r < 0) {
		local_file_error(&state->ca, r, error, sizeof(error));
		call_refuse(call, VAULT_FAILED_OUTAGE, "config", 500, error, "no kubernetes_ca_cert, and %s", error);
		return 1;
	}
	*ret_changed = *ret_changed || changed;
	return 0;
}

int kube_config_get(struct call *call, struct kube_config **ret)
{
	struct kube_mount *state = call->mount->state;
	json_t *stored = NULL;
	bool changed;
	int r = 0;

	if (state->config) {
		r = refresh_local(call, state, state->config, &changed);
		if (r == 0 && changed) {
			kube_config_unref(state->config);
			state->config = NULL;
		}
	}
	if (r == 0 && !state->config) {
		struct kube_config *config = NULL;

		r = call_get(call, "config", &stored);
		if (r == 0)
			r = config_new(stored, &config);
		if (r == 0)
			r = refresh_local(call, state, config, &changed);
		if (r == 0)
			r = make_server(call, state, config);
		json_decref(stored);
		if (r == 0)
			state->config = config;
		else
			kube_config_unref(config);
	}
	if (r)
		return r;
	state->config->references++;
	*ret = state->config;
	return 0;
}

/* --- written */

struct config_request {
	const char *host, *ca, *reviewer, *issuer;
	bool disable_iss_validation, disable_local, annotations;
	json_t *pem_keys;
};

static int read_fields(struct call *call, struct config_request *request)
{
	int r = call_field_string(call, "kubernetes_host", &request->host, NULL);

	if (r == 0)
		r = call_field_string(call, "kubernetes_ca_cert", &request->ca, NULL);
	if (r == 0)
		r = kube_secret_field(call, "token_reviewer_jwt", &request->reviewer);
	if (r == 0)
		r = call_field_string(call, "issuer", &request->issuer, NULL);
	if (r == 0)
		r = call_field_bool(call, "disable_iss_validation", &request->disable_iss_validation, NULL);
	if (r == 0)
		r = call_field_bool(call, "disable_local_ca_jwt", &request->disable_local, NULL);
	if (r == 0)
		r = call_field_bool(call, "use_annotations_as_alias_metadata", &request->annotations, NULL);
	if (r == 0)
		r = call_field_strings(call, "pem_keys", &request->pem_keys, NULL);
	if (r == 0 && !request->pem_keys && !(request->pem_keys = json_array()))
		r = -ENOMEM;
	return r;
}

/* 0, 1 after a refusal, -ENOMEM. */
static int check_ca(struct call *call, const char *ca)
{
	AUTO_FREE char *certificates = pem_certificates(ca);

	if (!certificates)
		return -ENOMEM;
	if (*certificates)
		return 0;
	call_error(call, 400, "The provided CA PEM data contains no valid certificates");
	return 1;
}

/* The order and texts of 1.2. 0, or 1 after a refusal. */
static int check_request(struct call *call, const struct config_request *request)
{
	struct local_file ca = { .path = POD_CA_FILE };
	struct jwt_keys *keys = NULL;
	char error[256];
	bool changed;
	int r;

	if (!*request->host) {
		call_error(call, 400, "no host provided");
		return 1;
	}
	r = *request->ca ? check_ca(call, request->ca) : 0;
	if (r)
		return r;
	r = jwt_keys_new(request->pem_keys, &keys, error, sizeof(error));
	jwt_keys_free(keys);
	if (r == -EINVAL) {
		call_error(call, 400, "%s", error);
		return 1;
	}
	if (r < 0)
		return r;
	if (!*request->ca && !request->disable_local) {
		r = local_file_refresh(&ca, &changed);
		buf_free(&ca.content);
		if (r < 0) {
			local_file_error(&ca, r, error, sizeof(error));
			call_error(call, 400, "%s", error);
			return 1;
		}
	}
	return 0;
}

/* Logins that begin from now on see the new one, over new connections. */
static void on_written(struct core *core, int r, void *arg)
{
	struct kube_mount *state = kube_mount_at(core, arg);

	if (state && r == 0) {
		kube_config_unref(state->config);
		state->config = NULL;
		state->ca.read_ms = state->token.read_ms = 0;
	}
	free(arg);
}

static int write_config(struct call *call, const struct config_request *request)
{
	json_t *stored = json_pack("{s:s, s:s, s:O, s:s, s:s, s:b, s:b, s:b}", "host", request->host, "ca_cert",
	    request->ca, "pem_keys", request->pem_keys, "token_reviewer_jwt", request->reviewer, "issuer",
	    request->issuer, "disable_iss_validation", request->disable_iss_validation, "disable_local_ca_jwt",
	    request->disable_local, "use_annotations_as_alias_metadata", request->annotations);
	char *path = strdup(call->mount->path);
	int r = stored && path ? call_put(call, "config", stored) : -ENOMEM;

	json_decref(stored);
	if (r < 0) {
		free(path);
		return r;
	}
	call_on_commit(call, on_written, path);
	return call_done(call);
}

/* A full replace: what is not sent falls back to its default (1.1). */
int kube_config_write(struct call *call)
{
	struct config_request request = {
		.host = "", .ca = "", .reviewer = "", .issuer = "", .disable_iss_validation = true
	};
	int r = read_fields(call, &request);

	if (r == 0)
		r = check_request(call, &request);
	if (r == 0)
		r = write_config(call, &request);
	json_decref(request.pem_keys);
	return r < 0 ? r : 0;
}

int kube_config_read(struct call *call)
{
	json_t *stored = NULL, *data;
	const char *reviewer;
	int r = call_get(call, "config", &stored);

	if (r == -ENOENT)
		return call_data(call, NULL);
	if (r < 0)
		return r;
	reviewer = json_string_value(json_object_get(stored, "token_reviewer_jwt"));
	data = json_pack("{s:O, s:O, s:O, s:O, s:O, s:O, s:b, s:b}", "disable_iss_validation",
	    json_object_get(stored, "disable_iss_validation"), "disable_local_ca_jwt",
	    json_object_get(stored, "disable_local_ca_jwt"), "issuer", json_object_get(stored, "issuer"),
	    "kubernetes_ca_cert", json_object_get(stored, "ca_cert"), "kubernetes_host",
	    json_object_get(stored, "host"), "pem_keys", json_object_get(stored, "pem_keys"), "token_reviewer_jwt_set",
	    reviewer && *reviewer, "use_annotations_as_alias_metadata",
	    json_is_true(json_object_get(stored, "use_annotations_as_alias_metadata")));
	json_decref(stored);
	return data ? call_data(call, data) : -ENOMEM;
}
