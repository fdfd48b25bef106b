// SPDX-License-Identifier: GPL-2.0
#include "socket.h"

#include <net/addrconf.h>
#include <net/dst_cache.h>
#include <net/inet_ecn.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include <net/ip6_route.h>
#include <net/udp_tunnel.h>

#include "device.h"
#include "drop.h"
#include "fraglist.h"
#include "log.h"
#include "parallel.h"
#include "peer.h"
#include "receive.h"
#include "scrub.h"
#include "send.h"

/* Ports that are tried for both families when the kernel may choose. */
#define PORT_ATTEMPTS 100

void nwg_endpoint_init(struct nwg_endpoint_slot *slot)
{
	seqlock_init(&slot->lock);
}

/* Copy a peer's endpoint. Return: what tells read_seqretry() whether it has changed since. */
static unsigned int endpoint_read(struct nwg_endpoint *endpoint, struct nwg_peer *peer)
{
	unsigned int sequence;

	do {
		sequence = read_seqbegin(&peer->endpoint.lock);
		*endpoint = peer->endpoint.value;
	} while (read_seqretry(&peer->endpoint.lock, sequence));
	return sequence;
}

void nwg_endpoint_read(struct nwg_endpoint *endpoint, struct nwg_peer *peer)
{
	endpoint_read(endpoint, peer);
}

int nwg_endpoint_from_skb(struct nwg_endpoint *endpoint, const struct sk_buff *skb)
{
	memset(endpoint, 0, sizeof(*endpoint));
	if (skb->protocol == htons(ETH_P_IP)) {
		endpoint->addr4.sin_family = AF_INET;
		endpoint->addr4.sin_port = udp_hdr(skb)->source;
		endpoint->addr4.sin_addr.s_addr = ip_hdr(skb)->saddr;
		endpoint->src4.s_addr = ip_hdr(skb)->daddr;
		endpoint->src_if4 = skb->skb_iif;
		return 0;
	}
	if (skb->protocol == htons(ETH_P_IPV6)) {
		endpoint->addr6.sin6_family = AF_INET6;
		endpoint->addr6.sin6_port = udp_hdr(skb)->source;
		endpoint->addr6.sin6_addr = ipv6_hdr(skb)->saddr;
		endpoint->addr6.sin6_scope_id =
			ipv6_iface_scope_id(&ipv6_hdr(skb)->saddr, skb->skb_iif);
		endpoint->src6 = ipv6_hdr(skb)->daddr;
		return 0;
	}
	return -EINVAL;
}

/* Whether a received packet came from an endpoint, in the way that is known already. */
static bool endpoint_is(const struct nwg_endpoint *endpoint, const struct sk_buff *skb)
{
	if (skb->protocol == htons(ETH_P_IP))
		return endpoint->addr.sa_family == AF_INET &&
		       endpoint->addr4.sin_addr.s_addr == ip_hdr(skb)->saddr &&
		       endpoint->addr4.sin_port == udp_hdr(skb)->source &&
		       endpoint->src4.s_addr == ip_hdr(skb)->daddr &&
		       endpoint->src_if4 == skb->skb_iif;
	return endpoint->addr.sa_family == AF_INET6 &&
	       ipv6_addr_equal(&endpoint->addr6.sin6_addr, &ipv6_hdr(skb)->saddr) &&
	       endpoint->addr6.sin6_port == udp_hdr(skb)->source &&
	       endpoint->addr6.sin6_scope_id ==
		       ipv6_iface_scope_id(&ipv6_hdr(skb)->saddr, skb->skb_iif) &&
	       ipv6_addr_equal(&endpoint->src6, &ipv6_hdr(skb)->daddr);
}

void nwg_endpoint_learn(struct nwg_peer *peer, const struct sk_buff *skb)
{
	struct nwg_endpoint endpoint;
	unsigned int sequence;
	bool same;

	/* Nearly always nothing has changed. */
	do {
		sequence = read_seqbegin(&peer->endpoint.lock);
		same = endpoint_is(&peer->endpoint.value, skb);
	} while (read_seqretry(&peer->endpoint.lock, sequence));
	if (likely(same))
		return;
	if (!nwg_endpoint_from_skb(&endpoint, skb))
		nwg_endpoint_set(peer, &endpoint);
}

