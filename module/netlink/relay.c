// SPDX-License-Identifier: GPL-2.0
/*
 * The operations on relays and flows. Those that change something hold RTNL, which serialises all
 * changes of a namespace's relays, and the update_lock of the interface; each checks all that can
 * be refused before it changes anything. The dumps hold no lock but RCU.
 */
#include <linux/netdevice.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <net/addrconf.h>
#include <net/route.h>

#include "device.h"
#include "netlink.h"
#include "peer.h"
#include "relay/object.h"

#define READ_ONLY                                                                  \
	{                                                                          \
		.type = NLA_REJECT, .reject_message = "the attribute is read only" \
	}

const struct nla_policy nwg_relay_policy[NWG_RELAY_A_MAX + 1] = {
	[NWG_RELAY_A_IFINDEX] = { .type = NLA_U32 },
	[NWG_RELAY_A_IFNAME] = { .type = NLA_NUL_STRING, .len = IFNAMSIZ - 1 },
	[NWG_RELAY_A_LISTEN_PORT] = { .type = NLA_U16 },
	[NWG_RELAY_A_LISTEN_IP4] = { .type = NLA_U32 },
	[NWG_RELAY_A_LISTEN_IP6] = NLA_POLICY_EXACT_LEN(sizeof(struct in6_addr)),
	[NWG_RELAY_A_PEER] = NLA_POLICY_EXACT_LEN(NWG_KEY_LEN),
	[NWG_RELAY_A_TO_IP4] = { .type = NLA_U32 },
	[NWG_RELAY_A_TO_IP6] = NLA_POLICY_EXACT_LEN(sizeof(struct in6_addr)),
	[NWG_RELAY_A_TO_PORT] = { .type = NLA_U16 },
	[NWG_RELAY_A_RESPONDER] = NLA_POLICY_EXACT_LEN(NWG_KEY_LEN),
	[NWG_RELAY_A_MAX_FLOWS] = { .type = NLA_U32 },
	[NWG_RELAY_A_FLOWS_NEW] = READ_ONLY,
	[NWG_RELAY_A_FLOWS_TENTATIVE] = READ_ONLY,
	[NWG_RELAY_A_FLOWS_ESTABLISHED] = READ_ONLY,
	[NWG_RELAY_A_FORWARD] = READ_ONLY,
	[NWG_RELAY_A_REVERSE] = READ_ONLY,
	[NWG_RELAY_A_FORWARD_DROPS] = READ_ONLY,
	[NWG_RELAY_A_REVERSE_DROPS] = READ_ONLY,
	[NWG_RELAY_A_PEER_PRESENT] = READ_ONLY,
	[NWG_RELAY_A_SOURCE] = { .type = NLA_U32 },
	[NWG_RELAY_A_POOL_IP4] = { .type = NLA_U32 },
	[NWG_RELAY_A_POOL_IP6] = NLA_POLICY_EXACT_LEN(sizeof(struct in6_addr)),
	[NWG_RELAY_A_POOL_LEN] = { .type = NLA_U8 },
};

const struct nla_policy nwg_relay_del_policy[NWG_RELAY_A_LISTEN_IP6 + 1] = {
	[NWG_RELAY_A_IFINDEX] = { .type = NLA_U32 },
	[NWG_RELAY_A_IFNAME] = { .type = NLA_NUL_STRING, .len = IFNAMSIZ - 1 },
	[NWG_RELAY_A_LISTEN_PORT] = { .type = NLA_U16 },
	[NWG_RELAY_A_LISTEN_IP4] = { .type = NLA_U32 },
	[NWG_RELAY_A_LISTEN_IP6] = NLA_POLICY_EXACT_LEN(sizeof(struct in6_addr)),
};

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
};

/* Refuse: an attribute is missing. Prints what it is for and which it is. */
#define REFUSE_MISSING(extack, type, msg)                   \
	({                                                  \
		NL_SET_ERR_MSG(extack, msg);                \
		NL_SET_ERR_ATTR_MISS(extack, NULL, (type)); \
		-EINVAL;                                    \
	})

