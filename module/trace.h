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
#include "relay/object.h"

/* All of enum nwg_relay_drop, and of enum nwg_flow_end */
#undef NWG_TRACE_RELAY_DROPS
#define NWG_TRACE_RELAY_DROPS(REASON) \
	REASON(SHAPE)                 \
	REASON(MAC1)                  \
	REASON(RATE)                  \
	REASON(FLOW_LIMIT)            \
	REASON(NO_FLOW)               \
	REASON(NO_PORT)               \
	REASON(NO_ADDRESS)            \
	REASON(FAMILY)                \
	REASON(TTL)                   \
	REASON(NO_PEER)               \
	REASON(NO_ROUTE)              \
	REASON(MALFORMED)             \
	REASON(NO_MEMORY)             \
	REASON(COOKIE)                \
	REASON(SOURCE_LIMIT)
#undef NWG_TRACE_FLOW_ENDS
#define NWG_TRACE_FLOW_ENDS(END) \
	END(EXPIRED)             \
	END(EVICTED)             \
	END(REPLACED)            \
	END(REMOVED)             \
	END(UNUSABLE)

/* So that who reads a trace can tell names from numbers. */
#undef NWG_TRACE_ENUM
#define NWG_TRACE_ENUM(name, counter) TRACE_DEFINE_ENUM(NWG_DEVICE_DROP_##name);
TRACE_DEFINE_ENUM(NWG_NOT_DROPPED);
NWG_DEVICE_DROP_REASONS(NWG_TRACE_ENUM)
#undef NWG_TRACE_ENUM
#define NWG_TRACE_ENUM(name) TRACE_DEFINE_ENUM(NWG_DROP_##name);
NWG_TRACE_RELAY_DROPS(NWG_TRACE_ENUM)
#undef NWG_TRACE_ENUM
#define NWG_TRACE_ENUM(name) TRACE_DEFINE_ENUM(NWG_FLOW_END_##name);
TRACE_DEFINE_ENUM(NWG_FLOW_END_UNSPEC);
NWG_TRACE_FLOW_ENDS(NWG_TRACE_ENUM)
TRACE_DEFINE_ENUM(NWG_FLOW_NEW);
TRACE_DEFINE_ENUM(NWG_FLOW_ESTABLISHED);
TRACE_DEFINE_ENUM(NWG_FLOW_TENTATIVE);
TRACE_DEFINE_ENUM(NWG_FORWARD);
TRACE_DEFINE_ENUM(NWG_REVERSE);

/* clang-format off */
#undef NWG_TRACE_ENUM
#undef NWG_TRACE_REASON
#define NWG_TRACE_REASON(name, counter) , { NWG_DEVICE_DROP_##name, #name }
#undef NWG_TRACE_RELAY_DROP
#define NWG_TRACE_RELAY_DROP(name) , { NWG_DROP_##name, #name }
#undef NWG_TRACE_FLOW_END
#define NWG_TRACE_FLOW_END(name) , { NWG_FLOW_END_##name, #name }

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

/*
 * What follows is of a relay: netns as above; port is the one that it listens on; client is an address of
 * IPv6, which of an IPv4 client is the v4-mapped one.
 */

