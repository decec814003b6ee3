/* SPDX-License-Identifier: Apache-2.0 */
/* The quotas that are in force: read from their record, found by path, changed with their mounts. */
#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "vault/embedded/quota/quota_internal.h"

static void free_rules(struct rule *rules, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		limiter_free(rules[i].limiter);
		json_decref(rules[i].value);
	}
	free(rules);
}

void quotas_unload(struct quotas *quotas)
{
	free_rules(quotas->rules, quotas->n);
	quotas->rules = NULL;
	quotas->n = 0;
}

void quotas_free(struct quotas *quotas)
{
	if (!quotas)
		return;
	quotas_unload(quotas);
	json_decref(quotas->record);
	free(quotas);
}

json_t *quotas_empty(void)
{
	/* Until somebody writes a configuration, what an operator needs in trouble is exempt. */
	return json_pack("{s:{}, s:{s:n, s:b, s:b, s:[s,s,s,s,s,s,s]}}", "rules", "config",
	    "absolute_rate_limit_exempt_paths", "enable_rate_limit_audit_logging", 0,
	    "enable_rate_limit_response_headers", 0, "rate_limit_exempt_paths", "sys/generate-recovery-token/attempt",
	    "sys/generate-recovery-token/update", "sys/generate-root/attempt", "sys/generate-root/update", "sys/health",
	    "sys/seal-status", "sys/unseal");
}

json_t *quotas_config(const json_t *record)
{
	return json_object_get(record, "config");
}

/* --- from the record to what is asked at each request */

static enum rule_kind kind_of(const struct rule *rule)
{
	if (*rule->role)
		return RULE_ROLE;
	if (!*rule->path)
		return RULE_GLOBAL;
	if (ends_with(rule->path, "/"))
		return RULE_MOUNT;
	return ends_with(rule->path, "*") ? RULE_GLOB : RULE_PATH;
}

/* Takes the counts of an equal rule of before over. */
static struct limiter *limiter_of(struct quotas *quotas, const json_t *value)
{
	for (size_t i = 0; i < quotas->n; i++)
		if (quotas->rules[i].limiter && json_equal(quotas->rules[i].value, value))
			return TAKE_PTR(quotas->rules[i].limiter);
	return limiter_new(json_number_value(json_object_get(value, "rate")),
	    json_integer_value(json_object_get(value, "interval")),
	    json_integer_value(json_object_get(value, "block_interval")));
}

static int make_rule(struct quotas *quotas, const char *name, json_t *value, struct rule *rule)
{
	rule->name = name;
	rule->value = json_incref(value);
	rule->path = json_string_value(json_object_get(value, "path"));
	rule->role = json_string_value(json_object_get(value, "role"));
	if (!rule->path || !rule->role)
		return -EBADMSG;
	rule->kind = kind_of(rule);
	rule->path_len = strlen(rule->path) - (rule->kind == RULE_GLOB);
	rule->limiter = limiter_of(quotas, value);
	return rule->limiter ? 0 : -ENOMEM;
}

/* RECORD (taken over) is in force from now on. */
static int use(struct quotas *quotas, json_t *record)
{
	const json_t *config = quotas_config(record);
	json_t *values = json_object_get(record, "rules"), *value;
	struct rule *rules = calloc(json_object_size(values) + 1, sizeof(*rules));
	bool has_roles = false;
	const char *name;
	size_t n = 0;
	int r = rules && record ? 0 : -ENOMEM;

	json_object_foreach(values, name, value)
	{
		if (r == 0)
			r = make_rule(quotas, name, value, &rules[n++]);
	}
	if (r < 0) {
		free_rules(rules, n);
		json_decref(record);
		return r;
	}
	for (size_t i = 0; i < n; i++)
		has_roles = has_roles || rules[i].kind == RULE_ROLE;
	quotas_unload(quotas);
	quotas->rules = rules;
	quotas->n = n;
	quotas->has_roles = has_roles;
	json_decref(quotas->record);
	quotas->record = record;
	quotas->exempt[0] = json_object_get(config, "rate_limit_exempt_paths");
	quotas->exempt[1] = json_object_get(config, "absolute_rate_limit_exempt_paths");
	quotas->headers = json_is_true(json_object_get(config, "enable_rate_limit_response_headers"));
	quotas->logged = json_is_true(json_object_get(config, "enable_rate_limit_audit_logging"));
	return 0;
}

