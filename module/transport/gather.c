// SPDX-License-Identifier: GPL-2.0
#include "gather.h"

#include <linux/compiler.h>
#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/typecheck.h>

/* 1000 packets per second are thick, looked at in spans of 4 ms. */
#define SPAN max(HZ / 250, 1)
#define THICK max(1000 * SPAN / HZ, 2)

/* After so many times in vain there is a pause, each time twice as long. */
#define VAIN 500
#define PAUSE HZ
#define LONGEST_PAUSE (4 * PAUSE)

void nwg_gather_init(struct nwg_gather *gather)
{
	gather->since = jiffies;
	gather->pause = jiffies;
	gather->length = PAUSE;
}

bool nwg_gather_wanted(struct nwg_gather *gather)
{
	const unsigned long now = jiffies, passed = now - gather->since;
	bool wanted;

	if (passed >= SPAN) {
		WRITE_ONCE(gather->thick, gather->count >= THICK && passed < 2 * SPAN);
		gather->since = now;
		gather->count = 0;
		/* What is long past would be to come after half the range of jiffies. */
		if (passed >= LONGEST_PAUSE || time_after_eq(now, gather->pause))
			gather->pause = now;
	}
	if (++gather->count >= THICK)
		WRITE_ONCE(gather->thick, true);
	wanted = gather->thick && time_after_eq(now, gather->pause);
	gather->waits += wanted;
	return wanted;
}

void nwg_gather_result(struct nwg_gather *gather)
{
	if (gather->waits > 1) {
		gather->vain = 0;
		gather->length = PAUSE;
	} else if (gather->waits && ++gather->vain >= VAIN) {
		gather->vain = 0;
		gather->pause = jiffies + gather->length;
		gather->length = min_t(unsigned int, 2 * gather->length, LONGEST_PAUSE);
	}
	gather->waits = 0;
}
