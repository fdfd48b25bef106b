/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_KERNEL_H
#define _SHIM_LINUX_KERNEL_H

#include <assert.h>
#include <linux/bitops.h>
#include <linux/build_bug.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/types.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define DIV_ROUND_UP(number, by) (((number) + (by)-1) / (by))
#define container_of(pointer, type, member) ((type *)((void *)(pointer)-offsetof(type, member)))
#define lower_32_bits(number) ((u32)(number))

#define WARN_ON_ONCE(condition)       \
	({                            \
		assert(!(condition)); \
		false;                \
	})

/* A number below @limit from one of 32 bits */
static inline u32 reciprocal_scale(u32 number, u32 limit)
{
	return (u64)number * limit >> 32;
}

#endif /* _SHIM_LINUX_KERNEL_H */
