/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A peer of an interface, from nwg_peer_create() to nwg_peer_remove().
 */
#ifndef _NWG_PEER_H
#define _NWG_PEER_H

#include <linux/kref.h>
#include <linux/rwsem.h>
#include <linux/skbuff.h>
#include <linux/timer.h>
#include <linux/workqueue.h>
#include <net/dst_cache.h>

#include "protocol/cookie.h"
#include "protocol/noise.h"
#include "transport/gate.h"
#include "transport/gather.h"
#include "transport/handshake.h"
#include "transport/parallel.h"
#include "transport/session.h"
#include "transport/socket.h"
#include "transport/timers.h"

/* Packets that wait for a session; the oldest goes first when one more comes. */
#define NWG_MAX_STAGED 128

struct nwg_device;

/*
 * Who sends what a peer's queue has for the wire: nobody, somebody, or @transmit_work is to go on for somebody
 * who has sent enough.
 */
enum nwg_transmit_state { NWG_TRANSMIT_IDLE, NWG_TRANSMIT_BUSY, NWG_TRANSMIT_RESTING };

/**
 * struct nwg_peer - a peer
 * @device: its interface, which outlives it
 * @refcount: held by the interface's tables and by whoever uses the peer outside an RCU read
 *	section
 * @rcu: frees it
 * @id: number for the log; rises from peer to peer, so that a dump knows where to go on
 * @dead: set when it is removed; whoever arms a timer or queues a work checks it inside an RCU
 *	read section
 * @list: in @device->peers; update_lock
 * @key_node: in @device->peers_by_key; RCU
 * @allowedips: its prefixes; update_lock
 * @remote: keys; public is constant, the static-static secret under @device->identity_lock, the preshared
 *	key under @handshake.lock
 * @handshake: the handshake that goes on, if one does
 * @sessions: previous, current and next session
 * @cookie: what the peer demands of our handshake messages
 * @endpoint: where it is; has its own lock
 * @dst_cache: route to @endpoint; BH
 * @staged: packets that wait for a session; its own lock
 * @bursts: packets on their way to the wire
 * @transmit_state: whether somebody sends what is done of @bursts; @bursts' lock
 * @transmit_cpu: who has sent last of them; likewise
 * @transmit_moment: in jiffies, when, but for what was handed to it of packets that come one by one, if it was
 *	not too much for one go; likewise
 * @transmit_work: goes on sending for a sender who has sent enough for others, or is on another CPU
 * @gather: whether to wait for more packets before one is encrypted; @bursts' lock
 * @gather_work: encrypts what was gathered
 * @timers: what happens when nothing does
 * @transmit_handshake_work: sends an initiation
 * @persistent_keepalive: seconds, 0 is off; read lockless
 * @last_handshake: CLOCK_REALTIME in ns of the last completed handshake; 0 if there was none
 * @rx_bytes: UDP payload received, of messages that were not dropped
 * @tx_bytes: UDP payload sent
 */
struct nwg_peer {
	struct nwg_device *device;
	struct kref refcount;
	struct rcu_head rcu;
	u64 id;
	bool dead;
	struct list_head list;
	struct hlist_node key_node;
	struct list_head allowedips;

	struct noise_remote remote;
	struct nwg_handshake handshake;
	struct nwg_sessions sessions;
	struct nwg_peer_cookie cookie;

	struct nwg_endpoint_slot endpoint;
	struct dst_cache dst_cache;
	struct sk_buff_head staged;
	struct nwg_burst_queue bursts;
	enum nwg_transmit_state transmit_state;
	int transmit_cpu;
	unsigned long transmit_moment;
	struct work_struct transmit_work;
	struct nwg_gather gather;
	struct work_struct gather_work;

	struct nwg_timers timers;
	struct work_struct transmit_handshake_work;
	u16 persistent_keepalive;
	atomic64_t last_handshake;
	atomic64_t rx_bytes;
	atomic64_t tx_bytes;
};

/**
 * nwg_peer_create - add a peer
 * @wg: the interface
 * @public: its static public key; must not be the interface's own, and there must be no peer
 *	with it
 *
 * Context: process; @wg->update_lock held.
 * Return: the peer (the interface holds the reference), or ERR_PTR: -ENOMEM, -ENFILE (too many
 * peers).
 */
struct nwg_peer *nwg_peer_create(struct nwg_device *wg, const u8 public[NWG_KEY_LEN]);

/**
 * nwg_peer_remove - first half of removing a peer: nobody finds it any more
 * @peer: the peer; its prefixes go at once
 * @removed: list that it is put on for nwg_peer_remove_finish()
 *
 * Context: process; update_lock held.
 */
void nwg_peer_remove(struct nwg_peer *peer, struct list_head *removed);

/**
 * nwg_peer_remove_finish - second half: wait for packets, erase keys and queues, drop the
 * interface's references
 * @removed: peers removed; empty afterwards
 *
 * Context: process, sleeps for one grace period, however many they are; update_lock held.
 */
void nwg_peer_remove_finish(struct list_head *removed);

/* Remove all peers. Context: as nwg_peer_remove_finish(). */
void nwg_peer_remove_all(struct nwg_device *wg);

/**
 * nwg_peer_lookup - find a peer by its public key
 * @wg: the interface
 * @public: the key
 *
 * Context: rcu_read_lock() or update_lock held.
 * Return: the peer, valid until that lock is dropped, or NULL.
 */
struct nwg_peer *nwg_peer_lookup(struct nwg_device *wg, const u8 public[NWG_KEY_LEN]);

/**
 * nwg_peer_set_preshared - set or (all zeroes) remove the preshared key
 * @peer: the peer
 * @preshared: the key; takes effect with the next handshake
 *
 * Context: process.
 */
void nwg_peer_set_preshared(struct nwg_peer *peer, const u8 preshared[NWG_KEY_LEN]);

/**
 * nwg_peer_set_keepalive - set the persistent keepalive interval, and send one now if the interface
 * is up
 * @peer: the peer
 * @seconds: 0 is off
 *
 * Context: process; update_lock held.
 */
void nwg_peer_set_keepalive(struct nwg_peer *peer, u16 seconds);

/**
 * nwg_peer_count_received - count a message that the peer sent and that was not dropped
 * @peer: the peer
 * @len: its length, which is the UDP payload's
 *
 * Context: BH disabled.
 */
void nwg_peer_count_received(struct nwg_peer *peer, unsigned int len);

struct nwg_peer *nwg_peer_get_unless_zero(struct nwg_peer *peer);
void nwg_peer_put(struct nwg_peer *peer);

int nwg_peer_init(void);
void nwg_peer_exit(void);

#endif /* _NWG_PEER_H */
