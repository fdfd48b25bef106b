// SPDX-License-Identifier: GPL-2.0
/*
 * The path of a datagram through a relay.
 *
 * Forward:  key of the client -> flow (or relay) -> message -> admission -> rewrite -> peer
 * Reverse:  mapping -> flow -> message -> admission -> route -> rewrite -> batch -> output
 *
 * The relay is an end of what it sends: it gives each datagram its own addresses on both sides, and
 * may fragment. What the ends said about priority and congestion (DS field, RFC 6040) passes
 * unchanged, TTL and hop limit are counted down. Either side may be IPv4 or IPv6.
 */
#include "forward.h"

#include <net/addrconf.h>
#include <net/dst.h>
#include <net/gso.h>
#include <net/ip.h>
#include <net/ip6_route.h>
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

/* Send an admitted message to the home. Always consumes it. */
static enum nwg_relay_drop send_to_home(const struct nwg_relay_params *params,
					struct nwg_peer *peer, struct nwg_flow *flow,
					struct sk_buff *skb, const struct nwg_datagram *datagram)
{
	const bool has_mac2 = datagram->type == NWG_MESSAGE_INITIATION ||
			      datagram->type == NWG_MESSAGE_RESPONSE;
	const struct nwg_ends ends = {
		.source = flow->mapping.addr,
		.source_port = flow->mapping.port,
		.destination = params->config.to,
		.destination_port = params->config.to_port,
	};
	struct net_device *dev = flow->relay->device->dev;
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
	skb->dev = dev;
	if (unlikely(skb->len > mtu)) {
		reason = nwg_send_fragments(peer, skb);
		if (!reason)
			nwg_relay_count_fragmented(flow->relay, NWG_FORWARD);
		return reason;
	}
	nwg_peer_send(peer, skb, mtu);
	return 0;
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
		return ip6_dst_lookup_flow(net, NULL, &ipv6, NULL);
	}
	ipv4.daddr = key->client.s6_addr32[3];
	ipv4.saddr = key->local.s6_addr32[3];
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
	struct net *net = dev_net(relay->device->dev);
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
	if (unlikely(!peer || !netif_running(relay->device->dev)))
		return NWG_DROP_NO_PEER;
	if (unlikely(nwg_ttl_used_up(skb)))
		return NWG_DROP_TTL;
	return 0;
}

/* Take one datagram of a relay's, and count it. Always consumes it. */
static void forward(struct nwg_relay *relay, struct nwg_flow *flow, const struct nwg_flow_key *key,
		    struct sk_buff *skb)
{
	const struct nwg_relay_params *params = rcu_dereference(relay->params);
	struct nwg_peer *peer = rcu_dereference(params->peer);
	struct nwg_datagram datagram;
	enum nwg_relay_drop reason;

	reason = nwg_datagram_read(skb, &datagram);
	if (likely(!reason))
		reason = check_path(relay, params, peer, skb);
	if (likely(!reason))
		reason = nwg_relay_admit_client(relay, params, skb, &datagram, key, &flow);
	if (likely(!reason)) {
		WRITE_ONCE(flow->last_forward, nwg_moment_now());
		reason = send_to_home(params, peer, flow, skb, &datagram);
	} else if (reason == NWG_DROP_COOKIE) {
		reason = answer_with_cookie(relay, params, key, skb, &datagram);
	} else {
		kfree_skb(skb);
	}