void nwg_endpoint_set(struct nwg_peer *peer, const struct nwg_endpoint *endpoint)
{
	struct nwg_endpoint now;

	nwg_endpoint_read(&now, peer);
	if (!memcmp(&now, endpoint, sizeof(now)))
		return;
	write_seqlock_bh(&peer->endpoint.lock);
	peer->endpoint.value = *endpoint;
	dst_cache_reset(&peer->dst_cache);
	write_sequnlock_bh(&peer->endpoint.lock);
}

void nwg_endpoint_forget_source(struct nwg_peer *peer)
{
	write_seqlock_bh(&peer->endpoint.lock);
	memset(&peer->endpoint.value.src6, 0, sizeof(peer->endpoint.value.src6));
	dst_cache_reset(&peer->dst_cache);
	write_sequnlock_bh(&peer->endpoint.lock);
}

/*
 * Find the route to an IPv4 endpoint, by the address and interface that the peer was last reached
 * by if they still serve.
 */
static struct rtable *route4(struct sock *sk, struct flowi4 *fl,
			     const struct nwg_endpoint *endpoint)
{
	struct net *net = sock_net(sk);
	struct rtable *rt;

	if (endpoint->src4.s_addr) {
		/* Refused if it is not, or not any more, an address of our own. */
		fl->saddr = endpoint->src4.s_addr;
		rt = ip_route_output_flow(net, fl, sk);
		if (!IS_ERR(rt)) {
			if (!endpoint->src_if4 || rt->dst.dev->ifindex == endpoint->src_if4)
				return rt;
			ip_rt_put(rt);
		}
	}
	fl->saddr = 0;
	/* The look-up before wrote down which interface it found. */
	fl->flowi4_oif = 0;
	return ip_route_output_flow(net, fl, sk);
}

/* Whether messages to be sent by a route may go down the stack as one packet with others behind it. */
static bool may_lead(const struct nwg_device *wg, const struct sk_buff *skb,
		     const struct dst_entry *dst)
{
	/* Who has switched it off wants each by itself; and a socket is told when its own has left. */
	return wg->dev->features & NETIF_F_GSO && !skb->sk && nwg_fraglist_passes(dst);
}

/* Whether a message may be the next behind @head, by its length, its queue and its headers. */
static bool may_follow(const struct sk_buff *skb, const struct sk_buff *head, unsigned int full,
		       const struct dst_entry *dst)
{
	return skb->len <= full && skb->len + head->len <= IP_MAX_MTU && !skb->sk &&
	       skb->hash == head->hash && nwg_packet(skb)->ds == nwg_packet(head)->ds &&
	       nwg_fraglist_has_room(skb, dst->dev);
}

/*
 * Make the checksum that was left to the interface below. Return: whether it could be made; the message is
 * linear and nobody else's, so it can.
 */
static bool make_checksum(struct sk_buff *skb)
{
	return skb->ip_summed != CHECKSUM_PARTIAL || !skb_checksum_help(skb);
}

/* Take off a list what goes down the stack next: one message, or several as one packet. */
static struct sk_buff *next_packet(const struct nwg_device *wg, const struct dst_entry *dst,
				   struct sk_buff **list, unsigned int *count)
{
	struct sk_buff *head = *list, *last = head, *skb;
	const unsigned int full = head->len;

	*list = head->next;
	skb_mark_not_on_list(head);
	*count = 1;
	if (!*list || !may_lead(wg, head, dst))
		return head;
	while ((skb = *list) && *count < NWG_FRAGLIST_MAX && may_follow(skb, head, full, dst) &&
	       make_checksum(head) && make_checksum(skb)) {
		const bool shorter = skb->len < full;

		*list = skb->next;
		skb_mark_not_on_list(skb);
		nwg_fraglist_append(head, last, skb);
		last = skb;
		++*count;
		if (shorter)
			break;
	}
	if (*count > 1)
		nwg_fraglist_close(head, full - nwg_fraglist_header_len(head), *count);
	return head;
}

