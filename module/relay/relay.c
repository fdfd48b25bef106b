// SPDX-License-Identifier: GPL-2.0
#include "relay.h"

#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>
#include <net/udp.h>

#include "device.h"
#include "hook.h"
#include "log.h"
#include "netlink/events.h"
#include "object.h"
#include "peer.h"
#include "trace.h"

static unsigned int net_id __read_mostly;

struct nwg_relay_net *nwg_relay_net(const struct net *net)
{
	return net_generic(net, net_id);
}

void nwg_relays_lock(struct nwg_device *wg)
{
	if (wg)
		mutex_lock(&wg->update_lock);
}

void nwg_relays_unlock(struct nwg_device *wg)
{
	if (wg)
		mutex_unlock(&wg->update_lock);
}

static bool update_locked(const struct nwg_relay *relay)
{
	return relay->device ? lockdep_is_held(&relay->device->update_lock) :
			       lockdep_rtnl_is_held();
}

static struct nwg_relay_params *params_locked(const struct nwg_relay *relay)
{
	return rcu_dereference_protected(relay->params, update_locked(relay));
}

const struct nwg_relay_config *nwg_relay_config(const struct nwg_relay *relay)
{
	return &params_locked(relay)->config;
}

static struct nwg_relay_params *params_create(struct nwg_device *wg,
					      const struct nwg_relay_config *config)
{
	struct nwg_relay_params *params = kzalloc(sizeof(*params), GFP_KERNEL_ACCOUNT);

	if (!params)
		return NULL;
	params->config = *config;
	if (config->has_responder) {
		cookie_keys_derive(&params->keys, config->responder);
		cookie_mac1_begin(&params->mac1, &params->keys);
	}
	if (wg)
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

static struct nwg_relay *relay_alloc(struct net_device *dev, const struct nwg_relay_listen *listen,
				     const struct nwg_relay_config *config)
{
	struct nwg_relay *relay = kzalloc(sizeof(*relay), GFP_KERNEL_ACCOUNT);
	unsigned int state;
	int cpu;

	if (!relay)
		return NULL;
	relay->net = nwg_relay_net(dev_net(dev));
	relay->dev = dev;
	relay->device = nwg_device_from_netdev(dev);
	relay->listen = *listen;
	relay->foreign = config->source != NWG_SOURCE_MASQUERADE;
	spin_lock_init(&relay->lock);
	nwg_relay_cookies_init(&relay->cookies);
	for (state = 0; state < NWG_FLOW_STATES; state++)
		INIT_LIST_HEAD(&relay->flows[state]);
	INIT_DELAYED_WORK(&relay->expiry, nwg_flow_expiry_work);
	INIT_DELAYED_WORK(&relay->relief, nwg_relay_relief_work);
	relay->counters = alloc_percpu_gfp(struct nwg_relay_cpu, GFP_KERNEL_ACCOUNT);
	if (!relay->counters)
		goto free;
	for_each_possible_cpu(cpu)
		u64_stats_init(&per_cpu_ptr(relay->counters, cpu)->sync);
	RCU_INIT_POINTER(relay->params, params_create(relay->device, config));
	if (!rcu_access_pointer(relay->params))
		goto free;
	return relay;
free:
	relay_free(relay);
	return NULL;
}

/* @change: by how many relays over stock interfaces there are more */
static void count_over_stock(struct nwg_relay *relay, int change)
{
	if (!relay->device)
		WRITE_ONCE(relay->net->over_stock, relay->net->over_stock + change);
}

int nwg_relay_create(struct net_device *dev, const struct nwg_relay_listen *listen,
		     const struct nwg_relay_config *config)
{
	struct net *net = dev_net(dev);
	struct nwg_relay_net *rn = nwg_relay_net(net);
	struct nwg_relay *relay;
	int err;

	ASSERT_RTNL();
	relay = relay_alloc(dev, listen, config);
	if (!relay)
		return -ENOMEM;
	lockdep_assert(update_locked(relay));
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
	if (relay->device)
		list_add_tail_rcu(&relay->device_node, &relay->device->relays);
	count_over_stock(relay, 1);
	/* Before packets find it, which have events of their own. */
	nwg_event_relay(NWG_CMD_RELAY_NEW_NTF, relay);
	hlist_add_head_rcu(&relay->port_node, &rn->by_port[nwg_relay_port_bucket(listen->port)]);
	nwg_dbg(relay, "Relay %llu created\n", relay->id);
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
	spin_lock_bh(&relay->lock);
	rcu_assign_pointer(relay->params, params);
	relay->pool_used_up = false;
	spin_unlock_bh(&relay->lock);
	kfree_rcu(old, rcu);
	nwg_event_relay(NWG_CMD_RELAY_SET_NTF, relay);
	return 0;
}

void nwg_relay_remove(struct nwg_relay *relay)
{
	ASSERT_RTNL();
	lockdep_assert(update_locked(relay));
	hlist_del_rcu(&relay->port_node);
	if (relay->device)
		list_del_rcu(&relay->device_node);
	count_over_stock(relay, -1);
	list_del_rcu(&relay->net_node);
	if (list_empty(&relay->net->relays))
		nwg_relay_hook_unregister(dev_net(relay->dev));

	spin_lock_bh(&relay->lock);
	relay->dead = true;
	spin_unlock_bh(&relay->lock);
	cancel_delayed_work_sync(&relay->expiry);
	cancel_delayed_work_sync(&relay->relief);
	nwg_flow_remove_all(relay);
	/*
	 * The port is free again only when none of its flows is left to be found by who takes it
	 * next.
	 */
	nwg_relay_port_release(relay);
	nwg_event_relay(NWG_CMD_RELAY_DEL_NTF, relay);
	nwg_dbg(relay, "Relay %llu destroyed\n", relay->id);
	call_rcu(&relay->rcu, relay_free_rcu);
}

struct nwg_relay *nwg_relay_find(struct net *net, const struct nwg_relay_listen *listen)
{
	struct nwg_relay_net *rn = nwg_relay_net(net);
	struct nwg_relay *relay;

	ASSERT_RTNL();
	hlist_for_each_entry(relay, &rn->by_port[nwg_relay_port_bucket(listen->port)], port_node)
		if (nwg_relay_is(relay, listen))
			return relay;
	return NULL;
}

/* How closely a relay listens to what nwg_relay_match() is asked for; 0: not at all */
static unsigned int closeness(struct net *net, const struct nwg_relay_listen *listen,
			      const struct in6_addr *addr, __be16 port, int ifindex, int vrf)
{
	bool on_addr = !ipv6_addr_any(&listen->addr);

	if (listen->port != port || (on_addr && !ipv6_addr_equal(&listen->addr, addr)) ||
	    !udp_sk_bound_dev_eq(net, listen->ifindex, vrf ?: ifindex, vrf ? ifindex : 0))
		return 0;
	return 1 + 2 * on_addr + (listen->ifindex == ifindex);
}

struct nwg_relay *nwg_relay_match(struct net *net, const struct in6_addr *addr, __be16 port,
				  int ifindex, int vrf)
{
	struct nwg_relay_net *rn = nwg_relay_net(net);
	struct nwg_relay *relay, *closest = NULL;
	unsigned int found, most = 0;

	hlist_for_each_entry_rcu(relay, &rn->by_port[nwg_relay_port_bucket(port)], port_node) {
		found = closeness(net, &relay->listen, addr, port, ifindex, vrf);
		if (found <= most)
			continue;
		most = found;
		closest = relay;
	}
	return closest;
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
			  enum nwg_relay_drop reason, const struct nwg_flow_key *client,
			  unsigned int len)
{
	struct nwg_relay_cpu *cpu = this_cpu_ptr(relay->counters);
	struct nwg_relay_counters *counters = &cpu->direction[direction];

	u64_stats_update_begin(&cpu->sync);
	u64_stats_inc(&counters->drops[reason]);
	u64_stats_add(&counters->dropped_bytes, len);
	u64_stats_update_end(&cpu->sync);
	trace_nwg_relay_drop(relay, direction, reason, client, len);
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
		if (memcmp(params->config.peer, peer->remote.public, NWG_KEY_LEN))
			continue;
		rcu_assign_pointer(params->peer, peer);
		nwg_event_relay(NWG_CMD_RELAY_SET_NTF, relay);
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
		if (rcu_access_pointer(params->peer) != peer)
			continue;
		RCU_INIT_POINTER(params->peer, NULL);
		nwg_event_relay(NWG_CMD_RELAY_SET_NTF, relay);
	}
}

