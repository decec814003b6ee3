/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What went wrong, as entries tell it. Vault's core knows two things that clients see as one: the error that a handler
 * returned, which is the entry's, and the text that it answered with, which is data of the answer. Which of them there
 * is depends on the handler; here it is read off the status and the text.
 */
#include "vault/embedded/audit/entry.h"

#define ERROR_OF(text) "1 error occurred:\n\t* " text "\n\n"

/* The 400s that Vault's handlers answer with, and return no error. */
static const struct {
	const char *engine; /* its type */
	const char *path;   /* how the path below its mount begins */
	const char *text;   /* how the text begins */
} answers[] = {
	{ "cubbyhole", "", "" },
	{ "identity", "", "" },
	{ "kubernetes", "", "" },
	{ "kv", "", "1 error occurred:\n\t* custom_metadata validation failed" },
	{ "kv", "", "missing data fields" },
	{ "system", "audit-hash/", "" },
	{ "system", "auth/", "No auth engine" },
	{ "system", "capabilities", "" },
	{ "system", "config/auditing/", "" },
	{ "system", "leases/renew", "lease is not renewable" },
	{ "system", "mounts/", "No secret engine" },
	{ "system", "policies/acl/", "'policy' parameter" },
	{ "system", "quotas/rate-limit/", "'rate'" },
	{ "system", "rekey/backup", "" },
	{ "system", "renew", "lease is not renewable" },
	{ "system", "tools/hash", "unsupported" },
	{ "system", "tools/random", "" },
	{ "token", "create", "batch tokens cannot" },
	{ "token", "create", "cannot assign policy" },
	{ "token", "create/", "unknown role" },
	{ "token", "renew", "batch tokens" },
	{ "token", "renew", "lease is not renewable" },
	{ "token", "revoke", "batch tokens" },
	{ "token", "roles/", "" },
};

/* What they return as an error that names itself, and answer with as well. */
static const char *const named[] = { "cannot mount ", "path is already in use at " };

static bool is_named(const struct call *call, const char *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(named); i++)
		if (call->response->status == 400 && starts_with(text, named[i]))
			return call->mount && streq(call->mount->engine->type, "system");
	return false;
}

static bool is_wrapped(const char *text)
{
	const char *blank = strchr(text, ' ');

	return blank && text[0] >= '1' && text[0] <= '9' &&
	       (starts_with(blank, " error occurred:\n") || starts_with(blank, " errors occurred:\n"));
}

static bool is_answer(const struct call *call, const char *text)
{
	if (call->response->status != 400)
		return false;
	if (starts_with(text, "Field validation failed"))
		return true;
	/* All else of this engine is. */
	if (call->mount && streq(call->mount->engine->type, "kubernetes") && starts_with(text, "invalid 'token_type'"))
		return false;
	for (size_t i = 0; call->mount && call->rest && i < ARRAY_SIZE(answers); i++)
		if (streq(call->mount->engine->type, answers[i].engine) &&
		    starts_with(call->rest, answers[i].path) && starts_with(text, answers[i].text) &&
		    (*answers[i].text || !(is_wrapped(text) || starts_with(text, "error converting"))))
			return true;
	return false;
}

const char *entry_request_error(const struct call *call)
{
	if (entry_is_question(call) && !entry_verdict(call).allowed)
		return ERROR_OF("permission denied");
	return call->private->audited.denied ? vault_response_error_text(call->response) : NULL;
}

static const char *error_of_status(const struct call *call)
{
	switch (call->response->status) {
	case 403:
		return ERROR_OF("permission denied");
	case 404:
		return ERROR_OF("unsupported path");
	default:
		return ERROR_OF("invalid request");
	}
}

/* On paths that need no token errors come as they are; why a login was refused, the trail may know. */
static const char *open_error(const struct call *call, const char *text, const char **ret_text)
{
	const struct vault_response *response = call->response;

	if (response->status == 400) {
		*ret_text = text;
		return NULL;
	}
	return response->reason ? response->reason : text;
}

const char *entry_answer_error(const struct call *call, struct buf *own, const char **ret_text)
{
	const struct vault_response *response = call->response;
	const char *text = vault_response_error_text(response);

	*ret_text = NULL;
	if (call->request->op == VAULT_TELL)
		return call->request->told_refusal;
	if (response->status < 400 && entry_is_question(call) && !entry_verdict(call).allowed)
		return ERROR_OF("permission denied");
	if (response->status < 400 || !*text)
		return NULL;
	if (call->private->audited.unread || call->private->audited.denied) {
		*ret_text = text;
		if (call->private->audited.unread && response->status < 500)
			return ERROR_OF("invalid request");
		return streq(text, "permission denied") ? ERROR_OF("permission denied") : text;
	}
	if (call->path && call->path->flags & ENGINE_UNAUTHENTICATED)
		return open_error(call, text, ret_text);
	if (is_wrapped(text) && !is_answer(call, text))
		return text;
	if (response->status >= 500)
		return ERROR_OF("internal error");
	*ret_text = text;
	if (is_named(call, text)) {
		buf_printf(own, ERROR_OF("%s"), text);
		return own->failed ? text : own->data;
	}
	return is_answer(call, text) ? NULL : error_of_status(call);
}