/* Count messages that were handed to the stack, by what that has said. */
static void count_sent(struct net_device *dev, unsigned int count, unsigned int bytes, int err)
{
	if (likely(!net_xmit_eval(err)))
		dev_sw_netstats_tx_add(dev, count, bytes);
	else
		DEV_STATS_ADD(dev, tx_dropped, count);
}

static void put_udp_header(struct sk_buff *skb, __be16 source, __be16 destination)
{
	struct udphdr *header = __skb_push(skb, sizeof(*header));

	skb_reset_transport_header(skb);
	header->source = source;
	header->dest = destination;
	header->len = htons(skb->len);
}

/* But for the identification, and what ip_local_out() writes. */
static void put_ipv4_header(struct sk_buff *skb, const struct flowi4 *fl, u8 ttl)
{
	struct iphdr *header = __skb_push(skb, sizeof(*header));

	skb_reset_network_header(skb);
	*header = (struct iphdr){
		.version = 4,
		.ihl = sizeof(*header) / 4,
		.tos = nwg_packet(skb)->ds,
		.ttl = ttl,
		.protocol = IPPROTO_UDP,
		.saddr = fl->saddr,
		.daddr = fl->daddr,
	};
}

/* Send messages by a route, whose reference is consumed. */
static void send_by4(struct nwg_device *wg, struct sock *sk, struct sk_buff *list,
		     struct rtable *rt, const struct flowi4 *fl)
{
	const u8 ttl = ip4_dst_hoplimit(&rt->dst);
	struct net *net = dev_net(rt->dst.dev);
	unsigned int count, bytes;
	struct sk_buff *skb;

	for (skb = list; skb; skb = skb->next) {
		put_udp_header(skb, fl->fl4_sport, fl->fl4_dport);
		udp_set_csum(false, skb, fl->saddr, fl->daddr, skb->len);
		put_ipv4_header(skb, fl, ttl);
	}
	while (list) {
		skb = next_packet(wg, &rt->dst, &list, &count);
		bytes = skb->len - nwg_fraglist_header_len(skb);
		skb_dst_set(skb, list ? dst_clone(&rt->dst) : &rt->dst);
		memset(IPCB(skb), 0, sizeof(*IPCB(skb)));
		__ip_select_ident(net, ip_hdr(skb), count);
		count_sent(wg->dev, count, bytes, ip_local_out(net, sk, skb));
	}
}

static int send4(struct nwg_device *wg, struct sk_buff *list, const struct nwg_endpoint *endpoint,
		 struct dst_cache *cache)
{
	struct flowi4 fl = {
		.daddr = endpoint->addr4.sin_addr.s_addr,
		.fl4_dport = endpoint->addr4.sin_port,
		.flowi4_mark = READ_ONCE(wg->fwmark),
		.flowi4_proto = IPPROTO_UDP,
	};
	struct rtable *rt = NULL;
	struct sock *sk;

	sk = rcu_dereference_bh(wg->sock4);
	if (unlikely(!sk))
		return -ENETDOWN;
	fl.fl4_sport = inet_sk(sk)->inet_sport;

	if (cache)
		rt = dst_cache_get_ip4(cache, &fl.saddr);
	if (!rt) {
		security_sk_classify_flow(sk, flowi4_to_flowi_common(&fl));
		rt = route4(sk, &fl, endpoint);
		if (IS_ERR(rt))
			return PTR_ERR(rt);
		if (cache)
			dst_cache_set_ip4(cache, &rt->dst, fl.saddr);
	}
	send_by4(wg, sk, list, rt, &fl);
	return 0;
}

