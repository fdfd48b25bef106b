// SPDX-License-Identifier: GPL-2.0
#include "send.h"

#include <linux/icmpv6.h>
#include <linux/netdevice.h>
#include <linux/percpu.h>
#include <net/gso.h>
#include <net/inet_ecn.h>
#include <net/ip_tunnels.h>

#include "device.h"
#include "drop.h"
#include "fraglist.h"
#include "log.h"
#include "peer.h"
#include "parallel.h"
#include "protocol/aead.h"

/* A tunnel in a tunnel in a tunnel: each is a call inside the other's, and the stack is finite. */
#define MAX_NESTING 4

/* Packets that one sender sends for others before a work takes over. */
#define TRANSMIT_BUDGET 256

/* Jiffies for which who has sent for a peer goes on to: a host may keep a virtual CPU waiting for some of them */
#define STICKY max(HZ / 10, 2)

/*
 * Who is sending on this CPU, the last to begin first: in how many tunnels the packet is that goes down the stack.
 * There may be others than a task and what it calls: with PREEMPT_RT a task may lose the CPU meanwhile.
 */
struct descent {
	const struct task_struct *task;
	struct descent *next;
	unsigned int level;
};

static DEFINE_PER_CPU(struct descent *, descents);

/* Begin to send, with BH off, so that the CPU stays the same; until ascend(). */
static void descend(struct descent *mine)
{
	mine->task = current;
	preempt_disable();
	mine->next = this_cpu_read(descents);
	this_cpu_write(descents, mine);
	preempt_enable();
}

static void ascend(struct descent *mine)
{
	struct descent **link;

	preempt_disable();
	link = this_cpu_ptr(&descents);
	while (*link != mine)
		link = &(*link)->next;
	*link = mine->next;
	preempt_enable();
}

