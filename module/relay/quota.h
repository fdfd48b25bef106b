/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How many flows there may be: of one source of a relay, which is an IPv4 address or an IPv6 /64, as for
 * the rate limiter; and of all relays of a network namespace, which is what the module's parameter
 * max_flows says.
 */
#ifndef _NWG_RELAY_QUOTA_H
#define _NWG_RELAY_QUOTA_H

#include <linux/atomic.h>
#include <linux/in6.h>
#include <linux/rhashtable.h>
#include <linux/types.h>

#include "../../uapi/nwg.h"

struct nwg_relay;

/**
 * struct nwg_quotas - what the flows of a network namespace use up
 * @by_source: their numbers, by relay and source; of those that have any
 * @reserved: number of them all, and of those that are being made; relays do not share a lock
 */
struct nwg_quotas {
	struct rhashtable by_source;
	atomic_t reserved;
};

int nwg_quotas_init(struct nwg_quotas *quotas);

/* Context: process; there is no flow any more, and a grace period has passed since there was. */
void nwg_quotas_destroy(struct nwg_quotas *quotas);

/* Whether two clients are of one source. @a, @b: IPv4 as v4-mapped. */
bool nwg_quota_same_source(const struct in6_addr *a, const struct in6_addr *b);

/* Flows that a client's source has. @client: IPv4 as v4-mapped. Context: RCU read section. */
u32 nwg_quota_used(const struct nwg_relay *relay, const struct in6_addr *client);

/**
 * nwg_quota_charge - a client's source is to have one flow more, in whatever state
 * @relay: the relay
 * @client: the client's address, IPv4 as v4-mapped
 * @max: how many it may have
 *
 * Context: relay->lock held.
 * Return: 0; %NWG_DROP_SOURCE_LIMIT; or %NWG_DROP_NO_MEMORY.
 */
enum nwg_relay_drop nwg_quota_charge(struct nwg_relay *relay, const struct in6_addr *client,
				     u32 max);

/* One flow less. Context: relay->lock held. */
void nwg_quota_uncharge(struct nwg_relay *relay, const struct in6_addr *client);

/* Reserve a place for one flow more of the namespace. Return: false if there is none. Context: any. */
bool nwg_quota_reserve(struct nwg_quotas *quotas);

/*
 * Keep the place of a flow that has gone, for another. Return: false if it is given back instead, as the
 * limit was lowered and there are too many. Context: any.
 */
bool nwg_quota_keep(struct nwg_quotas *quotas);

/* Give a place back. Context: any. */
void nwg_quota_release(struct nwg_quotas *quotas);

/* Whether there are nearly as many flows of the namespace as there may be. Context: any. */
bool nwg_quota_scarce(const struct nwg_quotas *quotas);

int nwg_quota_init(void);

/* What was freed by call_rcu() is free. */
void nwg_quota_exit(void);

#endif /* _NWG_RELAY_QUOTA_H */
