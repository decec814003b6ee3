/* SPDX-License-Identifier: Apache-2.0 */
/* What operators look at, and set, while the server runs: the level of its log, requests in progress, its settings. */
#include "vault/embedded/sys/sys.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>

#include "base/deadline.h"
#include "base/log.h"
#include "base/text.h"
#include "vault/embedded/identity.h"
#include "vault/embedded/nanotime.h"
#include "vault/embedded/token.h"

/* --- the log: there is one logger */

#define LOGGER "k8sauth"

static const struct {
	const char *name;
	int level;
} levels[] = {
	/* The first name of a level is the one that is shown. */
	{ "error", LOG_ERR },
	{ "err", LOG_ERR },
	{ "warn", LOG_WARNING },
	{ "warning", LOG_WARNING },
	{ "info", LOG_INFO },
	{ "notice", LOG_INFO },
	{ "", LOG_INFO },
	{ "debug", LOG_DEBUG },
	{ "trace", LOG_DEBUG },
};

static const char *level_name(void)
{
	int level = log_level() == LOG_NOTICE ? LOG_INFO : log_level();

	for (size_t i = 0; i < ARRAY_SIZE(levels); i++)
		if (levels[i].level == level)
			return levels[i].name;
	return "error"; /* less than errors cannot be configured */
}

/* A copy without blanks around it, in lower case. NULL without memory. */
static char *trimmed(const char *text)
{
	size_t len;
	char *copy;

	text += strspn(text, " \t\r\n\v\f");
	len = strlen(text);
	while (len && strchr(" \t\r\n\v\f", text[len - 1]))
		len--;
	copy = strndup(text, len);
	for (char *c = copy; c && *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return copy;
}

/* The field `level`. 0, 1 after a refusal, or an errno. */
static int read_level(struct call *call, int *ret)
{
	const char *text = "";
	char *name AUTO_FREE = NULL;
	bool set;
	int r = call_field_string(call, "level", &text, &set);

	if (r)
		return r;
	name = trimmed(text);
	if (!name)
		return -ENOMEM;
	if (!set || !*text) {
		call_error(call, 400, set ? "level is empty" : "level is required");
		return 1;
	}
	for (size_t i = 0; i < ARRAY_SIZE(levels); i++) {
		if (streq(levels[i].name, name)) {
			*ret = levels[i].level;
			return 0;
		}
	}
	call_error(call, 400, "invalid level provided: unknown log level: %s", name);
	return 1;
}

static void change_level(const struct call *call, int level)
{
	log_change_level(level);
	log_line(LOG_WARNING, call->request->ref, "the log's level is now %s, until it is changed again or the daemon starts",
	    level_name());
}

/* Vault lists what it could not tell of a level there. */
static int show(struct call *call, json_t *data)
{
	json_decref(call->response->warnings);
	call->response->warnings = json_array();
	return call_data(call, data);
}

int sys_loggers_read(struct call *call)
{
	return show(call, json_pack("{s:s}", LOGGER, level_name()));
}

int sys_loggers_write(struct call *call)
{
	int level, r = read_level(call, &level);

	if (r)
		return r < 0 ? r : 0;
	change_level(call, level);
	return call_done(call);
}

int sys_loggers_delete(struct call *call)
{
	change_level(call, -1);
	return call_done(call);
}

/* 1 after a refusal. */
static int check_logger(struct call *call)
{
	const char *name = call_capture(call, "name");

	if (streq(name, LOGGER))
		return 0;
	if (*name)
		call_error(call, 400, "logger \"%s\" not found", name);
	else
		call_error(call, 400, "name is empty");
	return 1;
}

int sys_logger_read(struct call *call)
{
	const char *name = call_capture(call, "name");

	if (streq(name, LOGGER))
		return sys_loggers_read(call);
	return *name ? show(call, json_object()) : call_error(call, 400, "name is empty");
}

int sys_logger_write(struct call *call)
{
	int level, r = read_level(call, &level);

	if (r == 0)
		r = check_logger(call);
	if (r)
		return r < 0 ? r : 0;
	change_level(call, level);
	return call_done(call);
}

int sys_logger_delete(struct call *call)
{
	return check_logger(call) ? 0 : sys_loggers_delete(call);
}

/* --- requests in progress */

static const char *method_of(enum vault_op op)
{
	switch (op) {
	case VAULT_READ:
	case VAULT_HELP:
		return "GET";
	case VAULT_LIST:
		return "LIST";
	case VAULT_PATCH:
		return "PATCH";
	case VAULT_DELETE:
		return "DELETE";
	case VAULT_HEADER:
		return "HEAD";
	case VAULT_OTHER:
		return "OPTIONS";
	default:
		return "PUT";
	}
}

static json_t *in_flight(const struct call_private *private)
{
	const struct call *call = &private->call;
	const struct vault_peer *peer = &call->request->peer;
	int64_t age = (monotonic_ms() - private->started_ms) * (NANOTIME_SECOND / 1000);
	char *id AUTO_FREE = call->token ? token_client_id(call->token) : strdup("");
	char started[NANOTIME_SIZE], client[96] = "";

	nanotime_format(nanotime_now() - age, started);
	if (peer->kind == VAULT_PEER_TCP)
		snprintf(client, sizeof(client), strchr(peer->address, ':') ? "[%s]:%u" : "%s:%u", peer->address, peer->port);
	else if (peer->kind == VAULT_PEER_UNIX)
		snprintf(client, sizeof(client), "uid %u", peer->uid);
	return json_pack("{s:s, s:s, s:o?, s:s, s:s}", "client_id", id ? id : "", "client_remote_address", client,
	    "request_path", json_sprintf("/v1/%s", call->request->path), "request_method", method_of(private->op),
	    "start_time", started);
}

int sys_in_flight(struct call *call)
{
	json_t *all = json_object();
	const struct call_private *other;

	TAILQ_FOREACH(other, &call->core->calls, link)
	{
		if (other->done && all && json_object_set_new(all, other->call.response->request_id, in_flight(other)) < 0) {
			json_decref(all);
			return -ENOMEM;
		}
	}
	call->response->body = all;
	call->response->status = 200;
	return all ? 0 : -ENOMEM;
}

/* --- how the server was started, and what it holds */

int sys_config_sanitized(struct call *call)
{
	return call_data(call, json_deep_copy(call->core->settings));
}

int sys_count_entities(struct call *call)
{
	size_t n;
	int r = identity_count(call, &n);

	return r < 0 ? r
		     : call_data(call, json_pack("{s:{s:{s:I}}}", "counters", "entities", "total", (json_int_t)n));
}
