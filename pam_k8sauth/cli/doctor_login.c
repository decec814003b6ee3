/* SPDX-License-Identifier: Apache-2.0 */
/* The doctor and the way of a login: sshd, names, accounts, and the daemon that is asked. */
#include <errno.h>
#include <stdio.h>

#include <k8sauth/limits.h>

#include "accounts/conf.h"
#include "base/text.h"
#include "cli/doctor.h"
#include "cli/nsswitch.h"

/* --- sshd ------------------------------------------------------------------------------------ */

/* What sshd does for USER (NULL: before it knows): `sshd -T`. 0, its exit code, or a negative errno. */
static int sshd_settings(char *user, struct buf *ret)
{
	static char sshd[] = "/usr/sbin/sshd", test[] = "-T", option[] = "-C";
	char *const general[] = { sshd, test, NULL }, *const one[] = { sshd, test, option, user, NULL };

	return look_run(user ? one : general, ret);
}

static bool is_yes(const struct buf *settings, const char *key)
{
	AUTO_FREE char *value = settings->data ? look_value(settings->data, key, ' ') : NULL;

	return value && streq(value, "yes");
}

void check_sshd(struct doctor *doctor)
{
	static char user[] = "user=k8s_doctor_doctor,host=localhost,addr=127.0.0.1";
	AUTO_BUF struct buf general = { 0 }, ours = { 0 };
	int r = sshd_settings(NULL, &general);

	if (r == -ENOENT)
		return;
	if (r == 0)
		r = sshd_settings(user, &ours);
	if (r != 0) {
		doctor_skip(doctor, FINDING_SSHD_PAM,
		    r < 0 ? "sshd -T: %s" : "sshd -T says no%s (only root may ask it)", r < 0 ? strerror(-r) : "");
		doctor_skip(doctor, FINDING_SSHD_KBD, "%s", doctor->skipped[FINDING_SSHD_PAM]);
		return;
	}
	doctor_looked(doctor, FINDING_SSHD_PAM);
	doctor_looked(doctor, FINDING_SSHD_KBD);
	if (!is_yes(&general, "usepam"))
		doctor_find(doctor, FINDING_SSHD_PAM, "sshd -T", "usepam no");
	/* A Match block may have it for our users only. */
	if (!is_yes(&general, "kbdinteractiveauthentication") && !is_yes(&ours, "kbdinteractiveauthentication"))
		doctor_find(doctor, FINDING_SSHD_KBD, "sshd -T", "kbdinteractiveauthentication no");
}

/* --- names ----------------------------------------------------------------------------------- */

void check_nss(struct doctor *doctor)
{
	static const char path[] = "/etc/nsswitch.conf";
	static const char *const databases[] = { "passwd", "group", "initgroups" };
	AUTO_BUF struct buf text = { 0 };
	int r = look_read(doctor->root, path, &text);

	if (r < 0 && r != -ENOENT) {
		doctor_unread(doctor, FINDING_NSS, r, path);
		return;
	}
	doctor_looked(doctor, FINDING_NSS);
	for (size_t i = 0; i < ARRAY_SIZE(databases); i++) {
		unsigned line;
		enum nsswitch_place place = nsswitch_find(
		    text.data ? text.data : "", text.len, databases[i], "k8sauth", &line);
		AUTO_FREE char *where = line ? text_of("%s:%u", path, line) : text_of("%s: %s", path, databases[i]);

		/* Without a line for initgroups libc takes that of group. */
		if (place == NSSWITCH_THERE || (place == NSSWITCH_NO_LINE && streq(databases[i], "initgroups")))
			continue;
		doctor_find(doctor, FINDING_NSS, where,
		    place == NSSWITCH_CUT_OFF ? "an action in front of k8sauth ends the search for %s"
					      : "no k8sauth for %s",
		    databases[i]);
	}
}

void check_accounts(struct doctor *doctor)
{
	AUTO_FREE char *path = text_of("%s%s", doctor->root, K8SAUTH_ACCOUNTS_CONF);
	AUTO_CONF struct accounts_conf *conf = NULL;
	char why[512] = "";
	int r = conf_load(path, doctor->owner, &conf, why, sizeof(why));

	if (r < 0) {
		doctor_unread(doctor, FINDING_ACCOUNT_SHARED, r == -EACCES ? r : -EINVAL, why);
		return;
	}
	doctor_looked(doctor, FINDING_ACCOUNT_SHARED);
	for (size_t i = 0; i < conf->n_locals; i++) {
		const struct conf_local *local = &conf->locals[i];
		AUTO_FREE char *where = text_of("%s: local \"%s\"", K8SAUTH_ACCOUNTS_CONF, local->name);

		if (local->n_service_accounts > 1)
			doctor_find(doctor, FINDING_ACCOUNT_SHARED, where, "opened to %zu service accounts",
			    local->n_service_accounts);
	}
}

/* --- the daemon ------------------------------------------------------------------------------ */

void check_daemon(struct doctor *doctor, struct cli *cli)
{
	AUTO_REPLY struct reply reply = { 0 };

	doctor_looked(doctor, FINDING_DAEMON);
	/* This machine's, wherever the shell points. */
	if (setenv("VAULT_ADDR", "unix://" K8SAUTH_API_SOCKET, 1) < 0 || unsetenv("VAULT_AGENT_ADDR") < 0)
		abort();
	if (client_new(cli) != CLI_OK || client_send(cli, "GET", "sys/seal-status", NULL, NULL, &reply) < 0) {
		const char *error = reply.error ? reply.error : "no answer";

		doctor_find(doctor, FINDING_DAEMON, K8SAUTH_API_SOCKET, "%.*s", (int)strcspn(error, "\n"), error);
		return;
	}
	doctor_looked(doctor, FINDING_SEALED);
	if (!value_get_bool(reply.json, "initialized"))
		doctor_find(doctor, FINDING_SEALED, K8SAUTH_API_SOCKET, "not initialized");
	else if (value_get_bool(reply.json, "sealed"))
		doctor_find(doctor, FINDING_SEALED, K8SAUTH_API_SOCKET, "sealed");
}
