// SPDX-License-Identifier: GPL-2.0
/*
 * The path of a datagram through a relay.
 *
 * Forward:  key of the client -> flow (or relay) -> message, gate -> admission -> rewrite -> peer
 * Reverse:  mapping -> flow -> message -> admission -> route -> rewrite -> batch -> output
 *
 * The relay is an end of what it sends: it gives each datagram its own addresses on both sides, and
 * may fragment. What the ends said about priority and congestion (DS field, RFC 6040) passes
 * unchanged, TTL and hop limit are counted down. Either side may be IPv4 or IPv6.
 */
#include "forward.h"

#include <linux/inetdevice.h>
#include <linux/jhash.h>
#include <linux/once.h>
#include <net/addrconf.h>
#include <net/dst.h>
#include <net/gso.h>
#include <net/ip.h>
#include <net/ip6_route.h>
#include <net/l3mdev.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/route.h>

#include "admit.h"
#include "batch.h"
#include "cookie.h"
#include "datagram.h"
#include "device.h"
#include "fragment.h"
#include "mapping.h"
#include "object.h"
#include "peer.h"
#include "relay.h"
#include "stock.h"
#include "transport/scrub.h"
#include "transport/send.h"

/* Forget what the packet was to the part of the stack that it comes from. */
static void detach(struct sk_buff *skb)
{
	skb_orphan(skb);
	nwg_scrub(skb);
}

/* What goes out to a client: IP's output finds nothing of ours, and connection tracking leaves it alone. */
static void untrack(struct sk_buff *skb)
{
	if (nwg_is_ipv4(skb))
		memset(IPCB(skb), 0, sizeof(*IPCB(skb)));
	else
		memset(IP6CB(skb), 0, sizeof(*IP6CB(skb)));
#if IS_ENABLED(CONFIG_NF_CONNTRACK)
	nf_ct_set(skb, NULL, IP_CT_UNTRACKED);
#endif
}

/*
 * Give a handshake message the mac2 that the home wants of its sender, in place of the one that the
 * relay wants. Return: false if out of memory.
 */
static bool exchange_mac2(struct nwg_flow *flow, struct sk_buff *skb,
			  const struct nwg_datagram *datagram)
{
	const unsigned int end = nwg_message_offset(skb) + datagram->len;
	u8 mac2[NWG_MAC_LEN];

	nwg_flow_mac2(flow, datagram, mac2);
	return nwg_datagram_exchange(skb, end - sizeof(mac2), mac2, sizeof(mac2));
}

/*
 * Keep the cookie that the home gives a client, and give it the relay's in its place. Return: why that
 * cannot be, or 0.
 */
static enum nwg_relay_drop exchange_cookie(struct nwg_flow *flow,
					   const struct nwg_relay_params *params,
					   struct sk_buff *skb, const struct nwg_datagram *datagram)
{
	const unsigned int offset = nwg_message_offset(skb);
	struct nwg_message_cookie_reply reply;

	if (!nwg_flow_cookie_exchange(flow, params, datagram->message, &reply))
		return NWG_DROP_COOKIE;
	return nwg_datagram_exchange(skb, offset, &reply, sizeof(reply)) ? 0 : NWG_DROP_NO_MEMORY;
}

/* A hash of a flow's client, for queues. It is no secret, so it is not that of the tables. */
static u32 inner_hash(const struct nwg_flow_key *key)
{
	static u32 seed __read_mostly;

	get_random_once(&seed, sizeof(seed));
	return jhash2((const u32 *)&key->client, sizeof(key->client) / sizeof(u32),
		      seed ^ (__force u32)key->client_port);
}

/*
 * Send an admitted message to the home. @peer: NULL if the interface is the stock module's. @fragmented:
 * written if it is larger than the tunnel takes whole. Always consumes it.
 */