	if (likely(!reason)) {
		nwg_relay_count(relay, NWG_FORWARD, datagram.type, datagram.len);
		nwg_flow_count(flow, NWG_FORWARD, datagram.type, datagram.len);
	} else {
		nwg_relay_count_drop(relay, NWG_FORWARD, reason, datagram.len);
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

/* Take a batch of datagrams from one client, which ingress has put together. Always consumes it. */
static void forward_batch(struct nwg_relay *relay, const struct nwg_flow_key *key,
			  struct sk_buff *batch)
{
	struct sk_buff *list, *skb, *next;
	struct nwg_flow *flow;

	list = skb_gso_segment(batch, 0);
	if (IS_ERR_OR_NULL(list)) {
		nwg_relay_count_drop(relay, NWG_FORWARD, NWG_DROP_MALFORMED, batch->len);
		kfree_skb(batch);
		return;
	}
	consume_skb(batch);
	skb_list_walk_safe(list, skb, next) {
		skb_mark_not_on_list(skb);
		flow = find_client(relay->net, key);
		forward(relay, flow && flow->relay == relay ? flow : NULL, key, skb);
	}
}

/*
 * Whether a packet is for this machine, and not one that the stack would refuse for its source.
 * Asked for packets without a flow only.
 */
static bool is_local(struct net *net, struct sk_buff *skb)
{
	const struct in6_addr *addr6;
	const struct iphdr *header;
	bool local;

	if (!nwg_is_ipv4(skb)) {
		addr6 = &ipv6_hdr(skb)->daddr;
		return ipv6_chk_addr(net, addr6,
				     ipv6_addr_type(addr6) & IPV6_ADDR_LINKLOCAL ? skb->dev : NULL,
				     0);
	}
	header = ip_hdr(skb);
	/* It has come from this machine, or past the routing already. */
	if (skb_dst(skb))
		return inet_addr_type_dev_table(net, skb->dev, header->daddr) == RTN_LOCAL;
	local = !ip_route_input_noref(skb, header->daddr, header->saddr, header->tos, skb->dev) &&
		skb_rtable(skb)->rt_type == RTN_LOCAL;
	skb_dst_drop(skb);
	return local;
}

/* The interface that a link-local address of an IPv6 packet is on; 0 if it has none. */
static u32 scope_of(const struct sk_buff *skb)
{
	const struct ipv6hdr *header = ipv6_hdr(skb);
	int types = ipv6_addr_type(&header->saddr) | ipv6_addr_type(&header->daddr);

	return types & IPV6_ADDR_LINKLOCAL ? skb->dev->ifindex : 0;
}

bool nwg_relay_forward(struct net *net, struct sk_buff *skb)
{
	struct nwg_relay_net *rn = nwg_relay_net(net);
	unsigned int offset = nwg_ip_header_len(skb);
	struct nwg_flow_key key;
	struct nwg_relay *relay;
	struct nwg_flow *flow;
	struct nwg_ends ends;

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
	key.scope = nwg_is_ipv4(skb) ? 0 : scope_of(skb);

	flow = find_client(rn, &key);
	relay = flow ? flow->relay : nwg_relay_match(rn, &key.local, key.local_port);
	if (!relay || (!flow && !is_local(net, skb)))
		return false;

	local_bh_disable();
	if (unlikely(skb_is_gso(skb) && skb_shinfo(skb)->gso_type & SKB_GSO_UDP_L4)) {
		forward_batch(relay, &key, skb);
	} else {
		/* What somebody else would have fragmented (SKB_GSO_UDP) is one datagram still. */
		if (unlikely(skb_is_gso(skb)) && !skb_unclone(skb, GFP_ATOMIC))
			skb_gso_reset(skb);
		forward(relay, flow, &key, skb);
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
static bool is_for_relay(struct net *net, struct nwg_peer *peer, struct sk_buff *skb)
{
	const struct nwg_relay_params *params;
	const struct nwg_relay *relay;
	struct in6_addr source;
	bool found = false;

	if (nwg_is_ipv4(skb))
		ipv6_addr_set_v4mapped(ip_hdr(skb)->saddr, &source);
	else
		source = ipv6_hdr(skb)->saddr;
	list_for_each_entry_rcu(relay, &peer->device->relays, device_node) {
		params = rcu_dereference(relay->params);
		if (rcu_access_pointer(params->peer) != peer ||
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

bool nwg_relay_reverse(struct nwg_peer *peer, struct sk_buff *skb, struct nwg_relay_batch *batch)
{
	struct net_device *dev = peer->device->dev;
	const struct nwg_relay_params *params;
	struct net *net = dev_net(dev);
	struct nwg_flow_mapping mapping = {};
	struct nwg_datagram datagram;
	enum nwg_relay_drop reason;
	struct nwg_relay *relay;
	struct nwg_flow *flow;
	struct nwg_ends ends;

	if (unlikely(nwg_is_udp_fragment(skb))) {
		if (!is_for_relay(net, peer, skb))
			return false;
		if (!nwg_reassemble(net, skb))
			return true;
	}
	if (!is_plain_udp(skb) || !nwg_datagram_ends(skb, nwg_ip_header_len(skb), &ends))
		return false;

	mapping.addr = ends.destination;
	mapping.port = ends.destination_port;
	mapping.ifindex = dev->ifindex;
	flow = nwg_mapping_find(&nwg_relay_net(net)->flows, &mapping);
	if (!flow)
		return false;
	relay = flow->relay;
	params = rcu_dereference(relay->params);
	if (rcu_access_pointer(params->peer) != peer ||
	    ends.source_port != params->config.to_port ||
	    !ipv6_addr_equal(&ends.source, &params->config.to))
		return false;

	reason = nwg_datagram_read(skb, &datagram);
	if (likely(!reason) && unlikely(nwg_ttl_used_up(skb)))
		reason = NWG_DROP_TTL;
	if (likely(!reason))
		reason = nwg_relay_admit_home(flow, &datagram);
	if (likely(!reason) &&
	    unlikely(datagram.type == NWG_MESSAGE_COOKIE_REPLY && params->config.has_responder))
		reason = exchange_cookie(flow, params, skb, &datagram);
	if (likely(!reason))
		reason = send_to_client(net, flow, skb, batch);
	else
		kfree_skb(skb);

	if (likely(!reason)) {
		nwg_relay_count(relay, NWG_REVERSE, datagram.type, datagram.len);
		nwg_flow_count(flow, NWG_REVERSE, datagram.type, datagram.len);
	} else {
		nwg_relay_count_drop(relay, NWG_REVERSE, reason, datagram.len);
		nwg_flow_count_drop(flow, NWG_REVERSE);
	}
	return true;
}
