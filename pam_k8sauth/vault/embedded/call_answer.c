/* SPDX-License-Identifier: Apache-2.0 */
/* What a handler answers: data, nothing, a refusal. */
#include "vault/embedded/core_internal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

const char *call_capture(const struct call *call, const char *name)
{
	const struct call_private *private = call->private;
	size_t len = strlen(name);

	for (size_t i = 0; i < private->n_captures; i++) {
		const struct call_capture *capture = &private->captures[i];

		if (capture->name_len == len && memcmp(capture->name, name, len) == 0)
			return capture->value;
	}
	return "";
}

PRINTF_LIKE(2, 0)
static char *format_text(const char **ret, const char *format, va_list args)
{
	char *text;

	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	*ret = text ? text : "internal error";
	return text;
}

int call_error(struct call *call, int status, const char *format, ...)
{
	char *owned AUTO_FREE = NULL;
	const char *text;
	va_list args;

	va_start(args, format);
	owned = format_text(&text, format, args);
	va_end(args);
	vault_response_error(call->response, status, "%s", text);
	return 0;
}

int call_wrapped_error(struct call *call, int status, const char *format, ...)
{
	char *owned AUTO_FREE = NULL;
	const char *text;
	va_list args;

	va_start(args, format);
	owned = format_text(&text, format, args);
	va_end(args);
	if (call->path && call->path->flags & (ENGINE_UNAUTHENTICATED | ENGINE_RAW))
		vault_response_error(call->response, status, "%s", text);
	else
		vault_response_wrapped_error(call->response, status, "%s", text);
	return 0;
}

int call_refuse_dots(struct call *call, const char *path)
{
	if (!strstr(path, ".."))
		return 0;
	call_wrapped_error(
	    call, 400, "%srelative paths not supported", call->request->op == VAULT_READ ? "read failed: " : "");
	return 1;
}

int call_refuse(struct call *call, enum vault_failure failure, const char *step, int status, const char *error,
    const char *reason_format, ...)
{
	va_list args;

	vault_response_error(call->response, status, "%s", error);
	call->response->failure = failure;
	call->response->step = step;
	free(call->response->reason);
	va_start(args, reason_format);
	if (vasprintf(&call->response->reason, reason_format, args) < 0)
		call->response->reason = NULL;
	va_end(args);
	return 0;
}

int call_data(struct call *call, json_t *data)
{
	struct vault_response *response = call->response;

	if (!data) {
		response->status = 404;
		return 0;
	}
	json_decref(response->data);
	response->data = data;
	response->status = 200;
	return 0;
}

int call_done(struct call *call)
{
	call->response->status = json_array_size(call->response->warnings) ? 200 : 204;
	return 0;
}

bool call_listed_nothing(const struct call *call)
{
	const struct vault_response *response = call->response;

	return call->request->op == VAULT_LIST && response->status == 404 && !response->envelope_404 &&
	       json_array_size(response->errors) == 0;
}

void call_warn(struct call *call, const char *format, ...)
{
	char *owned AUTO_FREE = NULL;
	const char *text;
	va_list args;

	va_start(args, format);
	owned = format_text(&text, format, args);
	va_end(args);
	vault_response_warn(call->response, "%s", text);
}

struct login_auth *login_auth_new(void)
{
	return calloc(1, sizeof(struct login_auth));
}

void login_auth_free(struct login_auth *auth)
{
	if (!auth)
		return;
	free(auth->display_name);
	json_decref(auth->policies);
	json_decref(auth->metadata);
	json_decref(auth->internal);
	free(auth->token_type);
	json_decref(auth->bound_cidrs);
	free(auth->alias_name);
	json_decref(auth->alias_metadata);
	free(auth->pod);
	free(auth->node);
	free(auth);
}