static enum nwg_relay_drop send_to_home(const struct nwg_relay_params *params,
					struct nwg_peer *peer, struct nwg_flow *flow,
					struct sk_buff *skb, const struct nwg_datagram *datagram,
					bool *fragmented)
{
	const bool has_mac2 = datagram->type == NWG_MESSAGE_INITIATION ||
			      datagram->type == NWG_MESSAGE_RESPONSE;
	const struct nwg_ends ends = {
		.source = flow->mapping.addr,
		.source_port = flow->mapping.port,
		.destination = params->config.to,
		.destination_port = params->config.to_port,
	};
	struct net_device *dev = flow->relay->dev;
	unsigned int mtu = READ_ONCE(dev->mtu);
	enum nwg_relay_drop reason;

	if (unlikely(has_mac2 && params->config.has_responder &&
		     !exchange_mac2(flow, skb, datagram)))
		reason = NWG_DROP_NO_MEMORY;
	else
		reason = nwg_datagram_rewrite(dev_net(dev), skb, &ends);
	if (unlikely(reason)) {
		kfree_skb(skb);
		return reason;
	}
	detach(skb);
	/* For queues below, which tell flows apart by it: cheaper than to look for it in the packet. */
	if (!skb->l4_hash && !skb->sw_hash)
		__skb_set_sw_hash(skb, inner_hash(&flow->key), true);
	skb->dev = dev;
	if (unlikely(skb->len > mtu)) {
		*fragmented = true;
		return nwg_send_fragments(peer, skb);
	}
	if (likely(peer)) {
		nwg_peer_send(peer, skb, mtu);
		return 0;
	}
	return nwg_stock_send(skb) ? NWG_DROP_NO_PEER : 0;
}

/* Look up the route to a client over IPv6. Return: as lookup_route(). */
static struct dst_entry *lookup_route6(struct net *net, struct flowi6 *ipv6)
{
	struct dst_entry *dst;
	int err;

	if (!ipv6->flowi6_oif)
		return ip6_dst_lookup_flow(net, NULL, ipv6, NULL);
	/* Without a socket that is bound to it, the interface would be preferred only. */
	dst = ip6_route_output_flags(net, NULL, ipv6, RT6_LOOKUP_F_IFACE);
	err = dst->error;
	if (err) {
		dst_release(dst);
		return ERR_PTR(err);
	}
	return xfrm_lookup_route(net, dst, flowi6_to_flowi(ipv6), NULL, 0);
}

/* Look up the route to a client. Return: with a reference, or an ERR_PTR. */
static struct dst_entry *lookup_route(struct net *net, const struct nwg_flow_key *key)
{
	struct flowi6 ipv6 = {};
	struct flowi4 ipv4 = {};
	struct rtable *rt;

	if (!ipv6_addr_v4mapped(&key->client)) {
		ipv6.daddr = key->client;
		ipv6.saddr = key->local;
		ipv6.flowi6_oif = key->scope;
		ipv6.flowi6_proto = IPPROTO_UDP;
		ipv6.fl6_dport = key->client_port;
		ipv6.fl6_sport = key->local_port;
		return lookup_route6(net, &ipv6);
	}
	ipv4.daddr = key->client.s6_addr32[3];
	ipv4.saddr = key->local.s6_addr32[3];
	ipv4.flowi4_oif = key->scope;
	ipv4.flowi4_proto = IPPROTO_UDP;
	ipv4.fl4_dport = key->client_port;
	ipv4.fl4_sport = key->local_port;
	rt = ip_route_output_flow(net, &ipv4, NULL);
	if (IS_ERR(rt))
		return ERR_CAST(rt);
	/* Nobody's address, though the stack may let it pass as a source. */
	if (rt->rt_flags & (RTCF_BROADCAST | RTCF_MULTICAST)) {
		ip_rt_put(rt);
		return ERR_PTR(-EACCES);
	}
	return &rt->dst;
}

static struct nwg_ends ends_to_client(const struct nwg_flow_key *key)
{
	return (struct nwg_ends){
		.source = key->local,
		.source_port = key->local_port,
		.destination = key->client,
		.destination_port = key->client_port,
	};
}

/*
 * Make a client's initiation the cookie reply to it, and send that: it is smaller, so that nobody
 * gains from asking for it in another's name. Always consumes it.
 */
