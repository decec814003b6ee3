/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sys/leases/tidy: leases whose token is gone end, and what finds leases that are gone goes. Vault forgets such a lease
 * even if its engine refuses; here it is revoked as every other that has ended.
 */
#include <errno.h>
#include <stdio.h>

#include "base/log.h"
#include "base/text.h"
#include "vault/embedded/auth_token/tokens.h"
#include "vault/embedded/leases.h"
#include "vault/embedded/lease/lease_internal.h"
#include "vault/embedded/tidy.h"

static bool is_hex(const char *text)
{
	return strlen(text) == LEASE_HEX_LEN && strspn(text, "0123456789abcdef") == LEASE_HEX_LEN;
}

/* 0 (the caller's), -ENOENT, -EAGAIN, -EIO, -errno. */
static int load(struct call *call, const char *hex, struct lease **ret)
{
	return is_hex(hex) ? lease_load(call, hex, ret) : -EIO;
}

/* The digits of a key that ends in "ab/<62 digits>". */
static void hex_of(const char *folder, const char *name, char ret[static LEASE_HEX_LEN + 1])
{
	snprintf(ret, LEASE_HEX_LEN + 1, "%.2s%.*s", folder + strlen(folder) - 3, LEASE_HEX_LEN - 2, name);
}

/* LEASE has a token that is gone: 1, 0, -EAGAIN, -errno. */
static int is_lost(struct call *call, const struct lease *lease)
{
	struct token *token AUTO_TOKEN = NULL;
	char salted[TOKEN_SALTED_SIZE];
	int r;

	if (!*lease->token || lease->revoke_error || lease_has_ended(lease))
		return 0;
	snprintf(salted, sizeof(salted), "h%s", lease->token);
	r = token_load(call, salted, &token);
	return r == -ENOENT ? 1 : r;
}

/* lease/<two digits>/<the others> */
static int look_at_lease(struct call *call, struct tidy *tidy, const char *folder, const char *name)
{
	struct lease *lease AUTO_LEASE = NULL;
	char hex[LEASE_HEX_LEN + 1];
	int r;

	if (ends_with(name, "/"))
		return TIDY_BELOW;
	hex_of(folder, name, hex);
	r = load(call, hex, &lease);
	if (r == 0)
		r = is_lost(call, lease);
	if (r <= 0)
		return r == -ENOENT ? 0 : r;
	tidy_removed(tidy);
	return lease_end(call, lease);
}

/* Removes NAME of FOLDER, which is to find the lease of HEX, if that is gone. */
static int look_at_finder(struct call *call, struct tidy *tidy, const char *folder, const char *name, const char *hex)
{
	struct lease *lease AUTO_LEASE = NULL;
	int r = load(call, hex, &lease);

	if (r != -ENOENT)
		return r;
	return tidy_remove(call, tidy, folder, name);
}

/* lease-path/<id> */
static int look_at_path(struct call *call, struct tidy *tidy, const char *folder, const char *name)
{
	char hex[LEASE_HEX_LEN + 1], *id AUTO_FREE = NULL;

	if (ends_with(name, "/"))
		return TIDY_BELOW;
	if (asprintf(&id, "%s%s", folder + strlen(LEASE_PATHS), name) < 0) {
		id = NULL;
		return -ENOMEM;
	}
	lease_hex(id, hex);
	return look_at_finder(call, tidy, folder, name, hex);
}

/* lease-token/<token>/<two digits>/<the others> */
static int look_at_token(struct call *call, struct tidy *tidy, const char *folder, const char *name)
{
	char hex[LEASE_HEX_LEN + 1];

	if (ends_with(name, "/"))
		return TIDY_BELOW;
	hex_of(folder, name, hex);
	return look_at_finder(call, tidy, folder, name, hex);
}

/* lease-irrevocable/<64 digits> */
static int look_at_irrevocable(struct call *call, struct tidy *tidy, const char *folder, const char *name)
{
	return look_at_finder(call, tidy, folder, name, name);
}

static const struct tidy_folder folders[] = {
	{ LEASE_FOLDER, look_at_lease },
	{ LEASE_PATHS, look_at_path },
	{ LEASE_TOKENS, look_at_token },
	{ LEASE_IRREVOCABLE, look_at_irrevocable },
	{ 0 },
};

int leases_tidy(struct call *call)
{
	int r = tidy_start(call->core, "leases", folders, &core_leases(call->core)->tidying);

	if (r == -EBUSY)
		log_warning("tidy: leases: it is running already");
	return r < 0 && r != -EBUSY ? r : tidy_answer(call);
}
