/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Cookies (white paper, section 5.3) on both sides of a relay. Under pressure it asks strangers to
 * show that they are where they say they are, in the place of the home, whose public key is all that
 * a cookie reply takes. A client has room for one cookie, which is the relay's: where the home gives
 * one out under load, the relay keeps that, and gives the client its own instead.
 */
#ifndef _NWG_RELAY_COOKIE_H
#define _NWG_RELAY_COOKIE_H

#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "datagram.h"
#include "flow.h"
#include "protocol/cookie.h"

struct nwg_relay;
struct nwg_relay_params;

/*
 * The nonce of a cookie reply. White paper, section 5.4.7, draws each anew; all that its cipher needs is that
 * none comes twice (draft-irtf-cfrg-xchacha, section 2), and in a flood drawing costs as much as the cookie.
 */
struct nwg_relay_nonce {
	u8 drawn[NWG_COOKIE_NONCE_LEN - sizeof(u64)];
	u64 count;
};

/**
 * struct nwg_relay_cookies - what a relay keeps to give out cookies
 * @lock: protects @secret, @secret_birth, @machine_copies and @nonce; BH
 * @secret: MAC of a cookie, begun with a secret
 * @secret_birth: CLOCK_BOOTTIME in ns when that was drawn; 0 if it was not
 * @machine_copies: nwg_machine_copies then; see session.h
 * @nonce: of the last cookie reply: drawn with @secret, and counted from there
 * @strangers: initiations of no established client in this second
 * @second: jiffies when that began
 * @pressed_until: jiffies until which the relay is under pressure
 *
 * The last three are written by any CPU. One may lose a count of another's; a flood has more.
 */
struct nwg_relay_cookies {
	spinlock_t lock;
	struct blake2s_ctx secret;
	u64 secret_birth;
	unsigned int machine_copies;
	struct nwg_relay_nonce nonce;
	unsigned int strangers;
	unsigned long second;
	unsigned long pressed_until;
};

void nwg_relay_cookies_init(struct nwg_relay_cookies *cookies);

/**
 * nwg_relay_pressed - count an initiation of no established client
 * @relay: the relay
 * @params: its configuration
 *
 * Context: RCU read section with BH off.
 * Return: whether the relay is under pressure: they come faster than home users do, or did within
 * the last second, or its flows are nearly as many as they may be, or as its pool has addresses, or those
 * of its namespace.
 */
bool nwg_relay_pressed(struct nwg_relay *relay, const struct nwg_relay_params *params);

/* It is under pressure from @now, in jiffies, on, which the next stranger will see. Context: any. */
void nwg_relay_press(struct nwg_relay *relay, unsigned long now);

/* Work function of relay->relief. */
void nwg_relay_relief_work(struct work_struct *work);

/**
 * nwg_relay_cookie_shown - check mac2 of an initiation
 * @relay: the relay
 * @key: the client
 * @datagram: the initiation
 *
 * Context: BH off.
 * Return: whether it is made with the cookie that a client at this address and port was given.
 */
bool nwg_relay_cookie_shown(struct nwg_relay *relay, const struct nwg_flow_key *key,
			    const struct nwg_datagram *datagram);

/**
 * nwg_relay_cookie_reply - write the cookie reply to an initiation, as if it came from the home
 * @relay: the relay
 * @params: its configuration, with a responder
 * @key: the client
 * @datagram: the initiation
 * @reply: written whole
 *
 * Context: BH off.
 */
void nwg_relay_cookie_reply(struct nwg_relay *relay, const struct nwg_relay_params *params,
			    const struct nwg_flow_key *key, const struct nwg_datagram *datagram,
			    struct nwg_message_cookie_reply *reply);

/**
 * nwg_flow_mac2 - the mac2 that a client's message has on its way to the home
 * @flow: the client
 * @datagram: an initiation or response, whose mac1 is remembered
 * @mac2: written: made with the home's cookie for this client, if the message shows the relay's, or
 *	zero
 *
 * Nobody is vouched for who has not shown where it is: the home takes a right mac2 for that, and lets
 * the address that all clients share have no more than 20 of those in a second.
 *
 * Context: BH off.
 */
void nwg_flow_mac2(struct nwg_flow *flow, const struct nwg_datagram *datagram,
		   u8 mac2[NWG_MAC_LEN]);

/**
 * nwg_flow_cookie_exchange - keep the cookie that the home gives a client, and give it the relay's
 * @flow: the client
 * @params: the relay's configuration, with a responder
 * @home: the home's reply to a message of the client's
 * @reply: written: the same with the relay's cookie
 *
 * Context: BH off.
 * Return: false if the home's is not authentic, or answers nothing.
 */
bool nwg_flow_cookie_exchange(struct nwg_flow *flow, const struct nwg_relay_params *params,
			      const struct nwg_message_cookie_reply *home,
			      struct nwg_message_cookie_reply *reply);

#endif /* _NWG_RELAY_COOKIE_H */
