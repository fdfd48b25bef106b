/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_JHASH_H
#define _SHIM_LINUX_JHASH_H

#include <linux/types.h>

/* Some hash: what depends on which is a defect. */
static inline u32 jhash_2words(u32 a, u32 b, u32 seed)
{
	u64 hash = ((u64)a << 32 | b) * 0x9e3779b97f4a7c15 + seed;

	return hash >> 32;
}

#endif /* _SHIM_LINUX_JHASH_H */
