// SPDX-License-Identifier: GPL-2.0
#include "device.h"

#include <crypto/utils.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/inetdevice.h>
#include <linux/suspend.h>
#include <net/addrconf.h>
#include <net/dst_metadata.h>
#include <net/icmp.h>
#include <net/ip_tunnels.h>
#include <net/net_namespace.h>
#include <net/rtnetlink.h>

#include "drop.h"
#include "log.h"
#include "peer.h"
#include "relay/relay.h"
#include "transport/send.h"
#include "uapi/nwg.h"

/* What is around an inner packet at least: IPv4, UDP, transport header, tag. */
#define OVERHEAD (sizeof(struct iphdr) + sizeof(struct udphdr) + NWG_TRANSPORT_MIN_LEN)

static LIST_HEAD(devices); /* RTNL */

static struct nwg_peer *peer_for(struct nwg_device *wg, struct sk_buff *skb)
{
	if (skb->protocol == htons(ETH_P_IP))
		return allowedips_lookup(&wg->allowedips, AF_INET, &ip_hdr(skb)->daddr);
	return allowedips_lookup(&wg->allowedips, AF_INET6, &ipv6_hdr(skb)->daddr);
}

/*
 * Whether the packet is as long as the header of the protocol that it says it is, and of that
 * version.
 */
static bool protocol_valid(struct sk_buff *skb)
{
	return skb->protocol && skb->protocol == ip_tunnel_parse_protocol(skb) &&
	       pskb_network_may_pull(skb, skb->protocol == htons(ETH_P_IP) ?
						  sizeof(struct iphdr) :
						  sizeof(struct ipv6hdr));
}

/* Where the UDP header of a packet, or of its first fragment, is; or a negative number. */
static int udp_offset(const struct sk_buff *skb)
{
	const int offset = skb_network_offset(skb);
	__be16 fragment = 0;
	u8 next;
	int end;

	if (skb->protocol == htons(ETH_P_IP)) {
		if (likely(ip_hdr(skb)->protocol != IPPROTO_UDP) ||
		    ip_hdr(skb)->frag_off & htons(IP_OFFSET))
			return -1;
		return offset + ip_hdrlen(skb);
	}
	next = ipv6_hdr(skb)->nexthdr;
	if (likely(next == IPPROTO_UDP))
		return offset + sizeof(struct ipv6hdr);
	if (likely(!ipv6_ext_hdr(next)))
		return -1;
	end = ipv6_skip_exthdr(skb, offset + sizeof(struct ipv6hdr), &next, &fragment);
	return next == IPPROTO_UDP && !(fragment & htons(IP6_OFFSET)) ? end : -1;
}

/* Whether a packet to a UDP port goes to the peer's endpoint. */
static bool goes_to(struct nwg_peer *peer, const struct sk_buff *skb, __be16 port)
{
	struct nwg_endpoint endpoint;

	nwg_endpoint_read(&endpoint, peer);
	if (skb->protocol == htons(ETH_P_IP))
		return endpoint.addr.sa_family == AF_INET && endpoint.addr4.sin_port == port &&
		       endpoint.addr4.sin_addr.s_addr == ip_hdr(skb)->daddr;
	return endpoint.addr.sa_family == AF_INET6 && endpoint.addr6.sin6_port == port &&
	       ipv6_addr_equal(&endpoint.addr6.sin6_addr, &ipv6_hdr(skb)->daddr);
}

/*
 * Whether a message that we sent to the peer comes back to be sent to it again: of a routing loop by
 * way of another namespace or host the route of the outer packet tells nothing. It would go round
 * for ever, for each time it gets a new TTL, or wait for the handshake that it is to begin. The index
 * alone is no sign: it is whatever its owner has chosen, which others may have, too.
 */
