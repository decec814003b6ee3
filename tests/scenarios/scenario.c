/* SPDX-License-Identifier: Apache-2.0 */
/* Reader of scenario files; see scenario.h. */
#include "scenario.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <security/pam_appl.h>

#include "base/buf.h"
#include "base/text.h"

struct reader {
	struct scenario *scenario;
	struct action *call; /* the last one */
	const char *module, *stub;
	struct buf stack;
	unsigned line;
	char error[256];
};

static bool fail(struct reader *reader, const char *format, ...) PRINTF_LIKE(2, 3);

static bool fail(struct reader *reader, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(reader->error, sizeof(reader->error), format, args);
	va_end(args);
	return false;
}

static const struct {
	int code;
	const char *name;
} codes[] = {
#define NAMED(code)         \
	{                   \
		code, #code \
	}
	NAMED(PAM_SUCCESS),
	NAMED(PAM_SYSTEM_ERR),
	NAMED(PAM_BUF_ERR),
	NAMED(PAM_PERM_DENIED),
	NAMED(PAM_AUTH_ERR),
	NAMED(PAM_CRED_INSUFFICIENT),
	NAMED(PAM_AUTHINFO_UNAVAIL),
	NAMED(PAM_USER_UNKNOWN),
	NAMED(PAM_SESSION_ERR),
	NAMED(PAM_CRED_ERR),
	NAMED(PAM_CRED_UNAVAIL),
	NAMED(PAM_CONV_ERR),
	NAMED(PAM_IGNORE),
	NAMED(PAM_INCOMPLETE),
	NAMED(PAM_AUTHTOK_ERR),
	NAMED(PAM_TRY_AGAIN),
	NAMED(PAM_ABORT),
	NAMED(PAM_MODULE_UNKNOWN),
#undef NAMED
};

const char *pam_code_name(int code)
{
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		if (codes[i].code == code)
			return codes[i].name;
	}
	return NULL;
}

static const struct {
	const char *name;
	int value;
} flags[] = { { "silent", (int)PAM_SILENT }, { "establish", PAM_ESTABLISH_CRED }, { "delete", PAM_DELETE_CRED },
	{ "reinitialize", PAM_REINITIALIZE_CRED }, { "error", PAM_PERM_DENIED }, { "refresh", PAM_REFRESH_CRED } };

static char unescape(const char **at)
{
	unsigned value = 0;

	switch (*(*at)++) {
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 'b':
		return '\b';
	case 'x':
		sscanf(*at, "%2x", &value);
		*at += 2;
		return (char)value;
	default:
		return (*at)[-1];
	}
}

/* Splits a line into words. */
static bool split(struct reader *reader, const char *line, struct list *words)
{
	while (*(line += strspn(line, " \t"))) {
		AUTO_BUF struct buf word = { 0 };
		bool quoted = false;

		if (*line == '#')
			break;
		if (words->n == LIST_MAX)
			return fail(reader, "too many words");
		for (; *line && (quoted || (*line != ' ' && *line != '\t'));) {
			if (*line == '"') {
				quoted = !quoted;
				line++;
			} else if (quoted && *line == '\\') {
				line++;
				buf_add_char(&word, unescape(&line));
			} else {
				buf_add_char(&word, *line++);
			}
		}
		if (quoted)
			return fail(reader, "a quote is open");
		words->items[words->n++] = buf_take(&word);
	}
	return true;
}

static void list_free(struct list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->items[i]);
	list->n = 0;
}

/* The words from AT on, with single blanks between them. */
static char *join(const struct list *words, size_t at)
{
	struct buf text = { 0 };

	for (size_t i = at; i < words->n; i++)
		buf_printf(&text, "%s%s", i > at ? " " : "", words->items[i]);
	return buf_take(&text);
}

static int item_number(const char *name)
{
	if (streq(name, "user"))
		return PAM_USER;
	if (streq(name, "rhost"))
		return PAM_RHOST;
	if (streq(name, "tty"))
		return PAM_TTY;
	return streq(name, "ruser") ? PAM_RUSER : 0;
}

static char **header_text(struct scenario *scenario, const char *name)
{
	if (streq(name, "user"))
		return &scenario->user;
	if (streq(name, "service"))
		return &scenario->service;
	if (streq(name, "rhost"))
		return &scenario->rhost;
	if (streq(name, "tty"))
		return &scenario->tty;
	if (streq(name, "loginuid"))
		return &scenario->login_uid;
	if (streq(name, "realuid"))
		return &scenario->real_uid;
	return streq(name, "ruser") ? &scenario->ruser : NULL;
}