static enum nwg_relay_drop answer_with_cookie(struct nwg_relay *relay,
					      const struct nwg_relay_params *params,
					      const struct nwg_flow_key *key, struct sk_buff *skb,
					      const struct nwg_datagram *datagram)
{
	const unsigned int offset = nwg_message_offset(skb);
	struct net *net = dev_net(relay->dev);
	const struct nwg_ends ends = ends_to_client(key);
	struct nwg_message_cookie_reply reply;
	struct dst_entry *dst;

	nwg_relay_cookie_reply(relay, params, key, datagram, &reply);
	if (skb_ensure_writable(skb, offset + sizeof(reply)) ||
	    pskb_trim(skb, offset + sizeof(reply))) {
		kfree_skb(skb);
		return NWG_DROP_NO_MEMORY;
	}
	dst = lookup_route(net, key);
	if (IS_ERR(dst)) {
		kfree_skb(skb);
		return NWG_DROP_NO_ROUTE;
	}
	detach(skb);
	memcpy(skb->data + offset, &reply, sizeof(reply));
	nwg_datagram_write(net, skb, &ends);
	skb_dst_set(skb, dst);
	untrack(skb);
	dst_output(net, NULL, skb);
	return NWG_DROP_COOKIE;
}

/* What a message from a client must meet apart from its contents. */
static enum nwg_relay_drop check_path(const struct nwg_relay *relay,
				      const struct nwg_relay_params *params,
				      const struct nwg_peer *peer, const struct sk_buff *skb)
{
	if (unlikely((!peer && relay->device) || !netif_running(relay->dev)))
		return NWG_DROP_NO_PEER;
	if (unlikely(nwg_ttl_used_up(skb)))
		return NWG_DROP_TTL;
	return 0;
}

/* Read a datagram. Return: why it is to be dropped, whoever has sent it, or 0. */
static enum nwg_relay_drop look_at(const struct nwg_relay *relay, struct sk_buff *skb,
				   struct nwg_datagram *datagram)
{
	enum nwg_relay_drop reason = nwg_datagram_read(skb, datagram);

	return reason ?: nwg_relay_gate(rcu_dereference(relay->params), datagram);
}

/*
 * Take one datagram of a relay's that was looked at, with @reason for the outcome, and count it. Always
 * consumes it.
 */
static void forward(struct nwg_relay *relay, struct nwg_flow *flow, const struct nwg_flow_key *key,
		    struct sk_buff *skb, const struct nwg_datagram *datagram,
		    enum nwg_relay_drop reason)
{
	const struct nwg_relay_params *params = rcu_dereference(relay->params);
	struct nwg_peer *peer = rcu_dereference(params->peer);
	bool fragmented = false;

	if (likely(!reason))
		reason = check_path(relay, params, peer, skb);
	if (likely(!reason))
		reason = nwg_relay_admit_client(relay, params, skb, datagram, key, &flow);
	if (likely(!reason)) {
		WRITE_ONCE(flow->last_forward, nwg_moment_now());
		reason = send_to_home(params, peer, flow, skb, datagram, &fragmented);
	} else if (reason == NWG_DROP_COOKIE) {
		reason = answer_with_cookie(relay, params, key, skb, datagram);
	} else {
		kfree_skb(skb);
	}

	if (likely(!reason)) {
		nwg_relay_count(relay, NWG_FORWARD, datagram->type, datagram->len);
		nwg_flow_count(flow, NWG_FORWARD, datagram->type, datagram->len);
		if (unlikely(fragmented))
			nwg_relay_count_fragmented(relay, NWG_FORWARD);
	} else {
		nwg_relay_count_drop(relay, NWG_FORWARD, reason, key, datagram->len);
		if (flow)
			nwg_flow_count_drop(flow, NWG_FORWARD);
	}
}

/* The flow of a client, NULL if it has none that can be used. */
static struct nwg_flow *find_client(struct nwg_relay_net *rn, const struct nwg_flow_key *key)
{
	struct nwg_flow *flow = nwg_flow_find(&rn->flows, key);

