/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which datagrams a relay lets through.
 */
#ifndef _NWG_RELAY_ADMIT_H
#define _NWG_RELAY_ADMIT_H

#include <linux/skbuff.h>

#include "object.h"

/* What has to be readable of a datagram: an initiation, the longest message that is looked into. */
#define NWG_RELAY_LOOK NWG_INITIATION_LEN

/**
 * struct nwg_datagram - a UDP datagram, taken apart
 * @type: what message it is by its shape
 * @len: length of the UDP payload
 * @message: the payload, of which the first %NWG_RELAY_LOOK bytes can be read; moves when the
 *	packet's head does
 */
struct nwg_datagram {
	enum nwg_message_type type;
	unsigned int len;
	const void *message;
};

/**
 * nwg_relay_admit_client - decide on a message from a client
 * @relay: the relay
 * @params: its configuration
 * @skb: the packet
 * @datagram: the message in it, of valid shape
 * @key: who sent it
 * @flow: its flow, which may have expired, or NULL; replaced by the flow that it belongs to now
 *
 * Without a flow, or before the home has answered, only initiations pass: so what a stranger can
 * make a relay send to the home is bounded by the rate of initiations, even if the responder's key
 * is not known.
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
