/* SPDX-License-Identifier: Apache-2.0 */
/* Policy text to rules, with Vault's error texts; see vault/embedded/acl.h and vault-core.md 1.1 to 1.3, 1.8. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "vault/embedded/acl/rule.h"

const struct acl_capability_name acl_capability_table[ACL_N_CAPABILITIES] = {
	{ "create", ACL_CREATE },
	{ "deny", ACL_DENY },
	{ "delete", ACL_DELETE },
	{ "list", ACL_LIST },
	{ "patch", ACL_PATCH },
	{ "read", ACL_READ },
	{ "recover", ACL_RECOVER },
	{ "subscribe", ACL_SUBSCRIBE },
	{ "sudo", ACL_SUDO },
	{ "update", ACL_UPDATE },
};

void rule_clear(struct rule *rule)
{
	free(rule->pattern);
	json_decref(rule->allowed);
	json_decref(rule->denied);
	json_decref(rule->required);
	free(rule->grants);
	*rule = (struct rule){ 0 };
}

void policy_free(struct policy *policy)
{
	if (!policy)
		return;
	for (size_t i = 0; i < policy->n; i++)
		rule_clear(&policy->rules[i]);
	free(policy->rules);
	free(policy->name);
	free(policy);
}

int policy_set_name(struct policy *policy, const char *name)
{
	free(policy->name);
	policy->name = strdup(name);
	return policy->name ? 0 : -ENOMEM;
}

static void cleanup_policy(struct policy **policy)
{
	policy_free(*policy);
}

/* Every "{{" needs one "}}" before the next one, and no "}}" may stand alone. */
static bool template_balanced(const char *label)
{
	const char *open = strstr(label, "{{"), *close = strstr(label, "}}");

	if (!open || !close || close < open)
		return !open && !close;
	while (open) {
		const char *next = strstr(open + 2, "{{");

		close = strstr(open + 2, "}}");
		if (!close || (next && next < close))
			return false;
		close = strstr(close + 2, "}}");
		if (close && (!next || close < next))
			return false;
		open = next;
	}
	return true;
}

/* Names every key of OBJECT that is not in KNOWN (NULL-terminated), each as "\t* PREFIXinvalid key ...". */
static int check_keys(
    struct decoder *decoder, const struct hcl_value *object, const char *const *known, const char *prefix)
{
	AUTO_BUF struct buf list = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < object->object.n; i++) {
		const struct hcl_item *item = &object->object.items[i];
		const char *const *name = known;

		while (*name && !streq(*name, item->keys[0]))
			name++;
		if (*name)
			continue;
		n++;
		buf_printf(&list, "\t* %sinvalid key ", prefix);
		add_quoted(&list, item->keys[0]);
		buf_printf(&list, " on line %u\n", item->assign_line);
	}
	if (list.failed)
		return -ENOMEM;
	return n ? decode_fail_list(decoder, n, list.data) : 0;
}

/* What kind of pattern LABEL, which has lost its leading '/', is (vault-core.md 1.3); a prefix loses its '*'. */
int rule_set_pattern(struct rule *rule, const char *label)
{
	char *pattern = strdup(label);
	size_t len;

	if (!pattern)
		return -ENOMEM;
	len = strlen(pattern);
	rule->kind = RULE_EXACT;
	if (streq(pattern, "+") || strstr(pattern, "/+") || starts_with(pattern, "+/")) {
		rule->kind = RULE_SEGMENTS;
	} else if (len > 0 && pattern[len - 1] == '*') {
		rule->kind = RULE_PREFIX;
		pattern[len - 1] = '\0';
	}
	free(rule->pattern);
	rule->pattern = pattern;
	return 0;
}

static int set_pattern(struct decoder *decoder, struct rule *rule, const char *label)
{
	AUTO_FREE char *name = NULL;

	if (strstr(label, "+*")) {
		name = quoted(label);
		return !name ? -ENOMEM
			     : decode_fail(decoder, "path %s: invalid use of wildcards ('+*' is forbidden)", name);
	}
	rule->templated = strstr(label, "{{") != NULL;
	if (!rule->templated)
		return rule_set_pattern(rule, label);
	rule->pattern = strdup(label);
	return rule->pattern ? 0 : -ENOMEM;
}

