/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes an account index to standard output, for tests and benchmarks that need one without a daemon:
 *     make_index COUNT [FIRST-ID]
 * holds the users k8s_web_0, k8s_web_1, ... with ids from FIRST-ID (default 1880000000) on, all of them in
 * k8sauth-users and k8s_web, the odd ones in k8s-deployers too.
 */
#include <endian.h>
#include <stdio.h>

#include "accounts/index.h"
#include "accounts/names.h"

#define GID_USERS     1900000000u
#define GID_WEB	      1900000001u
#define GID_DEPLOYERS 1900000002u

static int add_user(struct index_writer *writer, uint32_t number, uint32_t uid)
{
	uint32_t groups[] = { htole32(GID_USERS), htole32(GID_WEB), htole32(GID_DEPLOYERS) };
	char name[ACCOUNT_NAME_SIZE], home[64];
	struct index_user user = { .name = name,
		.gecos = "declared",
		.home = home,
		.shell = "/bin/sh",
		.identity = "",
		.service_account_uid = "",
		.uid = uid,
		.gid = uid,
		.groups = groups,
		.n_groups = 2 + number % 2 };
	int r;

	snprintf(name, sizeof(name), "k8s_web_%u", number);
	snprintf(home, sizeof(home), "/home/k8s_web_%u", number);
	r = index_writer_group(writer, name, uid);
	return r < 0 ? r : index_writer_user(writer, &user);
}

int main(int argc, char **argv)
{
	struct index_writer *writer = index_writer_new(1);
	AUTO_BUF struct buf image = { 0 };
	char why[256];
	uint32_t count = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 0;
	uint32_t first = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 1880000000u;
	int r = writer ? 0 : -1;

	if (r == 0)
		r = index_writer_group(writer, K8SAUTH_USERS_GROUP, GID_USERS);
	if (r == 0)
		r = index_writer_group(writer, "k8s_web", GID_WEB);
	if (r == 0)
		r = index_writer_group(writer, "k8s-deployers", GID_DEPLOYERS);
	for (uint32_t i = 0; i < count && r == 0; i++)
		r = add_user(writer, i, first + i);
	if (r == 0)
		r = index_writer_finish(writer, &image, why, sizeof(why));
	index_writer_free(writer);
	if (r < 0 || fwrite(image.data, 1, image.len, stdout) != image.len)
		return 1;
	return 0;
}
