// SPDX-License-Identifier: GPL-2.0
/*
 * The commands that change relays. They hold RTNL, which serialises all changes of a namespace's
 * relays, and the update_lock of the interface; each checks all that can be refused before it changes
 * anything.
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
	[NWG_RELAY_A_PRESSED] = READ_ONLY,
	[NWG_RELAY_A_MAX_FLOWS_PER_SOURCE] = { .type = NLA_U32 },
	[NWG_RELAY_A_LISTEN_IFINDEX] = { .type = NLA_U32 },
};

const struct nla_policy nwg_relay_del_policy[NWG_RELAY_A_LISTEN_IFINDEX + 1] = {
	[NWG_RELAY_A_IFINDEX] = { .type = NLA_U32 },
	[NWG_RELAY_A_IFNAME] = { .type = NLA_NUL_STRING, .len = IFNAMSIZ - 1 },
	[NWG_RELAY_A_LISTEN_PORT] = { .type = NLA_U16 },
	[NWG_RELAY_A_LISTEN_IP4] = { .type = NLA_U32 },
	[NWG_RELAY_A_LISTEN_IP6] = NLA_POLICY_EXACT_LEN(sizeof(struct in6_addr)),
	[NWG_RELAY_A_LISTEN_IFINDEX] = { .type = NLA_U32 },
};

const struct nwg_nl_listen nwg_nl_relay_listen = {
	.port = NWG_RELAY_A_LISTEN_PORT,
	.ip4 = NWG_RELAY_A_LISTEN_IP4,
	.ip6 = NWG_RELAY_A_LISTEN_IP6,
	.ifindex = NWG_RELAY_A_LISTEN_IFINDEX,
};

/* Read the ingress interface, of whatever kind. */
static int read_ingress(struct net *net, const struct nlattr *ifindex,
			struct nwg_relay_listen *listen, struct netlink_ext_ack *extack)
{
	bool there;

	listen->ifindex = ifindex ? nla_get_u32(ifindex) : 0;
	if (!listen->ifindex)
		return 0;
	rcu_read_lock();
	there = dev_get_by_index_rcu(net, listen->ifindex);
	rcu_read_unlock();
	if (there)
		return 0;
	return REFUSE(
		extack, ifindex, -ENODEV,
		"LISTEN_IFINDEX: no such interface in this network namespace: see ip link, or leave it out to listen on all");
}

int nwg_nl_read_listen(struct net *net, struct nlattr **attrs, const struct nwg_nl_listen *types,
		       struct nwg_relay_listen *listen, struct netlink_ext_ack *extack)
{
	const struct nlattr *port = attrs[types->port], *ip4 = attrs[types->ip4],
			    *ip6 = attrs[types->ip6];
	int kind;

	memset(listen, 0, sizeof(*listen));
	if (!port)
		return REFUSE_MISSING(extack, types->port, "no LISTEN_PORT: it names the relay");
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
		kind = ipv6_addr_type(&listen->addr);
		if (kind == IPV6_ADDR_ANY)
			return REFUSE(extack, ip6, -EINVAL,
				      "LISTEN_IP6: leave it out to listen on all addresses");
		if (kind & (IPV6_ADDR_MULTICAST | IPV6_ADDR_LINKLOCAL | IPV6_ADDR_MAPPED))
			return REFUSE(extack, ip6, -EINVAL,
				      "LISTEN_IP6 must not be multicast, link-local or v4-mapped");
	}
	return read_ingress(net, attrs[types->ifindex], listen, extack);
}