static bool comes_back(struct nwg_peer *peer, const struct sk_buff *skb)
{
	const struct nwg_session *session = rcu_dereference_bh(peer->sessions.current_session);
	const int offset = udp_offset(skb);
	struct {
		struct udphdr udp;
		__le32 type;
		__le32 index;
	} buffer, *message;
	bool ours = false;

	if (likely(offset < 0))
		return false;
	message = skb_header_pointer(skb, offset, sizeof(buffer), &buffer);
	if (!message)
		return false;
	switch (le32_to_cpu(message->type)) {
	case NWG_MESSAGE_INITIATION:
	case NWG_MESSAGE_RESPONSE:
		/* The sender's. */
		ours = message->index == READ_ONCE(peer->handshake.index.value);
		break;
	case NWG_MESSAGE_TRANSPORT:
		ours = session && message->index == session->remote_index;
		break;
	}
	return unlikely(ours) && goes_to(peer, skb, message->udp.dest);
}

static void log_no_peer(const struct net_device *dev, const struct sk_buff *skb)
{
	if (skb->protocol == htons(ETH_P_IP))
		net_dbg_ratelimited("%s: No peer has %pI4 in its allowed IPs\n", dev->name,
				    &ip_hdr(skb)->daddr);
	else
		net_dbg_ratelimited("%s: No peer has %pI6c in its allowed IPs\n", dev->name,
				    &ipv6_hdr(skb)->daddr);
}

static netdev_tx_t device_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct nwg_device *wg = netdev_priv(dev);
	enum nwg_device_drop_reason reason;
	struct nwg_peer *peer;
	int err;

	rcu_read_lock_bh();
	if (unlikely(!protocol_valid(skb))) {
		err = -EPROTONOSUPPORT;
		reason = NWG_DEVICE_DROP_NOT_IP;
		net_dbg_ratelimited("%s: Invalid IP packet\n", dev->name);
		goto refuse;
	}
	peer = peer_for(wg, skb);
	if (unlikely(!peer)) {
		err = -ENOKEY;
		reason = NWG_DEVICE_DROP_NO_PEER;
		log_no_peer(dev, skb);
		goto unreachable;
	}
	if (unlikely(!READ_ONCE(peer->endpoint.value.addr.sa_family))) {
		err = -EDESTADDRREQ;
		reason = NWG_DEVICE_DROP_NO_ENDPOINT;
		net_dbg_ratelimited("%s: No endpoint is known for peer %llu\n", dev->name,
				    peer->id);
		goto unreachable;
	}
	if (unlikely(comes_back(peer, skb))) {
		/* Its sender is this interface, which counts it here. */
		err = NETDEV_TX_OK;
		reason = NWG_DEVICE_DROP_ROUTING_LOOP;
		net_dbg_ratelimited("%s: Routing loop: a message to " NWG_LOG_PEER " came back\n",
				    dev->name, nwg_log_peer(peer));
		goto refuse;
	}
	nwg_peer_send(peer, skb, skb_valid_dst(skb) ? dst_mtu(skb_dst(skb)) : READ_ONCE(dev->mtu));
	rcu_read_unlock_bh();
	return NETDEV_TX_OK;

unreachable:
	if (skb->protocol == htons(ETH_P_IP))
		icmp_ndo_send(skb, ICMP_DEST_UNREACH, ICMP_HOST_UNREACH, 0);
	else
		icmpv6_ndo_send(skb, ICMPV6_DEST_UNREACH, ICMPV6_ADDR_UNREACH, 0);
refuse:
	rcu_read_unlock_bh();
	nwg_device_drop(wg, skb, reason);
	return err;
}

/* End all that goes on with the peers, but keep them. */
static void quiesce(struct nwg_device *wg)
{
	struct nwg_peer *peer;

	lockdep_assert_held(&wg->update_lock);
	list_for_each_entry(peer, &wg->peers, list) {
		nwg_timers_stop(peer);
		cancel_work_sync(&peer->transmit_handshake_work);
		cancel_work_sync(&peer->timers.erase_work);
		/* They queue themselves where there is much, and the first one the second. */
		while (flush_work(&peer->gather_work) || flush_work(&peer->transmit_work))
			;
		nwg_peer_purge_staged(peer);
		nwg_handshake_erase(peer);
		atomic64_set(&peer->handshake.last_sent, 0);
	}
}

