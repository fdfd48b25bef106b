// SPDX-License-Identifier: GPL-2.0
/*
 * Events, for who listens, and for who traces.
 *
 * An event is sent where it happens, under the lock that it happens under, so that those of a relay are
 * in order; the locks that netlink takes to queue it are innermost, and such as may be taken anywhere. A
 * listener that one does not reach, for lack of room or of memory, has ENOBUFS from its next recv(), as
 * those of rtnetlink do.
 */
#include "events.h"

#include <linux/netdevice.h>

#include "device.h"
#include "netlink.h"
#include "peer.h"
#include "relay/object.h"
#include "trace.h"

/* Of a flow at its longest: IPv6 all over, answered, too large for the tunnel, and ended. */
static size_t flow_size(void)
{
	const size_t counters = nla_total_size(8 * nla_total_size_64bit(sizeof(u64)));

	/* IFNAME, addresses, ports, numbers of 32 bits, of 64 bits, FORWARD and REVERSE */
	return nla_total_size(IFNAMSIZ) + 4 * nla_total_size(sizeof(struct in6_addr)) +
	       3 * nla_total_size(sizeof(u16)) + 5 * nla_total_size(sizeof(u32)) +
	       5 * nla_total_size_64bit(sizeof(u64)) + 2 * counters;
}

/* Whether somebody listens; on Linux 6.1, in whatever network namespace. */
static bool heard(struct net *net)
{
	return genl_has_listeners(&nwg_genl_family, net, NWG_GROUP_EVENTS);
}

/**
 * struct event - an event that is made
 * @net: where
 * @gfp: how to allocate
 * @skb: the message, or NULL if there is no memory
 * @header: what genlmsg_put() returns
 */
struct event {
	struct net *net;
	gfp_t gfp;
	struct sk_buff *skb;
	void *header;
};

/* Return: whether there is memory for it. */
static bool event_begin(struct event *event, struct net *net, enum nwg_command command, size_t size,
			gfp_t gfp)
{
	event->net = net;
	event->gfp = gfp;
	event->skb = genlmsg_new(size, gfp);
	if (!event->skb)
		return false;
	event->header = genlmsg_put(event->skb, 0, 0, &nwg_genl_family, 0, command);
	return event->header;
}

/* @complete: all attributes are in it, else it is lost. */
static void event_send(struct event *event, bool complete)
{
	/* There is room for all that an event may have. */
	WARN_ON_ONCE(event->skb && !complete);
	if (!complete) {
		nlmsg_free(event->skb);
		genl_set_err(&nwg_genl_family, event->net, 0, NWG_GROUP_EVENTS, -ENOBUFS);
		return;
	}
	genlmsg_end(event->skb, event->header);
	genlmsg_multicast_netns(&nwg_genl_family, event->net, event->skb, 0, NWG_GROUP_EVENTS,
				event->gfp);
}

static void send_relay(enum nwg_command command, const struct nwg_relay *relay, gfp_t gfp)
{
	struct net *net = dev_net(relay->dev);
	struct event event;
	bool complete;

	if (likely(!heard(net)))
		return;
	complete = event_begin(&event, net, command, GENLMSG_DEFAULT_SIZE, gfp);
	if (complete) {
		rcu_read_lock();
		complete = !nwg_nl_put_relay(event.skb, relay);
		rcu_read_unlock();
	}
	event_send(&event, complete);
}

void nwg_event_relay(enum nwg_command event, const struct nwg_relay *relay)
{
	send_relay(event, relay, GFP_KERNEL);
}

void nwg_event_pressure(const struct nwg_relay *relay)
{
	lockdep_assert_held(&relay->lock);
	trace_nwg_relay_pressure(relay);
	send_relay(NWG_CMD_RELAY_PRESSURE_NTF, relay, GFP_ATOMIC);
}

void nwg_event_flow(enum nwg_command command, const struct nwg_flow *flow, enum nwg_flow_end end)
{
	struct net *net = dev_net(flow->relay->dev);
	struct event event;
	bool complete;

	lockdep_assert_held(&flow->relay->lock);
	trace_nwg_relay_flow(flow, end);
	if (likely(!heard(net)))
		return;
	complete = event_begin(&event, net, command, flow_size(), GFP_ATOMIC) &&
		   !nwg_nl_put_flow(event.skb, flow) &&
		   (!end || !nla_put_u32(event.skb, NWG_FLOW_A_END, end));
	event_send(&event, complete);
}

/* The interface and the peer, as in the reply of GET_DEVICE */
static bool put_handshake(struct sk_buff *skb, struct nwg_peer *peer)
{
	const struct net_device *dev = peer->device->dev;
	struct nlattr *peers, *nest;

	if (nla_put_u32(skb, NWG_DEVICE_A_IFINDEX, dev->ifindex) ||
	    nwg_nl_put_ifname(skb, NWG_DEVICE_A_IFNAME, dev))
		return false;
	peers = nla_nest_start(skb, NWG_DEVICE_A_PEERS);
	nest = peers ? nla_nest_start(skb, 0) : NULL;
	if (!nest || nla_put(skb, NWG_PEER_A_PUBLIC_KEY, NWG_KEY_LEN, peer->remote.public) ||
	    nwg_nl_put_peer_state(skb, peer))
		return false;
	nla_nest_end(skb, nest);
	nla_nest_end(skb, peers);
	return true;
}

void nwg_event_handshake(struct nwg_peer *peer)
{
	struct net *net = dev_net(peer->device->dev);
	struct event event;

	if (likely(!heard(net)))
		return;
	event_send(&event, event_begin(&event, net, NWG_CMD_PEER_HANDSHAKE_NTF,
				       GENLMSG_DEFAULT_SIZE, GFP_ATOMIC) &&
				   put_handshake(event.skb, peer));
}
