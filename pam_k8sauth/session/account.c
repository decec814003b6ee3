/* SPDX-License-Identifier: Apache-2.0 */
/*
 * May this account go on? No exchange, no entry (decision 17): a login by authorized_keys, cron or at made no exchange,
 * and would otherwise be access for ever.
 */
#include "session/state.h"

/* Whether an exchange of USER still counts: a session, or a login that is proven and about to become one. */
static bool lives(const struct sessions *all, const char *user)
{
	for (size_t i = 0; i < HASH_SIZE; i++) {
		for (const struct session *s = all->hash[i]; s; s = s->next) {
			if (s->record.state >= SESSION_PENDING && s->record.state <= SESSION_OPEN &&
			    s->record.uid != 0 && streq(s->record.user, user))
				return true;
		}
	}
	return false;
}

static bool keys_allowed(const struct sessions *all, const struct wire_frame *request, const char *service)
{
	const struct service_config *config = sessions_service(all, service);
	uint32_t keys = 0;

	return (config && config->keys_allow) || (wire_get_u32(request, WIRE_KEYS, &keys) && keys == 1);
}

/* Whether the request's handle proves an exchange of this user, for this service, from this host. */
static bool handle_proves(struct sessions *all, const struct wire_frame *request, const struct caller *caller)
{
	struct secret *handle AUTO_SECRET = wire_get_secret(request, WIRE_HANDLE);
	const struct session *session = session_by_handle(all, handle);
	struct wire_item rhost;

	return session && streq(session->record.user, caller->user) &&
	       streq(session->record.service, caller->service) &&
	       (!wire_get(request, WIRE_RHOST, &rhost) || streq(session->record.rhost, caller->rhost));
}

static void reply_yes(struct wire_conn *conn)
{
	wire_reply_status(conn, WIRE_ACCOUNT, WIRE_STATUS_OK, NULL, NULL);
}

void account_request(struct sessions *all, struct wire_conn *conn, const struct wire_frame *request)
{
	struct caller caller;
	struct wire_item item;
	const char *why;

	if (!caller_read(request, &caller, &why)) {
		session_refuse(all, conn, request->type, WIRE_STATUS_REFUSED, &caller, "account", "request",
		    "report this: the PAM module sends what it should not", "%s", why);
		return;
	}
	/* An opened local account concerns us only in a login that made an exchange. */
	if (!sessions_cluster(all, caller.user) &&
	    (!wire_get(request, WIRE_HANDLE, &item) || !sessions_login_cluster(all, caller.user))) {
		wire_reply_status(conn, request->type, WIRE_STATUS_NOT_OURS, NULL, NULL);
		return;
	}
	/* The trail has the exchange. */
	if (handle_proves(all, request, &caller) ||
	    (streq(caller.service, "systemd-user") && lives(all, caller.user))) {
		reply_yes(conn);
		return;
	}
	if (keys_allowed(all, request, caller.service)) {
		trail_allow(all, conn, WIRE_ACCOUNT, &caller, reply_yes);
		return;
	}
	if (streq(caller.service, "systemd-user"))
		session_refuse(all, conn, request->type, WIRE_STATUS_REFUSED, &caller, "account", "account",
		    "log in with a service account token", "the user has no live session");
	else if (wire_get(request, WIRE_HANDLE, &item))
		session_refuse(all, conn, request->type, WIRE_STATUS_REFUSED, &caller, "account", "account",
		    "log in again", "the login's handle is unknown, used, older than a minute or another login's");
	else
		session_refuse(all, conn, request->type, WIRE_STATUS_REFUSED, &caller, "account", "account",
		    "log in with a service account token; or, where keys, cron and at may stand for one for ever, set "
		    "keys = \"allow\" in the service block of k8sauth.hcl",
		    "no token was exchanged in this login (a key, cron, at)");
}
