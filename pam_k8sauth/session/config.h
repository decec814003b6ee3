/* SPDX-License-Identifier: Apache-2.0 */
/* What k8sauth.hcl says about logins (design.md 5, "The configuration, by example"); read by daemon/config.c, used
 * here. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* What is ended with a session, besides its token and files. */
enum session_kill {
	KILL_NONE = 0,
	KILL_SESSION = 1, /* what has the session's audit session id */
	KILL_USER = 2,	  /* everything of the user, with the user's last session */
};

/* cluster "kubernetes" { }: a Kubernetes mount that PAM uses. */
struct cluster_config {
	char *mount;				    /* "kubernetes": label; the mount is auth/<label>/ */
	char *unix_prefix;			    /* "k8s_" */
	char *audience;				    /* NULL: allow_no_audience must be set */
	char **api_audiences;			    /* NULL: learned */
	bool allow_no_audience, allow_api_audience; /* the loud switches of decision 8 */
	long long
	    recheck; /* seconds between questions whether service accounts of sessions are still there; 0: never */
};

/* service "sshd" { }: a PAM service. */
struct service_config {
	char *name;
	char **roles;	   /* ordered; NULL: the only role that matches */
	bool export_token; /* VAULT_TOKEN itself */
	enum session_kill on_session_end;
	bool keys_allow; /* keys = "allow": logins without an exchange pass the account phase */
};

/* consumer "postgresql" { }: a PAM service whose program is not root and may ask k8sauthd to verify. */
struct consumer_config {
	char *service; /* label */
	char *uid;     /* of the program: a name of /etc/passwd, or a number */
	char *unit;    /* its systemd unit, with * and ?; NULL: any */
	char *users;   /* Unix names that it may verify, with * and ?; NULL: any of ours */
	char **roles;  /* ordered; NULL: those of the service's block */
};

/* export "db-password" { } or export "policy" { }. */
struct export_config {
	char *name;
	bool policy;	 /* the block named "policy": paths from the token's own policies */
	char *path;	 /* with templates; NULL for policy */
	char *field;	 /* NULL: every key, a file each */
	char *file;	 /* name of the file (field given) or of the directory; NULL: the path with '/' as '.' */
	char *variable;	 /* NULL: none. Gets the value itself */
	char **services; /* NULL: every service */
	bool at_use;	 /* fetched by `k8sauth get` only */
};

struct session_config {
	char *host; /* {host}; short lower-case host name, no '/', '+', '*' */
	char
	    *vault_addr; /* what VAULT_ADDR says: configured, else the TLS listener's, else unix:// of the api socket */
	char *vault_cacert; /* VAULT_CACERT, NULL: unset */
	struct cluster_config *clusters;
	size_t n_clusters;
	struct service_config *services;
	size_t n_services;
	struct consumer_config *consumers;
	size_t n_consumers;
	struct export_config *exports;
	size_t n_exports;
	long long export_interval; /* seconds between looks at living sessions' secrets; 0: never */
};
