/* SPDX-License-Identifier: Apache-2.0 */
/* The policy store: records, parsed copies, and the ACLs of tokens; see vault/embedded/policies.h. */
#include <ctype.h>
#include <errno.h>

#include "base/buf.h"
#include "base/log.h"
#include "vault/embedded/acl/policies_internal.h"

/* When a cache is full it starts anew: what is in use comes back with the next request. */
#define MAX_CACHED 1024

struct cached_policy {
	char *name;
	struct policy *policy; /* NULL: there is none of this name */
};

struct cached_acl {
	char *names;	 /* as JSON, and for whom */
	struct acl *acl; /* NULL: it hangs on the entity, which the key must have besides */
};

/* Both sorted by name. */
struct policies {
	struct cached_policy policies[MAX_CACHED];
	size_t n_policies;
	struct cached_acl acls[MAX_CACHED];
	size_t n_acls;
};

static void forget_acls(struct policies *policies)
{
	for (size_t i = 0; i < policies->n_acls; i++) {
		free(policies->acls[i].names);
		acl_free(policies->acls[i].acl);
	}
	policies->n_acls = 0;
}

static void forget_policies(struct policies *policies)
{
	for (size_t i = 0; i < policies->n_policies; i++) {
		free(policies->policies[i].name);
		policy_free(policies->policies[i].policy);
	}
	policies->n_policies = 0;
}

struct policies *policies_new(void)
{
	return calloc(1, sizeof(struct policies));
}

void policies_free(struct policies *policies)
{
	if (policies)
		policies_forget(policies);
	free(policies);
}

void policies_forget(struct policies *policies)
{
	forget_acls(policies);
	forget_policies(policies);
}

static void on_changed(struct core *core, int r, void *arg)
{
	/* Also after a failed commit, where nobody knows what is on the disk. */
	if (r == -ECANCELED)
		return;
	policies_forget(core_policies(core));
}

void policies_changed(struct call *call)
{
	call_on_commit(call, on_changed, NULL);
}

/* --- records */