/* Refuse: an attribute is wrong. */
#define REFUSE(extack, attr, err, msg)                  \
	({                                              \
		NL_SET_ERR_MSG_ATTR(extack, attr, msg); \
		(err);                                  \
	})

/*
 * Read where a relay listens from the attributes of either command. Whether there is one is the
 * caller's question.
 */
static int read_listen(struct nlattr **attrs, int port_type, int ip4_type, int ip6_type,
		       struct nwg_relay_listen *listen, struct netlink_ext_ack *extack)
{
	const struct nlattr *port = attrs[port_type], *ip4 = attrs[ip4_type],
			    *ip6 = attrs[ip6_type];
	int types;

	memset(listen, 0, sizeof(*listen));
	if (!port)
		return REFUSE_MISSING(extack, port_type, "no LISTEN_PORT: it names the relay");
	listen->port = htons(nla_get_u16(port));
	if (!listen->port)
		return REFUSE(extack, port, -EINVAL, "LISTEN_PORT must not be 0");
	if (ip4 && ip6)
		return REFUSE(
			extack, ip6, -EINVAL,
			"LISTEN_IP4 and LISTEN_IP6: give one, or none to listen on all addresses");
	if (ip4) {
		if (ipv4_is_zeronet(nla_get_in_addr(ip4)))
			return REFUSE(extack, ip4, -EINVAL,
				      "LISTEN_IP4: leave it out to listen on all addresses");
		ipv6_addr_set_v4mapped(nla_get_in_addr(ip4), &listen->addr);
	} else if (ip6) {
		listen->addr = nla_get_in6_addr(ip6);
		types = ipv6_addr_type(&listen->addr);
		if (types == IPV6_ADDR_ANY)
			return REFUSE(extack, ip6, -EINVAL,
				      "LISTEN_IP6: leave it out to listen on all addresses");
		if (types & (IPV6_ADDR_MULTICAST | IPV6_ADDR_LINKLOCAL | IPV6_ADDR_MAPPED))
			return REFUSE(extack, ip6, -EINVAL,
				      "LISTEN_IP6 must not be multicast, link-local or v4-mapped");
	}
	return 0;
}

static int read_relay_listen(struct genl_info *info, struct nwg_relay_listen *listen)
{
	return read_listen(info->attrs, NWG_RELAY_A_LISTEN_PORT, NWG_RELAY_A_LISTEN_IP4,
			   NWG_RELAY_A_LISTEN_IP6, listen, info->extack);
}

/*
 * The attribute with the address of a relay if there is one, else that with its port: what to point
 * at.
 */
static const struct nlattr *listen_attr(struct genl_info *info)
{
	return info->attrs[NWG_RELAY_A_LISTEN_IP4]	   ?:
		       info->attrs[NWG_RELAY_A_LISTEN_IP6] ?:
							     info->attrs[NWG_RELAY_A_LISTEN_PORT];
}

/* Read the attributes of the inner endpoint that there are. */
static int read_to(struct genl_info *info, struct nwg_relay_config *config)
{
	const struct nlattr *ip4 = info->attrs[NWG_RELAY_A_TO_IP4];
	const struct nlattr *ip6 = info->attrs[NWG_RELAY_A_TO_IP6];
	const struct nlattr *port = info->attrs[NWG_RELAY_A_TO_PORT];
	__be32 addr;
	int types;

	if (ip4 && ip6)
		return REFUSE(info->extack, ip6, -EINVAL, "TO_IP4 and TO_IP6: give one, not both");
	if (ip4) {
		addr = nla_get_in_addr(ip4);
		if (ipv4_is_zeronet(addr) || ipv4_is_loopback(addr) || ipv4_is_multicast(addr) ||
		    ipv4_is_lbcast(addr))
			return REFUSE(
				info->extack, ip4, -EINVAL,
				"TO_IP4 must be a host's address: not 0.0.0.0, loopback, multicast or broadcast");
		ipv6_addr_set_v4mapped(addr, &config->to);
	} else if (ip6) {
		config->to = nla_get_in6_addr(ip6);
		types = ipv6_addr_type(&config->to);
		if (types == IPV6_ADDR_ANY ||
		    types & (IPV6_ADDR_MULTICAST | IPV6_ADDR_LOOPBACK | IPV6_ADDR_MAPPED))
			return REFUSE(
				info->extack, ip6, -EINVAL,
				"TO_IP6 must be a host's address: not ::, loopback, multicast or v4-mapped");
	}
	if (port) {
		config->to_port = htons(nla_get_u16(port));
		if (!config->to_port)
			return REFUSE(info->extack, port, -EINVAL, "TO_PORT must not be 0");
	}
	return 0;
}

