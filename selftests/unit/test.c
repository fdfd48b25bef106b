// SPDX-License-Identifier: GPL-2.0
#include "test.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

static void parse_field(struct test_case *c, char *name, const char *hex, const char *path,
			unsigned int line)
{
	struct test_field *field = &c->field[c->fields];

	if (c->fields == CASE_FIELDS_MAX || strlen(name) >= sizeof(field->name))
		fail_msg("%s:%u: too many fields or too long a name", path, line);
	strcpy(field->name, name);
	field->len = 0;
	if (strcmp(hex, "-") == 0)
		hex = "";
	for (; *hex; hex += 2) {
		int high = hex_digit(hex[0]), low = high < 0 ? -1 : hex_digit(hex[1]);

		if (low < 0 || field->len == CASE_BYTES_MAX)
			fail_msg("%s:%u: bytes are not hexadecimal or too many", path, line);
		field->bytes[field->len++] = high << 4 | low;
	}
	c->fields++;
}

void test_for_each_case(const char *path, const char *kind,
			void (*check)(const struct test_case *c))
{
	char text[64 + 2 * CASE_BYTES_MAX], name[64], value[2 * CASE_BYTES_MAX + 1];
	struct test_case c = { 0 };
	unsigned int line = 0, cases = 0;
	bool wanted = false;
	FILE *file = fopen(path, "r");

	if (!file)
		fail_msg("%s: %s", path, strerror(errno));
	while (fgets(text, sizeof(text), file)) {
		line++;
		if (text[0] == '#' || text[0] == '\n')
			continue;
		if (sscanf(text, "%63s %1024s", name, value) != 2)
			fail_msg("%s:%u: not a name and a value", path, line);
		if (strcmp(name, "case") == 0) {
			if (wanted)
				check(&c);
			wanted = strcmp(value, kind) == 0;
			cases += wanted;
			c.fields = 0;
		} else {
			parse_field(&c, name, value, path, line);
		}
	}
	fclose(file);
	if (wanted)
		check(&c);
	if (!cases)
		fail_msg("%s: no case of kind %s", path, kind);
}

const u8 *test_field_any(const struct test_case *c, const char *name, size_t *len)
{
	size_t i;

	for (i = 0; i < c->fields; i++) {
		if (strcmp(c->field[i].name, name) == 0) {
			*len = c->field[i].len;
			return c->field[i].bytes;
		}
	}
	fail_msg("case has no field %s", name);
	return NULL;
}

const u8 *test_field(const struct test_case *c, const char *name, size_t len)
{
	size_t actual;
	const u8 *bytes = test_field_any(c, name, &actual);

	if (actual != len)
		fail_msg("field %s has %zu bytes, not %zu", name, actual, len);
	return bytes;
}

__le32 test_field_le32(const struct test_case *c, const char *name)
{
	__le32 word;

	memcpy(&word, test_field(c, name, sizeof(word)), sizeof(word));
	return word;
}

static u64 random_state;

int test_random_setup(void **state)
{
	const char *seed = getenv("NWG_SEED");

	(void)state;
	random_state = seed ? strtoull(seed, NULL, 0) : 20240229;
	printf("# seed %llu (set NWG_SEED for another)\n", (unsigned long long)random_state);
	fflush(stdout);
	return 0;
}

/* SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014) */
u64 test_random(void)
{
	u64 z = random_state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

u64 test_random_below(u64 limit)
{
	return test_random() % limit;
}

void test_random_bytes(void *bytes, size_t len)
{
	u8 *byte = bytes;

	while (len--)
		*byte++ = test_random();
}

bool test_is_zero(const void *bytes, size_t len)
{
	const u8 *byte = bytes;

	while (len--)
		if (*byte++)
			return false;
	return true;
}
