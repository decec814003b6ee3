/* SPDX-License-Identifier: Apache-2.0 */
/* sys/init: the first keys and the first root token (vault-core.md 7.2). */
#include "vault/embedded/init.h"

#include <errno.h>

#include "vault/embedded/sys/sys.h"

int sys_init_status(struct call *call)
{
	return sys_answer(call, 200, json_pack("{s:b}", "initialized", call->core->initialised));
}

/* The root token of a new store is for root of this machine alone; a server's for who asks first (design.md 4). */
static bool may_initialise(const struct call *call)
{
	return sys_is_root(call) || (call->request->peer.kind == VAULT_PEER_TCP && call->core->init_over_tcp);
}

static int read_shape(
    struct call *call, const char *const names[2], const char *const go[2], struct seal_shape *ret)
{
	int r = sys_raw_int(call, names[0], go[0], &ret->shares);

	return r ? r : sys_raw_int(call, names[1], go[1], &ret->threshold);
}

/* How the key of people is to be cut. 0 or 1 after a refusal. */
static int wanted_shape(struct call *call, struct seal_shape *ret)
{
	static const char *const secret[] = { "secret_shares", "secret_threshold" };
	static const char *const secret_go[] = { "InitRequest.secret_shares", "InitRequest.secret_threshold" };
	static const char *const recovery[] = { "recovery_shares", "recovery_threshold" };
	static const char *const recovery_go[] = { "InitRequest.recovery_shares", "InitRequest.recovery_threshold" };
	const struct seal_kind *kind = call->core->seal->kind;
	struct seal_shape keys = { 0 }, recovery_keys = { 0 };
	const struct seal_shape *other = kind->by_shares ? &recovery_keys : &keys;
	const char *const *other_names = kind->by_shares ? recovery : secret;
	const char *fault;

	if (read_shape(call, secret, secret_go, &keys) || read_shape(call, recovery, recovery_go, &recovery_keys))
		return 1;
	*ret = kind->by_shares ? keys : recovery_keys;
	fault = seal_shape_fault(ret);
	if (other->shares || other->threshold)
		call_error(call, 400, "parameters %s%s%s not applicable to seal type %s",
		    other->shares ? other_names[0] : "", other->shares && other->threshold ? "," : "",
		    other->threshold ? other_names[1] : "", kind->type);
	else if (!kind->by_shares && ret->shares < 1)
		call_error(call, 400, "recovery configuration must specify a positive number of shares");
	else if (fault)
		call_error(call, 400, "invalid %s configuration: %s", kind->by_shares ? "seal" : "recovery", fault);
	else
		return 0;
	return 1;
}

static int check(struct call *call, struct seal_shape *ret)
{
	static const char *const pgp[] = { "pgp_keys", "recovery_pgp_keys", "root_token_pgp_key", NULL };

	if (!may_initialise(call)) {
		call_error(call, 403,
		    "initialising is for root of this machine: ask the api socket as root, not over the network");
		return 1;
	}
	if (sys_raw_body(call))
		return 1;
	if (sys_refuse_pgp(call, pgp) || wanted_shape(call, ret))
		return 1;
	if (!call->core->initialised && (!call->core->initialising || call->state))
		return 0;
	call_error(call, 400, "Vault is already initialized");
	return 1;
}

int sys_init(struct call *call)
{
	bool by_shares = call->core->seal->kind->by_shares;
	struct seal_shape shape;
	struct core_first first;
	json_t *body;
	size_t n;
	int r;

	if (check(call, &shape))
		return 0;
	r = core_initialise(call, &shape, NULL, &first);
	if (r == -EKEYREJECTED)
		return call_error(
		    call, 500, "the seal could not wrap the root key: the journal of k8sauthd says why");
	if (r < 0)
		return r;
	n = (size_t)shape.shares;
	body = json_pack("{s:o, s:o}", "keys", sys_shares(first.shares, by_shares ? n : 0, false), "keys_base64",
	    sys_shares(first.shares, by_shares ? n : 0, true));
	if (body && !by_shares &&
	    (json_object_set_new(body, "recovery_keys", sys_shares(first.shares, n, false)) ||
		json_object_set_new(body, "recovery_keys_base64", sys_shares(first.shares, n, true)))) {
		json_decref(body);
		return -ENOMEM;
	}
	if (body && json_object_set_new(body, "root_token", json_string(secret_reveal(first.root_token)))) {
		json_decref(body);
		return -ENOMEM;
	}
	return sys_answer(call, 200, body);
}
