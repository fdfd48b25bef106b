/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What happens to relays, flows and peers, for who listens to the multicast group of events, and some of
 * it for who traces. Where nobody does, it costs a look.
 */
#ifndef _NWG_NETLINK_EVENTS_H
#define _NWG_NETLINK_EVENTS_H

#include "../../uapi/nwg.h"

struct nwg_flow;
struct nwg_peer;
struct nwg_relay;

/*
 * A relay is made, changed or removed. @event: %NWG_CMD_RELAY_NEW_NTF and so on. Context: process; RTNL
 * or update_lock held.
 */
void nwg_event_relay(enum nwg_command event, const struct nwg_relay *relay);

/* Pressure on a relay has begun or ended, see relay->pressed. Context: relay->lock held. */
void nwg_event_pressure(const struct nwg_relay *relay);

/**
 * nwg_event_flow - a flow has begun, has another state, has an end with too large an MTU, or has ended
 * @event: %NWG_CMD_FLOW_BEGIN_NTF, %NWG_CMD_FLOW_STATE_NTF, %NWG_CMD_FLOW_MTU_NTF or
 *	%NWG_CMD_FLOW_END_NTF
 * @flow: the flow; at the first it is in the tables, at the last it has left them
 * @end: why it has ended; %NWG_FLOW_END_UNSPEC if it has not
 *
 * Context: relay->lock held.
 */
void nwg_event_flow(enum nwg_command event, const struct nwg_flow *flow, enum nwg_flow_end end);

/* A handshake with a peer is complete. Context: any but hard interrupts, while the interface is up. */
void nwg_event_handshake(struct nwg_peer *peer);

#endif /* _NWG_NETLINK_EVENTS_H */
