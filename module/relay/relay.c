// SPDX-License-Identifier: GPL-2.0
#include "relay.h"

#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>

#include "device.h"
#include "hook.h"
#include "log.h"
#include "object.h"
#include "peer.h"

static unsigned int net_id __read_mostly;

struct nwg_relay_net *nwg_relay_net(const struct net *net)
{
	return net_generic(net, net_id);
}

static struct nwg_relay_params *params_locked(const struct nwg_relay *relay)
{
	return rcu_dereference_protected(relay->params,
					 lockdep_is_held(&relay->device->update_lock));
}

const struct nwg_relay_config *nwg_relay_config(const struct nwg_relay *relay)
{
	return &params_locked(relay)->config;
}

static struct nwg_relay_params *params_create(struct nwg_device *wg,
					      const struct nwg_relay_config *config)
{
	struct nwg_relay_params *params = kzalloc(sizeof(*params), GFP_KERNEL);

	if (!params)
		return NULL;
	params->config = *config;
	if (config->has_responder)
		cookie_keys_derive(&params->keys, config->responder);
	RCU_INIT_POINTER(params->peer, nwg_peer_lookup(wg, config->peer));
	return params;
}

static void relay_free(struct nwg_relay *relay)
{
	kfree(rcu_dereference_protected(relay->params, true));
	free_percpu(relay->counters);
	kfree_sensitive(relay);
}

static void relay_free_rcu(struct rcu_head *rcu)
{
	relay_free(container_of(rcu, struct nwg_relay, rcu));
}

static struct nwg_relay *relay_alloc(struct nwg_device *wg, const struct nwg_relay_listen *listen,
				     const struct nwg_relay_config *config)
{
	struct nwg_relay *relay = kzalloc(sizeof(*relay), GFP_KERNEL);
	unsigned int state;
	int cpu;

	if (!relay)
		return NULL;
	relay->net = nwg_relay_net(dev_net(wg->dev));
	relay->device = wg;
	relay->listen = *listen;
	relay->foreign = config->source != NWG_SOURCE_MASQUERADE;
	spin_lock_init(&relay->lock);
	nwg_relay_cookies_init(&relay->cookies);
	for (state = 0; state < NWG_FLOW_STATES; state++)
		INIT_LIST_HEAD(&relay->flows[state]);
	INIT_DELAYED_WORK(&relay->expiry, nwg_flow_expiry_work);
	relay->counters = alloc_percpu(struct nwg_relay_cpu);
	if (!relay->counters)
		goto free;
	for_each_possible_cpu(cpu)
		u64_stats_init(&per_cpu_ptr(relay->counters, cpu)->sync);
	RCU_INIT_POINTER(relay->params, params_create(wg, config));
	if (!rcu_access_pointer(relay->params))
		goto free;
	return relay;
free:
	relay_free(relay);
	return NULL;
}

int nwg_relay_create(struct nwg_device *wg, const struct nwg_relay_listen *listen,
		     const struct nwg_relay_config *config)
{
	struct net *net = dev_net(wg->dev);
	struct nwg_relay_net *rn = nwg_relay_net(net);
	struct nwg_relay *relay;
	int err;

	ASSERT_RTNL();
	lockdep_assert_held(&wg->update_lock);
	relay = relay_alloc(wg, listen, config);
	if (!relay)
		return -ENOMEM;
	err = nwg_relay_port_reserve(relay, net);
	if (err)
		goto free;
	if (list_empty(&rn->relays)) {
		err = nwg_relay_hook_register(net);
		if (err)
			goto release;
	}
	relay->id = ++rn->last_id;
	list_add_tail_rcu(&relay->net_node, &rn->relays);
	list_add_tail_rcu(&relay->device_node, &wg->relays);
	hlist_add_head_rcu(&relay->port_node, &rn->by_port[nwg_relay_port_bucket(listen->port)]);
	nwg_dbg(wg, "Relay %llu created\n", relay->id);
	return 0;

release:
	nwg_relay_port_release(relay);
free:
	relay_free(relay);
	return err;
}

