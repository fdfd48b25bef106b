/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_RANDOM_H
#define _SHIM_LINUX_RANDOM_H

#include <linux/types.h>
#include "test.h"

#define get_random_bytes(bytes, len) test_random_bytes(bytes, len)

static inline u32 get_random_u32_inclusive(u32 floor, u32 ceiling)
{
	return floor + test_random_below(ceiling - floor + 1);
}

static inline u32 get_random_u32(void)
{
	u32 number;

	test_random_bytes(&number, sizeof(number));
	return number;
}

#endif /* _SHIM_LINUX_RANDOM_H */
