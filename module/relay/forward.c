// SPDX-License-Identifier: GPL-2.0
/*
 * The path of a datagram through a relay.
 *
 * Forward:  key of the client -> flow (or relay) -> message -> admission -> rewrite -> peer
 * Reverse:  mapping -> flow -> message -> admission -> route -> rewrite -> batch -> output
 *
 * The relay is an end of what it sends: it gives each datagram its own addresses on both sides, and
 * may fragment. What the ends said about priority and congestion (DS field, RFC 6040) passes
 * unchanged, TTL and hop limit are counted down.
 */
#include "forward.h"

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netfilter.h>
#include <linux/udp.h>
#include <net/addrconf.h>
#include <net/dst.h>
#include <net/gso.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include <net/ip6_route.h>
#include <net/ipv6_frag.h>
#include <net/ipv6_stubs.h>
#include <net/netfilter/ipv6/nf_defrag_ipv6.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/route.h>
#include <net/udp.h>

#include "admit.h"
#include "batch.h"
#include "cookie.h"
#include "device.h"
#include "object.h"
#include "peer.h"
#include "relay.h"
#include "transport/scrub.h"
#include "transport/send.h"

/**
 * struct ends - addresses and ports of a datagram
 * @source: IPv4 as v4-mapped
 * @destination: likewise
 * @source_port: UDP port
 * @destination_port: UDP port
 */
struct ends {
	struct in6_addr source;
	struct in6_addr destination;
	__be16 source_port;
	__be16 destination_port;
};

static bool is_ipv4(const struct sk_buff *skb)
{
	return skb->protocol == htons(ETH_P_IP);
}

/* Length of a plain IP header; with options or extension headers it is longer. */
static unsigned int ip_header_len(const struct sk_buff *skb)
{
	return is_ipv4(skb) ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);
}

static bool ip_header_plain(const struct sk_buff *skb)
{
	if (is_ipv4(skb))
		return ip_hdr(skb)->ihl == sizeof(struct iphdr) / 4;
	return ipv6_hdr(skb)->nexthdr == IPPROTO_UDP;
}

/* Length of a packet as its IP header tells it. */
static unsigned int ip_len(const struct sk_buff *skb)
{
	if (is_ipv4(skb))
		return ntohs(ip_hdr(skb)->tot_len);
	return ntohs(ipv6_hdr(skb)->payload_len) + sizeof(struct ipv6hdr);
}

static struct udphdr *udp_header(const struct sk_buff *skb)
{
	return (struct udphdr *)(skb->data + ip_header_len(skb));
}

/* Read who sent a packet to whom. @offset: of the UDP header. Return: false if it is too short. */
static bool read_ends(struct sk_buff *skb, unsigned int offset, struct ends *ends)
{
	const struct udphdr *header;
	struct udphdr buffer;

	header = skb_header_pointer(skb, offset, sizeof(buffer), &buffer);
	if (!header)
		return false;
	ends->source_port = header->source;
	ends->destination_port = header->dest;
	if (is_ipv4(skb)) {
		ipv6_addr_set_v4mapped(ip_hdr(skb)->saddr, &ends->source);
		ipv6_addr_set_v4mapped(ip_hdr(skb)->daddr, &ends->destination);
	} else {
		ends->source = ipv6_hdr(skb)->saddr;
		ends->destination = ipv6_hdr(skb)->daddr;
	}
	return true;
}

/*
 * Whether a datagram arrived as it was sent. It costs nothing if the interface that it came by has
 * looked already.
 */
static bool checksum_valid(struct sk_buff *skb, const struct udphdr *header)
{
	if (skb->ip_summed == CHECKSUM_PARTIAL)
		return true;
	/* None is a choice over IPv4 only (RFC 8200, section 8.1). */
	if (!header->check)
		return is_ipv4(skb);
	return skb_csum_unnecessary(skb) ||
	       !nf_checksum(skb, NF_INET_PRE_ROUTING, ip_header_len(skb), IPPROTO_UDP,
			    is_ipv4(skb) ? AF_INET : AF_INET6);
}

