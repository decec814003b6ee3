/* SPDX-License-Identifier: Apache-2.0 */
/* sys/rekey/init and its like: how keys come to be replaced, and how far that is (vault-core.md 7.2). */
#include "vault/embedded/sys/rekey.h"

#include <errno.h>

#include "base/text.h"

bool rekey_is_recovery(const struct call *call)
{
	return starts_with(call->rest, "rekey-recovery-key/");
}

struct rekey *rekey_of(struct call *call)
{
	struct seal *seal = call->core->seal;

	return rekey_is_recovery(call) ? &seal->recovery_rekey : &seal->rekey;
}

int rekey_begin(struct call *call)
{
	int r = sys_may_change_keys(call, "node is not active");

	if (r || !rekey_is_recovery(call) || !call->core->seal->kind->by_shares)
		return r;
	call_error(call, 400, "recovery rekeying not supported");
	return 1;
}

int rekey_show(struct call *call)
{
	const struct rekey *rekey = rekey_of(call);
	json_t *body = json_pack("{s:s, s:b, s:I, s:I, s:I, s:I, s:n, s:b, s:b}", "nonce", rekey->quorum.nonce,
	    "started", *rekey->quorum.nonce != '\0', "t", (json_int_t)rekey->shape.threshold, "n",
	    (json_int_t)rekey->shape.shares, "progress", (json_int_t)rekey->quorum.n, "required",
	    (json_int_t)call->core->seal->shape.threshold, "pgp_fingerprints", "backup", 0, "verification_required",
	    rekey->verify);

	if (body && *rekey->verifying.nonce)
		json_object_set_new(body, "verification_nonce", json_string(rekey->verifying.nonce));
	return sys_answer(call, 200, body);
}

int sys_rekey_status(struct call *call)
{
	int r = rekey_begin(call);

	return r ? r < 0 ? r : 0 : rekey_show(call);
}

/* What is wanted of the new key. 0 or 1 after a refusal. */
static int read_wish(struct call *call, struct seal_shape *shape, bool *verify)
{
	static const char *const pgp[] = { "pgp_keys", NULL };
	bool backup = false, barrier = !rekey_is_recovery(call) && !call->core->seal->kind->by_shares;
	const char *fault;

	if (sys_raw_body(call) || sys_raw_int(call, "secret_shares", "RekeyRequest.secret_shares", &shape->shares) ||
	    sys_raw_int(call, "secret_threshold", "RekeyRequest.secret_threshold", &shape->threshold) ||
	    sys_raw_bool(call, "backup", "RekeyRequest.backup", &backup) ||
	    sys_raw_bool(call, "require_verification", "RekeyRequest.require_verification", verify) ||
	    sys_refuse_pgp(call, pgp))
		return 1;
	if (barrier) /* the seal itself keeps it: there are no shares */
		*shape = (struct seal_shape){ .shares = 1, .threshold = 1 };
	fault = seal_shape_fault(shape);
	if (backup)
		call_error(call, 400,
		    "cannot request a backup of the new keys without providing PGP keys for encryption");
	else if (shape->threshold > shape->shares)
		call_error(call, 400, "provided threshold greater than the total shares");
	else if (barrier && *verify)
		call_error(call, 400,
		    "requiring verification not supported when rekeying the barrier key with recovery keys");
	else if (fault)
		call_error(call, 500, "invalid %s configuration: %s",
		    rekey_is_recovery(call) ? "recovery" : "rekey seal", fault);
	else
		return 0;
	return 1;
}

int sys_rekey_start(struct call *call)
{
	struct rekey *rekey = rekey_of(call);
	struct seal_shape shape = { 0 };
	bool verify = false;
	int r = rekey_begin(call);

	if (r)
		return r < 0 ? r : 0;
	if (read_wish(call, &shape, &verify))
		return 0;
	if (*rekey->quorum.nonce)
		return call_error(call, 400, "rekey already in progress");
	random_uuid(rekey->quorum.nonce);
	rekey->shape = shape;
	rekey->verify = verify;
	log_notice("replacing the %s key has begun: %lld key shares are needed",
	    rekey_is_recovery(call) ? "recovery" : "unseal", call->core->seal->shape.threshold);
	return rekey_show(call);
}

int sys_rekey_cancel(struct call *call)
{
	struct rekey *rekey = rekey_of(call);
	const char *nonce = "";
	int r = rekey_begin(call);

	if (r)
		return r < 0 ? r : 0;
	if (sys_raw_body(call) || sys_raw_text(call, "nonce", "RekeyDeleteRequest.nonce", &nonce))
		return 0;
	if (*rekey->quorum.nonce && !streq(nonce, rekey->quorum.nonce))
		return call_error(call, 400, "invalid request");
	rekey_end(rekey);
	return call_done(call);
}

int sys_rekey_backup(struct call *call)
{
	return call_error(call, 400, "no backed-up keys found");
}

int sys_rekey_backup_delete(struct call *call)
{
	return call_done(call);
}