static bool read_daemon(struct reader *reader, const char *kind)
{
	static const char *const names[] = { "listens", "none", "untrusted-folder", "untrusted-socket" };

	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		if (streq(kind, names[i])) {
			reader->scenario->daemon = i;
			return true;
		}
	}
	return fail(reader, "unknown daemon %s", kind);
}

static void read_stack(struct reader *reader, const struct list *words)
{
	for (size_t i = 1; i < words->n; i++) {
		const char *word = words->items[i];
		bool blank = strchr(word, ' ') && *word != '[';

		if (streq(word, "pam_k8sauth.so"))
			word = reader->module;
		else if (streq(word, "pam_stub.so"))
			word = reader->stub;
		buf_printf(&reader->stack, blank ? "[%s] " : "%s ", word);
	}
	buf_add_char(&reader->stack, '\n');
}

static bool read_header(struct reader *reader, const struct list *words)
{
	char **text = header_text(reader->scenario, words->items[0]);

	if (streq(words->items[0], "stack")) {
		read_stack(reader, words);
		return true;
	}
	if (streq(words->items[0], "kubelet")) {
		reader->scenario->kubelet = scenario_answer(words, 1);
		return reader->scenario->kubelet || fail(reader, "not an answer");
	}
	if (words->n != 2)
		return fail(reader, "%s needs one word", words->items[0]);
	if (streq(words->items[0], "daemon"))
		return read_daemon(reader, words->items[1]);
	if (streq(words->items[0], "threads")) {
		reader->scenario->threads = (unsigned)strtoul(words->items[1], NULL, 10);
		return true;
	}
	if (!text)
		return fail(reader, "unknown word %s", words->items[0]);
	free(*text);
	*text = *words->items[1] ? strdup(words->items[1]) : NULL;
	return true;
}

static bool read_call(struct reader *reader, struct action *call, const struct list *words)
{
	call->kind = ACTION_CALL;
	call->code = -1;
	call->function = strdup(words->items[1]);
	for (size_t i = 2; i < words->n; i++) {
		bool child = streq(words->items[i], "child"), nomem = streq(words->items[i], "nomem");
		bool known = child || nomem;

		call->child = call->child || child;
		call->nomem = call->nomem || nomem;
		for (size_t k = 0; k < ARRAY_SIZE(flags); k++) {
			if (streq(words->items[i], flags[k].name)) {
				call->flags |= flags[k].value;
				known = true;
			}
		}
		if (!known)
			return fail(reader, "unknown flag %s", words->items[i]);
	}
	reader->call = call;
	return true;
}

static bool read_action(struct reader *reader, const struct list *words)
{
	struct scenario *scenario = reader->scenario;
	struct action *action = &scenario->actions[scenario->n_actions];

	if (scenario->n_actions == LIST_MAX || words->n < 2)
		return fail(reader, "too many actions, or too few words");
	scenario->n_actions++;
	action->line = reader->line;
	if (streq(words->items[0], "call"))
		return read_call(reader, action, words);
	action->kind = ACTION_SET;
	action->item = item_number(words->items[1]);
	if (words->n != 3 || action->item == 0)
		return fail(reader, "set needs an item and a value");
	action->value = strdup(words->items[2]);
	return true;
}

static bool read_ask(struct reader *reader, struct list *words)
{
	struct action *call = reader->call;
	struct ask *ask = &call->asks[call->n_asks];

	if (words->n < 3 || call->n_asks == LIST_MAX)
		return fail(reader, "ask needs a prompt and an answer");
	call->n_asks++;
	ask->prompt = strdup(words->items[1]);
	if (streq(words->items[2], "null"))
		ask->kind = ANSWER_NULL;
	else if (streq(words->items[2], "error"))
		ask->kind = ANSWER_ERROR;
	else if (streq(words->items[2], "again"))
		ask->kind = ANSWER_AGAIN;
	else
		ask->answer = scenario_answer(words, 2);
	return ask->kind != ANSWER_TEXT || ask->answer || fail(reader, "not an answer");
}

