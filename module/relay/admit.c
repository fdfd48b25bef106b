// SPDX-License-Identifier: GPL-2.0
#include "admit.h"

#include "device.h"
#include "transport/ratelimiter.h"

/*
 * A gate, not authentication: whoever knows the responder's public key passes (white paper, section
 * 5.3).
 */
static bool mac1_valid(const struct nwg_relay_params *params, const struct nwg_datagram *datagram)
{
	if (datagram->type != NWG_MESSAGE_INITIATION && datagram->type != NWG_MESSAGE_RESPONSE)
		return true;
	return !params->config.has_responder ||
	       cookie_mac1_valid(datagram->message, datagram->len, &params->keys);
}

/*
 * An initiation of a client that is not known, or in whose name others send too many. What others do
 * not know has an allowance of its own, and is what @ask is for; where nobody can be asked there is
 * one allowance for all who say that they are that source.
 */
static enum nwg_relay_drop admit_stranger(struct nwg_relay *relay,
					  const struct nwg_relay_params *params,
					  struct sk_buff *skb, const struct nwg_datagram *datagram,
					  const struct nwg_flow_key *key, bool ask)
{
	const struct net *net = dev_net(relay->device->dev);

	if (params->config.has_responder && nwg_relay_cookie_shown(relay, key, datagram))
		return nwg_ratelimiter_allow(NWG_RATELIMIT_RELAY_SHOWN, net, skb) ? 0 :
										    NWG_DROP_RATE;
	if (!ask && nwg_ratelimiter_allow(NWG_RATELIMIT_RELAY, net, skb))
		return 0;
	return params->config.has_responder ? NWG_DROP_COOKIE : NWG_DROP_RATE;
}

static enum nwg_relay_drop admit_initiation(struct nwg_relay *relay,
					    const struct nwg_relay_params *params,
					    struct sk_buff *skb,
					    const struct nwg_datagram *datagram,
					    const struct nwg_flow_key *key, struct nwg_flow **flow)
{
	__le32 sender = ((const struct nwg_message_initiation *)datagram->message)->sender;
	bool known = *flow && READ_ONCE((*flow)->state) == NWG_FLOW_ESTABLISHED;
	enum nwg_relay_drop reason;
	int err = -ENOENT;
	bool ask;

	/*
	 * An established client has an allowance of its own, so that a flood of other forged sources
	 * cannot use up what it needs to keep its session.
	 */
	if (known) {
		err = nwg_flow_initiated(*flow, sender, false);
		if (!err)
			return 0;
		if (err == -EBUSY && !params->config.has_responder)
			return NWG_DROP_RATE;
	}
	/* All of them count, also those in the name of who is known. */
	ask = nwg_relay_pressed(relay, params) || err == -EBUSY ||
	      (*flow && READ_ONCE((*flow)->ask));
	reason = admit_stranger(relay, params, skb, datagram, key,
				ask && params->config.has_responder);
	if (reason)
		return reason;
	if (*flow && !nwg_flow_initiated(*flow, sender, true))
		return 0;
	*flow = nwg_flow_create(relay, params, key, sender, &reason);
	return *flow ? 0 : reason;
}

enum nwg_relay_drop nwg_relay_admit_client(struct nwg_relay *relay,
					   const struct nwg_relay_params *params,
					   struct sk_buff *skb, const struct nwg_datagram *datagram,
					   const struct nwg_flow_key *key, struct nwg_flow **flow)
{
	if (unlikely(!mac1_valid(params, datagram)))
		return NWG_DROP_MAC1;
	if (unlikely(datagram->type == NWG_MESSAGE_INITIATION))
		return admit_initiation(relay, params, skb, datagram, key, flow);
	if (unlikely(!*flow || READ_ONCE((*flow)->state) == NWG_FLOW_NEW))
		return NWG_DROP_NO_FLOW;
	return 0;
}

enum nwg_relay_drop nwg_relay_admit_home(struct nwg_flow *flow, const struct nwg_datagram *datagram)
{
	const struct nwg_message_response *response = datagram->message;

	if (unlikely(!nwg_flow_usable(flow)))
		return NWG_DROP_NO_FLOW;
	if (unlikely(datagram->type == NWG_MESSAGE_RESPONSE))
		nwg_flow_answered(flow, response->receiver);
	WRITE_ONCE(flow->last_reverse, nwg_moment_now());
	return 0;
}
