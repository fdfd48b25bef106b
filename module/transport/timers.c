// SPDX-License-Identifier: GPL-2.0
#include "timers.h"

#include <linux/netdevice.h>
#include <linux/random.h>

#include "device.h"
#include "log.h"
#include "netlink/events.h"
#include "peer.h"
#include "send.h"

/* Initiations are repeated until REKEY_ATTEMPT_TIME is over. */
#define MAX_ATTEMPTS (NWG_REKEY_ATTEMPT_TIME / NWG_REKEY_TIMEOUT)

/* The present as a note: never 0, at the price of one jiffy of precision. */
static unsigned long note_now(void)
{
	return jiffies | 1UL;
}

/* Up to a third of a second, so that two sides do not run in step (white paper, section 6.1). */
static unsigned long jitter(void)
{
	return get_random_u32() % (HZ / 3 + 1);
}

/*
 * Whoever takes an interface down or a peer away first makes this refuse, then waits for a grace
 * period, then stops the timers; so none is armed after that.
 */
static void arm(struct nwg_peer *peer, struct timer_list *timer, unsigned long expires)
{
	rcu_read_lock_bh();
	if (likely(netif_running(peer->device->dev) && !READ_ONCE(peer->dead)))
		mod_timer(timer, expires);
	rcu_read_unlock_bh();
}

/*
 * Note an event that starts a wait, unless one is under way. @spread: with a jitter, which is drawn
 * only then.
 */
static void start_waiting(struct nwg_peer *peer, unsigned long *since, struct timer_list *timer,
			  unsigned long wait, bool spread)
{
	if (READ_ONCE(*since))
		return;
	WRITE_ONCE(*since, note_now());
	/* Pairs with the handler's read of the note after it has left the pending state. */
	smp_mb();
	if (!timer_pending(timer))
		arm(peer, timer, jiffies + wait + (spread ? jitter() : 0));
}

/* A timer fired: is the wait over? If it began later than the timer was set, go on waiting. */
static bool waited(struct nwg_peer *peer, unsigned long *note, struct timer_list *timer,
		   unsigned long wait, bool spread)
{
	unsigned long since;

	/* Pairs with start_waiting(). */
	smp_mb();
	since = READ_ONCE(*note);
	if (!since)
		return false;
	if (time_before(jiffies, since + wait)) {
		arm(peer, timer, since + wait + (spread ? jitter() : 0));
		return false;
	}
	return true;
}

static void erase_later(struct nwg_peer *peer)
{
	const unsigned long at = jiffies + NWG_ERASE_AFTER_TIME * HZ;

	WRITE_ONCE(peer->timers.erase_at, at ?: 1);
	arm(peer, &peer->timers.erase, at);
}

static void retry_expired(struct timer_list *timer)
{
	struct nwg_peer *peer = timer_container_of(peer, timer, timers.retry);

	if (peer->timers.attempts + 1 >= MAX_ATTEMPTS) {
		nwg_dbg(peer->device,
			"Handshake for " NWG_LOG_PEER
			" did not complete after %d attempts, giving up\n",
			nwg_log_peer(peer), MAX_ATTEMPTS);
		nwg_peer_purge_staged(peer);
		/* What keys there are go, unless a new session comes in time. */
		if (!READ_ONCE(peer->timers.erase_at))
			erase_later(peer);
		return;
	}
	peer->timers.attempts++;
	nwg_dbg(peer->device,
		"Handshake for " NWG_LOG_PEER
		" did not complete after %d seconds, retrying (try %u)\n",
		nwg_log_peer(peer), NWG_REKEY_TIMEOUT, peer->timers.attempts + 1);
	nwg_endpoint_forget_source(peer);
	nwg_handshake_request(peer, true);
}

static void keepalive_expired(struct timer_list *timer)
{
	struct nwg_peer *peer = timer_container_of(peer, timer, timers.keepalive);

	if (!waited(peer, &peer->timers.unacknowledged, timer, NWG_KEEPALIVE_TIMEOUT * HZ, false))
		return;
	/* Also if there is no memory to send it: the next packet starts another wait. */
	WRITE_ONCE(peer->timers.unacknowledged, 0);
	nwg_peer_send_keepalive(peer);
}

static void no_answer_expired(struct timer_list *timer)
{
	struct nwg_peer *peer = timer_container_of(peer, timer, timers.no_answer);

	if (!waited(peer, &peer->timers.unanswered, timer,
		    (NWG_KEEPALIVE_TIMEOUT + NWG_REKEY_TIMEOUT) * HZ, true))
		return;
	nwg_dbg(peer->device,
		"Retrying handshake with " NWG_LOG_PEER
		" because nothing came back for %d seconds\n",
		nwg_log_peer(peer), NWG_KEEPALIVE_TIMEOUT + NWG_REKEY_TIMEOUT);
	WRITE_ONCE(peer->timers.unanswered, 0);
	nwg_endpoint_forget_source(peer);
	nwg_handshake_request(peer, false);
}

static void erase_expired(struct timer_list *timer)
{
	struct nwg_peer *peer = timer_container_of(peer, timer, timers.erase);

	/* Wiping a handshake takes a lock that sleeps. */
	rcu_read_lock_bh();
	if (!READ_ONCE(peer->dead))
		queue_work(peer->device->handshake_workqueue, &peer->timers.erase_work);
	rcu_read_unlock_bh();
}

