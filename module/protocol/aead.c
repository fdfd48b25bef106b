// SPDX-License-Identifier: GPL-2.0
#include "aead.h"

#include <asm/byteorder.h>
#include <crypto/chacha.h>
#include <crypto/poly1305.h>
#include <crypto/utils.h>
#include <linux/build_bug.h>
#include <linux/minmax.h>
#include <linux/string.h>

/* What is decrypted in one run with the key of Poly1305: the rest of four blocks. */
#define FIRST_LEN (3 * CHACHA_BLOCK_SIZE)

static const u8 zeroes[CHACHA_BLOCK_SIZE + FIRST_LEN];

static void cipher_start(struct chacha_state *cipher, u64 counter, const u8 key[NWG_KEY_LEN])
{
	/* The number of the block, 32 bits, then the nonce: 32 bits of zero and the counter. */
	const __le64 iv[2] = { 0, cpu_to_le64(counter) };
	u32 words[NWG_KEY_LEN / sizeof(u32)];
	unsigned int i;

	memcpy(words, key, sizeof(words));
	for (i = 0; i < NWG_KEY_LEN / sizeof(u32); i++)
		words[i] = le32_to_cpu((__force __le32)words[i]);
	chacha_init(cipher, words, (const u8 *)iv);
	memzero_explicit(words, sizeof(words));
}

/* Make the tag of @len bytes of cipher text in the place behind them. */
static void make_tag(u8 *data, unsigned int len, const u8 key[POLY1305_KEY_SIZE])
{
	const __le64 lengths[2] = { 0, cpu_to_le64(len) };
	const unsigned int over = len % POLY1305_BLOCK_SIZE;
	struct poly1305_desc_ctx mac;

	poly1305_init(&mac, key);
	memcpy(data + len, lengths, sizeof(lengths));
	if (!over) {
		poly1305_update(&mac, data, len + sizeof(lengths));
	} else {
		poly1305_update(&mac, data, len);
		poly1305_update(&mac, zeroes, POLY1305_BLOCK_SIZE - over);
		poly1305_update(&mac, data + len, sizeof(lengths));
	}
	poly1305_final(&mac, data + len);
}

void aead_encrypt(u8 *data, unsigned int len, u64 counter, const u8 key[NWG_KEY_LEN])
{
	u8 *first = data - CHACHA_BLOCK_SIZE;
	struct chacha_state cipher;

	static_assert(NWG_AEAD_HEADROOM == CHACHA_BLOCK_SIZE);
	cipher_start(&cipher, counter, key);
	memset(first, 0, CHACHA_BLOCK_SIZE);
	chacha20_crypt(&cipher, first, first, CHACHA_BLOCK_SIZE + len);
	make_tag(data, len, first);
	memzero_explicit(first, POLY1305_KEY_SIZE);
	memzero_explicit(&cipher, sizeof(cipher));
}

bool aead_decrypt(u8 *data, unsigned int len, u64 counter, const u8 key[NWG_KEY_LEN])
{
	const unsigned int first_len = min_t(unsigned int, len, FIRST_LEN);
	u8 stream[CHACHA_BLOCK_SIZE + FIRST_LEN], tag[NWG_TAG_LEN];
	struct chacha_state cipher;
	bool authentic;

	cipher_start(&cipher, counter, key);
	chacha20_crypt(&cipher, stream, zeroes, CHACHA_BLOCK_SIZE + first_len);
	memcpy(tag, data + len, sizeof(tag));
	make_tag(data, len, stream);
	authentic = !crypto_memneq(tag, data + len, sizeof(tag));
	if (authentic) {
		crypto_xor(data, stream + CHACHA_BLOCK_SIZE, first_len);
		if (len > first_len)
			chacha20_crypt(&cipher, data + first_len, data + first_len,
				       len - first_len);
	} else {
		/* Nobody is told the right one. */
		memcpy(data + len, tag, sizeof(tag));
	}
	memzero_explicit(stream, sizeof(stream));
	memzero_explicit(&cipher, sizeof(cipher));
	return authentic;
}
