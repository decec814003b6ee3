/* SPDX-License-Identifier: Apache-2.0 */
/* Request and response objects, and the JSON body that a Vault client gets of a response. */
#include "vault/request.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"

struct vault_request *vault_request_new(enum vault_op op, const char *path)
{
	struct vault_request *request = calloc(1, sizeof(*request));

	if (!request)
		return NULL;
	request->op = op;
	request->path = strdup(path);
	if (!request->path) {
		free(request);
		return NULL;
	}
	log_new_ref(request->ref);
	return request;
}

void vault_request_free(struct vault_request *request)
{
	if (!request)
		return;
	free(request->path);
	secret_free(request->token);
	json_decref(request->data);
	free(request->fault);
	free(request->told_path);
	free(request->told_capability);
	free(request->told_refusal);
	free(request->uri);
	json_decref(request->headers);
	vault_pam_login_free(request->pam);
	free(request);
}

void vault_pam_login_free(struct vault_pam_login *pam)
{
	if (!pam)
		return;
	free(pam->audience);
	for (size_t i = 0; pam->api_audiences && pam->api_audiences[i]; i++)
		free(pam->api_audiences[i]);
	free(pam->api_audiences);
	free(pam->session_id);
	free(pam->boot_id);
	free(pam);
}

struct vault_response *vault_response_new(void)
{
	struct vault_response *response = calloc(1, sizeof(*response));

	if (response)
		random_uuid(response->request_id);
	return response;
}

void vault_response_clear(struct vault_response *response)
{
	struct vault_response old = *response;

	*response = (struct vault_response){ 0 };
	memcpy(response->request_id, old.request_id, sizeof(response->request_id));
	json_decref(old.data);
	json_decref(old.auth);
	json_decref(old.wrap_info);
	json_decref(old.warnings);
	json_decref(old.errors);
	json_decref(old.body);
	free(old.lease_id);
	free(old.text);
	free(old.display_name);
	free(old.reason);
	free(old.remedy);
}

void vault_response_free(struct vault_response *response)
{
	if (!response)
		return;
	vault_response_clear(response);
	free(response);
}

bool vault_response_is_outage(const struct vault_response *response)
{
	if (response->failure != VAULT_FAILED_NOT)
		return response->failure == VAULT_FAILED_OUTAGE;
	return response->status >= 500 || response->status == 429;
}

/* Text that is not UTF-8 becomes a fixed one: an error without text would look like "not found". */
static json_t *text_array(const char *text)
{
	json_t *value = json_string(text);

	if (!value)
		value = json_string("internal error");
	return value ? json_pack("[o]", value) : NULL;
}

PRINTF_LIKE(3, 0)
static void set_error(struct vault_response *response, int status, const char *format, va_list args, bool wrapped)
{
	char *text AUTO_FREE = NULL, *whole AUTO_FREE = NULL;

	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	if (text && wrapped && asprintf(&whole, "1 error occurred:\n\t* %s\n\n", text) < 0)
		whole = NULL;
	response->status = status;
	json_decref(response->errors);
	response->errors = text_array(whole ? whole : text ? text : "internal error");
}

void vault_response_error(struct vault_response *response, int status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	set_error(response, status, format, args, false);
	va_end(args);
}

void vault_response_wrapped_error(struct vault_response *response, int status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	set_error(response, status, format, args, true);
	va_end(args);
}

void vault_response_warn(struct vault_response *response, const char *format, ...)
{
	char *text AUTO_FREE = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	if (!response->warnings)
		response->warnings = json_array();
	json_array_append_new(response->warnings, json_string(text ? text : "no memory for the warning"));
}

const char *vault_response_error_text(const struct vault_response *response)
{
	const char *text = json_string_value(json_array_get(response->errors, 0));

	return text ? text : "";
}

/* NULL shows as null. */
static void set_member(json_t *body, const char *key, json_t *value)
{
	json_object_set_new(body, key, value ? json_incref(value) : json_null());
}

static json_t *envelope(const struct vault_response *response)
{
	json_t *body = json_object();

	/* Vault puts the copied members first, so that a member named "data" cannot hide the envelope's. */
	if (response->data_on_top && response->data)
		json_object_update(body, response->data);
	json_object_set_new(body, "request_id", json_string(response->request_id));
	json_object_set_new(body, "lease_id", json_string(response->lease_id ? response->lease_id : ""));
	json_object_set_new(body, "renewable", json_boolean(response->renewable));
	json_object_set_new(body, "lease_duration", json_integer(response->lease_duration));
	set_member(body, "data", response->data);
	set_member(body, "wrap_info", response->wrap_info);
	set_member(body, "warnings", response->warnings);
	set_member(body, "auth", response->auth);
	json_object_set_new(body, "mount_type", json_string(response->mount_type ? response->mount_type : ""));
	return body;
}

json_t *vault_response_body(const struct vault_response *response)
{
	json_t *body;

	if (response->body)
		return json_incref(response->body);
	if (response->status == 204 || (response->status == 202 && !response->warnings) ||
	    (response->status == 404 && response->empty_404))
		return NULL;
	if (response->status < 400 || response->envelope_404)
		return envelope(response);
	body = json_object();
	json_object_set_new(body, "errors", response->errors ? json_incref(response->errors) : json_array());
	return body;
}
