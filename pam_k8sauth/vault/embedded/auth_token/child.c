/* SPDX-License-Identifier: Apache-2.0 */
/* auth/token/create, create-orphan and create/<role>: see child.h. */
#include "vault/embedded/auth_token/child.h"

#include <ctype.h>
#include <errno.h>

#include "base/text.h"
#include "vault/embedded/auth_token/roles.h"
#include "vault/embedded/glob.h"
#include "vault/embedded/identity.h"
#include "vault/embedded/policies.h"

int child_refuse(const struct child *child, const char *text)
{
	call_error(child->call, 400, "%s", text);
	return 1;
}

static const char *role_text(const struct child *child, const char *name)
{
	const char *text = json_string_value(json_object_get(child->role, name));

	return text ? text : "";
}

/* --- one property after the other */

static int check_parent(const struct child *child)
{
	if (streq(child->parent->type, "batch"))
		return child_refuse(child, "batch tokens cannot create more tokens");
	/* On its last use it has been revoked by this very request: what it makes would never end with it. */
	if (child->parent->num_uses < 0)
		return child_refuse(child, "parent token lookup failed: no parent found");
	if (child->parent->num_uses > 0)
		return child_refuse(child, "restricted use token cannot generate child tokens");
	return 0;
}

/* The role's type, unless that is only a default. */
static int set_type(struct child *child)
{
	const char *of_role = role_text(child, "token_type"), *asked = child->request.type;

	if (streq(of_role, "batch") || streq(of_role, "service"))
		child->batch = streq(of_role, "batch");
	else if (!*asked)
		child->batch = streq(of_role, "default-batch");
	else if (streq(asked, "batch") || streq(asked, "service"))
		child->batch = streq(asked, "batch");
	else
		return child_refuse(child, "invalid 'token_type' value");
	child->token->type = strdup(child->batch ? "batch" : "service");
	return child->token->type ? child_check_batch(child) : -ENOMEM;
}

/* The lesser of the role's and the request's; 0 is none. */
static int set_uses(struct child *child)
{
	long long uses = child->request.num_uses;
	long long of_role = json_integer_value(json_object_get(child->role, "token_num_uses"));

	if (uses < 0)
		return child_refuse(child, "number of uses cannot be negative");
	if (of_role && (uses == 0 || of_role < uses))
		uses = of_role;
	child->token->minted_uses = uses;
	child->token->num_uses = child->batch ? 0 : uses;
	return 0;
}

static int set_path(struct child *child)
{
	const char *suffix = role_text(child, "path_suffix");

	if (asprintf(&child->token->path, "%s%s%s", child->call->request->path, *suffix ? "/" : "", suffix) < 0) {
		child->token->path = NULL;
		return -ENOMEM;
	}
	return 0;
}

/* "token-" and the name with everything but [A-Za-z0-9-] as '-', without one at the end. */
static int set_display_name(struct child *child)
{
	const char *name = child->request.display_name;
	char *text, *to;
	size_t len;

	if (asprintf(&text, "%s%s", *name ? "token-" : "token", name) < 0)
		return -ENOMEM;
	to = text;
	for (const char *from = text; *from; from++) {
		if (((unsigned char)*from & 0xc0) == 0x80)
			continue; /* the rest of a character that is one '-' already */
		*to++ = isalnum((unsigned char)*from) ? *from : '-';
	}
	*to = '\0';
	len = strlen(text);
	if (*name && text[len - 1] == '-')
		text[len - 1] = '\0';
	child->token->display_name = text;
	return 0;
}

/* The entity of the alias NAME of the token mount, as if it had logged in. 0, 1, -errno. *RET is the caller's. */
static int entity_of_alias(struct call *call, const char *name, json_t **ret)
{
	struct login_auth *auth = login_auth_new();
	json_t *own = TAKE_PTR(call->entity);
	int r = -ENOMEM;

	if (auth) {
		auth->alias_name = strdup(name);
		auth->alias_metadata = json_null();
	}
	if (auth && auth->alias_name) {
		call->auth = auth;
		r = identity_login(call);
		call->auth = NULL;
	}
	*ret = call->entity;
	call->entity = own;
	login_auth_free(auth);
	return r;
}

