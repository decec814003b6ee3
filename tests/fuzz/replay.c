/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a fuzz target over every file of its seed folder, so that each build checks the seeds without libFuzzer. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(const char *dir, const char *name)
{
	char path[4096];
	struct stat st;
	uint8_t *data;
	FILE *file;
	size_t got;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "re");
	if (!file || fstat(fileno(file), &st) < 0)
		return -1;
	data = malloc((size_t)st.st_size + 1);
	got = data ? fread(data, 1, (size_t)st.st_size, file) : 0;
	fclose(file);
	if (data)
		LLVMFuzzerTestOneInput(data, got);
	free(data);
	return data ? 0 : -1;
}

int main(int argc, char **argv)
{
	const char *dir = argc > 1 ? argv[1] : ".";
	DIR *d = opendir(dir);
	struct dirent *entry;
	int n = 0;

	if (!d)
		return 1;
	while ((entry = readdir(d))) {
		if (entry->d_name[0] == '.')
			continue;
		n++;
		printf("%sok %d - %s\n", replay(dir, entry->d_name) < 0 ? "not " : "", n, entry->d_name);
	}
	closedir(d);
	printf("1..%d\n", n);
	return n > 0 ? 0 : 1;
}
