// SPDX-License-Identifier: GPL-2.0
#include "handshake.h"

#include <linux/ip.h>
#include <linux/random.h>
#include <linux/timekeeping.h>
#include <linux/udp.h>

#include "device.h"
#include "drop.h"
#include "log.h"
#include "peer.h"
#include "send.h"

/* At most this many initiations of one peer are consumed in a second (white paper, section 5.1). */
#define INITIATIONS_PER_SECOND 50

/*
 * Time stamps are rounded down to this many nanoseconds (17 ms), so that they do not give away a
 * fine clock.
 */
#define TIMESTAMP_GRANULE (1UL << 24)

/* Seconds between the origin of TAI64 and the Unix epoch. */
#define TAI64_EPOCH 0x400000000000000aULL

bool nwg_handshakes_barred;

/*
 * The time, or where that is not later than @last, the next after it: the responder refuses all
 * that do not rise, and the clock may be set back. Becomes @last.
 */
static void timestamp_next(u8 timestamp[NWG_TIMESTAMP_LEN], struct timespec64 *last)
{
	static const struct timespec64 granule = { .tv_nsec = TIMESTAMP_GRANULE };
	struct timespec64 now;
	__be64 seconds;
	__be32 nanoseconds;

	ktime_get_real_ts64(&now);
	now.tv_nsec &= ~(TIMESTAMP_GRANULE - 1);
	if (timespec64_compare(&now, last) <= 0) {
		now = timespec64_add(*last, granule);
		now.tv_nsec &= ~(TIMESTAMP_GRANULE - 1);
	}
	*last = now;
	seconds = cpu_to_be64(TAI64_EPOCH + now.tv_sec);
	nanoseconds = cpu_to_be32(now.tv_nsec);
	memcpy(timestamp, &seconds, sizeof(seconds));
	memcpy(timestamp + sizeof(seconds), &nanoseconds, sizeof(nanoseconds));
}

static bool sent_lately(struct nwg_peer *peer)
{
	u64 last = atomic64_read(&peer->handshake.last_sent);

	return last &&
	       (s64)(ktime_get_coarse_boottime_ns() - last) < (s64)NWG_REKEY_TIMEOUT * NSEC_PER_SEC;
}

/* A message of a handshake was sent just now: see later whether it helped, if it has not yet. */
static void postpone(struct nwg_peer *peer)
{
	const struct nwg_session *session;

	rcu_read_lock_bh();
	session = rcu_dereference_bh(peer->sessions.current_session);
	if (!session || nwg_session_expired(session) ||
	    nwg_session_older_than(session, NWG_REKEY_TIMEOUT) ||
	    replay_counters_low(READ_ONCE(session->send_counter)))
		nwg_timers_handshake_postponed(peer);
	rcu_read_unlock_bh();
}

void nwg_handshake_setup(struct nwg_peer *peer)
{
	init_rwsem(&peer->handshake.lock);
	peer->handshake.index.peer = peer;
	peer->handshake.index.kind = NWG_INDEX_HANDSHAKE;
}

void nwg_handshake_request(struct nwg_peer *peer, bool retry)
{
	if (!retry)
		peer->timers.attempts = 0;
	if (sent_lately(peer)) {
		postpone(peer);
		return;
	}
	rcu_read_lock_bh();
	if (netif_running(peer->device->dev) && !READ_ONCE(peer->dead))
		queue_work(peer->device->handshake_workqueue, &peer->transmit_handshake_work);
	rcu_read_unlock_bh();
}

/*
 * Wipe what there is of a handshake. A peer that is removed is first marked dead, then cleared;
 * whoever enters an index checks the mark under the same lock, so no index outlives its peer.
 */
static void clear_locked(struct nwg_peer *peer)
{
	lockdep_assert_held_write(&peer->handshake.lock);
	memzero_explicit(&peer->handshake.noise, sizeof(peer->handshake.noise));
	peer->handshake.remote_index = 0;
	peer->handshake.state = NWG_HANDSHAKE_IDLE;
	nwg_index_remove(&peer->device->indices, &peer->handshake.index);
}

