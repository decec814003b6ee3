/* SPDX-License-Identifier: Apache-2.0 */
/* Fields of a request with Vault's weak typing, and its texts where one cannot be converted (kubernetes-auth.md 0.2).
 */
#include "vault/embedded/core_internal.h"

#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "vault/embedded/go_text.h"

#define FAULT_MAX 8192 /* bytes of an error text, which shows the value */

/* The field; NULL where it is absent. *RET_SET as the callers give it on. */
static const json_t *field(const struct call *call, const char *name, bool *ret_set)
{
	const json_t *value = json_object_get(call->request->data, name);

	if (ret_set)
		*ret_set = value != NULL;
	return value;
}

/*
 * Answers with the fault. Writes to paths with an existence check meet it there already, and that says it without the
 * prefix (vault-1.21.4.md). Always 1.
 */
static int bad_field(struct call *call, const char *name, struct buf *fault)
{
	bool write = private_of(call)->op == VAULT_UPDATE; /* nothing else is checked for existence */
	bool early = write && call->path && call->path->exists;

	call_error(call, 400, "%serror converting input for field \"%s\": %s",
	    early ? "" : "Field validation failed: ", name,
	    fault->failed ? "the value is too long to show" : fault->data);
	buf_free(fault);
	return 1;
}

/* Fields whose value must not come back in an error text, and so into logs (CVE-2025-4166). */
static bool is_credential(const char *name)
{
	return streq(name, "jwt") || streq(name, "token") || streq(name, "token_reviewer_jwt");
}

/* Go's name for a compound VALUE of the request: a name that a query repeats is a list of texts. */
static const char *go_type(const struct call *call, const json_t *value)
{
	enum vault_op op = call->request->op;
	bool query = op == VAULT_READ || op == VAULT_LIST || op == VAULT_DELETE;

	return json_is_object(value) ? "map[string]interface {}" : query ? "[]string" : "[]interface {}";
}

/* Maps and lists cannot become TYPE; WHERE is "" or the element, "[0]". */
static void unconvertible(const struct call *call, struct buf *fault, const char *name, const char *where,
    const char *type, const json_t *value)
{
	buf_printf(
	    fault, "'%s' expected type '%s', got unconvertible type '%s', value: '", where, type, go_type(call, value));
	if (is_credential(name))
		buf_add_str(fault, "(not shown)");
	else
		go_value(fault, value);
	buf_add_char(fault, '\'');
}

static bool is_compound(const json_t *value)
{
	return json_is_object(value) || json_is_array(value);
}

/* Keeps VALUE until the run ends. */
static int lend(struct call *call, json_t *value, const char **ret)
{
	struct call_private *private = private_of(call);

	if (!private->strings)
	private->strings = json_array();
	if (json_array_append_new(private->strings, value))
		return -ENOMEM;
	*ret = json_string_value(value);
	return 0;
}

/* A scalar as a string, as mapstructure makes it. A new reference. */
static json_t *scalar_string(const json_t *value)
{
	struct buf text AUTO_BUF = BUF_MAX(64);

	switch (json_typeof(value)) {
	case JSON_STRING:
		return json_incref((json_t *)(uintptr_t)value);
	case JSON_TRUE:
		return json_string("1");
	case JSON_FALSE:
		return json_string("0");
	case JSON_NULL:
		return json_string("");
	default:
		go_value(&text, value);
		return text.failed ? NULL : json_string(text.data);
	}
}

int call_field_string(struct call *call, const char *name, const char **ret, bool *ret_set)
{
	struct buf fault AUTO_BUF = BUF_MAX(FAULT_MAX);
	const json_t *value = field(call, name, ret_set);
	json_t *string;

	if (!value)
		return 0;
	if (is_compound(value)) {
		unconvertible(call, &fault, name, "", "string", value);
		return bad_field(call, name, &fault);
	}
	string = scalar_string(value);
	return string ? lend(call, string, ret) : -ENOMEM;
}

