/* SPDX-License-Identifier: Apache-2.0 */
/* sys/rekey/update and sys/rekey/verify: shares that replace a key, and shares of the new one (vault-core.md 7.2). */
#include "vault/embedded/sys/rekey.h"

#include <errno.h>

#include "base/text.h"
#include "vault/embedded/rotation.h"

/* --- a new key in the place of the old one */

static void end_rekey(struct core *core, int r, void *arg)
{
	struct rekey *rekey = arg;

	if (r < 0)
		return;
	if (rekey == &core->seal->rekey && !core->seal->kind->by_shares)
		log_notice("the root key is replaced");
	else
		log_notice("the %s key is replaced: %lld of its %lld new shares are needed from now on",
		    rekey == &core->seal->rekey ? "unseal" : "recovery", rekey->shape.threshold, rekey->shape.shares);
	rekey_end(rekey);
}

/* CHANGE is taken over. */
static int put_change(struct call *call, struct rekey *rekey, struct seal_change *change)
{
	int r = rotation_claim(call);

	if (r < 0) {
		seal_change_free(change);
		return r;
	}
	r = seal_change_put(call, change);
	if (r == 0)
		call_on_commit(call, end_rekey, rekey);
	return r;
}

/* A new root key, and the keyring under it. */
static int new_root(const struct core *core, struct seal_change *change)
{
	int r = barrier_rekeyed(core->barrier, &change->barrier);

	return r < 0 ? r : barrier_save(change->barrier, &change->keyring);
}

/* KEY, in shares of the wished shape, becomes the one that people keep. */
static int use_new_key(struct call *call, struct rekey *rekey, const struct secret *key)
{
	struct core *core = call->core;
	struct seal_change *change = calloc(1, sizeof(*change));
	int r = change ? 0 : -ENOMEM;

	if (r == 0 && rekey_is_recovery(call)) {
		r = seal_recovery_seal(key, barrier_root_key(core->barrier), &change->recovery);
	} else if (r == 0) {
		r = new_root(core, change);
		if (r == 0)
			r = seal_key_wrap(key, barrier_root_key(change->barrier), &change->root_key);
	}
	if (r < 0) {
		seal_change_free(change);
		return r;
	}
	change->shape = rekey->shape;
	return put_change(call, rekey, change);
}

/* --- a new root key, where the seal itself keeps it */

struct rewrapping {
	struct call *call;
	char nonce[UUID_SIZE]; /* of the operation that it belongs to */
	struct secret *recovery_key;
	struct seal_op op;
	struct seal_change *change;
};

static void rewrapping_free(void *state)
{
	struct rewrapping *rewrapping = state;

	seal_op_end(&rewrapping->op);
	seal_change_free(rewrapping->change);
	secret_free(rewrapping->recovery_key);
	free(rewrapping);
}

static void on_wrapped(void *arg)
{
	call_resume(((struct rewrapping *)arg)->call);
}

static int answer_complete(struct call *call, const struct rekey *rekey, const struct secret *shares)
{
	size_t n = shares ? (size_t)rekey->shape.shares : 0;
	json_t *body = json_pack("{s:s, s:b, s:o, s:o, s:n, s:b, s:b}", "nonce", rekey->quorum.nonce, "complete", 1,
	    "keys", sys_shares(shares, n, false), "keys_base64", sys_shares(shares, n, true), "pgp_fingerprints",
	    "backup", 0, "verification_required", rekey->verify);

	if (body && *rekey->verifying.nonce)
		json_object_set_new(body, "verification_nonce", json_string(rekey->verifying.nonce));
	return sys_answer(call, 200, body);
}

static int refuse_recovery_key(struct call *call)
{
	call_error(call, 400, "recovery key verification failed: recovery key does not match submitted values");
	return 1;
}

/* Whether what was made while nothing was wrapped yet still fits. 0, 1 after a refusal, -EAGAIN, -errno. */
static int check_rewrapping(struct call *call, const struct rewrapping *rewrapping, const struct rekey *rekey)
{
	const struct core *core = call->core;
	struct barrier_term_info now, then;
	int r = rotation_settled(call);

	if (r < 0)
		return r;
	if (!rewrapping->change || !streq(rewrapping->nonce, rekey->quorum.nonce)) {
		call_error(call, 400, "no barrier rekey in progress");
		return 1;
	}
	r = seal_recovery_check(rewrapping->recovery_key, barrier_root_key(core->barrier), &core->seal->recovery);
	if (r < 0)
		return r == -EBADMSG ? refuse_recovery_key(call) : r;
	barrier_term(core->barrier, &now);
	barrier_term(rewrapping->change->barrier, &then);
	if (now.term == then.term)
		return 0;
	call_error(call, 500, "the keyring got another key meanwhile: bring the shares once more");
	return 1;
}