static int fail_quoting(struct decoder *decoder, const char *label, const char *what, const char *value)
{
	AUTO_FREE char *path = quoted(label), *word = quoted(value);

	return !path || !word ? -ENOMEM : decode_fail(decoder, "path %s: invalid %s %s", path, what, word);
}

/* The legacy shorthand. */
static int add_shorthand(struct decoder *decoder, const char *label, const char *word, unsigned *ret)
{
	static const unsigned write = ACL_CREATE | ACL_READ | ACL_UPDATE | ACL_DELETE | ACL_LIST;

	if (!word || !*word)
		return 0;
	if (streq(word, "deny"))
		*ret |= ACL_DENY;
	else if (streq(word, "read"))
		*ret |= ACL_READ | ACL_LIST;
	else if (streq(word, "write"))
		*ret |= write;
	else if (streq(word, "sudo"))
		*ret |= write | ACL_SUDO;
	else
		return fail_quoting(decoder, label, "policy", word);
	return 0;
}

/* Stops at a deny, as Vault does: what stands behind it is not looked at. */
static int add_capabilities(struct decoder *decoder, const char *label, const json_t *words, unsigned *ret)
{
	const json_t *word;
	size_t i, k;

	json_array_foreach(words, i, word)
	{
		const char *name = json_string_value(word);

		if (*ret & ACL_DENY)
			break;
		for (k = 0; k < ACL_N_CAPABILITIES && !streq(acl_capability_table[k].name, name); k++)
			;
		if (k == ACL_N_CAPABILITIES)
			return fail_quoting(decoder, label, "capability", name);
		*ret |= acl_capability_table[k].bit;
	}
	return 0;
}

