/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of a reply: their order, and the names by which -field finds them. */
#include "cli/secret.h"

#include <stdio.h>

#include "base/secret.h"
#include "cli/cli.h"

struct member {
	const char *name;
	enum value_type otherwise; /* what is shown where it is missing */
	bool omit_empty;
};

static const struct member secret_members[] = {
	{ "request_id", VALUE_STRING, false },
	{ "lease_id", VALUE_STRING, false },
	{ "lease_duration", VALUE_NUMBER, false },
	{ "renewable", VALUE_FALSE, false },
	{ "data", VALUE_NULL, false },
	{ "warnings", VALUE_NULL, false },
	{ "auth", VALUE_NULL, true },
	{ "wrap_info", VALUE_NULL, true },
	{ "mount_type", VALUE_STRING, true },
};

static const struct member auth_members[] = {
	{ "client_token", VALUE_STRING, false },
	{ "accessor", VALUE_STRING, false },
	{ "policies", VALUE_NULL, false },
	{ "token_policies", VALUE_NULL, false },
	{ "identity_policies", VALUE_NULL, false },
	{ "metadata", VALUE_NULL, false },
	{ "orphan", VALUE_FALSE, false },
	{ "entity_id", VALUE_STRING, false },
	{ "lease_duration", VALUE_NUMBER, false },
	{ "renewable", VALUE_FALSE, false },
	{ "mfa_requirement", VALUE_NULL, false },
};

static const struct member wrap_members[] = {
	{ "token", VALUE_STRING, false },
	{ "accessor", VALUE_STRING, false },
	{ "ttl", VALUE_NUMBER, false },
	{ "creation_time", VALUE_STRING, false },
	{ "creation_path", VALUE_STRING, false },
	{ "wrapped_accessor", VALUE_STRING, false },
};

static struct value *empty_value(enum value_type type)
{
	return type == VALUE_STRING ? value_string("") : type == VALUE_NUMBER ? value_number(0) : value_new(type);
}

static bool is_empty(const struct value *value)
{
	return !value || value->type == VALUE_NULL || (value->type == VALUE_STRING && value->len == 0);
}

static struct value *pick(const struct value *map, const struct member *members, size_t n)
{
	struct value *picked = value_ordered();

	for (size_t i = 0; i < n; i++) {
		const struct value *value = value_get(map, members[i].name);

		if (members[i].omit_empty && is_empty(value))
			continue;
		/* Go leaves a field of a struct alone where JSON says null. */
		if (!value || value->type == VALUE_NULL)
			value_set(picked, members[i].name, empty_value(members[i].otherwise));
		else
			value_set(picked, members[i].name, value_copy(value));
	}
	return picked;
}

bool secret_like(const struct value *body)
{
	for (size_t i = 0; i < ARRAY_SIZE(secret_members); i++) {
		const struct value *value = value_get(body, secret_members[i].name);

		if (!is_empty(value) && value->type != VALUE_FALSE &&
		    !(value->type == VALUE_NUMBER && streq(value->text, "0")))
			return true;
	}
	return false;
}

struct value *secret_struct(const struct value *secret)
{
	struct value *shown = pick(secret, secret_members, ARRAY_SIZE(secret_members));
	const struct value *auth = value_get(secret, "auth"), *info = value_get(secret, "wrap_info");

	if (value_is(auth, VALUE_MAP))
		value_set(shown, "auth", pick(auth, auth_members, ARRAY_SIZE(auth_members)));
	if (value_is(info, VALUE_MAP))
		value_set(shown, "wrap_info", pick(info, wrap_members, ARRAY_SIZE(wrap_members)));
	return shown;
}

/* {-field, member} pairs up to a NULL. */
static const char *const auth_fields[][2] = {
	{ "token", "client_token" },
	{ "token_accessor", "accessor" },
	{ "token_duration", "lease_duration" },
	{ "token_renewable", "renewable" },
	{ "token_policies", "token_policies" },
	{ "identity_policies", "identity_policies" },
	{ "policies", "policies" },
	{ NULL, NULL },
};

static const char *const wrap_fields[][2] = {
	{ "wrapping_token", "token" },
	{ "wrapping_accessor", "accessor" },
	{ "wrapping_token_ttl", "ttl" },
	{ "wrapping_token_creation_time", "creation_time" },
	{ "wrapping_token_creation_path", "creation_path" },
	{ "wrapped_accessor", "wrapped_accessor" },
	{ NULL, NULL },
};

static const char *const plain_fields[][2] = {
	{ "lease_id", "lease_id" },
	{ "lease_duration", "lease_duration" },
	{ "renewable", "renewable" },
	{ "request_id", "request_id" },
	{ "refresh_interval", "lease_duration" },
	{ NULL, NULL },
};

static const char *member_for(const char *const (*fields)[2], const char *name)
{
	for (; (*fields)[0]; fields++) {
		if (streq((*fields)[0], name))
			return (*fields)[1];
	}
	return NULL;
}

struct value *secret_field(const struct value *secret, const char *name)
{
	AUTO_VALUE struct value *shown = secret_struct(secret);
	const struct value *auth = value_get(shown, "auth"), *info = value_get(shown, "wrap_info");
	const struct value *data = value_get(shown, "data"), *found;
	const char *member;

	if (auth) {
		member = member_for(auth_fields, name);
		found = member ? value_get(auth, member) : value_get(data, name);
	} else if (info) {
		member = member_for(wrap_fields, name);
		found = member ? value_get(info, member) : value_get(data, name);
	} else if (streq(name, "data")) {
		found = value_get(data, "data") ? value_get(data, "data") : data;
	} else {
		member = member_for(plain_fields, name);
		found = member ? value_get(shown, member) : value_get(data, name);
	}
	return found ? value_copy(found) : NULL;
}

char *secret_time_text(const char *time)
{
	const char *zone = time ? strpbrk(time + strcspn(time, "T"), "Z+-") : NULL;

	if (!zone)
		return wipe_strdup(time ? time : "");
	/* 2025-11-26T01:05:44.5Z is "2025-11-26 01:05:44.5 +0000 UTC". */
	return text_of("%.*s %.*s %s", (int)strcspn(time, "T"), time, (int)(zone - time) - (int)strcspn(time, "T") - 1,
	    time + strcspn(time, "T") + 1, *zone == 'Z' ? "+0000 UTC" : zone);
}
