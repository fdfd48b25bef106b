/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which datagrams a relay lets through.
 */
#ifndef _NWG_RELAY_ADMIT_H
#define _NWG_RELAY_ADMIT_H

#include <linux/skbuff.h>

#include "datagram.h"
#include "object.h"

/**
 * nwg_relay_gate - check what can be checked of a message from a client by itself
 * @params: the relay's configuration
 * @datagram: the message, of valid shape
 *
 * It is mac1: a gate, not authentication, for whoever knows the responder's public key passes (white
 * paper, section 5.3).
 *
 * Context: any.
 * Return: 0, or %NWG_DROP_MAC1.
 */
enum nwg_relay_drop nwg_relay_gate(const struct nwg_relay_params *params,
				   const struct nwg_datagram *datagram);

/**
 * nwg_relay_admit_client - decide on a message from a client
 * @relay: the relay
 * @params: its configuration
 * @skb: the packet
 * @datagram: the message in it, of valid shape, past nwg_relay_gate()
 * @key: who sent it
 * @flow: its flow, or NULL; replaced by the flow that it belongs to now
 *
 * Without a flow, or before the home has answered, only initiations pass: so what a stranger can
 * make a relay send to the home is bounded by the rate of initiations, even if the responder's key
 * is not known. If it is, under pressure a stranger has to show a cookie first, and at any time one
 * whose source has half of the flows that it may have, so that the other half is not to be had by who
 * forges that source: for %NWG_DROP_COOKIE the caller answers with one. (CPUs that decide at the same
 * time may each let one more into the first half. No source ever has more than it may.)
 *
 * Context: RCU read section with BH off.
 * Return: 0 to let it through, with @flow set; otherwise why not.
 */
enum nwg_relay_drop nwg_relay_admit_client(struct nwg_relay *relay,
					   const struct nwg_relay_params *params,
					   struct sk_buff *skb, const struct nwg_datagram *datagram,
					   const struct nwg_flow_key *key, struct nwg_flow **flow);

/**
 * nwg_relay_admit_home - decide on a message from the home, and note what it means for the flow
 * @flow: the flow, which may have expired
 * @datagram: the message, of valid shape
 *
 * mac1 cannot be checked: it is keyed by the client's public key, which a relay does not know.
 *
 * Context: RCU read section with BH off.
 * Return: 0 to let it through; otherwise why not.
 */
enum nwg_relay_drop nwg_relay_admit_home(struct nwg_flow *flow,
					 const struct nwg_datagram *datagram);

#endif /* _NWG_RELAY_ADMIT_H */