struct quotas *quotas_new(void)
{
	struct quotas *quotas = calloc(1, sizeof(*quotas));

	if (quotas && use(quotas, quotas_empty()) < 0) {
		quotas_free(quotas);
		return NULL;
	}
	return quotas;
}

int quotas_get(struct call *call, json_t **ret)
{
	int r = core_get(call, QUOTAS_KEY, ret);

	if (r != -ENOENT)
		return r;
	*ret = quotas_empty();
	return *ret ? 0 : -ENOMEM;
}

int quotas_load(struct call *call)
{
	json_t *record;
	int r = quotas_get(call, &record);

	return r < 0 ? r : use(core_quotas(call->core), record);
}

static void after_put(struct core *core, int r, void *arg)
{
	if (r < 0)
		json_decref(arg);
	else if (use(core_quotas(core), arg) < 0)
		log_error("no memory for the rate limit quotas: those of before stay until they are written again");
}

int quotas_put(struct call *call, json_t *record)
{
	int r = core_put(call, QUOTAS_KEY, record);

	if (r < 0)
		json_decref(record);
	else
		call_on_commit(call, after_put, record);
	return r;
}

/* --- which one decides */

static bool matches(const struct rule *rule, const struct mount *mount, const char *path, size_t len, const char *role)
{
	switch (rule->kind) {
	case RULE_GLOBAL:
		return true;
	case RULE_MOUNT:
		return starts_with(path, rule->path);
	case RULE_GLOB:
		return len >= rule->path_len && strncmp(path, rule->path, rule->path_len) == 0;
	case RULE_PATH:
		return len == rule->path_len && strncmp(path, rule->path, len) == 0;
	case RULE_ROLE:
		return role && mount && streq(mount->path, rule->path) && streq(role, rule->role);
	}
	return false;
}

struct rule *quotas_find(const struct quotas *quotas, const struct mount *mount, const char *path, const char *role)
{
	size_t len = strlen(path);
	struct rule *best = NULL;

	if (len && path[len - 1] == '/')
		len--;
	for (size_t i = 0; i < quotas->n; i++) {
		struct rule *rule = &quotas->rules[i];

		if (best && (rule->kind < best->kind || (rule->kind == best->kind && rule->path_len <= best->path_len)))
			continue;
		if (matches(rule, mount, path, len, role))
			best = rule;
	}
	return best;
}

bool quotas_ask_role(const struct quotas *quotas, const struct mount *mount)
{
	for (size_t i = 0; quotas->has_roles && i < quotas->n; i++)
		if (quotas->rules[i].kind == RULE_ROLE && streq(quotas->rules[i].path, mount->path))
			return true;
	return false;
}

bool quotas_exempt(const struct quotas *quotas, const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(quotas->exempt); i++) {
		const json_t *element;
		size_t at;

		json_array_foreach((json_t *)(uintptr_t)quotas->exempt[i], at, element)
		{
			const char *exempt = json_string_value(element);
			size_t len = exempt ? strlen(exempt) : 0;

			/* In Vault each one is a prefix, with and without a '*'. */
			if (exempt && strncmp(path, exempt, len - (len && exempt[len - 1] == '*')) == 0)
				return true;
		}
	}
	return false;
}

/* --- with their mounts */

/* The rules of MOUNT get the path TARGET in its place, or go where that is NULL. */
static int change_mount(struct call *call, const struct mount *mount, const char *target)
{
	json_t *record, *rules, *rule;
	bool changed = false;
	const char *name;
	void *next;
	int r;

	if (!core_quotas(call->core)->n)
		return 0;
	r = quotas_get(call, &record);
	if (r < 0)
		return r;
	rules = json_object_get(record, "rules");
	json_object_foreach_safe(rules, next, name, rule)
	{
		const char *path = json_string_value(json_object_get(rule, "path"));

		if (r < 0 || !path || !starts_with(path, mount->path))
			continue;
		changed = true;
		if (!target)
			json_object_del(rules, name);
		else if (json_object_set_new(rule, "path", json_sprintf("%s%s", target, path + strlen(mount->path))))
			r = -ENOMEM;
	}
	if (r == 0 && changed)
		return quotas_put(call, record);
	json_decref(record);
	return r;
}

int quotas_forget_mount(struct call *call, const struct mount *mount)
{
	return change_mount(call, mount, NULL);
}

int quotas_move_mount(struct call *call, const struct mount *mount, const char *target)
{
	return change_mount(call, mount, target);
}