/* Read the attributes of a pool, which are needed. */
static int read_pool(struct genl_info *info, struct nwg_relay_config *config)
{
	const struct nlattr *ip4 = info->attrs[NWG_RELAY_A_POOL_IP4];
	const struct nlattr *ip6 = info->attrs[NWG_RELAY_A_POOL_IP6];
	const struct nlattr *len = info->attrs[NWG_RELAY_A_POOL_LEN];
	unsigned int bits = ip4 ? 32 : 128;
	struct in6_addr prefix;

	if (!ip4 == !ip6)
		return REFUSE(info->extack, info->attrs[NWG_RELAY_A_SOURCE], -EINVAL,
			      "a pool needs POOL_IP4 or POOL_IP6, one of them");
	if (!len)
		return REFUSE_MISSING(info->extack, NWG_RELAY_A_POOL_LEN,
				      "no POOL_LEN: a pool is a prefix");
	config->pool_len = nla_get_u8(len);
	if (!config->pool_len || config->pool_len > bits)
		return REFUSE(info->extack, len, -EINVAL,
			      "POOL_LEN must be 1 to 32, of an IPv6 prefix to 128");
	if (ip4)
		ipv6_addr_set_v4mapped(nla_get_in_addr(ip4), &config->pool);
	else
		config->pool = nla_get_in6_addr(ip6);
	if (ip4 ? ipv4_is_loopback(nla_get_in_addr(ip4)) || ipv4_is_zeronet(nla_get_in_addr(ip4)) ||
			    ipv4_is_multicast(nla_get_in_addr(ip4)) :
		  ipv6_addr_type(&config->pool) &
			    (IPV6_ADDR_MULTICAST | IPV6_ADDR_LOOPBACK | IPV6_ADDR_MAPPED))
		return REFUSE(
			info->extack, ip4 ?: ip6, -EINVAL,
			"a pool has hosts' addresses: not 0.0.0.0, loopback, multicast or v4-mapped");
	ipv6_addr_prefix(&prefix, &config->pool, 128 - bits + config->pool_len);
	if (!ipv6_addr_equal(&prefix, &config->pool))
		return REFUSE(info->extack, ip4 ?: ip6, -EINVAL,
			      "the pool has bits set behind its length");
	return 0;
}

static int read_source(struct genl_info *info, struct nwg_relay_config *config)
{
	const struct nlattr *source = info->attrs[NWG_RELAY_A_SOURCE];
	const struct nlattr *pool = info->attrs[NWG_RELAY_A_POOL_IP4]	      ?:
					    info->attrs[NWG_RELAY_A_POOL_IP6] ?:
					    info->attrs[NWG_RELAY_A_POOL_LEN];

	if (source) {
		config->source = nla_get_u32(source);
		if (config->source > NWG_SOURCE_TRANSPARENT)
			return REFUSE(info->extack, source, -EINVAL,
				      "SOURCE must be masquerade (0), pool (1) or transparent (2)");
	}
	if (source && config->source == NWG_SOURCE_POOL)
		return read_pool(info, config);
	if (pool)
		return REFUSE(info->extack, pool, -EINVAL, "a pool needs SOURCE to be pool (1)");
	return 0;
}

