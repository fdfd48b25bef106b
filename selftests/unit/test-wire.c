// SPDX-License-Identifier: GPL-2.0
/* Messages are told by type word and length, and by nothing else. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "wire.h"

/* The shapes as the white paper gives them */
static enum nwg_message_type expected(u32 type, size_t len)
{
	if (type == 1 && len == 148)
		return NWG_MESSAGE_INITIATION;
	if (type == 2 && len == 92)
		return NWG_MESSAGE_RESPONSE;
	if (type == 3 && len == 64)
		return NWG_MESSAGE_COOKIE_REPLY;
	if (type == 4 && len >= 32)
		return NWG_MESSAGE_TRANSPORT;
	return NWG_MESSAGE_INVALID;
}

/* In memory of exactly that size, so that reading too far is seen, and at an odd address. */
static enum nwg_message_type classify(u32 type, size_t len)
{
	const u8 word[4] = { type, type >> 8, type >> 16, type >> 24 };
	u8 *memory = malloc(len + 1);
	enum nwg_message_type result;

	assert_non_null(memory);
	memset(memory, 0xff, len + 1);
	memcpy(memory + 1, word, len < 4 ? len : 4);
	result = nwg_message_classify(memory + 1, len);
	free(memory);
	return result;
}

static void test_every_type_and_length(void **state)
{
	size_t len;
	u32 type;

	(void)state;
	for (type = 0; type < 256; type++)
		for (len = 0; len <= 200; len++)
			assert_int_equal(classify(type, len), expected(type, len));
}

static void test_reserved_bytes(void **state)
{
	static const size_t lengths[] = { 148, 92, 64, 32, 1500 };
	unsigned int bit;
	size_t i;
	u32 type;

	(void)state;
	for (type = 1; type <= 4; type++)
		for (bit = 8; bit < 32; bit++)
			for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
				assert_int_equal(classify(type | 1U << bit, lengths[i]),
						 NWG_MESSAGE_INVALID);
}

static void test_long_transport(void **state)
{
	(void)state;
	assert_int_equal(classify(4, 1452), NWG_MESSAGE_TRANSPORT);
	assert_int_equal(classify(4, 65535), NWG_MESSAGE_TRANSPORT);
	assert_int_equal(classify(1, 65535), NWG_MESSAGE_INVALID);
}

static void test_layout(void **state)
{
	(void)state;
	assert_int_equal(offsetof(struct nwg_message_initiation, ephemeral), 8);
	assert_int_equal(offsetof(struct nwg_message_initiation, encrypted_static), 40);
	assert_int_equal(offsetof(struct nwg_message_initiation, encrypted_timestamp), 88);
	assert_int_equal(offsetof(struct nwg_message_initiation, macs), 116);
	assert_int_equal(offsetof(struct nwg_message_response, receiver), 8);
	assert_int_equal(offsetof(struct nwg_message_response, ephemeral), 12);
	assert_int_equal(offsetof(struct nwg_message_response, encrypted_nothing), 44);
	assert_int_equal(offsetof(struct nwg_message_response, macs), 60);
	assert_int_equal(offsetof(struct nwg_message_cookie_reply, nonce), 8);
	assert_int_equal(offsetof(struct nwg_message_cookie_reply, encrypted_cookie), 32);
	assert_int_equal(offsetof(struct nwg_message_transport, counter), 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_type_and_length),
		cmocka_unit_test(test_reserved_bytes),
		cmocka_unit_test(test_long_transport),
		cmocka_unit_test(test_layout),
	};

	return cmocka_run_group_tests_name("wire", tests, NULL, NULL);
}
