/* SPDX-License-Identifier: Apache-2.0 */
/* The reader of sudoers; see sudoers.h. */
#include "cli/sudoers.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>

#include <k8sauth/limits.h>

#include "accounts/names.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/look.h"

#define FILES_MAX   256
#define DEPTH_MAX   16
#define ITEMS_MAX   16384
#define ALIAS_DEPTH 8
#define MEMBERS_MAX 4096

struct place {
	const char *root, *path;
	unsigned line, depth;
};

static void read_file(struct sudoers *sudoers, const char *root, const char *path, unsigned depth);

static void not_read(struct sudoers *sudoers, const char *path, unsigned line, int error, const char *why)
{
	if (sudoers->unread)
		return;
	sudoers->unread = line ? text_of("%s:%u: %s", path, line, why) : text_of("%s: %s", path, why);
	sudoers->error = error;
}

/* Makes room for one more of SIZE bytes; false where there are too many. */
static bool more(struct sudoers *sudoers, const struct place *place, void *list, size_t n, size_t size)
{
	if (n >= ITEMS_MAX) {
		not_read(sudoers, place->path, place->line, -E2BIG, "too much of it");
		return false;
	}
	look_grow(list, n, size);
	return true;
}

static const char *skip_blanks(const char *c)
{
	while (*c == ' ' || *c == '\t')
		c++;
	return c;
}

/* The end of a list at C: blanks beside commas belong to it, as does what is quoted or escaped. */
static const char *list_end(const char *c)
{
	bool quoted = false;

	for (; *c; c++) {
		if (*c == '\\' && c[1])
			c++;
		else if (*c == '"')
			quoted = !quoted;
		else if (!quoted && (*c == ' ' || *c == '\t')) {
			const char *next = skip_blanks(c);

			if (*next != ',' && ((c[-1] != ',' && c[-1] != '!') || !*next))
				return c;
			c = next - 1 + (*next == ',');
			if (*next == ',')
				c = skip_blanks(next + 1) - 1;
		} else if (!quoted && (*c == '=' || *c == ':'))
			return c;
	}
	return c;
}

/* --- Defaults -------------------------------------------------------------------------------- */

static void add_parameter(
    struct sudoers *sudoers, const struct place *place, char scope, const char *list, const char *text, size_t len)
{
	struct sudoers_default one = { .scope = scope };
	const char *end = text + len, *name;

	while (text < end && (*text == '!' || *text == ' ' || *text == '\t'))
		one.off ^= *text++ == '!';
	name = text;
	while (text < end && (isalnum((unsigned char)*text) || *text == '_'))
		text++;
	if (text == name || !more(sudoers, place, &sudoers->defaults, sudoers->n_defaults, sizeof(one)))
		return;
	one.name = text_of("%.*s", (int)(text - name), name);
	while (text < end && strchr(" \t+-=\"", *text))
		text++;
	while (end > text && strchr(" \t\"", end[-1]))
		end--;
	one.value = text_of("%.*s", (int)(end - text), text);
	one.list = text_of("%s", list);
	one.where = text_of("%s:%u", place->path, place->line);
	sudoers->defaults[sudoers->n_defaults++] = one;
}

/* What follows the word Defaults. */
static void parse_defaults(struct sudoers *sudoers, const struct place *place, const char *c)
{
	AUTO_FREE char *list = text_of("%s", "");
	char scope = *c && strchr(":@>!", *c) ? *c++ : '\0';
	const char *start;
	bool quoted = false;

	if (scope) {
		start = skip_blanks(c);
		c = list_end(start);
		free(list);
		list = text_of("%.*s", (int)(c - start), start);
	}
	start = c;
	for (;; c++) {
		if (*c == '\\' && c[1])
			c++;
		else if (*c == '"')
			quoted = !quoted;
		else if (!*c || (*c == ',' && !quoted)) {
			add_parameter(sudoers, place, scope, list, start, (size_t)(c - start));
			start = c + 1;
		}
		if (!*c)
			return;
	}
}

/* --- aliases and rules ----------------------------------------------------------------------- */

