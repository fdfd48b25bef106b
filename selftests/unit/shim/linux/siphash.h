/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_SIPHASH_H
#define _SHIM_LINUX_SIPHASH_H

#include <linux/types.h>
#include <sodium.h>

#define SIPHASH_ALIGNMENT __alignof__(u64)

typedef struct {
	u64 key[2];
} siphash_key_t;

/* As the kernel does it, to the last word (SipHash-2-4) */
static inline u64 siphash(const void *data, size_t len, const siphash_key_t *key)
{
	u64 hash;

	_Static_assert(crypto_shorthash_BYTES == sizeof(hash), "another hash");
	crypto_shorthash((unsigned char *)&hash, data, len, (const unsigned char *)key);
	return hash;
}

#endif /* _SHIM_LINUX_SIPHASH_H */
