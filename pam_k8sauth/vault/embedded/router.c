/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a request to its handler: path, mount, token, policies, pattern, operation (vault-core.md 1.10 to 1.12; texts of
 * vault-1.21.4.md).
 */
#include "vault/embedded/core_internal.h"

#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "vault/embedded/audit/audit.h"
#include "vault/embedded/cubbyhole/cubbyhole.h"
#include "vault/embedded/identity.h"
#include "vault/embedded/policies.h"
#include "vault/embedded/token.h"
#include "vault/embedded/wrapping/wrapping.h"

#define OWN "k8sauth/"

/* One line per engine. */
const struct engine *const core_engines[] = {
	&system_engine,
	&token_engine,
	&kubernetes_engine,
	&kv_engine,
	&cubbyhole_engine,
	&identity_engine,
	NULL,
};

const struct engine *core_engine(const char *type, bool auth)
{
	for (size_t i = 0; core_engines[i]; i++)
		if (core_engines[i]->auth == auth && streq(core_engines[i]->type, type))
			return core_engines[i];
	return NULL;
}

const struct engine_path *engine_paths(const struct mount *mount)
{
	return mount->engine->paths_of ? mount->engine->paths_of(mount) : mount->engine->paths;
}

bool router_decides_logins(const struct call *call)
{
	const struct engine *engine = call->mount ? call->mount->engine : NULL;

	return !call->auth && engine && ((engine->auth && engine != &token_engine) || engine == &identity_engine);
}

static void forget_captures(struct call_private *call)
{
	while (call->n_captures)
		free(call->captures[--call->n_captures].value);
}

/* What the daemon itself asks (decision 21, `recheck`): the path behind "k8sauth/", NULL for every other request. */
static const char *own_path(const struct vault_request *request)
{
	return request->internal && starts_with(request->path, OWN) ? request->path + strlen(OWN) : NULL;
}

/* Sets call->path: the first that matches, NULL for none. */
static int find_path(struct call *call)
{
	bool own = own_path(call->request) != NULL;

	for (const struct engine_path *path = own ? call->mount->engine->own_paths : engine_paths(call->mount);
	     path && path->pattern; path++) {
		int r;

		forget_captures(call->private);
		r = router_match(path->pattern, call->rest, call->private);
		if (r < 0)
			return r;
		if (r > 0) {
			call->path = path;
			return 0;
		}
	}
	forget_captures(call->private);
	return 0;
}

/* Whether PATH answers in every state, without a token and without an envelope. */
static bool is_raw(const struct call *call, const struct engine_path *path)
{
	return path && (path->flags & ENGINE_RAW || (path->flags & ENGINE_OPEN && call->request->peer.open_metrics));
}

/* Paths that answer in every state have one name: asked for a list, they do not become another path. */
static void find_raw_path(struct call *call)
{
	size_t len = strlen(call->rest);

	for (const struct engine_path *path = engine_paths(call->mount); !call->path && path->pattern; path++)
		if (is_raw(call, path) && strlen(path->pattern) + 1 == len &&
		    strncmp(path->pattern, call->rest, len - 1) == 0)
			call->path = path;
}

static bool has_flag(const struct call *call, unsigned flag)
{
	return call->path && call->path->flags & flag;
}

/* --- the request itself */

static bool is_write(enum vault_op op)
{
	return op == VAULT_UPDATE || op == VAULT_CREATE || op == VAULT_PATCH;
}

/* "", "." and ".." would be another path to whoever cleans it: the HTTP server redirects, so none comes from there. */
static bool has_odd_part(const char *path)
{
	if (streq(path, "/")) /* a list of everything: nobody serves that */
		return false;
	for (const char *part = path; *part; part += strspn(part, "/")) {
		size_t len = strcspn(part, "/");

		if (len == 0 || (len <= 2 && strspn(part, ".") == len))
			return true;
		part += len;
		if (part[0] == '/' && part[1] == '/')
			return true;
	}
	return false;
}