int nwg_relay_change(struct nwg_relay *relay, const struct nwg_relay_config *config)
{
	struct nwg_relay_params *old = params_locked(relay);
	struct nwg_relay_params *params = params_create(relay->device, config);

	if (!params)
		return -ENOMEM;
	if (config->source != NWG_SOURCE_MASQUERADE)
		WRITE_ONCE(relay->foreign, true);
	rcu_assign_pointer(relay->params, params);
	kfree_rcu(old, rcu);
	return 0;
}

void nwg_relay_remove(struct nwg_relay *relay)
{
	ASSERT_RTNL();
	lockdep_assert_held(&relay->device->update_lock);
	hlist_del_rcu(&relay->port_node);
	list_del_rcu(&relay->device_node);
	list_del_rcu(&relay->net_node);
	if (list_empty(&relay->net->relays))
		nwg_relay_hook_unregister(dev_net(relay->device->dev));

	spin_lock_bh(&relay->lock);
	relay->dead = true;
	spin_unlock_bh(&relay->lock);
	cancel_delayed_work_sync(&relay->expiry);
	nwg_flow_remove_all(relay);
	/*
	 * The port is free again only when none of its flows is left to be found by who takes it
	 * next.
	 */
	nwg_relay_port_release(relay);
	nwg_dbg(relay->device, "Relay %llu destroyed\n", relay->id);
	call_rcu(&relay->rcu, relay_free_rcu);
}

struct nwg_relay *nwg_relay_find(struct net *net, const struct nwg_relay_listen *listen)
{
	struct nwg_relay_net *rn = nwg_relay_net(net);
	struct nwg_relay *relay;

	ASSERT_RTNL();
	hlist_for_each_entry(relay, &rn->by_port[nwg_relay_port_bucket(listen->port)], port_node)
		if (relay->listen.port == listen->port &&
		    ipv6_addr_equal(&relay->listen.addr, &listen->addr))
			return relay;
	return NULL;
}

struct nwg_relay *nwg_relay_match(const struct nwg_relay_net *net, const struct in6_addr *addr,
				  __be16 port)
{
	struct nwg_relay *relay;

	hlist_for_each_entry_rcu(relay, &net->by_port[nwg_relay_port_bucket(port)], port_node)
		if (relay->listen.port == port && (ipv6_addr_any(&relay->listen.addr) ||
						   ipv6_addr_equal(&relay->listen.addr, addr)))
			return relay;
	return NULL;
}

void nwg_relay_count(struct nwg_relay *relay, enum nwg_direction direction,
		     enum nwg_message_type type, unsigned int len)
{
	struct nwg_relay_cpu *cpu = this_cpu_ptr(relay->counters);
	struct nwg_relay_counters *counters = &cpu->direction[direction];

	u64_stats_update_begin(&cpu->sync);
	u64_stats_inc(&counters->messages[type]);
	u64_stats_add(&counters->bytes, len);
	if (len > u64_stats_read(&counters->largest))
		u64_stats_set(&counters->largest, len);
	u64_stats_update_end(&cpu->sync);
}

void nwg_relay_count_fragmented(struct nwg_relay *relay, enum nwg_direction direction)
{
	struct nwg_relay_cpu *cpu = this_cpu_ptr(relay->counters);

	u64_stats_update_begin(&cpu->sync);
	u64_stats_inc(&cpu->direction[direction].fragmented);
	u64_stats_update_end(&cpu->sync);
}

void nwg_relay_count_drop(struct nwg_relay *relay, enum nwg_direction direction,
			  enum nwg_relay_drop reason, unsigned int len)
{
	struct nwg_relay_cpu *cpu = this_cpu_ptr(relay->counters);
	struct nwg_relay_counters *counters = &cpu->direction[direction];

	u64_stats_update_begin(&cpu->sync);
	u64_stats_inc(&counters->drops[reason]);
	u64_stats_add(&counters->dropped_bytes, len);
	u64_stats_update_end(&cpu->sync);
}

