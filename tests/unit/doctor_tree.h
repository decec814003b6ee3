/* SPDX-License-Identifier: Apache-2.0 */
/* A tree of files for the doctor's tests: made in a temporary folder, removed again. */
#pragma once

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>

#include "cli/doctor.h"

static char tree[] = "/tmp/doctor-XXXXXX";

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

/* Writes TEXT to PATH of the tree, with the folders on the way. */
static void tree_file(const char *path, const char *text)
{
	char whole[512];
	int fd;

	snprintf(whole, sizeof(whole), "%s%s", tree, path);
	for (char *slash = whole + sizeof(tree); (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		mkdir(whole, 0755);
		*slash = '/';
	}
	fd = open(whole, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static int tree_setup(void **state)
{
	(void)state;
	strcpy(tree + sizeof(tree) - 7, "XXXXXX");
	return mkdtemp(tree) ? 0 : -1;
}

static int tree_teardown(void **state)
{
	(void)state;
	return nftw(tree, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* What CHECK finds in the tree, a line "id where" for each; "" for nothing. The caller frees it. */
static char *found(void (*check)(struct doctor *doctor))
{
	struct doctor doctor = { .root = tree, .owner = geteuid() };
	struct buf lines = { 0 };

	check(&doctor);
	for (size_t i = 0; i < doctor.n; i++)
		buf_printf(&lines, "%s %s\n", finding_table[doctor.findings[i].id].id, doctor.findings[i].where);
	doctor_free(&doctor);
	return buf_take(&lines);
}

static void expect(void (*check)(struct doctor *doctor), const char *lines)
{
	AUTO_FREE char *text = found(check);

	assert_string_equal(text, lines);
}
