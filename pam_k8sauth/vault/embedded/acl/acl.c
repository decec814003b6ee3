/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of several policies merged to one ACL, and the verdicts; see vault/embedded/acl.h, vault-core.md 1.4 to 1.7. */
#include <errno.h>

#include "base/json_list.h"
#include "base/text.h"
#include "vault/embedded/acl/rule.h"

static int compare_rules(const void *a, const void *b)
{
	const struct rule *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return strcmp(x->pattern, y->pattern);
}

/* The same, and those of one pattern in the order of their policies. */
static int compare_made(const void *a, const void *b)
{
	const struct rule *x = a, *y = b;
	int order = compare_rules(a, b);

	if (order || !x->n_grants || !y->n_grants)
		return order;
	return x->grants->policy < y->grants->policy ? -1 : x->grants->policy > y->grants->policy;
}

static int64_t smaller_set(int64_t a, int64_t b)
{
	if (a == 0 || b == 0)
		return a ? a : b;
	return a < b ? a : b;
}

/* Merges parameter map FROM into *INTO. An empty list on either side means any value, and stays so. */
static int merge_parameters(json_t **into, json_t *from)
{
	json_t *merged, *list;
	const char *name;

	if (!from)
		return 0;
	if (!*into) {
		*into = json_incref(from);
		return 0;
	}
	merged = json_deep_copy(*into); /* the policy keeps its own */
	if (!merged)
		return -ENOMEM;
	json_decref(*into);
	*into = merged;
	json_object_foreach(from, name, list)
	{
		json_t *old = json_object_get(merged, name);
		int r;

		if (!old)
			r = json_object_set_new(merged, name, json_deep_copy(list));
		else if (json_array_size(list) == 0)
			r = json_array_clear(old);
		else if (json_array_size(old) > 0)
			r = json_array_extend(old, list);
		else
			r = 0;
		if (r < 0)
			return -ENOMEM;
	}
	return 0;
}

static int merge_required(json_t **into, json_t *from)
{
	json_t *merged, *name;
	size_t i;

	if (!from)
		return 0;
	merged = *into ? json_copy(*into) : json_array();
	if (!merged)
		return -ENOMEM;
	json_decref(*into);
	*into = merged;
	json_array_foreach(from, i, name)
	{
		if (!json_list_has(merged, json_string_value(name)) && json_array_append(merged, name))
			return -ENOMEM;
	}
	return 0;
}

/* What FROM, of one policy, gives joins what INTO does. */
static int merge_grants(struct rule *into, const struct rule *from)
{
	struct grant *grants;

	if (!from->n_grants)
		return 0;
	grants = reallocarray(into->grants, into->n_grants + from->n_grants, sizeof(*grants));
	if (!grants)
		return -ENOMEM;
	into->grants = grants;
	memcpy(grants + into->n_grants, from->grants, from->n_grants * sizeof(*grants));
	into->n_grants += from->n_grants;
	return 0;
}

/* FROM has the pattern of INTO. A deny on either side decides. */
static int merge_rule(struct rule *into, const struct rule *from)
{
	int r;

	if (into->capabilities & ACL_DENY)
		return 0;
	if (from->capabilities & ACL_DENY) {
		into->capabilities = ACL_DENY;
		json_decref(into->allowed);
		json_decref(into->denied);
		into->allowed = into->denied = NULL; /* the other conditions stay, and are shown */
		return 0;
	}
	into->capabilities |= from->capabilities;
	into->min_wrapping_ns = smaller_set(into->min_wrapping_ns, from->min_wrapping_ns);
	into->max_wrapping_ns = smaller_set(into->max_wrapping_ns, from->max_wrapping_ns);
	if (from->unsupported)
		into->unsupported = from->unsupported;
	r = merge_grants(into, from);
	if (r == 0)
		r = merge_parameters(&into->allowed, from->allowed);
	if (r == 0)
		r = merge_parameters(&into->denied, from->denied);
	return r < 0 ? r : merge_required(&into->required, from->required);
}

/* FROM is of the ACL's policy number POLICY. */
static int copy_rule(const struct rule *from, unsigned policy, struct rule *ret)
{
	struct rule copy = *from;

	copy.pattern = strdup(from->pattern);
	copy.grants = malloc(sizeof(*copy.grants));
	if (!copy.pattern || !copy.grants) {
		free(copy.pattern);
		free(copy.grants);
		return -ENOMEM;
	}
	*copy.grants = (struct grant){ .policy = policy, .capabilities = from->capabilities };
	copy.n_grants = 1;
	json_incref(copy.allowed);
	json_incref(copy.denied);
	json_incref(copy.required);
	*ret = copy;
	return 0;
}

/* Rules with one pattern stand side by side now: makes one of each such run. */
static int merge_runs(struct acl *acl)
{
	size_t kept = 0;

	for (size_t i = 1; i < acl->n; i++) {
		int r = 0;

		if (compare_rules(&acl->rules[kept], &acl->rules[i]) == 0) {
			r = merge_rule(&acl->rules[kept], &acl->rules[i]);
			rule_clear(&acl->rules[i]);
		} else if (++kept != i) {
			acl->rules[kept] = acl->rules[i];
			acl->rules[i] = (struct rule){ 0 };
		}
		if (r < 0)
			return r;
	}
	acl->n = acl->n ? kept + 1 : 0;
	while (acl->n_exact < acl->n && acl->rules[acl->n_exact].kind == RULE_EXACT)
		acl->n_exact++;
	return 0;
}

static void cleanup_acl(struct acl **acl)
{
	acl_free(*acl);
}

/* Leaves of RULE what it takes away: a deny, and that it decides instead of wider ones. */
static void grant_nothing(struct rule *rule)
{
	struct rule bare = { .pattern = rule->pattern, .kind = rule->kind, .templated = rule->templated };

	bare.capabilities = rule->capabilities & ACL_DENY;
	rule->pattern = NULL;
	rule_clear(rule);
	*rule = bare;
}

