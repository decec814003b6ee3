/* SPDX-License-Identifier: Apache-2.0 */
/* What the two halves of reading accounts.conf share: conf_load.c (files) and conf_blocks.c (their contents). */
#pragma once

#include "accounts/conf.h"
#include "base/hcl.h"

struct conf_loader {
	struct accounts_conf *conf;
	const char *path; /* of the file being read */
	uid_t owner;
	char *why;
	size_t why_size;
	size_t accounts_size, groups_size, locals_size;
};

/* Writes "PATH:LINE: reason" (no LINE if 0) for the caller of conf_load(); -EINVAL. */
int conf_fail(struct conf_loader *l, unsigned line, const char *format, ...) PRINTF_LIKE(3, 4);

/* Takes what a parsed file says into l->conf, groups sorted. 0, -EINVAL, -ENOMEM. */
int conf_load_items(struct conf_loader *l, const struct hcl_value *top) NODISCARD;

/* Adds an account with NAME and LINE only, for the caller to fill in; it moves with the next one. */
int conf_add_account(struct conf_loader *l, unsigned line, const char *name, struct conf_account **ret) NODISCARD;

/* For qsort(): groups and accounts start with their names. */
int conf_compare_names(const void *a, const void *b);
