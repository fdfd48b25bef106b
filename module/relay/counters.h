/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a relay counts. Only what was sent on and what was dropped is counted; what arrived is their
 * sum, so that the three always add up, however a reader and the packets interleave.
 */
#ifndef _NWG_RELAY_COUNTERS_H
#define _NWG_RELAY_COUNTERS_H

#include <linux/u64_stats_sync.h>

#include "../../uapi/nwg.h"
#include "protocol/wire.h"

enum nwg_direction {
	NWG_FORWARD, /* client to home */
	NWG_REVERSE, /* home to client */
	NWG_DIRECTIONS
};

/**
 * struct nwg_relay_counters - traffic of one direction of a relay, on one CPU
 * @messages: datagrams sent on, by &enum nwg_message_type
 * @bytes: their UDP payload
 * @drops: datagrams dropped, by &enum nwg_relay_drop
 * @dropped_bytes: their UDP payload
 * @largest: largest UDP payload sent on
 * @fragmented: datagrams sent on in fragments
 */
struct nwg_relay_counters {
	u64_stats_t messages[NWG_MESSAGE_TRANSPORT + 1];
	u64_stats_t bytes;
	u64_stats_t drops[NWG_DROP_MAX + 1];
	u64_stats_t dropped_bytes;
	u64_stats_t largest;
	u64_stats_t fragmented;
};

/**
 * struct nwg_relay_cpu - counters of a relay on one CPU
 * @sync: lets a reader on a 32-bit machine see whole numbers
 * @direction: by &enum nwg_direction; written by their CPU with BH off
 */
struct nwg_relay_cpu {
	struct u64_stats_sync sync;
	struct nwg_relay_counters direction[NWG_DIRECTIONS];
};

/**
 * struct nwg_counter_sums - one direction of a relay or of a flow, as read
 * @messages: datagrams sent on, by &enum nwg_message_type
 * @bytes: their UDP payload
 * @drops: datagrams dropped, by &enum nwg_relay_drop; of a flow, all are at index 0
 * @dropped_bytes: their UDP payload
 * @largest: largest UDP payload sent on
 * @fragmented: datagrams sent on in fragments; of a relay only
 */
struct nwg_counter_sums {
	u64 messages[NWG_MESSAGE_TRANSPORT + 1];
	u64 bytes;
	u64 drops[NWG_DROP_MAX + 1];
	u64 dropped_bytes;
	u64 largest;
	u64 fragmented;
};

#endif /* _NWG_RELAY_COUNTERS_H */
