/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the unit tests share: CMocka with what it needs before it, cases read from a file,
 * reproducible random numbers.
 */
#ifndef _UNIT_TEST_H
#define _UNIT_TEST_H

#include <linux/types.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define CASE_FIELDS_MAX 24
#define CASE_BYTES_MAX 512

/**
 * struct test_field - one line of a case: a name and its bytes in hexadecimal
 * @name: name
 * @len: how many bytes there are
 * @bytes: the bytes
 */
struct test_field {
	char name[32];
	size_t len;
	u8 bytes[CASE_BYTES_MAX];
};

/**
 * struct test_case - one paragraph of a file of cases
 * @fields: how many there are
 * @field: its lines
 */
struct test_case {
	size_t fields;
	struct test_field field[CASE_FIELDS_MAX];
};

/**
 * test_for_each_case - call a function for each case of one kind in a file
 * @path: the file: paragraphs of a line "case KIND" and lines "FIELD HEX" ("-" for no bytes); a
 *	line that starts with "#" is a comment
 * @kind: kind wanted
 * @check: what to call
 *
 * A file that cannot be read or parsed fails the running test, and so does one with no case of that
 * kind.
 */
void test_for_each_case(const char *path, const char *kind,
			void (*check)(const struct test_case *c));

/**
 * test_field - bytes of a field of a case
 * @c: the case
 * @name: the field's name
 * @len: how long it must be
 *
 * A field that is missing or has another length fails the running test.
 */
const u8 *test_field(const struct test_case *c, const char *name, size_t len);

/**
 * test_field_any - bytes of a field of a case, of any length
 * @c: the case
 * @name: the field's name
 * @len: written
 */
const u8 *test_field_any(const struct test_case *c, const char *name, size_t *len);

/* A field that is a little-endian 32-bit word, such as a session index */
__le32 test_field_le32(const struct test_case *c, const char *name);

/*
 * Start the random numbers from $NWG_SEED, or from a fixed number, and print which. A group set-up
 * function.
 */
int test_random_setup(void **state);

/* The next random number */
u64 test_random(void);

/* A random number below @limit, which is not 0 */
u64 test_random_below(u64 limit);

/* Random bytes */
void test_random_bytes(void *bytes, size_t len);

/* All @len bytes are zero */
bool test_is_zero(const void *bytes, size_t len);

#endif /* _UNIT_TEST_H */