void nwg_handshake_erase_locked(struct nwg_peer *peer)
{
	clear_locked(peer);
	nwg_session_erase_all(peer);
	nwg_timers_erased(peer);
}

void nwg_handshake_erase(struct nwg_peer *peer)
{
	down_write(&peer->handshake.lock);
	nwg_handshake_erase_locked(peer);
	up_write(&peer->handshake.lock);
}

/*
 * Derive the session of a finished handshake and put it in its slot. Return: why the message that
 * finished it is to be dropped, or 0.
 */
static enum nwg_device_drop_reason begin_session(struct nwg_peer *peer)
{
	struct nwg_handshake *handshake = &peer->handshake;
	struct nwg_session *session;

	lockdep_assert_held_write(&handshake->lock);
	if (READ_ONCE(nwg_handshakes_barred))
		return NWG_DEVICE_DROP_DOWN;
	session = nwg_session_alloc(peer);
	if (!session)
		return NWG_DEVICE_DROP_RECEIVE_MEMORY;
	session->initiator = handshake->state == NWG_HANDSHAKE_RESPONSE_CONSUMED;
	session->remote_index = handshake->remote_index;
	if (session->initiator)
		noise_session_derive(session->send_key, session->receive_key, &handshake->noise);
	else
		noise_session_derive(session->receive_key, session->send_key, &handshake->noise);
	if (!nwg_index_replace(&peer->device->indices, &handshake->index, &session->index)) {
		nwg_session_free(session);
		return NWG_DEVICE_DROP_UNREQUESTED;
	}
	nwg_session_install(peer, session);
	nwg_timers_session_derived(peer);
	handshake->remote_index = 0;
	handshake->state = NWG_HANDSHAKE_IDLE;
	return NWG_NOT_DROPPED;
}

static bool create_initiation(struct nwg_peer *peer, struct nwg_message_initiation *message)
{
	struct nwg_handshake *handshake = &peer->handshake;
	struct nwg_device *wg = peer->device;
	u8 timestamp[NWG_TIMESTAMP_LEN];
	u8 ephemeral[NWG_KEY_LEN];
	bool created = false;

	wait_for_random_bytes();
	down_read(&wg->identity_lock);
	down_write(&handshake->lock);
	if (!wg->has_identity || peer->dead || READ_ONCE(nwg_handshakes_barred))
		goto out;
	clear_locked(peer);
	handshake->machine_copies = READ_ONCE(nwg_machine_copies);
	/* Under the lock: what the copy of a machine erases must not come back from this stack. */
	timestamp_next(timestamp, &handshake->sent_time);
	get_random_bytes(ephemeral, sizeof(ephemeral));
	created = noise_initiation_create(message, &handshake->noise, &wg->identity, &peer->remote,
					  ephemeral, timestamp,
					  nwg_index_insert(&wg->indices, &handshake->index));
	if (created)
		handshake->state = NWG_HANDSHAKE_INITIATION_SENT;
	else
		clear_locked(peer);
out:
	up_write(&handshake->lock);
	up_read(&wg->identity_lock);
	memzero_explicit(ephemeral, sizeof(ephemeral));
	return created;
}

void nwg_handshake_transmit_work(struct work_struct *work)
{
	struct nwg_peer *peer = container_of(work, struct nwg_peer, transmit_handshake_work);
	struct nwg_message_initiation message;

	/* Meanwhile a response was sent, which may have helped. */
	if (sent_lately(peer)) {
		postpone(peer);
		return;
	}
	atomic64_set(&peer->handshake.last_sent, ktime_get_coarse_boottime_ns());
	nwg_dbg(peer->device, "Sending handshake initiation to " NWG_LOG_PEER "\n",
		nwg_log_peer(peer));
	if (create_initiation(peer, &message)) {
		nwg_peer_cookie_sign(peer, &message, sizeof(message));
		nwg_timers_authenticated_sent(peer);
		/* Before it is sent: the response may be quicker than we are. */
		nwg_timers_initiation_sent(peer);
		nwg_socket_send_buffer(peer, &message, sizeof(message), NWG_HANDSHAKE_DS);
	}
	memzero_explicit(&message, sizeof(message));
}