	return flow && likely(nwg_flow_usable(flow)) ? flow : NULL;
}

/* Count each datagram of a batch that cannot be taken apart. */
static void count_batch_drop(struct nwg_relay *relay, enum nwg_direction direction,
			     const struct nwg_flow_key *key, const struct sk_buff *batch)
{
	unsigned int left = batch->len - nwg_message_offset(batch), size;

	do {
		size = min_t(unsigned int, left, skb_shinfo(batch)->gso_size ?: left);
		nwg_relay_count_drop(relay, direction, NWG_DROP_MALFORMED, key, size);
		left -= size;
	} while (left);
}

/* Take a batch of datagrams from one client, which ingress has put together. Always consumes it. */
static void forward_batch(struct nwg_relay *relay, const struct nwg_flow_key *key,
			  struct sk_buff *batch)
{
	struct sk_buff *list, *skb, *next;
	struct nwg_datagram datagram;
	enum nwg_relay_drop reason;
	struct nwg_flow *flow;

	list = skb_gso_segment(batch, 0);
	if (IS_ERR_OR_NULL(list)) {
		count_batch_drop(relay, NWG_FORWARD, key, batch);
		kfree_skb(batch);
		return;
	}
	consume_skb(batch);
	skb_list_walk_safe(list, skb, next) {
		skb_mark_not_on_list(skb);
		flow = find_client(relay->net, key);
		reason = look_at(relay, skb, &datagram);
		forward(relay, flow && flow->relay == relay ? flow : NULL, key, skb, &datagram,
			reason);
	}
}

/* Whether a packet was sent by this machine, within a VRF, too. */
static bool sent_here(const struct sk_buff *skb)
{
	const struct net_device *dev = skb->dev;

	return dev->flags & IFF_LOOPBACK ||
	       (netif_is_l3_master(dev) && skb->skb_iif == dev->ifindex);
}

/*
 * Whether a packet is for this machine, and not one that the stack would refuse for its source.
 * Asked for packets without a flow only.
 */
static bool is_local(struct net *net, struct sk_buff *skb)
{
	const struct iphdr *header;
	bool local;

	/*
	 * Where the interface is in a VRF, of those that are; a global one may be another interface's. The stack
	 * refuses for IPv4 alone what others send by an address of this machine's.
	 */
	if (!nwg_is_ipv4(skb))
		return ipv6_chk_addr(net, &ipv6_hdr(skb)->daddr, skb->dev, 0) &&
		       (sent_here(skb) || !ipv6_chk_addr(net, &ipv6_hdr(skb)->saddr, skb->dev, 0));
	header = ip_hdr(skb);
	/* It has come from this machine, or past the routing already. */
	if (skb_dst(skb))
		return inet_addr_type_dev_table(net, skb->dev, header->daddr) == RTN_LOCAL;
	local = !ip_route_input_noref(skb, header->daddr, header->saddr, header->tos, skb->dev) &&
		skb_rtable(skb)->rt_type == RTN_LOCAL;
	skb_dst_drop(skb);
	return local;
}

/*
 * Whether a packet that will be dropped if it is for this machine is so. Without a look at the route, and at
 * the source, where the address of an interface says as much.
 */
static bool is_local_anyway(struct net *net, struct sk_buff *skb)
{
	const struct net_device *dev;

	if (nwg_is_ipv4(skb) && !l3mdev_master_ifindex_rcu(skb->dev)) {
		dev = __ip_dev_find(net, ip_hdr(skb)->daddr, false);
		if (likely(dev && !l3mdev_master_ifindex_rcu(dev)))
			return true;
	}
	return is_local(net, skb);
}

/* The interface that a link-local address of an IPv6 packet is on; 0 if it has none. */
static u32 scope_of(const struct sk_buff *skb)
{
	const struct ipv6hdr *header = ipv6_hdr(skb);
	int types = ipv6_addr_type(&header->saddr) | ipv6_addr_type(&header->daddr);

	return types & IPV6_ADDR_LINKLOCAL ? skb->dev->ifindex : 0;
}