char *policy_name(const char *name)
{
	size_t len = strlen(name);
	char *copy;

	for (; len > 0 && isspace((unsigned char)*name); len--)
		name++;
	while (len > 0 && isspace((unsigned char)name[len - 1]))
		len--;
	copy = strndup(name, len);
	for (char *c = copy; c && *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return copy;
}

char *policy_key(const char *name)
{
	AUTO_BUF struct buf key = { 0 };

	buf_add_str(&key, POLICY_FOLDER);
	for (; *name; name++) {
		if (*name == '/' || *name == '%')
			buf_printf(&key, "%%%02X", (unsigned)*name);
		else
			buf_add_char(&key, *name);
	}
	return buf_take(&key);
}

int policy_load(struct call *call, const char *name, char **ret)
{
	AUTO_FREE char *key = NULL;
	const char *fixed = policy_fixed_text(name);
	json_t *record = NULL;
	char *text;
	int r = 0;

	if (!fixed) {
		key = policy_key(name);
		r = key ? core_get(call, key, &record) : -ENOMEM;
		if (r < 0)
			return r;
		fixed = json_string_value(json_object_get(record, "policy"));
	}
	text = fixed ? strdup(fixed) : NULL;
	r = text ? 0 : fixed ? -ENOMEM : -EIO;
	json_decref(record);
	if (r == 0)
		*ret = text;
	return r;
}

int policies_has(struct call *call, const char *name, bool *ret)
{
	AUTO_FREE char *text = NULL;
	int r = policy_load(call, name, &text);

	*ret = r == 0;
	return r == -ENOENT ? 0 : r;
}

/* --- caches */

/* The place of NAME in a sorted array of N items of SIZE bytes, whose first member is their name. */
static size_t place_of(const void *items, size_t n, size_t size, const char *name, bool *ret_found)
{
	size_t low = 0, high = n;

	*ret_found = false;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const char *const *other = (const void *)((const char *)items + middle * size);
		int order = strcmp(name, *other);

		if (order == 0) {
			*ret_found = true;
			return middle;
		}
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/* The parsed policy of NAME, which stays the cache's; NULL if there is none. */
static int parsed_policy(struct call *call, const char *name, struct policy **ret)
{
	struct policies *cache = core_policies(call->core);
	AUTO_FREE char *text = NULL, *error = NULL, *copy = NULL;
	struct policy *policy = NULL;
	struct cached_policy *slot;
	bool found;
	size_t at = place_of(cache->policies, cache->n_policies, sizeof(*slot), name, &found);
	int r;

	if (found) {
		*ret = cache->policies[at].policy;
		return 0;
	}
	r = policy_load(call, name, &text);
	if (r == 0)
		r = policy_parse(text, &policy, &error);
	if (r == -EINVAL)
		log_line(
		    LOG_ERR, call->request->ref, "policy %s cannot be read any more: %s; write it again", name, error);
	if (r < 0 && r != -ENOENT)
		return r;
	copy = strdup(name);
	if (!copy || (policy && policy_set_name(policy, name) < 0)) {
		policy_free(policy);
		return -ENOMEM;
	}
	slot = &cache->policies[at];
	memmove(slot + 1, slot, (cache->n_policies++ - at) * sizeof(*slot));
	*slot = (struct cached_policy){ .name = TAKE_PTR(copy), .policy = policy };
	*ret = policy;
	return 0;
}

/* What goes into an ACL: the policies of NAMES, or all there is. */
static int collect(struct call *call, const json_t *names, struct policy **policies, size_t *ret_n, bool *ret_root)
{
	const json_t *item;
	size_t i;

	*ret_n = 0;
	*ret_root = false;
	json_array_foreach(names, i, item)
	{
		const char *text = json_string_value(item);
		AUTO_FREE char *name = NULL;
		struct policy *policy = NULL;
		int r;

		/* A NUL inside would make it another policy's name. */
		if (!text || strlen(text) != json_string_length(item))
			return -EINVAL;
		name = policy_name(text);
		if (!name)
			return -ENOMEM;
		if (streq(name, "root")) {
			*ret_root = true;
			continue;
		}
		r = parsed_policy(call, name, &policy);
		if (r < 0)
			return r;
		if (policy)
			policies[(*ret_n)++] = policy;
	}
	if (*ret_root && json_array_size(names) > 1) {
		log_line(LOG_ERR, call->request->ref, "policy: other policies present along with root: refused");
		return -EINVAL;
	}
	return 0;
}

static int make_acl(struct call *call, const json_t *names, const json_t *entity, struct acl **ret)
{
	struct policies *cache = core_policies(call->core);
	AUTO_FREE struct policy **policies = NULL;
	size_t n = json_array_size(names);
	bool root;
	int r;

	if (n > MAX_CACHED)
		return -E2BIG;
	/* Made room now, none goes away while the ACL is built. */
	if (cache->n_policies + n > MAX_CACHED)
		forget_policies(cache);
	policies = calloc(n ? n : 1, sizeof(struct policy *));
	if (!policies)
		return -ENOMEM;
	r = collect(call, names, policies, &n, &root);
	return r < 0 ? r : acl_new(policies, n, root, entity, ret);
}

/* The policies of a token and those of its entity. A reference; NULL without memory. */
static json_t *all_names(const json_t *names, const json_t *entity)
{
	json_t *more = json_object_get(entity, "policies"), *all, *name;
	const char *first = json_string_value(json_array_get(names, 0));
	size_t i;

	/* Nothing can be added to root, and no entity gives it. */
	if (json_array_size(more) == 0 || (first && streq(first, "root")))
		return json_incref((json_t *)(uintptr_t)names);
	all = json_copy((json_t *)(uintptr_t)names);
	json_array_foreach(more, i, name)
	{
		const char *text = json_string_value(name);

		if (text && !streq(text, "root") && json_array_append(all, name)) {
			json_decref(all);
			return NULL;
		}
	}
	return all;
}

/* The cached ACL of KEY: true with *RET, which is NULL where the entity must be in the key. */
static bool find_acl(const struct policies *cache, const char *key, struct acl **ret)
{
	bool found;
	size_t at = place_of(cache->acls, cache->n_acls, sizeof(*cache->acls), key, &found);

	if (found)
		*ret = cache->acls[at].acl;
	return found;
}

/* KEY is taken over; ACL gets another reference. */
static void remember_acl(struct policies *cache, char *key, struct acl *acl)
{
	struct cached_acl *slot;
	bool found;
	size_t at;

	if (cache->n_acls == MAX_CACHED)
		forget_acls(cache);
	at = place_of(cache->acls, cache->n_acls, sizeof(*slot), key, &found);
	if (found) {
		free(key);
		return;
	}
	slot = &cache->acls[at];
	memmove(slot + 1, slot, (cache->n_acls++ - at) * sizeof(*slot));
	*slot = (struct cached_acl){ .names = key, .acl = acl ? acl_ref(acl) : NULL };
}

/* KEY with what says which ENTITY, and as of when. NULL without memory. */
static char *entity_key(const char *key, const json_t *entity)
{
	const char *id = json_string_value(json_object_get(entity, "id"));
	char *text;

	if (asprintf(&text, "%s %s %" JSON_INTEGER_FORMAT " %" JSON_INTEGER_FORMAT, key, id ? id : "",
		json_integer_value(json_object_get(entity, "revision")),
		json_integer_value(json_object_get(entity, "groups_revision"))) < 0)
		return NULL;
	return text;
}

int policies_acl(struct call *call, const json_t *names, const json_t *entity, struct acl **ret)
{
	struct policies *cache = core_policies(call->core);
	json_auto_t *all = all_names(names, entity);
	AUTO_FREE char *key = json_dumps(all, JSON_COMPACT); /* names in JSON: no two lists look alike */
	AUTO_FREE char *whole = NULL;
	struct acl *acl = NULL;
	int r;

	if (!key)
		return -ENOMEM;
	if (find_acl(cache, key, &acl) && !acl) {
		whole = entity_key(key, entity);
		if (!whole)
			return -ENOMEM;
		(void)find_acl(cache, whole, &acl);
	}
	if (acl) {
		*ret = acl_ref(acl);
		return 0;
	}
	r = make_acl(call, all, entity, &acl);
	if (r < 0)
		return r;
	if (!whole)
		whole = entity_key(key, entity);
	/* Without memory it is not kept. */
	if (whole && acl_is_templated(acl) && !acl_is_timed(acl))
		remember_acl(cache, TAKE_PTR(whole), acl);
	remember_acl(cache, TAKE_PTR(key), acl_is_templated(acl) ? NULL : acl);
	*ret = acl;
	return 0;
}

int policies_start(struct call *call)
{
	AUTO_FREE char *text = NULL, *key = policy_key("default");
	json_t *record;
	int r;

	if (!key)
		return -ENOMEM;
	r = policy_load(call, "default", &text);
	if (r != -ENOENT)
		return r;
	record = json_pack("{s:s}", "policy", policy_default_text);
	r = record ? core_put(call, key, record) : -ENOMEM;
	json_decref(record);
	if (r == 0)
		policies_changed(call);
	return r;
}