static int read_relay_listen(struct genl_info *info, struct nwg_relay_listen *listen)
{
	return nwg_nl_read_listen(genl_info_net(info), info->attrs, &nwg_nl_relay_listen, listen,
				  info->extack);
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
	const struct nlattr *per_source = info->attrs[NWG_RELAY_A_MAX_FLOWS_PER_SOURCE];
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
	if (per_source) {
		config->max_flows_per_source = nla_get_u32(per_source);
		if (!config->max_flows_per_source)
			return REFUSE(
				info->extack, per_source, -EINVAL,
				"MAX_FLOWS_PER_SOURCE must not be 0: for no limit give it the value of MAX_FLOWS");
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

/* Whether the interface, if it is ours, has the peer, and the peer the inner endpoint. */
static int check_peer(struct genl_info *info, struct nwg_device *wg,
		      const struct nwg_relay_config *config)
{
	const struct nlattr *to = info->attrs[NWG_RELAY_A_TO_IP4] ?:
								    info->attrs[NWG_RELAY_A_TO_IP6];
	bool is4 = ipv6_addr_v4mapped(&config->to);
	struct nwg_peer *peer, *owner;

	/* Who asks for a relay over a stock interface looks there itself. */
	if (!wg)
		return 0;
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

/* Whether two relays would listen to the same; where sockets could not both be bound, neither can they. */
static bool overlap(const struct nwg_relay_listen *a, const struct nwg_relay_listen *b)
{
	return a->port == b->port && (!a->ifindex || !b->ifindex || a->ifindex == b->ifindex) &&
	       (ipv6_addr_any(&a->addr) || ipv6_addr_any(&b->addr) ||
		ipv6_addr_equal(&a->addr, &b->addr));
}

/* Whether another relay of the namespace listens to some of @listen. Context: RTNL held. */
static bool relay_overlaps(struct net *net, const struct nwg_relay_listen *listen)
{
	const struct nwg_relay *relay;

	list_for_each_entry(relay, &nwg_relay_net(net)->relays, net_node)
		if (overlap(&relay->listen, listen))
			return true;
	return false;
}

/*
 * Whether an IPv4 address is the namespace's own, or where the ingress interface is in a VRF, of that.
 * Context: RTNL held.
 */
static bool is_own(struct net *net, const struct nwg_relay_listen *listen)
{
	const struct net_device *dev = listen->ifindex ? __dev_get_by_index(net, listen->ifindex) :
							 NULL;

	return inet_addr_type_dev_table(net, dev, listen->addr.s6_addr32[3]) == RTN_LOCAL;
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
			"another relay has the port on some of these addresses and interfaces: choose another port");
	if (ipv6_addr_v4mapped(&listen->addr) && !is_own(net, listen))
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
	case -EACCES:
		return REFUSE(
			info->extack, info->attrs[NWG_RELAY_A_LISTEN_PORT], err,
			"the UDP port is a privileged one: it takes CAP_NET_BIND_SERVICE, too");
	case -EPERM:
		return REFUSE(info->extack, info->attrs[NWG_RELAY_A_LISTEN_PORT], err,
			      "a security policy of this machine refuses the UDP port");
	case -EAFNOSUPPORT:
		return REFUSE(info->extack, listen_attr(info), err,
			      "IPv6 is switched off on this machine");
	default:
		return err;
	}
}

static int relay_new(struct genl_info *info, struct net_device *dev)
{
	struct nwg_device *wg = nwg_device_from_netdev(dev);
	struct nwg_relay_config config = {
		.max_flows = NWG_RELAY_DEFAULT_MAX_FLOWS,
		.max_flows_per_source = NWG_RELAY_DEFAULT_MAX_FLOWS_PER_SOURCE,
	};
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
	nwg_relays_lock(wg);
	err = check_peer(info, wg, &config);
	if (!err)
		err = explain_create(info, nwg_relay_create(dev, &listen, &config));
	nwg_relays_unlock(wg);
	return err;
}

int nwg_nl_relay_new(struct sk_buff *skb, struct genl_info *info)
{
	struct net_device *dev;
	int err;

	rtnl_lock();
	dev = nwg_nl_find_relay_dev(genl_info_net(info), info->attrs, NWG_RELAY_A_IFINDEX,
				    NWG_RELAY_A_IFNAME, info->extack);
	if (IS_ERR(dev)) {
		err = PTR_ERR(dev);
	} else {
		err = relay_new(info, dev);
		dev_put(dev);
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
	struct net_device *dev = NULL;
	struct nwg_relay *relay;
	int err;

	err = read_relay_listen(info, &listen);
	if (err)
		return ERR_PTR(err);
	if (named) {
		dev = nwg_nl_find_relay_dev(genl_info_net(info), info->attrs, NWG_RELAY_A_IFINDEX,
					    NWG_RELAY_A_IFNAME, info->extack);
		if (IS_ERR(dev))
			return ERR_CAST(dev);
		dev_put(dev); /* RTNL keeps it */
	}
	relay = nwg_relay_find(genl_info_net(info), &listen);
	if (!relay)
		return ERR_PTR(
			REFUSE(info->extack, listen_attr(info), -ENOENT,
			       "no relay listens on exactly this address, port and interface"));
	if (dev && relay->dev != dev)
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
		nwg_relays_lock(relay->device);
		err = relay_set(info, relay);
		nwg_relays_unlock(relay->device);
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
		nwg_relays_lock(wg);
		nwg_relay_remove(relay);
		nwg_relays_unlock(wg);
	}
	rtnl_unlock();
	return PTR_ERR_OR_ZERO(relay);
}