/* NAME = list : NAME = list */
static void parse_aliases(struct sudoers *sudoers, const struct place *place, const char *c)
{
	while (*c) {
		struct sudoers_alias one = { 0 };
		const char *name = skip_blanks(c), *start, *end = name;

		while (isalnum((unsigned char)*end) || *end == '_')
			end++;
		start = skip_blanks(end);
		if (end == name || *start != '=') {
			not_read(sudoers, place->path, place->line, -EINVAL, "no alias");
			return;
		}
		start = skip_blanks(start + 1);
		c = list_end(start);
		if (!more(sudoers, place, &sudoers->aliases, sudoers->n_aliases, sizeof(one)))
			return;
		one.name = text_of("%.*s", (int)(end - name), name);
		one.list = text_of("%.*s", (int)(c - start), start);
		sudoers->aliases[sudoers->n_aliases++] = one;
		c = skip_blanks(c);
		if (*c && *c != ':') {
			not_read(sudoers, place->path, place->line, -EINVAL, "no alias");
			return;
		}
		c += *c == ':';
	}
}

static void parse_rule(struct sudoers *sudoers, const struct place *place, const char *c)
{
	struct sudoers_rule one = { 0 };
	const char *end = list_end(c);

	if (!strchr(end, '=')) {
		not_read(sudoers, place->path, place->line, -EINVAL, "no rule");
		return;
	}
	if (!more(sudoers, place, &sudoers->rules, sudoers->n_rules, sizeof(one)))
		return;
	one.users = text_of("%.*s", (int)(end - c), c);
	one.rest = text_of("%s", skip_blanks(end));
	one.where = text_of("%s:%u", place->path, place->line);
	sudoers->rules[sudoers->n_rules++] = one;
}

/* --- includes -------------------------------------------------------------------------------- */

/* TEXT without quotes and escapes, "%h" replaced, relative to the folder of the file that says it. */
static char *include_path(const struct place *place, const char *text)
{
	struct buf path = { 0 };
	const char *slash = strrchr(place->path, '/');
	char host[256] = "";

	text = skip_blanks(text);
	if (*text != '/' && *text != '"' && slash)
		buf_add(&path, place->path, (size_t)(slash - place->path) + 1);
	for (; *text; text++) {
		if (*text == '"' || (*text == '\\' && text[1] && *++text == '\0'))
			continue;
		if (*text == '%' && text[1] == 'h' && gethostname(host, sizeof(host) - 1) == 0) {
			buf_add(&path, host, strcspn(host, "."));
			text++;
		} else
			buf_add_char(&path, *text);
	}
	while (path.len > 0 && strchr(" \t", path.data[path.len - 1]))
		path.data[--path.len] = '\0';
	if (path.len == 0)
		buf_add_char(&path, '/');
	return buf_take(&path);
}

static void include_folder(struct sudoers *sudoers, const struct place *place, const char *path)
{
	char **names = NULL;
	int r = look_folder(place->root, path, &names);

	if (r < 0)
		not_read(sudoers, path, 0, r, strerror(-r));
	for (char **name = names; name && *name; name++) {
		AUTO_FREE char *file = NULL;

		/* What packages and editors leave behind is skipped: names with a dot, and with ~ at the end. */
		if (strchr(*name, '.') || ends_with(*name, "~"))
			continue;
		file = text_of("%s%s%s", path, ends_with(path, "/") ? "" : "/", *name);
		read_file(sudoers, place->root, file, place->depth + 1);
	}
	strings_free(names);
}

/* Whether LINE is an include, which is then done. */
static bool parse_include(struct sudoers *sudoers, const struct place *place, const char *line)
{
	static const char *const words[] = { "includedir", "include" };

	if (*line != '@' && *line != '#')
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		const char *rest = line + 1 + strlen(words[i]);
		AUTO_FREE char *path = NULL;

		if (!starts_with(line + 1, words[i]) || (*rest != ' ' && *rest != '\t'))
			continue;
		path = include_path(place, rest);
		if (i == 0)
			include_folder(sudoers, place, path);
		else
			read_file(sudoers, place->root, path, place->depth + 1);
		return true;
	}
	return false;
}

