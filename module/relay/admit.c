// SPDX-License-Identifier: GPL-2.0
#include "admit.h"

#include "device.h"
#include "transport/ratelimiter.h"

enum nwg_relay_drop nwg_relay_gate(const struct nwg_relay_params *params,
				   const struct nwg_datagram *datagram)
{
	bool valid = true;

	if (!params->config.has_responder)
		return 0;
	if (datagram->type == NWG_MESSAGE_INITIATION)
		valid = cookie_initiation_valid(datagram->message, &params->mac1);
	else if (datagram->type == NWG_MESSAGE_RESPONSE)
		valid = cookie_mac1_valid(datagram->message, datagram->len, &params->keys);
	return valid ? 0 : NWG_DROP_MAC1;
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
	if (params->config.has_responder && nwg_relay_cookie_shown(relay, key, datagram))
		return nwg_ratelimiter_allow(NWG_RATELIMIT_RELAY_SHOWN, relay, skb) ? 0 :
										      NWG_DROP_RATE;
	if (!ask && nwg_ratelimiter_allow(NWG_RATELIMIT_RELAY, relay, skb))
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
	const u32 max_siblings = params->config.max_flows_per_source;
	const u32 siblings = *flow ? 0 : nwg_flow_siblings(relay, key);
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
	/* No cookie would help, and what is dropped here is no pressure. */
	if (siblings >= max_siblings)
		return NWG_DROP_SOURCE_LIMIT;
	/* All of them count, also those in the name of who is known. */
	ask = nwg_relay_pressed(relay, params) || err == -EBUSY ||
	      (*flow ? nwg_flow_asks(*flow) : siblings >= max_siblings / 2);
	reason = admit_stranger(relay, params, skb, datagram, key,
				ask && params->config.has_responder);
	if (reason)
		return reason;
	if (*flow && !nwg_flow_initiated(*flow, sender, true))
		return 0;
	*flow = nwg_flow_create(relay, params, key, sender, &reason);
	return *flow ? 0 : reason;
}

/*
 * Data of a client that is not established: it may have roamed. What costs nothing to refuse is refused
 * before the source's allowance is charged.
 */
static enum nwg_relay_drop admit_roaming(struct nwg_relay *relay,
					 const struct nwg_relay_params *params, struct sk_buff *skb,
					 const struct nwg_datagram *datagram,
					 const struct nwg_flow_key *key, struct nwg_flow **flow)
{
	const struct nwg_message_transport *transport = datagram->message;
	const struct nwg_flow *known;
	enum nwg_relay_drop reason;

	if (*flow)
		return nwg_flow_tries(*flow, transport->receiver);
	known = nwg_roam_find(relay, transport->receiver);
	if (!known)
		return NWG_DROP_NO_FLOW;
	if (nwg_flow_siblings(relay, key) >= nwg_flow_roam_limit(relay, params, key, known))
		return NWG_DROP_SOURCE_LIMIT;
	if (!nwg_ratelimiter_allow(NWG_RATELIMIT_RELAY, relay, skb))
		return NWG_DROP_RATE;
	*flow = nwg_flow_roam(relay, params, key, transport->receiver, &reason);
	return *flow ? 0 : reason;
}

/* A client's answer to a handshake message of the home's. */
static enum nwg_relay_drop admit_answer(const struct nwg_datagram *datagram, struct nwg_flow *flow)
{
	const struct nwg_message_response *response = datagram->message;
	const struct nwg_message_cookie_reply *reply = datagram->message;
	bool answers;

	if (!flow)
		return NWG_DROP_NO_FLOW;
	if (datagram->type == NWG_MESSAGE_RESPONSE)
		answers = nwg_flow_answers(flow, response->receiver, response);
	else
		answers = nwg_flow_answers(flow, reply->receiver, NULL);
	return answers ? 0 : NWG_DROP_NO_FLOW;
}

enum nwg_relay_drop nwg_relay_admit_client(struct nwg_relay *relay,
					   const struct nwg_relay_params *params,
					   struct sk_buff *skb, const struct nwg_datagram *datagram,
					   const struct nwg_flow_key *key, struct nwg_flow **flow)
{
	if (likely(datagram->type == NWG_MESSAGE_TRANSPORT)) {
		if (likely(*flow && READ_ONCE((*flow)->state) == NWG_FLOW_ESTABLISHED))
			return 0;
		return admit_roaming(relay, params, skb, datagram, key, flow);
	}
	if (datagram->type == NWG_MESSAGE_INITIATION)
		return admit_initiation(relay, params, skb, datagram, key, flow);
	return admit_answer(datagram, *flow);
}

enum nwg_relay_drop nwg_relay_admit_home(struct nwg_flow *flow, const struct nwg_datagram *datagram)
{
	const struct nwg_message_initiation *initiation = datagram->message;
	const struct nwg_message_transport *transport = datagram->message;

	if (unlikely(!nwg_flow_usable(flow)))
		return NWG_DROP_NO_FLOW;
	if (likely(datagram->type == NWG_MESSAGE_TRANSPORT)) {
		/* Who has not been answered gets nothing that is for whom the home knew here before. */
		if (unlikely(READ_ONCE(flow->state) != NWG_FLOW_ESTABLISHED &&
			     !nwg_flow_confirm(flow, transport->receiver)))
			return NWG_DROP_NO_FLOW;
	} else if (datagram->type == NWG_MESSAGE_INITIATION) {
		/* No answer: to a client that has gone the home may initiate for ever. */
		nwg_flow_home_initiated(flow, initiation->sender);
		return 0;
	} else if (datagram->type == NWG_MESSAGE_RESPONSE &&
		   !nwg_flow_answered(flow, datagram->message)) {
		return NWG_DROP_NO_FLOW;
	}
	WRITE_ONCE(flow->last_reverse, nwg_moment_now());
	return 0;
}
