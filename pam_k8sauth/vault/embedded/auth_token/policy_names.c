/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of policy names as tokens have them: in lower case, sorted, once each; root stands alone. */
#include <ctype.h>
#include <errno.h>

#include "base/text.h"
#include "vault/embedded/auth_token/policy_names.h"

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* NAME trimmed and in lower case; NULL for an empty one or without memory. */
static char *clean_name(const char *name, int *ret_r)
{
	size_t len;
	char *clean;

	while (isspace((unsigned char)*name))
		name++;
	len = strlen(name);
	while (len && isspace((unsigned char)name[len - 1]))
		len--;
	if (!len)
		return NULL;
	clean = strndup(name, len);
	if (!clean)
		*ret_r = -ENOMEM;
	for (char *c = clean; c && *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return clean;
}

/* The sorted NAMES as an array, once each. NULL without memory. */
static json_t *to_array(char *const *names, size_t n)
{
	json_t *list = json_array();
	bool ok = list != NULL;

	for (size_t i = 0; ok && i < n; i++)
		if (i == 0 || !streq(names[i], names[i - 1]))
			ok = json_array_append_new(list, json_string(names[i])) == 0;
	if (ok)
		return list;
	json_decref(list);
	return NULL;
}

/* MORE: one name besides, or NULL. */
static int clean_names(const json_t *list, const char *more, json_t **ret)
{
	size_t n = 0, max = json_array_size(list) + 1;
	char **names = calloc(max, sizeof(*names));
	int r = names ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i + 1 < max; i++) {
		const char *name = json_string_value(json_array_get(list, i));

		names[n] = name ? clean_name(name, &r) : NULL;
		n += names[n] != NULL;
	}
	if (r == 0 && more) {
		names[n] = strdup(more);
		r = names[n] ? 0 : -ENOMEM;
		n += names[n] != NULL;
	}
	if (r == 0) {
		qsort(names, n, sizeof(*names), compare_names);
		*ret = to_array(names, n);
		r = *ret ? 0 : -ENOMEM;
	}
	for (size_t i = 0; i < n; i++)
		free(names[i]);
	free(names);
	return r;
}

int policy_names_clean(const json_t *policies, bool add_default, json_t **ret)
{
	json_t *clean;
	int r = clean_names(policies, add_default ? "default" : NULL, &clean);

	if (r == 0 && policy_names_has(clean, "root")) {
		json_decref(clean);
		clean = json_pack("[s]", "root");
		r = clean ? 0 : -ENOMEM;
	}
	if (r == 0)
		*ret = clean;
	return r;
}

int policy_names_sort(const json_t *names, json_t **ret)
{
	return clean_names(names, NULL, ret);
}

bool policy_names_has(const json_t *policies, const char *name)
{
	size_t i;
	json_t *policy;

	json_array_foreach(policies, i, policy)
	{
		const char *text = json_string_value(policy);

		if (text && streq(text, name))
			return true;
	}
	return false;
}

bool policy_names_subset(const json_t *policies, const json_t *of)
{
	size_t i;
	json_t *policy;

	json_array_foreach(policies, i, policy)
	{
		if (!policy_names_has(of, json_string_value(policy)))
			return false;
	}
	return true;
}

void policy_names_drop(json_t *policies, const char *name)
{
	for (size_t i = json_array_size(policies); i > 0; i--) {
		const char *text = json_string_value(json_array_get(policies, i - 1));

		if (text && streq(text, name))
			json_array_remove(policies, i - 1);
	}
}
