/* SPDX-License-Identifier: Apache-2.0 */
/* What a machine can read of the engines' tables; see openapi.h. */
#include "vault/embedded/openapi.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/text.h"
#include "vault/embedded/core_internal.h"
#include "vault/embedded/sys/sys.h"

#define TEMPLATE_MAX 4096 /* bytes */

json_t *openapi_new(void)
{
	return json_pack("{s:s, s:{s:s, s:s, s:s}, s:{}, s:{s:{s:{s:s, s:{s:{s:s, s:{s:s}}}, s:[s]}, s:{s:s}}, "
			 "s:{s:{s:s, s:s, s:s}}}, s:[{s:[]}, {}]}",
	    "openapi", "3.0.2", "info", "title", "k8sauth: the Vault API", "description",
	    "The paths of this server, and of its mounts that the caller may know of. All are below `/v1`.", "version",
	    SYS_VAULT_VERSION, "paths", "components", "schemas", "Errors", "type", "object", "properties", "errors",
	    "type", "array", "items", "type", "string", "required", "errors", "Answer", "type", "object",
	    "securitySchemes", "token", "type", "apiKey", "in", "header", "name", "X-Vault-Token", "security", "token");
}

/* --- templates */

/* The pattern as OpenAPI has it: "{path...?}" is "{path}". With BARE an optional one is left out. */
static void add_template(struct buf *text, const char *pattern, bool bare)
{
	for (; *pattern; pattern++) {
		size_t len = *pattern == '{' ? strcspn(pattern, "}") : 0, name = len ? strcspn(pattern, ".}") : 0;

		if (!len) {
			buf_add_char(text, *pattern);
			continue;
		}
		if (!bare)
			buf_printf(text, "%.*s}", (int)name, pattern);
		pattern += len;
	}
}

static bool is_optional(const char *pattern)
{
	return ends_with(pattern, "...?}");
}

/* Whether the parameter NAME is in TEMPLATE. */
static bool has_parameter(const char *template, const char *name)
{
	char braced[128];

	snprintf(braced, sizeof(braced), "{%s}", name);
	return strstr(template, braced) != NULL;
}

/* --- schemas */

static json_t *schema_of(enum field_type type)
{
	switch (type) {
	case FIELD_INT:
		return json_pack("{s:s}", "type", "integer");
	case FIELD_FLOAT:
		return json_pack("{s:s}", "type", "number");
	case FIELD_BOOL:
		return json_pack("{s:s}", "type", "boolean");
	case FIELD_SECONDS:
		return json_pack("{s:s, s:s}", "type", "string", "format", "duration");
	case FIELD_STRINGS:
		return json_pack("{s:s, s:{s:s}}", "type", "array", "items", "type", "string");
	case FIELD_INTS:
		return json_pack("{s:s, s:{s:s}}", "type", "array", "items", "type", "integer");
	case FIELD_MAP:
		return json_pack("{s:s}", "type", "object");
	case FIELD_STRING:
		break;
	}
	return json_pack("{s:s}", "type", "string");
}

static json_t *parameter(const char *name, const char *help, const char *place, enum field_type type, bool required)
{
	json_t *value = json_pack("{s:s, s:s, s:o, s:b}", "name", name, "in", place, "schema",
	    schema_of(streq(place, "path") ? FIELD_STRING : type), "required", required);

	if (value && help)
		json_object_set_new(value, "description", json_string(help));
	return value;
}

static const char *help_of(const struct engine_path *path, const char *name, size_t len)
{
	for (const struct engine_field *field = path->fields; field && field->name; field++)
		if (strlen(field->name) == len && strncmp(field->name, name, len) == 0)
			return field->help;
	return NULL;
}

/* Those of the path itself. */
static json_t *path_parameters(const struct engine_path *path, const char *template)
{
	json_t *list = json_array();

	for (const char *open = strchr(template, '{'); list && open; open = strchr(open + 1, '{')) {
		size_t len = strcspn(open + 1, "}");
		char name[128];

		snprintf(name, sizeof(name), "%.*s", (int)len, open + 1);
		json_array_append_new(list, parameter(name, help_of(path, open + 1, len), "path", FIELD_STRING, true));
	}
	return list;
}

static json_t *body_of(const struct engine_path *path, const char *template, const char *type)
{
	json_t *properties = json_object();

	for (const struct engine_field *field = path->fields; properties && field && field->name; field++) {
		json_t *schema = has_parameter(template, field->name) ? NULL : schema_of(field->type);

		if (!schema)
			continue;
		json_object_set_new(schema, "description", json_string(field->help));
		json_object_set_new(properties, field->name, schema);
	}
	return json_pack("{s:b, s:{s:{s:{s:s, s:o}}}}", "required", 0, "content", type, "schema", "type", "object",
	    "properties", properties);
}

/* --- operations */

static json_t *answer(const char *what, const char *schema)
{
	char reference[64];

	snprintf(reference, sizeof(reference), "#/components/schemas/%s", schema);
	return json_pack(
	    "{s:s, s:{s:{s:{s:s}}}}", "description", what, "content", "application/json", "schema", "$ref", reference);
}

static json_t *responses(bool writes)
{
	json_t *all = json_pack("{s:o, s:o}", "200", answer("Done.", "Answer"), "default",
	    answer("Refused, or not there: `errors` says why.", "Errors"));

	if (all && writes)
		json_object_set_new(all, "204", json_pack("{s:s}", "description", "Done."));
	return all;
}

