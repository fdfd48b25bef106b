// SPDX-License-Identifier: GPL-2.0
#include "receive.h"

#include <asm/unaligned.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/udp.h>
#include <net/inet_ecn.h>
#include <net/ip_tunnels.h>

#include "device.h"
#include "log.h"
#include "peer.h"
#include "protocol/aead.h"
#include "relay/relay.h"
#include "send.h"

/* An initiator that receives on a session this old starts a new one (white paper, section 6.2). */
#define REKEY_ON_RECEIVE_AFTER (NWG_REJECT_AFTER_TIME - NWG_KEEPALIVE_TIMEOUT - NWG_REKEY_TIMEOUT)

/* DS field of the IP header that the datagram came in. */
static u8 outer_ds(const struct sk_buff *skb)
{
	return ip_tunnel_get_dsfield(ip_hdr(skb), skb);
}

/* Decrypt a transport message in place and leave the plain, padded packet. */
static bool decrypt(struct sk_buff *skb, struct nwg_session *session)
{
	struct nwg_message_transport *header = (void *)skb->data;
	u8 *packet = skb->data + sizeof(*header);
	u64 counter = le64_to_cpu(header->counter);
	bool fresh;

	if (unlikely(nwg_session_older_than(session, NWG_REJECT_AFTER_TIME)))
		return false;
	if (unlikely(!aead_decrypt(packet, skb->len - NWG_TRANSPORT_MIN_LEN, counter,
				   session->receive_key)))
		return false;

	spin_lock_bh(&session->replay_lock);
	fresh = replay_accept(&session->replay, counter);
	spin_unlock_bh(&session->replay_lock);
	if (unlikely(!fresh)) {
		net_dbg_ratelimited("%s: Packet has invalid nonce %llu\n",
				    session->index.peer->device->dev->name, counter);
		return false;
	}
	__skb_pull(skb, sizeof(*header));
	__skb_trim(skb, skb->len - NWG_TAG_LEN);
	return true;
}

/*
 * Make the decrypted bytes a packet of the stack's. Returns the peer that its source belongs to,
 * NULL if it is no packet.
 */
static struct nwg_peer *parse_plain(struct nwg_device *wg, struct sk_buff *skb, u8 ds)
{
	unsigned int len;

	skb_scrub_packet(skb, true);
	skb_reset_mac_header(skb);
	skb_reset_network_header(skb);
	skb->dev = wg->dev;
	/* The tag vouches for every byte, so for the inner checksums, too. */
	skb->ip_summed = CHECKSUM_UNNECESSARY;
	skb->csum_level = ~0;
	skb->encapsulation = 0;
	skb_clear_hash(skb);

	if (skb->len >= sizeof(struct iphdr) && ip_hdr(skb)->version == 4) {
		len = ntohs(ip_hdr(skb)->tot_len);
		if (len < sizeof(struct iphdr))
			return NULL;
		skb->protocol = htons(ETH_P_IP);
	} else if (skb->len >= sizeof(struct ipv6hdr) && ip_hdr(skb)->version == 6) {
		len = ntohs(ipv6_hdr(skb)->payload_len) + sizeof(struct ipv6hdr);
		skb->protocol = htons(ETH_P_IPV6);
	} else {
		return NULL;
	}
	if (len > skb->len)
		return NULL;
	__skb_trim(skb, len);

	/* RFC 6040, section 4.2: a packet that is not ECN-capable and met congestion is dropped. */
	if (INET_ECN_decapsulate(skb, ds, ip_tunnel_get_dsfield(ip_hdr(skb), skb)) > 1)
		return NULL;
	if (skb->protocol == htons(ETH_P_IP))
		return allowedips_lookup(&wg->allowedips, AF_INET, &ip_hdr(skb)->saddr);
	return allowedips_lookup(&wg->allowedips, AF_INET6, &ipv6_hdr(skb)->saddr);
}

