/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Namespace selectors (2.3). Vault takes any YAML, and a selector with a misspelt member then matches every namespace;
 * here whatever is not plainly matchLabels with labels is refused.
 */
#include <strings.h>

#include "kube/strict_json.h"
#include "vault/embedded/auth_kubernetes/kubernetes.h"

#define SELECTOR_MAX 8192
#define LABELS_MAX   64
#define VALUE_MAX    63
#define PREFIX_MAX   253

static bool alphanumeric(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* [A-Za-z0-9][-A-Za-z0-9_.]*[A-Za-z0-9], at most 63 bytes */
static bool name_valid(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len > VALUE_MAX || !alphanumeric(name[0]) || !alphanumeric(name[len - 1]))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!alphanumeric(name[i]) && !strchr("-_.", name[i]))
			return false;
	}
	return true;
}

/* name or DNS-subdomain/name */
static bool key_valid(const char *key)
{
	const char *slash = strchr(key, '/');

	for (const char *c = key; slash && c < slash; c++) {
		bool inner = c > key && c + 1 < slash;

		if (!(*c >= 'a' && *c <= 'z') && !(*c >= '0' && *c <= '9') && !(inner && (*c == '-' || *c == '.')))
			return false;
	}
	if (slash && (slash == key || slash - key > PREFIX_MAX))
		return false;
	return name_valid(slash ? slash + 1 : key);
}

static bool add_label(json_t *labels, const char *key, const char *value)
{
	if (!key_valid(key) || (*value && !name_valid(value)) || json_object_get(labels, key) ||
	    json_object_size(labels) >= LABELS_MAX)
		return false;
	return json_object_set_new(labels, key, json_string(value)) == 0;
}

/* --- JSON */

static bool read_json(const char *text, json_t *labels)
{
	json_t *json = strict_json_object(text, strlen(text), 4);
	const json_t *match = json_object_get(json, "matchLabels");
	bool ok = json_is_object(match) && json_object_size(json) == 1;
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)match, key, value)
	{
		const char *string = json_string_value(value);

		ok = ok && string && add_label(labels, key, string);
	}
	json_decref(json);
	return ok;
}

/* --- YAML, as people write it:
	matchLabels:
	  team: blue      # plain or quoted without escapes
 */

/* Cuts trailing blanks. */
static void trim_right(char *text)
{
	size_t len = strlen(text);

	while (len > 0 && strchr(" \r", text[len - 1]))
		text[--len] = '\0';
}

/* One scalar at *AT, which is moved behind it. NULL for what only a YAML library could read. */
static char *scalar(char **at)
{
	char *start = *at, quote = *start;
	size_t len;

	if (quote == '"' || quote == '\'') {
		start++;
		len = strcspn(start, quote == '"' ? "\"\\" : "'");
		if (start[len] != quote || start[len + 1] == quote)
			return NULL;
		*at = start + len + 1;
		start[len] = '\0';
		return start;
	}
	len = strspn(start, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./");
	if (len == 0 || start[0] == '-')
		return NULL;
	*at = start + len;
	return start;
}

/* Whether nothing but blanks and a comment follow. */
static bool at_end(const char *at)
{
	size_t blanks = strspn(at, " ");

	return at[blanks] == '\0' || (at[blanks] == '#' && blanks > 0);
}

/* Whether an unquoted value is the same text to every YAML library: no other spelling of null, booleans and numbers. */
static bool plain_value(const char *value)
{
	static const char *const other[] = { "null", "y", "yes", "n", "no", "on", "off" };
	size_t digits = strspn(value, "0123456789");

	if (streq(value, "true") || streq(value, "false"))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(other); i++) {
		if (strcasecmp(value, other[i]) == 0)
			return false;
	}
	if (strcasecmp(value, "true") == 0 || strcasecmp(value, "false") == 0)
		return false;
	if (digits > 0)
		return value[digits] == '\0' && digits < 16 && (value[0] != '0' || digits == 1);
	return alphanumeric(value[0]);
}

static bool read_label(char *line, json_t *labels)
{
	char *at = line, *key = scalar(&at), *value, *colon = at;
	bool plain;

	if (!key || *colon != ':' || colon[1] != ' ')
		return false;
	at = colon + 1 + strspn(colon + 1, " ");
	*colon = '\0';
	plain = *at != '"' && *at != '\'';
	value = scalar(&at);
	if (!value || !at_end(at))
		return false;
	*at = '\0';
	return (!plain || plain_value(value)) && add_label(labels, key, value);
}

static bool read_yaml(char *text, json_t *labels)
{
	size_t indent = 0;
	bool opened = false, first = true;
	char *rest = text, *line;

	while ((line = strsep(&rest, "\n"))) {
		size_t blanks = strspn(line, " ");

		trim_right(line);
		if (line[blanks] == '\0' || line[blanks] == '#')
			continue;
		if (first && streq(line, "---")) {
			first = false;
			continue;
		}
		first = false;
		if (!opened) {
			if (strncmp(line, "matchLabels:", 12) != 0 || !at_end(line + 12))
				return false;
			opened = true;
			continue;
		}
		if (blanks == 0 || (indent && blanks != indent) || !read_label(line + blanks, labels))
			return false;
		indent = blanks;
	}
	return opened;
}

json_t *selector_parse(const char *text)
{
	AUTO_FREE char *copy = NULL;
	json_t *labels = json_object();
	bool ok;

	if (strlen(text) > SELECTOR_MAX || !(copy = strdup(text))) {
		json_decref(labels);
		return NULL;
	}
	ok = text[strspn(text, " \t\r\n")] == '{' ? read_json(text, labels) : read_yaml(copy, labels);
	if (ok && json_object_size(labels) > 0)
		return labels;
	json_decref(labels);
	return NULL;
}

bool selector_match(const json_t *wanted, const json_t *labels)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)wanted, key, value)
	{
		if (!json_equal(value, json_object_get(labels, key)))
			return false;
	}
	return json_object_size(wanted) > 0;
}