/* --- lines ----------------------------------------------------------------------------------- */

static void parse_line(struct sudoers *sudoers, const struct place *place, const char *line)
{
	static const char *const skipped[] = { "Host_Alias", "Cmnd_Alias", "Cmd_Alias", "Runas_Alias" };
	const char *c = skip_blanks(line);

	if (!*c || parse_include(sudoers, place, c))
		return;
	if (starts_with(c, "Defaults") && (!c[8] || strchr(" \t:@>!", c[8]))) {
		parse_defaults(sudoers, place, c + 8);
		return;
	}
	if (starts_with(c, "User_Alias") && (c[10] == ' ' || c[10] == '\t')) {
		parse_aliases(sudoers, place, c + 10);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(skipped); i++) {
		if (starts_with(c, skipped[i]) && strchr(" \t", c[strlen(skipped[i])]))
			return;
	}
	parse_rule(sudoers, place, c);
}

/* Whether the '#' at C starts a comment: it does not in an include, nor in front of a number (an id) in a list. */
static bool is_comment(const char *c, const char *end, const struct buf *line)
{
	bool first = !line->data || !line->data[strspn(line->data, " \t")];
	const char *next = c + 1;
	size_t left = (size_t)(end - next);

	if (first && left > 8 && strncmp(next, "include", 7) == 0 && (strchr(" \t", next[7]) || next[7] == 'd'))
		return false;
	return left == 0 ||
	       !(isdigit((unsigned char)*next) || (*next == '-' && left > 1 && isdigit((unsigned char)next[1])));
}

/* One logical line from C on, comments taken out and continued lines joined; where it ends. */
static const char *read_line(const char *c, const char *end, struct buf *line, unsigned *lines)
{
	bool quoted = false;

	for (; c < end; c++) {
		if (*c == '\\' && c + 1 < end && c[1] == '\n') {
			(*lines)++;
			buf_add_char(line, ' ');
			c++;
		} else if (*c == '\n') {
			(*lines)++;
			return c + 1;
		} else if (*c == '\\' && c + 1 < end) {
			buf_add(line, c++, 2);
		} else if (*c == '#' && !quoted && is_comment(c, end, line)) {
			while (c + 1 < end && c[1] != '\n')
				c++;
		} else {
			quoted ^= *c == '"';
			buf_add_char(line, *c ? *c : '?');
		}
	}
	return end;
}

static void parse_text(struct sudoers *sudoers, struct place *place, const char *text, size_t len)
{
	const char *c = text, *end = text + len;
	unsigned next = 1;

	while (c < end) {
		AUTO_BUF struct buf line = { 0 };

		place->line = next;
		c = read_line(c, end, &line, &next);
		if (line.data)
			parse_line(sudoers, place, line.data);
	}
}

static void read_file(struct sudoers *sudoers, const char *root, const char *path, unsigned depth)
{
	struct place place = { .root = root, .path = path, .depth = depth };
	AUTO_BUF struct buf text = { 0 };
	int r;

	if (depth > DEPTH_MAX || sudoers->files++ >= FILES_MAX) {
		not_read(sudoers, path, 0, -E2BIG, "too many files, or they include each other");
		return;
	}
	r = look_read(root, path, &text);
	if (r < 0)
		not_read(sudoers, path, 0, r, strerror(-r));
	else
		parse_text(sudoers, &place, text.data ? text.data : "", text.len);
}

void sudoers_read(const char *root, const char *path, struct sudoers *ret)
{
	*ret = (struct sudoers){ 0 };
	read_file(ret, root, path, 0);
}

void sudoers_parse(const char *root, const char *path, const char *text, size_t len, struct sudoers *ret)
{
	struct place place = { .root = root, .path = path };

	*ret = (struct sudoers){ 0 };
	parse_text(ret, &place, text, len);
}

