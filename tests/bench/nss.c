/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Median time of a lookup of random users of a list, in batches: nss N NAMES [INDEX]
 * NAMES is a file with one name per line. With getpwnam; or, given an INDEX, by its reader alone.
 */
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include "accounts/index.h"
#include "base/macros.h"

#define BATCH 20

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static char (*load(const char *path, size_t *ret_n))[64]
{
	char(*names)[64] = calloc(1 << 20, sizeof(*names));
	FILE *file = fopen(path, "re");
	size_t n = 0;

	while (file && names && n < 1 << 20 && fgets(names[n], sizeof(*names), file)) {
		names[n][strcspn(names[n], "\n")] = '\0';
		n++;
	}
	if (file)
		fclose(file);
	*ret_n = n;
	return names;
}

/* Fails on the first name that is not there. */
static bool look_up(const struct index_map *map, const char *name)
{
	struct index_user user;

	if (map ? index_user_by_name(map, name, &user) == 0 : getpwnam(name) != NULL)
		return true;
	fprintf(stderr, "nss: %s is not found\n", name);
	return false;
}

int main(int argc, char **argv)
{
	size_t n_names = 0, samples = argc > 2 ? (size_t)atol(argv[1]) : 0;
	char(*names)[64] = argc > 2 ? load(argv[2], &n_names) : NULL;
	double *times = calloc(samples + 1, sizeof(*times));
	struct index_map map;
	unsigned seed = 1;

	if (!names || !times || n_names == 0 || samples == 0) {
		fprintf(stderr, "usage: nss N NAMES [INDEX]\n");
		return 2;
	}
	if (argc > 3 && index_open(argv[3], 0, &map) < 0) {
		fprintf(stderr, "nss: %s is no index\n", argv[3]);
		return 1;
	}
	for (size_t i = 0; i < samples; i++) {
		double start = now_us();

		for (int k = 0; k < BATCH; k++) {
			if (!look_up(argc > 3 ? &map : NULL, names[(size_t)rand_r(&seed) % n_names]))
				return 1;
		}
		times[i] = (now_us() - start) / BATCH;
	}
	qsort(times, samples, sizeof(*times), compare);
	printf("%.2f us median, %.2f us p99\n", times[samples / 2], times[samples * 99 / 100]);
	return 0;
}
