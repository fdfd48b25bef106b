// SPDX-License-Identifier: GPL-2.0
#include "receive.h"

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/udp.h>
#include <net/busy_poll.h>
#include <net/inet_ecn.h>
#include <net/ip.h>
#include <net/ip_tunnels.h>

#include "device.h"
#include "drop.h"
#include "log.h"
#include "parallel.h"
#include "peer.h"
#include "protocol/aead.h"
#include "relay/relay.h"
#include "scrub.h"
#include "send.h"

/* An initiator that receives on a session this old starts a new one (white paper, section 6.2). */
#define REKEY_ON_RECEIVE_AFTER (NWG_REJECT_AFTER_TIME - NWG_KEEPALIVE_TIMEOUT - NWG_REKEY_TIMEOUT)

/* Bursts that a poll decrypts while it waits for a helper, which then schedules it again. */
#define MAX_AHEAD 4

/* A queue's work is shared with all CPUs anyway. */
#define MAX_QUEUES 8U

/* The session that a transport message is for, or NULL. */
static struct nwg_session *session_of(struct nwg_device *wg, const struct sk_buff *skb)
{
	const struct nwg_message_transport *header = (void *)skb->data;

	return nwg_session_lookup(wg, header->receiver);
}

/* DS field of the IP header that the datagram came in. */
static u8 outer_ds(const struct sk_buff *skb)
{
	return ip_tunnel_get_dsfield(ip_hdr(skb), skb);
}

/* Decrypt a transport message in place. Return: why it is to be dropped, or 0. */
static enum nwg_device_drop_reason decrypt(struct sk_buff *skb, const struct nwg_session *session)
{
	struct nwg_message_transport *header;

	if (unlikely(nwg_session_expired(session)))
		return NWG_DEVICE_DROP_SESSION_EXPIRED;
	if (unlikely(skb_linearize_cow(skb)))
		return NWG_DEVICE_DROP_RECEIVE_MEMORY;
	header = (void *)skb->data;
	if (unlikely(!aead_decrypt(skb->data + sizeof(*header), skb->len - NWG_TRANSPORT_MIN_LEN,
				   le64_to_cpu(header->counter), session->receive_key)))
		return NWG_DEVICE_DROP_NOT_AUTHENTIC;
	return NWG_NOT_DROPPED;
}

/* Decrypt a burst that was claimed, before it is its turn. */
static void decrypt_burst(struct nwg_receive_queue *queue, struct sk_buff *burst)
{
	struct nwg_session *session;
	struct sk_buff *skb;

	for (skb = burst; skb; skb = skb->next) {
		session = session_of(queue->device, skb);
		nwg_packet(skb)->decrypted = true;
		if (likely(session)) {
			nwg_packet(skb)->refused = decrypt(skb, session);
			nwg_packet(skb)->session_id = session->id;
		} else {
			nwg_packet(skb)->refused = NWG_DEVICE_DROP_SESSION_EXPIRED;
		}
	}
	spin_lock(&queue->bursts.lock);
	nwg_packet(burst)->done = true;
	spin_unlock(&queue->bursts.lock);
}

static bool decrypt_ahead(struct nwg_receive_queue *queue)
{
	struct sk_buff *burst;

	spin_lock(&queue->bursts.lock);
	burst = nwg_burst_claim(&queue->bursts);
	spin_unlock(&queue->bursts.lock);
	if (!burst)
		return false;
	decrypt_burst(queue, burst);
	return true;
}

static bool receive_help(struct nwg_burst_queue *bursts)
{
	struct nwg_receive_queue *queue = container_of(bursts, struct nwg_receive_queue, bursts);

	if (!decrypt_ahead(queue))
		return false;
	/* The poll may have been waiting for it. */
	napi_schedule(&queue->napi);
	return true;
}

/*
 * Is a message authentic, and its counter new? One CPU at a time asks this of a session's messages.
 * Return: why it is to be dropped, or 0.
 */
static enum nwg_device_drop_reason accept(struct sk_buff *skb, struct nwg_session *session)
{
	const struct nwg_packet *packet = nwg_packet(skb);
	enum nwg_device_drop_reason reason;
	u64 counter;

