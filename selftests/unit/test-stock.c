// SPDX-License-Identifier: GPL-2.0
/*
 * Take the place of the socket that capture-stock.py has talked to the stock module through: with
 * the same keys, the same messages must be understood and the same ones sent.
 */
#include "test.h"

#include <asm/byteorder.h>
#include <string.h>

#include "aead.h"
#include "cookie.h"
#include "noise.h"

/* Own side, and the stock module as its peer */
struct side {
	struct noise_identity identity;
	struct noise_remote stock;
	struct cookie_keys own_keys, stock_keys;
};

static struct side side_of(const struct test_case *c)
{
	struct side s;

	assert_true(noise_identity_set(&s.identity, test_field(c, "private", NWG_KEY_LEN)));
	memcpy(s.stock.public, test_field(c, "stock_public", NWG_KEY_LEN), NWG_KEY_LEN);
	memcpy(s.stock.preshared, test_field(c, "preshared", NWG_KEY_LEN), NWG_KEY_LEN);
	noise_remote_precompute(&s.stock, &s.identity);
	assert_true(s.stock.usable);
	cookie_keys_derive(&s.own_keys, s.identity.public);
	cookie_keys_derive(&s.stock_keys, s.stock.public);
	return s;
}

/* A transport message opens with a key and holds a packet, padded to a multiple of 16 bytes. */
static void check_transport(const struct test_case *c, const char *field, const char *packet_field,
			    const u8 key[NWG_KEY_LEN], __le32 receiver)
{
	const struct nwg_message_transport *header;
	size_t len, packet_len, plain_len;
	u8 plain[CASE_BYTES_MAX];
	const u8 *message, *packet;

	message = test_field_any(c, field, &len);
	packet = test_field_any(c, packet_field, &packet_len);
	assert_int_equal(nwg_message_classify(message, len), NWG_MESSAGE_TRANSPORT);
	header = (const void *)message;
	assert_int_equal(header->receiver, receiver);
	plain_len = len - NWG_TRANSPORT_MIN_LEN;
	memcpy(plain, message + sizeof(*header), len - sizeof(*header));
	assert_true(aead_decrypt(plain, plain_len, le64_to_cpu(header->counter), key));
	assert_int_equal(plain_len % NWG_PADDING, 0);
	assert_in_range(plain_len, packet_len, packet_len + NWG_PADDING - 1);
	assert_memory_equal(plain, packet, packet_len);
	assert_true(test_is_zero(plain + packet_len, plain_len - packet_len));
}

static void check_stock_initiator(const struct test_case *c)
{
	const struct nwg_message_initiation *first =
		(const void *)test_field(c, "initiation", NWG_INITIATION_LEN);
	u8 claimed[NWG_KEY_LEN], timestamp[NWG_TIMESTAMP_LEN], from_initiator[NWG_KEY_LEN],
		from_responder[NWG_KEY_LEN];
	__le32 index = test_field_le32(c, "index");
	struct nwg_message_response second;
	struct noise_handshake handshake;
	struct side s = side_of(c);

	assert_int_equal(nwg_message_classify(first, NWG_INITIATION_LEN), NWG_MESSAGE_INITIATION);
	assert_true(cookie_mac1_valid(first, NWG_INITIATION_LEN, &s.own_keys));
	assert_true(noise_initiation_open_static(&handshake, claimed, first, &s.identity));
	assert_memory_equal(claimed, s.stock.public, NWG_KEY_LEN);
	assert_true(noise_initiation_open_timestamp(&handshake, timestamp, first, &s.stock));
	assert_memory_equal(timestamp, test_field(c, "timestamp", NWG_TIMESTAMP_LEN),
			    NWG_TIMESTAMP_LEN);

	assert_true(noise_response_create(&second, &handshake, &s.stock,
					  test_field(c, "ephemeral", NWG_KEY_LEN), index,
					  first->sender));
	cookie_macs_add(&second, sizeof(second), &s.stock_keys, NULL);
	assert_memory_equal(&second, test_field(c, "response", NWG_RESPONSE_LEN), sizeof(second));

	noise_session_derive(from_initiator, from_responder, &handshake);
	check_transport(c, "transport", "packet", from_initiator, index);
}

