// SPDX-License-Identifier: GPL-2.0
/*
 * What relays and flows are told as. The dumps hold no lock but RCU.
 */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netdevice.h>
#include <linux/slab.h>
#include <linux/udp.h>
#include <net/ipv6.h>

#include "device.h"
#include "netlink.h"
#include "relay/object.h"

const struct nla_policy nwg_relay_get_policy[NWG_RELAY_A_IFNAME + 1] = {
	[NWG_RELAY_A_IFINDEX] = { .type = NLA_U32 },
	[NWG_RELAY_A_IFNAME] = { .type = NLA_NUL_STRING, .len = IFNAMSIZ - 1 },
};

const struct nla_policy nwg_flow_policy[NWG_FLOW_A_MAX + 1] = {
	[NWG_FLOW_A_IFINDEX] = { .type = NLA_U32 },
	[NWG_FLOW_A_IFNAME] = { .type = NLA_NUL_STRING, .len = IFNAMSIZ - 1 },
	[NWG_FLOW_A_LISTEN_PORT] = { .type = NLA_U16 },
	[NWG_FLOW_A_LISTEN_IP4] = { .type = NLA_U32 },
	[NWG_FLOW_A_LISTEN_IP6] = NLA_POLICY_EXACT_LEN(sizeof(struct in6_addr)),
	[NWG_FLOW_A_CLIENT_IP4] = READ_ONLY,
	[NWG_FLOW_A_CLIENT_IP6] = READ_ONLY,
	[NWG_FLOW_A_CLIENT_PORT] = READ_ONLY,
	[NWG_FLOW_A_LOCAL_IP4] = READ_ONLY,
	[NWG_FLOW_A_LOCAL_IP6] = READ_ONLY,
	[NWG_FLOW_A_MAPPED_IP4] = READ_ONLY,
	[NWG_FLOW_A_MAPPED_IP6] = READ_ONLY,
	[NWG_FLOW_A_MAPPED_PORT] = READ_ONLY,
	[NWG_FLOW_A_STATE] = READ_ONLY,
	[NWG_FLOW_A_HANDSHAKES] = READ_ONLY,
	[NWG_FLOW_A_AGE] = READ_ONLY,
	[NWG_FLOW_A_FORWARD_IDLE] = READ_ONLY,
	[NWG_FLOW_A_REVERSE_IDLE] = READ_ONLY,
	[NWG_FLOW_A_EXPIRES] = READ_ONLY,
	[NWG_FLOW_A_FORWARD] = READ_ONLY,
	[NWG_FLOW_A_REVERSE] = READ_ONLY,
	[NWG_FLOW_A_MTU] = READ_ONLY,
	[NWG_FLOW_A_END] = READ_ONLY,
	[NWG_FLOW_A_LISTEN_IFINDEX] = { .type = NLA_U32 },
};

/* Of the commands and events of flows. */
static const struct nwg_nl_listen flow_listen = {
	.port = NWG_FLOW_A_LISTEN_PORT,
	.ip4 = NWG_FLOW_A_LISTEN_IP4,
	.ip6 = NWG_FLOW_A_LISTEN_IP6,
	.ifindex = NWG_FLOW_A_LISTEN_IFINDEX,
};

static int put_addr(struct sk_buff *skb, int ip4_type, int ip6_type, const struct in6_addr *addr)
{
	if (ipv6_addr_v4mapped(addr))
		return nla_put_in_addr(skb, ip4_type, addr->s6_addr32[3]);
	return nla_put_in6_addr(skb, ip6_type, addr);
}

static u64 sum(const u64 *values, unsigned int count)
{
	u64 total = 0;

	while (count)
		total += values[--count];
	return total;
}

static int put_counter(struct sk_buff *skb, int type, u64 value)
{
	return nla_put_u64_64bit(skb, type, value, NWG_COUNTER_A_PAD);
}

