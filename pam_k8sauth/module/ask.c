/* SPDX-License-Identifier: Apache-2.0 */
/* The module's requests to k8sauthd, and what their answers mean. */
#include <errno.h>
#include <stdio.h>
#include <syslog.h>

#include <k8sauth/limits.h>

#include "base/text.h"
#include "module/env.h"
#include "module/module.h"
#include "wire/wire.h"

#define UNAVAILABLE "k8sauth: unavailable, try again later"

/* One exchange with k8sauthd. */
struct exchange {
	struct buf request, data;
	struct wire_frame reply;
};

static void cleanup_exchange(struct exchange *exchange)
{
	buf_free(&exchange->request);
	buf_free(&exchange->data);
}

#define AUTO_EXCHANGE CLEANUP(cleanup_exchange)
#define EXCHANGE_INIT                                 \
	{                                             \
		.request = BUF_MAX(WIRE_REQUEST_MAX), \
	}

static void begin(struct exchange *exchange, uint8_t type, const struct module *module)
{
	wire_begin(&exchange->request, type);
	wire_add_str(&exchange->request, WIRE_USER | WIRE_CRITICAL, module->user);
	wire_add_str(&exchange->request, WIRE_SERVICE | WIRE_CRITICAL, module->service);
	wire_add_str(&exchange->request, WIRE_TTY, module->tty);
	wire_add_str(&exchange->request, WIRE_RHOST, module->rhost);
	wire_add_str(&exchange->request, WIRE_RUSER, module->ruser);
}

static void describe(const struct module *module, const struct buf *request)
{
	struct wire_frame frame;
	const char *why;
	char text[384];

	if (!module->options.debug || wire_parse(request->data, request->len, &frame, &why) < 0)
		return;
	wire_describe(&frame, text, sizeof(text));
	report_debug(module, "request: %s", text);
}

static enum situation call_failed(const struct module *module, int r)
{
	switch (r) {
	case -ENOMEM:
		return SITUATION_NO_MEMORY;
	case -EMSGSIZE:
	case -EPROTO:
		report(module, LOG_ERR,
		    "k8sauthd does not speak this module's protocol: install the same version of both");
		return SITUATION_FAULT;
	case -EPERM:
		report(module, LOG_CRIT, "%s is not to be trusted: it, its folders and the listener must be root's",
		    K8SAUTH_PAM_SOCKET);
		return SITUATION_FAULT;
	default:
		report(module, LOG_ERR, "k8sauthd is not reachable at %s: %s", K8SAUTH_PAM_SOCKET, strerror(-r));
		report_user(module, UNAVAILABLE);
		return SITUATION_OUTAGE;
	}
}

static enum situation from_status(uint32_t status)
{
	switch (status) {
	case WIRE_STATUS_OK:
		return SITUATION_DONE;
	case WIRE_STATUS_REFUSED:
		return SITUATION_REFUSED;
	case WIRE_STATUS_UNAVAILABLE:
	case WIRE_STATUS_LIMIT:
		return SITUATION_OUTAGE;
	case WIRE_STATUS_NOT_OURS:
		return SITUATION_NOT_OURS;
	case WIRE_STATUS_NOT_FOUND:
		return SITUATION_NOTHING;
	default:
		return SITUATION_FAULT;
	}
}

/* Says that k8sauthd said no: it has logged the reason under the reference. */
static void report_answer(const struct module *module, const struct exchange *exchange, uint32_t status)
{
	AUTO_FREE char *ref = wire_get_str(&exchange->reply, WIRE_REF);
	AUTO_FREE char *message = wire_get_str(&exchange->reply, WIRE_MESSAGE);

	if (status == WIRE_STATUS_REFUSED) {
		report_refused(module, ref, message, "k8sauthd has logged why; k8sauth explain shows it");
		return;
	}
	report(module, LOG_ERR, "k8sauthd answered: %s%s%s%s%s", wire_status_name(status), ref ? ", ref " : "",
	    ref ? ref : "", message ? ": " : "", message ? message : "");
	report_user(module, message ? message : UNAVAILABLE);
}

static enum situation call(const struct module *module, struct exchange *exchange, int timeout_ms)
{
	enum situation situation;
	uint32_t status = 0;
	char text[384];
	int r = wire_end(&exchange->request);

	if (r < 0)
		return SITUATION_NO_MEMORY;
	describe(module, &exchange->request);
	r = wire_call(K8SAUTH_PAM_SOCKET, &exchange->request, WIRE_REPLY_MAX, deadline_after_ms(timeout_ms),
	    &exchange->data, &exchange->reply);
	if (r == 0 && !wire_get_u32(&exchange->reply, WIRE_STATUS, &status))
		r = -EPROTO;
	if (r < 0)
		return call_failed(module, r);
	if (module->options.debug) {
		wire_describe(&exchange->reply, text, sizeof(text));
		report_debug(module, "reply: %s", text);
	}
	situation = from_status(status);
	if (situation == SITUATION_REFUSED || situation == SITUATION_OUTAGE || situation == SITUATION_FAULT)
		report_answer(module, exchange, status);
	return situation;
}