/* Return: why the initiation is to be dropped, or 0. */
static enum nwg_device_drop_reason create_response(struct nwg_peer *peer,
						   struct nwg_message_response *message)
{
	struct nwg_handshake *handshake = &peer->handshake;
	struct nwg_device *wg = peer->device;
	enum nwg_device_drop_reason reason;
	u8 ephemeral[NWG_KEY_LEN];

	wait_for_random_bytes();
	down_read(&wg->identity_lock);
	down_write(&handshake->lock);
	reason = NWG_DEVICE_DROP_UNKNOWN_PEER;
	if (peer->dead)
		goto out;
	/* An initiation of our own was made meanwhile, or a key changed. */
	reason = NWG_DEVICE_DROP_OVERTAKEN;
	if (handshake->state != NWG_HANDSHAKE_INITIATION_CONSUMED)
		goto out;
	get_random_bytes(ephemeral, sizeof(ephemeral));
	reason = NWG_DEVICE_DROP_NOT_AUTHENTIC;
	if (!noise_response_create(message, &handshake->noise, &peer->remote, ephemeral,
				   nwg_index_insert(&wg->indices, &handshake->index),
				   handshake->remote_index)) {
		clear_locked(peer);
		goto out;
	}
	handshake->state = NWG_HANDSHAKE_RESPONSE_SENT;
	/*
	 * Signed before the session exists, so that nothing is sent with it ahead of the response.
	 */
	nwg_peer_cookie_sign(peer, message, sizeof(*message));
	reason = begin_session(peer);
	if (reason)
		clear_locked(peer);
out:
	up_write(&handshake->lock);
	up_read(&wg->identity_lock);
	memzero_explicit(ephemeral, sizeof(ephemeral));
	return reason;
}

/* Return: why the initiation is to be dropped, or 0. */
static enum nwg_device_drop_reason send_response(struct nwg_peer *peer)
{
	struct nwg_message_response message;
	enum nwg_device_drop_reason reason;

	atomic64_set(&peer->handshake.last_sent, ktime_get_coarse_boottime_ns());
	nwg_dbg(peer->device, "Sending handshake response to " NWG_LOG_PEER "\n",
		nwg_log_peer(peer));
	reason = create_response(peer, &message);
	if (!reason) {
		nwg_timers_authenticated_sent(peer);
		nwg_socket_send_buffer(peer, &message, sizeof(message), NWG_HANDSHAKE_DS);
	}
	memzero_explicit(&message, sizeof(message));
	return reason;
}

/*
 * Take over what an initiation left, if it is newer than the last and they do not come too fast.
 * The interface's identity lock is held, so the key that the message was opened with is the one
 * that still is. Return: why the message is to be dropped, or 0.
 */
static enum nwg_device_drop_reason accept_initiation(struct nwg_peer *peer,
						     const struct noise_handshake *noise,
						     const u8 timestamp[NWG_TIMESTAMP_LEN],
						     __le32 sender)
{
	struct nwg_handshake *handshake = &peer->handshake;
	enum nwg_device_drop_reason reason = NWG_NOT_DROPPED;
	u64 now;

	down_write(&handshake->lock);
	/* Not before: another CPU may have had one of this peer's meanwhile. */
	now = ktime_get_coarse_boottime_ns();
	if (peer->dead) {
		reason = NWG_DEVICE_DROP_UNKNOWN_PEER;
	} else if (memcmp(timestamp, handshake->latest_timestamp, NWG_TIMESTAMP_LEN) <= 0) {
		reason = NWG_DEVICE_DROP_OLD_TIMESTAMP;
	} else if (handshake->last_consumed &&
		   (s64)(now - handshake->last_consumed) < NSEC_PER_SEC / INITIATIONS_PER_SECOND) {
		reason = NWG_DEVICE_DROP_PEER_LIMIT;
	} else {
		clear_locked(peer);
		handshake->noise = *noise;
		handshake->machine_copies = READ_ONCE(nwg_machine_copies);
		handshake->remote_index = sender;
		memcpy(handshake->latest_timestamp, timestamp, NWG_TIMESTAMP_LEN);
		handshake->last_consumed = now;
		handshake->state = NWG_HANDSHAKE_INITIATION_CONSUMED;
	}
	up_write(&handshake->lock);

	if (reason == NWG_DEVICE_DROP_OLD_TIMESTAMP || reason == NWG_DEVICE_DROP_PEER_LIMIT)
		net_dbg_ratelimited("%s: Handshake initiation from " NWG_LOG_PEER " refused: %s\n",
				    peer->device->dev->name, nwg_log_peer(peer),
				    reason == NWG_DEVICE_DROP_PEER_LIMIT ? "too many" :
									   "old time stamp");
	return reason;
}

