/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify (decision 22): is this credential this user's? Yes or no, and nothing else: no token is made, no session, no
 * handle. The same question within a short time is answered from memory, and asked once however many wait for it.
 */
#include <stdio.h>

#include "base/metrics.h"
#include "base/text.h"
#include "session/verify.h"

/* Roles, mounts and entities are the backend's, names accounts.conf's, the rest of what an answer hangs on is forgotten by hand. */
static uint64_t epoch_of(const struct sessions *all)
{
	return all->options.vault->logins_changed + accounts_conf_number(all->options.accounts) +
	       all->verifier->forgotten;
}

void sessions_forget_verified(void *arg)
{
	struct sessions *all = arg;

	all->verifier->forgotten++;
}

/* --- who waits ------------------------------------------------------------------------------- */

static void reply_yes(struct wire_conn *conn)
{
	metric_count(METRIC_PAM_REQUESTS, METRIC_LABELS("verify", "success", ""));
	wire_conn_on_gone(conn, NULL, NULL);
	wire_reply_status(conn, WIRE_VERIFY, WIRE_STATUS_OK, NULL, NULL);
}

/* What was asked once is answered once more: the trail has both, under the reference REF of the exchange. */
static void reply_yes_again(
    struct sessions *all, struct wire_conn *conn, const struct caller *caller, const char ref[static REF_SIZE])
{
	struct caller again = *caller;

	again.remembered = true;
	memcpy(again.ref, ref, sizeof(again.ref));
	trail_allow(all, conn, WIRE_VERIFY, &again, reply_yes);
}

/* Takes the first one that waits; NULL. */
static struct wire_conn *waiter_take(struct verification *verification)
{
	struct verify_waiter *waiter = TAILQ_FIRST(&verification->waiters);
	struct wire_conn *conn = waiter ? waiter->conn : NULL;

	if (!waiter)
		return NULL;
	TAILQ_REMOVE(&verification->waiters, waiter, link);
	wire_conn_on_gone(conn, NULL, NULL);
	free(waiter);
	return conn;
}

/* It does not wait any more. The answer is still of use: it will be asked for again. */
static void on_waiter_gone(void *arg)
{
	struct verify_waiter *waiter = arg;
	struct wire_conn *conn = waiter->conn;

	TAILQ_REMOVE(&waiter->verification->waiters, waiter, link);
	free(waiter);
	wire_reply_status(conn, WIRE_VERIFY, WIRE_STATUS_UNAVAILABLE, NULL, NULL);
}

static bool waiter_add(struct verification *verification, struct wire_conn *conn)
{
	struct verify_waiter *waiter = malloc(sizeof(*waiter));

	if (!waiter)
		return false;
	*waiter = (struct verify_waiter){ .verification = verification, .conn = conn };
	TAILQ_INSERT_TAIL(&verification->waiters, waiter, link);
	wire_conn_on_gone(conn, on_waiter_gone, waiter);
	return true;
}

/* --- the answer ------------------------------------------------------------------------------ */

static void verify_over(struct login *login)
{
	struct verifier *verifier = login->all->verifier;
	unsigned i = 0;

	while (verifier->asking[i] != login->caller.uid)
		i++;
	verifier->asking[i] = verifier->asking[--verifier->n_asking];
}

static void verify_refuse(struct sessions *all, void *arg, enum wire_status status, const struct caller *caller,
    const char *step, const char *remedy, const char *reason)
{
	struct verification *verification = arg;
	struct wire_conn *conn = waiter_take(verification);

	if (reason)
		session_refuse(all, conn, WIRE_VERIFY, status, caller, "verify", step, remedy, "%s", reason);
	else if (conn)
		wire_reply_status(conn, WIRE_VERIFY, status, NULL, "k8sauth: stopping, try again");
	while ((conn = waiter_take(verification)))
		session_refuse_again(all, conn, WIRE_VERIFY, status, caller);
	verify_end(verification, false, status == WIRE_STATUS_REFUSED ? VERIFY_NO_MS : 0, epoch_of(all));
}

/* How long a yes counts. */
static int64_t yes_ms(int64_t expires)
{
	int64_t left = expires - time(NULL);

	return expires == 0 || left > VERIFY_YES_MS / 1000 ? VERIFY_YES_MS : left * 1000;
}