static bool read_exchange(struct reader *reader, struct list *words)
{
	struct action *call = reader->call;
	struct exchange *exchange = &call->exchanges[call->n_exchanges];

	if (streq(words->items[0], "request")) {
		if (call->n_exchanges == LIST_MAX)
			return fail(reader, "too many requests");
		call->n_exchanges++;
		exchange->request = join(words, 1);
		return true;
	}
	if (call->n_exchanges == 0)
		return fail(reader, "%s before request", words->items[0]);
	exchange--;
	if (streq(words->items[0], "carries")) {
		exchange->credential = scenario_answer(words, 1);
		return exchange->credential || fail(reader, "not a credential");
	}
	exchange->reply = *words;
	words->n = 0;
	return true;
}

static bool list_add(struct reader *reader, struct list *list, const struct list *words)
{
	if (list->n == LIST_MAX)
		return fail(reader, "too many lines of one kind");
	list->items[list->n++] = join(words, 1);
	return true;
}

static bool read_code(struct reader *reader, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		if (streq(codes[i].name, name)) {
			reader->call->code = codes[i].code;
			return true;
		}
	}
	return fail(reader, "unknown code %s", name);
}

static bool read_words(struct reader *reader, struct list *words)
{
	const char *word = words->items[0];

	if (streq(word, "call") || streq(word, "set"))
		return read_action(reader, words);
	if (!reader->call)
		return read_header(reader, words);
	if (words->n < 2)
		return fail(reader, "%s needs a value", word);
	if (streq(word, "ask"))
		return read_ask(reader, words);
	if (streq(word, "tell"))
		return list_add(reader, &reader->call->tells, words);
	if (streq(word, "request") || streq(word, "reply") || streq(word, "carries"))
		return read_exchange(reader, words);
	if (streq(word, "returns"))
		return read_code(reader, words->items[1]);
	if (streq(word, "log"))
		return list_add(reader, &reader->call->logs, words);
	if (streq(word, "debug"))
		return list_add(reader, &reader->call->debugs, words);
	if (!streq(word, "env"))
		return fail(reader, "unknown word %s", word);
	reader->call->env_given = true;
	return streq(words->items[1], "none") || list_add(reader, &reader->call->env, words);
}

static void scenario_defaults(struct scenario *scenario)
{
	*scenario = (struct scenario){
		.user = strdup("k8s_webapp-ns_webapp-sa"),
		.service = strdup("sshd"),
		.rhost = strdup("192.0.2.7"),
		.tty = strdup("ssh"),
	};
}

bool scenario_read(const char *path, const char *module, const char *stub, struct scenario *ret, char *why, size_t size)
{
	struct reader reader = { .scenario = ret, .module = module, .stub = stub };
	FILE *file = fopen(path, "re");
	bool ok = file || fail(&reader, "%s", strerror(errno));
	char *line = NULL;
	size_t room = 0;

	scenario_defaults(ret);
	while (ok && getline(&line, &room, file) >= 0) {
		struct list words = { 0 };

		reader.line++;
		line[strcspn(line, "\n")] = '\0';
		ok = split(&reader, line, &words) && (words.n == 0 || read_words(&reader, &words));
		list_free(&words);
	}
	for (size_t i = 0; ok && i < ret->n_actions; i++) {
		if (ret->actions[i].kind == ACTION_CALL && ret->actions[i].code < 0)
			ok = fail(&reader, "a call has no returns line");
	}
	if (reader.stack.len == 0)
		buf_printf(&reader.stack,
		    "auth required %s\naccount required %s\nsession required %s\npassword required %s\n", module,
		    module, module, module);
	ret->stack = buf_take(&reader.stack);
	free(line);
	if (file)
		fclose(file);
	snprintf(why, size, "%s:%u: %s", path, reader.line, reader.error);
	return ok;
}

static void action_free(struct action *action)
{
	free(action->value);
	free(action->function);
	for (size_t i = 0; i < action->n_asks; i++) {
		free(action->asks[i].prompt);
		free(action->asks[i].answer);
	}
	for (size_t i = 0; i < action->n_exchanges; i++) {
		free(action->exchanges[i].request);
		free(action->exchanges[i].credential);
		list_free(&action->exchanges[i].reply);
	}
	list_free(&action->tells);
	list_free(&action->env);
	list_free(&action->logs);
	list_free(&action->debugs);
}

void scenario_free(struct scenario *scenario)
{
	for (size_t i = 0; i < scenario->n_actions; i++)
		action_free(&scenario->actions[i]);
	free(scenario->user);
	free(scenario->service);
	free(scenario->rhost);
	free(scenario->tty);
	free(scenario->ruser);
	free(scenario->login_uid);
	free(scenario->real_uid);
	free(scenario->stack);
	free(scenario->kubelet);
}
