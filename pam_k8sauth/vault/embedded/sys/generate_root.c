/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sys/generate-root: a root token, where people with enough key shares agree. It is handed out hidden by a one-time
 * password that only who began knows (vault-core.md 7.2).
 */
#include <errno.h>

#include "base/text.h"
#include "vault/embedded/audit/audit.h"
#include "vault/embedded/go_text.h"
#include "vault/embedded/seal/seal.h"
#include "vault/embedded/sys/sys.h"
#include "vault/embedded/token.h"

#define OTP_LEN TOKEN_ID_LEN
#define SEALED	"Vault is sealed"

/* PROGRESS and TOKEN ("" until it is made) of the operation; OTP is shown once. */
static int show(struct call *call, size_t progress, const char *token, const char *otp, int otp_len)
{
	const struct seal *seal = call->core->seal;
	const char *nonce = seal->generation.quorum.nonce;

	return sys_answer(call, 200,
	    json_pack("{s:s, s:b, s:I, s:I, s:b, s:s, s:s, s:s, s:s, s:i}", "nonce", nonce, "started", *nonce != '\0',
		"progress", (json_int_t)progress, "required", (json_int_t)seal->shape.threshold, "complete",
		*token != '\0', "encoded_token", token, "encoded_root_token", token, "pgp_fingerprint", "", "otp", otp,
		"otp_length", otp_len));
}

/* The trail has it all, as Vault's: what comes of it is a root token. 0, 1 after a refusal, -EAGAIN, -errno. */
static int may_make_root(struct call *call)
{
	int r = sys_may_change_keys(call, SEALED);

	if (r < 0 || core_sealed(call->core))
		return r;
	call->private->audited.reached = true;
	call->private->audited.denied = r > 0;
	return r ? r : audit_gate(call);
}

int sys_generate_root_status(struct call *call)
{
	int r = may_make_root(call);

	return r ? r < 0 ? r : 0 : show(call, call->core->seal->generation.quorum.n, "", "", OTP_LEN);
}

int sys_generate_root_start(struct call *call)
{
	static const char *const pgp[] = { "pgp_key", NULL };
	struct root_generation *generation = &call->core->seal->generation;
	const char *otp = "";
	int r = may_make_root(call);

	if (r)
		return r < 0 ? r : 0;
	if ((call->request->data || call->request->fault_status) && sys_raw_body(call))
		return 0;
	if (sys_raw_text(call, "otp", "GenerateRootInitRequest.otp", &otp) || sys_refuse_pgp(call, pgp))
		return 0;
	if (*otp && strlen(otp) != OTP_LEN)
		return call_error(call, 400, "OTP string is wrong length");
	if (*generation->quorum.nonce)
		return call_error(call, 400, "root generation already in progress");
	generation->otp = *otp ? secret_copy(otp, OTP_LEN) : secret_new(OTP_LEN);
	if (!generation->otp)
		return -ENOMEM;
	if (!*otp)
		random_base62(secret_reveal(generation->otp), OTP_LEN);
	random_uuid(generation->quorum.nonce);
	log_notice("making a root token has begun: %lld key shares are needed", call->core->seal->shape.threshold);
	return show(call, 0, "", *otp ? "" : secret_reveal(generation->otp), OTP_LEN);
}

int sys_generate_root_cancel(struct call *call)
{
	int r = may_make_root(call);

	if (r)
		return r < 0 ? r : 0;
	root_generation_end(&call->core->seal->generation);
	return call_done(call);
}

/* --- shares */

/* 0, 1 after a refusal, -errno. */
static int add_share(struct call *call, struct quorum *quorum)
{
	struct secret *share AUTO_SECRET = NULL;
	const char *nonce = "";
	int r = sys_raw_key(
	    call, "GenerateRootUpdateRequest.Key", "'key' must be specified in request body as JSON", &share);

	if (r)
		return r;
	if (sys_raw_text(call, "nonce", "GenerateRootUpdateRequest.Nonce", &nonce) ||
	    sys_check_share(call, share, "invalid key: "))
		return 1;
	if (!*quorum->nonce) {
		call_error(call, 400, "no root generation in progress");
		return 1;
	}
	if (!streq(nonce, quorum->nonce)) {
		call_error(call, 400,
		    "incorrect nonce supplied; nonce for this root generation operation is \"%s\"", quorum->nonce);
		return 1;
	}
	r = quorum_add(quorum, share);
	if (r == 0)
		call_error(call, 400, "given key has already been provided during this generation operation");
	return r > 0 ? 0 : r == 0 ? 1 : r;
}