	if (!packet->decrypted)
		reason = decrypt(skb, session);
	/* By another session that had this index, if it took its time. */
	else if (unlikely(!packet->refused && packet->session_id != session->id))
		reason = NWG_DEVICE_DROP_SESSION_EXPIRED;
	else
		reason = packet->refused;
	if (unlikely(reason))
		return reason;
	counter = le64_to_cpu(((struct nwg_message_transport *)skb->data)->counter);
	if (unlikely(!replay_accept(&session->replay, counter))) {
		net_dbg_ratelimited("%s: Packet has invalid nonce %llu\n",
				    session->index.peer->device->dev->name, counter);
		return NWG_DEVICE_DROP_REPLAYED;
	}
	return NWG_NOT_DROPPED;
}

/*
 * Make the decrypted bytes a packet of the stack's, if they are one. Return: why they are to be
 * dropped, or 0.
 */
static enum nwg_device_drop_reason parse_plain(struct nwg_device *wg, struct sk_buff *skb, u8 ds)
{
	unsigned int len;

	nwg_scrub(skb);
	skb_reset_mac_header(skb);
	skb_reset_network_header(skb);
	skb->dev = wg->dev;
	/* The tag vouches for every byte, so for the inner checksums, too. */
	skb->ip_summed = CHECKSUM_UNNECESSARY;
	skb->csum_level = ~0;
	skb->encapsulation = 0;
	skb_clear_hash(skb);
	/* That was the queue of the lower interface. */
	skb_set_queue_mapping(skb, 0);

	if (skb->len >= sizeof(struct iphdr) && ip_hdr(skb)->version == 4) {
		len = ntohs(ip_hdr(skb)->tot_len);
		if (len < sizeof(struct iphdr))
			return NWG_DEVICE_DROP_INNER_MALFORMED;
		skb->protocol = htons(ETH_P_IP);
		skb_set_transport_header(skb, ip_hdrlen(skb));
	} else if (skb->len >= sizeof(struct ipv6hdr) && ip_hdr(skb)->version == 6) {
		len = ntohs(ipv6_hdr(skb)->payload_len) + sizeof(struct ipv6hdr);
		skb->protocol = htons(ETH_P_IPV6);
		skb_set_transport_header(skb, sizeof(struct ipv6hdr));
	} else {
		return NWG_DEVICE_DROP_INNER_MALFORMED;
	}
	if (len > skb->len)
		return NWG_DEVICE_DROP_INNER_MALFORMED;
	__skb_trim(skb, len);

	/* RFC 6040, section 4.2: a packet that is not ECN-capable and met congestion is dropped. */
	if (unlikely(INET_ECN_decapsulate(skb, ds, ip_tunnel_get_dsfield(ip_hdr(skb), skb)) > 1))
		return NWG_DEVICE_DROP_INNER_NOT_ECN;
	return NWG_NOT_DROPPED;
}

/* The peer whose allowed IPs the source lies in, or NULL. */
static struct nwg_peer *owner_of_source(struct nwg_device *wg, const struct sk_buff *skb)
{
	if (skb->protocol == htons(ETH_P_IP))
		return allowedips_lookup(&wg->allowedips, AF_INET, &ip_hdr(skb)->saddr);
	return allowedips_lookup(&wg->allowedips, AF_INET6, &ipv6_hdr(skb)->saddr);
}

static void log_foreign_source(const struct nwg_peer *peer, const struct sk_buff *skb)
{
	const char *name = peer->device->dev->name;

	if (skb->protocol == htons(ETH_P_IP))
		net_dbg_ratelimited("%s: Packet of " NWG_LOG_PEER
				    " has a source outside its allowed IPs, %pI4\n",
				    name, nwg_log_peer(peer), &ip_hdr(skb)->saddr);
	else
		net_dbg_ratelimited("%s: Packet of " NWG_LOG_PEER
				    " has a source outside its allowed IPs, %pI6c\n",
				    name, nwg_log_peer(peer), &ipv6_hdr(skb)->saddr);
}

