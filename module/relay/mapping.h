/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who a client is inside the tunnel: what the home sees as the source of what it sends, and answers.
 */
#ifndef _NWG_RELAY_MAPPING_H
#define _NWG_RELAY_MAPPING_H

#include <linux/rhashtable.h>

#include "flow.h"

struct nwg_relay_config;

/*
 * The port of all clients that have an address of their own from a pool: which one does not matter, and
 * as it is always the same, no two clients have one address.
 */
#define NWG_POOL_PORT 51820

/* Mapped ports are from here to 65535; what is below belongs to well-known services. */
#define NWG_MAPPING_MIN_PORT 1024

int nwg_mapping_table_init(struct rhashtable *table);

/**
 * nwg_mapping_assign - give a flow's client an address and port inside the tunnel
 * @flow: the flow, with its key; from now on it can be found by the mapping
 * @config: its relay's configuration
 * @freed: the mapping of a flow of the relay's that has just ended, or zeros
 *
 * By the relay's source:
 *
 * masquerade: the interface's address, with the client's port if it is free, or any;
 * pool: an address of the pool, the same for the same address of a client if it is free, or that of @freed, or
 *	another;
 * transparent: the client's own.
 *
 * Context: RCU read section; relay->lock held.
 * Return: 0, or why there is none.
 */
enum nwg_relay_drop nwg_mapping_assign(struct nwg_flow *flow, const struct nwg_relay_config *config,
				       const struct nwg_flow_mapping *freed);

/* Number of addresses of a pool that clients can have, but no more than can be counted. Context: any. */
u32 nwg_mapping_pool_size(const struct nwg_relay_config *config);

/* As nwg_flow_find(), by what the home knows the client by. */
struct nwg_flow *nwg_mapping_find(struct nwg_flow_tables *tables,
				  const struct nwg_flow_mapping *mapping);

/* The flow is not found by its mapping any more, which another one may have now. */
void nwg_mapping_remove(struct nwg_flow *flow);

#endif /* _NWG_RELAY_MAPPING_H */