/*
 * The relay that a client's packet is for; completes the key of its flow. That has the ingress interface if the
 * relay has one, and otherwise the VRF, so that no packet that comes in on another finds it.
 */
static struct nwg_relay *find_relay(struct net *net, const struct sk_buff *skb,
				    struct nwg_flow_key *key)
{
	const int vrf = l3mdev_master_ifindex_rcu(skb->dev);
	/* What has passed through a VRF is on that by now. */
	const int slave = nwg_is_ipv4(skb) ? inet_sdif(skb) : inet6_sdif(skb);
	struct nwg_relay *relay;

	relay = nwg_relay_match(net, &key->local, key->local_port, slave ?: skb->dev->ifindex, vrf);
	if (unlikely(!relay))
		return NULL;
	key->scope = nwg_is_ipv4(skb) ? 0 : scope_of(skb);
	if (!key->scope)
		key->scope = relay->listen.ifindex ?: vrf;
	return relay;
}

bool nwg_relay_forward(struct net *net, struct sk_buff *skb)
{
	unsigned int offset = nwg_ip_header_len(skb);
	struct nwg_datagram datagram;
	enum nwg_relay_drop reason;
	struct nwg_flow_key key;
	struct nwg_relay *relay;
	struct nwg_flow *flow;
	struct nwg_ends ends;
	bool batch;

	if (!nwg_ip_header_plain(skb))
		offset = skb_transport_offset(skb);
	if (!nwg_datagram_ends(skb, offset, &ends))
		return false;
	/* Here v4-mapped addresses stand for IPv4; in a packet they are nobody's (RFC 4291, 2.5). */
	if (!nwg_is_ipv4(skb) &&
	    unlikely(ipv6_addr_v4mapped(&ends.source) || ipv6_addr_any(&ends.source)))
		return false;
	key.client = ends.source;
	key.client_port = ends.source_port;
	key.local = ends.destination;
	key.local_port = ends.destination_port;

	relay = find_relay(net, skb, &key);
	if (!relay)
		return false;
	flow = find_client(relay->net, &key);
	/* Which may be that of another by now. */
	if (likely(flow))
		relay = flow->relay;
	batch = skb_is_gso(skb) && skb_shinfo(skb)->gso_type & SKB_GSO_UDP_L4;
	reason = batch ? 0 : look_at(relay, skb, &datagram);
	if (unlikely(!flow) && !(reason ? is_local_anyway(net, skb) : is_local(net, skb)))
		return false;

	local_bh_disable();
	if (unlikely(batch)) {
		forward_batch(relay, &key, skb);
	} else {
		/* What somebody else would have fragmented (SKB_GSO_UDP) is one datagram still. */
		if (unlikely(skb_is_gso(skb)) && !skb_unclone(skb, GFP_ATOMIC)) {
			skb_gso_reset(skb);
			datagram.message = skb->data + nwg_message_offset(skb);
		}
		forward(relay, flow, &key, skb, &datagram, reason);
	}
	local_bh_enable();
	return true;
}

/*
 * The route to a flow's client, as cached or looked up. Return: valid in the RCU read section; NULL
 * if there is none.
 */
static struct dst_entry *route_of(struct net *net, struct nwg_flow *flow)
{
	struct dst_entry *dst = rcu_dereference(flow->route), *old;

	if (likely(dst && dst_check(dst, READ_ONCE(flow->route_cookie))))
		return dst;
	dst = lookup_route(net, &flow->key);
	if (IS_ERR(dst))
		return NULL;
	if (!ipv6_addr_v4mapped(&flow->key.client))
		WRITE_ONCE(flow->route_cookie, rt6_get_cookie((struct rt6_info *)dst));
	old = unrcu_pointer(xchg(&flow->route, RCU_INITIALIZER(dst)));
	dst_release(old);
	return dst;
}

/*
 * Send an admitted message to the client, as a router sends on: no chain sees it before
 * POST_ROUTING, and connection tracking leaves it alone. Always consumes it.
 */
