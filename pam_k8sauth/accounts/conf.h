/* SPDX-License-Identifier: Apache-2.0 */
/*
 * accounts.conf: what the owner of the machine says about accounts (decisions 11, 12, 14). Root-owned HCL that the
 * daemon reads to make accounts and the helper reads again to clamp what the daemon made. Everything is optional:
 *
 *     range { from = 100000  to = 499999 }     # hashed ids; default 1879048192 to 2147352575
 *     home  = "/home/{user}"
 *     shell = "/bin/bash"
 *     map_file = "/etc/k8sauth/accounts.map"   # lines `name uid`, for sites with more accounts than fit here
 *     account "k8s_web_deployer" {             # all optional; it is a user of this machine before its first login
 *       uid    = 20001                         # default: hashed
 *       gid    = 20001                         # default: the uid, a private group; else a declared group's
 *       groups = ["k8s-deployers"]             # declared ones, besides k8sauth-users and the namespace's
 *       home   = "/srv/deployer"
 *       shell  = "/bin/sh"
 *     }
 *     group "k8s-deployers" { gid = 30000 }    # `k8s-...`, or k8sauth-users, or a namespace's group `k8s_web`
 *     local "deploy" {                         # an account of /etc/passwd, opened to service accounts
 *       service_accounts = ["kubernetes/web/deployer"]
 *     }
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "accounts/names.h"

#define CONF_FIELD_SIZE 256 /* home and shell, NUL included */

struct conf_account {
	char name[ACCOUNT_NAME_SIZE];
	unsigned line; /* of the declaration */
	bool has_uid;  /* else hashed, and so is gid unless gid_group is set */
	uint32_t uid;
	uint32_t gid_group; /* gid of the declared primary group, 0: a private group */
	uint32_t *groups;   /* gids of declared groups, without the primary one */
	size_t n_groups;
	char *home, *shell; /* NULL: the defaults */
};

struct conf_group {
	char name[ACCOUNT_NAME_SIZE];
	uint32_t gid;
};

struct conf_local {
	char *name;
	char **service_accounts; /* "<mount>/<namespace>/<name>" */
	size_t n_service_accounts;
};

struct accounts_conf {
	bool has_range;
	uint32_t from, to; /* hashed ids, both included */
	char *home;	   /* {user} is the Unix name */
	char *shell;
	char *map_file;		       /* NULL: none */
	struct conf_account *accounts; /* sorted by name, as the others */
	size_t n_accounts;
	struct conf_group *groups;
	size_t n_groups;
	struct conf_local *locals;
	size_t n_locals;
};

/*
 * Reads PATH, which must be OWNER's (root's) as safe_open() wants it; a file that is not there says nothing. 0 with a
 * configuration that the caller frees, or a negative errno with "PATH:LINE: reason" in WHY.
 */
int conf_load(const char *path, uid_t owner, struct accounts_conf **ret, char *why, size_t why_size) NODISCARD;
void conf_free(struct accounts_conf *conf);

/* NULL where nothing is declared. */
const struct conf_account *conf_account(const struct accounts_conf *conf, const char *name);
const struct conf_group *conf_group(const struct accounts_conf *conf, const char *name);
const struct conf_group *conf_group_by_gid(const struct accounts_conf *conf, uint32_t gid);
const struct conf_local *conf_local(const struct accounts_conf *conf, const char *name);

/* Whether LOCAL is opened to "<mount>/<namespace>/<service account>". */
bool conf_local_allows(const struct conf_local *local, const char *identity);

/* Home and shell of the account NAME. */
void conf_home(const struct accounts_conf *conf, const char *name, char ret[static CONF_FIELD_SIZE]);
const char *conf_shell(const struct accounts_conf *conf, const char *name);

static inline void cleanup_conf(struct accounts_conf **conf)
{
	conf_free(*conf);
}
#define AUTO_CONF CLEANUP(cleanup_conf)