static int finish_rewrapping(struct call *call)
{
	struct rewrapping *rewrapping = call->state;
	struct rekey *rekey = rekey_of(call);
	int r;

	if (rewrapping->op.r == -EINPROGRESS)
		return -EAGAIN;
	if (rewrapping->op.r < 0)
		return call_error(call, 500, "the seal could not wrap the new root key: %s", rewrapping->op.why);
	r = check_rewrapping(call, rewrapping, rekey);
	if (r)
		return r < 0 ? r : 0;
	rewrapping->change->root_key = rewrapping->op.wrapped;
	rewrapping->op.wrapped = (struct store_blob){ 0 };
	r = put_change(call, rekey, TAKE_PTR(rewrapping->change));
	return r < 0 ? r : answer_complete(call, rekey, NULL);
}

static int rewrap(struct call *call, const struct secret *recovery_key)
{
	const struct seal *seal = call->core->seal;
	struct rewrapping *rewrapping = calloc(1, sizeof(*rewrapping));
	int r;

	if (!rewrapping)
		return -ENOMEM;
	call->state = rewrapping;
	call->state_free = rewrapping_free;
	rewrapping->call = call;
	memcpy(rewrapping->nonce, rekey_of(call)->quorum.nonce, sizeof(rewrapping->nonce));
	rewrapping->recovery_key = secret_copy(secret_reveal(recovery_key), secret_len(recovery_key));
	rewrapping->change = calloc(1, sizeof(*rewrapping->change));
	r = rewrapping->change && rewrapping->recovery_key ? new_root(call->core, rewrapping->change) : -ENOMEM;
	if (r == 0)
		r = seal_recovery_seal(
		    recovery_key, barrier_root_key(rewrapping->change->barrier), &rewrapping->change->recovery);
	if (r < 0)
		return r;
	seal_op_begin(&rewrapping->op, on_wrapped, rewrapping);
	seal->kind->wrap(seal->state, barrier_root_key(rewrapping->change->barrier), &rewrapping->op);
	if (rewrapping->op.r == -EINPROGRESS)
		call_hold(call);
	return finish_rewrapping(call);
}

/* --- shares of the old key */

static int add_share(struct call *call, struct quorum *quorum, const char *operation)
{
	struct secret *share AUTO_SECRET = NULL;
	const char *nonce = "";
	int r;

	r = sys_raw_key(call, "RekeyUpdateRequest.Key", "'key' must be specified in request body as JSON", &share);
	if (r)
		return r;
	if (sys_raw_text(call, "nonce", "RekeyUpdateRequest.Nonce", &nonce) || sys_check_share(call, share, ""))
		return 1;
	if (!streq(nonce, quorum->nonce)) {
		call_error(call, 400, "incorrect nonce supplied; nonce for this %s operation is \"%s\"", operation,
		    quorum->nonce);
		return 1;
	}
	r = quorum_add(quorum, share);
	if (r == 0)
		call_error(call, 400, "given key has already been provided during this %s operation",
		    streq(operation, "rekey") ? "generation" : operation);
	return r > 0 ? 0 : r == 0 ? 1 : r;
}

/* The old key that the shares come to. 0, 1 after a refusal, -errno. */
static int old_key(struct call *call, struct rekey *rekey, struct secret **ret)
{
	bool by_shares = call->core->seal->kind->by_shares;
	const char *why;
	size_t len;
	int r = quorum_combine(&rekey->quorum, ret, &why);

	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		call_error(call, 500, "failed to compute %s key: %s",
		    rekey_is_recovery(call) ? "recovery" : "root", why);
		return 1;
	}
	r = seal_check_key(call->core, *ret, &len);
	if (r != -EBADMSG)
		return r;
	if (len)
		call_error(call, 500, "failed to setup unseal key: crypto/aes: invalid key size %zu", len);
	else if (by_shares)
		call_error(call, 500,
		    "failed to read root key: invalid key: failed to decrypt keys from storage: error decrypting seal "
		    "wrapped value\nerror decrypting using seal : cipher: message authentication failed");
	else
		refuse_recovery_key(call);
	return 1;
}

/* Makes the new key. It counts at once, or when its shares were shown. */
static int make_new_key(struct call *call, struct rekey *rekey)
{
	struct secret *key AUTO_SECRET = secret_new(BARRIER_KEY_SIZE), *shares AUTO_SECRET = NULL;
	int r;

	if (!key)
		return -ENOMEM;
	random_bytes(secret_reveal(key), BARRIER_KEY_SIZE);
	r = seal_make_shares(key, &rekey->shape, &shares);
	if (r < 0)
		return r;
	if (rekey->verify) {
		random_uuid(rekey->verifying.nonce);
		rekey->new_key = TAKE_PTR(key);
	} else {
		r = use_new_key(call, rekey, key);
	}
	return r < 0 ? r : answer_complete(call, rekey, shares);
}