static void check_stock_responder(const struct test_case *c)
{
	const struct nwg_message_response *second =
		(const void *)test_field(c, "response", NWG_RESPONSE_LEN);
	u8 from_initiator[NWG_KEY_LEN], from_responder[NWG_KEY_LEN];
	__le32 index = test_field_le32(c, "index");
	struct nwg_message_initiation first;
	struct noise_handshake handshake;
	struct side s = side_of(c);

	assert_true(noise_initiation_create(&first, &handshake, &s.identity, &s.stock,
					    test_field(c, "ephemeral", NWG_KEY_LEN),
					    test_field(c, "timestamp", NWG_TIMESTAMP_LEN), index));
	cookie_macs_add(&first, sizeof(first), &s.stock_keys, NULL);
	assert_memory_equal(&first, test_field(c, "initiation", NWG_INITIATION_LEN), sizeof(first));

	assert_int_equal(nwg_message_classify(second, NWG_RESPONSE_LEN), NWG_MESSAGE_RESPONSE);
	assert_int_equal(second->receiver, index);
	assert_true(cookie_mac1_valid(second, NWG_RESPONSE_LEN, &s.own_keys));
	assert_true(noise_response_consume(&handshake, second, &s.identity, &s.stock));
	noise_session_derive(from_initiator, from_responder, &handshake);
	check_transport(c, "sent", "sent_packet", from_initiator, second->sender);
	check_transport(c, "transport", "packet", from_responder, index);
}

/* Under load it has sent a cookie, and then answered an initiation that carries it. */
static void check_stock_cookie(const struct test_case *c)
{
	const struct nwg_message_initiation *first =
		(const void *)test_field(c, "first", NWG_INITIATION_LEN);
	const struct nwg_message_cookie_reply *reply =
		(const void *)test_field(c, "reply", NWG_COOKIE_REPLY_LEN);
	const struct nwg_message_response *response =
		(const void *)test_field(c, "response", NWG_RESPONSE_LEN);
	struct nwg_message_initiation second;
	u8 cookie[NWG_COOKIE_LEN];
	struct cookie_keys keys;

	cookie_keys_derive(&keys, test_field(c, "stock_public", NWG_KEY_LEN));
	assert_int_equal(nwg_message_classify(reply, NWG_COOKIE_REPLY_LEN),
			 NWG_MESSAGE_COOKIE_REPLY);
	assert_int_equal(reply->receiver, first->sender);
	assert_true(cookie_reply_open(cookie, reply, first->macs.mac1, &keys));
	assert_memory_equal(cookie, test_field(c, "cookie", NWG_COOKIE_LEN), sizeof(cookie));

	memcpy(&second, test_field(c, "second", NWG_INITIATION_LEN), sizeof(second));
	memset(&second.macs, 0, sizeof(second.macs));
	cookie_macs_add(&second, sizeof(second), &keys, cookie);
	assert_memory_equal(&second, test_field(c, "second", NWG_INITIATION_LEN), sizeof(second));
	assert_int_equal(response->receiver, second.sender);
}

static void test_stock_initiator(void **state)
{
	(void)state;
	test_for_each_case(STOCK, "stock_initiator", check_stock_initiator);
}

static void test_stock_responder(void **state)
{
	(void)state;
	test_for_each_case(STOCK, "stock_responder", check_stock_responder);
}

static void test_stock_cookie(void **state)
{
	(void)state;
	test_for_each_case(STOCK, "stock_cookie", check_stock_cookie);
}

static int setup(void **state)
{
	(void)state;
	noise_init();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stock_initiator),
		cmocka_unit_test(test_stock_responder),
		cmocka_unit_test(test_stock_cookie),
	};

	return cmocka_run_group_tests_name("stock", tests, setup, NULL);
}