static const char *tag_of(const struct mount *mount)
{
	return mount->engine == &system_engine		? "system"
	       : mount->engine->auth			? "auth"
	       : streq(mount->engine->type, "identity") ? "identity"
							: "secrets";
}

/* "read-secret-data-path": the path is in it as it stands, so that no two are equal but where they differ in signs. */
static char *operation_id(const json_t *paths, const char *verb, const char *template)
{
	struct buf text AUTO_BUF = BUF_MAX(TEMPLATE_MAX);

	buf_add_str(&text, verb);
	for (const char *c = template; *c; c++) {
		if (isalnum((unsigned char)*c))
			buf_add_char(&text, *c);
		else if (text.data && text.data[text.len - 1] != '-' && c[1])
			buf_add_char(&text, '-');
	}
	if (ends_with(template, "/"))
		buf_printf(&text, "-%zu", json_object_size(paths));
	return text.failed ? NULL : buf_take(&text);
}

struct operation {
	const char *method, *verb;
	bool list, writes, body;
	const char *type; /* of the body */
};

static int add_operation(json_t *paths, json_t *item, const struct mount *mount, const struct engine_path *path,
    const char *template, const struct operation *operation)
{
	char *id AUTO_FREE = operation_id(paths, operation->verb, template);
	json_t *value, *parameters = NULL;

	if (!id)
		return -ENOMEM;
	value = json_pack(
	    "{s:s, s:[s], s:o}", "operationId", id, "tags", tag_of(mount), "responses", responses(operation->writes));
	if (!value)
		return -ENOMEM;
	if (path->help)
		json_object_set_new(value, "summary", json_string(path->help));
	if (operation->body)
		json_object_set_new(value, "requestBody", body_of(path, template, operation->type));
	if (operation->list) {
		parameters = json_pack("[{s:s, s:s, s:s, s:{s:s, s:[s]}, s:b}]", "name", "list", "description",
		    "Always `true`.", "in", "query", "schema", "type", "string", "enum", "true", "required", 1);
	} else if (!operation->writes && !path->update) {
		parameters = json_array();
		for (const struct engine_field *field = path->fields; field && field->name; field++)
			if (!has_parameter(template, field->name))
				json_array_append_new(
				    parameters, parameter(field->name, field->help, "query", field->type, false));
	}
	if (json_array_size(parameters))
		json_object_set(value, "parameters", parameters);
	json_decref(parameters);
	return json_object_set_new(item, operation->method, value) ? -ENOMEM : 0;
}

/* The place of TEMPLATE in PATHS. */
static json_t *item_of(json_t *paths, const struct engine_path *path, const char *template)
{
	json_t *item = json_object_get(paths, template), *parameters;

	if (item)
		return item;
	item = path->help ? json_pack("{s:s}", "description", path->help) : json_object();
	parameters = path_parameters(path, template);
	if (json_array_size(parameters))
		json_object_set(item, "parameters", parameters);
	json_decref(parameters);
	if (path->flags & ENGINE_SUDO)
		json_object_set_new(item, "x-vault-sudo", json_true());
	if (path->flags & (ENGINE_UNAUTHENTICATED | ENGINE_RAW))
		json_object_set_new(item, "x-vault-unauthenticated", json_true());
	if (path->exists)
		json_object_set_new(item, "x-vault-createSupported", json_true());
	return json_object_set_new(paths, template, item) ? NULL : item;
}

static int add_methods(
    json_t *paths, const struct mount *mount, const struct engine_path *path, const char *template, bool list)
{
	const struct {
		bool there;
		struct operation operation;
	} all[] = {
		{ list && path->list, { .method = "get", .verb = "list", .list = true } },
		{ !list && path->read, { .method = "get", .verb = "read" } },
		{ !list && path->update,
		    { .method = "post", .verb = "write", .writes = true, .body = true, .type = "application/json" } },
		{ !list && path->patch, { .method = "patch",
					    .verb = "patch",
					    .writes = true,
					    .body = true,
					    .type = "application/merge-patch+json" } },
		{ !list && path->delete, { .method = "delete", .verb = "delete", .writes = true } },
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(all); i++) {
		json_t *item = all[i].there ? item_of(paths, path, template) : NULL;

		if (!all[i].there || json_object_get(item, all[i].operation.method)) /* the first match wins */
			continue;
		r = item ? add_operation(paths, item, mount, path, template, &all[i].operation) : -ENOMEM;
	}
	return r;
}

int openapi_add(json_t *document, const struct mount *mount, const struct engine_path *path)
{
	json_t *paths = json_object_get(document, "paths");
	struct buf whole AUTO_BUF = BUF_MAX(TEMPLATE_MAX), bare AUTO_BUF = BUF_MAX(TEMPLATE_MAX);
	int r;

	if (!path->help) /* it only says how the path is refused */
		return 0;
	buf_printf(&whole, "/%s", mount->path);
	add_template(&whole, path->pattern, false);
	if (!ends_with(path->pattern, "/"))
		buf_add_char(&whole, '/');
	buf_printf(&bare, "/%s", mount->path);
	add_template(&bare, path->pattern, true);
	if (whole.failed || bare.failed)
		return -ENOMEM;
	r = add_methods(paths, mount, path, whole.data, true);
	if (r == 0 && path->list && is_optional(path->pattern))
		r = add_methods(paths, mount, path, bare.data, true);
	whole.data[whole.len - 1] = '\0'; /* all but lists are without the last '/' */
	return r == 0 ? add_methods(paths, mount, path, whole.data, false) : r;
}
