/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of logins and sessions, in a memfd that systemd keeps (design.md, decision 21). It is read and written by
 * pread and pwrite, never mapped, so that no core dump holds its tokens.
 *
 *     header page
 *     a page for each record: two halves, of which one is valid. A change goes to the other half; only then the old
 *     one is wiped. Each half has a check, so a kill in the middle of a write loses that change and nothing else.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <k8sauth/limits.h>

#include "base/macros.h"
#include "base/secret.h"
#include "session/config.h"

#define TABLE_RECORDS  16384u
#define TABLE_PAGE     4096u
#define TABLE_HALF     2048u
#define TABLE_FD_BYTES (TABLE_PAGE * (TABLE_RECORDS + 1ull))

#define SESSION_ID_LEN	  24 /* base62 */
#define HANDLE_SECRET_LEN 40 /* base62: 238 bits */
#define BOOT_ID_SIZE	  37
#define SESSION_BLOCKS	  16 /* export blocks with a mark */

enum session_state {
	SESSION_LOGIN = 0,   /* the exchange is under way; only in memory */
	SESSION_PENDING = 1, /* logged in, the handle is not redeemed */
	SESSION_OPENING = 2, /* redeemed; the module has no answer yet */
	SESSION_OPEN = 3,
	SESSION_EXPIRED = 4, /* the token is dead, the files are gone, the user is still there */
	SESSION_ENDED = 5,   /* token and files are to be removed */
};

enum session_files {
	FILES_DONE = 0,
	FILES_ANEW = 1,	   /* there are none */
	FILES_REPLACE = 2, /* there are those of another token */
};

#define AUDIT_SESSION_UNSET UINT32_MAX

/* What is known of a session, without its secrets. Times are CLOCK_MONOTONIC milliseconds but for CREATED. */
struct session_record {
	uint32_t state;
	uint32_t uid, gid;     /* 0 while it is not settled that the identity may be this user */
	int32_t leader;	       /* pid that opened it, 0 unknown */
	uint64_t leader_start; /* its start time in clock ticks since boot, 0 unknown */
	int64_t created;       /* unix */
	int64_t pending_until;
	int64_t expires_at;	/* of the token */
	int64_t renew_at;	/* 0: never again */
	uint32_t role_named;	/* the PAM line named the role */
	uint32_t files_due;	/* enum session_files: whether its files are to be written again */
	uint32_t kill_due;	/* enum session_kill: what is left of its processes is to be killed */
	uint32_t audit_session; /* of its leader when it was opened, AUDIT_SESSION_UNSET unknown */
	char id[SESSION_ID_LEN + 1];
	char token_session[SESSION_ID_LEN + 1]; /* id in its token's meta: a login of its own, where it was replaced */
	char user[ACCOUNT_NAME_SIZE];
	char service[64];
	char rhost[64];
	char tty[64]; /* "" unknown */
	char mount[128];
	char namespace_name[64];
	char service_account[254];
	char service_account_uid[64];
	char role[128];
	char accessor[128];
	unsigned char exported[16];	 /* manifest_digest of its secret files */
	uint32_t blocks[SESSION_BLOCKS]; /* marks of blocks.c; 0: free */
};

struct session_secrets {
	char handle[HANDLE_SECRET_LEN + 1]; /* "" once redeemed */
	char token[640];
};

static inline void cleanup_session_secrets(struct session_secrets *secrets)
{
	wipe(secrets, sizeof(*secrets));
}

#define AUTO_SECRETS CLEANUP(cleanup_session_secrets)

struct table;

/*
 * Takes FD over if it holds a table of this boot (size, seals and header right), or makes a new one (FD -1). 0;
 * -EBADMSG, -ESTALE (a table of another boot), or another negative errno with WHY; FD is closed then.
 */
int table_open(int fd, const char *boot_id, struct table **ret, char *why, size_t why_size) NODISCARD;
void table_close(struct table *table); /* keeps the content: whoever has the descriptor goes on */
int table_fd(const struct table *table);

/* A free slot, or -ENOSPC. It is taken until table_release. */
int table_take(struct table *table);
unsigned table_free_slots(const struct table *table);
/* Wipes what SLOT holds and gives it back. */
void table_release(struct table *table, unsigned slot);

/* Writes SLOT. SECRETS NULL: the ones that it has. 0 or a negative errno. */
int table_put(struct table *table, unsigned slot, const struct session_record *record,
    const struct session_secrets *secrets) NODISCARD;
/* 0, -ENOENT (empty), -EBADMSG (damaged). SECRETS may be NULL. */
int table_get(
    const struct table *table, unsigned slot, struct session_record *ret, struct session_secrets *secrets) NODISCARD;
