/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The request interface (design.md 4): the one call that the HTTP listener, the PAM login, the export, the sudo gate
 * and the CLI go through. What is behind it (embedded, remote) is a backend. Requests and responses have the meaning
 * that Vault 1.21.4's HTTP API gives them (vault-core.md 9).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <jansson.h>

#include "base/log.h"
#include "base/secret.h"

enum vault_op {
	VAULT_READ,
	VAULT_LIST,
	VAULT_UPDATE, /* POST and PUT; the router makes it VAULT_CREATE where the endpoint has an existence check */
	VAULT_CREATE,
	VAULT_PATCH,
	VAULT_DELETE,
	VAULT_HELP,
	VAULT_HEADER,  /* HEAD */
	VAULT_OTHER,   /* OPTIONS: routed, never supported */
	VAULT_RESOLVE, /* internal: would this login's role match? Every local check, no TokenReview, never a token */
	VAULT_VERIFY,  /* internal: the whole login, but nothing is written and no token made: the answer's auth has the
			  metadata alone, its data "expires", unix, of the credential (0: not known). A backend that
			  cannot do without a token revokes it before it answers */
	VAULT_TELL,    /* internal: nothing is asked. The audit trail gets an entry of what was decided without the
			  backend. 204 when it is accepted, or where there is no trail */
};

enum vault_peer_kind {
	VAULT_PEER_INTERNAL, /* the daemon itself */
	VAULT_PEER_UNIX,     /* the api socket */
	VAULT_PEER_TCP,
};

struct vault_peer {
	enum vault_peer_kind kind;
	uid_t uid;	  /* VAULT_PEER_UNIX */
	char address[64]; /* without port; "" if unknown. For PAM logins: rhost where it is an address */
	uint16_t port;
	bool open_metrics; /* its listener gives sys/metrics to everybody */
};

/* Names among a request's headers that no client can set: who is behind a request of the daemon itself. */
#define VAULT_TOLD_PREFIX  "k8sauth-"
#define VAULT_TOLD_LEFT_OUT VAULT_TOLD_PREFIX "left-out" /* so many refusals before this one have no entry */
#define VAULT_TOLD_NODE	    VAULT_TOLD_PREFIX "node"
#define VAULT_TOLD_POD	    VAULT_TOLD_PREFIX "pod"
#define VAULT_TOLD_REF	    VAULT_TOLD_PREFIX "ref"	  /* as `k8sauth explain` takes it */
#define VAULT_TOLD_REMEMBERED VAULT_TOLD_PREFIX "remembered" /* answered from memory: REF is of the first time */
#define VAULT_TOLD_RHOST    VAULT_TOLD_PREFIX "rhost"
#define VAULT_TOLD_SERVICE  VAULT_TOLD_PREFIX "service" /* PAM's */
#define VAULT_TOLD_SESSION  VAULT_TOLD_PREFIX "session"
#define VAULT_TOLD_TTY	    VAULT_TOLD_PREFIX "tty"
#define VAULT_TOLD_UID	    VAULT_TOLD_PREFIX "uid"  /* of who asks the api socket */
#define VAULT_TOLD_USER	    VAULT_TOLD_PREFIX "user" /* Unix name */

/* The most elements of a list that is sent as one text with commas: as many as one that is sent as JSON may have. */
#define VAULT_LIST_MAX 10000

/* What a login through PAM adds to a plain API login (decisions 8 and 21). Strings belong to the request. */
struct vault_pam_login {
	char *audience;		/* the cluster block's; the role's own must be set, and equal where this is */
	char **api_audiences;	/* configured ones, NULL-terminated; NULL: learned from the reviewer's own token */
	bool allow_no_audience; /* the loud switches of decision 8 */
	bool allow_api_audience;
	char *session_id; /* goes into the token's meta as k8sauth_session */
	char *boot_id;	  /* likewise k8sauth_boot */
};

struct vault_request {
	enum vault_op op;
	char *path;	      /* "auth/kubernetes/login": no leading slash, no "v1/"; ends in '/' for VAULT_LIST */
	struct secret *token; /* NULL without */
	json_t *data;	      /* an object, or NULL: body members or query parameters */
	int64_t wrap_ttl;     /* seconds, 0 none */
	bool wrap_jwt;	      /* the wrapping token is wanted in the form of a JWT */
	int fault_status; /* HTTP: 0, or what is wrong with the request for every path but those of the server itself */
	char *fault;	  /* its text */
	bool broken;	  /* it is wrong for those too: the fault is the answer, once the request is counted */
	bool internal;	  /* the daemon's own authority: no token needed, all allowed (never set from outside);
			     with a token it is done for that one, whatever its policies allow it */
	struct vault_peer peer;
	char ref[REF_SIZE];	     /* for the journal */
	char *told_path;	     /* the audit trail tells of it as one for this path, */
	char *told_capability;	     /* and allowed if the token has this there; both NULL: as what it is */
	char *told_refusal;	     /* VAULT_TELL: why not, in the words of `k8sauth explain`; NULL: it was allowed */
	char *uri;		     /* for the audit trail: as it was asked, where it has a query or escapes; NULL */
	json_t *headers;	     /* the same: those that vault->audited_headers asks for, {name: [text]}; NULL */
	struct vault_pam_login *pam; /* NULL for everything but a PAM login */
};