/* strconv.ParseBool: 1, 0, -EINVAL. */
static int parse_bool(const char *text)
{
	static const char *const yes[] = { "1", "t", "T", "TRUE", "true", "True" };
	static const char *const no[] = { "0", "f", "F", "FALSE", "false", "False", "" };

	for (size_t i = 0; i < ARRAY_SIZE(yes); i++)
		if (streq(text, yes[i]))
			return 1;
	for (size_t i = 0; i < ARRAY_SIZE(no); i++)
		if (streq(text, no[i]))
			return 0;
	return -EINVAL;
}

int call_field_bool(struct call *call, const char *name, bool *ret, bool *ret_set)
{
	struct buf fault AUTO_BUF = BUF_MAX(FAULT_MAX);
	const json_t *value = field(call, name, ret_set);
	json_t *string;
	int r;

	if (!value)
		return 0;
	if (is_compound(value)) {
		unconvertible(call, &fault, name, "", "bool", value);
		return bad_field(call, name, &fault);
	}
	string = scalar_string(value);
	if (!string)
		return -ENOMEM;
	r = parse_bool(json_string_value(string));
	if (r < 0) {
		buf_add_str(&fault, "cannot parse '' as bool: strconv.ParseBool: parsing ");
		go_quote(&fault, json_string_value(string));
		buf_add_str(&fault, ": invalid syntax");
	}
	json_decref(string);
	if (r < 0)
		return bad_field(call, name, &fault);
	*ret = r == 1;
	return 0;
}

/* strconv.ParseInt with base 0: 0, -EINVAL or -ERANGE. */
static int parse_int(const char *text, void *ret)
{
	const char *digits = text + (*text == '-' || *text == '+');
	long long number = 0;
	char *end;

	errno = 0;
	if (*text) {
		if (*digits < '0' || *digits > '9')
			return -EINVAL;
		number = strtoll(text, &end, 0);
		if (*end)
			return -EINVAL;
	}
	*(long long *)ret = number;
	return errno == ERANGE ? -ERANGE : 0;
}

/* The number of a field: TYPE and FUNCTION are Go's names for it, of "float64" some texts have "float". PARSE gets the
   text and RET. */
static int take_number(struct call *call, const char *name, const json_t *value, const char *type, const char *function,
    int (*parse)(const char *text, void *ret), void *ret)
{
	struct buf fault AUTO_BUF = BUF_MAX(FAULT_MAX);
	json_t *string;
	int r;

	if (is_compound(value)) {
		unconvertible(call, &fault, name, "", type, value);
		return bad_field(call, name, &fault);
	}
	string = scalar_string(value);
	if (!string)
		return -ENOMEM;
	r = parse(json_string_value(string), ret);
	if (r < 0) {
		buf_printf(&fault, "cannot parse '' as %.5s: strconv.%s: parsing ", type, function);
		go_quote(&fault, json_string_value(string));
		buf_add_str(&fault, r == -ERANGE ? ": value out of range" : ": invalid syntax");
	}
	json_decref(string);
	return r < 0 ? bad_field(call, name, &fault) : 0;
}

int call_field_int(struct call *call, const char *name, long long *ret, bool *ret_set)
{
	const json_t *value = field(call, name, ret_set);

	return value ? take_number(call, name, value, "int", "ParseInt", parse_int, ret) : 0;
}

static int parse_float(const char *text, void *ret)
{
	double number = 0;
	char *end;

	if (*text && !strchr("+-.0123456789infatINFAT", *text)) /* no blank, which strtod() passes over */
		return -EINVAL;
	number = strtod(text, &end);
	if (*end)
		return -EINVAL;
	*(double *)ret = number;
	return 0;
}

int call_field_float(struct call *call, const char *name, double *ret, bool *ret_set)
{
	const json_t *value = field(call, name, ret_set);

	return value ? take_number(call, name, value, "float64", "ParseFloat", parse_float, ret) : 0;
}

