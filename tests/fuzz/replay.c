/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs a fuzz target over the files of the folders named on the command line: any compiler, no fuzzing. Every input that
 * once broke something lies there.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { SEED_BYTES_MAX = 1 << 20 };

static void run_file(const char *path)
{
	static uint8_t bytes[SEED_BYTES_MAX];
	FILE *file = fopen(path, "rb");
	if (file == NULL) {
		perror(path);
		exit(1);
	}
	size_t size = fread(bytes, 1, sizeof bytes, file);
	fclose(file);
	/* On the heap and exactly as long, so that a sanitizer sees a read behind the end. */
	uint8_t *exact = malloc(size != 0 ? size : 1);
	memcpy(exact, bytes, size);
	LLVMFuzzerTestOneInput(exact, size);
	free(exact);
}

static int run_folder(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	int count = 0;
	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		char path[4096];
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
		run_file(path);
		count++;
	}
	if (dir != NULL)
		closedir(dir);
	return count;
}

int main(int argc, char **argv)
{
	int count = 0;
	for (int at = 1; at < argc; at++)
		count += run_folder(argv[at]);
	printf("%s: %d seeds\n", argv[0], count);
	return count > 0 ? 0 : 1;
}
