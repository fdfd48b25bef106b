/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_U64_STATS_SYNC_H
#define _SHIM_LINUX_U64_STATS_SYNC_H

#include <linux/types.h>

struct u64_stats_sync {
	char unused;
};

typedef struct {
	u64 value;
} u64_stats_t;

#endif /* _SHIM_LINUX_U64_STATS_SYNC_H */
