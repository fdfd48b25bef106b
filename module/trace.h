/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Trace events, system "nwg": see Documentation/trace/events.rst of the kernel.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM nwg

#if !defined(_NWG_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _NWG_TRACE_H

#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <linux/tracepoint.h>

#include "drop.h"

/* So that who reads a trace can tell names from numbers. */
#undef NWG_TRACE_ENUM
#define NWG_TRACE_ENUM(name, counter) TRACE_DEFINE_ENUM(NWG_DEVICE_DROP_##name);
TRACE_DEFINE_ENUM(NWG_NOT_DROPPED);
NWG_DEVICE_DROP_REASONS(NWG_TRACE_ENUM)

/* clang-format off */
#undef NWG_TRACE_ENUM
#undef NWG_TRACE_REASON
#define NWG_TRACE_REASON(name, counter) , { NWG_DEVICE_DROP_##name, #name }

/*
 * nwg_device_drop - an interface drops a packet
 *
 * netns is the inode of the interface's network namespace, as lsns(8) has it; len is in bytes, of
 * what the packet is then: plain, padded, or encrypted; skbaddr is that of the skb:kfree_skb that
 * follows.
 */
TRACE_EVENT(nwg_device_drop,

	TP_PROTO(const struct net_device *dev, const struct sk_buff *skb, unsigned int reason),

	TP_ARGS(dev, skb, reason),

	TP_STRUCT__entry(
		__array(char, name, IFNAMSIZ)
		__field(const void *, skbaddr)
		__field(int, ifindex)
		__field(unsigned int, netns)
		__field(unsigned int, len)
		__field(unsigned int, reason)
	),

	TP_fast_assign(
		strscpy(__entry->name, dev->name, IFNAMSIZ);
		__entry->skbaddr = skb;
		__entry->ifindex = dev->ifindex;
		__entry->netns = dev_net(dev)->ns.inum;
		__entry->len = skb->len;
		__entry->reason = reason;
	),

	TP_printk("dev=%s ifindex=%d netns=%u skbaddr=%p len=%u reason=%s", __entry->name,
		  __entry->ifindex, __entry->netns, __entry->skbaddr, __entry->len,
		  __print_symbolic(__entry->reason, { NWG_NOT_DROPPED, "NOT_DROPPED" }
				   NWG_DEVICE_DROP_REASONS(NWG_TRACE_REASON)))
);
/* clang-format on */

#endif /* _NWG_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
