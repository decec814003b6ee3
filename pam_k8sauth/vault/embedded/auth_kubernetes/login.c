/* SPDX-License-Identifier: Apache-2.0 */
/*
 * auth/<mount>/login: every step in the order and with the text of kubernetes-auth.md 3.2, and what a login through PAM
 * must fulfil besides (decision 8). What the client may not know goes to the journal. The handler is run again whenever
 * an answer of the API server has come; each run goes through all steps.
 */
#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "kube/names.h"
#include "vault/login_remedy.h"
#include "vault/embedded/auth_kubernetes/login.h"
#include "vault/embedded/auth_token/cidr.h"
#include "vault/embedded/glob.h"
#include "vault/embedded/go_text.h"

const struct engine_field kube_login_fields[] = {
	{ "jwt", FIELD_STRING, "The token of a service account, with which the pod proves who it is." },
	{ "role", FIELD_STRING, "The role to log in with." },
	{ 0 },
};

int kube_secret_field(struct call *call, const char *name, const char **ret)
{
	const json_t *value = json_object_get(call->request->data, name);

	if (!json_is_object(value) && !json_is_array(value))
		return call_field_string(call, name, ret, NULL);
	call_error(call, 400,
	    "Field validation failed: error converting input for field \"%s\": '' expected type 'string', got "
	    "unconvertible type '%s'",
	    name, json_is_object(value) ? "map[string]interface {}" : "[]interface {}");
	return 1;
}

/* Steps return 0 to go on, 1 after an answer, or a negative errno (-EAGAIN). */

static int PRINTF_LIKE(6, 7) refuse(struct call *call, enum vault_failure failure, const char *step, int status,
    const char *error, const char *format, ...)
{
	char reason[768];
	va_list args;

	va_start(args, format);
	vsnprintf(reason, sizeof(reason), format, args);
	va_end(args);
	call_refuse(call, failure, step, status, error, "%s", reason);
	return 1;
}

/* Nothing will be written then: no alias learns anything, and there is nothing to rehearse. */
static bool is_verify(const struct call *call)
{
	return call->request->op == VAULT_VERIFY;
}

static int refuse_request(struct call *call, const char *text)
{
	return refuse(call, VAULT_FAILED_REFUSED, "request", 400, text, "%s", text);
}

/* Steps 1 to 3. */
static int load_role(struct call *call, const char *name, json_t **ret)
{
	AUTO_BUF struct buf text = { 0 };
	int r;

	if (kube_role_name_is_path(name))
		return refuse_request(call, "relative paths not supported");
	r = kube_role_peek(call, name, ret);
	if (r != -ENOENT)
		return r;
	buf_add_str(&text, "invalid role name ");
	go_quote(&text, name);
	if (text.failed)
		return -ENOMEM;
	return refuse(call, VAULT_FAILED_OTHER_ROLE, "role", 400, text.data, "there is no role of that name");
}

/* Step 4. */
static int check_address(struct call *call, const json_t *role)
{
	const json_t *cidrs = json_object_get(role, "token_bound_cidrs");
	const char *address = call->request->peer.address;

	if (json_array_size(cidrs) == 0 || cidrs_match(cidrs, address))
		return 0;
	return refuse(call, VAULT_FAILED_OTHER_ROLE, "address", 403, "permission denied",
	    "%s is not in the role's token_bound_cidrs", *address ? address : "an unknown address");
}

/* Steps 5 and 6, once per login. */
static int load_config(struct kube_login *login)
{
	int r = login->config ? 0 : kube_config_get(login->call, &login->config);

	if (r != -ENOENT)
		return r;
	return refuse(login->call, VAULT_FAILED_OUTAGE, "config", 500, "could not load backend configuration",
	    "the mount has no configuration");
}

static int refuse_token(struct call *call, const struct jwt_error *error)
{
	return refuse(call, error->audience ? VAULT_FAILED_OTHER_ROLE : VAULT_FAILED_REFUSED,
	    error->audience ? "audience" : "jwt", error->status, error->text, "%s", error->reason);
}

