// SPDX-License-Identifier: GPL-2.0
#include "cookie.h"

#include <linux/jiffies.h>
#include <linux/random.h>
#include <linux/timekeeping.h>

#include "object.h"

#define SECRET_LIFE_NS ((u64)NWG_COOKIE_SECRET_LIFE * NSEC_PER_SEC)

/* Initiations of strangers in a second that are more than a home's users make. */
#define MANY_STRANGERS 64

/* How long it counts as pressure that there were. */
#define PRESSURE_HOLD HZ

/* How long the home may take for a cookie reply, in seconds. */
#define ANSWER_TIME 2

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
	unsigned int strangers = 0;
	unsigned long now = jiffies;

	if (time_in_range_open(now, READ_ONCE(cookies->second), READ_ONCE(cookies->second) + HZ))
		strangers = READ_ONCE(cookies->strangers);
	else
		WRITE_ONCE(cookies->second, now);
	WRITE_ONCE(cookies->strangers, ++strangers);
	if (strangers > MANY_STRANGERS || nwg_flow_total(relay) >= max - max / 8)
		WRITE_ONCE(cookies->pressed_until, now + PRESSURE_HOLD);
	/* However long ago that was. */
	return time_in_range_open(now, READ_ONCE(cookies->pressed_until) - PRESSURE_HOLD,
				  READ_ONCE(cookies->pressed_until));
}

/*
 * The cookie of a client. @fresh: draw a new secret if the last one is too old. Return: false if there
 * is none to make it with.
 */
static bool cookie_of(struct nwg_relay_cookies *cookies, const struct nwg_flow_key *key,
		      u8 cookie[NWG_COOKIE_LEN], bool fresh)
{
	u8 secret[NWG_KEY_LEN];
	bool valid;
	u64 now;

	spin_lock(&cookies->lock);
	now = ktime_get_coarse_boottime_ns();
	valid = cookies->secret_birth && now - cookies->secret_birth < SECRET_LIFE_NS;
	if (!valid && fresh) {
		get_random_bytes(cookies->secret, sizeof(cookies->secret));
		cookies->secret_birth = now;
		valid = true;
	}
	memcpy(secret, cookies->secret, sizeof(secret));
	spin_unlock(&cookies->lock);
	if (valid)
		cookie_make(cookie, secret, &key->client, sizeof(key->client), key->client_port);
	memzero_explicit(secret, sizeof(secret));
	return valid;
}

static const struct nwg_macs *macs_of(const struct nwg_datagram *datagram)
{
	return datagram->message + datagram->len - sizeof(struct nwg_macs);
}

bool nwg_relay_cookie_shown(struct nwg_relay *relay, const struct nwg_flow_key *key,
			    const struct nwg_datagram *datagram)
{
	u8 cookie[NWG_COOKIE_LEN];
	bool shown;

	/* Of a flood, hardly any message has one. */
	if (!memchr_inv(macs_of(datagram)->mac2, 0, NWG_MAC_LEN))
		return false;
	shown = cookie_of(&relay->cookies, key, cookie, false) &&
		cookie_mac2_valid(datagram->message, datagram->len, cookie);
	memzero_explicit(cookie, sizeof(cookie));
	return shown;
}

/* Write the reply of this relay to the message of a client with @mac1 and sender index @receiver. */
static void write_reply(struct nwg_relay *relay, const struct nwg_relay_params *params,
			const struct nwg_flow_key *key, const u8 mac1[NWG_MAC_LEN], __le32 receiver,
			struct nwg_message_cookie_reply *reply)
{
	u8 nonce[NWG_COOKIE_NONCE_LEN];
	u8 cookie[NWG_COOKIE_LEN];

	get_random_bytes(nonce, sizeof(nonce));
	cookie_of(&relay->cookies, key, cookie, true);
	cookie_reply_create(reply, cookie, mac1, receiver, nonce, &params->keys);
	memzero_explicit(cookie, sizeof(cookie));
}

void nwg_relay_cookie_reply(struct nwg_relay *relay, const struct nwg_relay_params *params,
			    const struct nwg_flow_key *key, const struct nwg_datagram *datagram,
			    struct nwg_message_cookie_reply *reply)
{
	const struct nwg_message_initiation *initiation = datagram->message;

	write_reply(relay, params, key, initiation->macs.mac1, initiation->sender, reply);
}

void nwg_flow_mac2(struct nwg_flow *flow, const struct nwg_datagram *datagram, u8 mac2[NWG_MAC_LEN])
{
	const bool shown = nwg_relay_cookie_shown(flow->relay, &flow->key, datagram);
	u8 cookie[NWG_COOKIE_LEN];
	u16 now;
	bool usable;

	spin_lock(&flow->relay->lock);
	now = ktime_get_boottime_seconds();
	/* What others send in the client's name must not take the place of what is to be answered. */
	if (shown || !flow->mac1_valid || (u16)(now - flow->mac1_birth) >= ANSWER_TIME) {
		memcpy(flow->mac1, macs_of(datagram)->mac1, sizeof(flow->mac1));
		flow->mac1_birth = now;
		flow->mac1_valid = true;
	}
	/* Or it would look fresh again one day. */
	flow->cookie_valid = flow->cookie_valid && (u16)(now - flow->cookie_birth) < NWG_COOKIE_USE;
	usable = shown && flow->cookie_valid;
	if (usable)
		memcpy(cookie, flow->cookie, sizeof(cookie));
	spin_unlock(&flow->relay->lock);
	if (usable)
		cookie_mac2_make(mac2, datagram->message, datagram->len, cookie);
	else
		memset(mac2, 0, NWG_MAC_LEN);
	memzero_explicit(cookie, sizeof(cookie));
}

bool nwg_flow_cookie_exchange(struct nwg_flow *flow, const struct nwg_relay_params *params,
			      const struct nwg_message_cookie_reply *home,
			      struct nwg_message_cookie_reply *reply)
{
	u8 mac1[NWG_MAC_LEN];
	bool authentic;

	spin_lock(&flow->relay->lock);
	authentic = flow->mac1_valid &&
		    cookie_reply_open(flow->cookie, home, flow->mac1, &params->keys);
	if (authentic) {
		flow->cookie_valid = true;
		flow->cookie_birth = ktime_get_boottime_seconds();
		flow->mac1_valid = false;
		memcpy(mac1, flow->mac1, sizeof(mac1));
	} else {
		/* Others may send faster than the client, in its name: then only it can show ours. */
		WRITE_ONCE(flow->ask, true);
	}
	spin_unlock(&flow->relay->lock);
	if (authentic)
		write_reply(flow->relay, params, &flow->key, mac1, home->receiver, reply);
	return authentic;
}