static int lower_names(json_t *names)
{
	const json_t *name;
	size_t i;

	json_array_foreach(names, i, name)
	{
		AUTO_FREE char *lower = strdup(json_string_value(name));

		for (char *c = lower; c && *c; c++)
			*c = (char)tolower((unsigned char)*c);
		if (!lower || json_array_set_new(names, i, json_string(lower)) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* Vault checks the shape of every member before it looks at any value. */
static int decode_shapes(struct decoder *decoder, const char *label, const struct hcl_value *body, struct rule *rule,
    char **ret_shorthand, json_t **ret_capabilities, const struct hcl_value **ret_group)
{
	json_t *mfa = NULL, *events = NULL;
	int r;

	r = decode_string(decoder, label, body, "policy", "Policy", ret_shorthand);
	if (r == 0)
		r = decode_strings(decoder, label, body, "capabilities", "Capabilities", ret_capabilities);
	if (r == 0)
		r = decode_parameters(decoder, label, body, "allowed_parameters", &rule->allowed);
	if (r == 0)
		r = decode_parameters(decoder, label, body, "denied_parameters", &rule->denied);
	if (r == 0)
		r = decode_strings(decoder, label, body, "required_parameters", "required_parameters", &rule->required);
	if (r == 0)
		r = lower_names(rule->required);
	if (r == 0)
		r = decode_strings(decoder, label, body, "mfa_methods", "mfa_methods", &mfa);
	if (r == 0)
		r = decode_object(decoder, label, body, "control_group", ret_group);
	if (r == 0)
		r = decode_strings(decoder, label, body, "subscribe_event_types", "subscribe_event_types", &events);
	/* A condition that nothing here can meet: the rule then grants nothing. */
	if (json_array_size(mfa) > 0)
		rule->unsupported = "its rule has mfa_methods, which are not supported";
	json_decref(mfa);
	json_decref(events);
	return r;
}

/* What a deny makes meaningless is not looked at. */
static int decode_conditions(
    struct decoder *decoder, const struct hcl_value *body, const struct hcl_value *group, struct rule *rule)
{
	bool factor = false;
	int r = decode_duration(decoder, body, "min_wrapping_ttl", &rule->min_wrapping_ns);

	if (r == 0)
		r = decode_duration(decoder, body, "max_wrapping_ttl", &rule->max_wrapping_ns);
	if (r < 0)
		return r;
	if (rule->max_wrapping_ns > 0 && rule->max_wrapping_ns < rule->min_wrapping_ns)
		return decode_fail(decoder, "max_wrapping_ttl cannot be less than min_wrapping_ttl");
	if (!group)
		return 0;
	for (size_t i = 0; i < group->object.n; i++)
		factor = factor || streq(group->object.items[i].keys[0], "factor");
	if (!factor)
		return decode_fail(decoder, "no control group factors provided");
	rule->unsupported = "its rule has a control_group, which is not supported";
	return 0;
}

/* Of a rule that denies nothing else counts. */
static void forget_conditions(struct rule *rule)
{
	rule->capabilities = ACL_DENY;
	json_decref(rule->allowed);
	json_decref(rule->denied);
	json_decref(rule->required);
	rule->allowed = rule->denied = rule->required = NULL;
}

static int parse_body(struct decoder *decoder, const char *label, const struct hcl_value *body, struct rule *rule)
{
	const char *path = label + (*label == '/');
	AUTO_FREE char *shorthand = NULL;
	json_t *words = NULL;
	const struct hcl_value *group = NULL;
	int r = decode_shapes(decoder, path, body, rule, &shorthand, &words, &group);

	if (r == 0)
		r = set_pattern(decoder, rule, path);
	if (r == 0)
		r = add_shorthand(decoder, path, shorthand, &rule->capabilities);
	if (r == 0)
		r = add_capabilities(decoder, path, words, &rule->capabilities);
	json_decref(words);
	if (r == 0 && rule->capabilities & ACL_DENY)
		forget_conditions(rule);
	else if (r == 0)
		r = decode_conditions(decoder, body, group, rule);
	return r;
}

static int parse_path(struct decoder *decoder, const struct hcl_item *item, struct rule *rule)
{
	static const char *const known[] = { "allowed_parameters", "capabilities", "comment", "control_group",
		"denied_parameters", "max_wrapping_ttl", "mfa_methods", "min_wrapping_ttl", "policy",
		"required_parameters", "subscribe_event_types", NULL };
	/* A block without a label belongs to the path "path", as in Vault. */
	const char *label = item->n_keys > 1 ? item->keys[1] : item->keys[0];
	AUTO_FREE char *name = quoted(label), *prefix = NULL;
	int r;

	if (!name || asprintf(&prefix, "path %s: ", name) < 0) {
		prefix = NULL;
		return -ENOMEM;
	}
	if (!template_balanced(label))
		return decode_fail(decoder, "failed to validate policy templating: unbalanced templating characters");
	if (item->value->type != HCL_OBJECT)
		return decode_fail(decoder, "%scannot check HCL keys of type %s", prefix,
		    item->value->type == HCL_LIST ? "*ast.ListType" : "*ast.LiteralType");
	r = check_keys(decoder, item->value, known, prefix);
	return r < 0 ? r : parse_body(decoder, label, item->value, rule);
}

static int parse_tree(struct decoder *decoder, const struct hcl_value *tree, struct policy *policy)
{
	static const char *const known[] = { "name", "path", NULL };
	AUTO_FREE char *name = NULL;
	int r = check_keys(decoder, tree, known, "");

	if (r == 0)
		r = decode_string(decoder, NULL, tree, "name", "name", &name);
	if (r < 0)
		return r;
	policy->rules = calloc(tree->object.n ? tree->object.n : 1, sizeof(*policy->rules));
	if (!policy->rules)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < tree->object.n; i++) {
		if (streq(tree->object.items[i].keys[0], "path"))
			r = parse_path(decoder, &tree->object.items[i], &policy->rules[policy->n++]);
	}
	return r;
}

int policy_parse(const char *text, struct policy **ret, char **ret_error)
{
	CLEANUP(cleanup_policy) struct policy *policy = calloc(1, sizeof(*policy));
	AUTO_HCL struct hcl_value *tree = NULL;
	struct decoder decoder = { .json = text[strspn(text, " \t\n\v\f\r")] == '{' };
	struct hcl_error error;
	int r = policy ? hcl_parse(text, strlen(text), &tree, &error) : -ENOMEM;

	if (r == -EINVAL)
		r = decode_fail(&decoder, "%s", error.whole);
	else if (r == 0)
		r = parse_tree(&decoder, tree, policy);
	if (r < 0) {
		if (r == -EINVAL)
			*ret_error = TAKE_PTR(decoder.error);
		free(decoder.error);
		return r;
	}
	*ret = TAKE_PTR(policy);
	return 0;
}