/* Read what a request says of a relay's configuration into what it is otherwise. */
static int read_config(struct genl_info *info, struct nwg_relay_config *config)
{
	const struct nlattr *peer = info->attrs[NWG_RELAY_A_PEER];
	const struct nlattr *responder = info->attrs[NWG_RELAY_A_RESPONDER];
	const struct nlattr *max_flows = info->attrs[NWG_RELAY_A_MAX_FLOWS];
	int err;

	err = read_to(info, config);
	if (err)
		return err;
	if (peer)
		nla_memcpy(config->peer, peer, NWG_KEY_LEN);
	if (responder) {
		nla_memcpy(config->responder, responder, NWG_KEY_LEN);
		config->has_responder = memchr_inv(config->responder, 0, NWG_KEY_LEN);
	}
	if (max_flows) {
		config->max_flows = nla_get_u32(max_flows);
		if (!config->max_flows)
			return REFUSE(info->extack, max_flows, -EINVAL, "MAX_FLOWS must not be 0");
	}
	err = read_source(info, config);
	if (err)
		return err;
	if (config->source == NWG_SOURCE_POOL &&
	    ipv6_addr_v4mapped(&config->pool) != ipv6_addr_v4mapped(&config->to))
		return REFUSE(info->extack,
			      info->attrs[NWG_RELAY_A_SOURCE]	      ?:
				      info->attrs[NWG_RELAY_A_TO_IP4] ?:
				      info->attrs[NWG_RELAY_A_TO_IP6],
			      -EINVAL,
			      "the pool and the inner endpoint are of different address families");
	return 0;
}

/* Whether the interface has the peer, and the peer the inner endpoint. */
static int check_peer(struct genl_info *info, struct nwg_device *wg,
		      const struct nwg_relay_config *config)
{
	const struct nlattr *to = info->attrs[NWG_RELAY_A_TO_IP4] ?:
								    info->attrs[NWG_RELAY_A_TO_IP6];
	bool is4 = ipv6_addr_v4mapped(&config->to);
	struct nwg_peer *peer, *owner;

	peer = nwg_peer_lookup(wg, config->peer);
	if (!peer)
		return REFUSE(info->extack, info->attrs[NWG_RELAY_A_PEER], -ENOENT,
			      "the interface has no peer with this key: add it first");
	owner = allowedips_lookup(&wg->allowedips, is4 ? AF_INET : AF_INET6,
				  is4 ? (const void *)&config->to.s6_addr32[3] : &config->to);
	if (owner != peer)
		return REFUSE(
			info->extack, to ?: info->attrs[NWG_RELAY_A_PEER], -EINVAL,
			"the inner endpoint is not in the peer's allowed IPs: add it to them first");
	return 0;
}

static int check_required(struct genl_info *info)
{
	if (!info->attrs[NWG_RELAY_A_PEER])
		return REFUSE_MISSING(info->extack, NWG_RELAY_A_PEER, "no PEER to relay to");
	if (!info->attrs[NWG_RELAY_A_TO_IP4] && !info->attrs[NWG_RELAY_A_TO_IP6])
		return REFUSE_MISSING(info->extack, NWG_RELAY_A_TO_IP4,
				      "no inner endpoint: give TO_IP4 or TO_IP6, and TO_PORT");
	if (!info->attrs[NWG_RELAY_A_TO_PORT])
		return REFUSE_MISSING(info->extack, NWG_RELAY_A_TO_PORT,
				      "no TO_PORT: the inner endpoint has an address and a port");
	return 0;
}

/*
 * Whether another relay of the namespace has the port on an address of @listen. Context: RTNL held.
 */
static bool relay_overlaps(struct net *net, const struct nwg_relay_listen *listen)
{
	const struct nwg_relay *relay;

	list_for_each_entry(relay, &nwg_relay_net(net)->relays, net_node)
		if (relay->listen.port == listen->port &&
		    (ipv6_addr_any(&relay->listen.addr) || ipv6_addr_any(&listen->addr)))
			return true;
	return false;
}

/* Whether a relay can be made there. Context: RTNL held. */
static int check_listen(struct genl_info *info, const struct nwg_relay_listen *listen)
{
	struct net *net = genl_info_net(info);

	if (nwg_relay_find(net, listen))
		return REFUSE(info->extack, listen_attr(info), -EEXIST,
			      "a relay listens there already: change or remove it");
	if (relay_overlaps(net, listen))
		return REFUSE(
			info->extack, listen_attr(info), -EADDRINUSE,
			"another relay has the port on some of these addresses: choose another port");
	if (ipv6_addr_v4mapped(&listen->addr) &&
	    inet_addr_type(net, listen->addr.s6_addr32[3]) != RTN_LOCAL)
		return REFUSE(
			info->extack, listen_attr(info), -EADDRNOTAVAIL,
			"the listening address is none of this network namespace's: ip address add it first");
	return 0;
}