/* A request of TYPE with a credential and the line's role. */
static enum situation call_with(
    const struct module *module, struct exchange *exchange, uint8_t type, const struct secret *credential)
{
	enum situation situation;

	begin(exchange, type, module);
	wire_add_secret(&exchange->request, WIRE_CREDENTIAL | WIRE_CRITICAL, credential);
	wire_add_str(&exchange->request, WIRE_ROLE | WIRE_CRITICAL, module->options.role);
	situation = call(module, exchange, PAM_LOGIN_MS);
	return situation == SITUATION_NOTHING ? SITUATION_FAULT : situation;
}

enum situation ask_verify(struct module *module, const struct secret *credential)
{
	AUTO_EXCHANGE struct exchange exchange = EXCHANGE_INIT;

	return call_with(module, &exchange, WIRE_VERIFY, credential);
}

enum situation ask_login(struct module *module, const struct secret *credential, struct secret **ret_handle)
{
	AUTO_EXCHANGE struct exchange exchange = EXCHANGE_INIT;
	enum situation situation = call_with(module, &exchange, WIRE_LOGIN, credential);

	if (situation != SITUATION_DONE)
		return situation;
	*ret_handle = wire_get_secret(&exchange.reply, WIRE_HANDLE);
	if (*ret_handle)
		return SITUATION_DONE;
	return call_failed(module, -EPROTO);
}

enum situation ask_account(struct module *module, const struct secret *handle)
{
	AUTO_EXCHANGE struct exchange exchange = EXCHANGE_INIT;
	enum situation situation;

	begin(&exchange, WIRE_ACCOUNT, module);
	if (handle)
		wire_add_secret(&exchange.request, WIRE_HANDLE | WIRE_CRITICAL, handle);
	if (module->options.keys)
		wire_add_u32(&exchange.request, WIRE_KEYS, 1);
	situation = call(module, &exchange, PAM_OPEN_MS);
	return situation == SITUATION_NOTHING ? SITUATION_FAULT : situation;
}

enum situation ask_check(const struct module *module)
{
	AUTO_EXCHANGE struct exchange exchange = EXCHANGE_INIT;
	AUTO_SECRET struct secret *handle = NULL;
	const char *require = module->options.require, *colon = require ? strrchr(require, ':') : NULL;
	enum situation situation = handle_get(module, &handle);

	if (situation == SITUATION_NO_MEMORY)
		return situation;
	begin(&exchange, WIRE_CHECK, module);
	if (colon) {
		wire_add(&exchange.request, WIRE_PATH | WIRE_CRITICAL, require, (size_t)(colon - require));
		wire_add_str(&exchange.request, WIRE_CAPABILITY | WIRE_CRITICAL, colon + 1);
		wire_add_str(&exchange.request, WIRE_TARGET, module->target);
	}
	if (handle)
		wire_add_secret(&exchange.request, WIRE_HANDLE, handle);
	situation = call(module, &exchange, PAM_OPEN_MS);
	return situation == SITUATION_NOTHING ? SITUATION_FAULT : situation;
}

static enum situation set_variable(struct module *module, const struct wire_item *item)
{
	AUTO_WIPE_STR char *assignment = NULL;
	size_t name_len;

	if (!env_allowed(item->value, item->len, module->options.env, &name_len)) {
		report(module, LOG_WARNING, "variable %.*s is not set: see ENVIRONMENT in pam_k8sauth(8)",
		    name_len < 64 ? (int)name_len : 64, item->value);
		return SITUATION_DONE;
	}
	assignment = strndup(item->value, item->len);
	if (!assignment || pam_putenv(module->pamh, assignment) != PAM_SUCCESS)
		return SITUATION_NO_MEMORY;
	return SITUATION_DONE;
}

static enum situation take_session(struct module *module, const struct wire_frame *reply, const char *session)
{
	enum situation situation = session_keep(module, session);
	struct wire_item item;

	for (size_t at = 0; situation == SITUATION_DONE && wire_next(reply, &at, &item);) {
		if (item.tag == WIRE_ENV)
			situation = set_variable(module, &item);
	}
	return situation;
}

enum situation ask_open(struct module *module, const struct secret *handle)
{
	AUTO_EXCHANGE struct exchange exchange = EXCHANGE_INIT;
	AUTO_FREE char *session = NULL;
	enum situation situation;

	begin(&exchange, WIRE_OPEN, module);
	wire_add_secret(&exchange.request, WIRE_HANDLE | WIRE_CRITICAL, handle);
	situation = call(module, &exchange, PAM_OPEN_MS);
	if (situation != SITUATION_DONE)
		return situation == SITUATION_NOTHING ? SITUATION_FAULT : situation;
	session = wire_get_str(&exchange.reply, WIRE_SESSION);
	if (!session || !*session)
		return call_failed(module, -EPROTO);
	situation = take_session(module, &exchange.reply, session);
	if (situation != SITUATION_DONE) {
		(void)ask_close(module, session);
		(void)session_keep(module, NULL);
	}
	return situation;
}

enum situation ask_close(struct module *module, const char *session)
{
	AUTO_EXCHANGE struct exchange exchange = EXCHANGE_INIT;
	enum situation situation;

	wire_begin(&exchange.request, WIRE_CLOSE);
	wire_add_str(&exchange.request, WIRE_SESSION | WIRE_CRITICAL, session);
	situation = call(module, &exchange, PAM_OPEN_MS);
	/* One that k8sauthd does not know any more has ended: nothing is left to do. */
	if (situation == SITUATION_REFUSED || situation == SITUATION_NOT_OURS)
		return SITUATION_FAULT;
	return situation;
}
