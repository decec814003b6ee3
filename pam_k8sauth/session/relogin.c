/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session that logs in again (`k8sauth session login`): the exchange of a login through PAM, with the same checks,
 * but what it makes is a new token for a session that is there, for the same service account only.
 *
 * The login has a record of its own while it goes on, so what it makes is revoked like every login's that is cut off.
 * Then the two records change tokens: the session's is written first, and from there the session has the new token,
 * whatever comes; the login's record ends with the old one, which is revoked. A daemon that dies in between leaves the
 * login's record with the token that is the session's now: the next one sees by the session's record that it is.
 */
#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "session/login.h"

#define LATE_MS	   1000
#define UNFIT_SIZE 1152

/* Who waits for it. The session has it while it is there, and only one. */
struct relogin {
	struct sessions *all;
	char id[SESSION_ID_LEN + 1]; /* of the session, which may end at any time */
	char ref[REF_SIZE];
	session_login_fn *done;
	void *arg;
	bool writing;	    /* the files are being written */
	struct event *late; /* a refusal that waits its second */
	enum wire_status status;
	char reason[512], remedy[256];
};

static struct session *relogin_session(const struct relogin *relogin)
{
	struct session *session = relogin->all->closing ? NULL : session_find(relogin->all, relogin->id);

	return session && session->relogin == relogin ? session : NULL;
}

/* Answers; takes DATA (NULL where it is refused) over. */
static void relogin_answer(struct relogin *relogin, json_t *data)
{
	struct session *session = relogin_session(relogin);
	struct session_login_result result = {
		.status = relogin->status,
		.data = data,
		.ref = relogin->ref,
		.reason = relogin->reason,
		.remedy = relogin->remedy,
	};

	if (session)
		session->relogin = NULL;
	relogin->done(relogin->arg, &result);
	if (relogin->late)
		event_free(relogin->late);
	sessions_unref(relogin->all);
	free(relogin);
}

static void on_late(evutil_socket_t fd, short events, void *arg)
{
	relogin_answer(arg, NULL);
}

/* Answers a second later; false: it cannot wait. */
static bool relogin_wait(struct relogin *relogin)
{
	static const struct timeval after = { .tv_sec = LATE_MS / 1000 };

	relogin->late = relogin_session(relogin) ? evtimer_new(relogin->all->options.base, on_late, relogin) : NULL;
	return relogin->late && event_add(relogin->late, &after) == 0;
}

static void relogin_refuse(struct sessions *all, void *waiter, enum wire_status status, const struct caller *caller,
    const char *step, const char *remedy, const char *reason)
{
	struct relogin *relogin = waiter;

	relogin->status = status;
	snprintf(relogin->reason, sizeof(relogin->reason), "%s", reason ? reason : "k8sauthd is stopping");
	snprintf(relogin->remedy, sizeof(relogin->remedy), "%s", remedy ? remedy : "");
	if (reason)
		session_refuse(
		    all, NULL, WIRE_LOGIN, status, caller, "session login", step, remedy, "%s", relogin->reason);
	if (reason && status == WIRE_STATUS_REFUSED && rate_failure(all, caller) && relogin_wait(relogin))
		return;
	relogin_answer(relogin, NULL);
}

void relogin_session_gone(struct session *session)
{
	struct relogin *relogin = TAKE_PTR(session->relogin);

	if (!relogin || (!relogin->writing && !relogin->late))
		return; /* its login is under way, and finds out */
	if (relogin->writing) {
		relogin->status = WIRE_STATUS_UNAVAILABLE;
		snprintf(relogin->reason, sizeof(relogin->reason), "the session ended before its files were written");
	}
	relogin_answer(relogin, NULL);
}

void relogin_refreshed(struct session *session, const char *why)
{
	struct relogin *relogin = session->relogin;
	const struct service_config *service = sessions_service(session->all, session->record.service);
	const struct session_record *record = &session->record;
	char path[128];

	if (!relogin || !relogin->writing)
		return;
	snprintf(path, sizeof(path), "%s/%s/token", K8SAUTH_SESSIONS_DIR, record->id);
	relogin->status = WIRE_STATUS_OK;
	relogin_answer(relogin,
	    json_pack("{s:s, s:s, s:s, s:I, s:b, s:s, s:b}", "id", record->id, "user", record->user, "token_file", path,
		"ttl", (json_int_t)(record->expires_at - monotonic_ms()) / 1000, "files_written", !why, "role",
		record->role, "exported_token", service && service->export_token));
}

