/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What goes from one phase to the next (decision 16). The orders seen: sshd authenticates in a child and opens in its
 * monitor, with setcred before open_session and again in the session's child; login opens first; dovecot calls setcred
 * before acct_mgmt. So the handle travels in the PAM environment, and the first of setcred and open_session takes it
 * out.
 */
#include <stdio.h>
#include <sys/types.h>

#include "base/buf.h"
#include "module/module.h"

#define HANDLE_DATA   "pam_k8sauth.handle"
#define SESSION_DATA  "pam_k8sauth.session"
#define VERIFIED_DATA "pam_k8sauth.verified"
#define GATE_DATA     "pam_k8sauth.gate"
#define ID_MAX	      128

struct session_data {
	pid_t pid;
	char id[ID_MAX + 1];
};

static void free_name(pam_handle_t *pamh, void *data, int status)
{
	free(data);
}

static void free_handle(pam_handle_t *pamh, void *data, int status)
{
	secret_free(data);
}

/*
 * A transaction that ends with an error after our open_session has no session: a later module failed (sshd does not
 * call close_session then). One that ends well without close_session goes on: the leader's end closes it.
 */
static void free_session(pam_handle_t *pamh, void *data, int status)
{
	struct module module = { .pamh = pamh, .phase = PHASE_CLOSE, .flags = (int)PAM_SILENT };
	const struct session_data *session = data;
	int code = status & ~(PAM_DATA_SILENT | PAM_DATA_REPLACE);

	if (code != PAM_SUCCESS && !(status & PAM_DATA_SILENT) && session->pid == getpid())
		(void)ask_close(&module, session->id);
	free(data);
}

enum situation handle_put(struct module *module, const struct secret *handle)
{
	AUTO_BUF struct buf assignment = { 0 };

	handle_drop(module);
	if (buf_printf(&assignment, "%s=%s", HANDLE_VARIABLE, secret_reveal(handle)) < 0)
		return SITUATION_NO_MEMORY;
	return pam_putenv(module->pamh, assignment.data) == PAM_SUCCESS ? SITUATION_DONE : SITUATION_NO_MEMORY;
}

enum situation handle_get(const struct module *module, struct secret **ret)
{
	const void *kept = NULL;
	const char *text = pam_getenv(module->pamh, HANDLE_VARIABLE);

	*ret = NULL;
	if (pam_get_data(module->pamh, HANDLE_DATA, &kept) == PAM_SUCCESS && kept)
		*ret = secret_copy(secret_reveal(kept), secret_len(kept));
	else if (text)
		*ret = secret_copy(text, strlen(text));
	else
		return SITUATION_NOTHING;
	return *ret ? SITUATION_DONE : SITUATION_NO_MEMORY;
}

bool handle_is(const struct module *module)
{
	const void *kept = NULL;

	return (pam_get_data(module->pamh, HANDLE_DATA, &kept) == PAM_SUCCESS && kept) ||
	       pam_getenv(module->pamh, HANDLE_VARIABLE);
}

/* libpam's list is the only place: the process's own environment is never touched. */
static void unset_variable(const struct module *module)
{
	if (pam_getenv(module->pamh, HANDLE_VARIABLE))
		(void)pam_putenv(module->pamh, HANDLE_VARIABLE);
}

enum situation handle_keep(struct module *module)
{
	const char *text = pam_getenv(module->pamh, HANDLE_VARIABLE);
	AUTO_SECRET struct secret *handle = text ? secret_copy(text, strlen(text)) : NULL;

	if (!text)
		return SITUATION_NOTHING;
	if (!handle || pam_set_data(module->pamh, HANDLE_DATA, handle, free_handle) != PAM_SUCCESS)
		return SITUATION_NO_MEMORY;
	TAKE_PTR(handle);
	unset_variable(module);
	return SITUATION_DONE;
}

void handle_drop(struct module *module)
{
	const void *kept;

	unset_variable(module);
	if (pam_get_data(module->pamh, HANDLE_DATA, &kept) == PAM_SUCCESS && kept)
		(void)pam_set_data(module->pamh, HANDLE_DATA, NULL, NULL);
}

enum situation session_keep(struct module *module, const char *id)
{
	AUTO_FREE struct session_data *data = NULL;
	const void *kept;

	if (!id) {
		if (pam_get_data(module->pamh, SESSION_DATA, &kept) == PAM_SUCCESS && kept)
			(void)pam_set_data(module->pamh, SESSION_DATA, NULL, NULL);
		return SITUATION_DONE;
	}
	data = calloc(1, sizeof(*data));
	if (!data)
		return SITUATION_NO_MEMORY;
	data->pid = getpid();
	snprintf(data->id, sizeof(data->id), "%s", id);
	if (pam_set_data(module->pamh, SESSION_DATA, data, free_session) != PAM_SUCCESS)
		return SITUATION_NO_MEMORY;
	TAKE_PTR(data);
	return SITUATION_DONE;
}

const char *session_get(const struct module *module)
{
	const void *kept = NULL;
	const struct session_data *data;

	if (pam_get_data(module->pamh, SESSION_DATA, &kept) != PAM_SUCCESS || !kept)
		return NULL;
	data = kept;
	return data->pid == getpid() ? data->id : NULL;
}

/* Remembers under KEY, for this transaction, that it was about this user. */
static enum situation mark_keep(struct module *module, const char *key)
{
	char *name = strdup(module->user);

	if (name && pam_set_data(module->pamh, key, name, free_name) == PAM_SUCCESS)
		return SITUATION_DONE;
	free(name);
	return SITUATION_NO_MEMORY;
}

static bool mark_is(const struct module *module, const char *key)
{
	const void *name = NULL;

	return pam_get_data(module->pamh, key, &name) == PAM_SUCCESS && name && streq(name, module->user);
}

enum situation verified_keep(struct module *module)
{
	return mark_keep(module, VERIFIED_DATA);
}

bool verified_is(const struct module *module)
{
	return mark_is(module, VERIFIED_DATA);
}

void verified_drop(struct module *module)
{
	const void *name;

	if (pam_get_data(module->pamh, VERIFIED_DATA, &name) == PAM_SUCCESS && name)
		(void)pam_set_data(module->pamh, VERIFIED_DATA, NULL, NULL);
}

enum situation gate_passed_keep(struct module *module)
{
	return mark_keep(module, GATE_DATA);
}

bool gate_passed_is(const struct module *module)
{
	return mark_is(module, GATE_DATA);
}