void nwg_relay_device_removed(struct nwg_device *wg)
{
	struct nwg_relay *relay, *next;

	list_for_each_entry_safe(relay, next, &wg->relays, device_node)
		nwg_relay_remove(relay);
}

/* A relay whose ingress interface goes, or leaves its network namespace, goes, too. */
static int netdevice_event(struct notifier_block *block, unsigned long event, void *data)
{
	struct net_device *dev = netdev_notifier_info_to_dev(data);
	struct nwg_relay *relay, *next;
	struct nwg_device *wg;

	/* Of one whose last references are waited for it is told again, when another may have its index. */
	if (event != NETDEV_UNREGISTER || dev->reg_state == NETREG_UNREGISTERED)
		return NOTIFY_DONE;
	list_for_each_entry_safe(relay, next, &nwg_relay_net(dev_net(dev))->relays, net_node) {
		if (relay->listen.ifindex != dev->ifindex)
			continue;
		/* Where both interfaces go, nobody wonders. */
		if (relay->dev->reg_state == NETREG_REGISTERED)
			netdev_notice(relay->dev,
				      "Relay on port %u removed: %s, which it listens on, goes\n",
				      ntohs(relay->listen.port), dev->name);
		wg = relay->device;
		nwg_relays_lock(wg);
		nwg_relay_remove(relay);
		nwg_relays_unlock(wg);
	}
	return NOTIFY_DONE;
}

static struct notifier_block netdevice_notifier = { .notifier_call = netdevice_event };

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
		goto exit_flow;
	err = register_netdevice_notifier(&netdevice_notifier);
	if (err)
		goto unregister_net;
	return 0;

unregister_net:
	unregister_pernet_subsys(&relay_net_ops);
exit_flow:
	nwg_flow_exit();
	return err;
}

void nwg_relay_exit(void)
{
	unregister_netdevice_notifier(&netdevice_notifier);
	unregister_pernet_subsys(&relay_net_ops);
	/* This also waits for the relays. */
	nwg_flow_exit();
}
