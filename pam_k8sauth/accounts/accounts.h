/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon's view of accounts: which Unix account a proven service account is (decisions 11, 12), and publication of
 * a new one through the helper. The index file is the record store: name, id, service account UID. accounts.conf
 * (root-owned HCL, read by daemon and helper) declares ids, ranges, groups, home and shell, and opens local accounts.
 */
#pragma once

#include <event2/event.h>

#include "accounts/index.h"
#include "accounts/names.h"

struct accounts;

struct account {
	char name[ACCOUNT_NAME_SIZE];
	uint32_t uid, gid;
	char home[256], shell[256], gecos[256];
	uint32_t groups[64];
	size_t n_groups;
	bool local; /* an /etc/passwd account opened to this service account: uid and gid are getpwnam's */
};

/* Why an identity may not be an account. Texts with the line to declare or the command to run come in WHY. */
enum account_verdict {
	ACCOUNT_OK = 0,
	ACCOUNT_WRONG_USER,   /* another Unix name than the one asked for */
	ACCOUNT_COLLISION,    /* the id is another account's (decision 12) */
	ACCOUNT_RECREATED,    /* same namespace and name, other service account UID: `k8sauth accounts rebind` */
	ACCOUNT_INDEX_BROKEN, /* index or accounts.conf cannot be trusted */
	ACCOUNT_HELPER_DOWN,  /* new account, and the helper did not publish it */
	ACCOUNT_MOVED,	      /* its ids have just become others: who asks may have looked up the old ones */
};

/*
 * PATHs as in limits.h, both files root's; HELPER_SOCKET is where publications go. 0 (an index that is absent or broken
 * is said in the log and in claims), or a negative errno with WHY (accounts.conf: file, line, reason). If no index is
 * there, or accounts.conf says something else than it, one is published soon.
 */
int accounts_open(struct event_base *base, const char *index_path, const char *conf_path, const char *helper_socket,
    struct accounts **ret, char *why, size_t why_size) NODISCARD;
/* Claims that still wait are dropped, their DONE is not called. */
void accounts_free(struct accounts *accounts);

/* Grows with every accounts.conf that is read: what was known of names by an older one may be wrong. */
unsigned accounts_conf_number(const struct accounts *accounts);

/* The identity that a TokenReview (or a login reply's metadata) proved. */
struct account_identity {
	const char *mount;  /* "kubernetes" */
	const char *prefix; /* the mount's unix_prefix */
	const char *namespace_name;
	const char *service_account;
	const char *service_account_uid;
};

typedef void account_claimed_fn(
    void *arg, enum account_verdict verdict, const struct account *account, const char *why);

/*
 * Decides whether IDENTITY may log in as UNIX_NAME, and if so makes sure that the published index holds the account
 * before DONE is called (once; at once for a known account, after the helper's answer for a new one; several new ones
 * in one turn share a publication). Nothing of the arguments is kept.
 */
void accounts_claim(struct accounts *accounts, const char *unix_name, const struct account_identity *identity,
    account_claimed_fn *done, void *arg);

/*
 * The same decision, of which nothing comes: nobody is published and nobody waits. *RET is set for ACCOUNT_OK, WHY
 * otherwise.
 */
enum account_verdict accounts_judge(struct accounts *accounts, const char *unix_name,
    const struct account_identity *identity, struct account *ret, char *why, size_t why_size);

/*
 * What a name of ours would be (NSS's lookup): from the index, else computed where the full form tells all and PREFIXES
 * (NULL-terminated) has its prefix. 0, -ENOENT (definitely no account), -EBADMSG.
 */
int accounts_lookup(
    struct accounts *accounts, const char *unix_name, const char *const *prefixes, struct account *ret) NODISCARD;

/*
 * Whether accounts.conf opens the local account UNIX_NAME to a service account of MOUNT. The name itself does not tell
 * whose it is, as a prefix would: this chooses the mount of its login.
 */
bool accounts_local_opened(struct accounts *accounts, const char *unix_name, const char *mount);

/*
 * Forgets which service account UNIX_NAME was proved to be, so that the next login proves it anew (`k8sauth accounts
 * rebind`). DONE as above, ACCOUNT being NULL; ACCOUNT_WRONG_USER for a name that the index does not know.
 */
void accounts_rebind(struct accounts *accounts, const char *unix_name, account_claimed_fn *done, void *arg);

/* --- userns.c ------------------------------------------------------------------------------------------------- */

/*
 * Whether the user namespace that we are in has all ids of ACCOUNT: else no process can become it. Else WHY names the
 * id, and *RET_CURE says what to declare.
 */
bool account_exists_here(const struct account *account, char *why, size_t size, const char **ret_cure);
/* The same for the maps in these files; *RET_USUAL tells whether they have the ids that such a declaration would use.
 */
bool account_exists_in(
    const char *uid_map, const char *gid_map, const struct account *account, char *why, size_t size, bool *ret_usual);

/* --- list.c --------------------------------------------------------------------------------------------------- */

/*
 * Calls SEE for every account of the index; a negative answer of it ends that and is returned. 0; -EBADMSG (index or
 * accounts.conf cannot be trusted). WHY says what.
 */
int accounts_each(struct accounts *accounts, int (*see)(void *arg, const struct index_user *user), void *arg, char *why,
    size_t size) NODISCARD;

/*
 * Name, uid and gid in RET of the account that a service account has or would have: what accounts.conf and the names
 * give, whoever has logged in. 0, -EINVAL (no such name can be), -EBADMSG, with WHY.
 */
int accounts_name(struct accounts *accounts, const char *prefix, const char *ns, const char *service_account,
    struct account *ret, char *why, size_t size) NODISCARD;