static int set_alias(struct child *child)
{
	const json_t *allowed = json_object_get(child->role, "allowed_entity_aliases");
	char *alias AUTO_FREE = strdup(child->request.entity_alias);
	int r;

	if (!alias)
		return -ENOMEM;
	if (!*alias)
		return 0;
	for (char *c = alias; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	if (!child->role)
		return child_refuse(child, "'entity_alias' is only allowed in combination with token role");
	if (!globs_match(allowed, alias))
		return child_refuse(child, "invalid 'entity_alias' value");
	r = entity_of_alias(child->call, alias, &child->entity);
	if (r > 0)
		call_error(child->call, 403, "entity from given entity alias is disabled");
	return r;
}

static const char *entity_id(const struct child *child)
{
	if (child->entity)
		return json_string_value(json_object_get(child->entity, "id"));
	return child->orphan ? "" : child->parent->entity_id;
}

static int check_sudo_for_id(const struct child *child)
{
	if (*child->request.id && !child->sudo)
		return child_refuse(child, "root or sudo privileges required to specify token id");
	return 0;
}

static int set_parent(struct child *child)
{
	if (child->role) {
		child->orphan = json_is_true(json_object_get(child->role, "orphan"));
	} else if (child->request.no_parent) {
		if (!child->sudo)
			return child_refuse(child, "root or sudo privileges required to create orphan token");
		child->orphan = true;
	}
	child->token->orphan = child->orphan;
	if (!child->orphan)
		snprintf(child->token->parent, sizeof(child->token->parent), "%s", child->parent->salted);
	child->token->entity_id = strdup(entity_id(child));
	return child->token->entity_id ? 0 : -ENOMEM;
}

/* Where the token may be used: the role says so, else a child can do no more than its parent. NULL: anywhere. */
static json_t *bound_cidrs(const struct child *child)
{
	json_t *cidrs = child->orphan ? NULL : child->parent->bound_cidrs;

	if (child->role)
		cidrs = json_object_get(child->role, "token_bound_cidrs");
	/* Of a token without an end they do not count. */
	return child->token->ttl && json_array_size(cidrs) ? json_incref(cidrs) : NULL;
}

/* In Vault's order: it decides which of several refusals is told. */
static int fill(struct child *child)
{
	static int (*const steps[])(struct child *) = { set_uses, set_path, set_display_name };
	struct token *token = child->token;
	int r = check_parent(child);

	if (r == 0)
		r = set_type(child);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(steps); i++)
		r = steps[i](child);
	if (r == 0)
		r = set_alias(child);
	if (r == 0)
		r = check_sudo_for_id(child);
	if (r == 0)
		r = child_set_policies(child);
	if (r == 0)
		r = set_parent(child);
	if (r == 0)
		r = child_set_times(child);
	if (r)
		return r;
	token->meta = json_incref(child->request.meta);
	if (child->role)
		token->role = strdup(call_capture(child->call, "role_name"));
	token->bound_cidrs = bound_cidrs(child);
	snprintf(token->mount, sizeof(token->mount), "%s", child->call->mount->uuid);
	return child->role && !token->role ? -ENOMEM : 0;
}

/* --- making it */

static int check_id(const struct child *child)
{
	const char *id = child->request.id;

	if (starts_with(id, "hvs."))
		return child_refuse(child, "custom token ID cannot have the 'hvs.' prefix");
	if (starts_with(id, "s."))
		return child_refuse(child, "custom token ID cannot have the 's.' prefix");
	if (strchr(id, '.'))
		return child_refuse(child, "custom token ID cannot have a '.' in the value");
	if (strlen(id) > TOKEN_PRESENTED_MAX)
		return child_refuse(child, "custom token ID is too long");
	return 0;
}

/* The parent's record learns, with its first child, that it has any. */
static int add_to_parent(const struct child *child)
{
	struct token *parent = child->call->token;
	int r = 0;

	if (child->orphan)
		return 0;
	if (!parent->has_children) {
		parent->has_children = true;
		r = token_store(child->call, parent);
	}
	return r < 0 ? r : token_add_child(child->call, parent->salted, child->token->salted);
}

static int warn_of_missing_policies(struct call *call, const json_t *policies)
{
	size_t i;
	json_t *policy;

	json_array_foreach(policies, i, policy)
	{
		bool there;
		int r = policies_has(call, json_string_value(policy), &there);

		if (r < 0)
			return r;
		if (!there)
			call_warn(call, "Policy \"%s\" does not exist", json_string_value(policy));
	}
	return 0;
}

static int mint_service(const struct child *child)
{
	char id[TOKEN_HANDED_SIZE];
	int r = token_mint(child->call, child->token, child->request.id, id);

	if (r == -EEXIST)
		return child_refuse(child, "cannot create a token with a duplicate ID");
	if (r == 0)
		r = add_to_parent(child);
	if (r == 0)
		call_relaxed(child->call);
	if (r == 0)
		r = token_answer(child->call, child->token, id);
	wipe(id, sizeof(id));
	return r;
}

static int mint(const struct child *child)
{
	int r = child->batch ? token_mint_batch(child->call, child->token) : check_id(child);

	if (r == 0 && !child->batch)
		r = mint_service(child);
	return r ? r : warn_of_missing_policies(child->call, child->token->policies);
}

/* The role of the path, if it has one. 0, 1 after a refusal, or an errno. */
static int find_role(struct child *child)
{
	const char *name = call_capture(child->call, "role_name");
	int r = *name ? token_role_get(child->call, name, &child->role) : 0;

	if (r != -ENOENT)
		return r;
	call_error(child->call, 400, "unknown role %s", name);
	return 1;
}

static int create(struct call *call, bool orphan)
{
	struct child child = { .call = call, .parent = call->token, .orphan = orphan };
	const struct vault_request *request = call->request;
	int r;

	/* The daemon itself makes none. */
	if (!call->token || !call->acl)
		return call_error(call, 403, "permission denied");
	child.token = calloc(1, sizeof(*child.token));
	if (!child.token)
		return -ENOMEM;
	child.sudo = acl_check(call->acl, request->op, request->path, request->data, request->wrap_ttl).sudo;
	r = child_request_read(call, &child.request);
	if (r == 0)
		r = find_role(&child);
	if (r == 0)
		r = fill(&child);
	if (r == 0)
		r = mint(&child);
	child_request_clear(&child.request);
	json_decref(child.role);
	json_decref(child.entity);
	token_free(child.token);
	return r < 0 ? r : 0;
}

int token_create(struct call *call)
{
	return create(call, false);
}

int token_create_orphan(struct call *call)
{
	return create(call, true);
}