/* Adds FROM, filled in where it has templates; nothing where they cannot be. */
static int add_rule(struct acl *acl, const struct rule *from, unsigned policy, const json_t *entity)
{
	AUTO_FREE char *label = NULL;
	struct rule *rule = &acl->rules[acl->n];
	bool unsafe = false;
	int r = 0;

	if (from->templated) {
		acl->templated = true;
		r = template_fill(from->pattern, entity, &acl->timed, &unsafe, &label);
	}
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	r = copy_rule(from, policy, rule);
	if (r < 0)
		return r;
	acl->n++;
	if (unsafe)
		grant_nothing(rule);
	return label ? rule_set_pattern(rule, label) : 0;
}

int acl_new(struct policy *const *policies, size_t n, bool root, const json_t *entity, struct acl **ret)
{
	CLEANUP(cleanup_acl) struct acl *acl = calloc(1, sizeof(*acl));
	size_t total = 0;
	int r;

	if (!acl)
		return -ENOMEM;
	acl->references = 1;
	acl->root = root;
	for (size_t i = 0; i < n; i++)
		total += policies[i]->n;
	acl->rules = calloc(total ? total : 1, sizeof(*acl->rules));
	acl->names = calloc(n + 1, sizeof(*acl->names));
	if (!acl->rules || !acl->names)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		acl->names[i] = strdup(policies[i]->name ? policies[i]->name : "");
		if (!acl->names[i])
			return -ENOMEM;
	}
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < policies[i]->n; k++) {
			r = add_rule(acl, &policies[i]->rules[k], (unsigned)i, entity);
			if (r < 0)
				return r;
		}
	}
	qsort(acl->rules, acl->n, sizeof(*acl->rules), compare_made);
	r = merge_runs(acl);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(acl);
	return 0;
}

struct acl *acl_ref(struct acl *acl)
{
	acl->references++;
	return acl;
}

void acl_free(struct acl *acl)
{
	if (!acl || --acl->references > 0)
		return;
	for (size_t i = 0; i < acl->n; i++)
		rule_clear(&acl->rules[i]);
	free(acl->rules);
	strings_free(acl->names);
	free(acl);
}

bool acl_grants(const struct acl *acl, const struct acl_verdict *verdict)
{
	return verdict->allowed && (acl->root || verdict->rule);
}

void acl_each_granting(const struct acl *acl, const struct acl_verdict *verdict,
    void (*each)(void *arg, const char *policy), void *arg)
{
	if (acl->root) {
		each(arg, "root");
		return;
	}
	for (size_t i = 0; i < verdict->rule->n_grants; i++)
		if (verdict->rule->grants[i].capabilities & verdict->needed)
			each(arg, acl->names[verdict->rule->grants[i].policy]);
}

bool acl_is_root(const struct acl *acl)
{
	return acl->root;
}

bool acl_is_templated(const struct acl *acl)
{
	return acl->templated;
}

bool acl_is_timed(const struct acl *acl)
{
	return acl->timed;
}

/* In the order in which Vault's rules have them: those of its first versions by name, then the newer ones. */
static json_t *rule_capability_names(unsigned capabilities)
{
	static const struct {
		unsigned bit;
		const char *name;
	} order[] = {
		{ ACL_DENY, "deny" },
		{ ACL_CREATE, "create" },
		{ ACL_DELETE, "delete" },
		{ ACL_LIST, "list" },
		{ ACL_READ, "read" },
		{ ACL_SUDO, "sudo" },
		{ ACL_UPDATE, "update" },
		{ ACL_PATCH, "patch" },
		{ ACL_SUBSCRIBE, "subscribe" },
		{ ACL_RECOVER, "recover" },
	};
	json_t *names = json_array();

	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		if (capabilities & order[i].bit)
			json_array_append_new(names, json_string(order[i].name));
	return names;
}

/* What the rule demands of a request besides. */
static void add_conditions(json_t *shown, const struct rule *rule)
{
	if (rule->allowed)
		json_object_set(shown, "allowed_parameters", rule->allowed);
	if (rule->denied)
		json_object_set(shown, "denied_parameters", rule->denied);
	if (rule->max_wrapping_ns)
		json_object_set_new(shown, "max_wrapping_ttl", json_integer(rule->max_wrapping_ns / 1000000000));
	if (rule->min_wrapping_ns)
		json_object_set_new(shown, "min_wrapping_ttl", json_integer(rule->min_wrapping_ns / 1000000000));
	if (rule->required)
		json_object_set(shown, "required_parameters", rule->required);
}

static json_t *rule_json(const struct rule *rule)
{
	unsigned capabilities = rule->unsupported ? 0 : rule->capabilities;
	bool denies = !capabilities || capabilities & ACL_DENY;
	json_t *shown = json_pack(
	    "{s:o}", "capabilities", rule_capability_names(denies ? (unsigned)ACL_DENY : capabilities));

	if (shown && !rule->unsupported)
		add_conditions(shown, rule);
	return shown;
}

json_t *acl_resultant(const struct acl *acl)
{
	json_t *exact = json_object(), *glob = json_object();

	for (size_t i = 0; i < acl->n; i++) {
		const struct rule *rule = &acl->rules[i];

		if (json_object_set_new(rule->kind == RULE_EXACT ? exact : glob, rule->pattern, rule_json(rule)) < 0) {
			json_decref(exact);
			json_decref(glob);
			return NULL;
		}
	}
	return json_pack(
	    "{s:s, s:o, s:o, s:b}", "chroot_namespace", "", "exact_paths", exact, "glob_paths", glob, "root", 0);
}