/* 0, 1 after a refusal, -errno. */
static int check_update(struct call *call, const struct rekey *rekey)
{
	int r;

	if (core_sealed(call->core) || !rekey_is_recovery(call) || !call->core->seal->kind->by_shares)
		r = rekey_begin(call);
	else
		r = sys_may_change_keys(call, "");
	if (r == 0)
		r = sys_raw_body(call);
	if (r)
		return r;
	if (rekey_is_recovery(call) && call->core->seal->kind->by_shares)
		call_error(call, 500, "failed to fetch existing recovery config: recovery not supported");
	else if (*rekey->verifying.nonce)
		call_error(call, 400,
		    "rekey operation already finished; verification must be performed; nonce for the verification "
		    "operation is \"%s\"",
		    rekey->verifying.nonce);
	else if (!*rekey->quorum.nonce)
		call_error(call, 400, "no %s rekey in progress", rekey_is_recovery(call) ? "recovery" : "barrier");
	else
		return rotation_settled(call);
	return 1;
}

int sys_rekey_update(struct call *call)
{
	struct rekey *rekey = rekey_of(call);
	struct secret *key AUTO_SECRET = NULL;
	int r;

	if (call->state)
		return finish_rewrapping(call);
	r = check_update(call, rekey);
	if (r == 0)
		r = add_share(call, &rekey->quorum, "rekey");
	if (r)
		return r < 0 ? r : 0;
	if ((long long)rekey->quorum.n < call->core->seal->shape.threshold)
		return rekey_show(call);
	r = old_key(call, rekey, &key);
	if (r)
		return r < 0 ? r : 0;
	if (!rekey_is_recovery(call) && !call->core->seal->kind->by_shares)
		return rewrap(call, key);
	return make_new_key(call, rekey);
}

/* --- shares of the new key */

static int show_verification(struct call *call)
{
	const struct rekey *rekey = rekey_of(call);

	return sys_answer(call, 200,
	    json_pack("{s:s, s:b, s:I, s:I, s:I}", "nonce", rekey->verifying.nonce, "started",
		*rekey->verifying.nonce != '\0', "t", (json_int_t)rekey->shape.threshold, "n",
		(json_int_t)rekey->shape.shares, "progress", (json_int_t)rekey->verifying.n));
}

static int check_verify(struct call *call, const struct rekey *rekey)
{
	int r = rekey_begin(call);

	if (r || *rekey->quorum.nonce)
		return r;
	call_error(call, 400, "no rekey configuration found");
	return 1;
}

int sys_rekey_verify_status(struct call *call)
{
	int r = check_verify(call, rekey_of(call));

	return r ? r < 0 ? r : 0 : show_verification(call);
}

/* What was shown was wrong, or is to be shown again. */
static void restart_verification(struct rekey *rekey)
{
	quorum_end(&rekey->verifying);
	random_uuid(rekey->verifying.nonce);
}

int sys_rekey_verify_restart(struct call *call)
{
	struct rekey *rekey = rekey_of(call);
	int r = check_verify(call, rekey);

	if (r)
		return r < 0 ? r : 0;
	if (!*rekey->verifying.nonce)
		return call_error(call, 400, "no rekey verification in progress");
	restart_verification(rekey);
	return show_verification(call);
}

/* The shares come to the new key. 0, 1 after a refusal, -errno. */
static int check_new_key(struct call *call, struct rekey *rekey)
{
	struct secret *key AUTO_SECRET = NULL;
	char nonce[UUID_SIZE];
	const char *why;
	int r;

	memcpy(nonce, rekey->verifying.nonce, sizeof(nonce));
	r = quorum_combine(&rekey->verifying, &key, &why);
	restart_verification(rekey);
	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		call_error(call, 500, "failed to compute key for verification: %s", why);
		return 1;
	}
	if (secret_len(key) != secret_len(rekey->new_key) ||
	    !equal_constant_time(secret_reveal(key), secret_reveal(rekey->new_key), secret_len(key))) {
		call_error(call, 400, "rekey verification failed; incorrect key shares supplied");
		return 1;
	}
	memcpy(rekey->verifying.nonce, nonce, sizeof(nonce));
	return 0;
}

int sys_rekey_verify(struct call *call)
{
	struct rekey *rekey = rekey_of(call);
	int r = rekey_begin(call);

	if (r == 0)
		r = sys_raw_body(call);
	if (r == 0 && !*rekey->verifying.nonce)
		return call_error(
		    call, 400, "no rekey %sin progress", *rekey->quorum.nonce ? "verification " : "");
	if (r == 0)
		r = rotation_settled(call);
	if (r == 0)
		r = add_share(call, &rekey->verifying, "verify");
	if (r)
		return r < 0 ? r : 0;
	if ((long long)rekey->verifying.n < rekey->shape.threshold)
		return show_verification(call);
	r = check_new_key(call, rekey);
	if (r == 0)
		r = use_new_key(call, rekey, rekey->new_key);
	if (r)
		return r < 0 ? r : 0;
	return sys_answer(
	    call, 200, json_pack("{s:s, s:b}", "nonce", rekey->verifying.nonce, "complete", 1));
}
