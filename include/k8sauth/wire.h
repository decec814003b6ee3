/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The wire protocol between the PAM and NSS objects and k8sauthd, and between k8sauthd and k8sauth-helper (design.md
 * 4).
 *
 * One request and one reply per connection. A frame:
 *     u32  length of what follows, little-endian
 *     u8   version (WIRE_VERSION; another one is refused with WIRE_STATUS_PROTOCOL)
 *     u8   type (enum wire_type; a reply has its request's type | WIRE_REPLY)
 *     u16  zero
 *     items, each:
 *         u16  tag (enum wire_tag), with WIRE_CRITICAL set where the receiver must understand it
 *         u16  zero
 *         u32  length of the value
 *         the value, unpadded
 * An unknown tag is skipped; with WIRE_CRITICAL it refuses the frame. A tag may repeat where its comment says so; the
 * second one of another tag refuses the frame. Numbers in values are little-endian, text has no NUL and is UTF-8.
 */
#pragma once

#include <stdint.h>

#define WIRE_VERSION	 1
#define WIRE_REPLY	 0x80
#define WIRE_CRITICAL	 0x8000
#define WIRE_REQUEST_MAX (64u * 1024) /* whole frame; PAM and NSS to daemon */
#define WIRE_REPLY_MAX	 (256u * 1024)
#define WIRE_HELPER_MAX	 (4u * 1024 * 1024) /* whole frame, daemon to helper */

enum wire_type {
	/* To the daemon, on K8SAUTH_PAM_SOCKET. */
	WIRE_LOGIN =
	    1,	       /* root: CREDENTIAL, USER, SERVICE, [ROLE, TTY, RHOST, RUSER] -> STATUS, HANDLE | REF, MESSAGE */
	WIRE_OPEN = 2, /* root: HANDLE, USER, SERVICE, [RHOST, TTY] -> STATUS, SESSION, ENV... */
	WIRE_CHECK = 3,	  /* root: USER, SERVICE, [PATH, CAPABILITY, TARGET, HANDLE] -> STATUS (decision 18) */
	WIRE_VERIFY = 4,  /* root, consumers, a user about himself: CREDENTIAL, USER, SERVICE, [ROLE, TTY, RHOST, RUSER]
			     -> STATUS | REF, MESSAGE */
	WIRE_CLOSE = 5,	  /* root: SESSION -> STATUS */
	WIRE_LOOKUP = 6,  /* anybody: USER -> STATUS, UID, GID, GECOS, HOME, SHELL, GROUP... */
	WIRE_ACCOUNT = 7, /* root: USER, SERVICE, [HANDLE] -> STATUS (decision 17: may this account go on?) */

	/* To the helper, on K8SAUTH_HELPER_SOCKET; only the daemon's uid and root are heard. */
	WIRE_HELPER_PUBLISH = 32, /* a sealed memfd with an index image by SCM_RIGHTS, [REBIND] -> STATUS */
	WIRE_HELPER_SESSION = 33, /* SESSION, USER, UID, GID, FILE... -> STATUS: writes or replaces a session's files */
	WIRE_HELPER_REMOVE = 34,  /* SESSION -> STATUS: removes a session's files */
	WIRE_HELPER_LIST = 35,	  /* -> STATUS, SESSION...: what lies under K8SAUTH_SESSIONS_DIR */
	WIRE_HELPER_UPDATE = 36,  /* as SESSION, for one that has files: it is never made anew */
	WIRE_HELPER_ROTATE = 37,  /* as UPDATE with [KEEP...]: other secrets than FILE's and KEEP's go; the hook runs */
	WIRE_HELPER_SIGNAL =
	    38, /* USER, UID, GID, SIGNAL, [AUDIT_SESSION, PID...] -> STATUS, COUNT: of its processes */
};

enum wire_tag {
	WIRE_STATUS = 1,     /* u32, enum wire_status */
	WIRE_REF = 2,	     /* text: reference id of the refusal or of the login */
	WIRE_MESSAGE = 3,    /* text for the user, one line, no secret */
	WIRE_CREDENTIAL = 4, /* secret bytes */
	WIRE_USER = 5,	     /* text: Unix name */
	WIRE_SERVICE = 6,    /* text: PAM service */
	WIRE_ROLE = 7,	     /* text: the PAM line's role= */
	WIRE_TTY = 8,	     /* text */
	WIRE_RHOST = 9,	     /* text */
	WIRE_RUSER = 10,     /* text */
	WIRE_HANDLE = 11,    /* secret text */
	WIRE_SESSION = 12,   /* text: session id (repeats in the reply to WIRE_HELPER_LIST) */
	WIRE_ENV = 13,	     /* secret text NAME=value, repeats */
	WIRE_UID = 14,	     /* u32 */
	WIRE_GID = 15,	     /* u32 */
	WIRE_GECOS = 16,     /* text */
	WIRE_HOME = 17,	     /* text */
	WIRE_SHELL = 18,     /* text */
	WIRE_GROUP = 19,     /* u32 gid, repeats */
	WIRE_FILE =
	    20, /* secret: u16 length of the relative name, name ("token", "secrets/<dir>/<key>"), content; repeats */
	WIRE_REBIND = 21,     /* text: the one Unix name whose service account UID may change in this index */
	WIRE_PATH = 22,	      /* text: a policy path with placeholders */
	WIRE_CAPABILITY = 23, /* text: "update" */
	WIRE_KEYS = 24,	      /* u32 1: WIRE_ACCOUNT's caller has keys=allow on its line */
	WIRE_TARGET = 25,     /* text: the account that the user is about to become */
	WIRE_KEEP = 26,	      /* text: name of a secret's file that stays as it is, or of a folder of such; repeats */
	WIRE_SIGNAL = 27,     /* u32: SIGTERM, SIGKILL, or 0 to count only */
	WIRE_AUDIT_SESSION = 28, /* u32: of the processes that are meant; absent: all of the user */
	WIRE_PID = 29,		 /* u32: a process that is spared; repeats */
	WIRE_COUNT = 30,	 /* u32: how many there were */
};

enum wire_status {
	WIRE_STATUS_OK = 0,
	WIRE_STATUS_REFUSED = 1,     /* a definite no: PAM_AUTH_ERR or PAM_PERM_DENIED */
	WIRE_STATUS_UNAVAILABLE = 2, /* an outage: PAM_AUTHINFO_UNAVAIL, NSS UNAVAIL */
	WIRE_STATUS_NOT_OURS = 3,    /* not an account of ours: PAM_IGNORE, NSS NOTFOUND */
	WIRE_STATUS_NOT_FOUND = 4,   /* a definite absence (lookup, close of an unknown session) */
	WIRE_STATUS_DENIED = 5,	     /* this peer may not ask that */
	WIRE_STATUS_PROTOCOL = 6,    /* bad frame, version, or unknown critical item; MESSAGE says which */
	WIRE_STATUS_INTERNAL = 7,    /* our fault: the journal has it */
	WIRE_STATUS_LIMIT = 8,	     /* too many requests */
};