/* Read the message in a packet. Return: 0, or why it cannot be one. */
static enum nwg_relay_drop read_message(struct sk_buff *skb, struct nwg_datagram *datagram)
{
	unsigned int offset = ip_header_len(skb) + sizeof(struct udphdr);
	const struct udphdr *header;

	datagram->type = NWG_MESSAGE_INVALID;
	datagram->len = skb->len > offset ? skb->len - offset : 0;
	if (!ip_header_plain(skb) || skb->len < offset)
		return NWG_DROP_MALFORMED;
	if (!pskb_may_pull(skb, min_t(unsigned int, skb->len, offset + NWG_RELAY_LOOK)))
		return NWG_DROP_NO_MEMORY;
	header = udp_header(skb);
	/* A datagram that is shorter than its packet has been trimmed if it comes from a socket. */
	if (ntohs(header->len) != skb->len - ip_header_len(skb) || ip_len(skb) != skb->len)
		return NWG_DROP_MALFORMED;
	if (!checksum_valid(skb, header))
		return NWG_DROP_MALFORMED;
	datagram->message = header + 1;
	datagram->type = nwg_message_classify(datagram->message, datagram->len);
	return datagram->type == NWG_MESSAGE_INVALID ? NWG_DROP_SHAPE : 0;
}

static bool ttl_used_up(const struct sk_buff *skb)
{
	return (is_ipv4(skb) ? ip_hdr(skb)->ttl : ipv6_hdr(skb)->hop_limit) <= 1;
}

static void rewrite_addresses4(struct sk_buff *skb, const struct ends *ends, bool sum)
{
	__be32 source = ends->source.s6_addr32[3], destination = ends->destination.s6_addr32[3];
	struct udphdr *udp = udp_header(skb);
	struct iphdr *header = ip_hdr(skb);

	if (sum) {
		inet_proto_csum_replace4(&udp->check, skb, header->saddr, source, true);
		inet_proto_csum_replace4(&udp->check, skb, header->daddr, destination, true);
	}
	header->saddr = source;
	header->daddr = destination;
	header->ttl--;
	ip_send_check(header);
}

static void rewrite_addresses6(struct sk_buff *skb, const struct ends *ends)
{
	struct ipv6hdr *header = ipv6_hdr(skb);
	struct udphdr *udp = udp_header(skb);

	inet_proto_csum_replace16(&udp->check, skb, header->saddr.s6_addr32, ends->source.s6_addr32,
				  true);
	inet_proto_csum_replace16(&udp->check, skb, header->daddr.s6_addr32,
				  ends->destination.s6_addr32, true);
	header->saddr = ends->source;
	header->daddr = ends->destination;
	header->hop_limit--;
}

/*
 * Give a packet other ends. The UDP checksum is changed by what the ends differ in (RFC 1624), not
 * computed anew: what was damaged stays damaged to whoever checks it. None stays none.
 *
 * Return: false if out of memory.
 */
static bool rewrite(struct sk_buff *skb, const struct ends *ends)
{
	struct udphdr *udp;
	bool sum;

	if (skb_ensure_writable(skb, ip_header_len(skb) + sizeof(*udp)))
		return false;
	skb_forward_csum(skb);
	skb_set_transport_header(skb, ip_header_len(skb));
	udp = udp_header(skb);
	sum = udp->check || skb->ip_summed == CHECKSUM_PARTIAL;
	if (is_ipv4(skb))
		rewrite_addresses4(skb, ends, sum);
	else
		rewrite_addresses6(skb, ends);
	if (sum) {
		inet_proto_csum_replace2(&udp->check, skb, udp->source, ends->source_port, false);
		inet_proto_csum_replace2(&udp->check, skb, udp->dest, ends->destination_port,
					 false);
		if (!udp->check)
			udp->check = CSUM_MANGLED_0;
	}
	udp->source = ends->source_port;
	udp->dest = ends->destination_port;
	return true;
}

/* Forget what the packet was to the part of the stack that it comes from. */
static void detach(struct sk_buff *skb)
{
	skb_orphan(skb);
	nwg_scrub(skb);
}