static enum nwg_relay_drop send_to_client(struct net *net, struct nwg_flow *flow,
					  struct sk_buff *skb, struct nwg_relay_batch *batch)
{
	const struct nwg_ends ends = ends_to_client(&flow->key);
	struct dst_entry *dst = route_of(net, flow);
	enum nwg_relay_drop reason;

	if (unlikely(!dst)) {
		kfree_skb(skb);
		return NWG_DROP_NO_ROUTE;
	}
	reason = nwg_datagram_rewrite(net, skb, &ends);
	if (unlikely(reason)) {
		kfree_skb(skb);
		return reason;
	}
	detach(skb);
	skb_dst_set_noref(skb, dst);
	untrack(skb);
	if (likely(skb->len <= dst_mtu(dst))) {
		nwg_batch_add(batch, net, skb);
		return 0;
	}
	nwg_batch_flush(batch);
	nwg_relay_count_fragmented(flow->relay, NWG_REVERSE);
	nwg_make_fragmentable(net, skb);
	dst_output(net, NULL, skb);
	return 0;
}

/*
 * Whether a fragment may be of a datagram for a relay, as far as addresses tell: it comes from the inner
 * endpoint of a relay to the peer, and goes to this machine or where such a relay has clients.
 */
static bool is_for_relay(struct net_device *dev, struct nwg_peer *peer, struct sk_buff *skb)
{
	struct net *net = dev_net(dev);
	const struct nwg_relay_params *params;
	const struct nwg_relay *relay;
	struct in6_addr source;
	bool found = false;

	if (nwg_is_ipv4(skb))
		ipv6_addr_set_v4mapped(ip_hdr(skb)->saddr, &source);
	else
		source = ipv6_hdr(skb)->saddr;
	list_for_each_entry_rcu(relay, &nwg_relay_net(net)->relays, net_node) {
		params = rcu_dereference(relay->params);
		if (relay->dev != dev || rcu_access_pointer(params->peer) != peer ||
		    !ipv6_addr_equal(&params->config.to, &source))
			continue;
		if (READ_ONCE(relay->foreign))
			return true;
		found = true;
	}
	return found && is_local(net, skb);
}

/*
 * Whether a packet out of the tunnel is a whole UDP datagram with an intact IP header that has
 * nothing unusual.
 */
static bool is_plain_udp(const struct sk_buff *skb)
{
	if (!nwg_ip_header_plain(skb))
		return false;
	return !nwg_is_ipv4(skb) ||
	       (ip_hdr(skb)->protocol == IPPROTO_UDP && !ip_is_fragment(ip_hdr(skb)) &&
		!ip_fast_csum(ip_hdr(skb), sizeof(struct iphdr) / 4));
}

/*
 * The flow that a packet out of the tunnel belongs to, or NULL. @peer: who sent it; NULL if the
 * interface is the stock module's, where the allowed IPs say that.
 */
static struct nwg_flow *find_mapped(struct net_device *dev, const struct nwg_peer *peer,
				    struct sk_buff *skb)
{
	struct nwg_flow_mapping mapping = { .ifindex = dev->ifindex };
	const struct nwg_relay_params *params;
	struct nwg_flow *flow;
	struct nwg_ends ends;

	if (!is_plain_udp(skb) || !nwg_datagram_ends(skb, nwg_ip_header_len(skb), &ends))
		return NULL;
	mapping.addr = ends.destination;
	mapping.port = ends.destination_port;
	flow = nwg_mapping_find(&nwg_relay_net(dev_net(dev))->flows, &mapping);
	if (!flow)
		return NULL;
	params = rcu_dereference(flow->relay->params);
	if (rcu_access_pointer(params->peer) != peer ||
	    ends.source_port != params->config.to_port ||
	    !ipv6_addr_equal(&ends.source, &params->config.to))
		return NULL;
	return flow;
}

static void count_reverse_drop(struct nwg_flow *flow, enum nwg_relay_drop reason, unsigned int len)
{
	nwg_relay_count_drop(flow->relay, NWG_REVERSE, reason, &flow->key, len);
	nwg_flow_count_drop(flow, NWG_REVERSE);
}

