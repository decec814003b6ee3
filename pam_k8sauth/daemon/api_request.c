/* SPDX-License-Identifier: Apache-2.0 */
/* What an HTTP request means; see api_request.h. */
#include "daemon/api_request.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

#include "base/text.h"
#include "daemon/http_json.h"
#include "daemon/http_target.h"

int api_refuse(struct api_error *error, int status, const char *text)
{
	error->status = status;
	snprintf(error->text, sizeof(error->text), "%s", text);
	return -EBADMSG;
}

PRINTF_LIKE(3, 4)
static int refuse(struct api_error *error, int status, const char *format, ...)
{
	va_list args;

	error->status = status;
	va_start(args, format);
	vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);
	return -EBADMSG;
}

/* Go's strconv.ParseBool: 1, 0, or -1. */
static int go_bool(const char *text)
{
	static const char *const yes[] = { "1", "t", "T", "TRUE", "true", "True" };
	static const char *const no[] = { "0", "f", "F", "FALSE", "false", "False" };

	for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
		if (streq(text, yes[i]))
			return 1;
		if (streq(text, no[i]))
			return 0;
	}
	return -1;
}

/* The first value of NAME in a query, "" for none. */
static const char *first_value(const json_t *query, const char *name)
{
	const json_t *value = json_object_get(query, name);
	const char *text = json_string_value(json_is_array(value) ? json_array_get(value, 0) : value);

	return text ? text : "";
}

bool api_asks_help(const char *method, const json_t *query)
{
	return streq(method, "HELP") || *first_value(query, "help");
}

int api_operation(const char *method, json_t *query, enum vault_op *ret, struct api_error *error)
{
	static const struct {
		const char *method;
		enum vault_op op;
	} methods[] = {
		{ "GET", VAULT_READ },
		{ "LIST", VAULT_LIST },
		{ "POST", VAULT_UPDATE },
		{ "PUT", VAULT_UPDATE },
		{ "PATCH", VAULT_PATCH },
		{ "DELETE", VAULT_DELETE },
		{ "HEAD", VAULT_HEADER },
		{ "OPTIONS", VAULT_OTHER },
	};
	size_t i = 0;
	int on;

	if (api_asks_help(method, query)) {
		json_object_del(query, "help");
		*ret = VAULT_HELP;
		return 0;
	}
	while (i < ARRAY_SIZE(methods) && !streq(method, methods[i].method))
		i++;
	if (i == ARRAY_SIZE(methods))
		return refuse(error, 405, "%s", "");
	*ret = methods[i].op;
	if (*ret != VAULT_READ || !*first_value(query, "list"))
		return 0;
	on = go_bool(first_value(query, "list"));
	if (on < 0)
		return refuse(error, 400, "%s", "");
	if (on) {
		json_object_del(query, "list");
		*ret = VAULT_LIST;
	}
	return 0;
}

/* Vault looks at every body, used or not. */
static int check_body(const struct http_request *http, struct api_error *error)
{
	const struct buf *body = &http->body;

	error->status = body->len ? http_json_check_loosely(body->data, body->len, error->text) : 0;
	return error->status ? -EBADMSG : 0;
}

/* --- fields */

/* Whether the content type's first part is TYPE. */
static bool is_type(const char *content_type, const char *type)
{
	size_t len = strcspn(content_type, "; \t");

	return len == strlen(type) && strncasecmp(content_type, type, len) == 0;
}

static int check_patch_type(const struct http_request *http, struct api_error *error)
{
	const char *type = http_request_field(http, "Content-Type");
	size_t len = type ? strcspn(type, "; \t") : 0;

	if (!len)
		return refuse(error, 400, "mime: no media type");
	if (is_type(type, "application/merge-patch+json"))
		return 0;
	return refuse(
	    error, 415, "PATCH requires Content-Type of application/merge-patch+json, provided %.*s", (int)len, type);
}

/* Vault reads bodies of DELETE at these paths alone: what is given up is named by its nonce there. */
static bool reads_delete_body(const char *path)
{
	return starts_with(path, "sys/rekey/") || starts_with(path, "sys/rekey-recovery-key/");
}

/* The fields of a request: its body for writes, its query for the others. */
static int fields_of(const struct http_request *http, enum vault_op op, const char *path, json_t *query, json_t **ret,
    struct api_error *error)
{
	const char *type = http_request_field(http, "Content-Type");
	const struct buf *body = &http->body;
	const char *start = body->data ? body->data + strspn(body->data, " \t\r\n") : "";

