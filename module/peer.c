// SPDX-License-Identifier: GPL-2.0
#include "peer.h"

#include <linux/atomic.h>
#include <linux/netdevice.h>
#include <linux/rculist.h>
#include <linux/siphash.h>
#include <linux/slab.h>

#include "device.h"
#include "log.h"
#include "relay/relay.h"
#include "transport/send.h"

static struct kmem_cache *peer_cache;
/* Of all interfaces: in other network namespaces there may be some of the same name. */
static atomic64_t last_peer_id = ATOMIC64_INIT(0);

static u32 key_hash(struct nwg_device *wg, const u8 public[NWG_KEY_LEN])
{
	return siphash(public, NWG_KEY_LEN, &wg->peer_hash_key);
}

struct nwg_peer *nwg_peer_lookup(struct nwg_device *wg, const u8 public[NWG_KEY_LEN])
{
	struct nwg_peer *peer;

	hash_for_each_possible_rcu(wg->peers_by_key, peer, key_node, key_hash(wg, public),
				   lockdep_is_held(&wg->update_lock))
		if (!memcmp(peer->remote.public, public, NWG_KEY_LEN))
			return peer;
	return NULL;
}

struct nwg_peer *nwg_peer_get_unless_zero(struct nwg_peer *peer)
{
	return peer && kref_get_unless_zero(&peer->refcount) ? peer : NULL;
}

static void peer_free_rcu(struct rcu_head *rcu)
{
	struct nwg_peer *peer = container_of(rcu, struct nwg_peer, rcu);

	WARN_ON(peer->bursts.first);
	dst_cache_destroy(&peer->dst_cache);
	memzero_explicit(peer, sizeof(*peer));
	kmem_cache_free(peer_cache, peer);
}

static void peer_release(struct kref *refcount)
{
	struct nwg_peer *peer = container_of(refcount, struct nwg_peer, refcount);

	nwg_dbg(peer->device, "Peer %llu destroyed\n", peer->id);
	nwg_peer_purge_staged(peer);
	call_rcu(&peer->rcu, peer_free_rcu);
}

void nwg_peer_put(struct nwg_peer *peer)
{
	if (peer)
		kref_put(&peer->refcount, peer_release);
}

struct nwg_peer *nwg_peer_create(struct nwg_device *wg, const u8 public[NWG_KEY_LEN])
{
	struct nwg_peer *peer;

	lockdep_assert_held(&wg->update_lock);
	if (wg->peer_count >= NWG_MAX_PEERS_PER_DEVICE)
		return ERR_PTR(-ENFILE);
	peer = kmem_cache_zalloc(peer_cache, GFP_KERNEL);
	if (!peer)
		return ERR_PTR(-ENOMEM);
	if (dst_cache_init(&peer->dst_cache, GFP_KERNEL_ACCOUNT)) {
		kmem_cache_free(peer_cache, peer);
		return ERR_PTR(-ENOMEM);
	}
	peer->device = wg;
	peer->id = atomic64_inc_return(&last_peer_id);
	kref_init(&peer->refcount);
	INIT_LIST_HEAD(&peer->allowedips);
	spin_lock_init(&peer->sessions.lock);
	skb_queue_head_init(&peer->staged);
	nwg_bursts_init(&peer->bursts, nwg_peer_help);
	INIT_WORK(&peer->transmit_work, nwg_peer_transmit_work);
	nwg_gather_init(&peer->gather);
	INIT_WORK(&peer->gather_work, nwg_peer_gather_work);
	INIT_WORK(&peer->transmit_handshake_work, nwg_handshake_transmit_work);
	nwg_endpoint_init(&peer->endpoint);
	nwg_handshake_setup(peer);
	nwg_timers_init(peer);
	nwg_peer_cookie_init(&peer->cookie, public);

	memcpy(peer->remote.public, public, NWG_KEY_LEN);
	down_read(&wg->identity_lock);
	noise_remote_precompute(&peer->remote, wg->has_identity ? &wg->identity : NULL);
	up_read(&wg->identity_lock);

	hash_add_rcu(wg->peers_by_key, &peer->key_node, key_hash(wg, public));
	list_add_tail(&peer->list, &wg->peers);
	wg->peer_count++;
	nwg_relay_peer_added(peer);
	nwg_dbg(wg, "Peer %llu created\n", peer->id);
	return peer;
}

void nwg_peer_remove(struct nwg_peer *peer, struct list_head *removed)
{
	struct nwg_device *wg = peer->device;

	lockdep_assert_held(&wg->update_lock);
	WRITE_ONCE(peer->dead, true);
	allowedips_remove_list(&wg->allowedips, &peer->allowedips);
	hash_del_rcu(&peer->key_node);
	list_move_tail(&peer->list, removed);
	wg->peer_count--;
	nwg_relay_peer_removed(peer);
}

/* Stop what still runs, erase the keys and let go. */
static void peer_finish(struct nwg_peer *peer)
{
	nwg_timers_stop(peer);
	cancel_work_sync(&peer->transmit_handshake_work);
	cancel_work_sync(&peer->timers.erase_work);
	/* What was gathered for it is encrypted, if there are keys, or counts as dropped. */
	flush_work(&peer->gather_work);
	flush_work(&peer->transmit_work);
	nwg_handshake_erase(peer);
	nwg_peer_cookie_wipe(&peer->cookie);
	nwg_peer_put(peer);
}

void nwg_peer_remove_finish(struct list_head *removed)
{
	struct nwg_peer *peer, *next;

	if (list_empty(removed))
		return;
	/*
	 * No packet finds them any more, and nobody arms a timer or queues a work of theirs. Who removes
	 * peers one by one waits for each.
	 */
	synchronize_rcu_expedited();
	list_for_each_entry_safe(peer, next, removed, list) {
		list_del_init(&peer->list);
		peer_finish(peer);
	}
}

void nwg_peer_remove_all(struct nwg_device *wg)
{
	struct nwg_peer *peer, *next;
	LIST_HEAD(removed);

	list_for_each_entry_safe(peer, next, &wg->peers, list)
		nwg_peer_remove(peer, &removed);
	nwg_peer_remove_finish(&removed);
}

void nwg_peer_set_preshared(struct nwg_peer *peer, const u8 preshared[NWG_KEY_LEN])
{
	down_write(&peer->handshake.lock);
	memcpy(peer->remote.preshared, preshared, NWG_KEY_LEN);
	up_write(&peer->handshake.lock);
}

void nwg_peer_set_keepalive(struct nwg_peer *peer, u16 seconds)
{
	bool on = seconds && !peer->persistent_keepalive;

	lockdep_assert_held(&peer->device->update_lock);
	/* Who says the same again and again must not put off the next one again and again. */
	if (seconds == peer->persistent_keepalive)
		return;
	WRITE_ONCE(peer->persistent_keepalive, seconds);
	nwg_timers_persistent_changed(peer);
	if (on && netif_running(peer->device->dev))
		nwg_peer_send_keepalive(peer);
}

void nwg_peer_count_received(struct nwg_peer *peer, unsigned int len)
{
	atomic64_add(len, &peer->rx_bytes);
	dev_sw_netstats_rx_add(peer->device->dev, len);
}

int nwg_peer_init(void)
{
	peer_cache = KMEM_CACHE(nwg_peer, SLAB_ACCOUNT);
	return peer_cache ? 0 : -ENOMEM;
}

void nwg_peer_exit(void)
{
	/* Peers are freed by call_rcu(). */
	rcu_barrier();
	kmem_cache_destroy(peer_cache);
}
