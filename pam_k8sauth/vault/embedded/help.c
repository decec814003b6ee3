/* SPDX-License-Identifier: Apache-2.0 */
/* `?help=1` and `vault path-help`: what the engines' tables say of themselves. The texts stand there. */
#include "vault/embedded/core_internal.h"

#include <errno.h>

#include "base/buf.h"
#include "base/text.h"
#include "vault/embedded/openapi.h"

#define HELP_MAX 65536 /* bytes */

/* Answers with TEXT, and the same for machines: of ONLY, or of the whole mount. */
static int show(struct call *call, const struct buf *text, const struct engine_path *only)
{
	json_auto_t *document = openapi_new();
	int r = document && !text->failed ? 0 : -ENOMEM;

	for (const struct engine_path *path = engine_paths(call->mount); r == 0 && path->pattern; path++)
		if (!only || path == only)
			r = openapi_add(document, call->mount, path);
	if (r < 0)
		return r;
	call->response->status = 200;
	call->response->body = json_pack("{s:s, s:n, s:O}", "help", text->data, "see_also", "openapi", document);
	return call->response->body ? 0 : -ENOMEM;
}

static void add_operation(struct buf *text, const char **separator, bool has, const char *name)
{
	if (!has)
		return;
	buf_printf(text, "%s%s", *separator, name);
	*separator = ", ";
}

static void add_operations(struct buf *text, const struct engine_path *path)
{
	const char *separator = "";

	buf_add_str(text, "Operations:     ");
	add_operation(text, &separator, path->read, "read");
	add_operation(text, &separator, path->list, "list");
	add_operation(text, &separator, path->update && path->exists, "create");
	add_operation(text, &separator, path->update, "update");
	add_operation(text, &separator, path->patch, "patch");
	add_operation(text, &separator, path->delete, "delete");
	buf_add_str(text, *separator ? "\n" : "none\n");
}

static void add_field(struct buf *text, const struct engine_field *field)
{
	static const char *const types[] = {
		[FIELD_STRING] = "string",
		[FIELD_INT] = "int",
		[FIELD_FLOAT] = "float",
		[FIELD_BOOL] = "bool",
		[FIELD_SECONDS] = "duration (sec)",
		[FIELD_STRINGS] = "slice",
		[FIELD_INTS] = "slice",
		[FIELD_MAP] = "map",
	};

	buf_printf(text, "\n\n    %s (%s)\n\n        %s", field->name, types[field->type], field->help);
}

static int show_path(struct call *call)
{
	const struct engine_path *path = call->path;
	struct buf text AUTO_BUF = BUF_MAX(HELP_MAX);

	buf_printf(&text, "Request:        %s\nMatching Route: %s\n", call->rest, path->pattern);
	add_operations(&text, path);
	if (path->flags & ENGINE_SUDO)
		buf_add_str(&text, "Needs the capability sudo besides.\n");
	buf_printf(&text, "\n%s", path->help ? path->help : "Nothing more is known of this path.");
	if (path->fields && path->fields[0].name) {
		buf_add_str(&text, "\n\n## PARAMETERS");
		for (const struct engine_field *field = path->fields; field->name; field++)
			add_field(&text, field);
	}
	buf_add_char(&text, '\n');
	return show(call, &text, path);
}

static int show_mount(struct call *call)
{
	const struct engine *engine = call->mount->engine;
	struct buf text AUTO_BUF = BUF_MAX(HELP_MAX);

	buf_printf(&text,
	    "## DESCRIPTION\n\n%s\n\n## PATHS\n\nThe paths of this mount. Ask for the help of one of them to see its "
	    "parameters.",
	    engine->help);
	for (const struct engine_path *path = engine_paths(call->mount); path->pattern; path++)
		if (path->help)
			buf_printf(&text, "\n\n    %s\n        %s", path->pattern, path->help);
	buf_add_char(&text, '\n');
	return show(call, &text, NULL);
}

int help_show(struct call *call)
{
	return *call->rest ? show_path(call) : show_mount(call);
}
