/* SPDX-License-Identifier: Apache-2.0 */
/* Many fields of a request at once, by the table that also describes them. */
#include <errno.h>

#include "base/text.h"
#include "vault/embedded/core.h"

/* The converted value of one field, *RET NULL where it was not sent. */
static int read_field(struct call *call, const char *name, enum field_type type, json_t **ret)
{
	bool set = false, flag = false;
	const char *text = "";
	long long number = 0;
	double real = 0;
	int64_t seconds = 0;
	int r;

	switch (type) {
	case FIELD_STRING:
		r = call_field_string(call, name, &text, &set);
		break;
	case FIELD_STRINGS:
	case FIELD_INTS:
		return call_field_strings(call, name, ret, NULL);
	case FIELD_SECONDS:
		/* null is as if it were not there, for this type alone */
		if (json_is_null(json_object_get(call->request->data, name)))
			return 0;
		r = call_field_seconds(call, name, &seconds, &set);
		number = seconds;
		break;
	case FIELD_FLOAT:
		r = call_field_float(call, name, &real, &set);
		break;
	case FIELD_INT:
		r = call_field_int(call, name, &number, &set);
		break;
	default:
		r = call_field_bool(call, name, &flag, &set);
		break;
	}
	if (r || !set)
		return r;
	*ret = type == FIELD_STRING  ? json_string(text)
	       : type == FIELD_BOOL  ? json_boolean(flag)
	       : type == FIELD_FLOAT ? json_real(real)
				     : json_integer(number);
	return *ret ? 0 : -ENOMEM;
}

int call_fields(struct call *call, const struct engine_field *fields, json_t **ret)
{
	json_t *sent = json_object();
	int r = sent ? 0 : -ENOMEM;

	for (const struct engine_field *field = fields; r == 0 && field->name; field++) {
		json_t *value = NULL;

		if (*call_capture(call, field->name)) /* is in the path */
			continue;
		r = read_field(call, field->name, field->type, &value);
		if (r == 0 && value && json_object_set_new(sent, field->name, value))
			r = -ENOMEM;
	}
	if (r == 0)
		*ret = sent;
	else
		json_decref(sent);
	return r;
}
