// SPDX-License-Identifier: GPL-2.0
/* Each input of the fuzzer's corpus once more. */
#include "test.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t len);

static void run(const char *name)
{
	static u8 bytes[1 << 17];
	char path[4096];
	u8 *exact;
	FILE *file;
	size_t len;

	snprintf(path, sizeof(path), "%s/%s", CORPUS, name);
	file = fopen(path, "rb");
	assert_non_null(file);
	len = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	assert_true(len < sizeof(bytes));
	exact = malloc(len);
	for (size_t i = 0; i < len; i++)
		exact[i] = bytes[i];
	LLVMFuzzerTestOneInput(exact, len);
	free(exact);
}

static void test_corpus(void **state)
{
	DIR *directory = opendir(CORPUS);
	unsigned int count = 0;
	struct dirent *entry;

	(void)state;
	assert_non_null(directory);
	while ((entry = readdir(directory))) {
		if (entry->d_name[0] == '.')
			continue;
		run(entry->d_name);
		count++;
	}
	closedir(directory);
	printf("# %u inputs\n", count);
	fflush(stdout);
	assert_true(count);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_corpus),
	};

	return cmocka_run_group_tests_name("corpus", tests, NULL, NULL);
}