static void deliver(struct nwg_receive_queue *queue, struct nwg_peer *peer, struct sk_buff *skb,
		    u8 ds)
{
	struct nwg_device *wg = queue->device;
	struct nwg_peer *owner;

	owner = parse_plain(wg, skb, ds);
	if (unlikely(owner != peer)) {
		DEV_STATS_INC(wg->dev, rx_errors);
		DEV_STATS_INC(wg->dev, rx_frame_errors);
		net_dbg_ratelimited(
			"%s: Packet from peer %llu is malformed or has a source that is not allowed\n",
			wg->dev->name, peer->id);
		kfree_skb(skb);
		return;
	}
	if (unlikely(!list_empty(&wg->relays)) && nwg_relay_reverse(peer, skb, &queue->relayed))
		return;
	napi_gro_receive(&queue->napi, skb);
}

static void receive_transport(struct nwg_receive_queue *queue, struct sk_buff *skb)
{
	struct nwg_device *wg = queue->device;
	struct nwg_session *session;
	struct nwg_endpoint endpoint;
	struct nwg_index *index;
	struct nwg_peer *peer;
	unsigned int len;
	u8 ds;

	len = skb->len;
	index = nwg_index_lookup(&wg->indices,
				 ((struct nwg_message_transport *)skb->data)->receiver);
	if (unlikely(!index || index->kind != NWG_INDEX_SESSION))
		goto error;
	session = container_of(index, struct nwg_session, index);
	peer = index->peer;
	if (unlikely(READ_ONCE(peer->dead)))
		goto error;

	if (unlikely(skb_linearize_cow(skb)))
		goto error;
	ds = outer_ds(skb);
	if (unlikely(!decrypt(skb, session)))
		goto error;
	if (likely(!nwg_endpoint_from_skb(&endpoint, skb)))
		nwg_endpoint_set(peer, &endpoint);
	atomic64_add(len, &peer->rx_bytes);
	dev_sw_netstats_rx_add(wg->dev, len);

	if (unlikely(nwg_session_confirm(peer, session))) {
		nwg_timers_handshake_complete(peer);
		nwg_peer_send_staged(peer);
	}
	if (unlikely(session->initiator &&
		     nwg_session_older_than(session, REKEY_ON_RECEIVE_AFTER) &&
		     rcu_access_pointer(peer->sessions.current_session) == session))
		nwg_handshake_request(peer, false);
	nwg_timers_authenticated_received(peer);

	if (unlikely(!skb->len)) {
		nwg_dbg(wg, "Receiving keepalive packet from peer %llu\n", peer->id);
		consume_skb(skb);
		return;
	}
	nwg_timers_data_received(peer);
	deliver(queue, peer, skb, ds);
	return;

error:
	DEV_STATS_INC(wg->dev, rx_errors);
	kfree_skb(skb);
}

/* Work off what waits in a queue, at most @budget messages. */
static int receive_poll(struct napi_struct *napi, int budget)
{
	struct nwg_receive_queue *queue = container_of(napi, struct nwg_receive_queue, napi);
	struct sk_buff *skb;
	int done = 0;

	rcu_read_lock();
	while (done < budget) {
		if (skb_queue_empty(&queue->taken)) {
			spin_lock(&queue->arrived.lock);
			skb_queue_splice_tail_init(&queue->arrived, &queue->taken);
			spin_unlock(&queue->arrived.lock);
		}
		skb = __skb_dequeue(&queue->taken);
		if (!skb)
			break;
		receive_transport(queue, skb);
		done++;
	}
	nwg_batch_flush(&queue->relayed);
	rcu_read_unlock();
	if (done < budget)
		napi_complete_done(napi, done);
	return done;
}

/*
 * Messages of one session go through one queue, so they are decrypted and delivered in the order in
 * which they came, whichever CPUs they came on. The index is random, so sessions spread over the
 * queues.
 */