/* Why a login failed, for the journal and for the PAM code; a Vault client sees only status and errors. */
enum vault_failure {
	VAULT_FAILED_NOT = 0,
	VAULT_FAILED_REFUSED,	 /* a definite no */
	VAULT_FAILED_OTHER_ROLE, /* a definite no of this role only: name, namespace, audience or unknown role */
	VAULT_FAILED_OUTAGE,	 /* API server, store or seal: try later */
};

/* What the request's rate limit quota says, for headers of the reply. */
struct vault_quota {
	bool shown; /* the three numbers: how many requests in a time, how many of them are left, how many seconds */
	uint64_t limit, remaining;
	int64_t reset;
	int64_t retry_after; /* seconds after which a refused one may be repeated; 0: it was not refused */
};

struct vault_response {
	int status; /* HTTP */
	char request_id[37];
	json_t *data; /* object or NULL */
	json_t *auth; /* object or NULL; client_token in it is a secret */
	json_t *wrap_info;
	json_t *warnings; /* array of strings or NULL */
	json_t *errors;	  /* array of strings, for status >= 400 */
	char *lease_id;	  /* NULL is "" */
	bool renewable;
	int64_t lease_duration;
	char *display_name;	/* of AUTH, for the audit trail; NULL */
	int64_t issued;		/* the same: when the token of AUTH, which is renewed, was made, unix ns; 0 */
	const char *mount_type; /* static or mount's; NULL is "" */
	char *text;		/* instead of JSON, with its content type; NULL */
	const char *text_type;	/* static */
	json_t *body;		/* replaces the envelope where the endpoint has none (sys/health, sys/seal-status) */
	bool data_on_top;	/* members of data also beside it (vault-core.md 9.2) */
	bool envelope_404;	/* status 404 with an envelope (deleted KV version) */
	struct vault_quota quota;
	bool empty_404; /* status 404 without any body (patch of what is not there) */

	enum vault_failure failure;
	const char *step; /* static: "jwt", "role", "namespace", "tokenreview", ...; NULL if nothing failed */
	char *reason;	  /* the whole truth for the journal, no secret; NULL: errors[0] tells it */
	char *remedy;	  /* what the administrator can do about it; NULL */
};

/* Called once, never from inside vault_send. RESPONSE is freed afterwards; a callback may take members by NULLing them.
 */
typedef void vault_done_fn(void *arg, struct vault_response *response);

/* A backend. */
struct vault {
	void (*send)(struct vault *vault, struct vault_request *request, vault_done_fn *done, void *arg);
	void (*free)(struct vault *vault);
	/* Grows whenever a login may be answered otherwise than before: roles, configuration, mounts, entities. */
	uint64_t logins_changed;
	/* The headers of requests that its audit trail tells of: an object with lower-case names; NULL: none. */
	const json_t *audited_headers;
};

/* Sends REQUEST (taken over). */
static inline void vault_send(struct vault *vault, struct vault_request *request, vault_done_fn *done, void *arg)
{
	vault->send(vault, request, done, arg);
}

/* A request with PATH copied; NULL without memory. */
struct vault_request *vault_request_new(enum vault_op op, const char *path) NODISCARD;
void vault_request_free(struct vault_request *request);
void vault_pam_login_free(struct vault_pam_login *pam);

struct vault_response *vault_response_new(void) NODISCARD;
void vault_response_free(struct vault_response *response);
/* Like new, with the id that it has. */
void vault_response_clear(struct vault_response *response);

/* Sets status and errors to the formatted text. */
void vault_response_error(struct vault_response *response, int status, const char *format, ...) PRINTF_LIKE(3, 4);
/* The same in Vault's form "1 error occurred:\n\t* TEXT\n\n". */
void vault_response_wrapped_error(struct vault_response *response, int status, const char *format, ...)
    PRINTF_LIKE(3, 4);
void vault_response_warn(struct vault_response *response, const char *format, ...) PRINTF_LIKE(2, 3);
/* Whether it failed for want of the API server, the store or the seal: later it may be otherwise. */
bool vault_response_is_outage(const struct vault_response *response);
/* The first error text, "" if none. */
const char *vault_response_error_text(const struct vault_response *response);

/*
 * The body that an HTTP client gets, NULL for none (204, HEAD, some 404): the envelope with its keys in Vault's order,
 * the error form, or BODY. The caller owns it.
 */
json_t *vault_response_body(const struct vault_response *response) NODISCARD;
