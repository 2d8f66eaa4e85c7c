/*
 * A main function for the fuzz targets where there is no libFuzzer: it runs a target over the
 * files of a corpus and over random inputs, the same ones each time. It finds little that is new;
 * it keeps the targets compiling and what was found from coming back.
 *
 *   replay_NAME [--runs N] [--seconds N] [FILE or FOLDER]...
 *
 * Random inputs end with the number of runs or the time, whichever comes first; defaults 2000, 10
 * s.
 */
#include <dirent.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define MAX_SIZE (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* A target may have one, as with libFuzzer; called before the first input. */
int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));

/* The target gets an allocation of exactly the input's size, so that a sanitizer sees a step
 * beyond. */
static void one_input(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	if (!copy)
		abort();
	if (size)
		memcpy(copy, data, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static unsigned long replay_file(const char *path)
{
	uint8_t *buf = malloc(MAX_SIZE);
	FILE *f = fopen(path, "rb");
	size_t size;

	if (!buf || !f) {
		perror(path);
		exit(1);
	}
	size = fread(buf, 1, MAX_SIZE, f);
	fclose(f);
	one_input(buf, size);
	free(buf);
	return 1;
}

/* A corpus that is not there is empty. */
static unsigned long replay(const char *path)
{
	unsigned long runs = 0;
	struct dirent *entry;
	struct stat st;
	DIR *dir;

	if (stat(path, &st))
		return 0;
	if (!S_ISDIR(st.st_mode))
		return replay_file(path);
	dir = opendir(path);
	if (!dir) {
		perror(path);
		exit(1);
	}
	while ((entry = readdir(dir))) {
		char name[PATH_MAX];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		runs += replay(name);
	}
	closedir(dir);
	return runs;
}

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* Bytes all random, or mostly zero: the latter get further past checks. */
static void random_input(uint64_t *state)
{
	uint8_t buf[512];
	size_t size = next_random(state) % (sizeof(buf) + 1);
	unsigned sparse = next_random(state) % 4;

	for (size_t i = 0; i < size; i++) {
		uint64_t r = next_random(state) >> 16;

		buf[i] = r % 4 < sparse ? 0 : (uint8_t)(r >> 8);
	}
	one_input(buf, size);
}

int main(int argc, char **argv)
{
	uint64_t state = UINT64_C(0x9e3779b97f4a7c15);
	unsigned long files = 0, runs = 2000, done = 0;
	time_t seconds = 10, end;

	if (LLVMFuzzerInitialize)
		LLVMFuzzerInitialize(&argc, &argv);
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--runs") && i + 1 < argc)
			runs = strtoul(argv[++i], NULL, 10);
		else if (!strcmp(argv[i], "--seconds") && i + 1 < argc)
			seconds = (time_t)strtoul(argv[++i], NULL, 10);
		else
			files += replay(argv[i]);
	}
	for (end = time(NULL) + seconds; done < runs && time(NULL) < end; done++)
		random_input(&state);
	printf("%lu files and %lu random inputs\n", files, done);
	return 0;
}