/* Steps 7 to 9. */
static int check_token(struct kube_login *login, const char *text, const json_t *role)
{
	const struct kube_config *config = login->config;
	struct jwt_error error = { 0 };
	int r;

	if (!login->jwt) {
		login->token = secret_copy(text, strlen(text));
		r = login->token ? jwt_read(login->token, config->keys != NULL, &login->jwt, &error) : -ENOMEM;
		if (r == -EINVAL)
			return refuse_token(login->call, &error);
		if (r < 0)
			return r;
		if (config->keys && jwt_verify(login->jwt, config->keys) < 0)
			return refuse(login->call, VAULT_FAILED_REFUSED, "jwt", 403, "permission denied",
			    "error verifying token signature: no known key successfully validated the token signature");
	}
	if (jwt_check(login->jwt, time(NULL), config->issuer, role_text(role, "audience"), &error) < 0)
		return refuse_token(login->call, &error);
	return 0;
}

/* A claim that nobody has confirmed yet, for the journal. */
static const char *shown(const char *name)
{
	return kube_name_valid(name) ? name : "(no valid name)";
}

/* Step 10, and the list of step 11. *RET_SELECT: the namespace selector must decide. */
static int check_bounds(struct kube_login *login, const json_t *role, bool *ret_select)
{
	const json_t *names = json_object_get(role, "bound_service_account_names");
	const json_t *namespaces = json_object_get(role, "bound_service_account_namespaces");
	const char *name = login->jwt->service_account ? login->jwt->service_account : "";
	const char *namespace_name = login->jwt->namespace_name ? login->jwt->namespace_name : "";

	if (!globs_match(names, name))
		return refuse(login->call, VAULT_FAILED_OTHER_ROLE, "name", 403, "service account name not authorized",
		    "service account %s/%s is not in the role's bound_service_account_names", shown(namespace_name),
		    shown(name));
	*ret_select = false;
	if (globs_match(namespaces, namespace_name))
		return 0;
	*ret_select = *role_text(role, "bound_service_account_namespace_selector") != '\0';
	if (*ret_select)
		return 0;
	return refuse(login->call, VAULT_FAILED_OTHER_ROLE, "namespace", 403, "namespace not authorized",
	    "namespace %s (of service account %s) is not in the role's bound_service_account_namespaces",
	    shown(namespace_name), shown(name));
}

/* The selector of step 11, for NAMESPACE_NAME. */
static int check_selector(struct kube_login *login, const json_t *role, const char *namespace_name)
{
	json_t *wanted = selector_parse(role_text(role, "bound_service_account_namespace_selector"));
	char text[600];
	bool match;
	int r = kube_login_ask_labels(login, namespace_name);

	match = r == 0 && login->labels && selector_match(wanted, login->labels);
	json_decref(wanted);
	if (r < 0 || match)
		return r;
	if (login->labels)
		return refuse(login->call, VAULT_FAILED_OTHER_ROLE, "namespace", 403, "namespace not authorized",
		    "the labels of namespace %s do not match the role's bound_service_account_namespace_selector",
		    namespace_name);
	snprintf(text, sizeof(text), "namespace not authorized err=%s", login->labels_error);
	return refuse(login->call,
	    login->labels_verdict == KUBE_UNAVAILABLE ? VAULT_FAILED_OUTAGE : VAULT_FAILED_OTHER_ROLE, "namespace", 403,
	    text, "%s", text);
}

/* Step 12: what the alias is made of must be there. */
static int check_alias(struct call *call, const json_t *role, const struct jwt *jwt)
{
	const char *text = NULL;

	if (streq(role_text(role, "alias_name_source"), "serviceaccount_uid")) {
		if (!jwt->service_account_uid || !*jwt->service_account_uid)
			text = "could not parse UID from claims";
	} else if (!jwt->namespace_name || !*jwt->namespace_name || !jwt->service_account || !*jwt->service_account) {
		text = "service account namespace and name must be set";
	}
	return text ? refuse(call, VAULT_FAILED_REFUSED, "alias", 500, text, "%s", text) : 0;
}