/* Hand on what a transport message of @len bytes held. */
static void deliver(struct nwg_receive_queue *queue, struct nwg_peer *peer, struct sk_buff *skb,
		    unsigned int len, u8 ds)
{
	struct nwg_device *wg = queue->device;
	enum nwg_device_drop_reason reason;

	reason = parse_plain(wg, skb, ds);
	if (unlikely(reason)) {
		net_dbg_ratelimited("%s: Packet from " NWG_LOG_PEER " %s\n", wg->dev->name,
				    nwg_log_peer(peer),
				    reason == NWG_DEVICE_DROP_INNER_NOT_ECN ?
					    "met congestion without being ECN-capable" :
					    "is malformed");
		goto drop;
	}
	if (unlikely(owner_of_source(wg, skb) != peer)) {
		reason = NWG_DEVICE_DROP_INNER_SOURCE;
		log_foreign_source(peer, skb);
		goto drop;
	}
	nwg_peer_count_received(peer, len);
	if (unlikely(!list_empty(&wg->relays)) && nwg_relay_reverse(peer, skb, &queue->relayed))
		return;
	/* GRO looks in one of few buckets, which all peers would share. It is no hash of a flow's. */
	skb_set_hash(skb, hash_64(peer->id, 32), PKT_HASH_TYPE_L3);
	if (queue->alone && nwg_gro_is_empty(&queue->napi)) {
		skb_mark_napi_id(skb, &queue->napi);
		netif_receive_skb(skb);
	} else {
		napi_gro_receive(&queue->napi, skb);
	}
	return;

drop:
	nwg_device_drop(wg, skb, reason);
}

static void receive_transport(struct nwg_receive_queue *queue, struct sk_buff *skb)
{
	struct nwg_device *wg = queue->device;
	unsigned int len = skb->len;
	enum nwg_device_drop_reason reason;
	struct nwg_session *session;
	struct nwg_peer *peer;
	u8 ds;

	/* It had one when it came. */
	session = session_of(wg, skb);
	if (unlikely(!session || READ_ONCE(session->index.peer->dead))) {
		nwg_device_drop(wg, skb, NWG_DEVICE_DROP_SESSION_EXPIRED);
		return;
	}
	peer = session->index.peer;
	reason = accept(skb, session);
	if (unlikely(reason)) {
		nwg_device_drop(wg, skb, reason);
		return;
	}
	ds = outer_ds(skb);
	__skb_pull(skb, sizeof(struct nwg_message_transport));
	__skb_trim(skb, len - NWG_TRANSPORT_MIN_LEN);
	nwg_endpoint_learn(peer, skb);

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
		nwg_dbg(wg, "Receiving keepalive packet from " NWG_LOG_PEER "\n",
			nwg_log_peer(peer));
		nwg_peer_count_received(peer, len);
		consume_skb(skb);
		return;
	}
	nwg_timers_data_received(peer);
	deliver(queue, peer, skb, len, ds);
}

/* Take what has arrived, as a list. Return: how many. */
static unsigned int fetch(struct nwg_receive_queue *queue, struct sk_buff **list)
{
	struct sk_buff_head *arrived = &queue->arrived;
	unsigned int count;

	*list = NULL;
	if (skb_queue_empty_lockless(arrived))
		return 0;
	spin_lock(&arrived->lock);
	count = skb_queue_len(arrived);
	nwg_gather_result(&queue->gather);
	*list = skb_peek(arrived);
	skb_peek_tail(arrived)->next = NULL;
	__skb_queue_head_init(arrived);
	spin_unlock(&arrived->lock);
	return count;
}

/* Queue a list in bursts, and call helpers for all but the first. */
static void share_out(struct nwg_receive_queue *queue, struct sk_buff *list)
{
	struct nwg_burst_queue *bursts = &queue->bursts;
	unsigned int added = 0;

	spin_lock(&bursts->lock);
	while (list) {
		nwg_burst_append(bursts, nwg_burst_cut(&list));
		added++;
	}
	spin_unlock(&bursts->lock);
	if (added > 1)
		nwg_help_wanted(bursts, added - 1);
}