/* From now on; the next one comes whether this one can be sent or not. */
static void keep_alive(struct nwg_peer *peer)
{
	nwg_timers_persistent_changed(peer);
	nwg_peer_send_keepalive(peer);
}

static void cancel_answers(struct nwg_device *wg)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(wg->answer_works); i++)
		cancel_work_sync(&wg->answer_works[i].work);
}

/* What was begun with nwg_receive_start() ends, whether there are sockets or not. */
static void wind_down(struct nwg_device *wg)
{
	/* Nothing more comes in, and what came in could not be answered. */
	nwg_socket_close(wg);
	nwg_receive_stop(wg);
	nwg_handshake_purge(wg);
	cancel_answers(wg);
	/*
	 * The interface does not count as running, so that after a grace period no timer is armed
	 * any more, and no relay sends.
	 */
	WARN_ON_ONCE(netif_running(wg->dev));
	synchronize_net();
	quiesce(wg);
}

static int device_open(struct net_device *dev)
{
	struct in_device *in_dev = __in_dev_get_rtnl(dev);
	struct inet6_dev *in6_dev = __in6_dev_get(dev);
	struct nwg_device *wg = netdev_priv(dev);
	struct nwg_peer *peer;
	int err;

	/*
	 * Its peers are not on one link, so none is told of a shorter way to another. The kernel
	 * sends redirects if either this interface or all are to.
	 */
	if (in_dev) {
		IN_DEV_CONF_SET(in_dev, SEND_REDIRECTS, false);
		IPV4_DEVCONF_ALL(dev_net(dev), SEND_REDIRECTS) = false;
	}
	/* A link-local address would be in nobody's allowed IPs. */
	if (in6_dev)
		in6_dev->cnf.addr_gen_mode = IN6_ADDR_GEN_MODE_NONE;

	mutex_lock(&wg->update_lock);
	nwg_receive_start(wg);
	err = nwg_socket_open(wg, wg->port);
	if (err) {
		/* Who sets the link up is told no more than the error's number. */
		net_err_ratelimited("%s: Not up: no socket on UDP port %u: %pe%s\n", dev->name,
				    wg->port, ERR_PTR(err),
				    err == -EADDRINUSE ? ", another has it (see ss -ulpn)" : "");
		/* The core does so, too, but after this. */
		clear_bit(__LINK_STATE_START, &dev->state);
		wind_down(wg);
		goto out;
	}
	list_for_each_entry(peer, &wg->peers, list) {
		/* What a request made it send while there was no socket was lost. */
		atomic64_set(&peer->handshake.last_sent, 0);
		if (peer->persistent_keepalive)
			keep_alive(peer);
	}
out:
	mutex_unlock(&wg->update_lock);
	return err;
}

static int device_stop(struct net_device *dev)
{
	struct nwg_device *wg = netdev_priv(dev);

	mutex_lock(&wg->update_lock);
	wind_down(wg);
	mutex_unlock(&wg->update_lock);
	return 0;
}

