// SPDX-License-Identifier: GPL-2.0
#include "send.h"

#include <linux/icmpv6.h>
#include <linux/netdevice.h>
#include <linux/percpu.h>
#include <net/gso.h>
#include <net/inet_ecn.h>
#include <net/ip_tunnels.h>

#include "device.h"
#include "log.h"
#include "peer.h"
#include "protocol/aead.h"

/* A tunnel in a tunnel in a tunnel: each is a call inside the other's, and the stack is finite. */
#define MAX_NESTING 4

/* What a plain packet is marked with until it is encrypted. */
struct packet_mark {
	unsigned int mtu; /* padding must not exceed it */
};

static DEFINE_PER_CPU(unsigned int, nesting);

static struct packet_mark *mark_of(struct sk_buff *skb)
{
	BUILD_BUG_ON(sizeof(struct packet_mark) > sizeof(skb->cb));
	return (struct packet_mark *)skb->cb;
}

static void drop(struct nwg_device *wg, struct sk_buff *skb)
{
	DEV_STATS_INC(wg->dev, tx_dropped);
	kfree_skb(skb);
}

/*
 * Bytes of padding for a packet: to a multiple of 16, but not past the MTU (white paper, section
 * 5.4.6).
 */
static unsigned int padding_of(const struct sk_buff *skb, unsigned int mtu)
{
	unsigned int last = skb->len;

	if (unlikely(!mtu))
		return ALIGN(last, NWG_PADDING) - last;
	/* Of a packet that will be fragmented on the way, the last fragment counts. */
	if (unlikely(last > mtu))
		last %= mtu;
	return min(mtu, ALIGN(last, NWG_PADDING)) - last;
}

/*
 * Make the packet linear, our own, and roomy. Consumes it and returns NULL if there is no memory.
 */
static struct sk_buff *make_room(struct sk_buff *skb, unsigned int tail)
{
	const unsigned int head = NWG_HEADROOM + LL_MAX_HEADER;
	struct sk_buff *copy;

	BUILD_BUG_ON(NWG_HEADROOM < NWG_AEAD_HEADROOM);

	if (likely(!skb_is_nonlinear(skb) && !skb_cloned(skb) && skb_headroom(skb) >= head &&
		   skb_tailroom(skb) >= tail))
		return skb;
	/* One copy does it all, where pulling, unsharing and expanding would each make one. */
	copy = skb_copy_expand(skb, head, tail, GFP_ATOMIC);
	if (likely(copy) && skb->sk) {
		/* The sender's socket goes on paying until the packet has left. */
		swap(copy->truesize, skb->truesize);
		swap(copy->destructor, skb->destructor);
		swap(copy->sk, skb->sk);
	}
	consume_skb(skb);
	return copy;
}

/* Encrypt one packet in place. Consumes it and returns NULL if there is no memory. */
static struct sk_buff *encrypt(struct sk_buff *skb, struct nwg_session *session, u64 counter)
{
	unsigned int padding = padding_of(skb, mark_of(skb)->mtu);
	struct nwg_message_transport *header;
	unsigned int plain_len;

	skb = make_room(skb, padding + NWG_TAG_LEN);
	if (unlikely(!skb))
		return NULL;
	plain_len = skb->len + padding;
	memset(__skb_put(skb, padding + NWG_TAG_LEN), 0, padding);
	aead_encrypt(skb->data, plain_len, counter, session->send_key);
	skb_set_inner_network_header(skb, 0);
	header = __skb_push(skb, sizeof(*header));
	header->type = cpu_to_le32(NWG_MESSAGE_TRANSPORT);
	header->receiver = session->remote_index;
	header->counter = cpu_to_le64(counter);
	skb_reset_network_header(skb);
	return skb;
}

/* Outer DS field: nothing of the inner one but the ECN bits (RFC 6040, section 4.1). */
static u8 outer_ds(const struct sk_buff *skb)
{
	if (unlikely(!skb->len))
		return 0;
	return INET_ECN_encapsulate(0, ip_tunnel_get_dsfield(ip_hdr(skb), skb));
}

/*
 * Encrypt and send one packet. Returns false, with the packet still the caller's, if the session is
 * used up.
 */
static bool transmit(struct nwg_peer *peer, struct nwg_session *session, struct sk_buff *skb)
{
	u64 counter = atomic64_inc_return(&session->send_counter) - 1;
	bool data = skb->len;
	u8 ds = outer_ds(skb);

	if (unlikely(counter >= NWG_REJECT_AFTER_MESSAGES))
		return false;
	skb = encrypt(skb, session, counter);
	if (unlikely(!skb)) {
		DEV_STATS_INC(peer->device->dev, tx_dropped);
		return true;
	}
	nwg_timers_authenticated_sent(peer);
	if (!nwg_socket_send(peer, skb, ds) && data)
		nwg_timers_data_sent(peer);
	return true;
}

/* The session to send with, or NULL. */
static struct nwg_session *usable_session(struct nwg_peer *peer)
{
	struct nwg_session *session = rcu_dereference_bh(peer->sessions.current_session);

	if (unlikely(!session || nwg_session_older_than(session, NWG_REJECT_AFTER_TIME)))
		return NULL;
	return session;
}