/* Take the oldest burst if nobody works on it: it is decrypted or this is the time to. */
static struct sk_buff *next_burst(struct nwg_burst_queue *bursts)
{
	struct sk_buff *burst;

	spin_lock(&bursts->lock);
	if (bursts->first && bursts->first == bursts->unclaimed)
		nwg_packet(nwg_burst_claim(bursts))->done = true;
	burst = nwg_burst_pop(bursts);
	spin_unlock(&bursts->lock);
	return burst;
}

/*
 * Find the packets to deliver next. Return: false if there are none; then a helper that works on
 * them schedules the poll.
 */
static bool refill(struct nwg_receive_queue *queue)
{
	struct nwg_burst_queue *bursts = &queue->bursts;
	unsigned int count, ahead = 0;
	struct sk_buff *list;

	do {
		if (likely(READ_ONCE(bursts->packets) < NWG_MAX_QUEUED)) {
			count = fetch(queue, &list);
			if (!bursts->first && (count < 2 * NWG_BURST || num_online_cpus() == 1)) {
				queue->taken = list;
				queue->alone = count == 1;
				return list;
			}
			if (list)
				share_out(queue, list);
		}
		queue->taken = next_burst(bursts);
		queue->alone = false;
		if (queue->taken)
			return true;
	} while (ahead++ < MAX_AHEAD && decrypt_ahead(queue));
	return false;
}

/* Work off what waits in a queue, at most @budget messages. */
static int receive_poll(struct napi_struct *napi, int budget)
{
	struct nwg_receive_queue *queue = container_of(napi, struct nwg_receive_queue, napi);
	struct sk_buff *skb;
	int done = 0;

	rcu_read_lock();
	while (done < budget && (queue->taken || refill(queue))) {
		skb = queue->taken;
		queue->taken = skb->next;
		skb_mark_not_on_list(skb);
		receive_transport(queue, skb);
		done++;
	}
	nwg_batch_flush(&queue->relayed);
	rcu_read_unlock();
	if (done < budget)
		napi_complete_done(napi, done);
	return done;
}

/* Start the poll of what has been gathered: in softirq, once the work lets that run. */
static void poll_gathered(struct nwg_receive_queue *queue)
{
	local_bh_disable();
	napi_schedule(&queue->napi);
	local_bh_enable();
}

static void gather_work(struct work_struct *work)
{
	poll_gathered(container_of(work, struct nwg_receive_queue, gather_work));
}

static void gather_work_unbound(struct work_struct *work)
{
	poll_gathered(container_of(work, struct nwg_receive_queue, gather_work_unbound));
}

/*
 * Have the poll begin on this CPU, or where the work still runs, so that what it relays leaves by
 * one CPU's queues, in order. Where there is no other CPU, it need not wait for what others have
 * bound to this one.
 */
static void gather(struct nwg_receive_queue *queue)
{
	if (num_online_cpus() > 1)
		queue_work(nwg_local_workqueue, &queue->gather_work);
	else
		queue_work(nwg_parallel_workqueue, &queue->gather_work_unbound);
}

/*
 * Messages of one peer go through one queue, so they are decrypted and delivered in the order in
 * which they came, whichever CPUs they came on, and also where a new session takes over from another.
 */
static void enqueue(struct nwg_device *wg, struct sk_buff *skb)
{
	struct nwg_receive_queue *queue;
	struct nwg_session *session;
	unsigned int waiting;
	bool wanted;

	/* Who does not even know an index gets no place in the queue. */
	session = session_of(wg, skb);
	if (unlikely(!session)) {
		nwg_device_drop(wg, skb, NWG_DEVICE_DROP_NO_SESSION);
		return;
	}
	nwg_packet(skb)->decrypted = false;
	queue = &wg->receive_queues[session->index.peer->id & (wg->receive_queue_count - 1)];
	spin_lock_bh(&queue->arrived.lock);
	waiting = skb_queue_len(&queue->arrived);
	if (likely(waiting < NWG_MAX_QUEUED))
		__skb_queue_tail(&queue->arrived, skb);
	wanted = nwg_gather_wanted(&queue->gather);
	spin_unlock_bh(&queue->arrived.lock);

	if (unlikely(waiting >= NWG_MAX_QUEUED))
		nwg_device_drop(wg, skb, NWG_DEVICE_DROP_RECEIVE_FULL);
	else if (waiting == NWG_GATHER_MAX || (!waiting && !wanted))
		napi_schedule(&queue->napi);
	else if (!waiting)
		gather(queue);
}

