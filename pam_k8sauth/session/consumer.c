/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may ask to verify (experiments.md, "Callers that are not root"): root; the program of a consumer block, by its
 * uid and, where the block says so, its systemd unit; and a user about the user's own account (screen lockers). A
 * program that the consumer starts for somebody else (PostgreSQL's COPY ... TO PROGRAM) is the consumer to us: what it
 * is told must be worth nothing to it.
 */
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>

#include "accounts/local.h"
#include "base/text.h"
#include "session/verify.h"

#define UIDS_MS		     5000
#define CONSUMER_CONNECTIONS 128 /* a web server's threads all wait for one answer when the one in memory has gone */

static const struct consumer_config *consumer_of(const struct sessions *all, const char *service)
{
	const struct session_config *config = all->options.config;

	for (size_t i = 0; i < config->n_consumers; i++) {
		if (streq(config->consumers[i].service, service))
			return &config->consumers[i];
	}
	return NULL;
}

/* What NAME, of a block, is: /etc/passwd tells, and nobody else is asked. LOCAL_NO_ID: nobody. */
static uint32_t uid_of(const char *name)
{
	struct local_user local;

	if (*name && strspn(name, "0123456789") == strlen(name)) {
		unsigned long uid = strtoul(name, NULL, 10);

		return uid < LOCAL_NO_ID ? (uint32_t)uid : LOCAL_NO_ID;
	}
	return local_find_user(LOCAL_PASSWD, name, LOCAL_NO_ID, &local) == 0 ? local.uid : LOCAL_NO_ID;
}

/* Whether BLOCK's program runs as UID. Who is who is looked up every few seconds, since users come with packages. */
static bool uid_fits(struct sessions *all, const struct consumer_config *block, uid_t uid)
{
	const struct session_config *config = all->options.config;
	int64_t now = monotonic_ms();

	if (!all->consumer_uids || now >= all->consumer_uids_until) {
		if (!all->consumer_uids)
			all->consumer_uids = calloc(config->n_consumers, sizeof(*all->consumer_uids));
		if (!all->consumer_uids)
			return false;
		for (size_t i = 0; i < config->n_consumers; i++)
			all->consumer_uids[i] = uid_of(config->consumers[i].uid);
		all->consumer_uids_until = now + UIDS_MS;
	}
	return uid != LOCAL_NO_ID && all->consumer_uids[block - config->consumers] == uid;
}

unsigned sessions_connections(void *arg, uid_t uid)
{
	struct sessions *all = arg;
	const struct session_config *config = all->options.config;

	for (size_t i = 0; i < config->n_consumers; i++) {
		if (uid_fits(all, &config->consumers[i], uid))
			return CONSUMER_CONNECTIONS;
	}
	return WIRE_PER_UID;
}

/* Whether PEER runs in BLOCK's unit; if not, WHY. */
static bool unit_fits(const struct sessions *all, const struct consumer_config *block, const struct wire_peer *peer,
    char *why, size_t size)
{
	char *unit AUTO_FREE = NULL;
	int r;

	if (!block->unit)
		return true;
	r = all->options.peer_unit ? all->options.peer_unit(peer, &unit) : -ENOSYS;
	if (r < 0)
		snprintf(why, size, "the systemd unit of pid %d cannot be told: %s", peer->pid, strerror(-r));
	else if (fnmatch(block->unit, unit, FNM_NOESCAPE) != 0)
		snprintf(why, size, "pid %d runs in %.100s, and the consumer is %.64s", peer->pid, unit, block->unit);
	else
		return true;
	return false;
}

/* Whether BLOCK lets PEER verify CALLER's user. */
static bool block_fits(struct sessions *all, const struct consumer_config *block, const struct wire_peer *peer,
    const struct caller *caller, struct consumer_verdict *verdict)
{
	if (!block) {
		snprintf(verdict->why, sizeof(verdict->why), "there is no consumer \"%s\"", caller->service);
		return false;
	}
	if (!uid_fits(all, block, peer->uid)) {
		snprintf(verdict->why, sizeof(verdict->why), "the consumer runs as %.64s", block->uid);
		return false;
	}
	if (!unit_fits(all, block, peer, verdict->why, sizeof(verdict->why)))
		return false;
	if (!block->users || fnmatch(block->users, caller->user, FNM_NOESCAPE) == 0)
		return true;
	snprintf(verdict->why, sizeof(verdict->why), "the consumer's users are %.64s", block->users);
	return false;
}

static bool has(char *const *roles, const char *role)
{
	while (*roles && !streq(*roles, role))
		roles++;
	return *roles;
}

/* Which roles count: the PAM line's, else the block's, else the service's. Only root is believed what the line says. */
static void choose_roles(const struct sessions *all, const struct consumer_config *block, uid_t uid,
    struct caller *caller, struct consumer_verdict *verdict)
{
	const struct service_config *service = sessions_service(all, caller->service);

	verdict->roles = block && block->roles ? block->roles : service ? service->roles : NULL;
	if (!caller->role[0])
		return;
	if (uid != 0 && verdict->roles && !has(verdict->roles, caller->role)) {
		verdict->allowed = false;
		snprintf(verdict->why, sizeof(verdict->why), "the PAM line's role=%.100s is none of the consumer's",
		    caller->role);
		snprintf(verdict->remedy, sizeof(verdict->remedy),
		    "add the role to those of consumer \"%s\" in k8sauth.hcl, or take role= off the line",
		    caller->service);
		return;
	}
	verdict->only[0] = caller->role;
	verdict->roles = verdict->only;
}

void consumer_judge(
    struct sessions *all, const struct wire_peer *peer, struct caller *caller, struct consumer_verdict *ret)
{
	const struct consumer_config *block = consumer_of(all, caller->service);

	*ret = (struct consumer_verdict){ 0 };
	ret->allowed = peer->uid == 0 || block_fits(all, block, peer, caller, ret) ||
		       sessions_user_is(all, caller->user, peer->uid);
	snprintf(ret->remedy, sizeof(ret->remedy),
	    "if this program should ask, write consumer \"%s\" { uid = \"%u\" } in k8sauth.hcl, see k8sauth.hcl(5)",
	    caller->service, peer->uid);
	if (ret->allowed)
		choose_roles(all, block, peer->uid, caller, ret);
}
