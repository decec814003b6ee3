/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes, times and places that more than one program must agree about. */
#pragma once

#define K8SAUTH_RUN_DIR	      "/run/k8sauth"
#define K8SAUTH_PAM_SOCKET    "/run/k8sauth/pam"      /* 0666, wire protocol */
#define K8SAUTH_API_SOCKET    "/run/k8sauth/api"      /* 0666, HTTP */
#define K8SAUTH_HELPER_SOCKET "/run/k8sauth/helper"   /* root:k8sauth 0660, wire protocol */
#define K8SAUTH_SESSIONS_DIR  "/run/k8sauth/sessions" /* a tmpfs of its own */
#define K8SAUTH_CONFIG	      "/etc/k8sauth/k8sauth.hcl"
#define K8SAUTH_ACCOUNTS_CONF "/etc/k8sauth/accounts.conf"
#define K8SAUTH_HOOK_ROTATED  "/etc/k8sauth/hooks/rotated"	/* root's; runs as the user whose secrets changed */
#define K8SAUTH_INDEX	      "/var/lib/k8sauth-index/accounts" /* root-owned; the helper replaces it */
#define K8SAUTH_STATE_DIR     "/var/lib/k8sauth"
#define K8SAUTH_LOG_DIR	      "/var/log/k8sauth" /* of audit devices; what else the unit may write */

#define K8SAUTH_USER	    "k8sauth"	    /* the daemon's own account; also the group that may reach the helper */
#define K8SAUTH_USERS_GROUP "k8sauth-users" /* every account of ours is in it */

/* Credential intake (decision 15). */
#define CREDENTIAL_MAX	    (16 * 1024) /* bytes of a whole credential */
#define CREDENTIAL_PARTS    16
#define CREDENTIAL_PART_MAX 1000 /* bytes of one framed part, frame included; ssh cuts an answer at 1023 */

/* Unix names (decision 11): what utmp holds, without the NUL. */
#define ACCOUNT_NAME_MAX  31
#define ACCOUNT_NAME_SIZE 32

/* Ids (decisions 12 and 14): never below, and never in what systemd hands out itself. */
#define ACCOUNT_ID_MIN	 10000u
#define ACCOUNT_ID_BASE	 1879048192u /* 0x70000000: base of hashed ids */
#define ACCOUNT_ID_LIMIT 2147352576u /* systemd's foreign range starts here */

/* Time limits in milliseconds, all below sshd's LoginGraceTime of 120 s. */
#define PAM_LOGIN_MS   20000 /* module: login, from connect to reply */
#define PAM_OPEN_MS    15000 /* module: open, close */
#define NSS_LOOKUP_MS  250   /* NSS: a name of ours that the index lacks */
#define HELPER_CALL_MS 5000  /* daemon: one request to the helper */
#define HANDLE_MS      60000 /* a login that is not opened is given back */