/*
 * Open an initiation, which proves to come from @peer, of which the caller gets a reference. Return:
 * why it is to be dropped, or 0.
 */
static enum nwg_device_drop_reason consume_initiation(struct nwg_device *wg,
						      const struct nwg_message_initiation *message,
						      struct nwg_peer **peer)
{
	u8 timestamp[NWG_TIMESTAMP_LEN];
	struct noise_handshake noise;
	enum nwg_device_drop_reason reason;
	u8 public[NWG_KEY_LEN];

	*peer = NULL;
	down_read(&wg->identity_lock);
	reason = NWG_DEVICE_DROP_NO_PRIVATE_KEY;
	if (!wg->has_identity)
		goto out;
	reason = NWG_DEVICE_DROP_NOT_AUTHENTIC;
	if (!noise_initiation_open_static(&noise, public, message, &wg->identity))
		goto out;
	rcu_read_lock();
	*peer = nwg_peer_get_unless_zero(nwg_peer_lookup(wg, public));
	rcu_read_unlock();
	if (!*peer) {
		reason = NWG_DEVICE_DROP_UNKNOWN_PEER;
		goto out;
	}
	if (noise_initiation_open_timestamp(&noise, timestamp, message, &(*peer)->remote))
		reason = accept_initiation(*peer, &noise, timestamp, message->sender);
	if (reason)
		nwg_peer_put(*peer);
out:
	up_read(&wg->identity_lock);
	memzero_explicit(&noise, sizeof(noise));
	memzero_explicit(public, sizeof(public));
	return reason;
}

/*
 * Open a response of @peer, of which the caller gets a reference, and which has a session then.
 * Return: why it is to be dropped, or 0.
 */
static enum nwg_device_drop_reason consume_response(struct nwg_device *wg,
						    const struct nwg_message_response *message,
						    struct nwg_peer **peer)
{
	enum nwg_device_drop_reason reason = NWG_DEVICE_DROP_UNREQUESTED;
	struct nwg_handshake *handshake;
	struct nwg_index *index;

	*peer = NULL;
	down_read(&wg->identity_lock);
	rcu_read_lock();
	index = nwg_index_lookup(&wg->indices, message->receiver);
	if (index && index->kind == NWG_INDEX_HANDSHAKE)
		*peer = nwg_peer_get_unless_zero(index->peer);
	rcu_read_unlock();
	if (!*peer || !wg->has_identity)
		goto out;

	/* The lock is held from the check of the state to the session, so nobody can put another
	 * handshake, or a wiped one, in between. Only who saw our initiation can make us spend time
	 * here.
	 */
	handshake = &(*peer)->handshake;
	down_write(&handshake->lock);
	if ((*peer)->dead || handshake->state != NWG_HANDSHAKE_INITIATION_SENT ||
	    handshake->index.value != message->receiver)
		goto unlock;
	reason = NWG_DEVICE_DROP_NOT_AUTHENTIC;
	if (!noise_response_consume(&handshake->noise, message, &wg->identity, &(*peer)->remote))
		goto unlock;
	handshake->remote_index = message->sender;
	handshake->state = NWG_HANDSHAKE_RESPONSE_CONSUMED;
	reason = begin_session(*peer);
	if (reason)
		clear_locked(*peer);
unlock:
	up_write(&handshake->lock);
out:
	up_read(&wg->identity_lock);
	if (*peer && reason)
		nwg_peer_put(*peer);
	return reason;
}