/* Say why a relay could not be made. */
static int explain_create(struct genl_info *info, int err)
{
	switch (err) {
	case -EADDRINUSE:
		return REFUSE(
			info->extack, info->attrs[NWG_RELAY_A_LISTEN_PORT], err,
			"another socket has the UDP port (see ss -ulpn): close it or choose another port");
	case -EADDRNOTAVAIL:
		return REFUSE(
			info->extack, listen_attr(info), err,
			"the listening address is none of this network namespace's, or not ready yet");
	case -EAFNOSUPPORT:
		return REFUSE(info->extack, listen_attr(info), err,
			      "IPv6 is switched off on this machine");
	default:
		return err;
	}
}

static int relay_new(struct genl_info *info, struct nwg_device *wg)
{
	struct nwg_relay_config config = { .max_flows = NWG_RELAY_DEFAULT_MAX_FLOWS };
	struct nwg_relay_listen listen;
	int err;

	err = read_relay_listen(info, &listen);
	if (!err)
		err = check_required(info);
	if (!err)
		err = read_config(info, &config);
	if (!err)
		err = check_listen(info, &listen);
	if (err)
		return err;
	mutex_lock(&wg->update_lock);
	err = check_peer(info, wg, &config);
	if (!err)
		err = explain_create(info, nwg_relay_create(wg, &listen, &config));
	mutex_unlock(&wg->update_lock);
	return err;
}

int nwg_nl_relay_new(struct sk_buff *skb, struct genl_info *info)
{
	struct nwg_device *wg;
	int err;

	rtnl_lock();
	wg = nwg_nl_find_device(genl_info_net(info), info->attrs, NWG_RELAY_A_IFINDEX,
				NWG_RELAY_A_IFNAME, info->extack);
	if (IS_ERR(wg)) {
		err = PTR_ERR(wg);
	} else {
		err = relay_new(info, wg);
		dev_put(wg->dev);
	}
	rtnl_unlock();
	return err;
}

/*
 * The relay that a request names, and that is over the interface if it names one, too. Context:
 * RTNL held.
 */
static struct nwg_relay *find_relay(struct genl_info *info)
{
	const struct nlattr *named = info->attrs[NWG_RELAY_A_IFINDEX] ?:
					     info->attrs[NWG_RELAY_A_IFNAME];
	struct nwg_relay_listen listen;
	struct nwg_device *wg = NULL;
	struct nwg_relay *relay;
	int err;

	err = read_relay_listen(info, &listen);
	if (err)
		return ERR_PTR(err);
	if (named) {
		wg = nwg_nl_find_device(genl_info_net(info), info->attrs, NWG_RELAY_A_IFINDEX,
					NWG_RELAY_A_IFNAME, info->extack);
		if (IS_ERR(wg))
			return ERR_CAST(wg);
		dev_put(wg->dev); /* RTNL keeps it */
	}
	relay = nwg_relay_find(genl_info_net(info), &listen);
	if (!relay)
		return ERR_PTR(REFUSE(info->extack, listen_attr(info), -ENOENT,
				      "no relay listens on exactly this address and port"));
	if (wg && relay->device != wg)
		return ERR_PTR(REFUSE(
			info->extack, named, -EINVAL,
			"the relay is over another interface, and cannot change it: remove and add it"));
	return relay;
}

static int relay_set(struct genl_info *info, struct nwg_relay *relay)
{
	struct nwg_relay_config config = *nwg_relay_config(relay);
	int err;

	err = read_config(info, &config);
	if (err)
		return err;
	if (info->attrs[NWG_RELAY_A_PEER] || info->attrs[NWG_RELAY_A_TO_IP4] ||
	    info->attrs[NWG_RELAY_A_TO_IP6]) {
		err = check_peer(info, relay->device, &config);
		if (err)
			return err;
	}
	return nwg_relay_change(relay, &config);
}

