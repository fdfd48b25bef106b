/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How datagrams come to a relay: through a netfilter hook and, those that the stack has to work on
 * first, through the sockets that reserve its port.
 */
#ifndef _NWG_RELAY_HOOK_H
#define _NWG_RELAY_HOOK_H

struct net;
struct nwg_relay;

/*
 * Put the hook into a namespace that gets its first relay. Context: process. Return: 0 or -ENOMEM.
 */
int nwg_relay_hook_register(struct net *net);

/* Take the hook out. Packets may be in it until a grace period has passed. Context: process. */
void nwg_relay_hook_unregister(struct net *net);

/**
 * nwg_relay_port_reserve - bind the sockets of a relay
 * @relay: the relay; sockets are written
 * @net: its network namespace
 *
 * Context: process.
 * Return: 0 or an error of bind(), with nothing bound.
 */
int nwg_relay_port_reserve(struct nwg_relay *relay, struct net *net);

/* Close the sockets of a relay. Context: process, may sleep. */
void nwg_relay_port_release(struct nwg_relay *relay);

#endif /* _NWG_RELAY_HOOK_H */
