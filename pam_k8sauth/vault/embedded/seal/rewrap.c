/* SPDX-License-Identifier: Apache-2.0 */
/* The root key is wrapped anew, while it is known: by another key of the seal, or by another seal. */
#include "vault/embedded/seal/seal.h"

#include <errno.h>
#include <stdio.h>

#include "vault/embedded/rotation.h"

/* --- the root key is wrapped again, by the key that has taken over */

struct rewrap {
	struct seal_op op;
	struct secret *root_key; /* that is being wrapped */
	struct call *call;
};

static void rewrap_free(void *state)
{
	struct rewrap *rewrap = state;

	seal_op_end(&rewrap->op);
	secret_free(rewrap->root_key);
	free(rewrap);
}

static void on_rewrapped(void *arg)
{
	call_resume(((struct rewrap *)arg)->call);
}

static int rewrap_start(struct call *call)
{
	const struct seal *seal = call->core->seal;
	const struct secret *root_key = barrier_root_key(call->core->barrier);
	struct rewrap *rewrap = calloc(1, sizeof(*rewrap));

	if (!rewrap)
		return -ENOMEM;
	call->state = rewrap;
	call->state_free = rewrap_free;
	rewrap->call = call;
	rewrap->root_key = secret_copy(secret_reveal(root_key), secret_len(root_key));
	if (!rewrap->root_key)
		return -ENOMEM;
	seal_op_begin(&rewrap->op, on_rewrapped, rewrap);
	if (seal->kind->by_shares)
		rewrap->op.r = seal_key_wrap(seal->opening.key, root_key, &rewrap->op.wrapped);
	else
		seal->kind->wrap(seal->state, root_key, &rewrap->op);
	if (rewrap->op.r == -EINPROGRESS)
		call_hold(call);
	return 0;
}

/* A change to the root key that REWRAP has wrapped, which it gives away. NULL without memory. */
static struct seal_change *take_change(struct rewrap *rewrap)
{
	struct seal_change *change = calloc(1, sizeof(*change));

	if (!change)
		return NULL;
	change->root_key = rewrap->op.wrapped;
	rewrap->op.wrapped = (struct store_blob){ 0 };
	return change;
}

static void on_renewed(struct core *core, int r, void *arg)
{
	if (r == 0)
		log_notice("the root key is wrapped by the current key of the seal now: the previous one is not needed "
			   "any more");
}

/* Another root key was wrapped when it came. A new term of the keyring has the same one. */
static bool is_replaced(const struct rewrap *rewrap, const struct core *core)
{
	const struct secret *now = barrier_root_key(core->barrier);

	return secret_len(now) != secret_len(rewrap->root_key) ||
	       !equal_constant_time(secret_reveal(now), secret_reveal(rewrap->root_key), secret_len(now));
}

int seal_rewrap(struct call *call)
{
	const struct seal *seal = call->core->seal;
	struct rewrap *rewrap = call->state;
	struct seal_change *change;
	int r = rewrap ? 0 : rewrap_start(call);

	if (r < 0)
		return r;
	rewrap = call->state;
	if (rewrap->op.r == -EINPROGRESS)
		return -EAGAIN;
	if (rewrap->op.r < 0) {
		log_error("the seal could not wrap the root key: %s", rewrap->op.why);
		return rewrap->op.r;
	}
	r = rotation_settled(call);
	if (r < 0)
		return r;
	if (is_replaced(rewrap, call->core) ||
	    (seal->kind->same_key && seal->kind->same_key(&seal->root_key, &rewrap->op.wrapped)))
		return 0;
	r = rotation_claim(call);
	if (r < 0)
		return r;
	change = take_change(rewrap);
	if (!change)
		return -ENOMEM;
	call_on_commit(call, on_renewed, NULL);
	return seal_change_put(call, change);
}

/* --- the store moves to another seal: the key of the people stays the same, as in Vault */

static void on_moved(struct core *core, int r, void *arg)
{
	struct seal *seal = core->seal;

	if (r < 0)
		return;
	log_notice("the store has moved from seal \"%s\" to seal \"%s\": the key shares are of %s now", seal->from->type,
	    seal->kind->type, seal->kind->by_shares ? "the unseal key" : "the recovery key");
	if (seal->from_state)
		seal->from->close(seal->from_state);
	seal->from_state = NULL;
	seal->from = NULL;
}

int seal_move(struct call *call)
{
	struct seal *seal = call->core->seal;
	struct rewrap *rewrap;
	struct seal_change *change;
	int r = call->state ? 0 : rewrap_start(call);

	if (r < 0)
		return r;
	rewrap = call->state;
	if (rewrap->op.r == -EINPROGRESS)
		return -EAGAIN;
	if (rewrap->op.r < 0) {
		snprintf(seal->opening.op.why, sizeof(seal->opening.op.why),
		    "seal \"%s\" could not wrap the root key: %.400s", seal->kind->type, rewrap->op.why);
		return rewrap->op.r;
	}
	change = take_change(rewrap);
	if (!change)
		return -ENOMEM;
	change->shape = seal->shape;
	r = seal->kind->by_shares ? 0 : seal_recovery_seal(seal->opening.key, rewrap->root_key, &change->recovery);
	if (r < 0) {
		seal_change_free(change);
		return r;
	}
	call_on_commit(call, on_moved, NULL);
	return seal_change_put(call, change);
}