/* --- the end of its login -------------------------------------------------------------------- */

static bool same_identity(
    const struct session_record *session, const struct session_record *login, const struct account *account)
{
	return streq(session->mount, login->mount) && streq(session->namespace_name, login->namespace_name) &&
	       streq(session->service_account, login->service_account) &&
	       streq(session->service_account_uid, login->service_account_uid) && session->uid == account->uid &&
	       session->gid == account->gid;
}

/* LOGIN's record takes OLD, the token that its session had, to its end. */
static void old_token_end(struct session *login, const struct session_record *before, const struct session_secrets *old)
{
	memcpy(login->record.token_session, before->token_session, sizeof(login->record.token_session));
	login->record.expires_at = before->expires_at;
	login->record.state = SESSION_ENDED;
	login->files_gone = true; /* it never had any */
	if (session_save(login, old) == 0) {
		session_end_step(login);
		return;
	}
	log_error("session %s: its old token is not revoked and lives until it expires", before->id);
	session_drop(login);
}

/* SESSION and LOGIN change tokens. False: nothing has changed. */
static bool tokens_change(struct session *session, struct session *login)
{
	struct session_secrets new AUTO_SECRETS = { 0 }, old AUTO_SECRETS = { 0 };
	struct session_record before = session->record, *record = &session->record, ignored;

	if (table_get(session->all->table, login->slot, &ignored, &new) < 0 ||
	    table_get(session->all->table, session->slot, &ignored, &old) < 0)
		return false;
	block_leases_drop(session); /* they end with the token that they were made with */
	record->state = SESSION_OPEN;
	record->files_due = before.state == SESSION_OPEN ? FILES_REPLACE : FILES_ANEW;
	record->expires_at = login->record.expires_at;
	record->renew_at = login->record.renew_at;
	memcpy(record->token_session, login->record.token_session, sizeof(record->token_session));
	memcpy(record->role, login->record.role, sizeof(record->role));
	memcpy(record->accessor, login->record.accessor, sizeof(record->accessor));
	if (session_save(session, &new) < 0) {
		*record = before;
		return false;
	}
	old_token_end(login, &before, &old);
	return true;
}

static void relogin_say(const struct login *login, const struct session_record *record)
{
	log_line(LOG_INFO, login->caller.ref,
	    "k8sauth: session %s of %s for service %s goes on with a new login: %s/%s of %s as role %s, accessor %s%s",
	    record->id, record->user, record->service, record->namespace_name, record->service_account, record->mount,
	    record->role, record->accessor[0] ? record->accessor : "(none)", login->refusals);
}

/* Why SESSION cannot have what LOGIN made; NULL: it can. */
static const char *relogin_unfit(const struct session *session, const struct login *login,
    const struct account *account, char why[static UNFIT_SIZE])
{
	const struct session_record *new = &login->session->record, *now = session ? &session->record : NULL;

	if (!session || (now->state != SESSION_OPEN && now->state != SESSION_EXPIRED))
		return "the session has ended meanwhile";
	if (same_identity(now, new, account))
		return NULL;
	snprintf(why, UNFIT_SIZE, "the session is of %s/%s (uid %s) of %s, and the token of %s/%s (uid %s) of %s",
	    now->namespace_name, now->service_account, now->service_account_uid, now->mount, new->namespace_name,
	    new->service_account, new->service_account_uid, new->mount);
	return why;
}

static void relogin_made(struct login *login, const struct account *account)
{
	struct relogin *relogin = login->waiter;
	struct session *session = relogin_session(relogin);
	char text[UNFIT_SIZE], made[SESSION_ID_LEN + 1];
	const char *why = relogin_unfit(session, login, account, text);

	if (why) {
		login_session_end(login, "its login is refused");
		login_refuse(login, WIRE_STATUS_REFUSED, "identity",
		    "a session goes on for its own service account only: open another session", "%s", why);
		return;
	}
	memcpy(made, login->session->record.id, sizeof(made));
	if (!tokens_change(session, login->session)) {
		login_session_end(login, "its session's record cannot be written");
		login_refuse(login, WIRE_STATUS_INTERNAL, "table", NULL, "the session table cannot be written");
		return;
	}
	login->session = NULL;
	ticket_forget(login->all, made);
	relogin_say(login, &session->record);
	rotation_end(session); /* with the old token it would find nothing */
	session->files_gone = false;
	session->retry_ms = 0;
	session->refresh_at = 0;
	relogin->writing = true;
	login->waiter = NULL;
	login_free(login);
	session_arm(session);
}

