// SPDX-License-Identifier: GPL-2.0
/*
 * The handshake against vectors of another implementation, against itself, and against whoever
 * meddles with it.
 */
#include "test.h"

#include <crypto/curve25519.h>
#include <string.h>

#include "cookie.h"
#include "noise.h"

/* Two sides that know each other, and what a handshake between them takes. */
struct pair {
	struct noise_identity initiator, responder;
	struct noise_remote to_responder, to_initiator;
	u8 initiator_ephemeral[NWG_KEY_LEN], responder_ephemeral[NWG_KEY_LEN];
	u8 timestamp[NWG_TIMESTAMP_LEN];
};

/* Fill in what follows from the private keys. */
static void pair_introduce(struct pair *p, const u8 *initiator, const u8 *responder,
			   const u8 *preshared)
{
	assert_true(noise_identity_set(&p->initiator, initiator));
	assert_true(noise_identity_set(&p->responder, responder));
	memcpy(p->to_responder.public, p->responder.public, NWG_KEY_LEN);
	memcpy(p->to_initiator.public, p->initiator.public, NWG_KEY_LEN);
	memcpy(p->to_responder.preshared, preshared, NWG_KEY_LEN);
	memcpy(p->to_initiator.preshared, preshared, NWG_KEY_LEN);
	noise_remote_precompute(&p->to_responder, &p->initiator);
	noise_remote_precompute(&p->to_initiator, &p->responder);
	assert_true(p->to_responder.usable);
	assert_true(p->to_initiator.usable);
	assert_memory_equal(p->to_responder.static_static, p->to_initiator.static_static,
			    NWG_KEY_LEN);
}

static struct pair random_pair(void)
{
	u8 initiator[NWG_KEY_LEN], responder[NWG_KEY_LEN], preshared[NWG_KEY_LEN];
	struct pair p;

	test_random_bytes(initiator, sizeof(initiator));
	test_random_bytes(responder, sizeof(responder));
	test_random_bytes(preshared, sizeof(preshared));
	test_random_bytes(p.initiator_ephemeral, sizeof(p.initiator_ephemeral));
	test_random_bytes(p.responder_ephemeral, sizeof(p.responder_ephemeral));
	test_random_bytes(p.timestamp, sizeof(p.timestamp));
	pair_introduce(&p, initiator, responder, preshared);
	return p;
}

static void create_initiation(struct pair *p, struct noise_handshake *initiator,
			      struct nwg_message_initiation *first)
{
	assert_true(noise_initiation_create(first, initiator, &p->initiator, &p->to_responder,
					    p->initiator_ephemeral, p->timestamp, 1));
}

static bool open_initiation(struct pair *p, struct noise_handshake *responder,
			    const struct nwg_message_initiation *first)
{
	u8 claimed[NWG_KEY_LEN], timestamp[NWG_TIMESTAMP_LEN];

	if (!noise_initiation_open_static(responder, claimed, first, &p->responder)) {
		assert_true(test_is_zero(claimed, sizeof(claimed)));
		assert_true(test_is_zero(responder, sizeof(*responder)));
		return false;
	}
	if (!noise_initiation_open_timestamp(responder, timestamp, first, &p->to_initiator)) {
		assert_true(test_is_zero(responder, sizeof(*responder)));
		return false;
	}
	assert_memory_equal(claimed, p->initiator.public, NWG_KEY_LEN);
	assert_memory_equal(timestamp, p->timestamp, NWG_TIMESTAMP_LEN);
	return true;
}

/* As far as a response that the initiator has not seen yet */
static void exchange(struct pair *p, struct noise_handshake *initiator,
		     struct noise_handshake *responder, struct nwg_message_response *second)
{
	struct nwg_message_initiation first;

	create_initiation(p, initiator, &first);
	assert_true(open_initiation(p, responder, &first));
	assert_true(noise_response_create(second, responder, &p->to_initiator,
					  p->responder_ephemeral, 2, 1));
}

