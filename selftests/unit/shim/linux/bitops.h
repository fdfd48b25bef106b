/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_BITOPS_H
#define _SHIM_LINUX_BITOPS_H

#include <linux/types.h>

#define BITS_PER_LONG __LONG_WIDTH__
#define BIT(number) (1UL << (number))
#define hweight8(byte) ((unsigned int)__builtin_popcount((u8)(byte)))

/* Position of the highest bit set, counted from 1; 0 if there is none */
static inline int fls64(u64 word)
{
	return word ? 64 - __builtin_clzll(word) : 0;
}

static inline bool __test_and_set_bit(unsigned long number, unsigned long *words)
{
	unsigned long *word = &words[number / BITS_PER_LONG];
	unsigned long mask = 1UL << number % BITS_PER_LONG;
	bool was_set = *word & mask;

	*word |= mask;
	return was_set;
}

#endif /* _SHIM_LINUX_BITOPS_H */
