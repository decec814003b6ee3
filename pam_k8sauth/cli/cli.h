/* SPDX-License-Identifier: Apache-2.0 */
/* What the verbs of the k8sauth command line share. Output, texts and exit codes are those of the vault command. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/macros.h"
#include "cli/flags.h"
#include "cli/value.h"

enum cli_exit {
	CLI_OK = 0,
	CLI_LOCAL = 1,	/* a mistake on this side: arguments, files */
	CLI_SERVER = 2, /* the server said no, could not be reached, or has nothing there */
	CLI_NO_VERB = 127,
};

enum format {
	FORMAT_TABLE,
	FORMAT_JSON,
	FORMAT_YAML,
	FORMAT_PRETTY,
	FORMAT_RAW,
};

struct client;

struct cli {
	const struct verb *verb;
	struct flag_value flags[FLAG_COUNT];
	char **args; /* what follows the flags */
	int n_args;
	enum format format;
	const char *field; /* -field, NULL without */
	bool detailed;
	bool quiet; /* the request was printed, not sent: what follows is no error */
	bool stdin_used;
	const char *data_error;	  /* what precedes an error in data; NULL for the usual words */
	unsigned long core_limit; /* what it was: a program that takes our place has it again */
	bool asking; /* the next request is a question of ours, so it is sent even where only one is to be shown */
	struct client *client;
};

/* Which flags a verb takes besides its own. */
enum {
	TAKES_HTTP = 1 << 0,
	TAKES_FORMAT = 1 << 1,
	TAKES_FIELD = 1 << 2,
	TAKES_LOCAL = 1 << 3,	/* HTTP, to k8sauthd on this machine: its own API is nowhere else */
	TAKES_COMMAND = 1 << 4, /* its arguments are another program's, flags and all */
	TAKES_ALL = TAKES_HTTP | TAKES_FORMAT | TAKES_FIELD,
};

struct verb {
	const char *name;     /* "read", "kv metadata get" */
	const char *usage;    /* "[options] PATH" */
	const char *synopsis; /* one line */
	const char *help;     /* indented text, or NULL */
	unsigned takes;
	const enum flag_id *flags; /* its own, FLAG_END at the end; NULL for none */
	int (*run)(struct cli *cli);
	const char *completes; /* what its arguments are: "file", or words; NULL for anything */
};

extern const struct verb verbs[]; /* ends with a NULL name */

/* --- help.c --- */

void help_print_verb(const struct verb *verb);
void help_print_all(bool asked);
/* Whether verbs start with WORDS, such as "kv metadata". */
bool help_is_group(const char *words);
/* The verbs below them, to standard output where they were ASKED for. */
void help_print_group(const char *words, bool asked);
/* Says that there is no verb TEXT, and which ones are close to it. */
void help_print_unknown(const char *text);

/* --- elsewhere.c --- */

/* What does the work of the vault command's verb WORDS, which is not here: a sentence. NULL for other words. */
const char *verb_elsewhere(const char *words);

/* --- ui.c --- */

/* LEN bytes to standard output; without escape sequences where it is no terminal, as the vault command writes. */
void ui_write(const char *text, size_t len);
/* A line to standard output, to standard error, and to standard error as a warning. */
void ui_output(const char *format, ...) PRINTF_LIKE(1, 2);
void ui_error(const struct cli *cli, const char *format, ...) PRINTF_LIKE(2, 3);
void ui_warn(const struct cli *cli, const char *format, ...) PRINTF_LIKE(2, 3);
/* The same as ui_error; returns CODE. */
int ui_fail(const struct cli *cli, int code, const char *format, ...) PRINTF_LIKE(3, 4);
/* Whether standard output is a terminal that takes colours; then a newline follows a raw field. */
bool ui_is_terminal(void);
/* Asks by PROMPT, on PROMPTS, for a line that is not shown: 0, -ENOTTY (standard input is none), -EINTR. */
int ui_ask_hidden(FILE *prompts, const char *prompt, struct buf *ret) NODISCARD;
/* Asks a question on standard error; whether the line that comes from standard input is "yes". */
bool ui_confirm(const char *question);
/* A formatted text; the caller frees it. Never NULL. */
char *text_of(const char *format, ...) PRINTF_LIKE(1, 2);
/* TEXT in lines of at most 78 characters, each with PAD blanks before it; the caller frees it. */
char *wrap_text(const char *text, int pad);

/* --- data.c --- */

/*
 * The fields of a write from ARGS: "key=value", "key=@file", "key=-" and "key=\@text", "@file" or "-" with a JSON
 * object. A repeated key becomes a list. CLI_OK with *RET (the caller's), or CLI_LOCAL after the reason was printed.
 */