	if (op == VAULT_DELETE && reads_delete_body(path) && body->len > 0) {
		error->status = http_json_decode(body->data, body->len, ret, error->text);
		return error->status ? -EBADMSG : 0;
	}
	if (op != VAULT_UPDATE && op != VAULT_PATCH) {
		*ret = json_object_size(query) > 0 ? json_incref(query) : NULL;
		return 0;
	}
	if (op == VAULT_PATCH && check_patch_type(http, error) < 0)
		return -EBADMSG;
	if (body->len == 0)
		return 0;
	if (type && is_type(type, "application/x-www-form-urlencoded") && !strchr("{[", *start)) {
		if (http_query_parse(body->data, body->len, true, ret) < 0)
			return refuse(error, 400, "error parsing form data");
		return 0;
	}
	error->status = http_json_decode(body->data, body->len, ret, error->text);
	return error->status ? -EBADMSG : 0;
}

/* --- headers */

static int token_of(const struct http_request *http, struct secret **ret)
{
	const char *token = http_request_field(http, "X-Vault-Token");
	const char *bearer = http_request_field(http, "Authorization");

	if ((!token || !*token) && bearer && starts_with(bearer, "Bearer "))
		token = bearer + 7 + strspn(bearer + 7, " ");
	*ret = NULL;
	if (!token || !*token)
		return 0;
	*ret = secret_copy(token, strlen(token));
	return *ret ? 0 : -ENOMEM;
}

static int wrap_ttl_of(const struct http_request *http, int64_t *ret, struct api_error *error)
{
	const char *text = http_request_field(http, "X-Vault-Wrap-TTL");
	char why[DURATION_ERROR_SIZE];
	long long ns;

	if (!text || !*text)
		return 0;
	if (duration_parse_ns(text, &ns, why, sizeof(why)) < 0)
		return refuse(error, 400, "error parsing X-Vault-Wrap-TTL header: %.300s", why);
	if (ns < 0)
		return refuse(
		    error, 400, "error parsing X-Vault-Wrap-TTL header: requested wrap ttl cannot be negative");
	/* Never 0: what was to be wrapped must not go out in the clear. */
	*ret = (ns + 999999999) / 1000000000;
	return 0;
}

/* Headers that ask for what there is not: forwarding to another node of a cluster; and one that must be a bool. */
static int check_headers(const struct http_request *http, struct api_error *error)
{
	const char *forward = http_request_field(http, "X-Vault-Forward");
	const char *inconsistent = http_request_field(http, "X-Vault-Inconsistent");
	const char *override = http_request_field(http, "X-Vault-Policy-Override");

	if (forward && *forward)
		return refuse(error, 400, "forwarding via header X-Vault-Forward disabled in configuration");
	if (inconsistent && streq(inconsistent, "forward-active-node"))
		return refuse(error, 400,
		    "forwarding via header X-Vault-Inconsistent=forward-active-node disabled in configuration");
	if (override && *override && go_bool(override) < 0)
		return refuse(error, 400,
		    "failed to parse X-Vault-Policy-Override header: cannot parse '' as bool: strconv.ParseBool: "
		    "parsing \"%.100s\": invalid syntax",
		    override);
	return 0;
}

/* 0; -EBADMSG with ERROR, or -ENOMEM. */
static int fill(struct vault_request *request, const struct http_request *http, json_t *query, struct api_error *error)
{
	const char *format = http_request_field(http, "X-Vault-Wrap-Format");
	int r = check_body(http, error);

	request->broken = r < 0;
	if (r == 0)
		r = check_headers(http, error);
	if (r == 0)
		r = fields_of(http, request->op, request->path, query, &request->data, error);
	if (r == 0)
		r = wrap_ttl_of(http, &request->wrap_ttl, error);
	request->wrap_jwt = format && streq(format, "jwt");
	if (token_of(http, &request->token) < 0)
		return -ENOMEM;
	return r;
}

struct vault_request *api_request_new(
    const struct http_request *http, enum vault_op op, const char *path, json_t *query)
{
	bool slash = op == VAULT_LIST && !ends_with(path, "/");
	struct api_error error = { 0 };
	AUTO_BUF struct buf full = { 0 };
	struct vault_request *request;
	int r;

	buf_add_str(&full, path);
	if (slash)
		buf_add_char(&full, '/');
	request = full.failed ? NULL : vault_request_new(op, full.data);
	if (!request)
		return NULL;
	r = fill(request, http, query, &error);
	if (r == -EBADMSG) {
		request->fault_status = error.status;
		request->fault = strdup(error.text);
	}
	if (r == -ENOMEM || (r < 0 && !request->fault)) {
		vault_request_free(request);
		return NULL;
	}
	return request;
}
