// SPDX-License-Identifier: GPL-2.0
#include "cookie.h"

#include <linux/jiffies.h>
#include <linux/random.h>
#include <linux/timekeeping.h>

#include "mapping.h"
#include "netlink/events.h"
#include "object.h"
#include "transport/session.h"

#define SECRET_LIFE_NS ((s64)NWG_COOKIE_SECRET_LIFE * NSEC_PER_SEC)

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

static bool nearly_full(const struct nwg_relay *relay, const struct nwg_relay_params *params)
{
	u32 max = params->config.max_flows;

	if (params->config.source == NWG_SOURCE_POOL)
		max = min(max, nwg_mapping_pool_size(&params->config));
	return nwg_flow_total(relay) >= max - max / 8 ||
	       nwg_quota_scarce(&relay->net->flows.quotas);
}

void nwg_relay_press(struct nwg_relay *relay, unsigned long now)
{
	WRITE_ONCE(relay->cookies.pressed_until, now + PRESSURE_HOLD);
}

/* Jiffies for which it still counts as pressure that there was some, however long ago; or 0. */
static unsigned long pressure_left(const struct nwg_relay_cookies *cookies, unsigned long now)
{
	const unsigned long until = READ_ONCE(cookies->pressed_until);

	return time_in_range_open(now, until - PRESSURE_HOLD, until) ? until - now : 0;
}

/* Pressure begins: from now on it is looked for its end. */
static void note_pressure(struct nwg_relay *relay)
{
	spin_lock(&relay->lock);
	if (!relay->dead && !relay->pressed) {
		WRITE_ONCE(relay->pressed, true);
		nwg_event_pressure(relay);
		queue_delayed_work(system_power_efficient_wq, &relay->relief, PRESSURE_HOLD);
	}
	spin_unlock(&relay->lock);
}

bool nwg_relay_pressed(struct nwg_relay *relay, const struct nwg_relay_params *params)
{
	struct nwg_relay_cookies *cookies = &relay->cookies;
	unsigned int strangers = 0;
	unsigned long now = jiffies;

	if (time_in_range_open(now, READ_ONCE(cookies->second), READ_ONCE(cookies->second) + HZ))
		strangers = READ_ONCE(cookies->strangers);
	else
		WRITE_ONCE(cookies->second, now);
	WRITE_ONCE(cookies->strangers, ++strangers);
	/* From this very moment: it must not be to come. */
	if (strangers > MANY_STRANGERS || nearly_full(relay, params))
		nwg_relay_press(relay, now);
	if (!pressure_left(cookies, now))
		return false;
	/* Who still sees it at the very moment at which it ends leaves it to the next one. */
	if (unlikely(!READ_ONCE(relay->pressed)))
		note_pressure(relay);
	return true;
}

/* Whether pressure is over; as long as it is not, look again when it may be. */
void nwg_relay_relief_work(struct work_struct *work)
{
	struct nwg_relay *relay = container_of(to_delayed_work(work), struct nwg_relay, relief);
	unsigned long left;

	rcu_read_lock();
	spin_lock_bh(&relay->lock);
	left = pressure_left(&relay->cookies, jiffies);
	/* Also if nobody comes who would be asked. */
	if (!left && nearly_full(relay, rcu_dereference(relay->params)))
		left = PRESSURE_HOLD;
	if (relay->dead)
		goto out;
	if (left) {
		queue_delayed_work(system_power_efficient_wq, &relay->relief, left);
		goto out;
	}
	WRITE_ONCE(relay->pressed, false);
	nwg_event_pressure(relay);
out:
	spin_unlock_bh(&relay->lock);
	rcu_read_unlock();
}

/* Begin a new secret, of which the key's block, half of the work, is computed once. */
static void draw_secret(struct nwg_relay_cookies *cookies, u64 now)
{
	static const u8 label[] = { 'r', 'e', 'l', 'a', 'y' };
	u8 secret[NWG_KEY_LEN];

	get_random_bytes(secret, sizeof(secret));
	blake2s_init_key(&cookies->secret, NWG_COOKIE_LEN, secret, sizeof(secret));
	blake2s_update(&cookies->secret, label, sizeof(label));
	memzero_explicit(secret, sizeof(secret));
	get_random_bytes(&cookies->nonce, sizeof(cookies->nonce));
	cookies->secret_birth = now;
	cookies->machine_copies = READ_ONCE(nwg_machine_copies);
}

/*
 * The cookie of a client: MAC(secret, label || address || port). @nonce: if not NULL, it is for a reply, whose
 * nonce is written there, and a new secret is drawn if the last one is too old. Return: false if there is none
 * to make it with.
 */
static bool cookie_of(struct nwg_relay_cookies *cookies, const struct nwg_flow_key *key,
		      u8 cookie[NWG_COOKIE_LEN], struct nwg_relay_nonce *nonce)
{
	struct blake2s_ctx mac;
	bool valid;
	u64 now;

	spin_lock(&cookies->lock);
	now = ktime_get_coarse_boottime_ns();
	valid = cookies->secret_birth && (s64)(now - cookies->secret_birth) < SECRET_LIFE_NS &&
		cookies->machine_copies == READ_ONCE(nwg_machine_copies);
	if (!valid && nonce) {
		draw_secret(cookies, now);
		valid = true;
	}
	if (nonce) {
		cookies->nonce.count++;
		*nonce = cookies->nonce;
	}
	mac = cookies->secret;
	spin_unlock(&cookies->lock);
	if (valid) {
		blake2s_update(&mac, (const u8 *)&key->client, sizeof(key->client));
		blake2s_update(&mac, (const u8 *)&key->client_port, sizeof(key->client_port));
		blake2s_final(&mac, cookie);
	}
	memzero_explicit(&mac, sizeof(mac));
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
	shown = cookie_of(&relay->cookies, key, cookie, NULL) &&
		cookie_mac2_valid(datagram->message, datagram->len, cookie);
	memzero_explicit(cookie, sizeof(cookie));
	return shown;
}

/* Write the reply of this relay to the message of a client with @mac1 and sender index @receiver. */
static void write_reply(struct nwg_relay *relay, const struct nwg_relay_params *params,
			const struct nwg_flow_key *key, const u8 mac1[NWG_MAC_LEN], __le32 receiver,
			struct nwg_message_cookie_reply *reply)
{
	struct nwg_relay_nonce nonce;
	u8 cookie[NWG_COOKIE_LEN];

	BUILD_BUG_ON(sizeof(nonce) != NWG_COOKIE_NONCE_LEN);
	cookie_of(&relay->cookies, key, cookie, &nonce);
	cookie_reply_create(reply, cookie, mac1, receiver, (const u8 *)&nonce, &params->keys);
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