#if IS_ENABLED(CONFIG_IPV6)
static struct dst_entry *route6(struct sock *sk, struct flowi6 *fl,
				const struct nwg_endpoint *endpoint)
{
	struct net *net = sock_net(sk);
	struct dst_entry *dst;

	if (!ipv6_addr_any(&endpoint->src6)) {
		fl->saddr = endpoint->src6;
		dst = ip6_dst_lookup_flow(net, sk, fl, NULL);
		if (!IS_ERR(dst)) {
			/* Still our own, and in the VRF that the packet leaves by, if it does. */
			if (ipv6_chk_addr(net, &endpoint->src6, dst->dev, 0))
				return dst;
			dst_release(dst);
		}
	}
	fl->saddr = in6addr_any;
	return ip6_dst_lookup_flow(net, sk, fl, NULL);
}

static void put_ipv6_header(struct sk_buff *skb, const struct flowi6 *fl, u8 hop_limit)
{
	struct ipv6hdr *header = __skb_push(skb, sizeof(*header));

	skb_reset_network_header(skb);
	ip6_flow_hdr(header, nwg_packet(skb)->ds, 0);
	header->payload_len = htons(skb->len - sizeof(*header));
	header->nexthdr = IPPROTO_UDP;
	header->hop_limit = hop_limit;
	header->saddr = fl->saddr;
	header->daddr = fl->daddr;
}

/* Send messages by a route, whose reference is consumed. */
static void send_by6(struct nwg_device *wg, struct sock *sk, struct sk_buff *list,
		     struct dst_entry *dst, const struct flowi6 *fl)
{
	const u8 hop_limit = ip6_dst_hoplimit(dst);
	struct net *net = dev_net(dst->dev);
	unsigned int count, bytes;
	struct sk_buff *skb;

	for (skb = list; skb; skb = skb->next) {
		put_udp_header(skb, fl->fl6_sport, fl->fl6_dport);
		udp6_set_csum(false, skb, &fl->saddr, &fl->daddr, skb->len);
		put_ipv6_header(skb, fl, hop_limit);
		/* IPv6 fragments at the source only if told that it may. */
		skb->ignore_df = 1;
	}
	while (list) {
		skb = next_packet(wg, dst, &list, &count);
		bytes = skb->len - nwg_fraglist_header_len(skb);
		skb_dst_set(skb, list ? dst_clone(dst) : dst);
		memset(IP6CB(skb), 0, sizeof(*IP6CB(skb)));
		count_sent(wg->dev, count, bytes, ip6_local_out(net, sk, skb));
	}
}

static int send6(struct nwg_device *wg, struct sk_buff *list, const struct nwg_endpoint *endpoint,
		 struct dst_cache *cache)
{
	struct flowi6 fl = {
		.daddr = endpoint->addr6.sin6_addr,
		.fl6_dport = endpoint->addr6.sin6_port,
		.flowi6_mark = READ_ONCE(wg->fwmark),
		.flowi6_oif = endpoint->addr6.sin6_scope_id,
		.flowi6_proto = IPPROTO_UDP,
	};
	struct dst_entry *dst = NULL;
	struct sock *sk;

	sk = rcu_dereference_bh(wg->sock6);
	if (unlikely(!sk))
		return -ENETDOWN;
	fl.fl6_sport = inet_sk(sk)->inet_sport;

	if (cache)
		dst = dst_cache_get_ip6(cache, &fl.saddr);
	if (!dst) {
		security_sk_classify_flow(sk, flowi6_to_flowi_common(&fl));
		dst = route6(sk, &fl, endpoint);
		if (IS_ERR(dst))
			return PTR_ERR(dst);
		if (cache)
			dst_cache_set_ip6(cache, dst, &fl.saddr);
	}
	send_by6(wg, sk, list, dst, &fl);
	return 0;
}
#else
static int send6(struct nwg_device *wg, struct sk_buff *list, const struct nwg_endpoint *endpoint,
		 struct dst_cache *cache)
{
	return -EAFNOSUPPORT;
}
#endif