void sudoers_free(struct sudoers *sudoers)
{
	for (size_t i = 0; i < sudoers->n_defaults; i++) {
		free(sudoers->defaults[i].list);
		free(sudoers->defaults[i].name);
		free(sudoers->defaults[i].value);
		free(sudoers->defaults[i].where);
	}
	for (size_t i = 0; i < sudoers->n_aliases; i++) {
		free(sudoers->aliases[i].name);
		free(sudoers->aliases[i].list);
	}
	for (size_t i = 0; i < sudoers->n_rules; i++) {
		free(sudoers->rules[i].users);
		free(sudoers->rules[i].rest);
		free(sudoers->rules[i].where);
	}
	free(sudoers->defaults);
	free(sudoers->aliases);
	free(sudoers->rules);
	free(sudoers->unread);
}

/* --- whom a list is for ---------------------------------------------------------------------- */

/* Aliases may name each other: the depth is bounded, and the number of members that are looked at. */
struct walk {
	const struct sudoers *sudoers;
	const char *user; /* the one who is looked for; NULL: whoever is ours */
	unsigned depth, left;
};

static enum sudoers_cover covers(struct walk *walk, const char *users);

static enum sudoers_cover covers_group(const char *name)
{
	if (streq(name, K8SAUTH_USERS_GROUP))
		return COVERS_OURS;
	return account_group_is_ours(name) || *name == '#' || *name == ':' ? COVERS_SOME : COVERS_OTHERS;
}

/* One member: LEN bytes at TEXT, without '!'. */
static enum sudoers_cover covers_member(struct walk *walk, const char *text, size_t len)
{
	AUTO_FREE char *name = text_of("%.*s", (int)len, text);
	const struct sudoers *sudoers = walk->sudoers;
	enum sudoers_cover cover = COVERS_SOME;

	if (walk->left == 0 || walk->depth > ALIAS_DEPTH)
		return COVERS_SOME;
	walk->left--;
	if (walk->user && streq(name, walk->user))
		return COVERS_ALL;
	if (streq(name, "ALL"))
		return walk->user ? COVERS_OTHERS : COVERS_ALL;
	if (*name == '%')
		return walk->user ? COVERS_OTHERS : covers_group(name + 1);
	if (*name == '+' || (*name == '#' && strtoul(name + 1, NULL, 10) >= ACCOUNT_ID_MIN) ||
	    account_name_is_ours(name))
		return COVERS_SOME;
	for (size_t i = sudoers->n_aliases; i-- > 0 && *name >= 'A' && *name <= 'Z';) {
		if (!streq(sudoers->aliases[i].name, name))
			continue;
		walk->depth++;
		cover = covers(walk, sudoers->aliases[i].list);
		walk->depth--;
		return cover;
	}
	return COVERS_OTHERS;
}

/* What a member does to the cover of those in front of it: the last that fits decides, so "!x" takes x away again. */
static enum sudoers_cover with_member(enum sudoers_cover before, enum sudoers_cover member, bool off)
{
	if (!off)
		return member > before ? member : before;
	if (member >= COVERS_OURS)
		return COVERS_OTHERS;
	return before > COVERS_SOME && member == COVERS_SOME ? COVERS_SOME : before;
}

static enum sudoers_cover covers(struct walk *walk, const char *users)
{
	enum sudoers_cover cover = COVERS_OTHERS;

	while (*users) {
		bool off = false;
		size_t len;

		while (*users == ',' || *users == ' ' || *users == '\t' || *users == '!')
			off ^= *users++ == '!';
		if (*users == '"')
			users++;
		len = strcspn(users, ", \t\"");
		if (len > 0)
			cover = with_member(cover, covers_member(walk, users, len), off);
		users += len + (users[len] == '"');
	}
	return cover;
}

enum sudoers_cover sudoers_covers(const struct sudoers *sudoers, const char *users)
{
	struct walk walk = { .sudoers = sudoers, .left = MEMBERS_MAX };

	return covers(&walk, users);
}

bool sudoers_names(const struct sudoers *sudoers, const char *users, const char *user)
{
	struct walk walk = { .sudoers = sudoers, .user = user, .left = MEMBERS_MAX };

	return covers(&walk, users) == COVERS_ALL;
}