/* Return: why it is to be dropped, or 0. */
static enum nwg_device_drop_reason
receive_cookie_reply(struct nwg_device *wg, const struct nwg_message_cookie_reply *reply)
{
	enum nwg_device_drop_reason reason = NWG_NOT_DROPPED;
	struct nwg_peer *peer = NULL;
	struct nwg_index *index;

	rcu_read_lock();
	index = nwg_index_lookup(&wg->indices, reply->receiver);
	if (index)
		peer = nwg_peer_get_unless_zero(index->peer);
	rcu_read_unlock();
	if (!peer)
		return NWG_DEVICE_DROP_UNREQUESTED;
	if (nwg_peer_cookie_consume(peer, reply))
		nwg_dbg(wg, "Received cookie response from " NWG_LOG_PEER "\n", nwg_log_peer(peer));
	else
		reason = NWG_DEVICE_DROP_UNREQUESTED;
	nwg_peer_put(peer);
	return reason;
}

/* The message proved to come from the peer, which is where it came from. */
static void note_received(struct nwg_peer *peer, struct sk_buff *skb)
{
	nwg_endpoint_learn(peer, skb);
	nwg_timers_authenticated_received(peer);
}

static void count_received(struct nwg_peer *peer, const struct sk_buff *skb)
{
	local_bh_disable();
	nwg_peer_count_received(peer, skb->len);
	local_bh_enable();
}

static enum nwg_device_drop_reason receive_initiation(struct nwg_device *wg, struct sk_buff *skb)
{
	enum nwg_device_drop_reason reason;
	struct nwg_peer *peer;

	reason = consume_initiation(wg, (void *)skb->data, &peer);
	if (reason)
		return reason;
	nwg_dbg(wg, "Receiving handshake initiation from " NWG_LOG_PEER "\n", nwg_log_peer(peer));
	note_received(peer, skb);
	reason = send_response(peer);
	if (!reason)
		count_received(peer, skb);
	nwg_peer_put(peer);
	return reason;
}

static enum nwg_device_drop_reason receive_response(struct nwg_device *wg, struct sk_buff *skb)
{
	enum nwg_device_drop_reason reason;
	struct nwg_peer *peer;

	reason = consume_response(wg, (void *)skb->data, &peer);
	if (reason)
		return reason;
	nwg_dbg(wg, "Receiving handshake response from " NWG_LOG_PEER "\n", nwg_log_peer(peer));
	note_received(peer, skb);
	count_received(peer, skb);
	nwg_timers_handshake_complete(peer);
	/* The first message confirms the session to the responder, so there must be one. */
	nwg_peer_send_keepalive(peer);
	nwg_peer_put(peer);
	return NWG_NOT_DROPPED;
}

/* Whether handshakes come faster than they can be worked off, or did within the last second. */
static bool under_load(struct nwg_device *wg)
{
	u64 now = ktime_get_coarse_boottime_ns();

	if (skb_queue_len_lockless(&wg->handshakes) >= NWG_LOAD_QUEUED_HANDSHAKES) {
		atomic64_set(&wg->under_load_until, now + NSEC_PER_SEC);
		return true;
	}
	return now < atomic64_read(&wg->under_load_until);
}

static const struct sockaddr *source_of(const struct sk_buff *skb, struct nwg_endpoint *buffer)
{
	buffer->addr.sa_family = AF_UNSPEC;
	nwg_endpoint_from_skb(buffer, skb);
	return &buffer->addr;
}