void nwg_receive(struct nwg_device *wg, struct sk_buff *skb)
{
	skb_mark_not_on_list(skb);
	/* Of what came in by a VRF, skb_iif is the VRF, and the control buffer, until we use it, has
	 * the interface.
	 */
	if (skb->protocol == htons(ETH_P_IP))
		skb->skb_iif = inet_sdif(skb) ?: skb->skb_iif;
	else
		skb->skb_iif = inet6_sdif(skb) ?: skb->skb_iif;
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
	nwg_device_drop(wg, skb, NWG_DEVICE_DROP_NO_MESSAGE);
}

int nwg_receive_init(struct nwg_device *wg)
{
	unsigned int i;

	wg->receive_queue_count = roundup_pow_of_two(min(num_online_cpus(), MAX_QUEUES));
	wg->receive_queues =
		kvcalloc(wg->receive_queue_count, sizeof(*wg->receive_queues), GFP_KERNEL_ACCOUNT);
	if (!wg->receive_queues)
		return -ENOMEM;
	for (i = 0; i < wg->receive_queue_count; i++) {
		struct nwg_receive_queue *queue = &wg->receive_queues[i];

		queue->device = wg;
		skb_queue_head_init(&queue->arrived);
		nwg_gather_init(&queue->gather);
		INIT_WORK(&queue->gather_work, gather_work);
		INIT_WORK(&queue->gather_work_unbound, gather_work_unbound);
		nwg_bursts_init(&queue->bursts, receive_help);
		netif_napi_add(wg->dev, &queue->napi, receive_poll);
	}
	return 0;
}

void nwg_receive_start(struct nwg_device *wg)
{
	unsigned int i;

	for (i = 0; i < wg->receive_queue_count; i++)
		napi_enable(&wg->receive_queues[i].napi);
}

/* Free what a poll would have taken. Nobody else touches the queue. */
static void purge(struct nwg_receive_queue *queue)
{
	struct nwg_device *wg = queue->device;
	struct sk_buff *burst, *skb;

	nwg_device_drop_list(wg, queue->taken, NWG_DEVICE_DROP_DOWN);
	queue->taken = NULL;
	spin_lock_bh(&queue->bursts.lock);
	while (nwg_burst_claim(&queue->bursts))
		;
	while ((burst = queue->bursts.first)) {
		nwg_packet(burst)->done = true;
		nwg_device_drop_list(wg, nwg_burst_pop(&queue->bursts), NWG_DEVICE_DROP_DOWN);
	}
	spin_unlock_bh(&queue->bursts.lock);
	while ((skb = skb_dequeue(&queue->arrived)))
		nwg_device_drop(wg, skb, NWG_DEVICE_DROP_DOWN);
}

void nwg_receive_stop(struct nwg_device *wg)
{
	unsigned int i;

	for (i = 0; i < wg->receive_queue_count; i++) {
		struct nwg_receive_queue *queue = &wg->receive_queues[i];

		napi_disable(&queue->napi);
		cancel_work_sync(&queue->gather_work);
		cancel_work_sync(&queue->gather_work_unbound);
		local_bh_disable();
		nwg_help_over(&queue->bursts);
		local_bh_enable();
	}
	/* For helpers that are still at work. */
	synchronize_net();
	for (i = 0; i < wg->receive_queue_count; i++)
		purge(&wg->receive_queues[i]);
}

void nwg_receive_free(struct nwg_device *wg)
{
	unsigned int i;

	for (i = 0; i < wg->receive_queue_count; i++)
		__netif_napi_del(&wg->receive_queues[i].napi);
	synchronize_net();
	kvfree(wg->receive_queues);
}
