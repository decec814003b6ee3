/* SPDX-License-Identifier: Apache-2.0 */
/* What requests about entities and about groups say in the same words. */
#include <ctype.h>
#include <errno.h>
#include <strings.h>

#include "base/buf.h"
#include "base/text.h"
#include "vault/embedded/go_text.h"
#include "vault/embedded/identity/identity_internal.h"

#define METADATA_MAX	   64
#define METADATA_KEY_MAX   128
#define METADATA_VALUE_MAX 512

/* --- look-ups */

int identity_query_read(struct call *call, struct identity_query *ret)
{
	int r = call_field_string(call, "id", &ret->id, NULL);

	if (r == 0)
		r = call_field_string(call, "name", &ret->name, NULL);
	if (r == 0)
		r = call_field_string(call, "alias_id", &ret->alias, NULL);
	if (r == 0)
		r = call_field_string(call, "alias_name", &ret->account, NULL);
	if (r == 0)
		r = call_field_string(call, "alias_mount_accessor", &ret->accessor, NULL);
	if (r)
		return r;
	if (!ret->id && !ret->name && !ret->alias && !ret->account && !ret->accessor)
		call_error(call, 400, "query parameter not supplied");
	else if (!!ret->id + !!ret->name + !!ret->alias + (ret->account || ret->accessor) > 1)
		call_error(call, 400, "query parameter conflict; please supply distinct set of query parameters");
	else if (!ret->account != !ret->accessor)
		call_error(call, 400, "both 'alias_name' and 'alias_mount_accessor' needs to be set");
	else
		return 0;
	return 1;
}

/* --- lists of names */

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static size_t trimmed(const char **text)
{
	size_t len;

	while (isspace((unsigned char)**text))
		++*text;
	len = strlen(*text);
	while (len && isspace((unsigned char)(*text)[len - 1]))
		len--;
	return len;
}

/* The names of LIST in one case each: the first one that was written counts. NULL without memory. */
static json_t *any_case(const json_t *list)
{
	json_auto_t *seen = json_object();
	json_t *names = json_array(), *item;
	size_t i;

	json_array_foreach(list, i, item)
	{
		const char *text = json_string_value(item);
		size_t len = trimmed(&text);
		AUTO_FREE char *lower = strndup(text, len);

		for (char *c = lower; c && *c; c++)
			*c = (char)tolower((unsigned char)*c);
		if (lower && json_object_get(seen, lower))
			continue;
		if (!lower || json_object_set_new(seen, lower, json_true()) ||
		    json_array_append_new(names, json_stringn(text, len))) {
			json_decref(names);
			return NULL;
		}
	}
	return names;
}

static json_t *sorted(const json_t *list)
{
	size_t n = json_array_size(list);
	AUTO_FREE const char **names = calloc(n + 1, sizeof(*names));
	json_t *clean = json_array();

	for (size_t i = 0; names && i < n; i++)
		names[i] = json_string_value(json_array_get(list, i));
	if (names && n)
		qsort(names, n, sizeof(*names), compare_names);
	for (size_t i = 0; names && i < n; i++) {
		if (*names[i] && (i == 0 || !streq(names[i], names[i - 1])) &&
		    json_array_append_new(clean, json_string(names[i]))) {
			json_decref(clean);
			return NULL;
		}
	}
	if (names)
		return clean;
	json_decref(clean);
	return NULL;
}

json_t *identity_names(const json_t *list, enum identity_names how)
{
	json_auto_t *names = NULL;

	if (how == NAMES_AS_WRITTEN)
		return sorted(list);
	names = any_case(list);
	return names ? sorted(names) : NULL;
}

int identity_list_add(json_t *record, const char *name, const char *text)
{
	json_auto_t *list = json_copy(json_object_get(record, name)), *clean = NULL;

	if (!list)
		list = json_array();
	if (!list || json_array_append_new(list, json_string(text)))
		return -ENOMEM;
	clean = sorted(list);
	return clean && json_object_set(record, name, clean) == 0 ? 0 : -ENOMEM;
}

bool identity_list_drop(json_t *record, const char *name, const char *text)
{
	json_t *list = json_object_get(record, name), *item;
	size_t i;

	json_array_foreach(list, i, item)
	{
		if (streq(json_string_value(item), text))
			return json_array_remove(list, i) == 0;
	}
	return false;
}

/* --- policies and metadata */

int identity_read_policies(struct call *call, json_t **ret)
{
	json_auto_t *list = NULL;
	const json_t *name;
	size_t i;
	int r = call_field_strings(call, "policies", &list, NULL);

	if (r)
		return r;
	json_array_foreach(list, i, name)
	{
		if (strcasecmp(json_string_value(name), "root") == 0) {
			call_error(call, 400, "policies cannot contain root");
			return 1;
		}
	}
	*ret = TAKE_PTR(list);
	return 0;
}

/* What is wrong with a pair; NULL for nothing. */
static const char *pair_fault(const char *key, const char *value)
{
	if (!*key)
		return "key cannot be blank";
	for (const char *c = key; *c; c++) {
		if (!isalnum((unsigned char)*c) && !strchr("_/-", *c))
			return "key contains invalid characters";
	}
	if (strlen(key) > METADATA_KEY_MAX)
		return "key is too long (limit: 128 characters)";
	return strlen(value) > METADATA_VALUE_MAX ? "value is too long (limit: 512 characters)" : NULL;
}

/* 0, or 1 after the refusal. */
static int check_metadata(struct call *call, const char *whose, json_t *metadata)
{
	AUTO_BUF struct buf fault = { 0 };
	const char *key;
	json_t *value;

	if (json_object_size(metadata) > METADATA_MAX) {
		call_wrapped_error(call, 500,
		    "invalid %s metadata: metadata cannot contain more than %d key/value pairs", whose, METADATA_MAX);
		return 1;
	}
	json_object_foreach(metadata, key, value)
	{
		const char *text = json_string_value(value), *what = pair_fault(key, text);

		if (!what)
			continue;
		go_quote(&fault, key);
		buf_add_str(&fault, ", ");
		go_quote(&fault, text);
		call_wrapped_error(call, 500, "invalid %s metadata: failed to load metadata pair (%s): %s", whose,
		    fault.data ? fault.data : "", what);
		return 1;
	}
	return 0;
}

int identity_read_metadata(struct call *call, const char *whose, json_t **ret, bool *ret_set)
{
	json_auto_t *metadata = NULL;
	bool set = false;
	int r = call_field_pairs(call, "metadata", &metadata, &set);

	if (r == 0 && metadata)
		r = check_metadata(call, whose, metadata);
	if (r)
		return r;
	*ret = TAKE_PTR(metadata);
	*ret_set = set;
	return 0;
}

int identity_check_name(struct call *call, const char *name)
{
	if (strlen(name) <= IDENTITY_NAME_MAX)
		return 0;
	call_error(call, 400, "a name has at most %d bytes", IDENTITY_NAME_MAX);
	return 1;
}