/* After sending: is it time for a new session (white paper, section 6.2)? */
static void keep_fresh(struct nwg_peer *peer, struct nwg_session *session)
{
	/* Of what a CPU still sends on the one before, nothing follows. */
	if (unlikely(rcu_access_pointer(peer->sessions.current_session) != session))
		return;
	if (unlikely((u64)atomic64_read(&session->send_counter) > NWG_REKEY_AFTER_MESSAGES ||
		     (session->initiator && nwg_session_older_than(session, NWG_REKEY_AFTER_TIME))))
		nwg_handshake_request(peer, false);
}

static void stage(struct nwg_peer *peer, struct sk_buff *skb)
{
	struct sk_buff *oldest = NULL;

	/* What waits for long must not hold the route or the socket's memory. */
	skb_orphan(skb);
	skb_dst_drop(skb);
	spin_lock_bh(&peer->staged.lock);
	if (unlikely(skb_queue_len(&peer->staged) >= NWG_MAX_STAGED))
		oldest = __skb_dequeue(&peer->staged);
	__skb_queue_tail(&peer->staged, skb);
	spin_unlock_bh(&peer->staged.lock);
	if (unlikely(oldest))
		drop(peer->device, oldest);
}

/* Send a list of packets, or stage what cannot be sent. */
static void send_list(struct nwg_peer *peer, struct sk_buff *list)
{
	struct nwg_session *session = usable_session(peer), *fresh;
	struct sk_buff *skb, *next;
	bool staged = false;

	skb_list_walk_safe(list, skb, next) {
		skb_mark_not_on_list(skb);
		if (likely(session && transmit(peer, session, skb)))
			continue;
		stage(peer, skb);
		staged = true;
	}
	if (likely(!staged)) {
		keep_fresh(peer, session);
		return;
	}
	/* Who installed a session while we staged may have found nothing to send: look again. */
	smp_mb(); /* pairs with nwg_peer_send_staged() */
	fresh = usable_session(peer);
	if (fresh && fresh != session)
		nwg_peer_send_staged(peer);
	else
		nwg_handshake_request(peer, false);
}

/*
 * Turn what the stack hands over into a list of packets as they would be on a wire. Consumes @skb.
 */
static struct sk_buff *segment(struct nwg_device *wg, struct sk_buff *skb)
{
	struct sk_buff *segments;

	if (skb_is_gso(skb)) {
		segments = skb_gso_segment(skb, 0);
		if (IS_ERR_OR_NULL(segments)) {
			drop(wg, skb);
			return NULL;
		}
		consume_skb(skb);
		return segments;
	}
	if (skb->ip_summed == CHECKSUM_PARTIAL && unlikely(skb_checksum_help(skb))) {
		drop(wg, skb);
		return NULL;
	}
	return skb;
}

void nwg_peer_send(struct nwg_peer *peer, struct sk_buff *skb, unsigned int mtu)
{
	struct nwg_device *wg = peer->device;
	struct sk_buff *list, *segment_skb;

	if (unlikely(this_cpu_inc_return(nesting) > MAX_NESTING)) {
		net_dbg_ratelimited("%s: More than %d tunnels inside each other\n", wg->dev->name,
				    MAX_NESTING);
		drop(wg, skb);
		goto out;
	}
	skb_mark_not_on_list(skb);
	list = segment(wg, skb);
	if (unlikely(!list))
		goto out;
	for (segment_skb = list; segment_skb; segment_skb = segment_skb->next)
		mark_of(segment_skb)->mtu = mtu;
	if (unlikely(!skb_queue_empty_lockless(&peer->staged)))
		nwg_peer_send_staged(peer);
	send_list(peer, list);
out:
	this_cpu_dec(nesting);
}

void nwg_peer_send_staged(struct nwg_peer *peer)
{
	struct sk_buff_head queue;
	struct sk_buff *list;

	smp_mb(); /* a session that the caller installed is seen by who stages; see send_list() */
	if (skb_queue_empty_lockless(&peer->staged))
		return;
	if (!usable_session(peer)) {
		nwg_handshake_request(peer, false);
		return;
	}
	__skb_queue_head_init(&queue);
	spin_lock_bh(&peer->staged.lock);
	skb_queue_splice_init(&peer->staged, &queue);
	spin_unlock_bh(&peer->staged.lock);
	if (skb_queue_empty(&queue))
		return;
	list = skb_peek(&queue);
	skb_peek_tail(&queue)->next = NULL;
	send_list(peer, list);
}

void nwg_peer_send_keepalive(struct nwg_peer *peer)
{
	struct sk_buff *skb;

	rcu_read_lock_bh();
	if (skb_queue_empty_lockless(&peer->staged)) {
		skb = alloc_skb(NWG_HEADROOM + LL_MAX_HEADER + NWG_TAG_LEN, GFP_ATOMIC);
		if (unlikely(!skb))
			goto out;
		skb_reserve(skb, NWG_HEADROOM + LL_MAX_HEADER);
		mark_of(skb)->mtu = 0;
		stage(peer, skb);
		nwg_dbg(peer->device, "Sending keepalive packet to peer %llu\n", peer->id);
	}
	nwg_peer_send_staged(peer);
out:
	rcu_read_unlock_bh();
}

void nwg_peer_purge_staged(struct nwg_peer *peer)
{
	struct sk_buff_head queue;
	struct sk_buff *skb;

	__skb_queue_head_init(&queue);
	spin_lock_bh(&peer->staged.lock);
	skb_queue_splice_init(&peer->staged, &queue);
	spin_unlock_bh(&peer->staged.lock);
	while ((skb = __skb_dequeue(&queue)))
		drop(peer->device, skb);
}
