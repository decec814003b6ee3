/* SPDX-License-Identifier: Apache-2.0 */
/* What the audit trail tells of a request besides what it asks for: its headers, its query. */
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/text.h"
#include "daemon/api_request.h"

/* Header values may be any bytes; entries are UTF-8. NULL without memory. */
static json_t *header_text(const char *value)
{
	AUTO_BUF struct buf text = { 0 };

	if (utf8_valid(value, strlen(value)))
		return json_string(value);
	utf8_mend(value, strlen(value), &text);
	return text.failed ? NULL : json_stringn(text.data, text.len);
}

static int add_header(json_t *headers, const char *name, const char *value)
{
	json_t *values = json_object_get(headers, name), *text = header_text(value);

	if (values)
		return json_array_append_new(values, text) ? -ENOMEM : 0;
	return text && json_object_set_new(headers, name, json_pack("[o]", text)) == 0 ? 0 : -ENOMEM;
}

static int copy_headers(const struct http_request *http, const json_t *wanted, json_t **ret)
{
	json_t *headers = json_object(), *setting;
	const char *name;
	int r = headers ? 0 : -ENOMEM;

	json_object_foreach((json_t *)(uintptr_t)wanted, name, setting)
	{
		for (size_t i = 0; r == 0 && i < http->n_fields; i++)
			if (strcasecmp(http->fields[i].name, name) == 0)
				r = add_header(headers, name, http->fields[i].value);
	}
	if (r < 0)
		json_decref(headers);
	else
		*ret = headers;
	return r;
}

int api_note_for_audit(struct vault_request *request, const struct http_request *http, const json_t *wanted)
{
	if (!wanted)
		return 0;
	if (strpbrk(http->target, "?%")) {
		request->uri = strdup(http->target);
		if (!request->uri)
			return -ENOMEM;
	}
	return copy_headers(http, wanted, &request->headers);
}
