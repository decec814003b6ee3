/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The role where neither the PAM line nor the service block names one: the only role of the mount that matches
 * (decision 10). Each of several is tried by the login's own local checks (VAULT_RESOLVE), which mint nothing.
 */
#include <stdio.h>

#include "session/login.h"

void roles_free(char **roles, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(roles[i]);
	free(roles);
}

/* Makes ROLES (NULL-terminated) the candidates; at most LOGIN_ROLES_MAX. */
bool roles_set(struct login *login, char *const *roles)
{
	size_t n = 0;

	while (roles[n] && n < LOGIN_ROLES_MAX)
		n++;
	login->candidates = calloc(n + 1, sizeof(*login->candidates));
	if (!login->candidates)
		return false;
	for (; login->n_candidates < n; login->n_candidates++) {
		login->candidates[login->n_candidates] = strdup(roles[login->n_candidates]);
		if (!login->candidates[login->n_candidates])
			return false;
	}
	return true;
}

void roles_note(char *text, size_t size, const char *role, const char *reason)
{
	size_t len = strlen(text);

	snprintf(text + len, size - len, "%s%s%s%s", len > 0 ? "; " : "", role, reason[0] ? ": " : "", reason);
}

static void roles_done(struct login *login)
{
	char remedy[REMEDY_SIZE];

	if (login->n_matches == 1) {
		login_try(login);
		return;
	}
	if (login->n_matches > 1) {
		snprintf(remedy, sizeof(remedy),
		    "name one: role= on the PAM line, or roles = [...] in service \"%s\" of k8sauth.hcl",
		    login->caller.service);
		login_refuse(login, WIRE_STATUS_REFUSED, "role", remedy, "several roles match: %s", login->matches);
		return;
	}
	if (login->role_step && !streq(login->role_step, "role")) {
		login_refuse(login, WIRE_STATUS_REFUSED, login->role_step, login->role_remedy,
		    "no role of auth/%s matches: %s", login->cluster->mount, login->refusals);
		return;
	}
	snprintf(remedy, sizeof(remedy), "k8sauth write auth/%s/role/NAME bound_service_account_names=... audience=%s",
	    login->cluster->mount, login->cluster->audience ? login->cluster->audience : "...");
	login_refuse(login, WIRE_STATUS_REFUSED, "role", remedy, "no role of auth/%s matches: %s",
	    login->cluster->mount, login->refusals[0] ? login->refusals : "there is none");
}

/* One role does not match: why, and what to do where all fail alike. */
static void role_refused(struct login *login, const char *role, const struct vault_response *response)
{
	const char *step = response->step ? response->step : "role";

	roles_note(login->refusals, sizeof(login->refusals), role,
	    response->reason ? response->reason : vault_response_error_text(response));
	if (!login->role_step)
		login_cure(login, response, login->n_roles == 1 ? role : "", login->role_remedy);
	login->role_step = !login->role_step || streq(login->role_step, step) ? step : "role";
}

void roles_only_refused(struct login *login, const struct vault_response *response)
{
	login->caller.role[0] = '\0';
	role_refused(login, login->roles[0], response);
	roles_done(login);
}

static void roles_next(struct login *login);

static void on_resolved(void *arg, struct vault_response *response)
{
	struct login *login = arg;
	const char *role;

	if (!login_goes_on(login))
		return;
	role = login->roles[login->at_role];
	if (response->status < 300 && response->failure == VAULT_FAILED_NOT) {
		char *const match[] = { login->roles[login->at_role], NULL };

		roles_note(login->matches, sizeof(login->matches), role, "");
		if (login->n_matches++ == 0 && !roles_set(login, match)) {
			login_refuse(login, WIRE_STATUS_INTERNAL, "role", NULL, "out of memory");
			return;
		}
	} else if (response->failure == VAULT_FAILED_OTHER_ROLE) {
		role_refused(login, role, response);
	} else {
		login_refuse_response(login, response); /* no role would change it */
		return;
	}
	login->at_role++;
	roles_next(login);
}

static void roles_next(struct login *login)
{
	struct vault_request *request;

	if (login->at_role >= login->n_roles) {
		roles_done(login);
		return;
	}
	request = login_request_new(login, VAULT_RESOLVE, "login", login->roles[login->at_role]);
	if (!request) {
		login_refuse(login, WIRE_STATUS_INTERNAL, "role", NULL, "out of memory");
		return;
	}
	request->internal = true;
	vault_send(login->all->options.vault, request, on_resolved, login);
}

/* Copies the names of a LIST; false without memory. */
static bool roles_copy(struct login *login, const json_t *keys)
{
	size_t n = json_array_size(keys);

	login->roles = calloc(n + 1, sizeof(*login->roles));
	if (!login->roles)
		return false;
	for (size_t i = 0; i < n; i++) {
		const char *name = json_string_value(json_array_get(keys, i));

		login->roles[login->n_roles] = name ? strdup(name) : NULL;
		if (!login->roles[login->n_roles])
			return false;
		login->n_roles++;
	}
	return true;
}

static void on_roles_listed(void *arg, struct vault_response *response)
{
	struct login *login = arg;
	const json_t *keys = json_object_get(response->data, "keys");
	char remedy[REMEDY_SIZE];

	if (!login_goes_on(login))
		return;
	/* An empty list is 404 without an error text; a mount that is not there has one. */
	if (response->status >= 400 && !(response->status == 404 && json_array_size(response->errors) == 0)) {
		login_refuse_response(login, response);
		return;
	}
	if (json_array_size(keys) > LOGIN_ROLES_MAX) {
		snprintf(remedy, sizeof(remedy),
		    "name the roles: role= on the PAM line, or roles = [...] in service \"%s\" of "
		    "k8sauth.hcl",
		    login->caller.service);
		login_refuse(login, WIRE_STATUS_REFUSED, "role", remedy,
		    "auth/%s has %zu roles, and not more than %d are tried", login->cluster->mount,
		    json_array_size(keys), LOGIN_ROLES_MAX);
		return;
	}
	if (!roles_copy(login, keys) || (login->n_roles == 1 && !roles_set(login, login->roles))) {
		login_refuse(login, WIRE_STATUS_INTERNAL, "role", NULL, "out of memory");
		return;
	}
	/* There is nothing to choose from: the login's own checks tell whether the only one matches. */
	if (login->n_roles == 1)
		login_try(login);
	else
		roles_next(login);
}

void roles_find(struct login *login)
{
	struct vault_request *request = login_request_new(login, VAULT_LIST, "role/", NULL);

	if (!request) {
		login_refuse(login, WIRE_STATUS_INTERNAL, "role", NULL, "out of memory");
		return;
	}
	request->internal = true;
	login->step = "role";
	vault_send(login->all->options.vault, request, on_roles_listed, login);
}