bool path_is_printable(const char *path)
{
	for (const char *c = path; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return false;
	return utf8_valid(path, strlen(path));
}

static size_t count_parts(const char *path)
{
	size_t n = 1;

	for (; *path; path++)
		n += *path == '/';
	return n;
}

static bool path_fits(const char *path)
{
	return strlen(path) <= PATH_LEN_MAX && count_parts(path) <= PATH_PARTS_MAX;
}

/* 1 after a refusal. */
static int check_request(struct call *call)
{
	const char *path = call->request->path;
	enum vault_op op = call->request->op;

	if (call->request->fault_status)
		call_error(call, call->request->fault_status, "%s", call->request->fault);
	else if (!path_fits(path))
		call_error(call, 400, "the path is too long");
	else if (!path_is_printable(path))
		call_error(call, 400, "the path has characters that cannot be printed");
	else if (has_odd_part(path))
		call_error(call, 400, "relative paths not supported");
	else if (is_write(op) && ends_with(path, "/"))
		call_error(call, 400, "cannot write to a path ending in '/'");
	else
		return 0;
	return 1;
}

/* Sets mount, rest and path, as far as there are any. */
static int find_route(struct call *call)
{
	struct call_private *private = call->private;
	const char *path = own_path(call->request) ? own_path(call->request) : call->request->path;
	size_t len;
	int r;

	call->mount = core_mount_of(call->core, path);
	if (!call->mount)
		return 0;
	if (private->mount != call->mount) {
		/* What an earlier run remembered was of another mount. */
		if (private->mount && call->state) {
			if (call->state_free)
				call->state_free(call->state);
			call->state = NULL;
			call->state_free = NULL;
		}
		mount_ref(call->mount);
		mount_unref(call->core, private->mount);
		private->mount = call->mount;
	}
	len = strlen(call->mount->path);
	call->rest = strlen(path) < len ? "" : path + len;
	r = find_path(call);
	if (r == 0 && !call->path && call->request->op == VAULT_LIST)
		find_raw_path(call);
	return r;
}

/* --- who may */

static int deny(struct call *call, const char *reason)
{
	call_refuse(
	    call, VAULT_FAILED_REFUSED, "policy", 403, "1 error occurred:\n\t* permission denied\n\n", "%s", reason);
	return 1;
}

/* The caller's token. 0, 1 after a refusal, or an errno. */
static int find_token(struct call *call)
{
	const struct secret *presented = call->request->token;
	int r;

	if (!presented || !secret_len(presented)) {
		call_refuse(call, VAULT_FAILED_REFUSED, "token", 403, "permission denied", "no token");
		return 1;
	}
	r = token_lookup(call, presented, &call->token);
	if (r == -ENOENT || r == -EACCES) {
		call_refuse(call, VAULT_FAILED_REFUSED, "token", 403,
		    r == -EACCES ? "permission denied"
				 : "2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n",
		    r == -EACCES ? "the address is not one that the token is bound to" : "unknown or expired token");
		return 1;
	}
	return r;
}

static int refuse_entity(struct call *call)
{
	call->private->audited.hidden = true;
	call_refuse(call, VAULT_FAILED_REFUSED, "entity", 403, "permission denied",
	    "the token's entity is disabled or was deleted");
	return 1;
}

/* The caller's token and ACL. 0, 1 after a refusal, or an errno. What it writes stays even if the request is refused.
 */
static int authenticate(struct call *call)
{
	struct call_private *private = call->private;
	int r = find_token(call);

	if (r == 0)
		private->audited.uses = call->token->num_uses;
	if (r == 0)
		r = token_use(call, call->token);
	if (r)
		return r;
	private->kept_writes = private->writes.n;
	private->kept_hooks = private->hooks.n;
	r = token_acl(call, call->token, &call->entity, &call->acl);
	return r == -EACCES ? refuse_entity(call) : r;
}

/*
 * A path that needs no token minds the one that it is shown all the same: whose entity is disabled, or gone, is
 * refused. 0, 1 after the refusal, or an errno.
 */
static int check_shown_token(struct call *call)
{
	const struct secret *presented = call->request->token;
	struct token *token = NULL;
	json_auto_t *entity = NULL;
	int r;

	if (call->request->internal || !presented || !secret_len(presented))
		return 0;
	r = token_lookup(call, presented, &token);
	if (r < 0)
		return r == -ENOENT || r == -EACCES ? 0 : r;
	r = identity_entity(call, token->entity_id, &entity);
	token_free(token);
	return r == -ENOENT || (r == 0 && identity_disabled(entity)) ? refuse_entity(call) : r;
}

/* An update of something that is not there yet is a create. 0, 1 after a refusal, or an errno. */
static int decide_create(struct call *call)
{
	int exists;

	if (call->request->op != VAULT_UPDATE || !call->path || !call->path->exists)
		return 0;
	exists = call->path->exists(call);
	if (exists < 0)
		return exists;
	if (call->response->status >= 400)
		return 1;
	if (!exists)
		call->request->op = VAULT_CREATE;
	return 0;
}

/* Engines take "data/x/" for "data/x": then a rule about the one must not be got round by asking for the other. */
static struct acl_verdict check_acl(const struct call *call)
{
	const struct vault_request *request = call->request;
	/* A write to a mount without its last '/' is one to the mount; no engine takes any. */
	bool root = is_write(request->op) && request->op != VAULT_PATCH && call->mount && !*call->rest;
	const char *path = root ? call->mount->path : request->path;
	struct acl_verdict verdict = acl_check(call->acl, request->op, path, request->data, request->wrap_ttl);
	char *bare AUTO_FREE = NULL;

	if (!verdict.allowed || request->op == VAULT_LIST || !ends_with(request->path, "/"))
		return verdict;
	bare = strndup(request->path, strlen(request->path) - 1);
	if (!bare)
		return (struct acl_verdict){ .reason = "no memory to look at the path without its last '/'" };
	return acl_check(call->acl, request->op, bare, request->data, request->wrap_ttl);
}

static int authorise(struct call *call)
{
	const struct vault_request *request = call->request;
	struct acl_verdict verdict;
	int r;

	if (request->internal && request->token) {
		r = find_token(call);
		return r ? r : decide_create(call);
	}
	if (request->internal || has_flag(call, ENGINE_UNAUTHENTICATED)) {
		r = audit_find_caller(call);
		if (r == 0)
			r = check_shown_token(call);
		return r ? r : decide_create(call);
	}
	r = authenticate(call);
	if (r)
		return r;
	audit_note_lookup(call);
	r = decide_create(call);
	if (r) {
		call->private->audited.unread = r > 0;
		return r;
	}
	verdict = check_acl(call);
	call->private->audited.verdict = verdict;
	if (!verdict.allowed)
		return deny(call, verdict.reason ? verdict.reason : "no policy allows it");
	if (has_flag(call, ENGINE_SUDO) && !verdict.sudo && request->op != VAULT_HELP)
		return deny(call, "the path needs the sudo capability");
	return 0;
}

int router_authorise(struct call *call)
{
	int r = check_request(call);

	if (r == 0)
		r = mounts_settled(call);
	return r ? r : authorise(call);
}

/* --- the handler */

static engine_handler *handler_of(const struct engine_path *path, enum vault_op op)
{
	switch (op) {
	case VAULT_READ:
		return path->read;
	case VAULT_LIST:
		return path->list;
	case VAULT_UPDATE:
	case VAULT_CREATE:
		return path->update;
	case VAULT_PATCH:
		return path->patch;
	case VAULT_DELETE:
		return path->delete;
	case VAULT_RESOLVE:
		return path->resolve;
	case VAULT_VERIFY:
		return path->verify;
	case VAULT_HEADER:
		return path->flags & ENGINE_HEAD ? path->read : NULL;
	case VAULT_HELP:
	case VAULT_OTHER:
	case VAULT_TELL:
		return NULL;
	}
	return NULL;
}

/* What a login's engine has found becomes a token, or, where it is only to be verified, nothing but an answer. */
static int finish_login(struct call *call)
{
	bool verify = call->request->op == VAULT_VERIFY;
	int r = verify ? identity_verify(call) : identity_login(call);

	if (r)
		return r;
	if (verify)
		return token_verify_login(call);
	r = token_create_login(call);
	if (r == 0)
		call->login = json_incref(call->response->auth);
	return r;
}

static int run_handler(struct call *call)
{
	engine_handler *handler = handler_of(call->path, call->request->op);
	struct vault_response *response = call->response;
	bool login;
	int r;

	if (call->request->op == VAULT_HELP)
		return help_show(call);
	if (!handler && is_raw(call, call->path)) {
		response->status = 405;
		return 0;
	}
	if (!handler)
		return call_wrapped_error(call, 405, "unsupported operation");
	r = handler(call);
	login = r == 0 && call->auth && response->status < 400;
	if (login) {
		r = finish_login(call);
		if (r > 0)
			return 0;
		response->status = 200;
	}
	if (r)
		return r;
	parameters_warn(call);
	/* What is accepted only comes without its engine, as in Vault. */
	if (!login && response->status < 400 && response->status != 202 && !has_flag(call, ENGINE_UNAUTHENTICATED))
		response->mount_type = call->mount->engine->type;
	return wrapping_apply(call);
}

/* It was decided before it came here: its entry is all that is left to do. */
static int run_told(struct call *call)
{
	call->private->audited.reached = true;
	return call_done(call);
}

int router_run(struct call *call)
{
	bool told = call->request->op == VAULT_TELL;
	int r = path_fits(call->request->path) ? find_route(call) : 0;

	if (r == 0)
		r = quotas_gate(call);
	if (r)
		return r < 0 ? r : 0;
	if (is_raw(call, call->path) && !call->request->broken)
		return run_handler(call);
	r = told ? 0 : check_request(call);
	if (r)
		return 0;
	if (core_sealed(call->core))
		return call_refuse(call, VAULT_FAILED_OUTAGE, "seal", 503, "Vault is sealed",
		    call->core->initialised ? "the store is sealed" : "the store is not initialised");
	r = mounts_settled(call);
	if (r == 0 && told)
		return run_told(call);
	if (r == 0 && has_flag(call, ENGINE_WRAPPED))
		r = wrapping_find(call);
	if (r < 0)
		return r;
	call->private->audited.reached = call->request->op != VAULT_RESOLVE;
	if (r == 0)
		r = authorise(call);
	call->private->audited.denied = r > 0;
	if (r)
		return r < 0 ? r : 0;
	if (!call->mount)
		return call_error(
		    call, 404, "no handler for route \"%s\". route entry not found.", call->request->path);
	if (call->mount->leaving || call->mount->tainted)
		return call_error(
		    call, 404, "no handler for route \"%s\". route entry is tainted.", call->request->path);
	if (call->request->op == VAULT_HELP && !*call->rest)
		return help_show(call);
	if (!call->path)
		return call_wrapped_error(call, 404, "unsupported path");
	r = audit_gate(call);
	if (r)
		return r < 0 ? r : 0;
	parameters_forget_unknown(call);
	return run_handler(call);
}