/* 0, 1 after a refusal, -errno. */
static int check_key(struct call *call, struct quorum *quorum)
{
	const struct seal_kind *kind = call->core->seal->kind;
	struct secret *key AUTO_SECRET = NULL;
	const char *why;
	size_t len;
	int r = quorum_combine(quorum, &key, &why);

	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		call_error(call, 400, "failed to compute root key: %s", why);
		return 1;
	}
	r = seal_check_key(call->core, key, &len);
	if (r != -EBADMSG)
		return r;
	if (len)
		call_error(call, 400,
		    "root generation aborted: unable to authenticate: invalid key: failed to setup unseal key: "
		    "crypto/aes: invalid key size %zu",
		    len);
	else if (kind->by_shares)
		call_error(call, 400, "root generation aborted: unable to authenticate: " SEAL_WRONG_KEY, kind->type);
	else
		call_error(call, 400,
		    "root generation aborted: unable to authenticate: recovery key verification failed: recovery key "
		    "does not match submitted values");
	return 1;
}

/* ARG: the nonce of the operation. */
static void end_generation(struct core *core, int r, void *arg)
{
	char *nonce AUTO_FREE = arg;
	struct root_generation *generation = &core->seal->generation;

	if (r < 0)
		return;
	log_notice("a new root token was made by %lld key shares", core->seal->shape.threshold);
	if (streq(nonce, generation->quorum.nonce))
		root_generation_end(generation);
}

/* The shares were right: this run, or one before it, has seen to that. They were for one operation, and its password. */
static int make_token(struct call *call)
{
	const struct seal *seal = call->core->seal;
	struct secret *token AUTO_SECRET = NULL;
	char hidden[OTP_LEN], text[base64_size(OTP_LEN)], *nonce;
	int r;

	if (!seal->generation.otp || !streq(call->state, seal->generation.quorum.nonce))
		return call_error(call, 400, "no root generation in progress");
	r = token_create_root(call, NULL, &token);
	if (r < 0)
		return r;
	if (secret_len(token) != OTP_LEN)
		return -EIO;
	for (size_t i = 0; i < OTP_LEN; i++)
		hidden[i] = (char)(secret_reveal(token)[i] ^ secret_reveal(seal->generation.otp)[i]);
	base64_encode(hidden, sizeof(hidden), text);
	text[strcspn(text, "=")] = '\0'; /* as Vault writes it */
	nonce = strdup(call->state);
	if (!nonce)
		return -ENOMEM;
	call_on_commit(call, end_generation, nonce);
	return show(call, (size_t)seal->shape.threshold, text, "", 0);
}

int sys_generate_root_update(struct call *call)
{
	struct quorum *quorum = &call->core->seal->generation.quorum;
	int r;

	r = may_make_root(call);
	if (r == 0 && call->state)
		return make_token(call);
	if (r == 0)
		r = sys_raw_body(call);
	if (r == 0)
		r = add_share(call, quorum);
	if (r)
		return r < 0 ? r : 0;
	if ((long long)quorum->n < call->core->seal->shape.threshold)
		return show(call, quorum->n, "", "", 0);
	r = check_key(call, quorum);
	if (r)
		return r < 0 ? r : 0;
	call->state = strdup(quorum->nonce);
	call->state_free = free;
	return call->state ? make_token(call) : -ENOMEM;
}

/* --- what it was answered with, for clients that cannot decode it */

/* Without an otp Vault means a form that it no longer makes, and in which nothing can come out. */
static int refuse_decoding(struct call *call, const char *encoded, uint8_t *room)
{
	size_t len;
	ssize_t fault = go_base64_decode(encoded, room, &len);

	if (fault >= 0)
		return call_wrapped_error(call, 500,
		    "error xoring token: error decoding first base64 value: illegal base64 data at input byte %zd", fault);
	return call_wrapped_error(
	    call, 500, "error xoring token: decoded %s base64 value is nil or empty", *encoded ? "second" : "first");
}

int sys_decode_token(struct call *call)
{
	const char *encoded = "", *otp = "";
	uint8_t *token AUTO_FREE = NULL;
	size_t len = 0;
	ssize_t fault;
	int r = call_field_string(call, "encoded_token", &encoded, NULL);

	if (r == 0)
		r = call_field_string(call, "otp", &otp, NULL);
	if (r)
		return r < 0 ? r : 0;
	token = malloc(GO_BASE64_SIZE(strlen(encoded)));
	if (!token)
		return -ENOMEM;
	if (!*otp)
		return refuse_decoding(call, encoded, token);
	fault = go_base64_decode_unpadded(encoded, token, &len);
	if (fault >= 0)
		return call_wrapped_error(
		    call, 500, "error decoding base64'd token: illegal base64 data at input byte %zd", fault);
	if (len != strlen(otp))
		return call_wrapped_error(call, 500,
		    "error xoring token: length of byte slices is not equivalent: %zu != %zu", len, strlen(otp));
	for (size_t i = 0; i < len; i++)
		token[i] ^= (uint8_t)otp[i];
	r = utf8_valid((const char *)token, len)
		? call_data(call, json_pack("{s:s%}", "token", (const char *)token, len))
		: call_error(call, 400, "the token and the otp do not belong together");
	wipe(token, len);
	return r;
}
