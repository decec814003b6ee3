/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a login would come to (`k8sauth explain login`): the steps of a login through PAM in their order, each with its
 * verdict, and nothing is left of it: no token, session, account, ticket or count against the user (decision 24).
 */
#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "session/login.h"

/* The steps that a login takes; where one is refused, those behind it are not reached. */
enum dry_step {
	DRY_USER,
	DRY_SERVICE,
	DRY_CREDENTIAL,
	DRY_EXCHANGE, /* everything that the backend judges; a refusal has the name of its own step */
	DRY_ACCOUNT,
	DRY_TOKEN,
	DRY_SESSION,
	DRY_STEPS,
};

static const char *const step_names[DRY_STEPS] = { "user", "service", "credential", "exchange", "account", "token",
	"session" };

/* Who waits for it. */
struct dry_run {
	struct sessions *all;
	json_t *steps;
	bool failed; /* no memory */
	enum dry_step next;
	session_dry_fn *done;
	void *arg;
};

/* NAME: of the next step, where it is not its own. REMEDY may be NULL. */
static void step_add(
    struct dry_run *run, const char *name, const char *verdict, const char *detail, const char *remedy)
{
	json_t *step = json_pack("{s:s, s:s, s:s, s:s*}", "step", name ? name : step_names[run->next], "verdict",
	    verdict, "detail", detail, "remedy", remedy && *remedy ? remedy : NULL);

	run->failed |= json_array_append_new(run->steps, step) < 0;
	run->next++;
}

