/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Templates in policy paths (vault-core.md 1.8): "{{identity.entity.id}}" becomes the entity's. What cannot be filled
 * in makes its rule match nothing. Values that are empty or have '*', '+' or '/' could widen it, and they are not the
 * policy author's words (annotations of a service account, for one): such a rule grants nothing any more, but it may
 * have been there to take something away, so it still denies, and still decides instead of wider rules.
 */
#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "base/buf.h"
#include "base/text.h"
#include "vault/embedded/acl/rule.h"

#define SELECTOR_MAX 1024

static const char *after(const char *text, const char *prefix)
{
	return starts_with(text, prefix) ? text + strlen(prefix) : NULL;
}

static const char *text_of(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);
	const char *text = json_string_value(value);

	/* A NUL inside would hide what stands behind it. */
	return text && strlen(text) == json_string_length(value) ? text : NULL;
}

static const char *alias_value(const json_t *alias, const char *selector)
{
	const char *key;

	if (streq(selector, "id") || streq(selector, "name"))
		return text_of(alias, selector);
	if ((key = after(selector, "metadata.")))
		return text_of(json_object_get(alias, "metadata"), key);
	if ((key = after(selector, "custom_metadata.")))
		return text_of(json_object_get(alias, "custom_metadata"), key);
	return NULL;
}

/* SELECTOR: "<accessor>.<field>" */
static const char *aliases_value(const json_t *entity, const char *selector)
{
	size_t len = strcspn(selector, "."), i;
	const json_t *alias;

	if (!selector[len])
		return NULL;
	json_array_foreach(json_object_get(entity, "aliases"), i, alias)
	{
		const char *accessor = text_of(alias, "accessor");

		if (accessor && strlen(accessor) == len && memcmp(accessor, selector, len) == 0)
			return alias_value(alias, selector + len + 1);
	}
	return NULL;
}

static const char *entity_value(const json_t *entity, const char *selector)
{
	const char *key;

	if (streq(selector, "id") || streq(selector, "name"))
		return text_of(entity, selector);
	if ((key = after(selector, "metadata.")))
		return text_of(json_object_get(entity, "metadata"), key);
	if ((key = after(selector, "aliases.")))
		return aliases_value(entity, key);
	return NULL;
}

/* SELECTOR: "<id or name>.<field>", of a group that the entity is in. KEY: which of both. */
static const char *group_value(const json_t *entity, const char *key, const char *selector)
{
	size_t len = strcspn(selector, "."), i;
	const char *field = selector + len + 1, *metadata;
	const json_t *group;

	if (!selector[len])
		return NULL;
	json_array_foreach(json_object_get(entity, "groups"), i, group)
	{
		const char *text = text_of(group, key);

		if (!text || strlen(text) != len || memcmp(text, selector, len) != 0)
			continue;
		if (streq(field, "id") || streq(field, "name"))
			return text_of(group, field);
		metadata = after(field, "metadata.");
		return metadata ? text_of(json_object_get(group, "metadata"), metadata) : NULL;
	}
	return NULL;
}

/* SELECTOR: "now", "now.plus.<duration>", "now.minus.<duration>" */
static const char *time_value(const char *selector, char ret[static 32])
{
	const char *duration;
	long long shift = 0, now = time(NULL);
	bool minus = false;

	duration = after(selector, "now.plus.");
	if (!duration && (duration = after(selector, "now.minus.")))
		minus = true;
	if (!duration && !streq(selector, "now"))
		return NULL;
	if (duration && (!*duration || duration_parse(duration, &shift) < 0))
		return NULL;
	if (__builtin_sub_overflow(now, minus ? shift : -shift, &now))
		return NULL;
	snprintf(ret, 32, "%lld", now);
	return ret;
}

static bool is_safe(const char *value)
{
	return *value && !strpbrk(value, "*+/");
}

/* What stands between the braces, without blanks around it. 0 or -ENOENT. */
static int read_selector(const char *text, size_t len, char ret[static SELECTOR_MAX])
{
	static const char blanks[] = " \t\n\v\f\r";

	while (len && strchr(blanks, *text)) {
		text++;
		len--;
	}
	while (len && strchr(blanks, text[len - 1]))
		len--;
	if (len >= SELECTOR_MAX)
		return -ENOENT;
	memcpy(ret, text, len);
	ret[len] = '\0';
	return 0;
}

/* Appends the value of the template at TEXT. 0 or -ENOENT. */
static int add_value(
    struct buf *out, const char *text, size_t len, const json_t *entity, bool *ret_timed, bool *ret_unsafe)
{
	char selector[SELECTOR_MAX], number[32];
	const char *value = NULL, *rest;
	int r = read_selector(text, len, selector);

	if (r < 0)
		return r;
	if ((rest = after(selector, "identity.entity.")))
		value = entity_value(entity, rest);
	else if ((rest = after(selector, "identity.groups.ids.")))
		value = group_value(entity, "id", rest);
	else if ((rest = after(selector, "identity.groups.names.")))
		value = group_value(entity, "name", rest);
	else if ((rest = after(selector, "time.")))
		value = time_value(rest, number);
	if (rest && value == number)
		*ret_timed = true;
	if (!value)
		return -ENOENT;
	if (!is_safe(value))
		*ret_unsafe = true;
	buf_add_str(out, value);
	return 0;
}

int template_fill(const char *label, const json_t *entity, bool *ret_timed, bool *ret_unsafe, char **ret)
{
	AUTO_BUF struct buf out = { 0 };
	const char *open;

	while ((open = strstr(label, "{{"))) {
		const char *close = strstr(open + 2, "}}");
		int r;

		if (!close)
			return -ENOENT;
		buf_add(&out, label, (size_t)(open - label));
		r = add_value(&out, open + 2, (size_t)(close - open - 2), entity, ret_timed, ret_unsafe);
		if (r < 0)
			return r;
		label = close + 2;
	}
	buf_add_str(&out, label);
	*ret = buf_take(&out);
	return *ret ? 0 : -ENOMEM;
}
