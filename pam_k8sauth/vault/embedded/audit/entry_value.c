/* SPDX-License-Identifier: Apache-2.0 */
/* Data of requests and answers, with what must not be read hashed (vault-core.md 6.2). */
#include <errno.h>
#include <stdio.h>

#include "base/json_go.h"
#include "vault/embedded/audit/audit_internal.h"

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int audit_sorted_names(const json_t *object, const char ***names, size_t *ret_n)
{
	json_t *members = (json_t *)(uintptr_t)object; /* jansson's iterators take no const */
	const char **list = malloc((json_object_size(object) + 1) * sizeof(const char *)), *name;
	json_t *value;
	size_t n = 0;

	if (!list)
		return -ENOMEM;
	json_object_foreach(members, name, value)
		list[n++] = name;
	qsort(list, n, sizeof(const char *), compare_names);
	*names = list;
	*ret_n = n;
	return 0;
}

static bool is_clear(const json_t *clear, const char *name)
{
	for (size_t i = 0; i < json_array_size(clear); i++)
		if (streq(json_string_value(json_array_get(clear, i)), name))
			return true;
	return false;
}

/* How the values of one call are written. */
struct style {
	enum audit_rule rule;
	const json_t *clear;
};

static void add_value(struct audit_draft *draft, const json_t *value, const struct style *style, bool shown);

static void add_object(struct audit_draft *draft, const json_t *object, const struct style *style)
{
	const char **names AUTO_FREE = NULL;
	size_t n;

	if (audit_sorted_names(object, &names, &n) < 0) {
		draft->buf.failed = true;
		return;
	}
	draft_str(draft, "{");
	for (size_t i = 0; i < n; i++) {
		if (i)
			draft_str(draft, ",");
		draft_clear(draft, names[i], strlen(names[i]));
		draft_str(draft, ":");
		add_value(draft, json_object_get(object, names[i]), style,
		    style->rule == AUDIT_CLEAR || is_clear(style->clear, names[i]));
	}
	draft_str(draft, "}");
}

static void add_number(struct audit_draft *draft, const json_t *value, bool hashed)
{
	AUTO_BUF struct buf text = { 0 };

	json_go_encode(value, &text);
	if (text.failed)
		draft->buf.failed = true;
	else if (hashed)
		draft_number(draft, text.data);
	else
		draft_literal(draft, text.data, text.len);
}

/* SHOWN: the member of the nearest object that VALUE is, or is in, is one that is shown. */
static void add_value(struct audit_draft *draft, const json_t *value, const struct style *style, bool shown)
{
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		add_object(draft, value, style);
		break;
	case JSON_ARRAY:
		draft_str(draft, "[");
		for (size_t i = 0; i < json_array_size(value); i++) {
			if (i)
				draft_str(draft, ",");
			add_value(draft, json_array_get(value, i), style, shown);
		}
		draft_str(draft, "]");
		break;
	case JSON_STRING:
		if (shown)
			draft_clear(draft, json_string_value(value), json_string_length(value));
		else if (style->rule == AUDIT_HASHED)
			draft_hashed(draft, json_string_value(value), json_string_length(value));
		else
			draft_secret(draft, json_string_value(value), json_string_length(value));
		break;
	case JSON_INTEGER:
	case JSON_REAL:
		add_number(draft, value, style->rule == AUDIT_SENT && !shown);
		break;
	default:
		draft_str(draft, json_is_true(value) ? "true" : json_is_false(value) ? "false" : "null");
	}
}

void audit_value(struct audit_draft *draft, const json_t *value, enum audit_rule rule, const json_t *clear)
{
	const struct style style = { rule, clear };

	add_value(draft, value, &style, rule == AUDIT_CLEAR);
}

void audit_member(struct audit_draft *draft, const char *name, const json_t *value, const json_t *clear)
{
	const struct style style = { AUDIT_ANSWERED, clear };

	add_value(draft, value, &style, is_clear(clear, name));
}
