/* SPDX-License-Identifier: Apache-2.0 */
/* Median time of getpwnam for random users of a list, in batches: nss N FILE-WITH-ONE-NAME-PER-LINE */
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

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

int main(int argc, char **argv)
{
	size_t n_names, samples = argc == 3 ? (size_t)atol(argv[1]) : 0;
	char(*names)[64] = argc == 3 ? load(argv[2], &n_names) : NULL;
	double *times = calloc(samples + 1, sizeof(*times));
	unsigned seed = 1;

	if (!names || !times || n_names == 0 || samples == 0) {
		fprintf(stderr, "usage: nss N NAMES\n");
		return 2;
	}
	for (size_t i = 0; i < samples; i++) {
		double start = now_us();

		for (int k = 0; k < BATCH; k++) {
			if (!getpwnam(names[(size_t)rand_r(&seed) % n_names])) {
				fprintf(stderr, "nss: a name is not found\n");
				return 1;
			}
		}
		times[i] = (now_us() - start) / BATCH;
	}
	qsort(times, samples, sizeof(*times), compare);
	printf("%.2f us median, %.2f us p99\n", times[samples / 2], times[samples * 99 / 100]);
	return 0;
}
