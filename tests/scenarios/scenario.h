/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A scenario: what an application does with libpam, what a person and k8sauthd answer, and what must come of it. One
 * text file each, read line by line; # starts a comment. Words may be "quoted", with \n \r \b \xNN inside.
 *
 * First, all optional:
 *     user NAME, service NAME, rhost NAME, tty NAME, ruser NAME        items (defaults: see scenario.c)
 *     daemon none | untrusted-folder | untrusted-socket                instead of a listening k8sauthd
 *     loginuid N, realuid N                                            of the process (defaults: unset, 0)
 *     threads N                                                        the first call, N times at once
 *     kubelet ANSWER                                                   /run/pod/token holds it, the way kubelet does it
 *     stack LINE...                                                    of the PAM configuration, in order; without
 *                                                                      any, pam_k8sauth.so is required in each phase
 * Then what the application does:
 *     set user NAME                                                    pam_set_item(), also rhost, tty, ruser
 *     call FUNCTION [FLAG...] [child] [nomem]                          pam_FUNCTION(); child: in a forked process;
 *                                                                      nomem: the module gets no memory.
 *                                                                      `call end [error]` is the last, if it is there
 * and after each call, in any order, all that happens in it:
 *     ask "PROMPT" ANSWER           the module asks; ANSWER is one of: text "..", token SIZE, cut LEN of SIZE,
 *                                   part I/N of SIZE, fill CHAR COUNT, null, error, again
 *     tell REGEX                    the module shows a text
 *     request WORDS...              k8sauthd gets this request, in wire_describe()'s words; then how it answers:
 *     reply STATUS NAME=VALUE...    or: reply close | garbage | wrong-type | no-status | critical
 *     carries token SIZE            the request's credential is this one
 *     returns PAM_CODE
 *     env NAME=VALUE                one of the variables of pam_getenvlist() after the call; `env none`: it is empty.
 *                                   Without an env line the variables must be those after the call before.
 *     log REGEX                     of one line above LOG_DEBUG; every such line needs one, in order
 *     debug REGEX                   of some LOG_DEBUG line
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/macros.h"

#define LIST_MAX 24

struct list {
	char *items[LIST_MAX];
	size_t n;
};

enum answer_kind {
	ANSWER_TEXT,
	ANSWER_NULL,
	ANSWER_ERROR,
	ANSWER_AGAIN,
};

struct ask {
	char *prompt;
	enum answer_kind kind;
	char *answer;
};

struct exchange {
	char *request;
	char *credential; /* what it must carry, or NULL */
	struct list reply;
};

enum action_kind {
	ACTION_CALL,
	ACTION_SET,
};

struct action {
	enum action_kind kind;
	unsigned line;
	/* ACTION_SET */
	int item;
	char *value;
	/* ACTION_CALL */
	char *function;
	int flags;
	bool child, nomem;
	struct ask asks[LIST_MAX];
	size_t n_asks;
	struct exchange exchanges[LIST_MAX];
	size_t n_exchanges;
	struct list tells, env, logs, debugs;
	bool env_given;
	int code;
};

enum daemon_kind {
	DAEMON_LISTENS,
	DAEMON_NONE,
	DAEMON_UNTRUSTED_FOLDER,
	DAEMON_UNTRUSTED_SOCKET,
};

struct scenario {
	char *user, *service, *rhost, *tty, *ruser;
	enum daemon_kind daemon;
	unsigned threads;
	char *login_uid, *real_uid;
	char *kubelet; /* content of KUBELET_TOKEN; NULL: there is none */
	char *stack;   /* the configuration */
	struct action actions[LIST_MAX];
	size_t n_actions;
};

/* Reads the file at PATH; MODULE_DIRS are the folders of pam_k8sauth.so and pam_stub.so. False with WHY. */
bool scenario_read(
    const char *path, const char *module, const char *stub, struct scenario *ret, char *why, size_t size);
void scenario_free(struct scenario *scenario);

/* answers.c: the text of ANSWER, whose words begin at AT; NULL where they make no sense. */
char *scenario_answer(const struct list *words, size_t at);

/* The name of a PAM code, "PAM_SUCCESS"; NULL for an unknown one. */
const char *pam_code_name(int code);
