/* SPDX-License-Identifier: Apache-2.0 */
/* sys/capabilities, -accessor and -self: what a token may do on paths (vault-core.md 1.11, vault-1.21.4.md). */
#include <errno.h>

#include "base/text.h"
#include "vault/embedded/policies.h"
#include "vault/embedded/token.h"

/* Each path's capabilities in DATA; one path alone also as "capabilities". 0, 1 after a refusal, -errno. */
static int add_capabilities(struct call *call, const struct acl *acl, const json_t *paths, json_t *data)
{
	const json_t *path;
	size_t i;

	json_array_foreach(paths, i, path)
	{
		const char *text = json_string_value(path);
		json_t *names;

		if (!*text) {
			call_wrapped_error(call, 400, "missing path");
			return 1;
		}
		names = acl_capability_names(acl, acl_capabilities(acl, text));
		if (json_object_set_new(data, text, names) < 0)
			return -ENOMEM;
		if (json_array_size(paths) == 1 && json_object_set(data, "capabilities", names) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* The field paths, or path by its older name. 0, 1 after a refusal, -ENOMEM. */
static int read_paths(struct call *call, json_t **ret)
{
	json_t *paths = NULL;
	int r = call_field_strings(call, "paths", &paths, NULL);

	if (r == 0 && json_array_size(paths) == 0) {
		json_decref(paths);
		paths = NULL;
		r = call_field_strings(call, "path", &paths, NULL);
	}
	if (r == 0 && json_array_size(paths) == 0) {
		json_decref(paths);
		call_error(call, 400, "paths must be supplied");
		return 1;
	}
	*ret = paths;
	return r;
}

static int answer(struct call *call, const struct acl *acl, const json_t *paths)
{
	json_t *data = json_object();
	int r = data ? add_capabilities(call, acl, paths, data) : -ENOMEM;

	if (r) {
		json_decref(data);
		return r < 0 ? r : 0;
	}
	call->response->data_on_top = true;
	return call_data(call, data);
}

int capabilities_self(struct call *call)
{
	json_auto_t *paths = NULL;
	int r = read_paths(call, &paths);

	if (r)
		return r < 0 ? r : 0;
	if (!call->acl)
		return call_wrapped_error(call, 500, "no token found");
	if (call->token->num_uses < 0) /* its last use: it is gone already */
		return call_wrapped_error(call, 400, "invalid token");
	return answer(call, call->acl, paths);
}

static int answer_for(struct call *call, struct token *token, const json_t *paths)
{
	json_t *entity = NULL;
	struct acl *acl = NULL;
	int r = token_acl(call, token, &entity, &acl);

	if (r == 0)
		r = answer(call, acl, paths);
	else if (r == -EACCES)
		r = call_wrapped_error(call, 400, "invalid token");
	acl_free(acl);
	json_decref(entity);
	token_free(token);
	return r;
}

int capabilities_of_token(struct call *call)
{
	json_auto_t *paths = NULL;
	struct token *token = NULL;
	const char *id = "";
	int r = call_field_string(call, "token", &id, NULL);

	/* Vault takes text alone for one here, and makes no text of numbers. */
	if (r == 0 && (!*id || !json_is_string(json_object_get(call->request->data, "token"))))
		return call_wrapped_error(call, 500, "no token found");
	if (r == 0)
		r = read_paths(call, &paths);
	if (r)
		return r < 0 ? r : 0;
	r = token_find(call, id, &token);
	if (r == -ENOENT)
		return call_wrapped_error(call, 400, "invalid token");
	return r < 0 ? r : answer_for(call, token, paths);
}

int capabilities_of_accessor(struct call *call)
{
	json_auto_t *paths = NULL;
	struct token *token = NULL;
	const char *accessor = "";
	int r = call_field_string(call, "accessor", &accessor, NULL);

	if (r)
		return r < 0 ? r : 0;
	if (!*accessor)
		return call_error(call, 400, "missing accessor");
	r = token_find_accessor(call, accessor, &token);
	if (r == -ENOENT)
		return call_wrapped_error(call, 400, "invalid accessor");
	if (r < 0)
		return r;
	r = read_paths(call, &paths);
	if (r == 0)
		return answer_for(call, token, paths);
	token_free(token);
	return r < 0 ? r : 0;
}