static const struct login_end login_for_session = { .refuse = relogin_refuse, .made = relogin_made };

/* --- the request ----------------------------------------------------------------------------- */

/* The only expired session of UID. */
static int expired_of(struct sessions *all, uid_t uid, struct session **ret, char *why, size_t why_size)
{
	struct session *found = NULL;

	if (uid == 0) {
		snprintf(why, why_size, "which session? (k8sauth session list)");
		return -EINVAL;
	}
	for (size_t i = 0; i < HASH_SIZE; i++) {
		for (struct session *s = all->hash[i]; s; s = s->next) {
			if (s->record.state != SESSION_EXPIRED || s->record.uid != uid)
				continue;
			if (found) {
				snprintf(why, why_size, "several of your sessions have expired: say which one");
				return -EINVAL;
			}
			found = s;
		}
	}
	snprintf(why, why_size, "none of your sessions has expired: say which one is meant");
	*ret = found;
	return found ? 0 : -EINVAL;
}

static const struct cluster_config *cluster_of(const struct sessions *all, const struct session_record *record)
{
	const struct session_config *config = all->options.config;

	for (size_t i = 0; i < config->n_clusters; i++) {
		if (streq(config->clusters[i].mount, record->mount))
			return &config->clusters[i];
	}
	return NULL;
}

/* Who logs in is who the session is; the role is chosen as it was then. */
static void caller_of(const struct session_record *record, struct caller *ret)
{
	*ret = (struct caller){ 0 };
	log_new_ref(ret->ref);
	snprintf(ret->user, sizeof(ret->user), "%s", record->user);
	snprintf(ret->service, sizeof(ret->service), "%s", record->service);
	snprintf(ret->rhost, sizeof(ret->rhost), "%s", record->rhost);
	snprintf(ret->tty, sizeof(ret->tty), "%s", record->tty);
	snprintf(ret->session, sizeof(ret->session), "%s", record->id);
	snprintf(ret->role, sizeof(ret->role), "%s", record->role_named ? record->role : "");
}

static int relogin_start(struct session *session, uid_t uid, const struct cluster_config *cluster,
    struct secret **credential, session_login_fn *done, void *done_arg)
{
	struct relogin *relogin = calloc(1, sizeof(*relogin));
	struct login *login = NULL;
	struct caller caller;

	caller_of(&session->record, &caller);
	caller.uid = uid;
	if (relogin)
		login = login_new(session->all, &caller, cluster, &login_for_session, relogin);
	if (!login) {
		free(relogin);
		return -ENOMEM;
	}
	relogin->all = sessions_ref(session->all);
	relogin->done = done;
	relogin->arg = done_arg;
	memcpy(relogin->id, session->record.id, sizeof(relogin->id));
	memcpy(relogin->ref, caller.ref, sizeof(relogin->ref));
	session->relogin = relogin;
	login_start(login, TAKE_PTR(*credential));
	return 0;
}

int sessions_admin_login(void *arg, uid_t uid, const char *id, struct secret *credential, session_login_fn *done,
    void *done_arg, char *why, size_t why_size)
{
	struct secret *owned AUTO_SECRET = credential;
	const struct cluster_config *cluster;
	struct session *session = NULL;
	int r;

	snprintf(why, why_size, "no such session");
	r = id ? session_for(arg, uid, id, &session) : expired_of(arg, uid, &session, why, why_size);
	if (r < 0)
		return r;
	if (session->record.state != SESSION_OPEN && session->record.state != SESSION_EXPIRED) {
		snprintf(why, why_size, "the session is not open");
		return -EINVAL;
	}
	if (session->relogin) {
		snprintf(why, why_size, "a login of this session is under way: wait for its end");
		return -EINVAL;
	}
	cluster = cluster_of(arg, &session->record);
	if (!cluster) {
		snprintf(why, why_size, "cluster \"%s\" is not in k8sauth.hcl any more", session->record.mount);
		return -EINVAL;
	}
	return relogin_start(session, uid, cluster, &owned, done, done_arg);
}