static void enqueue(struct nwg_device *wg, struct sk_buff *skb)
{
	const struct nwg_message_transport *header = (void *)skb->data;
	struct nwg_receive_queue *queue;
	struct nwg_index *index;
	unsigned int waiting;

	/* Who does not even know an index gets no place in the queue. */
	index = nwg_index_lookup(&wg->indices, header->receiver);
	if (unlikely(!index || index->kind != NWG_INDEX_SESSION)) {
		DEV_STATS_INC(wg->dev, rx_errors);
		kfree_skb(skb);
		return;
	}
	queue = &wg->receive_queues[le32_to_cpu(header->receiver) & (wg->receive_queue_count - 1)];
	spin_lock_bh(&queue->arrived.lock);
	waiting = skb_queue_len(&queue->arrived);
	if (likely(waiting < NWG_MAX_QUEUED_RECEIVED))
		__skb_queue_tail(&queue->arrived, skb);
	spin_unlock_bh(&queue->arrived.lock);

	if (unlikely(waiting >= NWG_MAX_QUEUED_RECEIVED)) {
		DEV_STATS_INC(wg->dev, rx_dropped);
		kfree_skb(skb);
	} else if (!waiting) {
		napi_schedule(&queue->napi);
	}
}

void nwg_receive(struct nwg_device *wg, struct sk_buff *skb)
{
	skb_mark_not_on_list(skb);
	/* It may wait for longer than the route that brought it lives. */
	skb_dst_drop(skb);
	nf_reset_ct(skb);
	/* No message is shorter than the header of a transport message. */
	if (unlikely(!pskb_may_pull(skb, sizeof(struct udphdr) + NWG_TRANSPORT_HEADER_LEN)))
		goto error;
	__skb_pull(skb, sizeof(struct udphdr));

	switch (nwg_message_classify(skb->data, skb->len)) {
	case NWG_MESSAGE_TRANSPORT:
		enqueue(wg, skb);
		return;
	case NWG_MESSAGE_INITIATION:
	case NWG_MESSAGE_RESPONSE:
	case NWG_MESSAGE_COOKIE_REPLY:
		nwg_handshake_enqueue(wg, skb);
		return;
	case NWG_MESSAGE_INVALID:
		break;
	}
error:
	DEV_STATS_INC(wg->dev, rx_errors);
	DEV_STATS_INC(wg->dev, rx_length_errors);
	kfree_skb(skb);
}

int nwg_receive_init(struct nwg_device *wg)
{
	unsigned int i;

	wg->receive_queue_count = roundup_pow_of_two(num_possible_cpus());
	wg->receive_queues =
		kvcalloc(wg->receive_queue_count, sizeof(*wg->receive_queues), GFP_KERNEL);
	if (!wg->receive_queues)
		return -ENOMEM;
	for (i = 0; i < wg->receive_queue_count; i++) {
		struct nwg_receive_queue *queue = &wg->receive_queues[i];

		queue->device = wg;
		skb_queue_head_init(&queue->arrived);
		__skb_queue_head_init(&queue->taken);
		netif_napi_add(wg->dev, &queue->napi, receive_poll);
	}
	/* A burst is decrypted as one batch, and not on the CPU that takes it off the wire alone. */
	dev_set_threaded(wg->dev, true);
	return 0;
}

void nwg_receive_start(struct nwg_device *wg)
{
	unsigned int i;

	for (i = 0; i < wg->receive_queue_count; i++)
		napi_enable(&wg->receive_queues[i].napi);
}

void nwg_receive_stop(struct nwg_device *wg)
{
	unsigned int i;

	for (i = 0; i < wg->receive_queue_count; i++) {
		struct nwg_receive_queue *queue = &wg->receive_queues[i];

		napi_disable(&queue->napi);
		skb_queue_purge(&queue->arrived);
		__skb_queue_purge(&queue->taken);
	}
}

void nwg_receive_free(struct nwg_device *wg)
{
	unsigned int i;

	for (i = 0; i < wg->receive_queue_count; i++)
		netif_napi_del(&wg->receive_queues[i].napi);
	kvfree(wg->receive_queues);
}