static int device_init(struct net_device *dev)
{
	const unsigned int at_once = min(num_possible_cpus(), NWG_MAX_HANDSHAKES_AT_ONCE);
	struct nwg_device *wg = netdev_priv(dev);
	int err;

	err = nwg_netdev_alloc_tstats(dev);
	if (err)
		return err;
	/* Threads of the kernel are nobody's, so who may make interfaces without being root gets none. */
	wg->handshake_workqueue =
		alloc_workqueue("nwg-%s", WQ_UNBOUND | WQ_FREEZABLE, at_once, dev->name);
	if (!wg->handshake_workqueue) {
		err = -ENOMEM;
		goto free_stats;
	}
	wg->answer_workqueue =
		alloc_workqueue("nwg-rx-%s", WQ_UNBOUND | WQ_FREEZABLE, at_once, dev->name);
	if (!wg->answer_workqueue) {
		err = -ENOMEM;
		goto destroy_handshake_workqueue;
	}
	err = nwg_index_table_init(&wg->indices);
	if (err)
		goto destroy_answer_workqueue;
	err = nwg_receive_init(wg);
	if (err)
		goto free_indices;
	list_add_tail(&wg->list, &devices);
	return 0;

free_indices:
	nwg_index_table_free(&wg->indices);
destroy_answer_workqueue:
	destroy_workqueue(wg->answer_workqueue);
destroy_handshake_workqueue:
	destroy_workqueue(wg->handshake_workqueue);
free_stats:
	nwg_netdev_free_tstats(dev);
	return err;
}

/* The interface is down and cannot be found any more. */
static void device_uninit(struct net_device *dev)
{
	struct nwg_device *wg = netdev_priv(dev);

	list_del(&wg->list);
	mutex_lock(&wg->update_lock);
	nwg_relay_device_removed(wg);
	nwg_peer_remove_all(wg);
	nwg_socket_close(wg);
	RCU_INIT_POINTER(wg->creating_net, NULL);
	mutex_unlock(&wg->update_lock);
	cancel_answers(wg);
	nwg_handshake_purge(wg);
}

/* Nobody holds the interface any more. */
static void device_destruct(struct net_device *dev)
{
	struct nwg_device *wg = netdev_priv(dev);

	/*
	 * Peers and sessions that wait for a grace period have pointers to the interface and to its
	 * index table.
	 */
	rcu_barrier();
	destroy_workqueue(wg->answer_workqueue);
	destroy_workqueue(wg->handshake_workqueue);
	nwg_receive_free(wg);
	nwg_index_table_free(&wg->indices);
	nwg_netdev_free_tstats(dev);
	memzero_explicit(&wg->identity, sizeof(wg->identity));
	memzero_explicit(&wg->gate, sizeof(wg->gate));
	nwg_dbg(wg, "Interface destroyed\n");
}

static const struct net_device_ops device_ops = {
	.ndo_init = device_init,
	.ndo_uninit = device_uninit,
	.ndo_open = device_open,
	.ndo_stop = device_stop,
	.ndo_start_xmit = device_xmit,
	.ndo_get_stats64 = dev_get_tstats64,
};

static const struct device_type device_type = { .name = NWG_LINK_KIND };
static const struct device_type drop_in_type = { .name = NWG_DROP_IN_NAME };

static void setup(struct net_device *dev, const struct device_type *type)
{
	/* What another nwg interface sends goes whole into a nested tunnel: see nwg_fraglist_close(). */
	enum {
		FEATURES = NETIF_F_HW_CSUM | NETIF_F_RXCSUM | NETIF_F_SG | NETIF_F_GSO |
			   NETIF_F_GSO_SOFTWARE | NETIF_F_GSO_IPXIP4 | NETIF_F_HIGHDMA
	};
	struct nwg_device *wg = netdev_priv(dev);
	unsigned int i;

	dev->netdev_ops = &device_ops;
	dev->header_ops = &ip_tunnel_header_ops;
	dev->hard_header_len = 0;
	dev->addr_len = 0;
	dev->needed_headroom = LL_MAX_HEADER + NWG_HEADROOM;
	dev->needed_tailroom = NWG_PADDING + NWG_TAG_LEN;
	dev->type = ARPHRD_NONE;
	dev->flags = IFF_POINTOPOINT | IFF_NOARP;
	dev->priv_flags |= IFF_NO_QUEUE;
	dev->features |= FEATURES;
	nwg_netdev_set_lltx(dev);
	dev->hw_features |= FEATURES;
	dev->hw_enc_features |= FEATURES;
	dev->mtu = NWG_DEFAULT_MTU;
	dev->min_mtu = IPV4_MIN_MTU;
	/* The length of an IPv6 packet leaves its header out, so that more would fit. */
	dev->max_mtu = IP_MAX_MTU - OVERHEAD;
	nwg_netdev_set_tstats(dev);
	dev->needs_free_netdev = true;
	dev->priv_destructor = device_destruct;
	SET_NETDEV_DEVTYPE(dev, type);
	/* We need the route of the packet for its MTU. */
	netif_keep_dst(dev);

	wg->dev = dev;
	mutex_init(&wg->update_lock);
	init_rwsem(&wg->identity_lock);
	INIT_LIST_HEAD(&wg->peers);
	INIT_LIST_HEAD(&wg->relays);
	hash_init(wg->peers_by_key);
	get_random_bytes(&wg->peer_hash_key, sizeof(wg->peer_hash_key));
	skb_queue_head_init(&wg->handshakes);
	for (i = 0; i < ARRAY_SIZE(wg->answer_works); i++) {
		wg->answer_works[i].device = wg;
		INIT_WORK(&wg->answer_works[i].work, nwg_handshake_receive_work);
	}
	nwg_gate_init(&wg->gate);
}

