/* SPDX-License-Identifier: Apache-2.0 */
/* Fields of KV requests that the general field types do not cover, with Vault's weak typing and texts. */
#include <errno.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/text.h"
#include "vault/embedded/go_text.h"
#include "vault/embedded/kv/kv.h"

/* Where a path has an existence check, that fails first, and its text comes without this prefix (kubernetes-auth.md
 * 0.2). */
static const char *field_prefix(const struct call *call)
{
	bool checked = call->path->exists && (call->request->op == VAULT_UPDATE || call->request->op == VAULT_CREATE);

	return checked ? "" : "Field validation failed: ";
}

/* Go's word for what Vault's decoder sees: numbers are text to it. */
static const char *go_kind(const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_TRUE:
	case JSON_FALSE:
		return "bool";
	case JSON_ARRAY:
		return "slice";
	default:
		return "string";
	}
}

static int not_a_map(struct call *call, const char *name, const char *where, const json_t *value)
{
	call_error(call, 400, "%serror converting input for field \"%s\": '%s' expected a map, got '%s'",
	    field_prefix(call), name, where, go_kind(value));
	return 1;
}

int kv_field_map(struct call *call, const char *name, json_t **ret, json_t **ret_owned)
{
	json_t *value = json_object_get(call->request->data, name), *merged;
	char where[32];

	if (!json_is_array(value)) {
		if (value && !json_is_object(value) && !json_is_null(value))
			return not_a_map(call, name, "", value);
		*ret = value;
		return 0;
	}
	/* An array of maps is one map. */
	merged = json_object();
	for (size_t i = 0; i < json_array_size(value); i++) {
		json_t *map = json_array_get(value, i);

		if (!json_is_object(map)) {
			json_decref(merged);
			snprintf(where, sizeof(where), "[%zu]", i);
			return not_a_map(call, name, where, map);
		}
		json_object_update(merged, map);
	}
	*ret_owned = *ret = merged;
	return merged ? 0 : -ENOMEM;
}

/* TEXT of LEN bytes as Go's ParseInt reads it; nothing is 0. */
static bool parse_integer(const char *text, size_t len, long long *ret)
{
	char copy[24], *end;

	*ret = 0;
	if (len == 0)
		return true;
	if (len >= sizeof(copy) || !strchr("+-0123456789", text[0]))
		return false;
	memcpy(copy, text, len);
	copy[len] = 0;
	errno = 0;
	*ret = strtoll(copy, &end, 0);
	return *end == 0 && errno == 0;
}

/* One of `versions`. A failure is a line of the error text. */
static void add_version(json_t *versions, const json_t *element, size_t i, struct buf *faults, unsigned *n_faults)
{
	char number[32];
	const char *text = json_string_value(element);
	long long value = json_is_true(element);

	if (json_is_integer(element)) {
		value = json_integer_value(element);
	} else if (json_is_real(element)) {
		snprintf(number, sizeof(number), "%.17g", json_real_value(element));
		text = number;
	} else if (json_is_object(element) || json_is_array(element)) {
		++*n_faults;
		buf_printf(faults, "\n* '[%zu]' expected type 'int', got unconvertible type '%s', value: '", i,
		    json_is_object(element) ? "map[string]interface {}" : "[]interface {}");
		go_value(faults, element);
		buf_add_char(faults, '\'');
		return;
	}
	if (text && !parse_integer(text, strlen(text), &value)) {
		++*n_faults;
		buf_printf(faults,
		    "\n* cannot parse '[%zu]' as int: strconv.ParseInt: parsing \"%.64s\": invalid syntax", i, text);
		return;
	}
	json_array_append_new(versions, json_integer(value));
}

/* A list, or text with commas, or one value: as an array. Of more than VAULT_LIST_MAX in a text it has one more. */
static json_t *as_array(json_t *value)
{
	const char *at = json_string_value(value);
	json_t *array;

	if (json_is_array(value))
		return json_incref(value);
	array = json_array();
	if (!at) {
		if (value && !json_is_null(value))
			json_array_append(array, value);
		return array;
	}
	while (*at && json_array_size(array) <= VAULT_LIST_MAX) {
		size_t len = strcspn(at, ",");

		json_array_append_new(array, json_stringn(at, len));
		at += len + (at[len] == ',');
	}
	return array;
}

int kv_field_versions(struct call *call, const char *empty, json_t **ret)
{
	json_auto_t *given = as_array(json_object_get(call->request->data, "versions"));
	json_auto_t *versions = json_array();
	struct buf faults AUTO_BUF = BUF_MAX(4096);
	unsigned n_faults = 0;

	if (!given || !versions)
		return -ENOMEM;
	if (json_array_size(given) > VAULT_LIST_MAX) {
		call_error(call, 400, "%serror converting input for field \"versions\": more than %d elements", field_prefix(call),
		    VAULT_LIST_MAX);
		return 1;
	}
	for (size_t i = 0; i < json_array_size(given); i++)
		add_version(versions, json_array_get(given, i), i, &faults, &n_faults);
	if (n_faults) {
		call_error(call, 400, "%serror converting input for field \"versions\": %u error(s) decoding:\n%s",
		    field_prefix(call), n_faults, faults.data ? faults.data : "");
		return 1;
	}
	if (json_array_size(versions) == 0) {
		call_error(call, 400, "%s", empty);
		return 1;
	}
	*ret = json_incref(versions);
	return 0;
}

static bool cas_value(const json_t *cas, long long *ret)
{
	const char *text = json_string_value(cas);

	*ret = json_is_integer(cas) ? json_integer_value(cas) : json_is_true(cas);
	if (text)
		return parse_integer(text, strlen(text), ret);
	return json_is_integer(cas) || json_is_boolean(cas) || json_is_null(cas);
}

int kv_check_cas(struct call *call, const struct kv_key *key)
{
	json_auto_t *owned = NULL;
	json_t *options = NULL, *cas;
	long long value;
	int r = kv_field_map(call, "options", &options, &owned);

	if (r)
		return r;
	cas = json_object_get(options, "cas");
	if (!cas) {
		if (!json_is_true(json_object_get(key->config, "cas_required")) &&
		    !json_is_true(json_object_get(key->meta, "cas_required")))
			return 0;
		call_error(call, 400, "check-and-set parameter required for this call");
	} else if (!cas_value(cas, &value)) {
		call_error(call, 400, "error parsing check-and-set parameter");
	} else if (value != kv_integer(key->meta, "current")) {
		call_error(call, 400, "check-and-set parameter did not match the current version");
	} else {
		return 0;
	}
	return 1;
}
