/* SPDX-License-Identifier: Apache-2.0 */
/* Whose token an entry is about, and what it may do. */
#include "vault/embedded/audit/entry.h"
#include "vault/embedded/nanotime.h"
#include "vault/embedded/token.h"

const struct token *entry_caller(const struct call *call)
{
	return call->token ? call->token : call->private->audited.caller;
}

/* --- what the policies say */

bool entry_is_question(const struct call *call)
{
	return call->request->told_path && call->acl && !call->private->audited.denied;
}

struct acl_verdict entry_verdict(const struct call *call)
{
	if (entry_is_question(call))
		return acl_ask(call->acl, call->request->told_capability, call->request->told_path);
	return call->private->audited.verdict;
}

struct granting {
	struct entry *e;
	bool any;
};

/* As many empty ones as there are go before them: Vault's list has them, and whoever compares entries counts on it. */
static void add_blank(void *arg, const char *name)
{
	struct granting *granting = arg;

	draft_str(granting->e->draft, granting->any ? ",{\"type\":\"\"}" : "{\"type\":\"\"}");
	granting->any = true;
}

static void add_granting(void *arg, const char *name)
{
	struct granting *granting = arg;

	draft_str(granting->e->draft, ",{\"name\":");
	draft_clear(granting->e->draft, name, strlen(name));
	draft_str(granting->e->draft, ",\"namespace_id\":\"root\",\"type\":\"acl\"}");
}

static void add_policy_results(struct entry *e, const struct call *call)
{
	const struct acl_verdict verdict = entry_verdict(call);
	bool denied = call->private->audited.denied || (entry_is_question(call) && !verdict.allowed);
	struct granting granting = { .e = e };

	entry_key(e, "policy_results");
	entry_open(e);
	entry_key(e, "allowed");
	draft_str(e->draft, denied ? "false" : "true");
	if (!denied && call->acl && acl_grants(call->acl, &verdict)) {
		entry_key(e, "granting_policies");
		draft_str(e->draft, "[");
		acl_each_granting(call->acl, &verdict, add_blank, &granting);
		acl_each_granting(call->acl, &verdict, add_granting, &granting);
		draft_str(e->draft, "]");
	}
	entry_close(e);
}

/* --- the caller's */

/* Vault shows the second. */
static void add_issue_time(struct entry *e, int64_t time)
{
	char text[NANOTIME_SIZE];

	nanotime_format(time / NANOTIME_SECOND * NANOTIME_SECOND, text);
	entry_text(e, "token_issue_time", text);
}

/* What the caller's entity adds: its id comes in between, by the order of names. */
static void add_policies(struct entry *e, const struct call *call, const struct token *token)
{
	json_auto_t *both = NULL;
	json_t *more = json_object_get(call->entity, "policies");

	if (json_array_size(more))
		both = token_all_policies(token, more);
	entry_json(e, "policies", both ? both : token->policies);
}

static void add_caller(struct entry *e, const struct call *call, const struct token *token)
{
	const struct secret *presented = call->request->token;
	const struct call_audit *audited = &call->private->audited;

	entry_accessor(e, "accessor", token->accessor);
	if (presented && secret_len(presented))
		entry_secret(e, "client_token", secret_reveal(presented), secret_len(presented));
	entry_text(e, "display_name", token->display_name);
	entry_text(e, "entity_id", token->entity_id);
	if (call->token)
		entry_json(e, "identity_policies", json_object_get(call->entity, "policies"));
	entry_json(e, "metadata", token->meta);
	add_policies(e, call, token);
	add_policy_results(e, call);
	entry_number(e, "remaining_uses", audited->uses);
	entry_json(e, "token_policies", token->policies);
	add_issue_time(e, token->creation_time);
	entry_number(e, "token_ttl", token->ttl);
	entry_text(e, "token_type", token->type);
}

/* --- of an answer */

static void add_block(struct entry *e, const struct call *call, const json_t *auth, const struct secret *token)
{
	const char *own = json_string_value(json_object_get(auth, "client_token"));

	entry_accessor(e, "accessor", json_string_value(json_object_get(auth, "accessor")));
	if (token)
		entry_secret(e, "client_token", secret_reveal(token), secret_len(token));
	else if (own && *own)
		entry_secret(e, "client_token", own, strlen(own));
	entry_text(e, "display_name", call->response->display_name);
	if (call->entity_created && call->login) {
		entry_key(e, "entity_created");
		draft_str(e->draft, "true");
	}
	entry_text(e, "entity_id", json_string_value(json_object_get(auth, "entity_id")));
	entry_json(e, "identity_policies", json_object_get(auth, "identity_policies"));
	entry_json(e, "metadata", json_object_get(auth, "metadata"));
	if (call->login && call->auth && call->auth->no_default_policy) {
		entry_key(e, "no_default_policy");
		draft_str(e->draft, "true");
	}
	entry_number(e, "num_uses", json_integer_value(json_object_get(auth, "num_uses")));
	entry_json(e, "policies", json_object_get(auth, "policies"));
	entry_json(e, "token_policies", json_object_get(auth, "token_policies"));
	if (call->response->issued)
		add_issue_time(e, call->response->issued);
	entry_number(e, "token_ttl", json_integer_value(json_object_get(auth, "lease_duration")));
	entry_text(e, "token_type", json_string_value(json_object_get(auth, "token_type")));
}

void entry_auth_answered(struct entry *e, const struct call *call, const json_t *auth)
{
	entry_key(e, "auth");
	entry_open(e);
	add_block(e, call, auth, NULL);
	entry_close(e);
}

/* --- all of it */

void entry_auth(struct entry *e, const struct call *call, enum audit_stage stage)
{
	const struct call_audit *audited = &call->private->audited;
	const struct token *token = entry_caller(call);
	const struct secret *presented = call->request->token;
	/* What is only verified is a login as well, but for its token. */
	const json_t *login = call->login ? call->login : call->auth ? call->response->auth : NULL;
	bool made = stage == AUDIT_RESPONSE && login && call->response->status < 400;
	bool open = call->path && call->path->flags & ENGINE_UNAUTHENTICATED;

	if (audited->unread || audited->hidden || (!made && !token && (!open || audited->denied)))
		return;
	entry_key(e, "auth");
	entry_open(e);
	if (made) {
		add_block(e, call, login, presented && secret_len(presented) ? presented : NULL);
	} else if (token) {
		add_caller(e, call, token);
	} else {
		add_policy_results(e, call);
		entry_text(e, "token_type", "default");
	}
	entry_close(e);
}