static void device_setup(struct net_device *dev)
{
	setup(dev, &device_type);
}

static void drop_in_setup(struct net_device *dev)
{
	setup(dev, &drop_in_type);
}

static int device_newlink(struct net_device *dev, struct rtnl_newlink_params *params,
			  struct netlink_ext_ack *extack)
{
	struct nwg_device *wg = netdev_priv(dev);
	int err;

	rcu_assign_pointer(wg->creating_net, rtnl_newlink_link_net(params));
	err = register_netdevice(dev);
	if (!err)
		nwg_dbg(wg, "Interface created\n");
	return err;
}

NWG_NEWLINK(device_newlink)

static struct rtnl_link_ops link_ops __read_mostly = {
	.kind = NWG_LINK_KIND,
	.priv_size = sizeof(struct nwg_device),
	.setup = device_setup,
	.newlink = nwg_newlink(device_newlink),
};

/* The same interface by the name of the stock one's kind. */
static struct rtnl_link_ops drop_in_link_ops __read_mostly = {
	.kind = NWG_DROP_IN_NAME,
	.priv_size = sizeof(struct nwg_device),
	.setup = drop_in_setup,
	.newlink = nwg_newlink(device_newlink),
};

struct nwg_device *nwg_device_from_netdev(const struct net_device *dev)
{
	const struct rtnl_link_ops *ops = dev->rtnl_link_ops;

	return ops == &link_ops || ops == &drop_in_link_ops ? netdev_priv(dev) : NULL;
}

void nwg_device_set_fwmark(struct nwg_device *wg, u32 fwmark)
{
	struct nwg_peer *peer;

	lockdep_assert_held(&wg->update_lock);
	WRITE_ONCE(wg->fwmark, fwmark);
	list_for_each_entry(peer, &wg->peers, list)
		nwg_endpoint_forget_source(peer);
}

int nwg_device_set_port(struct nwg_device *wg, u16 port)
{
	lockdep_assert_held(&wg->update_lock);
	if (port && port == wg->port)
		return 0;
	/* Not by netif_running(), which is true a little before the receive queues are ready. */
	if (rcu_access_pointer(wg->sock4))
		return nwg_socket_open(wg, port);
	wg->port = port;
	return 0;
}

/* With a new key, or after a sleep: what waits, and who is to be kept alive, begins a session. */
static void begin_anew(struct nwg_device *wg)
{
	struct nwg_peer *peer;

	lockdep_assert_held(&wg->update_lock);
	if (!netif_running(wg->dev))
		return;
	list_for_each_entry(peer, &wg->peers, list) {
		if (peer->persistent_keepalive) {
			keep_alive(peer);
			continue;
		}
		rcu_read_lock_bh();
		nwg_peer_send_staged(peer);
		rcu_read_unlock_bh();
	}
}

