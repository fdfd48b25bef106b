// SPDX-License-Identifier: GPL-2.0
#include "drop.h"

#include <linux/netdevice.h>
#include <linux/skbuff.h>

#include "device.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

/* The trace has a name for each reason of a relay's. */
#define COUNT(name) +1
static_assert(NWG_DROP_PAD NWG_TRACE_RELAY_DROPS(COUNT) == NWG_DROP_MAX);
static_assert(NWG_FLOW_END_UNSPEC NWG_TRACE_FLOW_ENDS(COUNT) == NWG_FLOW_END_UNUSABLE);
#undef COUNT

void nwg_device_drop(struct nwg_device *wg, struct sk_buff *skb, enum nwg_device_drop_reason reason)
{
	switch (reason) {
#define COUNT(name, counter)                     \
	case NWG_DEVICE_DROP_##name:             \
		DEV_STATS_INC(wg->dev, counter); \
		break;
		NWG_DEVICE_DROP_REASONS(COUNT)
#undef COUNT
	case NWG_NOT_DROPPED:
		WARN_ON_ONCE(1);
		break;
	}
	/* Told apart besides. */
	if (reason == NWG_DEVICE_DROP_NO_MESSAGE)
		DEV_STATS_INC(wg->dev, rx_length_errors);
	else if (reason == NWG_DEVICE_DROP_INNER_MALFORMED ||
		 reason == NWG_DEVICE_DROP_INNER_NOT_ECN || reason == NWG_DEVICE_DROP_INNER_SOURCE)
		DEV_STATS_INC(wg->dev, rx_frame_errors);
	trace_nwg_device_drop(wg->dev, skb, reason);
	kfree_skb(skb);
}

void nwg_device_drop_list(struct nwg_device *wg, struct sk_buff *list,
			  enum nwg_device_drop_reason reason)
{
	struct sk_buff *skb, *next;

	skb_list_walk_safe(list, skb, next) {
		skb_mark_not_on_list(skb);
		nwg_device_drop(wg, skb, reason);
	}
}
