/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The Internet checksum (RFC 1071): sums of 16-bit words in one's complement. A __wsum is such a sum
 * that has not been folded to 16 bits yet, a __sum16 its complement.
 */
#ifndef _SHIM_NET_CHECKSUM_H
#define _SHIM_NET_CHECKSUM_H

#include <linux/in6.h>
#include <linux/types.h>
#include <string.h>

#define CSUM_MANGLED_0 ((__sum16)0xffff)

static inline u16 shim_fold(u64 sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static inline __sum16 csum_fold(__wsum sum)
{
	return ~shim_fold(sum);
}

static inline __wsum csum_unfold(__sum16 sum)
{
	return sum;
}

static inline __wsum csum_add(__wsum a, __wsum b)
{
	return shim_fold((u64)a + b);
}

static inline __wsum csum_sub(__wsum a, __wsum b)
{
	return shim_fold((u64)a + (u16)~shim_fold(b));
}

static inline __wsum csum_partial(const void *bytes, int len, __wsum sum)
{
	const u8 *byte = bytes;
	u64 words = sum;
	u16 word;

	for (; len > 1; len -= 2, byte += 2) {
		memcpy(&word, byte, sizeof(word));
		words += word;
	}
	if (len)
		words += htons(*byte << 8);
	return shim_fold(words);
}

/* Change a checksum by what the bytes that it covers differ in (RFC 1624). */
static inline void csum_replace_by_diff(__sum16 *sum, __wsum diff)
{
	*sum = csum_fold(csum_add(diff, ~shim_fold(*sum) & 0xffff));
}

static inline __sum16 csum_ipv6_magic(const struct in6_addr *saddr, const struct in6_addr *daddr,
				      u32 len, u8 proto, __wsum sum)
{
	const __be32 last[] = { htonl(len), htonl(proto) };

	sum = csum_partial(saddr, sizeof(*saddr), sum);
	sum = csum_partial(daddr, sizeof(*daddr), sum);
	return csum_fold(csum_partial(last, sizeof(last), sum));
}

struct sk_buff;

/*
 * Likewise. What is left to the network card (CHECKSUM_PARTIAL) has the sum of the pseudo-header there,
 * not its complement, and only that changes it.
 */
void shim_csum_replace(__sum16 *sum, struct sk_buff *skb, const void *from, const void *to, int len,
		       bool pseudohdr);

static inline void inet_proto_csum_replace2(__sum16 *sum, struct sk_buff *skb, __be16 from,
					    __be16 to, bool pseudohdr)
{
	shim_csum_replace(sum, skb, &from, &to, sizeof(to), pseudohdr);
}

static inline void inet_proto_csum_replace4(__sum16 *sum, struct sk_buff *skb, __be32 from,
					    __be32 to, bool pseudohdr)
{
	shim_csum_replace(sum, skb, &from, &to, sizeof(to), pseudohdr);
}

static inline void inet_proto_csum_replace16(__sum16 *sum, struct sk_buff *skb, const __be32 *from,
					     const __be32 *to, bool pseudohdr)
{
	shim_csum_replace(sum, skb, from, to, 4 * sizeof(*to), pseudohdr);
}

#endif /* _SHIM_NET_CHECKSUM_H */
