/* SPDX-License-Identifier: Apache-2.0 */
/* operator backup and operator restore. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/backup_file.h"
#include "cli/cli.h"
#include "cli/verbs.h"
#include "vault/embedded/store.h"

/* --- backup */

/* Renames what was written to NAME, where nothing is. */
static int keep(const char *from, const char *name, int fd)
{
	if (fsync(fd) < 0 || link(from, name) < 0)
		return -errno;
	return 0;
}

int verb_operator_backup(struct cli *cli)
{
	AUTO_REPLY struct reply reply = { 0 };
	AUTO_FREE char *partial = NULL;
	int fd AUTO_CLOSE = -1, r;
	struct stat st;

	if (!args_between(cli, 1, 1))
		return CLI_LOCAL;
	if (access(cli->args[0], F_OK) == 0)
		return ui_fail(cli, CLI_LOCAL, "%s is there already: name another file", cli->args[0]);
	partial = text_of("%s.partial", cli->args[0]);
	(void)unlink(partial);
	fd = open(partial, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return ui_fail(cli, CLI_LOCAL, "cannot create %s: %s", partial, strerror(errno));
	r = client_fetch(cli, "k8sauth/store/backup", fd, &reply);
	if (r == 0)
		r = keep(partial, cli->args[0], fd);
	(void)unlink(partial);
	if (reply.error)
		return fail_own(cli, &reply);
	if (r < 0 || fstat(fd, &st) < 0)
		return ui_fail(cli, CLI_LOCAL, "cannot write %s: %s", cli->args[0], strerror(r < 0 ? -r : errno));
	ui_output("Success! Backup of the store: %s, %lld bytes\n"
		  "It opens only with the seal key that the store has now: keep that too, and in another place.",
	    cli->args[0], (long long)st.st_size);
	return CLI_OK;
}

/* --- restore */

/* "2026-11-26T10:00:00Z (3h12m0s ago)" */
static char *when(long long time_of)
{
	char text[32] = "";
	time_t now = time(NULL), at = (time_t)(time_of > 0 ? time_of : 0);
	struct tm tm;
	AUTO_FREE char *age = go_duration(now > at ? now - at : 0);

	if (gmtime_r(&at, &tm))
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return text_of("%s (%s ago)", text, age);
}

static void say_what(const struct staging *staging, const char *file, const struct value *mark)
{
	AUTO_FREE char *made = when(value_get_number(mark, "time"));
	const char *version = value_get_text(mark, "version"), *cluster = value_get_text(mark, "cluster_name");

	ui_output("Backup:   %s\nMade:     %s by k8sauth %s\nCluster:  %s\nTokens:   %lld\n", file, made,
	    version ? version : "?", cluster ? cluster : "?", value_get_number(mark, "tokens"));
	ui_output("At the next start of k8sauthd:\n"
		  "- The store is again what it was then. What was written since (secrets, policies, roles, mounts,\n"
		  "  configuration) is gone from it. The present store is kept as\n"
		  "  %s" STORE_REPLACED_SUFFIX ".\n"
		  "- Nothing is revoked because its time, as the backup knows it, is over: it may have been renewed\n"
		  "  since. Each token and lease that lived then and can be renewed lives as if it had been renewed at\n"
		  "  the restore: one TTL more, never beyond its maximum.\n"
		  "- Tokens and leases that were revoked since are back for as long. To end all tokens then:\n"
		  "      k8sauth lease revoke -prefix auth/\n"
		  "- Tokens with a limited number of uses, and so wrapping tokens (tickets), end: how often they were\n"
		  "  used since is not known.\n"
		  "- Tokens made since are unknown: they are refused. Sessions opened since expire, their users log in\n"
		  "  again; older ones go on. Tokens of sessions that are over are revoked, as at every start.\n"
		  "- Leases made since are forgotten: what was made for them elsewhere has to be removed by hand.\n"
		  "- The store opens with the seal key that it had then, and no other.",
	    staging->path);
}

/* The id of the cluster whose store is in use: the daemon's, or, where none runs, the file's. NULL: there is none. */
static char *present_cluster(struct cli *cli, const struct staging *staging)
{
	AUTO_REPLY struct reply reply = { 0 };
	struct store_file file;
	const char *id = NULL;
	char why[STORE_FILE_TEXT];
	int r = staging_look(staging, false, &file, why, sizeof(why));

	if (r == 0)
		return *file.cluster ? text_of("%s", file.cluster) : NULL;
	/* Whoever asks where no daemon runs, starts it. */
	if (r == -EBUSY && client_send(cli, "GET", "sys/seal-status", NULL, NULL, &reply) == 0)
		id = value_get_text(reply.json, "cluster_id");
	return id && *id ? text_of("%s", id) : NULL;
}

/* An exit code; CLI_OK with *RET_MARK, the caller's. */
static int check_backup(
    struct cli *cli, const struct staging *staging, const char *file, struct value **ret_mark)
{
	AUTO_FREE char *present = present_cluster(cli, staging);
	struct store_file found;
	const char *cluster;
	char why[STORE_FILE_TEXT];

	if (staging_copy(staging, file, why, sizeof(why)) < 0 ||
	    staging_look(staging, true, &found, why, sizeof(why)) < 0)
		return ui_fail(cli, CLI_LOCAL, "%s", why);
	*ret_mark = found.backup ? value_parse(found.mark, strlen(found.mark), why, sizeof(why)) : NULL;
	if (!*ret_mark)
		return ui_fail(cli, CLI_LOCAL, "%s is a store, but not a backup made by k8sauth operator backup", file);
	cluster = value_get_text(*ret_mark, "cluster_id");
	if (present && !(cluster && streq(present, cluster)))
		return ui_fail(cli, CLI_LOCAL,
		    "%s is the backup of another cluster (%s) than the store at %s (%s): to replace that nevertheless,\n"
		    "stop k8sauthd and move the store away first",
		    file, cluster ? cluster : "?", staging->path, present);
	return CLI_OK;
}

static int restore(struct cli *cli, const struct staging *staging)
{
	AUTO_VALUE struct value *mark = NULL;
	int r = check_backup(cli, staging, cli->args[0], &mark);

	if (r != CLI_OK)
		return r;
	say_what(staging, cli->args[0], mark);
	if (!flag_true(cli, FLAG_FORCE) && !ui_confirm("\nRestore it?"))
		return ui_fail(cli, CLI_LOCAL, "Nothing was changed");
	r = staging_commit(staging);
	if (r < 0)
		return ui_fail(cli, CLI_LOCAL, "cannot rename the backup in %s: %s", staging->folder, strerror(-r));
	ui_output("\nSuccess! The backup takes the store's place at the next start of k8sauthd:\n"
		  "    systemctl restart k8sauthd.service\n"
		  "Not to restore it after all: remove %s" STORE_RESTORE_SUFFIX,
	    staging->path);
	return CLI_OK;
}

int verb_operator_restore(struct cli *cli)
{
	struct staging staging = { .fd = -1 };
	char why[STORE_FILE_TEXT];
	int r;

	if (!args_between(cli, 1, 1))
		return CLI_LOCAL;
	if (geteuid() != 0)
		return ui_fail(cli, CLI_LOCAL, "Needs root: sudo k8sauth operator restore %s", cli->args[0]);
	if (staging_open(&staging, why, sizeof(why)) < 0)
		r = ui_fail(cli, CLI_LOCAL, "%s", why);
	else
		r = restore(cli, &staging);
	staging_drop(&staging);
	staging_close(&staging);
	return r;
}
