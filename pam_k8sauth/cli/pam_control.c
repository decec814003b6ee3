/* SPDX-License-Identifier: Apache-2.0 */
/* What the controls of a PAM stack mean for its lines, as in libpam's dispatcher; see pam_stack.h. */
#include <ctype.h>
#include <strings.h>

#include "base/macros.h"
#include "base/text.h"
#include "cli/pam_stack.h"

/* The words for what is written [...] in full; see pam.conf(5). */
static const struct {
	const char *word, *actions;
} words[] = {
	{ "required", "success=ok new_authtok_reqd=ok ignore=ignore default=bad" },
	{ "requisite", "success=ok new_authtok_reqd=ok ignore=ignore default=die" },
	{ "sufficient", "success=done new_authtok_reqd=done default=ignore" },
	{ "optional", "success=ok new_authtok_reqd=ok default=ignore" },
	{ "substack", "default=ignore" },
};

static struct pam_action named_action(const char *text, size_t len)
{
	static const char *const names[] = {
		[ACTION_IGNORE] = "ignore",
		[ACTION_OK] = "ok",
		[ACTION_DONE] = "done",
		[ACTION_BAD] = "bad",
		[ACTION_DIE] = "die",
		[ACTION_RESET] = "reset",
	};
	unsigned long jump = len > 0 && isdigit((unsigned char)*text) ? strtoul(text, NULL, 10) : 0;

	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		if (strlen(names[i]) == len && strncasecmp(names[i], text, len) == 0)
			return (struct pam_action){ .kind = (enum pam_action_kind)i };
	}
	if (jump == 0)
		return (struct pam_action){ .kind = ACTION_BAD };
	return (struct pam_action){ .kind = ACTION_JUMP, .jump = jump < 4096 ? (unsigned)jump : 4096 };
}

struct pam_action pam_action(const char *control, const char *code)
{
	struct pam_action otherwise = { .kind = ACTION_BAD };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcasecmp(control, words[i].word) == 0)
			control = words[i].actions;
	}
	while (*control) {
		const char *name = control + strspn(control, " \t"), *value;
		size_t len = strcspn(name, " \t="), value_len;

		value = name + len + strspn(name + len, " \t");
		value += *value == '=';
		value += strspn(value, " \t");
		value_len = strcspn(value, " \t");
		if (len == strlen(code) && strncasecmp(name, code, len) == 0)
			return named_action(value, value_len);
		if (len == strlen("default") && strncasecmp(name, "default", len) == 0)
			otherwise = named_action(value, value_len);
		control = value + value_len;
	}
	return otherwise;
}

/* The last of the JUMP lines that are jumped over from FROM; a substack is one line, with what is in it. */
static size_t last_jumped(const struct pam_chain *chain, size_t from, unsigned jump)
{
	unsigned level = chain->lines[from].level;
	size_t i = from;

	while (jump-- > 0 && i + 1 < chain->n && chain->lines[i + 1].level >= level) {
		do {
			i++;
		} while (i + 1 < chain->n && chain->lines[i + 1].level > level);
	}
	return i;
}

bool pam_skips(const struct pam_chain *chain, size_t from, size_t to, const char *code)
{
	struct pam_action action = pam_action(chain->lines[from].control, code);

	if (action.kind == ACTION_JUMP)
		return to <= last_jumped(chain, from, action.jump);
	if (action.kind != ACTION_DONE)
		return false;
	/* It ends its own substack only. */
	for (size_t i = from; i <= to; i++) {
		if (chain->lines[i].level < chain->lines[from].level)
			return false;
	}
	return true;
}

size_t pam_find(const struct pam_chain *chain, const char *module, size_t i)
{
	while (i < chain->n && !streq(chain->lines[i].module, module))
		i++;
	return i;
}

const char *pam_option(const struct pam_line *line, const char *name)
{
	size_t len = strlen(name);

	for (const char *c = line->options; *c; c += strspn(c, " ")) {
		if (strncmp(c, name, len) == 0 && (name[len - 1] == '=' || c[len] == ' ' || !c[len]))
			return c;
		c += strcspn(c, " ");
	}
	return NULL;
}