static void check_vector(const struct test_case *c)
{
	const u8 *initiation = test_field(c, "initiation", NWG_INITIATION_LEN);
	const u8 *response = test_field(c, "response", NWG_RESPONSE_LEN);
	__le32 initiator_index = test_field_le32(c, "initiator_index");
	__le32 responder_index = test_field_le32(c, "responder_index");
	u8 from_initiator[NWG_KEY_LEN], from_responder[NWG_KEY_LEN];
	struct noise_handshake initiator, responder;
	struct nwg_message_initiation first;
	struct nwg_message_response second;
	struct cookie_keys keys;
	struct pair p;

	pair_introduce(&p, test_field(c, "initiator_private", NWG_KEY_LEN),
		       test_field(c, "responder_private", NWG_KEY_LEN),
		       test_field(c, "preshared", NWG_KEY_LEN));
	assert_memory_equal(p.initiator.public, test_field(c, "initiator_public", NWG_KEY_LEN),
			    NWG_KEY_LEN);
	assert_memory_equal(p.responder.public, test_field(c, "responder_public", NWG_KEY_LEN),
			    NWG_KEY_LEN);
	memcpy(p.timestamp, test_field(c, "timestamp", NWG_TIMESTAMP_LEN), NWG_TIMESTAMP_LEN);

	assert_true(noise_initiation_create(&first, &initiator, &p.initiator, &p.to_responder,
					    test_field(c, "initiator_ephemeral", NWG_KEY_LEN),
					    p.timestamp, initiator_index));
	cookie_keys_derive(&keys, p.responder.public);
	cookie_macs_add(&first, sizeof(first), &keys, NULL);
	assert_memory_equal(&first, initiation, sizeof(first));

	assert_true(open_initiation(&p, &responder, &first));
	assert_true(noise_response_create(&second, &responder, &p.to_initiator,
					  test_field(c, "responder_ephemeral", NWG_KEY_LEN),
					  responder_index, first.sender));
	cookie_keys_derive(&keys, p.initiator.public);
	cookie_macs_add(&second, sizeof(second), &keys, NULL);
	assert_memory_equal(&second, response, sizeof(second));

	assert_true(noise_response_consume(&initiator, &second, &p.initiator, &p.to_responder));
	noise_session_derive(from_initiator, from_responder, &initiator);
	assert_memory_equal(from_initiator, test_field(c, "from_initiator", NWG_KEY_LEN),
			    NWG_KEY_LEN);
	assert_memory_equal(from_responder, test_field(c, "from_responder", NWG_KEY_LEN),
			    NWG_KEY_LEN);
	noise_session_derive(from_initiator, from_responder, &responder);
	assert_memory_equal(from_initiator, test_field(c, "from_initiator", NWG_KEY_LEN),
			    NWG_KEY_LEN);
	assert_memory_equal(from_responder, test_field(c, "from_responder", NWG_KEY_LEN),
			    NWG_KEY_LEN);
}

static void test_vectors(void **state)
{
	(void)state;
	test_for_each_case(VECTORS, "handshake", check_vector);
}

static void test_both_ways(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 20; i++) {
		u8 from_initiator[2][NWG_KEY_LEN], from_responder[2][NWG_KEY_LEN];
		struct noise_handshake initiator, responder;
		struct nwg_message_response second;
		struct pair p = random_pair();

		exchange(&p, &initiator, &responder, &second);
		assert_true(
			noise_response_consume(&initiator, &second, &p.initiator, &p.to_responder));
		noise_session_derive(from_initiator[0], from_responder[0], &initiator);
		noise_session_derive(from_initiator[1], from_responder[1], &responder);
		assert_memory_equal(from_initiator[0], from_initiator[1], NWG_KEY_LEN);
		assert_memory_equal(from_responder[0], from_responder[1], NWG_KEY_LEN);
		assert_memory_not_equal(from_initiator[0], from_responder[0], NWG_KEY_LEN);
	}
}

/* Secrets are wiped as soon as they have done their part. */
static void test_nothing_left_behind(void **state)
{
	u8 from_initiator[NWG_KEY_LEN], from_responder[NWG_KEY_LEN];
	struct noise_handshake initiator, responder;
	struct nwg_message_response second;
	struct pair p = random_pair();

	(void)state;
	exchange(&p, &initiator, &responder, &second);
	assert_true(test_is_zero(responder.ephemeral_private, NWG_KEY_LEN));
	assert_false(test_is_zero(initiator.ephemeral_private, NWG_KEY_LEN));
	assert_true(noise_response_consume(&initiator, &second, &p.initiator, &p.to_responder));
	assert_true(test_is_zero(initiator.ephemeral_private, NWG_KEY_LEN));
	noise_session_derive(from_initiator, from_responder, &initiator);
	noise_session_derive(from_initiator, from_responder, &responder);
	assert_true(test_is_zero(&initiator, sizeof(initiator)));
	assert_true(test_is_zero(&responder, sizeof(responder)));
}

