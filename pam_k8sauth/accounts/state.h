/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the daemon's half of accounts: what accounts.c (claims) and publish.c (publications) share. */
#pragma once

#include <sys/stat.h>

#include "accounts/accounts.h"
#include "accounts/conf.h"

#define IDENTITY_SIZE		 512 /* "<mount>/<namespace>/<service account>" */
#define SERVICE_ACCOUNT_UID_SIZE 64

/* Somebody who waits for a publication. */
struct claim {
	struct claim *next;
	bool rebind; /* forget the record; else write it */
	char name[ACCOUNT_NAME_SIZE];
	uint32_t uid; /* 0 for a rebinding */
	char identity[IDENTITY_SIZE];
	char service_account_uid[SERVICE_ACCOUNT_UID_SIZE];
	account_claimed_fn *done;
	void *arg;
};

/* Which state of a file was read. */
struct file_seen {
	bool exists;
	struct stat st;
};

struct accounts {
	struct event_base *base;
	char *index_path, *conf_path, *helper_socket;
	const char *passwd, *group; /* LOCAL_PASSWD and LOCAL_GROUP */
	uid_t owner;		    /* of index and accounts.conf: root */

	struct accounts_conf *conf;
	struct file_seen conf_seen, map_seen;
	char conf_why[512]; /* why accounts.conf cannot be used, "" if it can */

	struct index_map map; /* of no data where there is none */
	struct file_seen index_seen;
	char index_why[512];

	struct claim *waiting, *in_flight;
	unsigned conf_number;	   /* grows with every accounts.conf that was read */
	unsigned sent_number;	   /* that of the image that the helper has */
	unsigned published_number; /* that of the present index; 0: not known to be any */
	bool publishing;	   /* the helper has our image */
	bool freed;		   /* while publishing: what the answer has to do */
	struct event *timer;
	struct event *watch; /* of accounts.conf's folder; NULL: changes are noticed by who asks */
};

/* Watches accounts.conf's folder, if that can be; and ends it. */
void watch_begin(struct accounts *accounts);
void watch_end(struct accounts *accounts);

/* What follows from a name, the namespace (NULL if unknown) and accounts.conf. */
struct derived {
	uint32_t uid, gid;
	uint32_t groups[IDMAP_GROUPS_MAX]; /* besides gid */
	size_t n_groups;
	char namespace_group[ACCOUNT_NAME_SIZE]; /* "" if the namespace is unknown */
	uint32_t namespace_gid;
};
void account_derive(const struct accounts_conf *conf, const char *name, const char *ns, struct derived *ret);
/* The id of a name that is not declared. */
uint32_t account_conf_hash(const struct accounts_conf *conf, const char *name);
/* The gid of a group: declared, or hashed. */
uint32_t account_group_gid(const struct accounts_conf *conf, const char *name);

/* The namespace of an account, from IDENTITY ("mount/ns/name") or, where that is "", from a name of full form. */
bool account_namespace(const char *name, const char *identity, char ret[static 64]);
/* "<namespace>/<service account>", for the gecos field. "" if unknown. */
void account_gecos(const char *name, const char *identity, char *ret, size_t size);

/* --- accounts.c ----------------------------------------------------------------------------------------------- */

/* Reads accounts.conf and the index again if they changed. False, with the reason, if one cannot be used. */
bool accounts_refresh(struct accounts *accounts, char *why, size_t why_size);
/* The account of a record. */
void accounts_fill(const struct index_user *user, struct account *ret);

/* --- image.c -------------------------------------------------------------------------------------------------- */

/*
 * Builds the next index: the records of the present one with CLAIMS written into it. With DERIVE every record is made
 * anew from accounts.conf; without, known ones are copied. 0, -EEXIST (WHY says who clashes), -EBADMSG, -E2BIG,
 * -ENOMEM.
 */
int image_build(const struct accounts *accounts, const struct claim *claims, bool derive, struct buf *ret, char *why,
    size_t why_size) NODISCARD;

/* --- publish.c ------------------------------------------------------------------------------------------------ */

/* Publishes what waits, at the end of this loop turn, or after the publication that is under way. */
void publish_soon(struct accounts *accounts);
void publish_free(struct accounts *accounts);