/* What goes out to a client: IP's output finds nothing of ours, and connection tracking leaves it alone. */
static void untrack(struct sk_buff *skb)
{
	if (is_ipv4(skb))
		memset(IPCB(skb), 0, sizeof(*IPCB(skb)));
	else
		memset(IP6CB(skb), 0, sizeof(*IP6CB(skb)));
#if IS_ENABLED(CONFIG_NF_CONNTRACK)
	nf_ct_set(skb, NULL, IP_CT_UNTRACKED);
#endif
}

/*
 * Let a packet be fragmented: as it has a new sender, it needs an identification of that sender's.
 */
static void make_fragmentable(struct net *net, struct sk_buff *skb)
{
	if (is_ipv4(skb)) {
		memset(IPCB(skb), 0, sizeof(*IPCB(skb)));
		ip_hdr(skb)->frag_off &= ~htons(IP_DF);
		__ip_select_ident(net, ip_hdr(skb), 1);
		ip_send_check(ip_hdr(skb));
	} else {
		memset(IP6CB(skb), 0, sizeof(*IP6CB(skb)));
	}
	skb->ignore_df = 1;
}

/**
 * struct fragment_route - what the stack's fragmentation takes for a route
 * @dst: only what fragmentation looks at is set: the interface and its MTU
 * @ipv4: the same, as IPv4's fragmentation sees it
 * @ipv6: the same, as IPv6's does
 * @peer: where the fragments go
 */
struct fragment_route {
	union {
		struct dst_entry dst;
		struct rtable ipv4;
		struct rt6_info ipv6;
	};
	struct nwg_peer *peer;
};

static unsigned int fragment_mtu(const struct dst_entry *dst)
{
	return READ_ONCE(dst->dev->mtu);
}

static struct dst_ops fragment_dst_ops = {
	.family = AF_UNSPEC,
	.mtu = fragment_mtu,
};

static int send_fragment(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	struct fragment_route *route = container_of(skb_dst(skb), struct fragment_route, dst);

	skb_dst_drop(skb);
	nwg_peer_send(route->peer, skb, READ_ONCE(route->dst.dev->mtu));
	return 0;
}

/*
 * Send a packet that is too big for the tunnel, in fragments that are not: they are put together by
 * the home. Outer fragments would be lost in many a NAT. Always consumes it.
 */
static enum nwg_relay_drop send_fragments(struct nwg_peer *peer, struct sk_buff *skb)
{
	struct fragment_route route = {};
	struct net_device *dev = skb->dev;
	struct net *net = dev_net(dev);
	int err;

	route.peer = peer;
	/*
	 * Without the interface, so that no reference to it is taken, for which there would be
	 * nobody to drop it.
	 */
	dst_init(&route.dst, &fragment_dst_ops, NULL, DST_OBSOLETE_NONE, DST_NOCOUNT);
	route.dst.dev = dev;
	make_fragmentable(net, skb);
	skb_dst_set_noref(skb, &route.dst);
	if (is_ipv4(skb))
		err = ip_do_fragment(net, NULL, skb, send_fragment);
	else
		err = ipv6_stub->ipv6_fragment(net, NULL, skb, send_fragment);
	return err ? NWG_DROP_NO_MEMORY : 0;
}

/*
 * Change a part of a message, and the UDP checksum by what it differs in. @offset: in the packet;
 * @len: a multiple of 16. Return: false if out of memory.
 */
static bool exchange(struct sk_buff *skb, unsigned int offset, const void *bytes, unsigned int len)
{
	__be32 was[4], is[4];
	struct udphdr *udp;
	unsigned int done;
	bool sum;

	if (skb_ensure_writable(skb, offset + len))
		return false;
	udp = udp_header(skb);
	sum = udp->check;
	for (done = 0; done < len; done += sizeof(is)) {
		memcpy(was, skb->data + offset + done, sizeof(was));
		memcpy(is, bytes + done, sizeof(is));
		memcpy(skb->data + offset + done, is, sizeof(is));
		if (sum)
			inet_proto_csum_replace16(&udp->check, skb, was, is, false);
	}
	if (sum && !udp->check)
		udp->check = CSUM_MANGLED_0;
	return true;
}