/*
 * Each bit of what the handshake authenticates: all but type, index and macs, which are mac1's
 * business.
 */
static void test_tampered_initiation(void **state)
{
	const size_t from = offsetof(struct nwg_message_initiation, ephemeral);
	const size_t to = offsetof(struct nwg_message_initiation, macs);
	struct noise_handshake initiator, responder;
	struct nwg_message_initiation first;
	struct pair p = random_pair();
	size_t i;

	(void)state;
	create_initiation(&p, &initiator, &first);
	for (i = from * 8; i < to * 8; i++) {
		((u8 *)&first)[i / 8] ^= 1 << i % 8;
		assert_false(open_initiation(&p, &responder, &first));
		((u8 *)&first)[i / 8] ^= 1 << i % 8;
	}
	assert_true(open_initiation(&p, &responder, &first));
}

static void test_tampered_response(void **state)
{
	const size_t from = offsetof(struct nwg_message_response, ephemeral);
	const size_t to = offsetof(struct nwg_message_response, macs);
	struct noise_handshake initiator, responder, before;
	struct nwg_message_response second;
	struct pair p = random_pair();
	size_t i;

	(void)state;
	exchange(&p, &initiator, &responder, &second);
	before = initiator;
	for (i = from * 8; i < to * 8; i++) {
		((u8 *)&second)[i / 8] ^= 1 << i % 8;
		assert_false(
			noise_response_consume(&initiator, &second, &p.initiator, &p.to_responder));
		assert_memory_equal(&initiator, &before, sizeof(initiator));
		((u8 *)&second)[i / 8] ^= 1 << i % 8;
	}
	assert_true(noise_response_consume(&initiator, &second, &p.initiator, &p.to_responder));
}

static void test_wrong_keys(void **state)
{
	struct pair p = random_pair(), other = random_pair(), mixed;
	struct noise_handshake initiator, responder, before;
	struct nwg_message_initiation first;
	struct nwg_message_response second;

	(void)state;
	/* For another responder */
	create_initiation(&p, &initiator, &first);
	assert_false(open_initiation(&other, &responder, &first));

	/* Somebody who claims another's public key but does not have the private one */
	mixed = p;
	memcpy(mixed.initiator.public, other.initiator.public, NWG_KEY_LEN);
	create_initiation(&mixed, &initiator, &first);
	mixed.to_initiator = other.to_initiator;
	noise_remote_precompute(&mixed.to_initiator, &p.responder);
	assert_false(open_initiation(&mixed, &responder, &first));

	/* Another preshared key: the response does not open */
	exchange(&p, &initiator, &responder, &second);
	before = initiator;
	mixed = p;
	mixed.to_responder.preshared[31] ^= 1;
	assert_false(
		noise_response_consume(&initiator, &second, &mixed.initiator, &mixed.to_responder));
	memset(mixed.to_responder.preshared, 0, NWG_KEY_LEN);
	assert_false(
		noise_response_consume(&initiator, &second, &mixed.initiator, &mixed.to_responder));
	/* An answer to another handshake, or for another initiator */
	assert_false(
		noise_response_consume(&initiator, &second, &other.initiator, &p.to_responder));
	exchange(&other, &initiator, &responder, &second);
	initiator = before;
	assert_false(noise_response_consume(&initiator, &second, &p.initiator, &p.to_responder));
	assert_memory_equal(&initiator, &before, sizeof(initiator));
}

/*
 * No response is taken twice, and none that somebody forged for a wiped handshake, whose state is
 * known to all.
 */
static void test_response_without_handshake(void **state)
{
	struct noise_handshake initiator, responder, used;
	struct nwg_message_response second;
	struct pair p = random_pair();
	struct noise_identity zero;
	u8 key[2][NWG_KEY_LEN];

	(void)state;
	exchange(&p, &initiator, &responder, &second);
	assert_true(noise_response_consume(&initiator, &second, &p.initiator, &p.to_responder));
	/* The same response again */
	used = initiator;
	assert_false(noise_response_consume(&initiator, &second, &p.initiator, &p.to_responder));
	assert_memory_equal(&initiator, &used, sizeof(used));

	noise_session_derive(key[0], key[1], &initiator);
	memset(&responder, 0, sizeof(responder));
	assert_true(noise_identity_set(&zero, (const u8[NWG_KEY_LEN]){ 0 }));
	memcpy(responder.remote_ephemeral, zero.public, NWG_KEY_LEN);
	assert_true(noise_response_create(&second, &responder, &p.to_initiator,
					  p.responder_ephemeral, 2, 1));
	assert_false(noise_response_consume(&initiator, &second, &p.initiator, &p.to_responder));
	assert_true(test_is_zero(&initiator, sizeof(initiator)));
}

