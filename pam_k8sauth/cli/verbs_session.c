/* SPDX-License-Identifier: Apache-2.0 */
/* What a person does with the own session: fetch a secret that is not read at login, run a command with its token. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>

#include <k8sauth/limits.h>

#include "base/safe_open.h"
#include "base/secret.h"
#include "cli/cli.h"
#include "cli/verbs.h"

#define TOKEN_MAX 4096

/* As env(1) and the shell have them. */
#define EXEC_FAILED    126
#define EXEC_NOT_FOUND 127

/* The session that is meant; NULL: the only one. */
static const char *session_given(const struct cli *cli)
{
	const char *id = flag_text(cli, FLAG_SESSION);

	if (!id || !*id)
		id = getenv("K8SAUTH_SESSION");
	return id && *id ? id : NULL;
}

int verb_get(struct cli *cli)
{
	AUTO_VALUE struct value *query = value_new(VALUE_MAP);
	AUTO_REPLY struct reply reply = { 0 };
	AUTO_FREE char *path = NULL, *text = NULL;
	const char *session = session_given(cli);
	const struct value *field;

	if (!args_between(cli, 1, 1))
		return CLI_LOCAL;
	path = text_of("k8sauth/get/%s", cli->args[0]);
	if (session)
		value_set(query, "session", value_string(session));
	text = data_query(query);
	if (client_send(cli, "GET", path, text, NULL, &reply) < 0)
		return ui_fail(cli, CLI_SERVER, "Error: %s", reply.error);
	field = value_get(reply.json, "field");
	if (cli->format == FORMAT_TABLE && !cli->field && field && field->text)
		cli->field = field->text;
	return print_secret(cli, reply.json);
}

/* --- exec ------------------------------------------------------------------------------------ */

/* The only open session that the daemon shows to us; NULL after the reason was printed. The caller frees it. */
static char *only_session(struct cli *cli)
{
	AUTO_REPLY struct reply reply = { 0 };
	const struct value *info;
	const char *found = NULL;

	if (client_send(cli, "GET", "k8sauth/session", "list=true", NULL, &reply) < 0) {
		ui_error(cli, "Error: %s", reply.error);
		return NULL;
	}
	info = value_get(value_get(reply.json, "data"), "key_info");
	for (size_t i = 0; i < value_size(info); i++) {
		const struct value *state = value_get(info->items[i], "state");

		if (!state || !state->text || !streq(state->text, "open"))
			continue;
		if (found) {
			ui_error(cli, "Several sessions are open: say which one by -session (k8sauth session list)");
			return NULL;
		}
		found = info->keys[i];
	}
	if (!found)
		ui_error(cli, "No open session of yours on this machine: log in with a service account token");
	return found ? text_of("%s", found) : NULL;
}

/* Sets NAME to TEXT; what has no text is not set. */
static void set_variable(const char *name, const struct value *text)
{
	if (text && text->text && setenv(name, text->text, 1) < 0)
		abort();
}

/* Where the token of the session ID is good. An exit code. */
static int set_address(struct cli *cli, const char *id)
{
	AUTO_REPLY struct reply reply = { 0 };
	AUTO_FREE char *path = text_of("k8sauth/session/%s", id);
	const struct value *data, *state;

	if (client_send(cli, "GET", path, NULL, NULL, &reply) < 0) {
		if (reply.status == 403 || reply.status == 404)
			return ui_fail(cli, CLI_SERVER,
			    "No session %s of yours on this machine: it has ended, or is another user's "
			    "(k8sauth session list)",
			    id);
		return ui_fail(cli, CLI_SERVER, "Error: %s", reply.error);
	}
	data = value_get(reply.json, "data");
	state = value_get(data, "state");
	if (!state || !state->text || !streq(state->text, "open"))
		return ui_fail(cli, CLI_SERVER,
		    "Session %s has no token any more (%s); k8sauth session login gives an expired one a new token", id,
		    state && state->text ? state->text : "no state");
	set_variable("VAULT_ADDR", value_get(data, "vault_addr"));
	set_variable("VAULT_CACERT", value_get(data, "vault_cacert"));
	return CLI_OK;
}

/* The token lies where nobody but root and the session's user can read it. An exit code. */
static int set_token(struct cli *cli, const char *id)
{
	AUTO_FREE char *dir = text_of(K8SAUTH_SESSIONS_DIR "/%s", id), *path = text_of("%s/token", dir);
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	AUTO_BUF struct buf token = { 0 };
	int r = fd < 0 ? -errno : read_all(fd, TOKEN_MAX, &token);

	if (r < 0)
		return ui_fail(cli, CLI_SERVER, "Error reading the token of the session: %s: %s", path, strerror(-r));
	if (setenv("VAULT_TOKEN", token.data, 1) < 0 || setenv("K8SAUTH_SESSION", id, 1) < 0 ||
	    setenv("K8SAUTH_DIR", dir, 1) < 0 || setenv("K8SAUTH_TOKEN_FILE", path, 1) < 0)
		abort();
	return CLI_OK;
}

int verb_exec(struct cli *cli)
{
	const char *given = session_given(cli);
	AUTO_FREE char *id = NULL;
	struct rlimit core;
	int r;

	if (cli->n_args < 1)
		return ui_fail(cli, CLI_LOCAL, "Which command? k8sauth exec -- COMMAND [ARGUMENTS...]");
	r = client_new(cli);
	if (r != CLI_OK)
		return r;
	id = given ? text_of("%s", given) : only_session(cli);
	if (!id)
		return CLI_SERVER;
	r = set_address(cli, id);
	if (r == CLI_OK)
		r = set_token(cli, id);
	if (r != CLI_OK)
		return r;
	client_free(TAKE_PTR(cli->client)); /* with its connection, which is not COMMAND's */
	if (getrlimit(RLIMIT_CORE, &core) == 0) {
		core.rlim_cur = cli->core_limit;
		setrlimit(RLIMIT_CORE, &core);
	}
	execvp(cli->args[0], cli->args);
	r = errno;
	return ui_fail(cli, r == ENOENT ? EXEC_NOT_FOUND : EXEC_FAILED, "%s: %s", cli->args[0], strerror(r));
}