int call_field_seconds(struct call *call, const char *name, int64_t *ret, bool *ret_set)
{
	struct buf fault AUTO_BUF = BUF_MAX(FAULT_MAX);
	const json_t *value = field(call, name, ret_set);
	char error[DURATION_ERROR_SIZE];
	json_t *string;
	long long ns;

	if (json_is_null(value) && ret_set)
		*ret_set = false;
	if (!value || json_is_null(value))
		return 0;
	if (is_compound(value) || json_is_boolean(value)) {
		buf_add_str(&fault, "could not parse duration from input");
		return bad_field(call, name, &fault);
	}
	string = scalar_string(value);
	if (!string)
		return -ENOMEM;
	if (duration_parse_ns(json_string_value(string), &ns, error, sizeof(error)) < 0)
		buf_add_str(&fault, error);
	else if (ns < 0)
		buf_printf(&fault, "cannot provide negative value '%lld'", ns / 1000000000);
	json_decref(string);
	if (fault.len)
		return bad_field(call, name, &fault);
	*ret = ns / 1000000000;
	return 0;
}

/* --- lists */

static int append_trimmed(json_t *list, const char *text, size_t len)
{
	while (len && strchr(" \t\r\n\v\f", *text)) {
		text++;
		len--;
	}
	while (len && strchr(" \t\r\n\v\f", text[len - 1]))
		len--;
	return json_array_append_new(list, json_stringn(text, len)) ? -ENOMEM : 0;
}

int call_split_strings(json_t *list, const char *text)
{
	int r = 0;

	if (!*text)
		return 0;
	for (;;) {
		size_t len = strcspn(text, ",");

		r = json_array_size(list) < VAULT_LIST_MAX ? append_trimmed(list, text, len) : -E2BIG;
		if (r < 0 || !text[len])
			return r;
		text += len + 1;
	}
}

/* A map counts as a list of one, an empty one as none. */
static int take_elements(const struct call *call, json_t *list, const char *name, const json_t *value,
    struct buf *faults, unsigned *n_faults)
{
	size_t n = json_is_array(value) ? json_array_size(value) : json_object_size(value) ? 1 : 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		const json_t *element = json_is_array(value) ? json_array_get(value, i) : value;
		json_t *string;
		char where[32];

		if (is_compound(element)) {
			snprintf(where, sizeof(where), "[%zu]", i);
			buf_add_str(faults, "\n* ");
			unconvertible(call, faults, name, where, "string", element);
			++*n_faults;
			continue;
		}
		string = scalar_string(element);
		r = string ? append_trimmed(list, json_string_value(string), json_string_length(string)) : -ENOMEM;
		json_decref(string);
	}
	return r;
}

int call_field_strings(struct call *call, const char *name, json_t **ret, bool *ret_set)
{
	struct buf faults AUTO_BUF = BUF_MAX(FAULT_MAX), fault AUTO_BUF = BUF_MAX(FAULT_MAX);
	const json_t *value = field(call, name, ret_set);
	json_t *list, *string = NULL;
	unsigned n_faults = 0;
	int r;

	if (!value)
		return 0;
	list = json_array();
	if (!list)
		return -ENOMEM;
	if (is_compound(value)) {
		r = take_elements(call, list, name, value, &faults, &n_faults);
	} else {
		string = scalar_string(value);
		r = string ? call_split_strings(list, json_string_value(string)) : -ENOMEM;
		json_decref(string);
	}
	if (r == -E2BIG)
		buf_printf(&fault, "more than %d elements", VAULT_LIST_MAX);
	else if (n_faults)
		buf_printf(&fault, "%u error(s) decoding:\n%s", n_faults, faults.failed ? "" : faults.data);
	if (r < 0 || n_faults) {
		json_decref(list);
		return fault.len ? bad_field(call, name, &fault) : r;
	}
	*ret = list;
	return 0;
}

/* --- maps */

/* Puts an object, or the objects of a list, into MAP; null is none. 0, 1 with FAULT, or -ENOMEM. */
static int take_map(json_t *map, const json_t *value, struct buf *fault)
{
	char where[32] = "";

	if (json_is_object(value))
		return json_object_update(map, (json_t *)(uintptr_t)value) ? -ENOMEM : 0;
	for (size_t i = 0; i < json_array_size(value); i++) {
		const json_t *element = json_array_get(value, i);

		if (json_is_object(element)) {
			if (json_object_update(map, (json_t *)(uintptr_t)element))
				return -ENOMEM;
			continue;
		}
		snprintf(where, sizeof(where), "[%zu]", i);
		value = element;
	}
	if (json_is_array(value) || json_is_null(value))
		return 0;
	buf_printf(fault, "'%s' expected a map, got '%s'", where, json_is_boolean(value) ? "bool" : "string");
	return 1;
}