static void erase_work(struct work_struct *work)
{
	struct nwg_peer *peer = container_of(work, struct nwg_peer, timers.erase_work);
	unsigned long at;

	down_write(&peer->handshake.lock);
	at = READ_ONCE(peer->timers.erase_at);
	if (at && time_after_eq(jiffies, at)) {
		nwg_dbg(peer->device,
			"Zeroing out keys for " NWG_LOG_PEER ": no new session for %d seconds\n",
			nwg_log_peer(peer), NWG_ERASE_AFTER_TIME);
		nwg_handshake_erase_locked(peer);
	} else if (at) {
		/* A session was derived while the work waited, or the timer was set for one before. */
		arm(peer, &peer->timers.erase, at);
	}
	up_write(&peer->handshake.lock);
}

static void persistent_expired(struct timer_list *timer)
{
	struct nwg_peer *peer = timer_container_of(peer, timer, timers.persistent);
	unsigned long interval = READ_ONCE(peer->persistent_keepalive) * HZ;
	unsigned long due = READ_ONCE(peer->timers.last_traffic) + interval;

	if (!interval)
		return;
	if (time_before(jiffies, due)) {
		arm(peer, timer, due);
		return;
	}
	nwg_peer_send_keepalive(peer);
	arm(peer, timer, jiffies + interval);
}

static void note_traffic(struct nwg_peer *peer)
{
	unsigned int interval = READ_ONCE(peer->persistent_keepalive);

	if (!interval)
		return;
	WRITE_ONCE(peer->timers.last_traffic, jiffies);
	if (!timer_pending(&peer->timers.persistent))
		arm(peer, &peer->timers.persistent, jiffies + interval * HZ);
}

void nwg_timers_data_sent(struct nwg_peer *peer)
{
	start_waiting(peer, &peer->timers.unanswered, &peer->timers.no_answer,
		      (NWG_KEEPALIVE_TIMEOUT + NWG_REKEY_TIMEOUT) * HZ, true);
}

void nwg_timers_data_received(struct nwg_peer *peer)
{
	start_waiting(peer, &peer->timers.unacknowledged, &peer->timers.keepalive,
		      NWG_KEEPALIVE_TIMEOUT * HZ, false);
}

void nwg_timers_authenticated_sent(struct nwg_peer *peer)
{
	if (READ_ONCE(peer->timers.unacknowledged))
		WRITE_ONCE(peer->timers.unacknowledged, 0);
	note_traffic(peer);
}

void nwg_timers_authenticated_received(struct nwg_peer *peer)
{
	if (READ_ONCE(peer->timers.unanswered))
		WRITE_ONCE(peer->timers.unanswered, 0);
	note_traffic(peer);
}

void nwg_timers_initiation_sent(struct nwg_peer *peer)
{
	arm(peer, &peer->timers.retry, jiffies + NWG_REKEY_TIMEOUT * HZ + jitter());
}

/* A handshake is wanted, but a message of one was sent just now: see later whether it helped. */
void nwg_timers_handshake_postponed(struct nwg_peer *peer)
{
	if (!timer_pending(&peer->timers.retry))
		nwg_timers_initiation_sent(peer);
}

void nwg_timers_handshake_complete(struct nwg_peer *peer)
{
	timer_delete(&peer->timers.retry);
	peer->timers.attempts = 0;
	atomic64_set(&peer->last_handshake, ktime_get_real_ns());
	nwg_event_handshake(peer);
}

void nwg_timers_session_derived(struct nwg_peer *peer)
{
	erase_later(peer);
}

void nwg_timers_erased(struct nwg_peer *peer)
{
	WRITE_ONCE(peer->timers.erase_at, 0);
}

void nwg_timers_persistent_changed(struct nwg_peer *peer)
{
	unsigned int interval = READ_ONCE(peer->persistent_keepalive);

	/* Or it would count from the origin of jiffies, which on 32 bits is to come. */
	WRITE_ONCE(peer->timers.last_traffic, jiffies);
	if (interval)
		arm(peer, &peer->timers.persistent, jiffies + interval * HZ);
	else
		timer_delete(&peer->timers.persistent);
}

void nwg_timers_init(struct nwg_peer *peer)
{
	timer_setup(&peer->timers.retry, retry_expired, 0);
	timer_setup(&peer->timers.keepalive, keepalive_expired, 0);
	timer_setup(&peer->timers.no_answer, no_answer_expired, 0);
	timer_setup(&peer->timers.erase, erase_expired, 0);
	timer_setup(&peer->timers.persistent, persistent_expired, 0);
	INIT_WORK(&peer->timers.erase_work, erase_work);
}

void nwg_timers_stop(struct nwg_peer *peer)
{
	timer_delete_sync(&peer->timers.retry);
	timer_delete_sync(&peer->timers.keepalive);
	timer_delete_sync(&peer->timers.no_answer);
	timer_delete_sync(&peer->timers.erase);
	timer_delete_sync(&peer->timers.persistent);
	peer->timers.unanswered = 0;
	peer->timers.unacknowledged = 0;
	peer->timers.attempts = 0;
}