/* Hand messages to the stack. Return: an error if that has taken none. */
static int send_to(struct nwg_device *wg, struct sk_buff *list, const struct nwg_endpoint *endpoint,
		   struct dst_cache *cache)
{
	struct sk_buff *skb;

	/* From here on they are packets of the namespace that the sockets are in. */
	for (skb = list; skb; skb = skb->next) {
		nwg_scrub(skb);
		skb_clear_hash_if_not_l4(skb);
		skb->mark = READ_ONCE(wg->fwmark);
		skb->dev = wg->dev;
		skb->ip_summed = CHECKSUM_NONE;
		skb->encapsulation = 0;
	}
	switch (endpoint->addr.sa_family) {
	case AF_INET:
		return send4(wg, list, endpoint, cache);
	case AF_INET6:
		return send6(wg, list, endpoint, cache);
	default:
		return -EDESTADDRREQ;
	}
}

int nwg_socket_send(struct nwg_peer *peer, struct sk_buff *list)
{
	struct nwg_device *wg = peer->device;
	struct nwg_endpoint endpoint;
	unsigned int sequence;
	struct sk_buff *skb;
	u64 bytes = 0;
	int err;

	for (skb = list; skb; skb = skb->next)
		bytes += skb->len;
	sequence = endpoint_read(&endpoint, peer);
	err = send_to(wg, list, &endpoint, &peer->dst_cache);
	/* The route that was cached just now may be the one to where the peer was before. */
	if (unlikely(read_seqretry(&peer->endpoint.lock, sequence)))
		dst_cache_reset(&peer->dst_cache);
	if (likely(!err)) {
		atomic64_add(bytes, &peer->tx_bytes);
	} else {
		net_dbg_ratelimited("%s: Packet for " NWG_LOG_PEER " not sent: error %d\n",
				    wg->dev->name, nwg_log_peer(peer), err);
		nwg_device_drop_list(wg, list,
				     err == -EDESTADDRREQ ? NWG_DEVICE_DROP_NO_ENDPOINT :
							    NWG_DEVICE_DROP_NO_ROUTE);
	}
	return err;
}

/* Return: the message as a packet, or NULL, and then it counts as dropped. */
static struct sk_buff *skb_from_buffer(struct nwg_device *wg, const void *buffer, size_t len, u8 ds)
{
	struct sk_buff *skb = alloc_skb(len + NWG_HEADROOM + LL_MAX_HEADER, GFP_ATOMIC);

	if (!skb) {
		DEV_STATS_INC(wg->dev, tx_dropped);
		return NULL;
	}
	skb_reserve(skb, NWG_HEADROOM + LL_MAX_HEADER);
	skb_put_data(skb, buffer, len);
	nwg_packet(skb)->ds = ds;
	return skb;
}

int nwg_socket_send_buffer(struct nwg_peer *peer, const void *buffer, size_t len, u8 ds)
{
	struct sk_buff *skb = skb_from_buffer(peer->device, buffer, len, ds);
	int err;

	if (!skb)
		return -ENOMEM;
	rcu_read_lock_bh();
	err = nwg_socket_send(peer, skb);
	rcu_read_unlock_bh();
	return err;
}

int nwg_socket_reply(struct nwg_device *wg, struct sk_buff *in, const void *buffer, size_t len)
{
	struct nwg_endpoint endpoint;
	struct sk_buff *skb;
	int err;

	if (nwg_endpoint_from_skb(&endpoint, in))
		return -EINVAL;
	skb = skb_from_buffer(wg, buffer, len, 0);
	if (!skb)
		return -ENOMEM;
	rcu_read_lock_bh();
	err = send_to(wg, skb, &endpoint, NULL);
	if (err)
		nwg_device_drop(wg, skb, NWG_DEVICE_DROP_NO_ROUTE);
	rcu_read_unlock_bh();
	return err;
}

