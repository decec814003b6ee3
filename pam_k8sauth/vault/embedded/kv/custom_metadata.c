/* SPDX-License-Identifier: Apache-2.0 */
/* The custom metadata of a key: text by text, within Vault's limits. */
#include <errno.h>
#include <stdio.h>

#include "base/buf.h"
#include "vault/embedded/custom_metadata.h"
#include "vault/embedded/go_text.h"
#include "vault/embedded/kv/kv.h"

#define FAILED "custom_metadata validation failed: "

/* VALUE as text; NULL where it is none. */
static json_t *as_text(const json_t *value)
{
	struct buf number AUTO_BUF = BUF_MAX(64);

	switch (json_typeof(value)) {
	case JSON_STRING:
		return json_string(json_string_value(value));
	case JSON_TRUE:
	case JSON_FALSE:
		return json_string(json_is_true(value) ? "1" : "0");
	case JSON_NULL:
		return json_string("");
	case JSON_INTEGER:
	case JSON_REAL:
		go_value(&number, value);
		return json_string(number.data);
	default:
		return NULL;
	}
}

static int not_text(struct call *call, const json_t *value)
{
	struct buf shown AUTO_BUF = BUF_MAX(4096);

	go_value(&shown, value);
	call_error(call, 400, FAILED "'' expected type 'string', got unconvertible type '%s', value: '%s'",
	    json_is_object(value) ? "map[string]interface {}" : "[]interface {}",
	    shown.failed ? "too long to show" : shown.data);
	return 1;
}

int kv_field_custom_metadata(struct call *call, bool patch, json_t **ret, bool *ret_set)
{
	json_auto_t *owned = NULL, *metadata = NULL;
	json_t *given = NULL, *value;
	const char *key;
	int r = kv_field_map(call, "custom_metadata", &given, &owned);

	if (r || !given)
		return r;
	*ret_set = true;
	if (json_is_null(given))
		return 0;
	metadata = json_object();
	json_object_foreach(given, key, value)
	{
		json_t *text = patch && json_is_null(value) ? json_null() : as_text(value);

		if (!text)
			return not_text(call, value);
		json_object_set_new(metadata, key, text);
	}
	if (custom_metadata_check(call, metadata, 400))
		return 1;
	*ret = json_incref(metadata);
	return 0;
}