/* --- through PAM (decision 8) */

/* The role must have an audience, the cluster's where that is configured. */
static int check_pam_role(struct call *call, const json_t *role)
{
	const struct vault_pam_login *pam = call->request->pam;
	const char *audience = role_text(role, "audience");

	if (!pam)
		return 0;
	if (!*audience && !pam->allow_no_audience)
		return refuse(call, VAULT_FAILED_OTHER_ROLE, "audience", 403, "permission denied",
		    "the role has no audience, which logins through PAM demand: set audience=%s on it",
		    pam->audience ? pam->audience : "...");
	if (*audience && pam->audience && !streq(audience, pam->audience))
		return refuse(call, VAULT_FAILED_OTHER_ROLE, "audience", 403, "permission denied",
		    "the role's audience \"%s\" is not the one of the cluster block, \"%s\"", audience, pam->audience);
	return 0;
}

static bool contains(char *const *list, const char *text)
{
	for (char *const *each = list; each && *each; each++) {
		if (streq(*each, text))
			return true;
	}
	return false;
}

/* The audiences that no login through PAM may have: *RET NULL where that does not matter. */
static int forbidden_audiences(struct kube_login *login, char *const **ret)
{
	const struct vault_pam_login *pam = login->call->request->pam;
	int r;

	*ret = NULL;
	if (!pam || pam->allow_api_audience)
		return 0;
	if (pam->api_audiences) {
		*ret = pam->api_audiences;
		return 0;
	}
	r = kube_login_ask_api_audiences(login);
	if (r < 0)
		return r;
	if (!login->api_audiences)
		return refuse(login->call, VAULT_FAILED_OUTAGE, "tokenreview", 403, "permission denied",
		    "the API server's own audiences are not known: %s (or configure api_audiences)", login->api_error);
	*ret = login->api_audiences;
	return 0;
}

/* --- step 13 */

/* What the review asks for: the role's audience, else the token's own; and the API server's, to see whether it would
 * accept the token as its own. The elements belong to others. */
static int review_audiences(const struct kube_login *login, const char *audience, char *const *forbidden, char ***ret)
{
	size_t n = 2, at = 0;
	char **list;

	for (size_t i = 0; login->jwt->audiences && login->jwt->audiences[i]; i++)
		n++;
	for (size_t i = 0; forbidden && forbidden[i]; i++)
		n++;
	list = calloc(n, sizeof(*list));
	if (!list)
		return -ENOMEM;
	if (*audience)
		list[at++] = (char *)(uintptr_t)audience;
	for (size_t i = 0; !*audience && login->jwt->audiences && login->jwt->audiences[i]; i++)
		list[at++] = login->jwt->audiences[i];
	for (size_t i = 0; forbidden && forbidden[i]; i++) {
		if (!contains(list, forbidden[i]))
			list[at++] = forbidden[i];
	}
	*ret = list;
	return 0;
}

static int deny(struct kube_login *login, enum vault_failure failure, const char *reason)
{
	return refuse(login->call, failure, "tokenreview", 403, "permission denied", "%s", reason);
}

