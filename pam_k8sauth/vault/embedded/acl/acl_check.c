/* SPDX-License-Identifier: Apache-2.0 */
/* Which rule of an ACL decides, and what it says; see vault/embedded/acl.h, vault-core.md 1.5 and 1.6. */
#include <errno.h>

#include "base/text.h"
#include "vault/embedded/acl/rule.h"

#define NS_PER_SECOND 1000000000LL

static bool is_plus(const char *segment, size_t len)
{
	return len == 1 && *segment == '+';
}

/* Segment by segment; a '*' at the pattern's end makes its last segment a prefix of all that follows. */
static bool segments_match(const char *pattern, const char *path)
{
	for (;;) {
		size_t len = strcspn(pattern, "/"), path_len = strcspn(path, "/");
		bool last = pattern[len] == '\0', path_last = path[path_len] == '\0';

		if (last && len > 0 && pattern[len - 1] == '*')
			return strncmp(pattern, path, len - 1) == 0;
		if (!is_plus(pattern, len) && (len != path_len || memcmp(pattern, path, len) != 0))
			return false;
		if (last || path_last)
			return last && path_last;
		pattern += len + 1;
		path += path_len + 1;
	}
}

/* What the precedence of two patterns hangs on, in this order. */
struct weight {
	size_t wildcard_at; /* of the first '+', or of a prefix rule's '*': later wins */
	bool whole;	    /* does not end in '*': wins */
	size_t plus;	    /* '+' segments: fewer win */
	size_t len;	    /* without the '*': longer wins */
};

static struct weight weigh(const struct rule *rule)
{
	struct weight w = { .len = strlen(rule->pattern) };

	if (rule->kind == RULE_PREFIX) {
		w.wildcard_at = w.len;
		return w;
	}
	w.wildcard_at = strcspn(rule->pattern, "+");
	w.whole = w.len == 0 || rule->pattern[w.len - 1] != '*';
	if (!w.whole)
		w.len--;
	for (const char *at = rule->pattern; *at; at += *at == '/') {
		size_t len = strcspn(at, "/");

		w.plus += is_plus(at, len);
		at += len;
	}
	return w;
}

static bool outweighs(const struct rule *a, const struct rule *b)
{
	struct weight x = weigh(a), y = weigh(b);

	if (x.wildcard_at != y.wildcard_at)
		return x.wildcard_at > y.wildcard_at;
	if (x.whole != y.whole)
		return x.whole;
	if (x.plus != y.plus)
		return x.plus < y.plus;
	if (x.len != y.len)
		return x.len > y.len;
	return strcmp(a->pattern, b->pattern) > 0;
}

