/* SPDX-License-Identifier: Apache-2.0 */
/* nss: the shared object itself: what it shows, and that dlclose() does not pull it from under a running call. */
#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/macros.h"

static void test_symbols(void **state)
{
	static const char *const shown[] = { "_nss_k8sauth_getpwnam_r", "_nss_k8sauth_getpwuid_r",
		"_nss_k8sauth_getspnam_r", "_nss_k8sauth_getgrnam_r", "_nss_k8sauth_getgrgid_r",
		"_nss_k8sauth_initgroups_dyn" };
	/* No enumeration, and nothing that could take the place of a function of the host program. */
	static const char *const hidden[] = { "_nss_k8sauth_setpwent", "_nss_k8sauth_getpwent_r",
		"_nss_k8sauth_getgrent_r", "account_name_is_ours", "index_open", "wire_call", "buf_add", "wipe",
		"log_line" };
	void *object = dlopen(NSS_OBJECT, RTLD_NOW | RTLD_LOCAL);

	(void)state;
	assert_non_null(object);
	for (size_t i = 0; i < ARRAY_SIZE(shown); i++)
		assert_non_null(dlsym(object, shown[i]));
	for (size_t i = 0; i < ARRAY_SIZE(hidden); i++)
		assert_null(dlsym(object, hidden[i]));
	dlclose(object);
}

static void test_dlclose(void **state)
{
	void *object = dlopen(NSS_OBJECT, RTLD_NOW | RTLD_LOCAL);

	(void)state;
	assert_non_null(object);
	assert_int_equal(dlclose(object), 0);
	object = dlopen(NSS_OBJECT, RTLD_NOW | RTLD_NOLOAD);
	assert_non_null(object); /* still there */
	dlclose(object);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_symbols),
		cmocka_unit_test(test_dlclose),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
