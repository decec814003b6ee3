/* SPDX-License-Identifier: Apache-2.0 */
/* The body of auth/token/create. Unlike other paths, Vault does not split a text of policies at commas here. */
#include <errno.h>

#include "vault/embedded/auth_token/child.h"

void child_request_clear(struct child_request *request)
{
	json_decref(request->policies);
	json_decref(request->meta);
}

static int read_policies(struct call *call, json_t **ret)
{
	const json_t *value = json_object_get(call->request->data, "policies");

	if (!json_is_string(value))
		return call_field_strings(call, "policies", ret, NULL);
	*ret = json_string_length(value) ? json_pack("[O]", value) : json_array();
	return *ret ? 0 : -ENOMEM;
}

int child_request_read(struct call *call, struct child_request *ret)
{
	const struct {
		const char *name, **ret;
	} texts[] = {
		{ "id", &ret->id },
		{ "ttl", &ret->ttl },
		{ "lease", &ret->lease },
		{ "explicit_max_ttl", &ret->explicit_max_ttl },
		{ "period", &ret->period },
		{ "display_name", &ret->display_name },
		{ "type", &ret->type },
		{ "entity_alias", &ret->entity_alias },
	};
	int r = 0;

	*ret = (struct child_request){ .renewable = true };
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(texts); i++) {
		*texts[i].ret = "";
		r = call_field_string(call, texts[i].name, texts[i].ret, NULL);
	}
	if (r == 0)
		r = call_field_bool(call, "no_parent", &ret->no_parent, NULL);
	if (r == 0)
		r = call_field_bool(call, "no_default_policy", &ret->no_default_policy, NULL);
	if (r == 0)
		r = call_field_bool(call, "renewable", &ret->renewable, NULL);
	if (r == 0)
		r = call_field_int(call, "num_uses", &ret->num_uses, NULL);
	if (r == 0)
		r = read_policies(call, &ret->policies);
	if (r == 0)
		r = call_field_pairs(call, "meta", &ret->meta, NULL);
	return r;
}
