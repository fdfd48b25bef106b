// SPDX-License-Identifier: GPL-2.0
#include "session.h"

#include <linux/atomic.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

#include "device.h"
#include "log.h"
#include "peer.h"

unsigned int nwg_machine_copies;

static atomic64_t last_session_id = ATOMIC64_INIT(0);

bool nwg_session_older_than(const struct nwg_session *session, unsigned int seconds)
{
	/* Signed: adjtimex() of Linux 6.1 may set this clock back, by less than a tick. */
	return (s64)(ktime_get_coarse_boottime_ns() - session->birth) >=
	       (s64)seconds * NSEC_PER_SEC;
}

bool nwg_session_expired(const struct nwg_session *session)
{
	return nwg_session_older_than(session, NWG_REJECT_AFTER_TIME) ||
	       session->machine_copies != READ_ONCE(nwg_machine_copies);
}

struct nwg_session *nwg_session_alloc(struct nwg_peer *peer)
{
	struct nwg_session *session = kzalloc(sizeof(*session), GFP_KERNEL);

	if (!session)
		return NULL;
	session->index.peer = peer;
	session->index.kind = NWG_INDEX_SESSION;
	session->birth = ktime_get_coarse_boottime_ns();
	session->machine_copies = peer->handshake.machine_copies;
	session->id = atomic64_inc_return(&last_session_id);
	return session;
}

struct nwg_session *nwg_session_lookup(struct nwg_device *wg, __le32 index)
{
	struct nwg_index *entry = nwg_index_lookup(&wg->indices, index);

	if (unlikely(!entry || entry->kind != NWG_INDEX_SESSION))
		return NULL;
	return container_of(entry, struct nwg_session, index);
}

void nwg_session_free(struct nwg_session *session)
{
	kfree_sensitive(session);
}

static void session_free_rcu(struct rcu_head *rcu)
{
	nwg_session_free(container_of(rcu, struct nwg_session, rcu));
}

/* The session has left its slot. */
static void session_retire(struct nwg_session *session)
{
	struct nwg_peer *peer;

	if (!session)
		return;
	peer = session->index.peer;
	nwg_dbg(peer->device, "Keypair %llu destroyed for peer %llu\n", session->id, peer->id);
	nwg_index_remove(&peer->device->indices, &session->index);
	call_rcu(&session->rcu, session_free_rcu);
}

/* Swap a slot's content. The caller retires what comes out. */
static struct nwg_session *slot_exchange(struct nwg_sessions *sessions,
					 struct nwg_session __rcu **slot,
					 struct nwg_session *session)
{
	return rcu_replace_pointer(*slot, session, lockdep_is_held(&sessions->lock));
}

static void retire_if_expired(struct nwg_sessions *sessions, struct nwg_session __rcu **slot)
{
	struct nwg_session *session =
		rcu_dereference_protected(*slot, lockdep_is_held(&sessions->lock));

	if (session && nwg_session_expired(session))
		session_retire(slot_exchange(sessions, slot, NULL));
}

void nwg_session_install(struct nwg_peer *peer, struct nwg_session *session)
{
	struct nwg_sessions *sessions = &peer->sessions;
	struct nwg_session *displaced;

	nwg_dbg(peer->device, "Keypair %llu created for peer %llu\n", session->id, peer->id);
	spin_lock_bh(&sessions->lock);
	if (session->initiator) {
		/* The response proves that the peer has the keys. A next session that was never
		 * confirmed is the better candidate for what is still under way than the current
		 * one.
		 */
		struct nwg_session *next = slot_exchange(sessions, &sessions->next, NULL);
		struct nwg_session *current_session =
			slot_exchange(sessions, &sessions->current_session, session);

		if (next) {
			session_retire(current_session);
			current_session = next;
		}
		displaced = slot_exchange(sessions, &sessions->previous, current_session);
	} else {
		displaced = slot_exchange(sessions, &sessions->next, session);
		/* Whoever keeps our responses from the initiator has it begin again and again. */
		retire_if_expired(sessions, &sessions->current_session);
	}
	session_retire(displaced);
	/* Each new session puts off the erasure of all. Those of no use go at once. */
	retire_if_expired(sessions, &sessions->previous);
	spin_unlock_bh(&sessions->lock);
}

bool nwg_session_confirm(struct nwg_peer *peer, struct nwg_session *session)
{
	struct nwg_sessions *sessions = &peer->sessions;
	bool confirmed = false;

	if (likely(rcu_access_pointer(sessions->next) != session))
		return false;

	spin_lock_bh(&sessions->lock);
	if (rcu_access_pointer(sessions->next) == session) {
		struct nwg_session *old =
			slot_exchange(sessions, &sessions->current_session, session);

		RCU_INIT_POINTER(sessions->next, NULL);
		session_retire(slot_exchange(sessions, &sessions->previous, old));
		retire_if_expired(sessions, &sessions->previous);
		confirmed = true;
	}
	spin_unlock_bh(&sessions->lock);
	return confirmed;
}

void nwg_session_erase_all(struct nwg_peer *peer)
{
	struct nwg_sessions *sessions = &peer->sessions;

	spin_lock_bh(&sessions->lock);
	session_retire(slot_exchange(sessions, &sessions->previous, NULL));
	session_retire(slot_exchange(sessions, &sessions->current_session, NULL));
	session_retire(slot_exchange(sessions, &sessions->next, NULL));
	spin_unlock_bh(&sessions->lock);
}