int data_read(struct cli *cli, char *const *args, int n_args, struct value **ret);
/* "k=v&k=v" of DATA, sorted by key and percent-encoded; NULL where there is none. The caller frees it. */
char *data_query(const struct value *data);
/* The text of the file NAME, or of standard input for "-". 0 or a negative errno. */
int data_read_text(const char *name, struct buf *ret) NODISCARD;
/* TEXT without blanks around it, in place. */
char *trim_blanks(char *text);
/* PATH without slashes and blanks around it, in place. */
char *trim_path(char *path);
/* Prints the reason and returns false where there are fewer than LEAST or more than MOST arguments. */
bool args_between(const struct cli *cli, int least, int most);

/* --- client.c, address.c, dry_run.c --- */

struct reply {
	long status;
	struct value *json; /* NULL where there is no body */
	char *raw;	    /* the body as it came */
	size_t raw_len;
	char *error; /* the text after "Error doing something: "; NULL for a good reply */
};

void reply_free(struct reply *reply);
#define AUTO_REPLY CLEANUP(reply_free)

/* A connection as flags and environment ask for it. CLI_OK, or CLI_SERVER after the reason was printed. */
int client_new(struct cli *cli);
void client_free(struct client *client);
/* Uses the token TEXT instead ("" for none), wiped by the caller. */
void client_set_token(struct client *client, const char *text);
/* Drops -wrap-ttl. */
void client_no_wrapping(struct client *client);
bool client_wraps(const struct client *client);
/* What the next request says about its body; NULL for JSON. */
void client_content_type(struct client *client, const char *type);

/*
 * Sends METHOD to v1/PATH (percent-encoded here) with QUERY (NULL for none) and BODY (NULL for none). 0 with a status
 * below 400 in *RET. -1 with its `error`, and with status and json where the server answered.
 */
int client_send(struct cli *cli, const char *method, const char *path, const char *query, const struct value *body,
    struct reply *ret);
/* GETs v1/PATH into the file FD, which is empty. 0, or -1 as client_send. */
int client_fetch(struct cli *cli, const char *path, int fd, struct reply *ret);
/*
 * The same as the vault library reads secrets: 404 with data or warnings is a reply, one without is nothing: 0 with no
 * json.
 */
int client_secret(struct cli *cli, const char *method, const char *path, const char *query, const struct value *body,
    struct reply *ret);

/* --- token_file.c --- */

/* The token that was stored by a login; 0 with *RET (the caller wipes it), -ENOENT, or what open() said. */
int token_file_read(char **ret) NODISCARD;
/* Replaces it, for its owner only. 0 or a negative errno. */
int token_file_write(const char *token) NODISCARD;

/* --- output.c --- */

/* A vault reply in the format that is wanted, or one field of it. An exit code. */
int print_secret(const struct cli *cli, const struct value *secret);
/* The same without -field. */
int print_whole_secret(const struct cli *cli, const struct value *secret);
/* A change that failed with 404 may have an answer nevertheless: vault shows it below the error. An exit code. */
int show_not_found(const struct cli *cli, const struct reply *reply);
/* The field -field of a reply. */
int print_secret_field(const struct cli *cli, const struct value *secret);
/* The field -field of a map; "data" is the map itself. */
int print_field(const struct cli *cli, const struct value *map);
/* A value in the format that is wanted; a map as a table. */
int print_data(const struct cli *cli, const struct value *value);
/* The keys of a listing. */
int print_list(const struct cli *cli, const struct value *secret);
void print_warnings(const struct cli *cli, const struct value *secret);
/* "====== Title ======" as wide as WIDTH, as a map below it, or as TEXT and an empty line. */
void print_map_title(const char *title, const struct value *map);
void print_path_title(const char *title, const char *text);
/* 2764800 is "768h", 5400 "1h30m"; the caller frees it. */
char *go_duration(long long seconds);

/* --- table.c --- */

/* Lines of cells, shown in columns. */
struct table {
	char **cells;
	size_t n, size, columns;
};

/* A table with a head of COLUMNS texts, underlined. */
void table_begin(struct table *table, size_t columns, const char *const *head);
/* The same without a head. */
void table_begin_bare(struct table *table, size_t columns);
/* A line of two: NAME, and a text that is taken over. */
void table_row(struct table *table, const char *name, char *text);
/* Adds a cell; takes TEXT over. */
void table_take(struct table *table, char *text);
void table_add(struct table *table, const char *text);
void table_print(const struct table *table);
void table_free(struct table *table);
#define AUTO_TABLE CLEANUP(table_free)
