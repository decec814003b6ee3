/* SPDX-License-Identifier: Apache-2.0 */
/* What the verbs of the k8sauth command line share. Output, texts and exit codes are those of the vault command. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <jansson.h>

#include "base/macros.h"

enum cli_exit {
	CLI_OK = 0,
	CLI_LOCAL = 1,	/* a mistake on this side: arguments, files */
	CLI_SERVER = 2, /* the server said no, could not be reached, or has nothing there */
	CLI_NO_VERB = 127,
};

/* Which options a verb takes; the table in options.c says the rest. */
enum cli_option {
	OPT_FORMAT = 1 << 0,
	OPT_FIELD = 1 << 1,
	OPT_FORCE = 1 << 2,
	OPT_PATH = 1 << 3,
	OPT_DESCRIPTION = 1 << 4,
	OPT_VERSION = 1 << 5,
	OPT_MOUNT = 1 << 6,
	OPT_SELF = 1 << 7,
	OPT_STATUS = 1 << 8,
	OPT_VERSIONS = 1 << 9,
	OPT_CONNECTION = 1 << 10, /* -address, -ca-cert */
};

struct client;

struct cli {
	const char *address, *ca_cert;
	const char *format; /* "table" or "json" */
	const char *field, *path, *description, *version, *versions, *mount;
	bool force, self, status, help;
	char **args; /* what follows the options */
	int n_args;
	struct client *client;
};

struct cli_verb {
	const char *name;     /* "read", "kv put" */
	const char *usage;    /* "[options] PATH" */
	const char *synopsis; /* one line */
	const char *help;     /* indented text, or NULL */
	unsigned options;
	int min_args, max_args; /* max_args -1: any number */
	int (*run)(struct cli *cli);
};

extern const struct cli_verb cli_verbs[]; /* ends with a NULL name */

/* --- options.c --- */

/* Reads the options of VERB from ARGV (after the verb) into CLI. CLI_OK, or CLI_LOCAL after the reason was printed. */
int cli_parse(const struct cli_verb *verb, int argc, char **argv, struct cli *ret);
void cli_print_verb_help(const struct cli_verb *verb);

/* --- data.c --- */

/*
 * The fields of a write from "key=value", "key=@file", "key=-" and "key=\@text", or from one "@file" or "-" that is a
 * JSON object. A repeated key becomes a list. CLI_OK with *RET (the caller's), or CLI_LOCAL after the reason was
 * printed.
 */
int cli_read_data(char *const *args, int n_args, json_t **ret);

/* The text of the file NAME, or of standard input for "-". 0 or a negative errno. */
struct buf;
int cli_read_text(const char *name, struct buf *ret) NODISCARD;

/* --- client.c --- */

struct reply {
	long status;
	json_t *json; /* NULL where the body is none */
	char *url;    /* as in error texts */
	const char *method;
	bool with_token; /* the request had one */
};
void reply_free(struct reply *reply);
#define AUTO_REPLY CLEANUP(reply_free)

/*
 * The connection that options and environment ask for: VAULT_ADDR (http, https, unix://), VAULT_CACERT, VAULT_TOKEN or
 * ~/.vault-token. CLI_OK, or CLI_LOCAL after the reason was printed.
 */
int client_new(const struct cli *cli, struct client **ret);
void client_free(struct client *client);

/* Uses the token TEXT instead (wiped by the caller). 0 or -ENOMEM. */
int client_set_token(struct client *client, const char *text) NODISCARD;

/*
 * Sends METHOD to v1/PATH (percent-encoded here) with QUERY (NULL, or "list=true") and BODY (NULL for none). CLI_OK
 * with any HTTP status in *RET, or CLI_SERVER after "PREFIX: reason" was printed: the server could not be reached.
 */
int client_send(struct client *client, const char *method, const char *path, const char *query, const json_t *body,
    const char *prefix, struct reply *ret);

/*
 * Prints "PREFIX: Error making API request." with URL, code and errors (PREFIX NULL: without), and what to do where the
 * errors do not tell. Returns CLI_SERVER.
 */
int reply_error(const struct reply *reply, const char *prefix);
/* Whether it is a success. */
bool reply_good(const struct reply *reply);
/* 404 without anything in it but errors: nothing is there. */
bool reply_is_nothing(const struct reply *reply);

/* --- output.c --- */

/* A vault reply as a person reads it: data, lease and auth as a table, or with -format=json or -field. An exit code. */
int print_secret(const struct cli *cli, const json_t *secret);
/* One field of OBJECT, without a newline where standard output is no terminal. */
int print_field(const struct cli *cli, const json_t *object, const char *name);
void print_json(const json_t *value);
/* The same with the members of every object sorted. */
void print_sorted_json(const json_t *value);
/* Keys and values of OBJECT, sorted; durations as such. */
void print_map(const json_t *object);
/* "== Title ==", as wide as the WIDTH bytes below it. */
void print_title(const char *title, size_t width);
/* "== Data ==" above print_map(OBJECT). */
void print_titled_map(const char *title, const json_t *object);
/* One column "Keys". */
void print_keys(const json_t *keys);
/* ROWS x COLUMNS texts, the first row being the head, columns 4 blanks apart. */
void print_table(char *const *cells, size_t rows, size_t columns);
/* The value as Go prints it: map[a:1 b:[x y]], <nil>. NULL without memory. The caller frees it (wipe_free). */
char *go_text(const json_t *value);
/* 2764800 is "768h", 5400 "1h30m". */
void go_duration(long long seconds, char *ret, size_t size);
void print_warnings(const json_t *secret);
bool is_json(const struct cli *cli);

/* The verbs. */
int verb_status(struct cli *cli);
int verb_read(struct cli *cli);
int verb_write(struct cli *cli);
int verb_list(struct cli *cli);
int verb_delete(struct cli *cli);
int verb_kv_put(struct cli *cli);
int verb_kv_get(struct cli *cli);
int verb_kv_list(struct cli *cli);
int verb_kv_delete(struct cli *cli);
int verb_auth_enable(struct cli *cli);
int verb_auth_list(struct cli *cli);
int verb_secrets_enable(struct cli *cli);
int verb_secrets_list(struct cli *cli);
int verb_policy_write(struct cli *cli);
int verb_policy_read(struct cli *cli);
int verb_policy_list(struct cli *cli);
int verb_policy_delete(struct cli *cli);
int verb_token_lookup(struct cli *cli);
int verb_token_revoke(struct cli *cli);
int verb_operator_init(struct cli *cli);
int verb_explain(struct cli *cli);
int verb_accounts_rebind(struct cli *cli);