/* The claims are only compared with the answer, which is the identity (decision 7). */
static int check_answer(struct kube_login *login, const char *audience, char *const *forbidden)
{
	const struct jwt *jwt = login->jwt;

	if (login->verdict == KUBE_UNAVAILABLE)
		return deny(login, VAULT_FAILED_OUTAGE, login->reason);
	if (login->verdict != KUBE_OK)
		return deny(login, VAULT_FAILED_REFUSED, login->reason);
	for (char *const *each = forbidden; each && *each; each++) {
		if (contains(login->audiences, *each))
			return refuse(login->call, VAULT_FAILED_REFUSED, "audience", 403, "permission denied",
			    "the API server would accept this token as its own (audience %s): make one for this "
			    "machine alone",
			    *each);
	}
	if (*audience && !contains(login->audiences, audience))
		return deny(
		    login, VAULT_FAILED_REFUSED, "lookup failed: the API server did not confirm the role's audience");
	if (!jwt->service_account || !streq(jwt->service_account, login->service_account))
		return deny(login, VAULT_FAILED_REFUSED, "JWT names did not match");
	if (!jwt->service_account_uid || !*jwt->service_account_uid)
		return deny(login, VAULT_FAILED_REFUSED, "could not parse UID from claims");
	if (!streq(jwt->service_account_uid, login->uid))
		return deny(login, VAULT_FAILED_REFUSED, "JWT UIDs did not match");
	if (!jwt->namespace_name || !streq(jwt->namespace_name, login->namespace_name))
		return deny(login, VAULT_FAILED_REFUSED, "JWT namepaces did not match");
	return 0;
}

/* Whether the API server has confirmed what a rehearsal presumed: all that check_answer demands, and so the claims. */
static bool is_confirmed(struct call *call)
{
	struct kube_login *login = call->state;
	char *const *forbidden;

	return login->review_asked == ANSWERED && forbidden_audiences(login, &forbidden) == 0 &&
	       check_answer(login, login->audience, forbidden) == 0;
}

static int ask_review(struct kube_login *login, const char *audience, char *const *forbidden)
{
	char **audiences;
	int r = review_audiences(login, audience, forbidden, &audiences);

	if (r < 0)
		return r;
	free(login->audience);
	login->audience = strdup(audience);
	if (login->audience && !is_verify(login->call))
		call_expect(login->call, is_confirmed);
	r = kube_login_ask_review(login, audiences);
	free(audiences);
	return r;
}

static int review(struct kube_login *login, const json_t *role)
{
	const char *audience = role_text(role, "audience");
	char *const *forbidden;
	int r = forbidden_audiences(login, &forbidden);

	if (r)
		return r;
	if (call_is_rehearsal(login->call))
		return kube_login_presume(login);
	if (login->review_asked != ANSWERED)
		return ask_review(login, audience, forbidden);
	return check_answer(login, audience, forbidden);
}

/* --- step 16 */

static int grant(struct kube_login *login, const char *role_name, const json_t *role)
{
	struct login_auth *auth = login_auth_new();
	bool by_uid = streq(role_text(role, "alias_name_source"), "serviceaccount_uid");
	const char *secret_name = login->jwt->secret_name ? login->jwt->secret_name : "";

	if (!auth)
		return -ENOMEM;
	login->call->auth = auth;
	auth->credential_expires = login->jwt->expires;
	auth->pod = login->jwt->pod_name ? strdup(login->jwt->pod_name) : NULL;
	auth->node = login->jwt->node_name ? strdup(login->jwt->node_name) : NULL;
	auth->policies = json_incref(json_object_get(role, "token_policies"));
	auth->no_default_policy = json_is_true(json_object_get(role, "token_no_default_policy"));
	auth->internal = json_pack("{s:s}", "role", role_name);
	auth->ttl = role_number(role, "token_ttl");
	auth->max_ttl = role_number(role, "token_max_ttl");
	auth->explicit_max_ttl = role_number(role, "token_explicit_max_ttl");
	auth->period = role_number(role, "token_period");
	auth->num_uses = role_number(role, "token_num_uses");
	auth->token_type = strdup(role_text(role, "token_type"));
	auth->bound_cidrs = json_incref(json_object_get(role, "token_bound_cidrs"));
	auth->alias_metadata = json_pack("{s:s, s:s, s:s, s:s}", "service_account_name", login->service_account,
	    "service_account_namespace", login->namespace_name, "service_account_secret_name", secret_name,
	    "service_account_uid", login->uid);
	auth->metadata = json_pack("{s:s}", "role", role_name);
	if (by_uid)
		auth->alias_name = strdup(login->uid);
	else if (asprintf(&auth->alias_name, "%s/%s", login->namespace_name, login->service_account) < 0)
		auth->alias_name = NULL;
	if (asprintf(&auth->display_name, "%s-%s", login->namespace_name, login->service_account) < 0)
		auth->display_name = NULL;
	if (!auth->policies || !auth->internal || !auth->token_type || !auth->alias_metadata || !auth->alias_name ||
	    !auth->display_name || json_object_update(auth->metadata, auth->alias_metadata))
		return -ENOMEM;
	/* For the alias alone: tokens do not have them. */
	return is_verify(login->call) ? 0 : kube_login_annotations(login, auth->alias_metadata);
}