static int socket_receive(struct sock *sk, struct sk_buff *skb)
{
	struct nwg_device *wg = rcu_dereference_sk_user_data(sk);

	if (unlikely(!wg))
		kfree_skb(skb);
	else
		nwg_receive(wg, skb);
	return 0;
}

static int socket_create(struct nwg_device *wg, struct net *net, u8 family, u16 port,
			 struct sock **sk)
{
	struct udp_tunnel_sock_cfg tunnel = {
		.sk_user_data = wg,
		.encap_type = 1,
		.encap_rcv = socket_receive,
	};
	struct udp_port_cfg config = {
		.family = family,
		.local_udp_port = htons(port),
		.use_udp_checksums = true,
		.use_udp6_tx_checksums = true,
		.use_udp6_rx_checksums = true,
		.ipv6_v6only = true,
	};
	struct socket *socket;
	int err;

	if (family == AF_INET)
		config.local_ip.s_addr = htonl(INADDR_ANY);
	err = udp_sock_create(net, &config, &socket);
	if (err)
		return err;
	socket->sk->sk_allocation = GFP_ATOMIC;
	socket->sk->sk_sndbuf = INT_MAX;
	setup_udp_tunnel_sock(net, socket->sk, &tunnel);
	*sk = socket->sk;
	return 0;
}

static void socket_destroy(struct sock *sk)
{
	if (sk)
		udp_tunnel_sock_release(sk);
}

static int sockets_create(struct nwg_device *wg, struct net *net, u16 port, struct sock **sk4,
			  struct sock **sk6)
{
	int attempt, err;

	for (attempt = 0; attempt < PORT_ATTEMPTS; attempt++) {
		*sk4 = NULL;
		*sk6 = NULL;
		err = socket_create(wg, net, AF_INET, port, sk4);
		if (err || !IS_ENABLED(CONFIG_IPV6) || !ipv6_mod_enabled())
			return err;
		err = socket_create(wg, net, AF_INET6, ntohs(inet_sk(*sk4)->inet_sport), sk6);
		if (!err)
			return 0;
		socket_destroy(*sk4);
		if (err != -EADDRINUSE || port)
			return err;
	}
	return err;
}

static void sockets_exchange(struct nwg_device *wg, struct sock *sk4, struct sock *sk6)
{
	sk4 = rcu_replace_pointer(wg->sock4, sk4, lockdep_is_held(&wg->update_lock));
	sk6 = rcu_replace_pointer(wg->sock6, sk6, lockdep_is_held(&wg->update_lock));
	if (!sk4 && !sk6)
		return;
	synchronize_rcu_expedited();
	socket_destroy(sk4);
	socket_destroy(sk6);
}

int nwg_socket_open(struct nwg_device *wg, u16 port)
{
	struct sock *sk4, *sk6;
	struct nwg_peer *peer;
	struct net *net;
	int err;

	lockdep_assert_held(&wg->update_lock);
	rcu_read_lock();
	net = rcu_dereference(wg->creating_net);
	net = net ? maybe_get_net(net) : NULL;
	rcu_read_unlock();
	if (!net)
		return -ENONET;

	/* Open already, and at the port that is asked for: it could not be bound a second time. */
	if (rcu_access_pointer(wg->sock4) && port && port == wg->port) {
		put_net(net);
		return 0;
	}
	err = sockets_create(wg, net, port, &sk4, &sk6);
	if (!err) {
		wg->port = ntohs(inet_sk(sk4)->inet_sport);
		sockets_exchange(wg, sk4, sk6);
		list_for_each_entry(peer, &wg->peers, list)
			nwg_endpoint_forget_source(peer);
	}
	put_net(net);
	return err;
}

void nwg_socket_close(struct nwg_device *wg)
{
	struct nwg_peer *peer;

	lockdep_assert_held(&wg->update_lock);
	sockets_exchange(wg, NULL, NULL);
	/* Without sockets nobody looks at the routes, and they must not outlive their namespace. */
	list_for_each_entry(peer, &wg->peers, list)
		dst_cache_reset_now(&peer->dst_cache);
}