/* @bytes: of all that arrived, of a relay; NULL of a flow, which does not know that */
static int put_counters(struct sk_buff *skb, int type, const struct nwg_counter_sums *sums,
			const u64 *bytes)
{
	u64 forwarded = sum(sums->messages, ARRAY_SIZE(sums->messages));
	u64 dropped = sum(sums->drops, ARRAY_SIZE(sums->drops));
	const u64 *messages = sums->messages;
	struct nlattr *nest;

	nest = nla_nest_start(skb, type);
	if (!nest)
		return -EMSGSIZE;
	if (put_counter(skb, NWG_COUNTER_A_PACKETS, forwarded + dropped) ||
	    put_counter(skb, NWG_COUNTER_A_FORWARDED_PACKETS, forwarded) ||
	    put_counter(skb, NWG_COUNTER_A_FORWARDED_BYTES, sums->bytes) ||
	    put_counter(skb, NWG_COUNTER_A_INITIATIONS, messages[NWG_MESSAGE_INITIATION]) ||
	    put_counter(skb, NWG_COUNTER_A_RESPONSES, messages[NWG_MESSAGE_RESPONSE]) ||
	    put_counter(skb, NWG_COUNTER_A_COOKIE_REPLIES, messages[NWG_MESSAGE_COOKIE_REPLY]) ||
	    put_counter(skb, NWG_COUNTER_A_TRANSPORTS, messages[NWG_MESSAGE_TRANSPORT]) ||
	    put_counter(skb, NWG_COUNTER_A_LARGEST, sums->largest) ||
	    (bytes && (put_counter(skb, NWG_COUNTER_A_BYTES, *bytes) ||
		       put_counter(skb, NWG_COUNTER_A_FRAGMENTED, sums->fragmented))))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_drops(struct sk_buff *skb, int type, const struct nwg_counter_sums *sums)
{
	struct nlattr *nest;
	unsigned int reason;

	nest = nla_nest_start(skb, type);
	if (!nest)
		return -EMSGSIZE;
	for (reason = 0; reason < ARRAY_SIZE(sums->drops); reason++)
		if (sums->drops[reason] &&
		    nla_put_u64_64bit(skb, reason, sums->drops[reason], NWG_DROP_PAD))
			return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_relay_counters(struct sk_buff *skb, const struct nwg_relay *relay)
{
	struct nwg_counter_sums sums;
	u64 bytes;

	nwg_relay_read_counters(relay, NWG_FORWARD, &sums);
	bytes = sums.bytes + sums.dropped_bytes;
	if (put_counters(skb, NWG_RELAY_A_FORWARD, &sums, &bytes) ||
	    put_drops(skb, NWG_RELAY_A_FORWARD_DROPS, &sums))
		return -EMSGSIZE;
	nwg_relay_read_counters(relay, NWG_REVERSE, &sums);
	bytes = sums.bytes + sums.dropped_bytes;
	if (put_counters(skb, NWG_RELAY_A_REVERSE, &sums, &bytes) ||
	    put_drops(skb, NWG_RELAY_A_REVERSE_DROPS, &sums))
		return -EMSGSIZE;
	return 0;
}

static int put_relay_listen(struct sk_buff *skb, const struct nwg_relay *relay,
			    const struct nwg_nl_listen *types)
{
	const struct nwg_relay_listen *listen = &relay->listen;

	if (nla_put_u16(skb, types->port, ntohs(listen->port)) ||
	    (listen->ifindex && nla_put_u32(skb, types->ifindex, listen->ifindex)))
		return -EMSGSIZE;
	if (ipv6_addr_any(&listen->addr))
		return 0;
	return put_addr(skb, types->ip4, types->ip6, &listen->addr);
}

static int put_relay_config(struct sk_buff *skb, const struct nwg_relay *relay)
{
	const struct nwg_relay_params *params = rcu_dereference(relay->params);
	const struct nwg_relay_config *config = &params->config;

	if (nla_put(skb, NWG_RELAY_A_PEER, NWG_KEY_LEN, config->peer) ||
	    put_addr(skb, NWG_RELAY_A_TO_IP4, NWG_RELAY_A_TO_IP6, &config->to) ||
	    nla_put_u16(skb, NWG_RELAY_A_TO_PORT, ntohs(config->to_port)) ||
	    nla_put_u32(skb, NWG_RELAY_A_MAX_FLOWS, config->max_flows) ||
	    nla_put_u32(skb, NWG_RELAY_A_MAX_FLOWS_PER_SOURCE, config->max_flows_per_source) ||
	    nla_put_u32(skb, NWG_RELAY_A_SOURCE, config->source) ||
	    (relay->device &&
	     nla_put_u8(skb, NWG_RELAY_A_PEER_PRESENT, !!rcu_access_pointer(params->peer))))
		return -EMSGSIZE;
	if (config->source == NWG_SOURCE_POOL &&
	    (put_addr(skb, NWG_RELAY_A_POOL_IP4, NWG_RELAY_A_POOL_IP6, &config->pool) ||
	     nla_put_u8(skb, NWG_RELAY_A_POOL_LEN, config->pool_len)))
		return -EMSGSIZE;
	if (!config->has_responder)
		return 0;
	return nla_put(skb, NWG_RELAY_A_RESPONDER, NWG_KEY_LEN, config->responder);
}

int nwg_nl_put_relay(struct sk_buff *skb, const struct nwg_relay *relay)
{
	const struct net_device *dev = relay->dev;

	if (nla_put_u32(skb, NWG_RELAY_A_IFINDEX, dev->ifindex) ||
	    nwg_nl_put_ifname(skb, NWG_RELAY_A_IFNAME, dev) ||
	    put_relay_listen(skb, relay, &nwg_nl_relay_listen) || put_relay_config(skb, relay) ||
	    nla_put_u32(skb, NWG_RELAY_A_FLOWS_NEW, READ_ONCE(relay->flow_count[NWG_FLOW_NEW])) ||
	    nla_put_u32(skb, NWG_RELAY_A_FLOWS_ESTABLISHED,
			READ_ONCE(relay->flow_count[NWG_FLOW_ESTABLISHED])) ||
	    nla_put_u32(skb, NWG_RELAY_A_FLOWS_TENTATIVE,
			READ_ONCE(relay->flow_count[NWG_FLOW_TENTATIVE])) ||
	    nla_put_u8(skb, NWG_RELAY_A_PRESSED, READ_ONCE(relay->pressed)) ||
	    put_relay_counters(skb, relay))
		return -EMSGSIZE;
	return 0;
}

/* Begin one message of a dump. */
static void *put_header(struct sk_buff *skb, const struct netlink_callback *cb, u8 command)
{
	return genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq, &nwg_genl_family,
			   NLM_F_MULTI, command);
}

/* Write one message of a dump. Context: RCU read section. */
static int dump_relay(struct sk_buff *skb, struct netlink_callback *cb,
		      const struct nwg_relay *relay)
{
	void *header = put_header(skb, cb, NWG_CMD_RELAY_GET);

	if (!header)
		return -EMSGSIZE;
	if (nwg_nl_put_relay(skb, relay)) {
		genlmsg_cancel(skb, header);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, header);
	return 0;
}

/* Index of the interface that a dump is narrowed to, 0 if it is not; or an error. */
static int read_dump_device(struct netlink_callback *cb, int ifindex_type, int ifname_type)
{
	struct nlattr **attrs = genl_info_dump(cb)->attrs;
	struct net_device *dev;
	int ifindex;

	if (!attrs[ifindex_type] && !attrs[ifname_type])
		return 0;
	dev = nwg_nl_find_relay_dev(sock_net(cb->skb->sk), attrs, ifindex_type, ifname_type,
				    cb->extack);
	if (IS_ERR(dev))
		return PTR_ERR(dev);
	ifindex = dev->ifindex;
	dev_put(dev);
	return ifindex;
}

/**
 * struct relay_dump - where a dump of relays goes on
 * @begun: @ifindex is set
 * @ifindex: of the interface that it is narrowed to, 0 for all
 * @last_id: id of the last relay that is dumped; they are in the order of their ids
 */
struct relay_dump {
	bool begun;
	int ifindex;
	u64 last_id;
};

int nwg_nl_relay_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct nwg_relay_net *rn = nwg_relay_net(sock_net(cb->skb->sk));
	struct relay_dump *dump = (struct relay_dump *)cb->ctx;
	const struct nwg_relay *relay;
	int err = 0;

	BUILD_BUG_ON(sizeof(*dump) > sizeof(cb->ctx));
	if (!dump->begun) {
		dump->ifindex = read_dump_device(cb, NWG_RELAY_A_IFINDEX, NWG_RELAY_A_IFNAME);
		if (dump->ifindex < 0)
			return dump->ifindex;
		dump->begun = true;
	}
	rcu_read_lock();
	list_for_each_entry_rcu(relay, &rn->relays, net_node) {
		if (relay->id <= dump->last_id ||
		    (dump->ifindex && relay->dev->ifindex != dump->ifindex))
			continue;
		err = dump_relay(skb, cb, relay);
		if (err)
			break;
		dump->last_id = relay->id;
	}
	rcu_read_unlock();
	return skb->len ?: err;
}