/* In how many tunnels the packet is that this task sends; 0 if it sends none. BH off. */
static unsigned int nesting(void)
{
	const struct descent *last;
	unsigned int level;

	preempt_disable();
	last = this_cpu_read(descents);
	while (last && last->task != current)
		last = last->next;
	level = last ? last->level : 0;
	preempt_enable();
	return level;
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
 * What the sender's socket hangs on a packet goes over to its copy: the socket pays until that has
 * left, and is told when that was.
 */
static void inherit(struct sk_buff *copy, struct sk_buff *skb)
{
	struct skb_shared_info *to = skb_shinfo(copy), *from = skb_shinfo(skb);

	if (!skb->sk)
		return;
	to->tx_flags |= from->tx_flags & SKBTX_ANY_TSTAMP;
	to->tskey = from->tskey;
	/* The destructor may want it. */
	to->destructor_arg = from->destructor_arg;
	swap(copy->truesize, skb->truesize);
	swap(copy->destructor, skb->destructor);
	swap(copy->sk, skb->sk);
}

/*
 * Headroom that packets for a peer need at least: for the headers, which lie where encryption has written
 * before, and for what goes on top of them. What is about to be sent by itself is not copied for the latter,
 * where the stack makes room if there is none.
 */
static unsigned int headroom_for(const struct nwg_peer *peer)
{
	const bool ipv6 = READ_ONCE(peer->endpoint.value.addr.sa_family) == AF_INET6;

	BUILD_BUG_ON(NWG_HEADROOM < NWG_AEAD_HEADROOM);
	if (!READ_ONCE(peer->gather.thick))
		return NWG_HEADROOM;
	return NWG_HEADROOM + NWG_FRAGLIST_HEADROOM -
	       (ipv6 ? 0 : sizeof(struct ipv6hdr) - sizeof(struct iphdr));
}

/* In front of a packet that is copied or made, so that none of the tunnels that may follow has to copy it. */
#define AMPLE_HEADROOM (NWG_HEADROOM + max(LL_MAX_HEADER, NWG_FRAGLIST_HEADROOM))

/*
 * Make the packet linear, our own, and roomy. Drops it and returns NULL if there is no memory.
 */
static struct sk_buff *make_room(struct nwg_device *wg, struct sk_buff *skb, unsigned int head,
				 unsigned int tail)
{
	struct sk_buff *copy;

	if (likely(!skb_is_nonlinear(skb) && !skb_cloned(skb) && skb_headroom(skb) >= head &&
		   skb_tailroom(skb) >= tail))
		return skb;
	/* One copy does it all, where pulling, unsharing and expanding would each make one. */
	copy = skb_copy_expand(skb, AMPLE_HEADROOM, tail, GFP_ATOMIC);
	if (unlikely(!copy)) {
		nwg_device_drop(wg, skb, NWG_DEVICE_DROP_SEND_MEMORY);
		return NULL;
	}
	inherit(copy, skb);
	consume_skb(skb);
	return copy;
}

/* Outer DS field: nothing of the inner one but the ECN bits (RFC 6040, section 4.1). */
static u8 outer_ds(const struct sk_buff *skb)
{
	if (unlikely(!skb->len))
		return 0;
	return ip_tunnel_get_dsfield(ip_hdr(skb), skb) & INET_ECN_MASK;
}

/*
 * Do all that can fail and all that looks at the plain packet: what is left is to encrypt in place.
 * Drops it and returns NULL if there is no memory.
 */
static struct sk_buff *prepare(struct nwg_peer *peer, struct sk_buff *skb, unsigned int mtu,
			       unsigned int level)
{
	unsigned int padding = padding_of(skb, mtu);

	skb = make_room(peer->device, skb, headroom_for(peer), padding + NWG_TAG_LEN);
	if (unlikely(!skb))
		return NULL;
	nwg_packet(skb)->level = level;
	nwg_packet(skb)->ds = outer_ds(skb);
	nwg_packet(skb)->data = skb->len;
	__skb_put_zero(skb, padding);
	return skb;
}

static void encrypt(struct sk_buff *skb, const struct nwg_session *session, u64 counter)
{
	struct nwg_message_transport *header;
	unsigned int len = skb->len;

	__skb_put(skb, NWG_TAG_LEN);
	aead_encrypt(skb->data, len, counter, session->send_key);
	header = __skb_push(skb, sizeof(*header));
	header->type = cpu_to_le32(NWG_MESSAGE_TRANSPORT);
	header->receiver = session->remote_index;
	header->counter = cpu_to_le64(counter);
}

/*
 * Encrypt a burst, on whichever CPU. If its keys have been erased since it was queued, or may not be
 * used any more, it stays as it is.
 */
static void encrypt_burst(struct nwg_peer *peer, struct sk_buff *burst)
{
	const struct nwg_packet *first = nwg_packet(burst);
	struct nwg_session *session;
	u64 counter = first->counter;
	struct sk_buff *skb;

	session = nwg_session_lookup(peer->device, first->index);
	if (unlikely(!session || session->id != first->session_id ||
		     nwg_session_expired(session))) {
		nwg_packet(burst)->failed = true;
		return;
	}
	for (skb = burst; skb; skb = skb->next)
		encrypt(skb, session, counter++);
}

/*
 * Cut off a list the packets that are in as many tunnels as the first. Return: whether one of them is not
 * empty.
 */
static bool cut_level(struct sk_buff **list)
{
	const u8 level = nwg_packet(*list)->level;
	struct sk_buff *last;
	bool data = false;

	do {
		last = *list;
		data |= nwg_packet(last)->data;
		*list = last->next;
	} while (*list && nwg_packet(*list)->level == level);
	last->next = NULL;
	return data;
}

/* Send the packets of a burst. Return: how many. */
static unsigned int transmit(struct nwg_peer *peer, struct sk_buff *burst)
{
	const unsigned int outside = nesting();
	const unsigned int count = nwg_packet(burst)->count;
	struct descent mine;
	struct sk_buff *list;
	bool data;

	if (unlikely(nwg_packet(burst)->failed)) {
		nwg_device_drop_list(peer->device, burst, NWG_DEVICE_DROP_KEYS_GONE);
		return count;
	}
	descend(&mine);
	while (burst) {
		list = burst;
		/* It may be another CPU's, which was not as deep. */
		mine.level = max_t(unsigned int, nwg_packet(list)->level, outside + 1);
		data = cut_level(&burst);
		nwg_timers_authenticated_sent(peer);
		if (!nwg_socket_send(peer, list) && data)
			nwg_timers_data_sent(peer);
	}
	ascend(&mine);
	return count;
}

/* Whether who has sent last for a peer has not for a while, or cannot any more. @bursts.lock held. */
static bool turn_over(const struct nwg_peer *peer)
{
	return !time_in_range(jiffies, peer->transmit_moment, peer->transmit_moment + STICKY) ||
	       READ_ONCE(peer->dead) || !cpu_online(peer->transmit_cpu);
}

/*
 * Send what is done and next in order, unless another CPU does: one at a time, and the one that has last. What is
 * below has a queue for each CPU, as veth's backlog or a NIC's rings, so that messages which leave by two of them
 * shortly after each other may overtake. @handed: for others, who will do so themselves soon if packets come one
 * by one. @bursts.lock is held on entry and on return, not in between.
 */
static void transmit_done(struct nwg_peer *peer, bool handed)
{
	struct nwg_burst_queue *bursts = &peer->bursts;
	unsigned int sent = 0;
	struct sk_buff *burst;
	bool enough = false;

	if (peer->transmit_state == NWG_TRANSMIT_BUSY || !nwg_burst_ready(bursts))
		return;
	/* The work is to go on, but no packet waits for it longer than for another CPU. */
	if (unlikely(peer->transmit_state == NWG_TRANSMIT_RESTING)) {
		if (!turn_over(peer))
			return;
		cancel_work(&peer->transmit_work);
	} else if (unlikely(!handed && peer->transmit_cpu != smp_processor_id())) {
		if (!turn_over(peer)) {
			queue_work_on(peer->transmit_cpu, nwg_local_workqueue,
				      &peer->transmit_work);
			return;
		}
		/* What it was handed is sent here, too; if it has not begun, it does not come late and take over. */
		cancel_work(&peer->transmit_work);
	}
	peer->transmit_state = NWG_TRANSMIT_BUSY;
	peer->transmit_cpu = smp_processor_id();
	while (!enough && (burst = nwg_burst_pop(bursts))) {
		spin_unlock(&bursts->lock);
		sent += transmit(peer, burst);
		spin_lock(&bursts->lock);
		/* Others may bring packets as fast as they leave. */
		enough = sent >= TRANSMIT_BUDGET && !READ_ONCE(peer->dead) && bursts->first;
	}
	if (!handed || enough || peer->gather.thick)
		peer->transmit_moment = jiffies;
	peer->transmit_state = enough ? NWG_TRANSMIT_RESTING : NWG_TRANSMIT_IDLE;
	if (unlikely(enough))
		queue_work_on(peer->transmit_cpu, nwg_local_workqueue, &peer->transmit_work);
}

void nwg_peer_transmit_work(struct work_struct *work)
{
	struct nwg_peer *peer = container_of(work, struct nwg_peer, transmit_work);

	rcu_read_lock_bh();
	spin_lock(&peer->bursts.lock);
	if (peer->transmit_state == NWG_TRANSMIT_RESTING)
		peer->transmit_state = NWG_TRANSMIT_IDLE;
	transmit_done(peer, true);
	spin_unlock(&peer->bursts.lock);
	rcu_read_unlock_bh();
}

/* Encrypt a burst that was claimed, and send what can be sent then. */
static void work_off(struct nwg_peer *peer, struct sk_buff *burst)
{
	encrypt_burst(peer, burst);
	spin_lock(&peer->bursts.lock);
	nwg_packet(burst)->done = true;
	transmit_done(peer, false);
	spin_unlock(&peer->bursts.lock);
}

bool nwg_peer_help(struct nwg_burst_queue *bursts)
{
	struct sk_buff *burst;

	if (!READ_ONCE(bursts->backlog))
		return false;
	spin_lock(&bursts->lock);
	burst = nwg_burst_claim(bursts);
	spin_unlock(&bursts->lock);
	if (!burst)
		return false;
	work_off(container_of(bursts, struct nwg_peer, bursts), burst);
	return true;
}

/* The session to send with, or NULL. */
static struct nwg_session *usable_session(struct nwg_peer *peer)
{
	struct nwg_session *session = rcu_dereference_bh(peer->sessions.current_session);

	if (unlikely(!session || nwg_session_expired(session)))
		return NULL;
	return session;
}

/* After sending: is it time for a new session (white paper, section 6.2)? */
static void keep_fresh(struct nwg_peer *peer, struct nwg_session *session)
{
	/* Of what a CPU still sends on the one before, nothing follows. */
	if (unlikely(rcu_access_pointer(peer->sessions.current_session) != session))
		return;
	if (unlikely(replay_counters_low(READ_ONCE(session->send_counter)) ||
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
		nwg_device_drop(peer->device, oldest, NWG_DEVICE_DROP_STAGED_FULL);
}

/* Put what was staged before a list of packets. Held across this and what queues them: no other CPU
 * is to see that nothing is staged, and overtake.
 */
static struct sk_buff *with_staged(struct nwg_peer *peer, struct sk_buff *list)
{
	struct sk_buff_head queue;

	lockdep_assert_held(&peer->bursts.lock);
	if (likely(skb_queue_empty_lockless(&peer->staged)))
		return list;
	__skb_queue_head_init(&queue);
	spin_lock(&peer->staged.lock);
	skb_queue_splice_init(&peer->staged, &queue);
	spin_unlock(&peer->staged.lock);
	if (skb_queue_empty(&queue))
		return list;
	skb_peek_tail(&queue)->next = list;
	return skb_peek(&queue);
}

/*
 * Encrypt what is staged and a list of packets with a session and send them, or leave that to
 * whoever does so already, or to @gather_work. Return: what the session is too used up for.
 */
static struct sk_buff *send_with(struct nwg_peer *peer, struct nwg_session *session,
				 struct sk_buff *list)
{
	struct nwg_burst_queue *bursts = &peer->bursts;
	unsigned int added = 0, packets = 0, backlog, count;
	struct sk_buff *burst;

	spin_lock(&bursts->lock);
	/* Who was to send them may not run: the turn is taken here if it is over. */
	if (unlikely(bursts->packets >= NWG_MAX_QUEUED))
		transmit_done(peer, false);
	/* What is staged has a limit of its own, and nobody who would look at it again. */
	if (unlikely(bursts->packets >= NWG_MAX_QUEUED && list)) {
		spin_unlock(&bursts->lock);
		nwg_device_drop_list(peer->device, list, NWG_DEVICE_DROP_SEND_FULL);
		return NULL;
	}
	list = with_staged(peer, list);
	/* There are fewer packets in a list than that. */
	while (list &&
	       likely(replay_counters_left(session->send_counter) >= IP_MAX_MTU + NWG_MAX_STAGED)) {
		burst = nwg_burst_cut(&list);
		count = nwg_packet(burst)->count;
		nwg_packet(burst)->session_id = session->id;
		nwg_packet(burst)->index = session->index.value;
		nwg_packet(burst)->counter = session->send_counter;
		WRITE_ONCE(session->send_counter, session->send_counter + count);
		packets += count;
		if (nwg_burst_join(bursts, burst, session->id))
			continue;
		nwg_burst_append(bursts, burst);
		added++;
	}
	if (packets && nwg_gather_wanted(&peer->gather) && bursts->packets < NWG_GATHER_MAX &&
	    likely(!READ_ONCE(peer->dead))) {
		spin_unlock(&bursts->lock);
		queue_work(nwg_parallel_workqueue, &peer->gather_work);
		return list;
	}
	burst = nwg_burst_claim(bursts);
	backlog = bursts->backlog;
	spin_unlock(&bursts->lock);

	if (added > 1)
		nwg_help_wanted(bursts, added - 1);
	if (likely(burst))
		work_off(peer, burst);
	/* Until somebody works on each that we brought; what came later is not ours to wait for. */
	while (backlog-- && nwg_peer_help(bursts))
		;
	if (added > 1)
		nwg_help_over(bursts);
	return list;
}

/* Encrypt and send what has been gathered, with the help of other CPUs. */
static void work_off_gathered(struct nwg_peer *peer)
{
	struct nwg_burst_queue *bursts = &peer->bursts;
	unsigned int backlog, left;

	spin_lock(&bursts->lock);
	left = backlog = bursts->backlog;
	nwg_gather_result(&peer->gather);
	spin_unlock(&bursts->lock);

	if (backlog > 1)
		nwg_help_wanted(bursts, backlog - 1);
	while (left-- && nwg_peer_help(bursts))
		;
	if (backlog > 1)
		nwg_help_over(bursts);
}

void nwg_peer_gather_work(struct work_struct *work)
{
	struct nwg_peer *peer = container_of(work, struct nwg_peer, gather_work);
	const struct nwg_burst_queue *bursts = &peer->bursts;

	rcu_read_lock_bh();
	do
		work_off_gathered(peer);
	while (unlikely(READ_ONCE(peer->dead)) && READ_ONCE(bursts->backlog));
	/*
	 * What has come meanwhile has its turn after others. Who still sends for a peer that is gone works it off
	 * alone: this work may have been waited for.
	 */
	if (READ_ONCE(bursts->backlog) && likely(!READ_ONCE(peer->dead)))
		queue_work(nwg_parallel_workqueue, &peer->gather_work);
	rcu_read_unlock_bh();
}

/* Send what is staged and a list of packets, or stage what cannot be sent. */
static void send_list(struct nwg_peer *peer, struct sk_buff *list)
{
	struct nwg_session *session = usable_session(peer), *fresh;
	struct sk_buff *skb, *next;

	if (likely(session)) {
		list = send_with(peer, session, list);
		if (likely(!list)) {
			keep_fresh(peer, session);
			return;
		}
	}
	skb_list_walk_safe(list, skb, next) {
		skb_mark_not_on_list(skb);
		stage(peer, skb);
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
 * Turn what the stack hands over into a list of packets as they would be on a wire, but for checksums.
 * Consumes @skb.
 */
static struct sk_buff *segment(struct nwg_device *wg, struct sk_buff *skb)
{
	struct sk_buff *segments;

	if (skb_is_gso(skb)) {
		segments = skb_gso_segment(skb, 0);
		if (IS_ERR_OR_NULL(segments)) {
			nwg_device_drop(wg, skb, NWG_DEVICE_DROP_SEGMENTATION);
			return NULL;
		}
		consume_skb(skb);
		return segments;
	}
	return skb;
}

/*
 * Make the checksum that was left to the interface, which this is: of what comes apart, too, where it was a list.
 * Return: false if it cannot be made; then the packet is dropped.
 */
static bool make_checksum(struct nwg_device *wg, struct sk_buff *skb)
{
	if (likely(skb->ip_summed != CHECKSUM_PARTIAL) || likely(!skb_checksum_help(skb)))
		return true;
	nwg_device_drop(wg, skb, NWG_DEVICE_DROP_SEGMENTATION);
	return false;
}

void nwg_peer_send(struct nwg_peer *peer, struct sk_buff *skb, unsigned int mtu)
{
	const unsigned int level = nesting() + 1;
	struct nwg_device *wg = peer->device;
	struct sk_buff *next, *list = NULL, **tail = &list;

	if (unlikely(level > MAX_NESTING)) {
		net_dbg_ratelimited("%s: More than %d tunnels inside each other\n", wg->dev->name,
				    MAX_NESTING);
		nwg_device_drop(wg, skb, NWG_DEVICE_DROP_NESTING);
		return;
	}
	/* Of what is inside: later, queues see one flow in all that goes to a peer. */
	skb_get_hash(skb);
	skb_mark_not_on_list(skb);
	skb_list_walk_safe(segment(wg, skb), skb, next) {
		skb_mark_not_on_list(skb);
		if (unlikely(!make_checksum(wg, skb)))
			continue;
		*tail = prepare(peer, skb, mtu, level);
		if (likely(*tail))
			tail = &(*tail)->next;
	}
	if (likely(list))
		send_list(peer, list);
}

void nwg_peer_send_staged(struct nwg_peer *peer)
{
	smp_mb(); /* a session that the caller installed is seen by who stages; see send_list() */
	if (!skb_queue_empty_lockless(&peer->staged))
		send_list(peer, NULL);
}

void nwg_peer_send_keepalive(struct nwg_peer *peer)
{
	struct sk_buff *skb;

	rcu_read_lock_bh();
	if (skb_queue_empty_lockless(&peer->staged)) {
		skb = alloc_skb(AMPLE_HEADROOM + NWG_TAG_LEN, GFP_ATOMIC);
		if (unlikely(!skb)) {
			DEV_STATS_INC(peer->device->dev, tx_dropped);
			goto out;
		}
		skb_reserve(skb, AMPLE_HEADROOM);
		skb = prepare(peer, skb, 0, 1);
		if (unlikely(!skb))
			goto out;
		stage(peer, skb);
		nwg_dbg(peer->device, "Sending keepalive packet to " NWG_LOG_PEER "\n",
			nwg_log_peer(peer));
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
		nwg_device_drop(peer->device, skb, NWG_DEVICE_DROP_NO_HANDSHAKE);
}
