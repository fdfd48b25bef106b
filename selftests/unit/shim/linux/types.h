/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_TYPES_H
#define _SHIM_LINUX_TYPES_H

#include_next <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

struct list_head {
	struct list_head *next, *prev;
};

/*
 * kfree_rcu() frees at once: whatever still uses the memory then is reported by the address
 * sanitizer.
 */
struct rcu_head {
	char unused;
};

#endif /* _SHIM_LINUX_TYPES_H */
