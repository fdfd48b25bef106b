/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The handshake as an exchange: who may start one, what is answered, and what becomes of it (white
 * paper, section 6). The bytes are in protocol/noise.h.
 */
#ifndef _NWG_TRANSPORT_HANDSHAKE_H
#define _NWG_TRANSPORT_HANDSHAKE_H

#include <linux/rwsem.h>
#include <linux/skbuff.h>

#include "index.h"
#include "protocol/noise.h"

struct nwg_device;
struct nwg_peer;

/*
 * Handshake messages that may wait for an interface; an eighth of that is load (white paper,
 * section 5.3).
 */
#define NWG_MAX_QUEUED_HANDSHAKES 4096
#define NWG_LOAD_QUEUED_HANDSHAKES (NWG_MAX_QUEUED_HANDSHAKES / 8)

/* DS field of handshake messages: AF41, not ECN-capable. */
#define NWG_HANDSHAKE_DS 0x88

enum nwg_handshake_state {
	NWG_HANDSHAKE_IDLE,
	NWG_HANDSHAKE_INITIATION_SENT,
	NWG_HANDSHAKE_INITIATION_CONSUMED,
	NWG_HANDSHAKE_RESPONSE_SENT,
	NWG_HANDSHAKE_RESPONSE_CONSUMED,
};

/**
 * struct nwg_handshake - the handshake of a peer
 * @lock: protects all of it, and the preshared key in peer->remote
 * @state: how far it is
 * @noise: the symmetric state
 * @index: own index for it
 * @remote_index: the peer's index
 * @machine_copies: nwg_machine_copies when it began; see session.h
 * @latest_timestamp: highest time stamp that the peer has shown
 * @sent_time: time stamp of the last initiation sent
 * @last_consumed: CLOCK_BOOTTIME in ns of the last initiation consumed
 * @last_sent: CLOCK_BOOTTIME in ns of the last initiation sent, 0 for none; atomic
 */
struct nwg_handshake {
	struct rw_semaphore lock;
	enum nwg_handshake_state state;
	struct noise_handshake noise;
	struct nwg_index index;
	__le32 remote_index;
	unsigned int machine_copies;
	u8 latest_timestamp[NWG_TIMESTAMP_LEN];
	struct timespec64 sent_time;
	u64 last_consumed;
	atomic64_t last_sent;
};

void nwg_handshake_setup(struct nwg_peer *peer);

/**
 * nwg_handshake_request - start a handshake, unless one was started within REKEY_TIMEOUT
 * @peer: the peer
 * @retry: it is a repetition, which does not set the count of attempts to zero
 *
 * Context: any but hard interrupt.
 */
void nwg_handshake_request(struct nwg_peer *peer, bool retry);

/*
 * Wipe the handshake that goes on and all sessions, with none derived in between. Context: process.
 */
void nwg_handshake_erase(struct nwg_peer *peer);

/* The same. Context: handshake.lock held for writing. */
void nwg_handshake_erase_locked(struct nwg_peer *peer);

/*
 * No message is made and no session derived: the machine goes to sleep. Read with handshake.lock
 * held, so that whoever sets it, then erases, has erased for good.
 */
extern bool nwg_handshakes_barred;

/* Work functions. */
void nwg_handshake_transmit_work(struct work_struct *work);
void nwg_handshake_receive_work(struct work_struct *work);

/* Queue a received handshake message. @skb: data at the message; consumed. Context: softirq. */
void nwg_handshake_enqueue(struct nwg_device *wg, struct sk_buff *skb);

/* Drop what is queued. Context: any but hard interrupts. */
void nwg_handshake_purge(struct nwg_device *wg);

#endif /* _NWG_TRANSPORT_HANDSHAKE_H */
