/* SPDX-License-Identifier: Apache-2.0 */
/* See names.h. */
#include "kube/names.h"

#include <string.h>

static bool alphanumeric(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool label_valid(const char *label, size_t len)
{
	if (len == 0 || !alphanumeric(label[0]) || !alphanumeric(label[len - 1]))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!alphanumeric(label[i]) && label[i] != '-')
			return false;
	}
	return true;
}

bool kube_namespace_valid(const char *name)
{
	size_t len = strlen(name);

	return len <= KUBE_NAMESPACE_MAX && label_valid(name, len);
}

bool kube_name_valid(const char *name)
{
	if (strlen(name) > KUBE_NAME_MAX)
		return false;
	for (;;) {
		size_t len = strcspn(name, ".");

		if (!label_valid(name, len))
			return false;
		if (name[len] == '\0')
			return true;
		name += len + 1;
	}
}