/**
 * struct flow_dump - where a dump of flows goes on
 * @iter: place in the table. If that is resized while the dump goes on, flows may come twice.
 * @begun: the filter is read
 * @ifindex: of the interface that it is narrowed to, 0 for all
 * @has_listen: it is narrowed to one relay
 * @listen: which
 */
struct flow_dump {
	struct rhashtable_iter iter;
	bool begun;
	int ifindex;
	bool has_listen;
	struct nwg_relay_listen listen;
};

static struct flow_dump *flow_dump(struct netlink_callback *cb)
{
	return *(struct flow_dump **)cb->ctx;
}

static int read_flow_filter(struct netlink_callback *cb, struct flow_dump *dump)
{
	struct nlattr **attrs = genl_info_dump(cb)->attrs;

	dump->ifindex = read_dump_device(cb, NWG_FLOW_A_IFINDEX, NWG_FLOW_A_IFNAME);
	if (dump->ifindex < 0)
		return dump->ifindex;
	dump->has_listen = attrs[NWG_FLOW_A_LISTEN_PORT] || attrs[NWG_FLOW_A_LISTEN_IP4] ||
			   attrs[NWG_FLOW_A_LISTEN_IP6] || attrs[NWG_FLOW_A_LISTEN_IFINDEX];
	if (!dump->has_listen)
		return 0;
	return nwg_nl_read_listen(sock_net(cb->skb->sk), attrs, &flow_listen, &dump->listen,
				  cb->extack);
}

