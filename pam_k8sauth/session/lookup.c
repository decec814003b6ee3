/* SPDX-License-Identifier: Apache-2.0 */
/* NSS's question: what would the account of this name be? Anybody may ask; the answer is no secret. */
#include <errno.h>

#include "session/state.h"

static void reply_account(struct wire_conn *conn, const struct account *account)
{
	AUTO_BUF struct buf reply = { 0 };

	wire_begin(&reply, WIRE_LOOKUP | WIRE_REPLY);
	wire_add_u32(&reply, WIRE_STATUS, WIRE_STATUS_OK);
	wire_add_str(&reply, WIRE_USER, account->name);
	wire_add_u32(&reply, WIRE_UID, account->uid);
	wire_add_u32(&reply, WIRE_GID, account->gid);
	wire_add_str(&reply, WIRE_GECOS, account->gecos);
	wire_add_str(&reply, WIRE_HOME, account->home);
	wire_add_str(&reply, WIRE_SHELL, account->shell);
	for (size_t i = 0; i < account->n_groups; i++)
		wire_add_u32(&reply, WIRE_GROUP, account->groups[i]);
	if (wire_end(&reply) < 0)
		buf_free(&reply);
	wire_reply(conn, &reply);
}

void lookup_request(
    struct sessions *all, struct wire_conn *conn, const struct wire_frame *request, const struct wire_peer *peer)
{
	char *name AUTO_FREE = wire_get_str(request, WIRE_USER);
	struct account account = { 0 };
	int r;

	if (!name || !sessions_cluster(all, name)) {
		wire_reply_status(conn, request->type, WIRE_STATUS_NOT_OURS, NULL, NULL);
		return;
	}
	if (peer->uid != 0 && !rate_lookup(all, peer->uid)) {
		wire_reply_status(conn, request->type, WIRE_STATUS_LIMIT, NULL, "k8sauth: too many lookups");
		return;
	}
	r = accounts_lookup(all->options.accounts, name, (const char *const *)all->prefixes, &account);
	if (r == 0)
		reply_account(conn, &account);
	else if (r == -ENOENT)
		wire_reply_status(conn, request->type, WIRE_STATUS_NOT_FOUND, NULL, NULL);
	else
		wire_reply_status(conn, request->type, WIRE_STATUS_UNAVAILABLE, NULL, "k8sauth: account index broken");
}