static void PRINTF_LIKE(2, 3) step_ok(struct dry_run *run, const char *format, ...)
{
	char detail[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(detail, sizeof(detail), format, args);
	va_end(args);
	step_add(run, NULL, "ok", detail, NULL);
}

/* Answers with what there is, and frees RUN. */
static void dry_end(struct dry_run *run, const char *verdict)
{
	json_t *data;

	while (run->next < DRY_STEPS)
		step_add(run, NULL, "not reached", "", NULL);
	data = run->failed ? NULL : json_pack("{s:s, s:O}", "verdict", verdict, "steps", run->steps);
	run->done(run->arg, data);
	json_decref(run->steps);
	sessions_unref(run->all);
	free(run);
}

static void dry_refuse(struct dry_run *run, bool outage, const char *step, const char *reason, const char *remedy)
{
	const char *verdict = outage ? "unavailable" : "refused";

	step_add(run, step, verdict, reason, remedy);
	dry_end(run, verdict);
}

static void on_refused(struct sessions *all, void *waiter, enum wire_status status, const struct caller *caller,
    const char *step, const char *remedy, const char *reason)
{
	dry_refuse(waiter, status != WIRE_STATUS_REFUSED, step, reason ? reason : "k8sauthd is stopping", remedy);
}

/* --- what comes after the exchange ----------------------------------------------------------- */

static bool has_service(char *const *services, const char *name)
{
	for (size_t i = 0; services && services[i]; i++) {
		if (streq(services[i], name))
			return true;
	}
	return !services;
}

/* Which export blocks a session would have: their names, for the paths are filled in by the login's identity. */
static void session_step(struct dry_run *run, const struct caller *caller)
{
	const struct session_config *config = run->all->options.config;
	const struct service_config *service = sessions_service(run->all, caller->service);
	AUTO_BUF struct buf text = { 0 };

	for (size_t i = 0; i < config->n_exports; i++) {
		const struct export_config *block = &config->exports[i];

		if (has_service(block->services, caller->service))
			buf_printf(&text, "%s%s", text.len > 0 ? ", " : "export blocks: ", block->name);
	}
	step_ok(run, "%s; %s", text.len > 0 ? text.data : "no export block is for this service",
	    service && service->export_token ? "VAULT_TOKEN is exported" : "VAULT_TOKEN is not exported");
	run->failed |= text.failed;
}

/* The role tells what its token would have. */
static void on_role_read(void *arg, struct vault_response *response)
{
	struct login *login = arg;
	struct dry_run *run = login->waiter;
	const json_t *policies = json_object_get(response->data, "token_policies");
	AUTO_BUF struct buf text = { 0 };

	if (!login_goes_on(login))
		return;
	for (size_t i = 0; i < json_array_size(policies); i++)
		buf_printf(&text, ", %s", json_string_value(json_array_get(policies, i)));
	run->failed |= text.failed;
	step_ok(run, "policies of role %s: %s%s%s", login->caller.role,
	    json_is_true(json_object_get(response->data, "token_no_default_policy")) ? "(not default)" : "default",
	    text.len > 0 ? text.data : "", response->status == 200 ? "" : " (the role cannot be read)");
	session_step(run, &login->caller);
	login->waiter = NULL;
	dry_end(run, "ok");
	login_free(login);
}

static void token_step(struct login *login)
{
	char *path AUTO_FREE = NULL;
	struct vault_request *request =
	    asprintf(&path, "auth/%s/role/%s", login->cluster->mount, login->caller.role) < 0
		? NULL
		: login_request_at(login, VAULT_READ, path);

	if (!request) {
		login_refuse(login, WIRE_STATUS_INTERNAL, "token", NULL, "out of memory");
		return;
	}
	request->internal = true;
	login->step = "token";
	vault_send(login->all->options.vault, request, on_role_read, login);
}

static void on_proved(struct login *login, const json_t *auth, int64_t expires)
{
	struct account_identity identity = login_identity(login, auth);
	struct dry_run *run = login->waiter;
	enum account_verdict verdict;
	struct account account;
	char why[512], left[64] = "";

	if (!login_goes_on(login))
		return;
	if (expires > 0)
		snprintf(left, sizeof(left), ", for %lld s more", (long long)(expires - time(NULL)));
	step_ok(run, "the API server knows the token as %s/%s (uid %s)%s; role %s lets it in%s%s",
	    identity.namespace_name, identity.service_account, identity.service_account_uid, left, login->caller.role,
	    login->refusals[0] ? "; before it: " : "", login->refusals);
	verdict = accounts_judge(
	    login->all->options.accounts, login->caller.user, &identity, &account, why, sizeof(why));
	if (verdict == ACCOUNT_OK && account.uid != 0) {
		step_ok(run, "%s has uid %u, gid %u, home %s, shell %s", login->caller.user, account.uid, account.gid,
		    account.home, account.shell);
		token_step(login);
		return;
	}
	login_refuse(login, verdict == ACCOUNT_INDEX_BROKEN ? WIRE_STATUS_UNAVAILABLE : WIRE_STATUS_REFUSED, "account",
	    NULL, "%s", verdict == ACCOUNT_OK ? "the account is root: take it out of accounts.conf" : why);
}

static const struct login_end login_for_explanation = { .refuse = on_refused, .proved = on_proved };

/* --- the steps before it --------------------------------------------------------------------- */

static void service_step(struct dry_run *run, const struct caller *caller, char *const *roles)
{
	AUTO_BUF struct buf text = { 0 };

	for (size_t i = 0; roles && roles[i]; i++)
		buf_printf(&text, "%s%s", i > 0 ? ", " : "", roles[i]);
	run->failed |= text.failed;
	if (caller->role[0])
		step_ok(run, "the role is named: %s", caller->role);
	else if (text.len > 0)
		step_ok(run, "roles to try, in this order: %s", text.data);
	else
		step_ok(run, "no roles are named for service %s: the only role that matches is taken", caller->service);
}

/* Whether CREDENTIAL may be tried; if not, RUN is over. */
static bool credential_step(struct dry_run *run, const struct secret *credential)
{
	const char *remedy = NULL;
	char why[128];

	if (!credential_check(credential, why, sizeof(why), &remedy)) {
		dry_refuse(run, false, NULL, why, remedy);
		return false;
	}
	if (is_service_token(secret_reveal(credential), secret_len(credential))) {
		dry_refuse(run, false, NULL, "it has the form of a ticket, which can be opened only once",
		    "try the token that the ticket is made of");
		return false;
	}
	step_ok(run, "a JWT of %zu bytes", secret_len(credential));
	return true;
}

static void dry_start(struct dry_run *run, struct caller *caller, struct secret **credential)
{
	const struct cluster_config *cluster = sessions_login_cluster(run->all, caller->user);
	const struct service_config *service = sessions_service(run->all, caller->service);
	char *only[] = { caller->role, NULL };
	char *const *roles = caller->role[0] ? only : service ? service->roles : NULL;
	struct login *login;

	if (!cluster) {
		dry_refuse(run, false, NULL,
		    "no account of k8sauth: no cluster has the prefix of this name, and accounts.conf opens no such "
		    "local account; other modules of the stack judge it",
		    "name the user as `k8sauth accounts name NAMESPACE/SERVICEACCOUNT` tells");
		return;
	}
	step_ok(run, "%s is judged by auth/%s of cluster \"%s\"", caller->user, cluster->mount, cluster->mount);
	service_step(run, caller, roles);
	if (!credential_step(run, *credential))
		return;
	login = login_new(run->all, caller, cluster, &login_for_explanation, run);
	if (!login || (roles && (!roles_set(login, roles) || login->n_candidates == 0))) {
		if (login) {
			login->waiter = NULL;
			login_free(login);
		}
		dry_refuse(run, true, NULL, "no role to try, or out of memory", NULL);
		return;
	}
	login_start(login, TAKE_PTR(*credential));
}

/* TEXT into a field of SIZE bytes, if it fits and is plain. */
static bool field_set(char *field, size_t size, const char *text)
{
	size_t len = text ? strlen(text) : 0;

	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)text[i] <= ' ' || text[i] == 0x7f)
			return false;
	}
	return snprintf(field, size, "%s", text ? text : "") < (int)size;
}

int sessions_admin_explain_login(void *arg, const struct session_dry_login *what, struct secret *credential,
    session_dry_fn *done, void *done_arg, char *why, size_t why_size)
{
	struct secret *owned AUTO_SECRET = credential;
	struct caller caller = { 0 };
	struct dry_run *run;

	if (!what->user || !*what->user || !what->service || !*what->service ||
	    !field_set(caller.user, sizeof(caller.user), what->user) ||
	    !field_set(caller.service, sizeof(caller.service), what->service) ||
	    !field_set(caller.rhost, sizeof(caller.rhost), what->rhost) ||
	    !field_set(caller.role, sizeof(caller.role), what->role)) {
		snprintf(why, why_size, "user and service are needed; these, rhost and role are one short word each");
		return -EINVAL;
	}
	run = calloc(1, sizeof(*run));
	if (!run || !(run->steps = json_array())) {
		free(run);
		return -ENOMEM;
	}
	run->all = sessions_ref(arg);
	run->done = done;
	run->arg = done_arg;
	log_new_ref(caller.ref);
	log_line(LOG_INFO, caller.ref, "k8sauth: root asks what a login of %s for service %s would come to", caller.user,
	    caller.service);
	dry_start(run, &caller, &owned);
	return 0;
}
