/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stack of a PAM service as libpam reads it: @include, include and substack followed, one chain of lines for each
 * phase, and what the controls on them mean for each other. libpam itself tells nobody what it has read.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum pam_phase {
	PHASE_AUTH,
	PHASE_ACCOUNT,
	PHASE_SESSION,
	PAM_PHASES,
};

struct pam_line {
	char *control;	/* "required", "success=done default=ignore" */
	char *module;	/* without its folder: "pam_unix.so"; "" for a substack, whose lines follow */
	char *options;	/* the words behind it, one blank apart */
	char *where;	/* file:line */
	unsigned level; /* of substacks */
	bool own;	/* stands in the service's own file */
};

struct pam_chain {
	struct pam_line *lines;
	size_t n;
};

struct pam_stack {
	struct pam_chain phases[PAM_PHASES];
	unsigned files;
	char *unread; /* "file: why" of the first thing that could not be read or understood; NULL: all was */
	int error;    /* its negative errno */
};

/* Reads SERVICE below ROOT. What cannot be read is in UNREAD. */
void pam_stack_read(const char *root, const char *service, struct pam_stack *ret);
/* The same for LEN bytes of text that stand for /etc/pam.d/SERVICE. */
void pam_stack_parse(const char *root, const char *service, const char *text, size_t len, struct pam_stack *ret);
void pam_stack_free(struct pam_stack *stack);

enum pam_action_kind {
	ACTION_IGNORE,
	ACTION_OK,
	ACTION_DONE,
	ACTION_BAD,
	ACTION_DIE,
	ACTION_RESET,
	ACTION_JUMP,
};

struct pam_action {
	enum pam_action_kind kind;
	unsigned jump; /* how many lines */
};

/* What CONTROL says about a module's return code, such as "success" or "perm_denied". */
struct pam_action pam_action(const char *control, const char *code);

/* Whether line TO is not reached when line FROM, in front of it, returns CODE. */
bool pam_skips(const struct pam_chain *chain, size_t from, size_t to, const char *code);

/* The first line with MODULE from index I on; CHAIN->n if there is none. */
size_t pam_find(const struct pam_chain *chain, const char *module, size_t i);

/* The option NAME of LINE ("verify"), or what starts with it, if it ends in '=' ("require="); NULL if it has none. The
 * pointer is into the line's options. */
const char *pam_option(const struct pam_line *line, const char *name);
