/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the ACL folder: one rule, as a policy has it and as an ACL keeps it. */
#pragma once

#include <jansson.h>

#include "base/buf.h"
#include "base/hcl.h"
#include "vault/embedded/acl.h"

enum rule_kind {
	RULE_EXACT,
	RULE_PREFIX,   /* the pattern had a '*' at its end, which is taken off */
	RULE_SEGMENTS, /* has '+' segments; keeps its '*' */
};

struct rule {
	char *pattern; /* without the leading '/'; of a templated one all of it */
	enum rule_kind kind;
	bool templated; /* has "{{": its kind shows when it is filled in */
	unsigned capabilities;
	int64_t min_wrapping_ns, max_wrapping_ns; /* 0 unset */
	json_t *allowed, *denied;		  /* lower-case name -> array of values; NULL none */
	json_t *required;			  /* array of names; NULL none */
	const char *unsupported;		  /* static: a condition that cannot be met here; NULL none */

	/* In an ACL: which of its policies made the rule, and what each of them gives. */
	struct grant *grants;
	size_t n_grants;
};

struct grant {
	unsigned policy; /* its place among the ACL's names */
	unsigned capabilities;
};

void rule_clear(struct rule *rule);
/* Sets pattern and kind from the path LABEL, which is complete and has lost its leading '/'. 0 or -ENOMEM. */
int rule_set_pattern(struct rule *rule, const char *label) NODISCARD;

struct policy {
	char *name; /* NULL: nobody asked */
	struct rule *rules;
	size_t n;
};

struct acl {
	unsigned references;
	bool root, templated, timed;
	struct rule *rules; /* sorted by kind and pattern, each pair once */
	size_t n, n_exact;
	char **names; /* of the policies that it was made from; NULL-terminated */
};

/* Every capability that a policy may name, in alphabetical order. */
#define ACL_N_CAPABILITIES 10
struct acl_capability_name {
	const char *name;
	unsigned bit;
};
extern const struct acl_capability_name acl_capability_table[ACL_N_CAPABILITIES];

/* policy_decode.c: HCL values into what a rule needs, with HCL1's error texts. */

struct decoder {
	char *error; /* set once */
	bool json;   /* HCL1 knows no positions there */
};

/* Sets the error; returns -EINVAL (-ENOMEM). */
int decode_fail(struct decoder *decoder, const char *format, ...) PRINTF_LIKE(2, 3);
/* The error of several texts, "2 errors occurred:\n\t* a\n\t* b\n\n"; LIST has them as "\t* a\n\t* b\n". */
int decode_fail_list(struct decoder *decoder, size_t n, const char *list);
/* TEXT in Go's quotation marks (%q). */
void add_quoted(struct buf *out, const char *text);
/* The same as a string to be freed; NULL without memory. */
char *quoted(const char *text);

/* FIELD is the name that HCL1 shows; LABEL that of the path. *RET is NULL if BODY has no KEY. */
int decode_string(struct decoder *decoder, const char *label, const struct hcl_value *body, const char *key,
    const char *field, char **ret);
int decode_strings(struct decoder *decoder, const char *label, const struct hcl_value *body, const char *key,
    const char *field, json_t **ret);
int decode_parameters(
    struct decoder *decoder, const char *label, const struct hcl_value *body, const char *key, json_t **ret);
/* *RET is NULL if BODY has no KEY. */
int decode_object(struct decoder *decoder, const char *label, const struct hcl_value *body, const char *key,
    const struct hcl_value **ret);
/* Nanoseconds; 0 for none or a negative one. */
int decode_duration(struct decoder *decoder, const struct hcl_value *body, const char *key, int64_t *ret);

/* template.c: LABEL filled in from ENTITY. 0; -ENOENT: it cannot be; -ENOMEM. *RET_TIMED becomes true where it hangs on
 * the time, *RET_UNSAFE where a value may widen it: then it may grant nothing. */
int template_fill(const char *label, const json_t *entity, bool *ret_timed, bool *ret_unsafe, char **ret) NODISCARD;

/* params.c: whether the parameters of a request suit a rule (vault-core.md 1.6 step 4, 1.7). */
bool rule_allows_parameters(const struct rule *rule, const json_t *data, const char **ret_reason);