int nwg_nl_flow_start(struct netlink_callback *cb)
{
	struct nwg_relay_net *rn = nwg_relay_net(sock_net(cb->skb->sk));
	struct flow_dump *dump = kzalloc(sizeof(*dump), GFP_KERNEL_ACCOUNT);

	if (!dump)
		return -ENOMEM;
	rhashtable_walk_enter(&rn->flows.by_client, &dump->iter);
	*(struct flow_dump **)cb->ctx = dump;
	return 0;
}

int nwg_nl_flow_done(struct netlink_callback *cb)
{
	struct flow_dump *dump = flow_dump(cb);

	rhashtable_walk_exit(&dump->iter);
	kfree(dump);
	return 0;
}

static bool flow_matches(const struct flow_dump *dump, const struct nwg_flow *flow)
{
	const struct nwg_relay *relay = flow->relay;

	if (nwg_flow_left(flow) <= 0)
		return false;
	if (dump->ifindex && relay->dev->ifindex != dump->ifindex)
		return false;
	return !dump->has_listen || nwg_relay_is(relay, &dump->listen);
}

static int put_flow_ends(struct sk_buff *skb, const struct nwg_flow *flow)
{
	const struct nwg_relay *relay = flow->relay;
	const struct net_device *dev = relay->dev;

	if (nla_put_u32(skb, NWG_FLOW_A_IFINDEX, dev->ifindex) ||
	    nwg_nl_put_ifname(skb, NWG_FLOW_A_IFNAME, dev) ||
	    put_relay_listen(skb, relay, &flow_listen) ||
	    put_addr(skb, NWG_FLOW_A_CLIENT_IP4, NWG_FLOW_A_CLIENT_IP6, &flow->key.client) ||
	    nla_put_u16(skb, NWG_FLOW_A_CLIENT_PORT, ntohs(flow->key.client_port)) ||
	    put_addr(skb, NWG_FLOW_A_LOCAL_IP4, NWG_FLOW_A_LOCAL_IP6, &flow->key.local) ||
	    put_addr(skb, NWG_FLOW_A_MAPPED_IP4, NWG_FLOW_A_MAPPED_IP6, &flow->mapping.addr) ||
	    nla_put_u16(skb, NWG_FLOW_A_MAPPED_PORT, ntohs(flow->mapping.port)))
		return -EMSGSIZE;
	return 0;
}