/* --- all of it */

static int new_login(struct call *call)
{
	struct kube_login *login;

	if (call->state)
		return 0;
	login = calloc(1, sizeof(*login));
	if (!login)
		return -ENOMEM;
	login->call = call;
	call->state = login;
	call->state_free = kube_login_free;
	return 0;
}

/* Steps 4 to 12, and what PAM demands: nothing but the selector leaves this machine. */
static int check_locally(struct kube_login *login, const char *jwt, const json_t *role, bool *ret_select)
{
	int r = check_address(login->call, role);

	if (r == 0)
		r = load_config(login);
	if (r == 0)
		r = check_token(login, jwt, role);
	if (r == 0)
		r = check_bounds(login, role, ret_select);
	if (r == 0)
		r = check_pam_role(login->call, role);
	if (r == 0)
		r = check_alias(login->call, role, login->jwt);
	return r;
}

static int with_role(struct call *call, const char *role_name, const char *jwt, const json_t *role, bool resolve)
{
	struct kube_login *login = call->state;
	bool select = false;
	int r = check_locally(login, jwt, role, &select);

	if (r == 0 && select && !login->config->has_reviewer)
		r = check_selector(login, role, login->jwt->namespace_name); /* says so */
	if (r == 0 && !resolve)
		r = review(login, role);
	/* After the review, so that only a token of the cluster makes us look at a namespace; Vault asks before. */
	if (r == 0 && select)
		r = check_selector(login, role, resolve ? login->jwt->namespace_name : login->namespace_name);
	if (r == 0)
		r = resolve ? call_done(call) : grant(login, role_name, role);
	return r;
}

/* For the journal of what comes by HTTP, where nobody else knows the role. Without memory there is none. */
static void add_remedy(struct call *call, const char *role_name, const json_t *role)
{
	char *mount = strdup(call->mount->path + strlen("auth/")), text[REMEDY_SIZE];
	struct login_place place = { .role = kube_name_valid(role_name) ? role_name : "" };

	if (!mount)
		return;
	mount[strlen(mount) - 1] = '\0';
	place.mount = mount;
	place.audience = role ? role_text(role, "audience") : NULL;
	login_remedy(call->response, &place, text);
	free(mount);
	free(call->response->remedy);
	call->response->remedy = strdup(text);
}

static int run(struct call *call, bool resolve)
{
	const char *role_name = "", *jwt = "";
	json_t *role = NULL;
	int r = call_field_string(call, "role", &role_name, NULL);

	if (r == 0)
		r = kube_secret_field(call, "jwt", &jwt);
	if (r == 0 && !*role_name)
		r = refuse_request(call, "missing role");
	if (r == 0 && !*jwt)
		r = refuse_request(call, "missing jwt");
	if (r == 0)
		r = new_login(call);
	if (r == 0)
		r = load_role(call, role_name, &role);
	if (r == 0)
		r = with_role(call, role_name, jwt, role, resolve);
	if (r > 0)
		add_remedy(call, role_name, role);
	json_decref(role);
	return r < 0 ? r : 0;
}

int kube_login(struct call *call)
{
	return run(call, false);
}

int kube_login_resolve(struct call *call)
{
	return run(call, true);
}