void nwg_device_set_private_key(struct nwg_device *wg, const u8 private[NWG_KEY_LEN])
{
	static const u8 none[NWG_KEY_LEN];
	struct noise_identity identity;
	struct nwg_peer *peer;
	LIST_HEAD(removed);
	bool present;

	lockdep_assert_held(&wg->update_lock);
	present = crypto_memneq(private, none, NWG_KEY_LEN) &&
		  noise_identity_set(&identity, private);
	if (!present)
		memset(&identity, 0, sizeof(identity));
	/* Only this function writes them, under the update lock. */
	if (present == wg->has_identity &&
	    !crypto_memneq(identity.private, wg->identity.private, NWG_KEY_LEN))
		goto out;

	if (present) {
		peer = nwg_peer_lookup(wg, identity.public);
		if (peer)
			nwg_peer_remove(peer, &removed);
		nwg_peer_remove_finish(&removed);
	}

	down_write(&wg->identity_lock);
	wg->identity = identity;
	/* Never with the key of none: see nwg_gate_check(). */
	if (!present)
		WRITE_ONCE(wg->has_identity, false);
	nwg_gate_set_key(&wg->gate, identity.public);
	if (present)
		WRITE_ONCE(wg->has_identity, true);
	list_for_each_entry(peer, &wg->peers, list) {
		noise_remote_precompute(&peer->remote, present ? &identity : NULL);
		nwg_handshake_erase(peer);
		atomic64_set(&peer->handshake.last_sent, 0);
	}
	up_write(&wg->identity_lock);

	if (present)
		begin_anew(wg);
out:
	memzero_explicit(&identity, sizeof(identity));
}

/*
 * Erase the session keys of all interfaces, because the memory is about to be written out, or was
 * copied.
 */
static void erase_all_sessions(void)
{
	struct nwg_device *wg;
	struct nwg_peer *peer;

	rtnl_lock();
	list_for_each_entry(wg, &devices, list) {
		mutex_lock(&wg->update_lock);
		list_for_each_entry(peer, &wg->peers, list) {
			timer_delete(&peer->timers.erase);
			nwg_handshake_erase(peer);
			atomic64_set(&peer->handshake.last_sent, 0);
		}
		mutex_unlock(&wg->update_lock);
	}
	rtnl_unlock();
	rcu_barrier();
}

static void start_all_sessions(void)
{
	struct nwg_device *wg;
	struct nwg_peer *peer;

	rtnl_lock();
	WRITE_ONCE(nwg_handshakes_barred, false);
	list_for_each_entry(wg, &devices, list) {
		mutex_lock(&wg->update_lock);
		/* An attempt that came to nothing does not count. */
		list_for_each_entry(peer, &wg->peers, list)
			atomic64_set(&peer->handshake.last_sent, 0);
		begin_anew(wg);
		mutex_unlock(&wg->update_lock);
	}
	rtnl_unlock();
}

/*
 * Keys are not to be in what is written to a disk, nor in a memory that somebody finds asleep. An
 * image is written by a machine that goes on working: with a session in it, it would have used
 * nonces that the one that is restored would use again.
 */
static int power_event(struct notifier_block *block, unsigned long event, void *data)
{
	/* What sleeps all the time, as phones do, would have no session ever. */
	bool routine = IS_ENABLED(CONFIG_PM_AUTOSLEEP) || IS_ENABLED(CONFIG_PM_USERSPACE_AUTOSLEEP);

	switch (event) {
	case PM_SUSPEND_PREPARE:
		if (routine)
			break;
		fallthrough;
	case PM_HIBERNATION_PREPARE:
		/* Read under each peer's handshake lock, which erasing takes. */
		WRITE_ONCE(nwg_handshakes_barred, true);
		erase_all_sessions();
		break;
	case PM_POST_SUSPEND:
	case PM_POST_HIBERNATION:
		if (nwg_handshakes_barred)
			start_all_sessions();
		break;
	}
	return NOTIFY_DONE;
}

static struct notifier_block power_notifier = { .notifier_call = power_event };