/*
 * Give a handshake message the mac2 that the home wants of its sender, in place of the one that the
 * relay wants. Return: false if out of memory.
 */
static bool exchange_mac2(struct nwg_flow *flow, struct sk_buff *skb,
			  const struct nwg_datagram *datagram)
{
	const unsigned int end = ip_header_len(skb) + sizeof(struct udphdr) + datagram->len;
	u8 mac2[NWG_MAC_LEN];

	nwg_flow_mac2(flow, datagram, mac2);
	return exchange(skb, end - sizeof(mac2), mac2, sizeof(mac2));
}

/*
 * Keep the cookie that the home gives a client, and give it the relay's in its place. Return: why that
 * cannot be, or 0.
 */
static enum nwg_relay_drop exchange_cookie(struct nwg_flow *flow,
					   const struct nwg_relay_params *params,
					   struct sk_buff *skb, const struct nwg_datagram *datagram)
{
	const unsigned int offset = ip_header_len(skb) + sizeof(struct udphdr);
	struct nwg_message_cookie_reply reply;

	if (!nwg_flow_cookie_exchange(flow, params, datagram->message, &reply))
		return NWG_DROP_COOKIE;
	return exchange(skb, offset, &reply, sizeof(reply)) ? 0 : NWG_DROP_NO_MEMORY;
}

/* Send an admitted message to the home. Always consumes it. */
static enum nwg_relay_drop send_to_home(const struct nwg_relay_params *params,
					struct nwg_peer *peer, struct nwg_flow *flow,
					struct sk_buff *skb, const struct nwg_datagram *datagram)
{
	const bool has_mac2 = datagram->type == NWG_MESSAGE_INITIATION ||
			      datagram->type == NWG_MESSAGE_RESPONSE;
	const struct ends ends = {
		.source = flow->mapping.addr,
		.source_port = flow->mapping.port,
		.destination = params->config.to,
		.destination_port = params->config.to_port,
	};
	struct net_device *dev = flow->relay->device->dev;
	unsigned int mtu = READ_ONCE(dev->mtu);

	if (unlikely((has_mac2 && params->config.has_responder &&
		      !exchange_mac2(flow, skb, datagram)) ||
		     !rewrite(skb, &ends))) {
		kfree_skb(skb);
		return NWG_DROP_NO_MEMORY;
	}
	detach(skb);
	skb->dev = dev;
	if (unlikely(skb->len > mtu))
		return send_fragments(peer, skb);
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

/* Write the headers of a datagram of ours to a client around @len bytes of UDP payload. */
static void write_headers(struct net *net, struct sk_buff *skb, const struct nwg_flow_key *key,
			  unsigned int len)
{
	const unsigned int header_len = ip_header_len(skb);
	struct udphdr *udp = udp_header(skb);
	struct ipv6hdr *ipv6 = ipv6_hdr(skb);
	struct iphdr *ipv4 = ip_hdr(skb);

	skb_set_transport_header(skb, header_len);
	skb->ip_summed = CHECKSUM_NONE;
	len += sizeof(*udp);
	udp->source = key->local_port;
	udp->dest = key->client_port;
	udp->len = htons(len);
	if (is_ipv4(skb)) {
		*ipv4 = (struct iphdr){
			.version = 4,
			.ihl = sizeof(*ipv4) / 4,
			.tos = NWG_HANDSHAKE_DS,
			.tot_len = htons(header_len + len),
			.frag_off = htons(IP_DF),
			.ttl = READ_ONCE(net->ipv4.sysctl_ip_default_ttl),
			.protocol = IPPROTO_UDP,
			.saddr = key->local.s6_addr32[3],
			.daddr = key->client.s6_addr32[3],
		};
		ip_send_check(ipv4);
		udp_set_csum(false, skb, ipv4->saddr, ipv4->daddr, len);
	} else {
		ip6_flow_hdr(ipv6, NWG_HANDSHAKE_DS, 0);
		ipv6->payload_len = htons(len);
		ipv6->nexthdr = IPPROTO_UDP;
		ipv6->hop_limit = READ_ONCE(net->ipv6.devconf_all->hop_limit);
		ipv6->saddr = key->local;
		ipv6->daddr = key->client;
		udp6_set_csum(false, skb, &ipv6->saddr, &ipv6->daddr, len);
	}
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
	const unsigned int offset = ip_header_len(skb) + sizeof(struct udphdr);
	struct net *net = dev_net(relay->device->dev);
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
	write_headers(net, skb, key, sizeof(reply));
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
	if (unlikely(ipv6_addr_v4mapped(&params->config.to) != is_ipv4(skb)))
		return NWG_DROP_FAMILY;
	if (unlikely(ttl_used_up(skb)))
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

	reason = read_message(skb, &datagram);
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
			nwg_flow_count_drop(flow, NWG_FORWARD, datagram.len);
	}
}