static const char *refusal(enum nwg_device_drop_reason reason)
{
	switch (reason) {
	case NWG_DEVICE_DROP_NO_PRIVATE_KEY:
		return "no private key";
	case NWG_DEVICE_DROP_WRONG_MAC1:
		return "wrong mac1";
	case NWG_DEVICE_DROP_SOURCE_LIMIT:
		return "too many from its source";
	case NWG_DEVICE_DROP_UNKNOWN_PEER:
		return "from no peer";
	case NWG_DEVICE_DROP_UNREQUESTED:
		return "answers nothing";
	case NWG_DEVICE_DROP_NOT_AUTHENTIC:
		return "not authentic";
	default:
		return NULL; /* said elsewhere, or not its sender's fault */
	}
}

/* Return: why it is to be dropped, or 0. */
static enum nwg_device_drop_reason receive_one(struct nwg_device *wg, struct sk_buff *skb)
{
	enum nwg_message_type type = le32_to_cpup((__le32 *)skb->data);
	struct nwg_message_cookie_reply reply;
	struct nwg_endpoint source;
	enum nwg_gate_verdict verdict;
	bool load;

	if (type == NWG_MESSAGE_COOKIE_REPLY)
		return receive_cookie_reply(wg, (void *)skb->data);

	load = under_load(wg);
	verdict = nwg_gate_check(wg, skb, load);
	if (verdict == NWG_GATE_INVALID)
		return READ_ONCE(wg->has_identity) ? NWG_DEVICE_DROP_WRONG_MAC1 :
						     NWG_DEVICE_DROP_NO_PRIVATE_KEY;
	if (verdict == NWG_GATE_MAC2)
		return NWG_DEVICE_DROP_SOURCE_LIMIT;
	if (load && verdict == NWG_GATE_MAC1) {
		/* The sender index is the second word of both. */
		nwg_gate_cookie_reply(wg, &reply, skb,
				      ((struct nwg_message_initiation *)skb->data)->sender);
		nwg_socket_reply(wg, skb, &reply, sizeof(reply));
		net_dbg_ratelimited("%s: Under load: sending cookie reply to %pISpfsc\n",
				    wg->dev->name, source_of(skb, &source));
		return NWG_DEVICE_DROP_UNDER_LOAD;
	}
	if (type == NWG_MESSAGE_INITIATION)
		return receive_initiation(wg, skb);
	return receive_response(wg, skb);
}

void nwg_handshake_receive_work(struct work_struct *work)
{
	struct nwg_device *wg = container_of(work, struct nwg_answer_work, work)->device;
	enum nwg_device_drop_reason reason;
	struct nwg_endpoint source;
	struct sk_buff *skb;

	while ((skb = skb_dequeue(&wg->handshakes))) {
		reason = receive_one(wg, skb);
		if (refusal(reason))
			net_dbg_ratelimited("%s: Handshake message from %pISpfsc dropped: %s\n",
					    wg->dev->name, source_of(skb, &source),
					    refusal(reason));
		if (reason)
			nwg_device_drop(wg, skb, reason);
		else
			consume_skb(skb);
		cond_resched();
	}
}

void nwg_handshake_purge(struct nwg_device *wg)
{
	struct sk_buff *skb;

	while ((skb = skb_dequeue(&wg->handshakes)))
		nwg_device_drop(wg, skb, NWG_DEVICE_DROP_DOWN);
}

void nwg_handshake_enqueue(struct nwg_device *wg, struct sk_buff *skb)
{
	unsigned int place;

	if (unlikely(skb_queue_len_lockless(&wg->handshakes) >= NWG_MAX_QUEUED_HANDSHAKES)) {
		nwg_device_drop(wg, skb, NWG_DEVICE_DROP_HANDSHAKES_FULL);
		return;
	}
	if (unlikely(skb_linearize(skb))) {
		nwg_device_drop(wg, skb, NWG_DEVICE_DROP_RECEIVE_MEMORY);
		return;
	}
	skb_queue_tail(&wg->handshakes, skb);
	/* One more for each that waits. */
	place = skb_queue_len_lockless(&wg->handshakes) % ARRAY_SIZE(wg->answer_works);
	queue_work(wg->answer_workqueue, &wg->answer_works[place].work);
}
