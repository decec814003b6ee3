/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The seal of a running core: the root key as the store has it, who may bring it back, opening and closing
 * (decision 6, vault-core.md 7).
 *
 * The root key seals the keyring (barrier.h) and is itself kept in one of two ways: wrapped by a key that is cut into
 * shares for people (`shamir`), or wrapped by something that gives it back by itself. In the second case the shares
 * that an initialisation hands out are of a recovery key, which opens nothing: it says that people agree, where a root
 * token is to be made, or keys are to be changed. Of it the store has a hash, sealed by the root key.
 */
#pragma once

#include "vault/embedded/core_internal.h"
#include "vault/embedded/seal/kind.h"
#include "vault/embedded/seal/quorum.h"

#define KEY_SHARE_LEN(shares) ((shares) == 1 ? BARRIER_KEY_SIZE : BARRIER_KEY_SIZE + 1u)

/* How a key is cut into shares; zeros where there is none. */
struct seal_shape {
	long long shares, threshold;
};

#define SEAL_WRONG_KEY                                                                                                \
	"unable to retrieve stored keys: invalid key: failed to decrypt keys from storage: error decrypting seal "    \
	"wrapped value\nerror decrypting using seal %s: cipher: message authentication failed"

/* The call of people who opened; its state. */
struct seal_waiting {
	struct call *call; /* held until it is over */
	int r;		   /* -EINPROGRESS until then */
	char why[512];
};

/* Where the opening stands that is under way. */
struct seal_opening {
	struct seal_op op;
	struct secret *key;	     /* that people brought, to be compared, or kept on; NULL: nobody was asked */
	struct seal_waiting *waiter; /* NULL: the daemon opens by itself */
	struct event *again;	     /* tries once more; of a remote kind */
	unsigned tries;
	bool by_itself; /* since the start nobody has opened it: that is tried again and again, whatever people do */
	bool renew; /* the root key is to be wrapped again */
};

/* Keys that are being replaced (sys/rekey, sys/rekey-recovery-key). */
struct rekey {
	struct quorum quorum; /* of the old key's shares; its nonce says whether it has begun */
	struct seal_shape shape;
	bool verify;		 /* the new shares have to be shown before they count */
	struct quorum verifying; /* of the new ones */
	struct secret *new_key;	 /* until then */
};

/* A root token that is being made (sys/generate-root). */
struct root_generation {
	struct quorum quorum;
	struct secret *otp; /* what the token is hidden with */
};

struct seal {
	const struct seal_kind *kind;
	const struct seal_config *config, *old_config; /* the caller's; NULL in -dev */
	void *state;			  /* the kind's */
	/* What the store is sealed by, where that is another one: whoever unseals it next moves it (-migrate). */
	const struct seal_kind *from; /* NULL: there is nothing to move */
	void *from_state;
	char stored_type[32];		  /* as the store says; another kind cannot open it */
	struct seal_shape shape;
	struct store_blob keyring, root_key, recovery; /* as the store has them */
	struct quorum unseal;
	struct seal_opening opening;
	const struct call *opener; /* of people, that has just opened it: it has its answer coming; to be compared only */
	struct rekey rekey, recovery_rekey;
	struct root_generation generation;
};

/* --- seal.c */

/* The seal of CONFIG, NULL for -dev; OLD may be what the store moves away from. 0, or a negative errno with WHY. */
int seal_new(struct core *core, const struct seal_config *config, const struct seal_config *old, char *why,
    size_t why_size) NODISCARD;
void seal_free(struct core *core);

/* What opens the store now: the kind that is configured, or the one that it moves away from. */
const struct seal_kind *seal_opener(const struct seal *seal);

/* Vault's rules: 0, or the text of what is wrong with SHAPE. */
const char *seal_shape_fault(const struct seal_shape *shape);
/* KEY in shares, one behind the other, KEY_SHARE_LEN each. 0, -ENOMEM, -EINVAL. */
int seal_make_shares(const struct secret *key, const struct seal_shape *shape, struct secret **ret) NODISCARD;
/* The hash of KEY, sealed by ROOT_KEY. 0 or -errno. */
int seal_recovery_seal(const struct secret *key, const struct secret *root_key, struct store_blob *ret) NODISCARD;
/* Whether SEALED is that of KEY. 0, -EBADMSG (it is not), -errno. */
int seal_recovery_check(
    const struct secret *key, const struct secret *root_key, const struct store_blob *sealed) NODISCARD;

/*
 * Whether KEY, which people brought together, is the unseal key, or the recovery key. 0; -EBADMSG with *RET_LEN 0 (it
 * is not), or another length that no unseal key has; -errno.
 */
int seal_check_key(const struct core *core, const struct secret *key, size_t *ret_len) NODISCARD;
void rekey_end(struct rekey *rekey);
void root_generation_end(struct root_generation *generation);

/* --- change.c */

/* What of the seal changes, in one transaction. */
struct seal_change {
	struct barrier *barrier;		       /* the new one, at the same time; NULL: it stays */
	struct store_blob keyring, root_key, recovery; /* no data: it stays */
	struct seal_shape shape;		       /* no shares: it stays */
};

/* Writes CHANGE (malloc'ed), and puts it into force when the call's writes are durable. It is taken over, also on
 * failure. */
int seal_change_put(struct call *call, struct seal_change *change) NODISCARD;
void seal_change_free(struct seal_change *change);

/* --- open.c */

/* Reads what is there and unseals if the seal opens by itself. 0, or a negative errno with WHY. */
int core_unseal_at_start(struct core *core, char *why, size_t why_size) NODISCARD;
/*
 * Opens with what people brought: an unseal key, or a recovery key. CALL returns -EAGAIN, and is run again, with a
 * struct seal_waiting as its state, when all that must be known was read, or when it failed. 0 or -ENOMEM.
 */
int seal_open_with(struct call *call, const struct secret *key) NODISCARD;

/* --- rewrap.c: runs of calls of the daemon's own */

/* Wraps the root key by the key of the seal that is the current one now. 0, -EAGAIN, -errno. */
int seal_rewrap(struct call *call) NODISCARD;
/* Of a store that was just opened: moves it to the seal that is configured. Likewise; opening.op.why may say more. */
int seal_move(struct call *call) NODISCARD;

/* --- close.c */

/* Forgets all that was read through the barrier, and the barrier. */
void core_forget(struct core *core);
/*
 * From a hook of CALL's commit: refuses what is in progress, waits for what is on its way to the disk, then closes. The
 * reply of CALL waits for it.
 */
void core_seal(struct core *core, struct call *call);
/* Something that core_seal may have waited for has ended. */
void core_seal_go_on(struct core *core);
int core_seal_init(struct core *core) NODISCARD;
