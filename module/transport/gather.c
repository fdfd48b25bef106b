// SPDX-License-Identifier: GPL-2.0
#include "gather.h"

#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/typecheck.h>

/* 1000 packets per second are thick, looked at in spans of 4 ms. */
#define SPAN max(HZ / 250, 1)
#define THICK max(1000 * SPAN / HZ, 2)

/* After so many times in vain there is a pause. */
#define VAIN 500
#define PAUSE HZ

void nwg_gather_init(struct nwg_gather *gather)
{
	gather->since = jiffies;
	gather->pause = jiffies;
}

bool nwg_gather_wanted(struct nwg_gather *gather, unsigned int count)
{
	const unsigned long now = jiffies, passed = now - gather->since;

	if (passed >= SPAN) {
		gather->thick = gather->count >= THICK && passed < 2 * SPAN;
		gather->since = now;
		gather->count = 0;
	}
	gather->count += count;
	if (gather->count >= THICK)
		gather->thick = true;
	return gather->thick && time_after_eq(now, gather->pause);
}

void nwg_gather_result(struct nwg_gather *gather, unsigned int count)
{
	if (count > 1) {
		gather->vain = 0;
	} else if (++gather->vain >= VAIN) {
		gather->vain = 0;
		gather->pause = jiffies + PAUSE;
	}
}
