/* SPDX-License-Identifier: Apache-2.0 */
/* PEM texts as people paste them: what is a block, and what is skipped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kube/pem.h"

/* "TYPE[+]:bytes" of each block, blank-separated. */
static void expect(const char *text, const char *wanted)
{
	char found[256] = "";
	struct pem pem;
	int r;

	while ((r = pem_next(&text, &pem)) > 0) {
		if (*found)
			strcat(found, " ");
		strncat(found, pem.type, pem.type_len);
		strcat(found, pem.headers ? "+:" : ":");
		strncat(found, (const char *)pem.der, pem.len);
		pem_free(&pem);
	}
	assert_int_equal(r, 0);
	assert_string_equal(found, wanted);
}

#define X "-----BEGIN X-----\nYWJj\n-----END X-----\n"

static void test_blocks(void **state)
{
	(void)state;
	expect(X, "X:abc");
	expect("text\n" X "text " X "\n" X, "X:abc X:abc");
	expect("-----BEGIN X-----\r\nYW\r\nJj\r\n-----END X-----", "X:abc");
	expect("-----BEGIN X-----  \n Y W\n\n\tJj \n-----END X----- \t\n", "X:abc");
	expect("-----BEGIN X-----\nName: value\n\nYWJj\n-----END X-----\n", "X+:abc");
	expect("-----BEGIN X-----\n-----END X-----\n" X, "X: X:abc");
}

static void test_what_is_none(void **state)
{
	(void)state;
	expect("", "");
	expect("x", "");
	expect(" " X, "");
	expect("-----BEGIN X-----\nYWJj\n", "");
	expect("-----BEGIN X-----\nYWJj\n-----END Y-----\n", "");
	expect("-----BEGIN X-----\nYWJj\n-----END X----- y\n", "");
	expect("-----BEGIN X----\nYWJj\n-----END X----\n", "");
	expect("-----BEGIN X-----\nYWJ\n-----END X-----\n" X, "X:abc");
	expect("-----BEGIN X-----\nName: value\n-----END X-----\n", "");
	/* The last BEGIN before an END counts. */
	expect("-----BEGIN X-----\n" X, "X:abc");
}

static void test_no_certificates(void **state)
{
	char *bundle = pem_certificates(X "-----BEGIN CERTIFICATE-----\nYWJj\n-----END CERTIFICATE-----\n");

	(void)state;
	assert_string_equal(bundle, "");
	free(bundle);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_blocks),
		cmocka_unit_test(test_what_is_none),
		cmocka_unit_test(test_no_certificates),
	};

	return cmocka_run_group_tests_name("pem", tests, NULL, NULL);
}
