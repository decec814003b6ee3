/* SPDX-License-Identifier: Apache-2.0 */
/* What a name or an id tells by itself: the rules that NSS applies before it opens anything. */
#include "accounts/names.h"

#include <errno.h>

#define PREFIX_START	  "k8s"
#define PREFIX_VARIED_MAX 6 /* characters between "k8s" and the underscore */
#define DECLARED_START	  "k8s-"
#define NAMESPACE_MAX	  63
#define SUBDOMAIN_MAX	  253
#define HASHED_CHARS	  16

/* Not isalnum(): the locale of the host program must not decide. */
static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

size_t account_prefix_len(const char *name)
{
	size_t len = strlen(PREFIX_START);

	if (strncmp(name, PREFIX_START, len) != 0)
		return 0;
	for (size_t i = 0; i < PREFIX_VARIED_MAX && is_alnum(name[len]); i++)
		len++;
	return name[len] == '_' ? len + 1 : 0;
}

bool account_prefix_valid(const char *prefix)
{
	size_t len = account_prefix_len(prefix);

	return len > 0 && prefix[len] == '\0';
}

bool account_name_is_ours(const char *name)
{
	size_t len = account_prefix_len(name);

	return len > 0 && name[len] != '\0';
}

bool account_group_is_ours(const char *name)
{
	if (account_name_is_ours(name) || streq(name, K8SAUTH_USERS_GROUP))
		return true;
	return strncmp(name, DECLARED_START, strlen(DECLARED_START)) == 0 && name[strlen(DECLARED_START)] != '\0';
}

/* DNS labels (RFC 1123) joined by dots where DOTS says so: each starts and ends with a letter or digit. */
static bool labels_valid(const char *name, size_t len, bool dots)
{
	bool inside = false; /* the last character was a letter or digit */

	for (size_t i = 0; i < len; i++) {
		char c = name[i], next = i + 1 < len ? name[i + 1] : '.';

		if (is_alnum(c))
			inside = true;
		else if (c == '-' && i > 0 && name[i - 1] != '.' && next != '.')
			inside = false;
		else if (dots && c == '.' && inside)
			inside = false;
		else
			return false;
	}
	return inside;
}

static bool namespace_valid(const char *name, size_t len)
{
	return len <= NAMESPACE_MAX && labels_valid(name, len, false);
}

static bool service_account_valid(const char *name, size_t len)
{
	return len <= SUBDOMAIN_MAX && labels_valid(name, len, true);
}

bool account_namespace_valid(const char *name)
{
	return namespace_valid(name, strnlen(name, NAMESPACE_MAX + 1));
}

bool account_service_account_valid(const char *name)
{
	return service_account_valid(name, strnlen(name, SUBDOMAIN_MAX + 1));
}

bool account_id_forbidden(uint32_t id)
{
	/* systemd's uids-gids table: homed, users mapped into containers, greeters, dynamic users, nobody, 16-bit -1 */
	if (id < ACCOUNT_ID_MIN || (id > 60000 && id <= 65535))
		return true;
	/* its container range, and from its foreign range on */
	return (id >= 524288 && id < ACCOUNT_ID_BASE) || id >= ACCOUNT_ID_LIMIT;
}

static bool hashed_part_valid(const char *part)
{
	size_t n = 0;

	for (; part[n]; n++) {
		if (!(part[n] >= 'a' && part[n] <= 'z') && !(part[n] >= '2' && part[n] <= '7'))
			return false;
	}
	return n == HASHED_CHARS;
}

enum account_form account_name_form(const char *name)
{
	size_t prefix_len = account_prefix_len(name), ns_len;
	const char *rest = name + prefix_len;

	if (prefix_len == 0 || strnlen(name, ACCOUNT_NAME_SIZE) > ACCOUNT_NAME_MAX)
		return ACCOUNT_FORM_NONE;
	if (*rest == '_')
		return hashed_part_valid(rest + 1) ? ACCOUNT_FORM_HASHED : ACCOUNT_FORM_NONE;
	ns_len = strcspn(rest, "_");
	if (!namespace_valid(rest, ns_len))
		return ACCOUNT_FORM_NONE;
	if (rest[ns_len] == '\0')
		return ACCOUNT_FORM_GROUP;
	return account_service_account_valid(rest + ns_len + 1) ? ACCOUNT_FORM_FULL : ACCOUNT_FORM_NONE;
}

int account_split_name(const char *unix_name, char **ret_ns, char **ret_service_account)
{
	AUTO_FREE char *ns = NULL, *service_account = NULL;
	const char *rest, *underscore;

	if (account_name_form(unix_name) != ACCOUNT_FORM_FULL)
		return -EINVAL;
	rest = unix_name + account_prefix_len(unix_name);
	underscore = strchr(rest, '_');
	ns = strndup(rest, (size_t)(underscore - rest));
	service_account = strdup(underscore + 1);
	if (!ns || !service_account)
		return -ENOMEM;
	*ret_ns = TAKE_PTR(ns);
	*ret_service_account = TAKE_PTR(service_account);
	return 0;
}