static const struct rule *find_exact(const struct acl *acl, const char *path)
{
	size_t low = 0, high = acl->n_exact;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(path, acl->rules[middle].pattern);

		if (order == 0)
			return &acl->rules[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

static const struct rule *find_best(const struct acl *acl, const char *path)
{
	const struct rule *best = NULL;

	for (size_t i = acl->n_exact; i < acl->n; i++) {
		const struct rule *rule = &acl->rules[i];
		bool matches = rule->kind == RULE_PREFIX ? starts_with(path, rule->pattern)
							 : segments_match(rule->pattern, path);

		if (matches && (!best || outweighs(rule, best)))
			best = rule;
	}
	return best;
}

/* A list request ends in '/'; rules without it count too, and, in Vault's order, before wildcards that have it. */
static const struct rule *find_rule(const struct acl *acl, const char *path, bool list)
{
	AUTO_FREE char *bare = NULL;
	const struct rule *rule;

	while (*path == '/')
		path++;
	rule = find_exact(acl, path);
	if (rule)
		return rule;
	if (list && ends_with(path, "/")) {
		bare = strndup(path, strlen(path) - 1);
		if (!bare)
			return NULL;
		rule = find_exact(acl, bare);
		if (!rule)
			rule = find_best(acl, bare);
	}
	return rule ? rule : find_best(acl, path);
}

static unsigned capability_of(enum vault_op op)
{
	switch (op) {
	case VAULT_READ:
		return ACL_READ;
	case VAULT_LIST:
		return ACL_LIST;
	case VAULT_UPDATE:
		return ACL_UPDATE;
	case VAULT_CREATE:
		return ACL_CREATE;
	case VAULT_PATCH:
		return ACL_PATCH;
	case VAULT_DELETE:
		return ACL_DELETE;
	case VAULT_HELP:
	case VAULT_HEADER:
	case VAULT_OTHER:
	case VAULT_RESOLVE:
	case VAULT_VERIFY:
	case VAULT_TELL:
		break;
	}
	return 0;
}

/* Division rather than multiplication: the time to live comes from outside. */
static bool wrapping_suits(const struct rule *rule, int64_t ttl)
{
	int64_t min = rule->min_wrapping_ns, max = rule->max_wrapping_ns;

	if (max > 0 && (ttl <= 0 || ttl > max / NS_PER_SECOND))
		return false;
	if (min > 0 && (ttl <= 0 || ttl < (min + NS_PER_SECOND - 1) / NS_PER_SECOND))
		return false;
	return max == 0 || min <= max;
}

static struct acl_verdict refuse(const char *reason)
{
	return (struct acl_verdict){ .reason = reason };
}

struct acl_verdict acl_check(
    const struct acl *acl, enum vault_op op, const char *path, const json_t *data, int64_t wrap_ttl)
{
	bool parameters = op == VAULT_READ || op == VAULT_UPDATE || op == VAULT_CREATE || op == VAULT_PATCH;
	unsigned needed = capability_of(op);
	const struct rule *rule;
	const char *reason = NULL;

	if (acl->root)
		return (struct acl_verdict){ .allowed = true, .sudo = true, .reason = "root" };
	if (op == VAULT_HELP)
		return (struct acl_verdict){ .allowed = true, .reason = "help is open to every token" };
	if (needed == 0)
		return refuse("no capability allows this operation");
	rule = find_rule(acl, path, op == VAULT_LIST);
	if (!rule)
		return refuse("no policy has a rule for this path");
	if (rule->capabilities & ACL_DENY)
		return refuse("a policy denies this path");
	if (!(rule->capabilities & needed))
		return refuse("the deciding rule lacks the capability");
	if (rule->unsupported)
		return refuse(rule->unsupported);
	if (!wrapping_suits(rule, wrap_ttl))
		return refuse("the deciding rule demands another wrapping TTL");
	if (parameters && !rule_allows_parameters(rule, data, &reason))
		return refuse(reason);
	return (struct acl_verdict){
		.allowed = true,
		.sudo = rule->capabilities & ACL_SUDO,
		.reason = "allowed by policy",
		.rule = rule,
		.needed = needed,
	};
}

struct acl_verdict acl_ask(const struct acl *acl, const char *capability, const char *path)
{
	const struct rule *rule = find_rule(acl, path, true);
	unsigned needed = 0;

	if (acl->root)
		return (struct acl_verdict){ .allowed = true, .sudo = true, .reason = "root" };
	for (size_t i = 0; i < ACL_N_CAPABILITIES; i++)
		if (streq(acl_capability_table[i].name, capability))
			needed = acl_capability_table[i].bit;
	if (!rule || rule->capabilities & ACL_DENY || !(rule->capabilities & needed))
		return refuse("no policy allows it");
	return (struct acl_verdict){ .allowed = true, .reason = "allowed by policy", .rule = rule, .needed = needed };
}

unsigned acl_capabilities(const struct acl *acl, const char *path)
{
	const struct rule *rule = find_rule(acl, path, true);

	if (!rule || rule->capabilities == 0 || rule->capabilities & ACL_DENY)
		return ACL_DENY;
	return rule->capabilities;
}

json_t *acl_capability_names(const struct acl *acl, unsigned capabilities)
{
	json_t *names;

	if (acl->root)
		return json_pack("[s]", "root");
	names = json_array();
	for (size_t i = 0; names && i < ACL_N_CAPABILITIES; i++) {
		if (!(capabilities & acl_capability_table[i].bit))
			continue;
		if (json_array_append_new(names, json_string(acl_capability_table[i].name)) < 0) {
			json_decref(names);
			names = NULL;
		}
	}
	return names;
}

/* Whether PATTERN, with '+' segments, can match something below MOUNT: it suits all segments that MOUNT has. */
static bool segments_reach(const char *pattern, const char *mount)
{
	while (*mount) {
		size_t len = strcspn(pattern, "/"), mount_len = strcspn(mount, "/");
		bool last = pattern[len] == '\0';

		if (last && len > 0 && pattern[len - 1] == '*')
			return strncmp(pattern, mount, len - 1) == 0;
		if (!is_plus(pattern, len) && (len != mount_len || memcmp(pattern, mount, len) != 0))
			return false;
		pattern += len + !last;
		mount += mount_len + (mount[mount_len] == '/');
		if (last)
			return *mount == '\0';
	}
	return true;
}

bool acl_reaches(const struct acl *acl, const char *mount)
{
	if (acl->root || !(acl_capabilities(acl, mount) & ACL_DENY))
		return true;
	for (size_t i = 0; i < acl->n; i++) {
		const struct rule *rule = &acl->rules[i];
		bool reaches = rule->kind == RULE_SEGMENTS ? segments_reach(rule->pattern, mount)
							   : starts_with(rule->pattern, mount);

		if (reaches && rule->capabilities && !(rule->capabilities & ACL_DENY))
			return true;
	}
	return false;
}
