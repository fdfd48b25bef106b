// SPDX-License-Identifier: GPL-2.0
/* mac1, mac2 and cookie replies. */
#include "test.h"

#include <string.h>

#include "cookie.h"

/* Both messages that carry macs, by length */
static const size_t lengths[] = { NWG_INITIATION_LEN, NWG_RESPONSE_LEN };

static struct cookie_keys random_keys(void)
{
	struct cookie_keys keys;
	u8 public[NWG_KEY_LEN];

	test_random_bytes(public, sizeof(public));
	cookie_keys_derive(&keys, public);
	return keys;
}

static void check_vector(const struct test_case *c)
{
	const u8 *first = test_field(c, "first", NWG_INITIATION_LEN);
	const u8 *second = test_field(c, "second", NWG_INITIATION_LEN);
	const u8 *mac1 = ((const struct nwg_message_initiation *)first)->macs.mac1;
	struct nwg_message_initiation message;
	struct nwg_message_cookie_reply reply;
	u8 cookie[NWG_COOKIE_LEN];
	struct cookie_keys keys;
	const u8 *address;
	size_t len;
	__be16 port;

	cookie_keys_derive(&keys, test_field(c, "replier_public", NWG_KEY_LEN));
	assert_memory_equal(keys.mac1, test_field(c, "mac1_key", NWG_KEY_LEN), NWG_KEY_LEN);
	assert_memory_equal(keys.reply, test_field(c, "reply_key", NWG_KEY_LEN), NWG_KEY_LEN);

	memcpy(&message, first, sizeof(message));
	memset(&message.macs, 0xff, sizeof(message.macs));
	cookie_macs_add(&message, sizeof(message), &keys, NULL);
	assert_memory_equal(&message, first, sizeof(message));
	assert_true(cookie_mac1_valid(&message, sizeof(message), &keys));

	address = test_field_any(c, "address", &len);
	memcpy(&port, test_field(c, "port", sizeof(port)), sizeof(port));
	cookie_make(cookie, test_field(c, "secret", NWG_KEY_LEN), address, len, port);
	assert_memory_equal(cookie, test_field(c, "cookie", NWG_COOKIE_LEN), NWG_COOKIE_LEN);

	cookie_reply_create(&reply, cookie, mac1, message.sender,
			    test_field(c, "nonce", NWG_COOKIE_NONCE_LEN), &keys);
	assert_memory_equal(&reply, test_field(c, "reply", NWG_COOKIE_REPLY_LEN), sizeof(reply));

	memset(cookie, 0, sizeof(cookie));
	assert_true(cookie_reply_open(cookie, &reply, mac1, &keys));
	assert_memory_equal(cookie, test_field(c, "cookie", NWG_COOKIE_LEN), NWG_COOKIE_LEN);

	assert_false(cookie_mac2_valid(&message, sizeof(message), cookie));
	cookie_macs_add(&message, sizeof(message), &keys, cookie);
	assert_memory_equal(&message, second, sizeof(message));
	assert_true(cookie_mac2_valid(&message, sizeof(message), cookie));
}

static void test_vectors(void **state)
{
	(void)state;
	test_for_each_case(VECTORS, "cookie", check_vector);
}

/*
 * Every bit before mac1 and of it counts for mac1, and none after it; mac2 counts them and its own.
 */
static void test_tampered_macs(void **state)
{
	struct cookie_keys keys = random_keys();
	u8 message[NWG_INITIATION_LEN], cookie[NWG_COOKIE_LEN];
	size_t i, bit;

	(void)state;
	test_random_bytes(cookie, sizeof(cookie));
	for (i = 0; i < 2; i++) {
		const size_t len = lengths[i];

		test_random_bytes(message, len);
		assert_false(cookie_mac1_valid(message, len, &keys));
		cookie_macs_add(message, len, &keys, cookie);
		for (bit = 0; bit < len * 8; bit++) {
			message[bit / 8] ^= 1 << bit % 8;
			assert_int_equal(cookie_mac1_valid(message, len, &keys),
					 bit / 8 >= len - NWG_MAC_LEN);
			assert_false(cookie_mac2_valid(message, len, cookie));
			message[bit / 8] ^= 1 << bit % 8;
		}
		assert_true(cookie_mac1_valid(message, len, &keys));
		assert_true(cookie_mac2_valid(message, len, cookie));
	}
}

/* What is begun once says the same of an initiation: every bit but the type's and mac2's counts. */
static void test_begun_mac1(void **state)
{
	struct cookie_keys keys = random_keys(), other = random_keys();
	struct nwg_message_initiation message;
	u8 *bytes = (u8 *)&message;
	struct blake2s_ctx begun;
	size_t bit;

	(void)state;
	test_random_bytes(&message, sizeof(message));
	message.type = cpu_to_le32(NWG_MESSAGE_INITIATION);
	cookie_mac1_begin(&begun, &keys);
	assert_false(cookie_initiation_valid(&message, &begun));
	cookie_macs_add(&message, sizeof(message), &keys, NULL);
	for (bit = sizeof(message.type) * 8; bit < sizeof(message) * 8; bit++) {
		bytes[bit / 8] ^= 1 << bit % 8;
		assert_int_equal(cookie_initiation_valid(&message, &begun),
				 bit / 8 >= sizeof(message) - NWG_MAC_LEN);
		bytes[bit / 8] ^= 1 << bit % 8;
	}
	assert_true(cookie_initiation_valid(&message, &begun));
	cookie_mac1_begin(&begun, &other);
	assert_false(cookie_initiation_valid(&message, &begun));
}