/* Copy the counters of one CPU. */
static void read_cpu(const struct nwg_relay_counters *counters, struct nwg_counter_sums *sums)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sums->messages); i++)
		sums->messages[i] = u64_stats_read(&counters->messages[i]);
	for (i = 0; i < ARRAY_SIZE(sums->drops); i++)
		sums->drops[i] = u64_stats_read(&counters->drops[i]);
	sums->bytes = u64_stats_read(&counters->bytes);
	sums->dropped_bytes = u64_stats_read(&counters->dropped_bytes);
	sums->largest = u64_stats_read(&counters->largest);
	sums->fragmented = u64_stats_read(&counters->fragmented);
}

void nwg_relay_read_counters(const struct nwg_relay *relay, enum nwg_direction direction,
			     struct nwg_counter_sums *sums)
{
	struct nwg_counter_sums part;
	struct nwg_relay_cpu *counters;
	unsigned int start, i;
	int cpu;

	memset(sums, 0, sizeof(*sums));
	for_each_possible_cpu(cpu) {
		counters = per_cpu_ptr(relay->counters, cpu);
		do {
			start = u64_stats_fetch_begin(&counters->sync);
			read_cpu(&counters->direction[direction], &part);
		} while (u64_stats_fetch_retry(&counters->sync, start));

		for (i = 0; i < ARRAY_SIZE(sums->messages); i++)
			sums->messages[i] += part.messages[i];
		for (i = 0; i < ARRAY_SIZE(sums->drops); i++)
			sums->drops[i] += part.drops[i];
		sums->bytes += part.bytes;
		sums->dropped_bytes += part.dropped_bytes;
		sums->fragmented += part.fragmented;
		sums->largest = max(sums->largest, part.largest);
	}
}

void nwg_relay_peer_added(struct nwg_peer *peer)
{
	struct nwg_device *wg = peer->device;
	struct nwg_relay_params *params;
	struct nwg_relay *relay;

	lockdep_assert_held(&wg->update_lock);
	list_for_each_entry(relay, &wg->relays, device_node) {
		params = params_locked(relay);
		if (!memcmp(params->config.peer, peer->remote.public, NWG_KEY_LEN))
			rcu_assign_pointer(params->peer, peer);
	}
}

void nwg_relay_peer_removed(struct nwg_peer *peer)
{
	struct nwg_device *wg = peer->device;
	struct nwg_relay_params *params;
	struct nwg_relay *relay;

	lockdep_assert_held(&wg->update_lock);
	list_for_each_entry(relay, &wg->relays, device_node) {
		params = params_locked(relay);
		if (rcu_access_pointer(params->peer) == peer)
			RCU_INIT_POINTER(params->peer, NULL);
	}
}

void nwg_relay_device_removed(struct nwg_device *wg)
{
	struct nwg_relay *relay, *next;

	list_for_each_entry_safe(relay, next, &wg->relays, device_node)
		nwg_relay_remove(relay);
}

static int __net_init relay_net_init(struct net *net)
{
	struct nwg_relay_net *rn = nwg_relay_net(net);

	INIT_LIST_HEAD(&rn->relays);
	return nwg_flow_tables_init(&rn->flows);
}

/*
 * Interfaces leave a namespace before this runs, and their relays with them; so they do when the
 * module goes. Only the empty tables are left, and a grace period has passed since the namespace,
 * or the module, began to go.
 */
static void __net_exit relay_net_exit(struct net *net)
{
	struct nwg_relay_net *rn = nwg_relay_net(net);

	WARN_ON_ONCE(!list_empty(&rn->relays));
	nwg_flow_tables_destroy(&rn->flows);
}

/* A subsystem, not a device: those end first. */
static struct pernet_operations relay_net_ops = {
	.init = relay_net_init,
	.exit = relay_net_exit,
	.id = &net_id,
	.size = sizeof(struct nwg_relay_net),
};

int __init nwg_relay_init(void)
{
	int err;

	err = nwg_flow_init();
	if (err)
		return err;
	err = register_pernet_subsys(&relay_net_ops);
	if (err)
		nwg_flow_exit();
	return err;
}

void nwg_relay_exit(void)
{
	unregister_pernet_subsys(&relay_net_ops);
	/* This also waits for the relays. */
	nwg_flow_exit();
}
