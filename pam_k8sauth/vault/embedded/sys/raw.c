/* SPDX-License-Identifier: Apache-2.0 */
/* What the paths share that answer in every state: no envelope, and bodies read as Go's JSON reads them. */
#include "vault/embedded/sys/sys.h"

#include <errno.h>

#include "base/json_go.h"
#include "base/text.h"
#include "vault/embedded/seal/seal.h"

int sys_answer(struct call *call, int status, json_t *body)
{
	if (!body)
		return -ENOMEM;
	call->response->status = status;
	call->response->body = body;
	return 0;
}

bool sys_is_root(const struct call *call)
{
	const struct vault_peer *peer = &call->request->peer;

	return call->request->internal || (peer->kind == VAULT_PEER_UNIX && peer->uid == 0);
}

static int refuse_type(struct call *call, const json_t *value, const char *go, const char *type)
{
	call_error(call, 400,
	    "failed to parse JSON input: json: cannot unmarshal %s into Go struct field %s of type %s", json_go_kind(value),
	    go, type);
	return 1;
}

/* NULL where it is absent or null. */
static const json_t *member(const struct call *call, const char *name)
{
	const json_t *value = json_object_get(call->request->data, name);

	return json_is_null(value) ? NULL : value;
}

int sys_raw_text(struct call *call, const char *name, const char *go, const char **ret)
{
	const json_t *value = member(call, name);

	if (!value)
		return 0;
	if (!json_is_string(value))
		return refuse_type(call, value, go, "string");
	*ret = json_string_value(value);
	return 0;
}

int sys_raw_int(struct call *call, const char *name, const char *go, long long *ret)
{
	const json_t *value = member(call, name);

	if (!value)
		return 0;
	if (!json_is_integer(value))
		return refuse_type(call, value, go, "int");
	*ret = json_integer_value(value);
	return 0;
}

int sys_raw_bool(struct call *call, const char *name, const char *go, bool *ret)
{
	const json_t *value = member(call, name);

	if (!value)
		return 0;
	if (!json_is_boolean(value))
		return refuse_type(call, value, go, "bool");
	*ret = json_is_true(value);
	return 0;
}

int sys_raw_body(struct call *call)
{
	if (call->request->fault_status)
		call_error(call, call->request->fault_status, "%s", call->request->fault);
	else if (!call->request->data)
		call_error(call, 400, "EOF");
	else
		return 0;
	return 1;
}

int sys_raw_key(struct call *call, const char *go, const char *missing, struct secret **ret)
{
	const char *text = "";
	int r = sys_raw_text(call, "key", go, &text);

	if (r)
		return r;
	if (!*text) {
		call_error(call, 400, "%s", missing);
		return 1;
	}
	r = key_text_decode(text, ret);
	if (r != -EINVAL)
		return r;
	call_error(call, 400, "'key' must be a valid hex or base64 string");
	return 1;
}

int sys_may_change_keys(struct call *call, const char *sealed)
{
	if (core_sealed(call->core)) {
		call_error(call, 503, "%s", sealed);
		return 1;
	}
	return sys_is_root(call) ? 0 : router_authorise(call);
}

int sys_check_share(struct call *call, const struct secret *share, const char *prefix)
{
	size_t len = secret_len(share);

	if (len >= KEY_SHARE_MIN && len <= KEY_SHARE_MAX)
		return 0;
	call_error(call, 400, "%skey is %s %d bytes", prefix,
	    len < KEY_SHARE_MIN ? "shorter than minimum" : "longer than maximum",
	    len < KEY_SHARE_MIN ? KEY_SHARE_MIN : KEY_SHARE_MAX);
	return 1;
}

int sys_refuse_pgp(struct call *call, const char *const *names)
{
	for (; *names; names++) {
		const json_t *value = json_object_get(call->request->data, *names);

		bool empty = !value || json_is_null(value) || (json_is_array(value) && !json_array_size(value)) ||
			     (json_is_string(value) && !json_string_length(value));

		if (!empty) {
			call_error(call, 400,
			    "%s is not supported: leave it out, and encrypt the shares yourself as they come", *names);
			return 1;
		}
	}
	return 0;
}

json_t *sys_shares(const struct secret *shares, size_t n, bool base64)
{
	json_t *list = json_array();
	size_t len = n ? KEY_SHARE_LEN(n) : 0;

	for (size_t i = 0; list && i < n; i++) {
		const char *share = secret_reveal(shares) + i * len;
		char text[2 * KEY_SHARE_MAX + 1];
		int r;

		if (base64)
			base64_encode(share, len, text);
		else
			hex_encode(share, len, text);
		r = json_array_append_new(list, json_string(text));
		wipe(text, sizeof(text));
		if (r < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}
