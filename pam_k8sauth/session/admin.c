/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an administrator asks about sessions, and a user about the user's own (design.md 4, decision 24): list, show,
 * kill, revoke, explain, and which account a service account has. Nothing here tells a token.
 */
#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "session/state.h"

struct identity {
	char mount[128]; /* "": any */
	char namespace_name[64], service_account[254];
};

/* "[MOUNT/]NAMESPACE/SERVICEACCOUNT"; a mount may hold '/' itself. */
static bool identity_read(const char *text, struct identity *ret)
{
	const char *name = strrchr(text, '/'), *space = name;

	*ret = (struct identity){ 0 };
	while (space && space > text && space[-1] != '/')
		space--;
	if (!name || (size_t)(name - space) >= sizeof(ret->namespace_name) ||
	    strlen(name + 1) >= sizeof(ret->service_account) || (size_t)(space - text) > sizeof(ret->mount))
		return false;
	memcpy(ret->namespace_name, space, (size_t)(name - space));
	memcpy(ret->service_account, name + 1, strlen(name + 1));
	if (space > text)
		memcpy(ret->mount, text, (size_t)(space - text) - 1);
	return (space == text || (ret->mount[0] && ret->mount[0] != '/')) &&
	       account_namespace_valid(ret->namespace_name) && account_service_account_valid(ret->service_account);
}

static bool identity_has(const struct identity *identity, const struct session_record *record)
{
	return (!identity->mount[0] || streq(identity->mount, record->mount)) &&
	       streq(identity->namespace_name, record->namespace_name) &&
	       streq(identity->service_account, record->service_account);
}

/* --- explain --------------------------------------------------------------------------------- */