static void verify_yes(struct login *login)
{
	struct verification *verification = TAKE_PTR(login->waiter);
	const struct caller *caller = &login->caller;
	struct wire_conn *conn;

	log_line(LOG_INFO, caller->ref, "k8sauth: verify of %s for service %s%s%s: yes, as role %s, asked by uid %u",
	    caller->user, caller->service, caller->rhost[0] ? " from " : "", caller->rhost, caller->role, caller->uid);
	conn = waiter_take(verification);
	if (conn)
		reply_yes(conn);
	while ((conn = waiter_take(verification)))
		reply_yes_again(login->all, conn, caller, caller->ref);
	verify_end(verification, true, yes_ms(login->expires), epoch_of(login->all));
	login_free(login);
}

/* The token that was in a ticket. A repeat is answered from memory, or it is one too many: nothing else is a repeat. */
static void give_back(struct login *login)
{
	if (!login->session)
		return;
	if (login->waiter)
		ticket_forget(login->all, login->session->record.id);
	login_session_end(login, "it was to be verified, and nothing else");
}

static void on_verify_claimed(void *arg, enum account_verdict verdict, const struct account *account, const char *why)
{
	struct login *login = arg;
	bool outage = verdict == ACCOUNT_HELPER_DOWN || verdict == ACCOUNT_INDEX_BROKEN;

	if (!login_goes_on(login))
		return;
	if (verdict == ACCOUNT_OK && account->uid != 0)
		verify_yes(login);
	else if (verdict == ACCOUNT_OK)
		login_refuse(
		    login, WIRE_STATUS_REFUSED, "account", "take root out of accounts.conf", "the account is root");
	else
		login_refuse(login, outage ? WIRE_STATUS_UNAVAILABLE : WIRE_STATUS_REFUSED, "account",
		    verdict == ACCOUNT_HELPER_DOWN ? "systemctl status k8sauth-helper.socket k8sauth-helper" : NULL,
		    "%s", why ? why : "the account is refused");
}

static void verify_proved(struct login *login, const json_t *auth, int64_t expires)
{
	struct account_identity identity = login_identity(login, auth);

	if (!login->all->closing)
		give_back(login);
	if (!login_goes_on(login))
		return;
	if (!identity.namespace_name[0] || !identity.service_account[0] || !identity.service_account_uid[0]) {
		login_refuse(login, WIRE_STATUS_REFUSED, "exchange", NULL, "the answer names no service account");
		return;
	}
	login->expires = expires;
	login->step = "account";
	accounts_claim(login->all->options.accounts, login->caller.user, &identity, on_verify_claimed, login);
}

static const struct login_end login_for_answer = {
	.refuse = verify_refuse,
	.proved = verify_proved,
	.over = verify_over,
};

/* --- the question ---------------------------------------------------------------------------- */

/* A question as it comes in. */
struct verify_call {
	struct sessions *all;
	struct wire_conn *conn;
	struct caller caller;
	const struct cluster_config *cluster;
	struct secret *credential;
	char *const *roles;
};

/* Refuses for a limit, which is SAID once a minute. */
static void over_limit(struct verify_call *call, const char *what, bool said)
{
	call->caller.quiet = !said;
	session_refuse(call->all, call->conn, WIRE_VERIFY, WIRE_STATUS_LIMIT, &call->caller, "verify", "limit",
	    "look in the journal for who asks so often", "%s (uid %u; said once a minute)", what, call->caller.uid);
}

/*
 * Whether one more question may be asked now; if not, the call is answered. A question whose answer was yes lately is
 * asked again when others are not: else whoever shows wrong credentials, for any user, would keep out who has the right
 * one.
 */
static bool may_ask(struct verify_call *call, const unsigned char *key)
{
	static const char *const of_one = "too many verifications of one uid at once",
				 *const of_all = "too many verifications at once",
				 *const a_second = "too many verifications of one uid in a second",
				 *const wrong = "too many wrong credentials of this user from there";
	struct sessions *all = call->all;
	const struct verifier *verifier = all->verifier;
	bool known = verify_was_yes(verifier, key);
	uid_t uid = call->caller.uid;
	unsigned same = 0, more = known ? VERIFY_ASKED_MORE : 0;

	for (unsigned i = 0; i < verifier->n_asking; i++)
		same += verifier->asking[i] == uid;
	if (uid != 0 && same >= VERIFY_ASKED_UID + more)
		over_limit(call, of_one, rate_say(all, of_one, uid));
	else if (verifier->n_asking >= VERIFY_ASKED + more)
		over_limit(call, of_all, rate_say(all, of_all, uid));
	else if (!known && !rate_guess(all, &call->caller))
		over_limit(call, wrong, rate_say_failures(all, &call->caller));
	else if (uid != 0 && !rate_verify(all, uid, known))
		over_limit(call, a_second, rate_say(all, a_second, uid));
	else
		return true;
	return false;
}