static void check_low_order(const struct test_case *c)
{
	const u8 *point = test_field(c, "point", NWG_KEY_LEN);
	u8 claimed[NWG_KEY_LEN], timestamp[NWG_TIMESTAMP_LEN];
	struct noise_handshake initiator, responder, before;
	const struct nwg_message_initiation *bad_first;
	const struct nwg_message_response *bad_second;
	struct nwg_message_initiation first;
	struct nwg_message_response second;
	struct noise_remote bad = { 0 };
	struct pair p;

	pair_introduce(&p, test_field(c, "initiator_private", NWG_KEY_LEN),
		       test_field(c, "responder_private", NWG_KEY_LEN),
		       (const u8[NWG_KEY_LEN]){ 0 });
	memcpy(p.initiator_ephemeral, test_field(c, "initiator_ephemeral", NWG_KEY_LEN),
	       NWG_KEY_LEN);
	memcpy(p.responder_ephemeral, test_field(c, "responder_ephemeral", NWG_KEY_LEN),
	       NWG_KEY_LEN);
	memcpy(p.timestamp, test_field(c, "timestamp", NWG_TIMESTAMP_LEN), NWG_TIMESTAMP_LEN);

	/* As a peer's static key: no handshake begins with it */
	memset(bad.static_static, 0xff, NWG_KEY_LEN);
	memcpy(bad.public, point, NWG_KEY_LEN);
	noise_remote_precompute(&bad, &p.responder);
	assert_false(bad.usable);
	assert_true(test_is_zero(bad.static_static, NWG_KEY_LEN));
	assert_false(noise_initiation_create(&first, &initiator, &p.responder, &bad,
					     p.initiator_ephemeral, p.timestamp, 1));
	assert_true(test_is_zero(&initiator, sizeof(initiator)));

	/*
	 * The messages of somebody who has everything right but for this point, and counts on zero
	 * as shared secret. That they open where zero is accepted shows that nothing else is wrong
	 * with them.
	 */
	bad_first = (const void *)test_field(c, "bad_ephemeral", NWG_INITIATION_LEN);
	memset(claimed, 0xff, sizeof(claimed));
	assert_false(noise_initiation_open_static(&responder, claimed, bad_first, &p.responder));
	assert_true(test_is_zero(claimed, sizeof(claimed)));
	assert_true(test_is_zero(&responder, sizeof(responder)));
	shim_zero_accepted = true;
	assert_true(open_initiation(&p, &responder, bad_first));
	shim_zero_accepted = false;

	/* The static key: the first half opens, since that does not depend on it. */
	bad_first = (const void *)test_field(c, "bad_static", NWG_INITIATION_LEN);
	assert_true(noise_initiation_open_static(&responder, claimed, bad_first, &p.responder));
	assert_memory_equal(claimed, point, NWG_KEY_LEN);
	before = responder;
	assert_false(noise_initiation_open_timestamp(&responder, timestamp, bad_first, &bad));
	assert_true(test_is_zero(&responder, sizeof(responder)));
	responder = before;
	bad.usable = true;
	assert_true(noise_initiation_open_timestamp(&responder, timestamp, bad_first, &bad));
	bad.usable = false;

	bad_second = (const void *)test_field(c, "bad_response", NWG_RESPONSE_LEN);
	create_initiation(&p, &initiator, &first);
	before = initiator;
	assert_false(noise_response_consume(&initiator, bad_second, &p.initiator, &p.to_responder));
	assert_memory_equal(&initiator, &before, sizeof(before));
	shim_zero_accepted = true;
	assert_true(noise_response_consume(&initiator, bad_second, &p.initiator, &p.to_responder));
	shim_zero_accepted = false;

	/* As either key of the initiator when a response is made */
	assert_true(open_initiation(&p, &responder, &first));
	before = responder;
	assert_false(noise_response_create(&second, &responder, &bad, p.responder_ephemeral, 2, 1));
	assert_true(test_is_zero(&responder, sizeof(responder)));
	responder = before;
	memcpy(responder.remote_ephemeral, point, NWG_KEY_LEN);
	assert_false(noise_response_create(&second, &responder, &p.to_initiator,
					   p.responder_ephemeral, 2, 1));
	assert_true(test_is_zero(&responder, sizeof(responder)));
}