/* Take one datagram of the home's, and count it. Always consumes it. */
static void reverse(struct nwg_flow *flow, struct sk_buff *skb, struct nwg_relay_batch *batch)
{
	struct nwg_relay *relay = flow->relay;
	const struct nwg_relay_params *params = rcu_dereference(relay->params);
	struct nwg_datagram datagram;
	enum nwg_relay_drop reason;

	reason = nwg_datagram_read(skb, &datagram);
	if (likely(!reason) && unlikely(nwg_ttl_used_up(skb)))
		reason = NWG_DROP_TTL;
	if (likely(!reason))
		reason = nwg_relay_admit_home(flow, &datagram);
	if (likely(!reason) &&
	    unlikely(datagram.type == NWG_MESSAGE_COOKIE_REPLY && params->config.has_responder))
		reason = exchange_cookie(flow, params, skb, &datagram);
	if (likely(!reason))
		reason = send_to_client(dev_net(relay->dev), flow, skb, batch);
	else
		kfree_skb(skb);

	if (likely(!reason)) {
		nwg_relay_count(relay, NWG_REVERSE, datagram.type, datagram.len);
		nwg_flow_count(flow, NWG_REVERSE, datagram.type, datagram.len);
	} else {
		count_reverse_drop(flow, reason, datagram.len);
	}
}

bool nwg_relay_reverse(struct nwg_peer *peer, struct sk_buff *skb, struct nwg_relay_batch *batch)
{
	struct net_device *dev = peer->device->dev;
	struct nwg_flow *flow;

	if (unlikely(nwg_is_udp_fragment(skb))) {
		if (!is_for_relay(dev, peer, skb))
			return false;
		memset(skb->cb, 0, sizeof(skb->cb));
		if (!nwg_reassemble(dev_net(dev), skb))
			return true;
	}
	flow = find_mapped(dev, peer, skb);
	if (!flow)
		return false;
	reverse(flow, skb, batch);
	return true;
}

/* Take what a stock interface's GRO has put together, or a datagram as it is. Always consumes it. */
static void reverse_stock(struct nwg_flow *flow, struct sk_buff *skb)
{
	struct nwg_relay_batch batch = {};
	struct sk_buff *list = skb, *next;

	if (unlikely(skb_is_gso(skb))) {
		list = skb_gso_segment(skb, 0);
		if (IS_ERR_OR_NULL(list)) {
			count_batch_drop(flow->relay, NWG_REVERSE, &flow->key, skb);
			nwg_flow_count_drop(flow, NWG_REVERSE);
			kfree_skb(skb);
			return;
		}
		consume_skb(skb);
	}
	skb_list_walk_safe(list, skb, next) {
		skb_mark_not_on_list(skb);
		if (likely(!skb_linearize(skb))) {
			reverse(flow, skb, &batch);
		} else {
			count_reverse_drop(flow, NWG_DROP_NO_MEMORY,
					   skb->len - nwg_message_offset(skb));
			kfree_skb(skb);
		}
	}
	nwg_batch_flush(&batch);
}

bool nwg_relay_reverse_stock(struct sk_buff *skb)
{
	struct net_device *dev = skb->dev;
	struct nwg_flow *flow;
	bool whole = true;

	/* All that is looked at before it is linear. */
	if (!nwg_is_ipv4(skb) && ipv6_hdr(skb)->nexthdr == NEXTHDR_FRAGMENT &&
	    !pskb_may_pull(skb, sizeof(struct ipv6hdr) + sizeof(struct frag_hdr)))
		return false;
	if (unlikely(nwg_is_udp_fragment(skb))) {
		if (!is_for_relay(dev, NULL, skb))
			return false;
		local_bh_disable();
		whole = nwg_reassemble(dev_net(dev), skb);
		local_bh_enable();
	}
	if (!whole)
		return true;
	flow = find_mapped(dev, NULL, skb);
	if (!flow)
		return false;
	local_bh_disable();
	reverse_stock(flow, skb);
	local_bh_enable();
	return true;
}
