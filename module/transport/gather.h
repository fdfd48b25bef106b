/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Whether to work on a packet where it is, or to wait for more.
 *
 * A packet that comes alone is worked on at once, by whoever brings it. Where packets come thick, work
 * is put off until a work item gets to run: what has come by then goes together, down the stack as one
 * packet or to GRO, and on whichever CPU has time. That costs a single packet more, so it is done only
 * as long as several do come together.
 */
#ifndef _NWG_TRANSPORT_GATHER_H
#define _NWG_TRANSPORT_GATHER_H

#include <linux/types.h>

/* What waits when whoever brings more has to work itself. */
#define NWG_GATHER_MAX 256

/**
 * struct nwg_gather - what is known of how packets come; protected by the lock of what they wait in
 * @since: jiffies when the span began that is looked at
 * @count: how often some came in it
 * @waits: how often some came since waiting has begun
 * @pause: jiffies until which waiting is of no use
 * @length: jiffies that the next pause lasts
 * @vain: how often in a row nothing else came meanwhile
 * @thick: they come thick; read lockless
 *
 * What the stack hands over as one comes once, however many packets it is taken apart into.
 */
struct nwg_gather {
	unsigned long since;
	unsigned int count;
	unsigned int waits;
	unsigned long pause;
	unsigned int length;
	u16 vain;
	bool thick;
};

void nwg_gather_init(struct nwg_gather *gather);

/* Something has come: wait for more? Context: lock held. */
bool nwg_gather_wanted(struct nwg_gather *gather);

/* What waits is worked on now, if anything does. Context: lock held. */
void nwg_gather_result(struct nwg_gather *gather);

#endif /* _NWG_TRANSPORT_GATHER_H */