/* Take a batch of datagrams from one client, which ingress has put together. Always consumes it. */
static void forward_batch(struct nwg_relay *relay, const struct nwg_flow_key *key,
			  struct sk_buff *batch)
{
	struct sk_buff *list, *skb, *next;

	list = skb_gso_segment(batch, 0);
	if (IS_ERR_OR_NULL(list)) {
		nwg_relay_count_drop(relay, NWG_FORWARD, NWG_DROP_MALFORMED, batch->len);
		kfree_skb(batch);
		return;
	}
	consume_skb(batch);
	skb_list_walk_safe(list, skb, next) {
		skb_mark_not_on_list(skb);
		forward(relay, nwg_flow_find(&relay->net->flows, key), key, skb);
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

	if (!is_ipv4(skb)) {
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
	unsigned int offset = ip_header_len(skb);
	struct nwg_flow_key key;
	struct nwg_relay *relay;
	struct nwg_flow *flow;
	struct ends ends;

	if (!ip_header_plain(skb))
		offset = skb_transport_offset(skb);
	if (!read_ends(skb, offset, &ends))
		return false;
	/* Here v4-mapped addresses stand for IPv4; in a packet they are nobody's (RFC 4291, 2.5). */
	if (!is_ipv4(skb) &&
	    unlikely(ipv6_addr_v4mapped(&ends.source) || ipv6_addr_any(&ends.source)))
		return false;
	key.client = ends.source;
	key.client_port = ends.source_port;
	key.local = ends.destination;
	key.local_port = ends.destination_port;
	key.scope = is_ipv4(skb) ? 0 : scope_of(skb);

	flow = nwg_flow_find(&rn->flows, &key);
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
	const struct ends ends = {
		.source = flow->key.local,
		.source_port = flow->key.local_port,
		.destination = flow->key.client,
		.destination_port = flow->key.client_port,
	};
	struct dst_entry *dst = route_of(net, flow);

	if (unlikely(!dst)) {
		kfree_skb(skb);
		return NWG_DROP_NO_ROUTE;
	}
	if (unlikely(!rewrite(skb, &ends))) {
		kfree_skb(skb);
		return NWG_DROP_NO_MEMORY;
	}
	detach(skb);
	skb_dst_set_noref(skb, dst);
	untrack(skb);
	if (likely(skb->len <= dst_mtu(dst))) {
		nwg_batch_add(batch, net, skb);
		return 0;
	}
	nwg_batch_flush(batch);
	make_fragmentable(net, skb);
	dst_output(net, NULL, skb);
	return 0;
}

/* Whether a packet out of the tunnel is a fragment of a UDP datagram, with an intact IP header. */
static bool is_udp_fragment(const struct sk_buff *skb)
{
	const struct frag_hdr *fragment =
		(const struct frag_hdr *)(skb->data + sizeof(struct ipv6hdr));

	if (is_ipv4(skb))
		return ip_is_fragment(ip_hdr(skb)) && ip_hdr(skb)->protocol == IPPROTO_UDP &&
		       ip_header_plain(skb) && !ip_fast_csum(ip_hdr(skb), sizeof(struct iphdr) / 4);
	return ipv6_hdr(skb)->nexthdr == NEXTHDR_FRAGMENT &&
	       skb->len >= sizeof(struct ipv6hdr) + sizeof(*fragment) &&
	       fragment->nexthdr == IPPROTO_UDP;
}

/*
 * Whether a relay to a peer has the inner endpoint that a packet comes from, as far as its address
 * tells.
 */
static bool is_from_endpoint(struct nwg_peer *peer, const struct sk_buff *skb)
{
	const struct nwg_relay_params *params;
	const struct nwg_relay *relay;
	struct in6_addr source;

	if (is_ipv4(skb))
		ipv6_addr_set_v4mapped(ip_hdr(skb)->saddr, &source);
	else
		source = ipv6_hdr(skb)->saddr;
	list_for_each_entry_rcu(relay, &peer->device->relays, device_node) {
		params = rcu_dereference(relay->params);
		if (rcu_access_pointer(params->peer) == peer &&
		    ipv6_addr_equal(&params->config.to, &source))
			return true;
	}
	return false;
}

/*
 * Put a fragment together with those that came before it: the home's end of the tunnel fragments
 * what is too big.
 *
 * Return: true if the packet is whole now; false if it is consumed. What cannot be put together counts
 * where the stack counts it, as the interface has received it.
 */
static bool reassemble(struct net *net, struct sk_buff *skb)
{
	int err;

	if (is_ipv4(skb)) {
		memset(IPCB(skb), 0, sizeof(*IPCB(skb)));
		if (ip_defrag(net, skb, IP_DEFRAG_LOCAL_DELIVER))
			return false;
	} else {
		memset(IP6CB(skb), 0, sizeof(*IP6CB(skb)));
		err = nf_ct_frag6_gather(net, skb, IP6_DEFRAG_CONNTRACK_IN);
		if (err == -EINPROGRESS)
			return false;
		if (err)
			goto drop;
	}
	if (!skb_linearize(skb))
		return true;
drop:
	if (is_ipv4(skb))
		__IP_INC_STATS(net, IPSTATS_MIB_REASMFAILS);
	else
		__IP6_INC_STATS(net, NULL, IPSTATS_MIB_REASMFAILS);
	kfree_skb(skb);
	return false;
}

/*
 * Whether a packet out of the tunnel is a whole UDP datagram with an intact IP header that has
 * nothing unusual.
 */
static bool is_plain_udp(const struct sk_buff *skb)
{
	if (!ip_header_plain(skb))
		return false;
	return !is_ipv4(skb) ||
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
	struct ends ends;

	if (unlikely(is_udp_fragment(skb))) {
		if (!is_from_endpoint(peer, skb) || !is_local(net, skb))
			return false;
		if (!reassemble(net, skb))
			return true;
	}
	if (!is_plain_udp(skb) || !read_ends(skb, ip_header_len(skb), &ends))
		return false;

	mapping.addr = ends.destination;
	mapping.port = ends.destination_port;
	mapping.ifindex = dev->ifindex;
	flow = nwg_flow_find_mapped(&nwg_relay_net(net)->flows, &mapping);
	if (!flow)
		return false;
	relay = flow->relay;
	params = rcu_dereference(relay->params);
	if (rcu_access_pointer(params->peer) != peer ||
	    ends.source_port != params->config.to_port ||
	    !ipv6_addr_equal(&ends.source, &params->config.to))
		return false;

	reason = read_message(skb, &datagram);
	if (likely(!reason) && unlikely(ttl_used_up(skb)))
		reason = NWG_DROP_TTL;
	if (likely(!reason) && unlikely(ipv6_addr_v4mapped(&flow->key.client) != is_ipv4(skb)))
		reason = NWG_DROP_FAMILY;
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
		nwg_flow_count_drop(flow, NWG_REVERSE, datagram.len);
	}
	return true;
}
