/* SPDX-License-Identifier: Apache-2.0 */
/* The reader of PAM stacks; see pam_stack.h. */
#include "cli/pam_stack.h"

#include <errno.h>
#include <strings.h>

#include "base/text.h"
#include "cli/cli.h"
#include "cli/look.h"

#define FILES_MAX 256
#define DEPTH_MAX 16
#define LINES_MAX 4096
#define ANY_PHASE PAM_PHASES

/* Where in the files we are. */
struct place {
	const char *root, *path;
	unsigned line, depth, level;
	unsigned phase; /* the only one that is read, or ANY_PHASE */
};

static void read_file(struct pam_stack *stack, const struct place *from, const char *name);

static void not_read(struct pam_stack *stack, const struct place *place, int error, const char *why)
{
	if (stack->unread)
		return;
	stack->unread = place->line ? text_of("%s:%u: %s", place->path, place->line, why)
				    : text_of("%s: %s", place->path, why);
	stack->error = error;
}

/* The next word at *C, which is left behind it: up to a blank, or what is in [...], where \] is a ]. NULL at the end.
 */
static char *next_word(const char **c)
{
	struct buf word = { 0 };
	const char *text = *c + strspn(*c, " \t");

	if (!*text)
		return NULL;
	if (*text == '[') {
		for (text++; *text && *text != ']'; text++) {
			if (*text == '\\' && text[1] == ']')
				text++;
			buf_add_char(&word, *text);
		}
		text += *text == ']';
	} else {
		size_t len = strcspn(text, " \t");

		buf_add(&word, text, len);
		text += len;
	}
	*c = text;
	return buf_take(&word);
}

static void add_line(struct pam_stack *stack, const struct place *place, unsigned phase, const char *control,
    const char *module, const char *options)
{
	struct pam_chain *chain = &stack->phases[phase];
	const char *slash = strrchr(module, '/');

	if (chain->n >= LINES_MAX) {
		not_read(stack, place, -E2BIG, "too many lines");
		return;
	}
	look_grow(&chain->lines, chain->n, sizeof(*chain->lines));
	chain->lines[chain->n++] = (struct pam_line){
		.control = text_of("%s", control),
		.module = text_of("%s", slash ? slash + 1 : module),
		.options = text_of("%s", options),
		.where = text_of("%s:%u", place->path, place->line),
		.level = place->level,
		.own = place->depth == 1,
	};
}

/* The words at C, one blank apart. */
static char *rest_of_words(const char *c)
{
	struct buf words = { 0 };
	char *word;

	while ((word = next_word(&c))) {
		if (words.len > 0)
			buf_add_char(&words, ' ');
		buf_add_str(&words, word);
		free(word);
	}
	return buf_take(&words);
}

/* The lines of the file NAME, in place of this one; those of a substack are a level deeper. */
static void include(struct pam_stack *stack, const struct place *place, unsigned phase, const char *name, bool substack)
{
	struct place from = *place;

	from.phase = phase;
	if (substack) {
		add_line(stack, place, phase, "substack", "", name);
		from.level++;
	}
	read_file(stack, &from, name);
}

/* TYPE CONTROL MODULE OPTIONS..., behind TYPE. */
static void parse_module(struct pam_stack *stack, const struct place *place, unsigned phase, const char *c)
{
	AUTO_FREE char *control = next_word(&c), *module = next_word(&c), *options = NULL;

	if (!control || !module) {
		not_read(stack, place, -EINVAL, "a line without a module");
		return;
	}
	if (strcasecmp(control, "include") == 0 || strcasecmp(control, "substack") == 0) {
		include(stack, place, phase, module, strcasecmp(control, "substack") == 0);
		return;
	}
	options = rest_of_words(c);
	add_line(stack, place, phase, control, module, options);
}

