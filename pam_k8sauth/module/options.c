/* SPDX-License-Identifier: Apache-2.0 */
/* Parser of the PAM line's options; see options.def. */
#include "module/options.h"

#include "base/macros.h"
#include "base/text.h"
#include "module/env.h"

enum kind {
	FLAG,
	ALLOW,
	TEXT,
};

static const struct {
	const char *name;
	enum kind kind;
	size_t offset;
} table[] = {
#define OFFSET_FLAG(name)	offsetof(struct options, name)
#define OFFSET_ALLOW(name)	offsetof(struct options, name)
#define OFFSET_TEXT(name)	offsetof(struct options, name)
#define OPTION(kind, name, ...) { #name, kind, OFFSET_##kind(name) },
#include "module/options.def"
#undef OPTION
};

static const char *set_flag(struct options *options, size_t offset)
{
	bool *flag = (bool *)((char *)options + offset);

	if (*flag)
		return "is given twice";
	*flag = true;
	return NULL;
}

/* PATH:CAPABILITY: a typing error must not become a gate that nobody, or everybody, passes. */
static bool require_valid(const char *value)
{
	static const char *const capabilities[] = { "create", "read", "update", "patch", "delete", "list", "sudo",
		"recover", "subscribe" };
	const char *colon = strrchr(value, ':');

	if (!colon || colon == value || *value == '/')
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(capabilities); i++) {
		if (streq(colon + 1, capabilities[i]))
			return true;
	}
	return false;
}

static const char *set_text(struct options *options, size_t offset, const char *value)
{
	const char **text = (const char **)(void *)((char *)options + offset);

	if (*text)
		return "is given twice";
	*text = value;
	if (offset == offsetof(struct options, env) && !env_list_valid(value))
		return "names a variable that is never set, or no variable";
	if (offset == offsetof(struct options, require) && !require_valid(value))
		return "must be PATH:CAPABILITY, such as k8sauth/sudo/{host}:update";
	if (offset == offsetof(struct options, token_file) && *value != '/')
		return "must be an absolute path";
	return NULL;
}

const char *options_conflict(const struct options *options)
{
	bool gate = options->session || options->require;

	if (options->verify && gate)
		return "verify goes with neither session nor require";
	if (options->token_file && (gate || options->prompt || options->try_first_pass || options->use_first_pass))
		return "token_file stands for the answer: it goes with no prompt, try_first_pass, use_first_pass, "
		       "session or require";
	return NULL;
}

const char *option_parse(struct options *options, const char *argument)
{
	size_t len = strcspn(argument, "=");
	const char *value = argument[len] == '=' ? argument + len + 1 : NULL;

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		if (strlen(table[i].name) != len || strncmp(table[i].name, argument, len) != 0)
			continue;
		switch (table[i].kind) {
		case FLAG:
			return value ? "takes no value" : set_flag(options, table[i].offset);
		case ALLOW:
			return value && streq(value, "allow") ? set_flag(options, table[i].offset)
							      : "must have the value allow";
		case TEXT:
			return value && *value ? set_text(options, table[i].offset, value) : "needs a value";
		}
	}
	return "is unknown";
}