static const char *utc(int64_t unix_seconds, char ret[static 32])
{
	time_t at = (time_t)unix_seconds;
	struct tm tm;

	gmtime_r(&at, &tm);
	strftime(ret, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return ret;
}

/* TEXT for JSON, although it may have been cut inside a character, or quote a server's odd bytes. */
static json_t *text_json(const char *text)
{
	char *copy AUTO_FREE = NULL;

	if (utf8_valid(text, strlen(text)))
		return json_string(text);
	copy = strdup(text);
	for (char *c = copy; c && *c; c++)
		*c = (unsigned char)*c < 0x80 ? *c : '?';
	return copy ? json_string(copy) : NULL;
}

int sessions_admin_explain(void *arg, uid_t uid, const char *ref, json_t **ret)
{
	const struct sessions *all = arg;
	const struct refusal *refusal = sessions_explain(all, ref);
	char when[32];

	if (uid != 0 && (!refusal || !sessions_user_is(all, refusal->user, uid)))
		return -EACCES;
	if (!refusal)
		return -ENOENT;
	*ret = json_pack("{s:s,s:s,s:s,s:s,s:s,s:o,s:o,s:s}", "ref", refusal->ref, "user", refusal->user, "service",
	    refusal->service, "rhost", refusal->rhost, "step", refusal->step, "reason", text_json(refusal->reason),
	    "remedy", text_json(refusal->remedy), "time", utc(refusal->when, when));
	return *ret ? 0 : -ENOMEM;
}

/* --- list and show --------------------------------------------------------------------------- */

static json_t *session_json(const struct session *session)
{
	static const char *const states[] = {
		[SESSION_PENDING] = "pending",
		[SESSION_OPENING] = "opening",
		[SESSION_OPEN] = "open",
		[SESSION_EXPIRED] = "expired",
		[SESSION_ENDED] = "ending",
	};
	const struct session_record *r = &session->record;
	char opened[32], expires[32], identity[sizeof(r->namespace_name) + sizeof(r->service_account)];

	snprintf(identity, sizeof(identity), "%s/%s", r->namespace_name, r->service_account);
	return json_pack("{s:s,s:s,s:s,s:I,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:i}", "id", r->id, "state",
	    states[r->state], "user", r->user, "uid", (json_int_t)r->uid, "service", r->service, "tty", r->tty, "rhost",
	    r->rhost, "opened", utc(r->created, opened), "expires",
	    utc(time(NULL) + (r->expires_at - monotonic_ms()) / 1000, expires), "identity", identity, "mount", r->mount,
	    "role", r->role, "accessor", r->accessor, "leader", (int)r->leader);
}

int sessions_admin_list(void *arg, uid_t uid, json_t **ret)
{
	const struct sessions *all = arg;
	json_t *keys = json_array(), *info = json_object();
	bool failed = !keys || !info;

	for (size_t i = 0; i < HASH_SIZE && !failed; i++) {
		for (const struct session *s = all->hash[i]; s && !failed; s = s->next) {
			if (session_visible(s, uid))
				failed = json_array_append_new(keys, json_string(s->record.id)) < 0 ||
					 json_object_set_new(info, s->record.id, session_json(s)) < 0;
		}
	}
	if (failed) {
		json_decref(keys);
		json_decref(info);
		return -ENOMEM;
	}
	*ret = json_pack("{s:o,s:o}", "keys", keys, "key_info", info);
	return *ret ? 0 : -ENOMEM;
}

int sessions_admin_show(void *arg, uid_t uid, const char *id, json_t **ret)
{
	const struct session_config *config = ((const struct sessions *)arg)->options.config;
	struct session *session;
	int r = session_for(arg, uid, id, &session);

	if (r < 0)
		return r;
	*ret = session_json(session);
	/* Where its token is good. */
	if (json_object_set_new(*ret, "vault_addr", json_string(config->vault_addr)) < 0 ||
	    (config->vault_cacert &&
		json_object_set_new(*ret, "vault_cacert", json_string(config->vault_cacert)) < 0)) {
		json_decref(*ret);
		return -ENOMEM;
	}
	return 0;
}

/* --- kill and revoke ------------------------------------------------------------------------- */

/* Somebody who waits for the end of some sessions. */
struct killing {
	unsigned waiting; /* answers that are still to come, and one for the loop that asks */
	struct sessions_ended result;
	sessions_ended_fn *done;
	void *arg;
};

static struct killing *killing_new(sessions_ended_fn *done, void *arg)
{
	struct killing *killing = calloc(1, sizeof(*killing));

	if (killing)
		*killing = (struct killing){ .waiting = 1, .done = done, .arg = arg };
	return killing;
}

static void killing_unref(struct killing *killing)
{
	if (--killing->waiting > 0)
		return;
	killing->done(killing->arg, &killing->result);
	free(killing);
}

static void on_killed(void *arg, bool over)
{
	struct killing *killing = arg;

	if (over)
		killing->result.ended++;
	else
		killing->result.unfinished++;
	killing_unref(killing);
}

static void killing_add(struct killing *killing, struct session *session, const char *why)
{
	killing->waiting++;
	session_end_then(session, why, on_killed, killing);
}

int sessions_admin_kill(void *arg, uid_t uid, const char *id, sessions_ended_fn *done, void *done_arg)
{
	struct killing *killing;
	struct session *session;
	char why[64];
	int r = session_for(arg, uid, id, &session);

	if (r < 0)
		return r;
	killing = killing_new(done, done_arg);
	if (!killing)
		return -ENOMEM;
	snprintf(why, sizeof(why), "killed by uid %u", uid);
	killing_add(killing, session, why);
	killing_unref(killing);
	return 0;
}

int sessions_admin_revoke(void *arg, const char *text, sessions_ended_fn *done, void *done_arg)
{
	struct sessions *all = arg;
	struct session *next;
	struct killing *killing;
	struct identity identity;

	if (!identity_read(text, &identity))
		return -EINVAL;
	killing = killing_new(done, done_arg);
	if (!killing)
		return -ENOMEM;
	sessions_forget_verified(all);
	for (size_t i = 0; i < HASH_SIZE; i++) {
		for (struct session *s = all->hash[i]; s; s = next) {
			next = s->next; /* S may be freed; no other is */
			if (!identity_has(&identity, &s->record))
				continue;
			/* A login that waits for its account's publication is nobody's but its own yet. */
			if (session_settled(s))
				killing_add(killing, s, "its service account is revoked");
			else
				killing->result.under_way++;
		}
	}
	killing_unref(killing);
	return 0;
}

/* --- names ----------------------------------------------------------------------------------- */

/* The cluster of IDENTITY: the named one, or the only one. */
static const struct cluster_config *cluster_for(
    const struct sessions *all, const struct identity *identity, const char *text, char *why, size_t why_size)
{
	const struct session_config *config = all->options.config;

	for (size_t i = 0; i < config->n_clusters; i++) {
		if (identity->mount[0] ? streq(config->clusters[i].mount, identity->mount) : config->n_clusters == 1)
			return &config->clusters[i];
	}
	if (identity->mount[0])
		snprintf(why, why_size, "no cluster \"%s\" in k8sauth.hcl", identity->mount);
	else if (config->n_clusters == 0)
		snprintf(why, why_size, "no cluster block in k8sauth.hcl: no service account has an account here");
	else
		snprintf(why, why_size, "there are several clusters: say which one, as in %s/%s",
		    config->clusters[0].mount, text);
	return NULL;
}

int sessions_admin_name(void *arg, const char *text, json_t **ret, char *why, size_t why_size)
{
	const struct sessions *all = arg;
	const struct cluster_config *cluster;
	struct identity identity;
	struct account account;
	int r;

	if (!identity_read(text, &identity)) {
		snprintf(why, why_size, "not NAMESPACE/SERVICEACCOUNT, as Kubernetes names them");
		return -EINVAL;
	}
	cluster = cluster_for(all, &identity, text, why, why_size);
	if (!cluster)
		return -EINVAL;
	r = accounts_name(all->options.accounts, cluster->unix_prefix, identity.namespace_name,
	    identity.service_account, &account, why, why_size);
	if (r < 0)
		return r;
	*ret = json_pack("{s:s,s:I,s:I,s:s}", "name", account.name, "uid", (json_int_t)account.uid, "gid",
	    (json_int_t)account.gid, "mount", cluster->mount);
	snprintf(why, why_size, "out of memory");
	return *ret ? 0 : -ENOMEM;
}