static void parse_line(struct pam_stack *stack, const struct place *place, const char *c)
{
	static const char *const types[] = { "auth", "account", "session", "password" };
	AUTO_FREE char *word = next_word(&c);
	AUTO_FREE char *file = NULL;
	const char *type;

	if (!word)
		return;
	if (strcasecmp(word, "@include") == 0) {
		file = next_word(&c);
		if (file)
			include(stack, place, place->phase, file, false);
		return;
	}
	type = *word == '-' ? word + 1 : word;
	for (unsigned i = 0; i < ARRAY_SIZE(types); i++) {
		if (strcasecmp(type, types[i]) != 0)
			continue;
		if (i < PAM_PHASES && (place->phase == ANY_PHASE || place->phase == i))
			parse_module(stack, place, i, c);
		return;
	}
	not_read(stack, place, -EINVAL, "neither auth, account, password nor session");
}

/* One logical line from C on: up to a '#', joined with the next one behind a backslash. Where it ends. */
static const char *read_line(const char *c, const char *end, struct buf *line, unsigned *lines)
{
	while (c < end) {
		const char *stop = memchr(c, '\n', (size_t)(end - c)), *next;
		size_t len;

		stop = stop ? stop : end;
		next = stop < end ? stop + 1 : end;
		(*lines)++;
		for (len = 0; len < (size_t)(stop - c) && c[len] != '#'; len++)
			buf_add_char(line, c[len] ? c[len] : '?');
		if (len < (size_t)(stop - c))
			return next;
		while (line->len > 0 && (line->data[line->len - 1] == ' ' || line->data[line->len - 1] == '\t'))
			line->data[--line->len] = '\0';
		if (line->len == 0 || line->data[line->len - 1] != '\\')
			return next;
		line->data[line->len - 1] = ' ';
		c = next;
	}
	return end;
}

static void parse_text(struct pam_stack *stack, struct place *place, const char *text, size_t len)
{
	const char *c = text, *end = text + len;
	unsigned next = 1;

	while (c < end) {
		AUTO_BUF struct buf line = { 0 };

		place->line = next;
		c = read_line(c, end, &line, &next);
		if (line.data)
			parse_line(stack, place, line.data);
	}
}

/* NAME in /etc/pam.d, else where distributions put theirs. */
static void read_file(struct pam_stack *stack, const struct place *from, const char *name)
{
	AUTO_FREE char *path = text_of("%s%s", *name == '/' ? "" : "/etc/pam.d/", name);
	AUTO_FREE char *other = text_of("/usr/lib/pam.d/%s", name);
	AUTO_BUF struct buf text = { 0 };
	struct place place = *from;
	int r = look_read(from->root, path, &text);

	place.path = path;
	if (r == -ENOENT && *name != '/' && look_read(from->root, other, &text) == 0) {
		place.path = other;
		r = 0;
	}
	place.line = 0;
	if (++place.depth > DEPTH_MAX || stack->files++ >= FILES_MAX)
		not_read(stack, &place, -E2BIG, "too many files, or they include each other");
	else if (r < 0)
		not_read(stack, &place, r, strerror(-r));
	else
		parse_text(stack, &place, text.data ? text.data : "", text.len);
}

void pam_stack_read(const char *root, const char *service, struct pam_stack *ret)
{
	struct place place = { .root = root, .phase = ANY_PHASE };

	*ret = (struct pam_stack){ 0 };
	read_file(ret, &place, service);
}

void pam_stack_parse(const char *root, const char *service, const char *text, size_t len, struct pam_stack *ret)
{
	AUTO_FREE char *path = text_of("/etc/pam.d/%s", service);
	struct place place = { .root = root, .path = path, .depth = 1, .phase = ANY_PHASE };

	*ret = (struct pam_stack){ .files = 1 };
	parse_text(ret, &place, text, len);
}

void pam_stack_free(struct pam_stack *stack)
{
	for (size_t phase = 0; phase < PAM_PHASES; phase++) {
		struct pam_chain *chain = &stack->phases[phase];

		for (size_t i = 0; i < chain->n; i++) {
			free(chain->lines[i].control);
			free(chain->lines[i].module);
			free(chain->lines[i].options);
			free(chain->lines[i].where);
		}
		free(chain->lines);
	}
	free(stack->unread);
}
