// SPDX-License-Identifier: GPL-2.0
/* Transport data, against the ChaCha20-Poly1305 of a library. */
#include "test.h"

#include <crypto/chacha20poly1305.h>
#include <string.h>

#include "aead.h"

/* Past every number of blocks that is treated apart, and the biggest packet there is */
#define LEN_MAX 65535
#define LEN_ALL 1100

/**
 * struct message - a message with room around it, and what is expected of it
 * @before: what aead_encrypt() may overwrite
 * @data: plain or cipher text, then the tag
 * @expected: the same by the library
 * @plain: plain text
 * @key: of both
 * @counter: of both
 * @len: bytes without the tag
 */
struct message {
	u8 before[NWG_AEAD_HEADROOM];
	u8 data[LEN_MAX + NWG_TAG_LEN + 64];
	u8 expected[LEN_MAX + NWG_TAG_LEN];
	u8 plain[LEN_MAX];
	u8 key[NWG_KEY_LEN];
	u64 counter;
	unsigned int len;
};

static struct message m;

static void make(unsigned int len)
{
	m.len = len;
	m.counter = test_random();
	test_random_bytes(m.key, sizeof(m.key));
	test_random_bytes(m.plain, len);
	test_random_bytes(m.before, sizeof(m.before));
	memcpy(m.data, m.plain, len);
	memset(m.data + len, 0x55, sizeof(m.data) - len);
	chacha20poly1305_encrypt(m.expected, m.plain, len, NULL, 0, m.counter, m.key);
}

static void check_beyond(void)
{
	unsigned int i;

	for (i = m.len + NWG_TAG_LEN; i < sizeof(m.data); i++)
		assert_int_equal(m.data[i], 0x55);
}

static void check(unsigned int len)
{
	make(len);
	aead_encrypt(m.data, len, m.counter, m.key);
	assert_memory_equal(m.data, m.expected, len + NWG_TAG_LEN);
	check_beyond();
	/* The key of Poly1305 is not left behind. */
	assert_true(test_is_zero(m.before, 32));

	assert_true(aead_decrypt(m.data, len, m.counter, m.key));
	assert_memory_equal(m.data, m.plain, len);
	check_beyond();
}

static void test_every_length(void **state)
{
	unsigned int len;

	(void)state;
	for (len = 0; len <= LEN_ALL; len++)
		check(len);
}

static void test_long(void **state)
{
	unsigned int i;

	(void)state;
	check(LEN_MAX);
	for (i = 0; i < 200; i++)
		check(test_random_below(LEN_MAX));
}

/* A message that differs in one bit is refused, and not decrypted. */
static void test_tampered(void **state)
{
	static const unsigned int lengths[] = { 0, 1, 16, 191, 192, 193, 448, 1424 };
	unsigned int i, bit;

	(void)state;
	for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		const unsigned int len = lengths[i];

		make(len);
		for (bit = 0; bit < (len + NWG_TAG_LEN) * 8; bit++) {
			memcpy(m.data, m.expected, len + NWG_TAG_LEN);
			m.data[bit / 8] ^= 1 << bit % 8;
			assert_false(aead_decrypt(m.data, len, m.counter, m.key));
			m.data[bit / 8] ^= 1 << bit % 8;
			assert_memory_equal(m.data, m.expected, len + NWG_TAG_LEN);
		}
		memcpy(m.data, m.expected, len + NWG_TAG_LEN);
		assert_true(aead_decrypt(m.data, len, m.counter, m.key));
	}
}

static void test_wrong_counter_or_key(void **state)
{
	unsigned int bit;

	(void)state;
	make(100);
	for (bit = 0; bit < 64; bit++) {
		memcpy(m.data, m.expected, m.len + NWG_TAG_LEN);
		assert_false(aead_decrypt(m.data, m.len, m.counter ^ 1ULL << bit, m.key));
	}
	for (bit = 0; bit < NWG_KEY_LEN * 8; bit++) {
		memcpy(m.data, m.expected, m.len + NWG_TAG_LEN);
		m.key[bit / 8] ^= 1 << bit % 8;
		assert_false(aead_decrypt(m.data, m.len, m.counter, m.key));
		m.key[bit / 8] ^= 1 << bit % 8;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_length),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_tampered),
		cmocka_unit_test(test_wrong_counter_or_key),
	};

	return cmocka_run_group_tests_name("aead", tests, test_random_setup, NULL);
}