int call_field_map(struct call *call, const char *name, json_t **ret, bool *ret_set)
{
	struct buf fault AUTO_BUF = BUF_MAX(FAULT_MAX);
	const json_t *value = field(call, name, ret_set);
	json_t *map;
	int r;

	if (!value)
		return 0;
	map = json_object();
	r = map ? take_map(map, value, &fault) : -ENOMEM;
	if (r) {
		json_decref(map);
		return r < 0 ? r : bad_field(call, name, &fault);
	}
	*ret = map;
	return 0;
}

/* --- maps of texts */

/* VALUE's members as texts; NULL where one is no scalar. */
static json_t *text_members(const json_t *value)
{
	json_t *map = json_object(), *member, *text;
	const char *name;

	json_object_foreach((json_t *)(uintptr_t)value, name, member)
	{
		text = is_compound(member) ? NULL : scalar_string(member);
		if (!text || json_object_set_new(map, name, text)) {
			json_decref(map);
			return NULL;
		}
	}
	return map;
}

/* The members of all the objects of a list; NULL where one is none. */
static json_t *text_members_of_all(const json_t *list)
{
	json_t *map = json_object();

	for (size_t i = 0; map && i < json_array_size(list); i++) {
		const json_t *element = json_array_get(list, i);
		json_auto_t *members = json_is_object(element) ? text_members(element) : NULL;

		if (!members || json_object_update(map, members)) {
			json_decref(map);
			map = NULL;
		}
	}
	return map;
}

/* "name=text" into MAP; 1 after the fault. */
static int take_pair(json_t *map, const char *pair, struct buf *fault)
{
	size_t len = strcspn(pair, "=");
	char *name AUTO_FREE = NULL;

	if (!pair[len] || len == 0) {
		buf_add_str(fault, "invalid key pair ");
		go_quote(fault, pair);
		return 1;
	}
	name = strndup(pair, len);
	return name && json_object_set_new(map, name, json_string(pair + len + 1)) == 0 ? 0 : -ENOMEM;
}

/* A text is a list of one, as in mapstructure: no commas here. */
static int take_pairs(const struct call *call, json_t *map, const char *name, const json_t *value, struct buf *fault)
{
	struct buf faults AUTO_BUF = BUF_MAX(FAULT_MAX);
	json_auto_t *list = json_array();
	unsigned n_faults = 0;
	json_t *pair;
	size_t i;
	int r = list ? 0 : -ENOMEM;

	if (r == 0 && is_compound(value))
		r = take_elements(call, list, name, value, &faults, &n_faults);
	else if (r == 0 && json_array_append_new(list, scalar_string(value)))
		r = -ENOMEM;
	if (n_faults) {
		buf_printf(fault, "%u error(s) decoding:\n%s", n_faults, faults.failed ? "" : faults.data);
		return 1;
	}
	json_array_foreach(list, i, pair)
	{
		if (r == 0)
			r = take_pair(map, json_string_value(pair), fault);
	}
	return r;
}

int call_field_pairs(struct call *call, const char *name, json_t **ret, bool *ret_set)
{
	struct buf fault AUTO_BUF = BUF_MAX(FAULT_MAX);
	const json_t *value = field(call, name, ret_set);
	json_t *map;
	int r = 0;

	if (!value || json_is_null(value))
		return 0;
	map = json_is_object(value) ? text_members(value) : json_is_array(value) ? text_members_of_all(value) : NULL;
	if (!map) {
		map = json_object();
		r = map ? take_pairs(call, map, name, value, &fault) : -ENOMEM;
	}
	if (r) {
		json_decref(map);
		return r < 0 ? r : bad_field(call, name, &fault);
	}
	*ret = map;
	return 0;
}