static void test_wrong_keys(void **state)
{
	struct cookie_keys keys = random_keys(), other = random_keys();
	u8 message[NWG_INITIATION_LEN], cookie[NWG_COOKIE_LEN];

	(void)state;
	test_random_bytes(message, sizeof(message));
	test_random_bytes(cookie, sizeof(cookie));
	cookie_macs_add(message, sizeof(message), &keys, cookie);
	assert_false(cookie_mac1_valid(message, sizeof(message), &other));
	cookie[15] ^= 0x80;
	assert_false(cookie_mac2_valid(message, sizeof(message), cookie));
}

static void test_no_cookie_zero_mac2(void **state)
{
	struct nwg_message_response message;
	struct cookie_keys keys = random_keys();

	(void)state;
	memset(&message, 0xaa, sizeof(message));
	cookie_macs_add(&message, sizeof(message), &keys, NULL);
	assert_true(cookie_mac1_valid(&message, sizeof(message), &keys));
	assert_true(test_is_zero(message.macs.mac2, NWG_MAC_LEN));
}

/* A cookie depends on the secret, on each bit of the address and on the port. */
static void test_cookie_is_of_its_source(void **state)
{
	u8 secret[NWG_KEY_LEN], address[16], cookie[NWG_COOKIE_LEN], other[NWG_COOKIE_LEN];
	static const size_t address_lengths[] = { 4, 16 };
	size_t i, bit;

	(void)state;
	test_random_bytes(secret, sizeof(secret));
	test_random_bytes(address, sizeof(address));
	for (i = 0; i < 2; i++) {
		const size_t len = address_lengths[i];

		cookie_make(cookie, secret, address, len, 0x1234);
		cookie_make(other, secret, address, len, 0x1234);
		assert_memory_equal(cookie, other, sizeof(cookie));
		cookie_make(other, secret, address, len, 0x1235);
		assert_memory_not_equal(cookie, other, sizeof(cookie));
		for (bit = 0; bit < len * 8; bit++) {
			address[bit / 8] ^= 1 << bit % 8;
			cookie_make(other, secret, address, len, 0x1234);
			assert_memory_not_equal(cookie, other, sizeof(cookie));
			address[bit / 8] ^= 1 << bit % 8;
		}
		secret[0] ^= 1;
		cookie_make(other, secret, address, len, 0x1234);
		assert_memory_not_equal(cookie, other, sizeof(cookie));
		secret[0] ^= 1;
	}
}

static void test_tampered_reply(void **state)
{
	const size_t from = offsetof(struct nwg_message_cookie_reply, nonce);
	struct cookie_keys keys = random_keys(), other = random_keys();
	u8 cookie[NWG_COOKIE_LEN], opened[NWG_COOKIE_LEN], before[NWG_COOKIE_LEN];
	u8 mac1[NWG_MAC_LEN], nonce[NWG_COOKIE_NONCE_LEN];
	struct nwg_message_cookie_reply reply;
	size_t bit;

	(void)state;
	test_random_bytes(cookie, sizeof(cookie));
	test_random_bytes(opened, sizeof(opened));
	memcpy(before, opened, sizeof(opened));
	test_random_bytes(mac1, sizeof(mac1));
	test_random_bytes(nonce, sizeof(nonce));
	cookie_reply_create(&reply, cookie, mac1, 0x01020304, nonce, &keys);
	assert_int_equal(nwg_message_classify(&reply, sizeof(reply)), NWG_MESSAGE_COOKIE_REPLY);
	assert_int_equal(reply.receiver, 0x01020304);

	for (bit = from * 8; bit < sizeof(reply) * 8; bit++) {
		((u8 *)&reply)[bit / 8] ^= 1 << bit % 8;
		assert_false(cookie_reply_open(opened, &reply, mac1, &keys));
		((u8 *)&reply)[bit / 8] ^= 1 << bit % 8;
	}
	assert_false(cookie_reply_open(opened, &reply, mac1, &other));
	mac1[3] ^= 4;
	assert_false(cookie_reply_open(opened, &reply, mac1, &keys));
	mac1[3] ^= 4;
	assert_memory_equal(opened, before, sizeof(before));

	assert_true(cookie_reply_open(opened, &reply, mac1, &keys));
	assert_memory_equal(opened, cookie, sizeof(cookie));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_tampered_macs),
		cmocka_unit_test(test_begun_mac1),
		cmocka_unit_test(test_wrong_keys),
		cmocka_unit_test(test_no_cookie_zero_mac2),
		cmocka_unit_test(test_cookie_is_of_its_source),
		cmocka_unit_test(test_tampered_reply),
	};

	return cmocka_run_group_tests_name("cookie", tests, test_random_setup, NULL);
}
