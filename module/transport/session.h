/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sessions: the transport keys that a handshake yields, and the three slots that a peer keeps them
 * in (white paper, sections 5.4.5 and 6.3).
 */
#ifndef _NWG_TRANSPORT_SESSION_H
#define _NWG_TRANSPORT_SESSION_H

#include <linux/atomic.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>

#include "index.h"
#include "protocol/replay.h"
#include "protocol/wire.h"

struct nwg_device;
struct nwg_peer;

/*
 * How often this machine turned out to be the copy of another. Keys from before the last time are of
 * no use from then on, also where they are still to be erased: the other machine has them, too, and
 * would use the same nonces.
 */
extern unsigned int nwg_machine_copies;

/**
 * struct nwg_session - one pair of transport keys
 * @index: own index, by which the peer names the session
 * @rcu: frees it, wiped
 * @remote_index: the peer's index
 * @initiator: we sent the initiation
 * @birth: CLOCK_BOOTTIME in ns when it was derived
 * @machine_copies: nwg_machine_copies when the handshake began
 * @send_counter: counter of the next message sent; the lock of the peer's bursts, read lockless
 * @send_key: key we send with
 * @receive_key: key we receive with
 * @replay: counters received; only the poll of its peer's receive queue touches it
 * @id: number for the log
 */
struct nwg_session {
	struct nwg_index index;
	struct rcu_head rcu;
	__le32 remote_index;
	bool initiator;
	u64 birth;
	unsigned int machine_copies;
	u64 send_counter;
	u8 send_key[NWG_KEY_LEN];
	u8 receive_key[NWG_KEY_LEN];
	struct replay_window replay;
	u64 id;
};

/**
 * struct nwg_sessions - slots of a peer; RCU, written under @lock
 * @lock: serialises changes of the slots; BH
 * @current_session: what we send with
 * @previous: received with still, until its time is up
 * @next: as responder: derived, but not yet confirmed by a message from the peer
 */
struct nwg_sessions {
	spinlock_t lock;
	struct nwg_session __rcu *current_session;
	struct nwg_session __rcu *previous;
	struct nwg_session __rcu *next;
};

/*
 * Make a session of a peer's finished handshake. Context: process, handshake.lock held. Return: NULL
 * if out of memory.
 */
struct nwg_session *nwg_session_alloc(struct nwg_peer *peer);

/* Free a session that was never put into a slot. */
void nwg_session_free(struct nwg_session *session);

/* Find a session by its own index. Context: RCU read section. Return: valid in it, or NULL. */
struct nwg_session *nwg_session_lookup(struct nwg_device *wg, __le32 index);

/* Put a new session into the slot that its role gives it; what it displaces is erased. */
void nwg_session_install(struct nwg_peer *peer, struct nwg_session *session);

/**
 * nwg_session_confirm - the peer has used a session: if it is the next one, make it the current one
 * @peer: the peer
 * @session: session of a message that was authenticated
 *
 * Return: true if it was the next one.
 */
bool nwg_session_confirm(struct nwg_peer *peer, struct nwg_session *session);

/* Erase all sessions of a peer. Context: any but hard interrupt. */
void nwg_session_erase_all(struct nwg_peer *peer);

/* Whether more than @seconds have passed since the session was derived. */
bool nwg_session_older_than(const struct nwg_session *session, unsigned int seconds);

/* Whether nothing may be sent or accepted on the session any more. */
bool nwg_session_expired(const struct nwg_session *session);

#endif /* _NWG_TRANSPORT_SESSION_H */