static void out_of_memory(struct verify_call *call)
{
	session_refuse(call->all, call->conn, WIRE_VERIFY, WIRE_STATUS_INTERNAL, &call->caller, "verify", "request",
	    NULL, "out of memory");
}

/* Asks the backend. */
static void verify_start(struct verify_call *call, const unsigned char *key)
{
	struct sessions *all = call->all;
	struct verification *verification = verify_begin(all->verifier, key, epoch_of(all), call->caller.ref);
	struct login *login = NULL;

	if (verification && waiter_add(verification, call->conn))
		login = login_new(all, &call->caller, call->cluster, &login_for_answer, verification);
	if (!login) {
		if (verification) {
			(void)waiter_take(verification);
			verify_drop(verification);
		}
		out_of_memory(call);
		return;
	}
	all->verifier->asking[all->verifier->n_asking++] = call->caller.uid;
	if (call->roles && (!roles_set(login, call->roles) || login->n_candidates == 0))
		login_refuse(login, WIRE_STATUS_INTERNAL, "role", NULL, "no role to try, or out of memory");
	else
		login_start(login, TAKE_PTR(call->credential));
}

static void verify_answer(struct verify_call *call)
{
	const struct verify_question question = {
		.caller = &call->caller,
		.mount = call->cluster->mount,
		.roles = call->roles,
		.credential = call->credential,
	};
	unsigned char key[VERIFY_KEY_SIZE];
	struct verification *known;

	if (!verify_key(call->all->verifier, &question, key)) {
		out_of_memory(call);
		return;
	}
	known = verify_find(call->all->verifier, key, epoch_of(call->all));
	if (known && known->state == VERIFY_ASKING) {
		if (!waiter_add(known, call->conn))
			out_of_memory(call);
	} else if (known && known->state == VERIFY_YES) {
		log_line(LOG_DEBUG, known->ref, "verify of %s for service %s: yes, as before", call->caller.user,
		    call->caller.service);
		reply_yes_again(call->all, call->conn, &call->caller, known->ref);
	} else if (known) {
		memcpy(call->caller.ref, known->ref, sizeof(call->caller.ref));
		session_refuse_again(call->all, call->conn, WIRE_VERIFY, WIRE_STATUS_REFUSED, &call->caller);
	} else if (may_ask(call, key)) {
		verify_start(call, key);
	}
}

/* The credential, once it is settled that PEER may ask. */
static void verify_credential(struct verify_call *call, const struct wire_frame *request)
{
	const char *remedy = NULL;
	char reason[128];

	call->credential = wire_get_secret(request, WIRE_CREDENTIAL);
	if (!call->credential || !credential_check(call->credential, reason, sizeof(reason), &remedy))
		session_refuse(call->all, call->conn, WIRE_VERIFY, WIRE_STATUS_REFUSED, &call->caller, "verify",
		    "credential", remedy, "%s", call->credential ? reason : "there is no credential");
	else
		verify_answer(call);
	secret_free(call->credential);
}

void verify_request(
    struct sessions *all, struct wire_conn *conn, const struct wire_frame *request, const struct wire_peer *peer)
{
	struct verify_call call = { .all = all, .conn = conn };
	struct consumer_verdict verdict;
	const char *why;

	if (!caller_read(request, &call.caller, &why)) {
		call.caller.uid = peer->uid;
		call.caller.quiet = peer->uid != 0 && !rate_say(all, "odd requests", peer->uid);
		session_refuse(
		    all, conn, WIRE_VERIFY, WIRE_STATUS_REFUSED, &call.caller, "verify", "request", NULL, "%s", why);
		return;
	}
	call.caller.uid = peer->uid;
	consumer_judge(all, peer, &call.caller, &verdict);
	if (!verdict.allowed) {
		call.caller.quiet = !rate_say(all, "no consumers", peer->uid);
		session_refuse(all, conn, WIRE_VERIFY, WIRE_STATUS_DENIED, &call.caller, "verify", "consumer",
		    verdict.remedy, "uid %u may not ask: %s (said once a minute)", peer->uid, verdict.why);
		return;
	}
	call.cluster = sessions_login_cluster(all, call.caller.user);
	if (!call.cluster) {
		wire_reply_status(conn, WIRE_VERIFY, WIRE_STATUS_NOT_OURS, NULL, NULL);
		return;
	}
	call.roles = verdict.roles;
	verify_credential(&call, request);
}