int nwg_nl_relay_set(struct sk_buff *skb, struct genl_info *info)
{
	struct nwg_relay *relay;
	int err;

	rtnl_lock();
	relay = find_relay(info);
	if (IS_ERR(relay)) {
		err = PTR_ERR(relay);
	} else {
		mutex_lock(&relay->device->update_lock);
		err = relay_set(info, relay);
		mutex_unlock(&relay->device->update_lock);
	}
	rtnl_unlock();
	return err;
}

int nwg_nl_relay_del(struct sk_buff *skb, struct genl_info *info)
{
	struct nwg_relay *relay;
	struct nwg_device *wg;

	rtnl_lock();
	relay = find_relay(info);
	if (!IS_ERR(relay)) {
		wg = relay->device;
		mutex_lock(&wg->update_lock);
		nwg_relay_remove(relay);
		mutex_unlock(&wg->update_lock);
	}
	rtnl_unlock();
	return PTR_ERR_OR_ZERO(relay);
}

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

/* @bytes: of all that arrived, or NULL where what was dropped is not known in bytes */
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
	    (bytes && put_counter(skb, NWG_COUNTER_A_BYTES, *bytes)))
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

static int put_relay_listen(struct sk_buff *skb, const struct nwg_relay *relay, int port_type,
			    int ip4_type, int ip6_type)
{
	if (nla_put_u16(skb, port_type, ntohs(relay->listen.port)))
		return -EMSGSIZE;
	if (ipv6_addr_any(&relay->listen.addr))
		return 0;
	return put_addr(skb, ip4_type, ip6_type, &relay->listen.addr);
}

static int put_relay_config(struct sk_buff *skb, const struct nwg_relay *relay)
{
	const struct nwg_relay_params *params = rcu_dereference(relay->params);
	const struct nwg_relay_config *config = &params->config;

	if (nla_put(skb, NWG_RELAY_A_PEER, NWG_KEY_LEN, config->peer) ||
	    put_addr(skb, NWG_RELAY_A_TO_IP4, NWG_RELAY_A_TO_IP6, &config->to) ||
	    nla_put_u16(skb, NWG_RELAY_A_TO_PORT, ntohs(config->to_port)) ||
	    nla_put_u32(skb, NWG_RELAY_A_MAX_FLOWS, config->max_flows) ||
	    nla_put_u32(skb, NWG_RELAY_A_SOURCE, config->source) ||
	    nla_put_u8(skb, NWG_RELAY_A_PEER_PRESENT, !!rcu_access_pointer(params->peer)))
		return -EMSGSIZE;
	if (config->source == NWG_SOURCE_POOL &&
	    (put_addr(skb, NWG_RELAY_A_POOL_IP4, NWG_RELAY_A_POOL_IP6, &config->pool) ||
	     nla_put_u8(skb, NWG_RELAY_A_POOL_LEN, config->pool_len)))
		return -EMSGSIZE;
	if (!config->has_responder)
		return 0;
	return nla_put(skb, NWG_RELAY_A_RESPONDER, NWG_KEY_LEN, config->responder);
}