/* Put a span of jiffies in milliseconds; one that has become negative meanwhile is 0. */
static int put_span(struct sk_buff *skb, int type, long span)
{
	return nla_put_u64_64bit(skb, type, span > 0 ? jiffies64_to_msecs(span) : 0,
				 NWG_FLOW_A_PAD);
}

static int put_flow_times(struct sk_buff *skb, const struct nwg_flow *flow, bool answered)
{
	const nwg_moment now = nwg_moment_now();

	if (nla_put_u64_64bit(skb, NWG_FLOW_A_AGE,
			      (ktime_get_boottime_seconds() - flow->created) * MSEC_PER_SEC,
			      NWG_FLOW_A_PAD) ||
	    put_span(skb, NWG_FLOW_A_FORWARD_IDLE,
		     nwg_moment_between(READ_ONCE(flow->last_forward), now)) ||
	    put_span(skb, NWG_FLOW_A_EXPIRES, nwg_flow_left(flow)))
		return -EMSGSIZE;
	if (!answered)
		return 0;
	return put_span(skb, NWG_FLOW_A_REVERSE_IDLE,
			nwg_moment_between(READ_ONCE(flow->last_reverse), now));
}

/* What the ends should do about datagrams that the relay's tunnel does not take whole. */
static int put_flow_mtu(struct sk_buff *skb, const struct nwg_flow *flow, u64 largest)
{
	const unsigned int whole = nwg_flow_whole(flow);

	if (whole <= NWG_TRANSPORT_MIN_LEN || largest <= whole)
		return 0;
	return nla_put_u32(skb, NWG_FLOW_A_MTU, whole - NWG_TRANSPORT_MIN_LEN);
}

int nwg_nl_put_flow(struct sk_buff *skb, const struct nwg_flow *flow)
{
	struct nwg_counter_sums forward, reverse;

	nwg_flow_read_counters(flow, NWG_FORWARD, &forward);
	nwg_flow_read_counters(flow, NWG_REVERSE, &reverse);
	if (put_flow_ends(skb, flow) ||
	    nla_put_u32(skb, NWG_FLOW_A_STATE, READ_ONCE(flow->state)) ||
	    nla_put_u64_64bit(skb, NWG_FLOW_A_HANDSHAKES, reverse.messages[NWG_MESSAGE_RESPONSE],
			      NWG_FLOW_A_PAD) ||
	    put_flow_times(skb, flow, sum(reverse.messages, ARRAY_SIZE(reverse.messages))) ||
	    put_counters(skb, NWG_FLOW_A_FORWARD, &forward, NULL) ||
	    put_counters(skb, NWG_FLOW_A_REVERSE, &reverse, NULL) ||
	    put_flow_mtu(skb, flow, max(forward.largest, reverse.largest)))
		return -EMSGSIZE;
	return 0;
}

/* Write one message of a dump. Context: RCU read section. */
static int dump_flow(struct sk_buff *skb, struct netlink_callback *cb, const struct nwg_flow *flow)
{
	void *header = put_header(skb, cb, NWG_CMD_FLOW_GET);

	if (!header)
		return -EMSGSIZE;
	if (nwg_nl_put_flow(skb, flow)) {
		genlmsg_cancel(skb, header);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, header);
	return 0;
}

/* The filter is read here, not in the start: there, 6.1 passes no extended ack on. */
int nwg_nl_flow_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct flow_dump *dump = flow_dump(cb);
	const struct nwg_flow *flow;
	int err = 0;

	if (!dump->begun) {
		err = read_flow_filter(cb, dump);
		if (err)
			return err;
		dump->begun = true;
	}
	rhashtable_walk_start(&dump->iter);
	for (flow = rhashtable_walk_peek(&dump->iter); flow;
	     flow = rhashtable_walk_next(&dump->iter)) {
		/* The table is being resized: the walk begins again. */
		if (IS_ERR(flow))
			continue;
		if (!flow_matches(dump, flow))
			continue;
		err = dump_flow(skb, cb, flow);
		if (err)
			break;
	}
	rhashtable_walk_stop(&dump->iter);
	return skb->len ?: err;
}
