// SPDX-License-Identifier: GPL-2.0
#include "gate.h"

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/random.h>
#include <linux/timekeeping.h>
#include <linux/udp.h>

#include "device.h"
#include "log.h"
#include "peer.h"
#include "ratelimiter.h"

#define SECRET_LIFE_NS ((s64)NWG_COOKIE_SECRET_LIFE * NSEC_PER_SEC)
#define COOKIE_USE_NS ((s64)NWG_COOKIE_USE * NSEC_PER_SEC)

void nwg_gate_init(struct nwg_gate *gate)
{
	init_rwsem(&gate->lock);
	gate->secret_birth = 0;
}

void nwg_gate_set_key(struct nwg_gate *gate, const u8 public[NWG_KEY_LEN])
{
	down_write(&gate->lock);
	cookie_keys_derive(&gate->keys, public);
	up_write(&gate->lock);
}

/* The cookie that belongs to a packet's source. The gate's lock is held and the secret is there. */
static void cookie_of_source(u8 cookie[NWG_COOKIE_LEN], struct nwg_gate *gate, struct sk_buff *skb)
{
	const void *addr = &ip_hdr(skb)->saddr;
	size_t addr_len = sizeof(struct in_addr);

	lockdep_assert_held(&gate->lock);
	if (skb->protocol == htons(ETH_P_IPV6)) {
		addr = &ipv6_hdr(skb)->saddr;
		addr_len = sizeof(struct in6_addr);
	}
	cookie_make(cookie, gate->secret, addr, addr_len, udp_hdr(skb)->source);
}

static bool secret_fresh(const struct nwg_gate *gate)
{
	return gate->secret_birth &&
	       (s64)(ktime_get_coarse_boottime_ns() - gate->secret_birth) < SECRET_LIFE_NS;
}

enum nwg_gate_verdict nwg_gate_check(struct nwg_device *wg, struct sk_buff *skb, bool under_load)
{
	enum nwg_gate_verdict verdict = NWG_GATE_INVALID;
	struct nwg_gate *gate = &wg->gate;
	u8 cookie[NWG_COOKIE_LEN];
	/* Only to tell sources apart. They are of the namespace that the sockets are in. */
	const struct net *net = rcu_access_pointer(wg->creating_net);

	down_read(&gate->lock);
	/* Without a private key, everybody knows the key of a mac1. */
	if (!READ_ONCE(wg->has_identity) || !cookie_mac1_valid(skb->data, skb->len, &gate->keys))
		goto out;
	verdict = NWG_GATE_MAC1;
	if (!under_load || !secret_fresh(gate))
		goto out;
	cookie_of_source(cookie, gate, skb);
	if (!cookie_mac2_valid(skb->data, skb->len, cookie))
		goto out;
	verdict = NWG_GATE_MAC2;
	if (nwg_ratelimiter_allow(NWG_RATELIMIT_HANDSHAKE, net, skb))
		verdict = NWG_GATE_MAC2_ALLOWED;
out:
	up_read(&gate->lock);
	memzero_explicit(cookie, sizeof(cookie));
	return verdict;
}

void nwg_gate_cookie_reply(struct nwg_device *wg, struct nwg_message_cookie_reply *reply,
			   struct sk_buff *skb, __le32 sender)
{
	const struct nwg_macs *macs = (void *)(skb->data + skb->len - sizeof(*macs));
	struct nwg_gate *gate = &wg->gate;
	u8 nonce[NWG_COOKIE_NONCE_LEN];
	u8 cookie[NWG_COOKIE_LEN];

	wait_for_random_bytes();
	get_random_bytes(nonce, sizeof(nonce));
	down_write(&gate->lock);
	if (!secret_fresh(gate)) {
		get_random_bytes(gate->secret, sizeof(gate->secret));
		gate->secret_birth = ktime_get_coarse_boottime_ns();
	}
	cookie_of_source(cookie, gate, skb);
	cookie_reply_create(reply, cookie, macs->mac1, sender, nonce, &gate->keys);
	up_write(&gate->lock);
	memzero_explicit(cookie, sizeof(cookie));
}

void nwg_peer_cookie_init(struct nwg_peer_cookie *cookie, const u8 public[NWG_KEY_LEN])
{
	init_rwsem(&cookie->lock);
	cookie_keys_derive(&cookie->keys, public);
}

void nwg_peer_cookie_wipe(struct nwg_peer_cookie *cookie)
{
	down_write(&cookie->lock);
	memzero_explicit(cookie->cookie, sizeof(cookie->cookie));
	cookie->cookie_birth = 0;
	cookie->sent = false;
	up_write(&cookie->lock);
}

void nwg_peer_cookie_sign(struct nwg_peer *peer, void *message, size_t len)
{
	struct nwg_macs *macs = message + len - sizeof(*macs);
	struct nwg_peer_cookie *cookie = &peer->cookie;
	bool usable;

	down_write(&cookie->lock);
	usable = cookie->cookie_birth &&
		 (s64)(ktime_get_coarse_boottime_ns() - cookie->cookie_birth) < COOKIE_USE_NS;
	cookie_macs_add(message, len, &cookie->keys, usable ? cookie->cookie : NULL);
	memcpy(cookie->sent_mac1, macs->mac1, sizeof(cookie->sent_mac1));
	cookie->sent = true;
	up_write(&cookie->lock);
}

bool nwg_peer_cookie_consume(struct nwg_peer *peer, const struct nwg_message_cookie_reply *reply)
{
	struct nwg_peer_cookie *cookie = &peer->cookie;
	bool valid = false;

	down_write(&cookie->lock);
	if (cookie->sent &&
	    cookie_reply_open(cookie->cookie, reply, cookie->sent_mac1, &cookie->keys)) {
		cookie->cookie_birth = ktime_get_coarse_boottime_ns();
		cookie->sent = false;
		valid = true;
	}
	up_write(&cookie->lock);
	return valid;
}