/* Write one message of a dump. Context: RCU read section. */
static int put_relay(struct sk_buff *skb, struct netlink_callback *cb,
		     const struct nwg_relay *relay)
{
	const struct net_device *dev = relay->device->dev;
	void *header;

	header = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq, &nwg_genl_family,
			     NLM_F_MULTI, NWG_CMD_RELAY_GET);
	if (!header)
		return -EMSGSIZE;
	if (nla_put_u32(skb, NWG_RELAY_A_IFINDEX, dev->ifindex) ||
	    nla_put_string(skb, NWG_RELAY_A_IFNAME, dev->name) ||
	    put_relay_listen(skb, relay, NWG_RELAY_A_LISTEN_PORT, NWG_RELAY_A_LISTEN_IP4,
			     NWG_RELAY_A_LISTEN_IP6) ||
	    put_relay_config(skb, relay) ||
	    nla_put_u32(skb, NWG_RELAY_A_FLOWS_NEW, READ_ONCE(relay->flow_count[NWG_FLOW_NEW])) ||
	    nla_put_u32(skb, NWG_RELAY_A_FLOWS_ESTABLISHED,
			READ_ONCE(relay->flow_count[NWG_FLOW_ESTABLISHED])) ||
	    nla_put_u32(skb, NWG_RELAY_A_FLOWS_TENTATIVE,
			READ_ONCE(relay->flow_count[NWG_FLOW_TENTATIVE])) ||
	    put_relay_counters(skb, relay)) {
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
	struct nwg_device *wg;
	int ifindex;

	if (!attrs[ifindex_type] && !attrs[ifname_type])
		return 0;
	wg = nwg_nl_find_device(sock_net(cb->skb->sk), attrs, ifindex_type, ifname_type,
				cb->extack);
	if (IS_ERR(wg))
		return PTR_ERR(wg);
	ifindex = wg->dev->ifindex;
	dev_put(wg->dev);
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
		    (dump->ifindex && relay->device->dev->ifindex != dump->ifindex))
			continue;
		err = put_relay(skb, cb, relay);
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
			   attrs[NWG_FLOW_A_LISTEN_IP6];
	if (!dump->has_listen)
		return 0;
	return read_listen(attrs, NWG_FLOW_A_LISTEN_PORT, NWG_FLOW_A_LISTEN_IP4,
			   NWG_FLOW_A_LISTEN_IP6, &dump->listen, cb->extack);
}

int nwg_nl_flow_start(struct netlink_callback *cb)
{
	struct nwg_relay_net *rn = nwg_relay_net(sock_net(cb->skb->sk));
	struct flow_dump *dump = kzalloc(sizeof(*dump), GFP_KERNEL);

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
	if (dump->ifindex && relay->device->dev->ifindex != dump->ifindex)
		return false;
	return !dump->has_listen || (dump->listen.port == relay->listen.port &&
				     ipv6_addr_equal(&dump->listen.addr, &relay->listen.addr));
}

static int put_flow_ends(struct sk_buff *skb, const struct nwg_flow *flow)
{
	const struct nwg_relay *relay = flow->relay;
	const struct net_device *dev = relay->device->dev;

	if (nla_put_u32(skb, NWG_FLOW_A_IFINDEX, dev->ifindex) ||
	    nla_put_string(skb, NWG_FLOW_A_IFNAME, dev->name) ||
	    put_relay_listen(skb, relay, NWG_FLOW_A_LISTEN_PORT, NWG_FLOW_A_LISTEN_IP4,
			     NWG_FLOW_A_LISTEN_IP6) ||
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

/* Write one message of a dump. Context: RCU read section. */
static int put_flow(struct sk_buff *skb, struct netlink_callback *cb, const struct nwg_flow *flow)
{
	struct nwg_counter_sums forward, reverse;
	void *header;

	nwg_flow_read_counters(flow, NWG_FORWARD, &forward);
	nwg_flow_read_counters(flow, NWG_REVERSE, &reverse);
	header = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq, &nwg_genl_family,
			     NLM_F_MULTI, NWG_CMD_FLOW_GET);
	if (!header)
		return -EMSGSIZE;
	if (put_flow_ends(skb, flow) ||
	    nla_put_u32(skb, NWG_FLOW_A_STATE, READ_ONCE(flow->state)) ||
	    nla_put_u64_64bit(skb, NWG_FLOW_A_HANDSHAKES, reverse.messages[NWG_MESSAGE_RESPONSE],
			      NWG_FLOW_A_PAD) ||
	    put_flow_times(skb, flow, sum(reverse.messages, ARRAY_SIZE(reverse.messages))) ||
	    put_counters(skb, NWG_FLOW_A_FORWARD, &forward, NULL) ||
	    put_counters(skb, NWG_FLOW_A_REVERSE, &reverse, NULL)) {
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
		err = put_flow(skb, cb, flow);
		if (err)
			break;
	}
	rhashtable_walk_stop(&dump->iter);
	return skb->len ?: err;
}
