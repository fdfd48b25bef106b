/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The WireGuard interface: one net_device of kind "nwg".
 */
#ifndef _NWG_DEVICE_H
#define _NWG_DEVICE_H

#include <linux/hashtable.h>
#include <linux/mutex.h>
#include <linux/netdevice.h>
#include <linux/rwsem.h>
#include <linux/siphash.h>
#include <linux/workqueue.h>

#include "protocol/allowedips.h"
#include "protocol/noise.h"
#include "transport/gate.h"
#include "transport/index.h"
#include "transport/receive.h"

#define NWG_DEFAULT_MTU 1420
#define NWG_MAX_PEERS_PER_DEVICE (1U << 20)
/* Why an interface can have no sockets any more, for the user. */
#define NWG_NO_CREATING_NET \
	"the namespace in which the interface was made is gone: delete the interface, make it anew"

struct netlink_ext_ack;

/* Works that an interface may have at once, for what it begins and for what it answers. */
#define NWG_MAX_HANDSHAKES_AT_ONCE 8U

/**
 * struct nwg_answer_work - one of several that answer handshakes
 * @work: the work
 * @device: the interface; constant
 */
struct nwg_answer_work {
	struct work_struct work;
	struct nwg_device *device;
};

/**
 * struct nwg_device - private data of an interface
 * @dev: the interface
 * @creating_net: network namespace in which the interface was made and in which its sockets
 *	live. Not counted; cleared, under @update_lock, when that namespace dies. Read under RCU or
 *	@update_lock.
 * @list: entry in the list of all interfaces; RTNL
 * @update_lock: serialises configuration. Protects @peers, @peer_count, the peers' lists of
 *	allowed IPs, writes to
 *	@allowedips, to the sockets, to @port and to @fwmark, and @relays.
 * @sock4: UDP socket, or NULL when the interface is down; RCU, written under @update_lock
 * @sock6: likewise, for IPv6
 * @port: UDP port in host order, 0 if not chosen yet
 * @fwmark: mark of outgoing packets; read lockless
 * @identity_lock: protects @identity, @has_identity and each peer's static-static secret.
 *	Taken for reading around each handshake message, for writing when the private key changes.
 * @identity: own key pair
 * @has_identity: a private key is set
 * @gate: mac1 and mac2 checks of what comes in; has its own lock
 * @allowedips: prefix to peer; RCU, written under @update_lock
 * @peers: all peers, in the order in which they were made
 * @peer_count: their number
 * @peers_by_key: public key to peer; RCU, written under @update_lock
 * @peer_hash_key: keys @peers_by_key, so that nobody can aim at one bucket
 * @indices: receiver index to handshake or session; has its own lock
 * @handshake_workqueue: where handshakes are begun, and keys are erased. Its own, or who has many peers
 *	that do not answer, in whatever namespace, would keep the others waiting.
 * @answer_workqueue: where @answer_works run. Its own, or what many peers answer would wait behind
 *	what is begun with many others, and count as load.
 * @handshakes: handshake messages that wait for @answer_works
 * @answer_works: consume @handshakes in process context, on as many CPUs as there is work for
 * @under_load_until: CLOCK_BOOTTIME in ns until which the interface counts as under load
 * @receive_queues: transport messages that wait to be decrypted
 * @receive_queue_count: their number, a power of two
 * @relays: relays over this interface (struct nwg_relay); RCU, written under @update_lock
 * @generation: incremented under @update_lock with each change that a dump could see in halves
 *
 * Locking: RTNL > @update_lock > @identity_lock > peer->handshake.lock > the spinlocks. RTNL is
 * optional. @gate's lock is inside @identity_lock, that of a peer's cookie inside peer->handshake.lock:
 * both may sleep.
 */
struct nwg_device {
	struct net_device *dev;
	struct net __rcu *creating_net;
	struct list_head list;
	struct mutex update_lock;
	struct sock __rcu *sock4;
	struct sock __rcu *sock6;
	u16 port;
	u32 fwmark;

	struct rw_semaphore identity_lock;
	struct noise_identity identity;
	bool has_identity;
	struct nwg_gate gate;

	struct allowedips allowedips;
	struct list_head peers;
	unsigned int peer_count;
	DECLARE_HASHTABLE(peers_by_key, 11);
	siphash_key_t peer_hash_key;
	struct nwg_index_table indices;

	struct workqueue_struct *handshake_workqueue;
	struct workqueue_struct *answer_workqueue;
	struct sk_buff_head handshakes;
	struct nwg_answer_work answer_works[NWG_MAX_HANDSHAKES_AT_ONCE];
	atomic64_t under_load_until;

	struct nwg_receive_queue *receive_queues;
	unsigned int receive_queue_count;
	struct list_head relays;
	unsigned int generation;
};

/**
 * nwg_device_from_netdev - check the kind of an interface
 * @dev: any interface
 *
 * Return: its private data if it is one of ours, or NULL.
 */
struct nwg_device *nwg_device_from_netdev(const struct net_device *dev);

/**
 * nwg_device_set_private_key - set, change or remove the interface's private key
 * @wg: the interface
 * @private: the key, or all zeroes to remove it
 *
 * Ends all sessions at once, removes a peer that has the interface's own new public key, and sends
 * what persistent keepalives waited for the key. Setting the key that is there already changes
 * nothing.
 *
 * Context: process; @wg->update_lock held.
 */
void nwg_device_set_private_key(struct nwg_device *wg, const u8 private[NWG_KEY_LEN]);

/**
 * nwg_device_set_port - change the UDP port
 * @wg: the interface
 * @port: in host order; 0 lets the kernel choose
 *
 * If the interface is up, new sockets are opened before the old ones close, so a refusal changes
 * nothing.
 *
 * Context: process; @wg->update_lock held.
 * Return: 0; -EADDRINUSE; -ENONET if the namespace of the sockets is gone; other errors of bind().
 */
int nwg_device_set_port(struct nwg_device *wg, u16 port);

/**
 * nwg_device_set_fwmark - change the mark of outgoing packets
 * @wg: the interface
 * @fwmark: 0 for none
 *
 * Context: process; @wg->update_lock held.
 */
void nwg_device_set_fwmark(struct nwg_device *wg, u32 fwmark);

/*
 * Register the kind nwg, and with @drop_in the kind wireguard as well: -EEXIST if another module has
 * it. Context: process.
 */
int nwg_device_init(bool drop_in);
void nwg_device_exit(bool drop_in);

#endif /* _NWG_DEVICE_H */