/* nwg_relay_drop - a relay drops a datagram; len is that of its UDP payload */
TRACE_EVENT(nwg_relay_drop,

	TP_PROTO(const struct nwg_relay *relay, enum nwg_direction direction,
		 enum nwg_relay_drop reason, const struct nwg_flow_key *client, unsigned int len),

	TP_ARGS(relay, direction, reason, client, len),

	TP_STRUCT__entry(
		__array(char, name, IFNAMSIZ)
		__array(__u8, client, sizeof(struct in6_addr))
		__field(int, ifindex)
		__field(unsigned int, netns)
		__field(unsigned int, direction)
		__field(unsigned int, reason)
		__field(unsigned int, len)
		__field(__u16, port)
		__field(__u16, client_port)
	),

	TP_fast_assign(
		const struct net_device *dev = relay->dev;

		strscpy(__entry->name, dev->name, IFNAMSIZ);
		memcpy(__entry->client, &client->client, sizeof(struct in6_addr));
		__entry->ifindex = dev->ifindex;
		__entry->netns = dev_net(dev)->ns.inum;
		__entry->direction = direction;
		__entry->reason = reason;
		__entry->len = len;
		__entry->port = ntohs(relay->listen.port);
		__entry->client_port = ntohs(client->client_port);
	),

	TP_printk("dev=%s ifindex=%d netns=%u port=%u direction=%s client=[%pI6c]:%u len=%u reason=%s",
		  __entry->name, __entry->ifindex, __entry->netns, __entry->port,
		  __print_symbolic(__entry->direction, { NWG_FORWARD, "FORWARD" },
				   { NWG_REVERSE, "REVERSE" }),
		  __entry->client, __entry->client_port, __entry->len,
		  __print_symbolic(__entry->reason, { NWG_DROP_UNSPEC, "UNSPEC" }
				   NWG_TRACE_RELAY_DROPS(NWG_TRACE_RELAY_DROP)))
);

/*
 * nwg_relay_flow - a flow is made, with its first state, has another one or another MTU, or has ended,
 * and why
 */
TRACE_EVENT(nwg_relay_flow,

	TP_PROTO(const struct nwg_flow *flow, enum nwg_flow_end end),

	TP_ARGS(flow, end),

	TP_STRUCT__entry(
		__array(char, name, IFNAMSIZ)
		__array(__u8, client, sizeof(struct in6_addr))
		__field(int, ifindex)
		__field(unsigned int, netns)
		__field(unsigned int, state)
		__field(unsigned int, end)
		__field(__u16, port)
		__field(__u16, client_port)
	),

	TP_fast_assign(
		const struct net_device *dev = flow->relay->dev;

		strscpy(__entry->name, dev->name, IFNAMSIZ);
		memcpy(__entry->client, &flow->key.client, sizeof(struct in6_addr));
		__entry->ifindex = dev->ifindex;
		__entry->netns = dev_net(dev)->ns.inum;
		__entry->state = flow->state;
		__entry->end = end;
		__entry->port = ntohs(flow->relay->listen.port);
		__entry->client_port = ntohs(flow->key.client_port);
	),

	TP_printk("dev=%s ifindex=%d netns=%u port=%u client=[%pI6c]:%u state=%s end=%s",
		  __entry->name, __entry->ifindex, __entry->netns, __entry->port, __entry->client,
		  __entry->client_port,
		  __print_symbolic(__entry->state, { NWG_FLOW_NEW, "NEW" },
				   { NWG_FLOW_ESTABLISHED, "ESTABLISHED" },
				   { NWG_FLOW_TENTATIVE, "TENTATIVE" }),
		  __print_symbolic(__entry->end, { NWG_FLOW_END_UNSPEC, "NOT_ENDED" }
				   NWG_TRACE_FLOW_ENDS(NWG_TRACE_FLOW_END)))
);

/* nwg_relay_pressure - pressure on a relay begins (1) or ends (0) */
TRACE_EVENT(nwg_relay_pressure,

	TP_PROTO(const struct nwg_relay *relay),

	TP_ARGS(relay),

	TP_STRUCT__entry(
		__array(char, name, IFNAMSIZ)
		__field(int, ifindex)
		__field(unsigned int, netns)
		__field(__u16, port)
		__field(bool, pressed)
	),

	TP_fast_assign(
		const struct net_device *dev = relay->dev;

		strscpy(__entry->name, dev->name, IFNAMSIZ);
		__entry->ifindex = dev->ifindex;
		__entry->netns = dev_net(dev)->ns.inum;
		__entry->port = ntohs(relay->listen.port);
		__entry->pressed = relay->pressed;
	),

	TP_printk("dev=%s ifindex=%d netns=%u port=%u pressed=%u", __entry->name, __entry->ifindex,
		  __entry->netns, __entry->port, __entry->pressed)
);
/* clang-format on */

#endif /* _NWG_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