static void test_low_order(void **state)
{
	(void)state;
	test_for_each_case(VECTORS, "low_order", check_low_order);
}

static void test_unusable_remote(void **state)
{
	u8 claimed[NWG_KEY_LEN], timestamp[NWG_TIMESTAMP_LEN];
	struct noise_handshake initiator, responder;
	struct nwg_message_initiation first;
	struct pair p = random_pair();
	struct noise_remote unusable;

	(void)state;
	/* An interface without a private key */
	unusable = p.to_responder;
	noise_remote_precompute(&unusable, NULL);
	assert_false(unusable.usable);
	assert_true(test_is_zero(unusable.static_static, NWG_KEY_LEN));
	assert_false(noise_initiation_create(&first, &initiator, &p.initiator, &unusable,
					     p.initiator_ephemeral, p.timestamp, 1));
	assert_true(test_is_zero(&initiator, sizeof(initiator)));

	create_initiation(&p, &initiator, &first);
	assert_true(noise_initiation_open_static(&responder, claimed, &first, &p.responder));
	unusable = p.to_initiator;
	unusable.usable = false;
	assert_false(noise_initiation_open_timestamp(&responder, timestamp, &first, &unusable));
	assert_true(test_is_zero(&responder, sizeof(responder)));
}

static void test_identity(void **state)
{
	struct noise_identity identity, again;
	u8 private[NWG_KEY_LEN];
	int i;

	(void)state;
	for (i = 0; i < 50; i++) {
		test_random_bytes(private, sizeof(private));
		assert_true(noise_identity_set(&identity, private));
		assert_int_equal(identity.private[0] & 7, 0);
		assert_int_equal(identity.private[31] & 0xc0, 0x40);
		assert_memory_equal(identity.private + 1, private + 1, 30);
		assert_true(noise_identity_set(&again, identity.private));
		assert_memory_equal(&identity, &again, sizeof(identity));
	}
}

/* RFC 7748, section 6.1 */
static void test_public_key_of_rfc7748(void **state)
{
	static const u8 private[NWG_KEY_LEN] = { 0x77, 0x07, 0x6d, 0x0a, 0x73, 0x18, 0xa5, 0x7d,
						 0x3c, 0x16, 0xc1, 0x72, 0x51, 0xb2, 0x66, 0x45,
						 0xdf, 0x4c, 0x2f, 0x87, 0xeb, 0xc0, 0x99, 0x2a,
						 0xb1, 0x77, 0xfb, 0xa5, 0x1d, 0xb9, 0x2c, 0x2a };
	static const u8 public[NWG_KEY_LEN] = { 0x85, 0x20, 0xf0, 0x09, 0x89, 0x30, 0xa7, 0x54,
						0x74, 0x8b, 0x7d, 0xdc, 0xb4, 0x3e, 0xf7, 0x5a,
						0x0d, 0xbf, 0x3a, 0x0d, 0x26, 0x38, 0x1a, 0xf4,
						0xeb, 0xa4, 0xa9, 0x8e, 0xaa, 0x9b, 0x4e, 0x6a };
	struct noise_identity identity;

	(void)state;
	assert_true(noise_identity_set(&identity, private));
	assert_memory_equal(identity.public, public, NWG_KEY_LEN);
}

static int setup(void **state)
{
	noise_init();
	noise_init();
	return test_random_setup(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_public_key_of_rfc7748),
		cmocka_unit_test(test_identity),
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_both_ways),
		cmocka_unit_test(test_nothing_left_behind),
		cmocka_unit_test(test_tampered_initiation),
		cmocka_unit_test(test_tampered_response),
		cmocka_unit_test(test_wrong_keys),
		cmocka_unit_test(test_response_without_handshake),
		cmocka_unit_test(test_low_order),
		cmocka_unit_test(test_unusable_remote),
	};

	return cmocka_run_group_tests_name("noise", tests, setup, NULL);
}