/*
 * Two copies of a machine must not go on with one session: they would use a nonce twice. From now on
 * none is used; to erase them may take its time.
 */
static int vmfork_event(struct notifier_block *block, unsigned long event, void *data)
{
	WRITE_ONCE(nwg_machine_copies, nwg_machine_copies + 1);
	erase_all_sessions();
	return NOTIFY_DONE;
}

static struct notifier_block vmfork_notifier = { .notifier_call = vmfork_event };

static int netdevice_event(struct notifier_block *block, unsigned long event, void *data)
{
	struct nwg_device *wg = nwg_device_from_netdev(netdev_notifier_info_to_dev(data));

	if (!wg)
		return NOTIFY_DONE;
	switch (event) {
	case NETDEV_PRE_UP:
		/* device_open() could not say why. */
		if (!rcu_access_pointer(wg->creating_net)) {
			NL_SET_ERR_MSG(netdev_notifier_info_to_extack(data), NWG_NO_CREATING_NET);
			return notifier_from_errno(-ENONET);
		}
		break;
	case NETDEV_UNREGISTER:
		mutex_lock(&wg->update_lock);
		/* It is not deleted but moves. */
		if (wg->dev->reg_state == NETREG_REGISTERED && !list_empty(&wg->relays))
			netdev_notice(wg->dev, "Relays removed: they cannot change namespace\n");
		nwg_relay_device_removed(wg);
		mutex_unlock(&wg->update_lock);
		break;
	}
	return NOTIFY_DONE;
}

static struct notifier_block netdevice_notifier = { .notifier_call = netdevice_event };

/* The namespace of an interface's sockets dies; the interface itself may live on in another. */
static void __net_exit namespace_pre_exit(struct net *net)
{
	struct nwg_device *wg;

	rtnl_lock();
	list_for_each_entry(wg, &devices, list) {
		if (rcu_access_pointer(wg->creating_net) != net)
			continue;
		mutex_lock(&wg->update_lock);
		nwg_dbg(wg, "The network namespace of the sockets exits\n");
		netif_carrier_off(wg->dev);
		RCU_INIT_POINTER(wg->creating_net, NULL);
		nwg_socket_close(wg);
		mutex_unlock(&wg->update_lock);
	}
	rtnl_unlock();
}

static struct pernet_operations namespace_ops = { .pre_exit = namespace_pre_exit };

int __init nwg_device_init(bool drop_in)
{
	int err;

	err = register_pm_notifier(&power_notifier);
	if (err)
		return err;
	err = register_random_vmfork_notifier(&vmfork_notifier);
	if (err)
		goto unregister_power;
	err = register_pernet_device(&namespace_ops);
	if (err)
		goto unregister_vmfork;
	err = register_netdevice_notifier(&netdevice_notifier);
	if (err)
		goto unregister_namespace;
	err = rtnl_link_register(&link_ops);
	if (err)
		goto unregister_netdevice;
	if (!drop_in)
		return 0;
	err = rtnl_link_register(&drop_in_link_ops);
	if (err)
		goto unregister_link;
	return 0;

unregister_link:
	rtnl_link_unregister(&link_ops);
unregister_netdevice:
	unregister_netdevice_notifier(&netdevice_notifier);
unregister_namespace:
	unregister_pernet_device(&namespace_ops);
unregister_vmfork:
	unregister_random_vmfork_notifier(&vmfork_notifier);
unregister_power:
	unregister_pm_notifier(&power_notifier);
	return err;
}

void nwg_device_exit(bool drop_in)
{
	if (drop_in)
		rtnl_link_unregister(&drop_in_link_ops);
	rtnl_link_unregister(&link_ops);
	unregister_netdevice_notifier(&netdevice_notifier);
	unregister_pernet_device(&namespace_ops);
	unregister_random_vmfork_notifier(&vmfork_notifier);
	unregister_pm_notifier(&power_notifier);
	rcu_barrier();
}
