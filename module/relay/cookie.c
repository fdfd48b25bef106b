// SPDX-License-Identifier: GPL-2.0
#include "cookie.h"

#include <linux/jiffies.h>
#include <linux/random.h>
#include <linux/timekeeping.h>

#include "object.h"

/*
 * White paper, section 5.4.7: a secret lives two minutes; whoever holds a cookie stops using it a
 * little earlier.
 */
#define SECRET_LIFE_NS (120ULL * NSEC_PER_SEC)
#define COOKIE_USE (115 * HZ)

/* Initiations of strangers in a second that are more than a home's users make. */
#define MANY_STRANGERS 64

/* How long it counts as pressure that there were. */
#define PRESSURE_HOLD HZ

void nwg_relay_cookies_init(struct nwg_relay_cookies *cookies)
{
	spin_lock_init(&cookies->lock);
	cookies->second = jiffies;
	cookies->pressed_until = jiffies;
}

bool nwg_relay_pressed(struct nwg_relay *relay, const struct nwg_relay_params *params)
{
	struct nwg_relay_cookies *cookies = &relay->cookies;
	const u32 max = params->config.max_flows;
	unsigned int flows = READ_ONCE(relay->flow_count[NWG_FLOW_NEW]) +
			     READ_ONCE(relay->flow_count[NWG_FLOW_ESTABLISHED]);
	unsigned int strangers = 0;
	unsigned long now = jiffies;

	if (time_after_eq(now, READ_ONCE(cookies->second) + HZ))
		WRITE_ONCE(cookies->second, now);
	else
		strangers = READ_ONCE(cookies->strangers);
	WRITE_ONCE(cookies->strangers, ++strangers);
	if (strangers > MANY_STRANGERS || flows >= max - max / 8)
		WRITE_ONCE(cookies->pressed_until, now + PRESSURE_HOLD);
	return time_before(now, READ_ONCE(cookies->pressed_until));
}

/* The cookie of a client, if there is a secret to make it with. */
static bool cookie_of(struct nwg_relay_cookies *cookies, const struct nwg_flow_key *key,
		      u8 cookie[NWG_COOKIE_LEN], bool fresh_secret)
{
	const u64 now = ktime_get_coarse_boottime_ns();
	bool made = true;

	spin_lock(&cookies->lock);
	if (!cookies->secret_birth || now - cookies->secret_birth >= SECRET_LIFE_NS) {
		made = fresh_secret;
		if (made) {
			get_random_bytes(cookies->secret, sizeof(cookies->secret));
			cookies->secret_birth = now;
		}
	}
	if (made)
		cookie_make(cookie, cookies->secret, &key->client, sizeof(key->client),
			    key->client_port);
	spin_unlock(&cookies->lock);
	return made;
}

bool nwg_relay_cookie_shown(struct nwg_relay *relay, const struct nwg_flow_key *key,
			    const struct nwg_datagram *datagram)
{
	u8 cookie[NWG_COOKIE_LEN];
	bool shown;

	shown = cookie_of(&relay->cookies, key, cookie, false) &&
		cookie_mac2_valid(datagram->message, datagram->len, cookie);
	memzero_explicit(cookie, sizeof(cookie));
	return shown;
}

void nwg_relay_cookie_reply(struct nwg_relay *relay, const struct nwg_relay_params *params,
			    const struct nwg_flow_key *key, const struct nwg_datagram *datagram,
			    struct nwg_message_cookie_reply *reply)
{
	const struct nwg_message_initiation *initiation = datagram->message;
	u8 nonce[NWG_COOKIE_NONCE_LEN];
	u8 cookie[NWG_COOKIE_LEN];

	get_random_bytes(nonce, sizeof(nonce));
	cookie_of(&relay->cookies, key, cookie, true);
	cookie_reply_create(reply, cookie, initiation->macs.mac1, initiation->sender, nonce,
			    &params->keys);
	memzero_explicit(cookie, sizeof(cookie));
}

void nwg_flow_mac2(struct nwg_flow *flow, const struct nwg_datagram *datagram, u8 mac2[NWG_MAC_LEN])
{
	const struct nwg_macs *macs = datagram->message + datagram->len - sizeof(*macs);
	u8 cookie[NWG_COOKIE_LEN];
	bool usable;

	spin_lock(&flow->relay->lock);
	memcpy(flow->mac1, macs->mac1, sizeof(flow->mac1));
	flow->mac1_valid = true;
	usable = flow->cookie_valid &&
		 nwg_moment_between(flow->cookie_birth, nwg_moment_now()) < COOKIE_USE;
	/* Or it would look fresh again one day. */
	flow->cookie_valid = usable;
	if (usable)
		memcpy(cookie, flow->cookie, sizeof(cookie));
	spin_unlock(&flow->relay->lock);
	if (usable)
		cookie_mac2_make(mac2, datagram->message, datagram->len, cookie);
	else
		memset(mac2, 0, NWG_MAC_LEN);
	memzero_explicit(cookie, sizeof(cookie));
}

void nwg_flow_cookie_take(struct nwg_flow *flow, const struct nwg_relay_params *params,
			  const struct nwg_message_cookie_reply *reply)
{
	spin_lock(&flow->relay->lock);
	if (flow->mac1_valid && cookie_reply_open(flow->cookie, reply, flow->mac1, &params->keys)) {
		flow->cookie_valid = true;
		flow->cookie_birth = nwg_moment_now();
		flow->mac1_valid = false;
	}
	spin_unlock(&flow->relay->lock);
}
