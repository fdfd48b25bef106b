// SPDX-License-Identifier: GPL-2.0
#include "stock.h"

#include <linux/rtnetlink.h>
#include <net/rtnetlink.h>

#include "device.h"
#include "object.h"

/* Nobody would be told any more that an interface goes; RTNL */
static bool going;

static bool is_stock(const struct net_device *dev)
{
	const struct rtnl_link_ops *ops = dev->rtnl_link_ops;

	/* With drop_in, the kind is ours. */
	return ops && !strcmp(ops->kind, NWG_DROP_IN_NAME) && !nwg_device_from_netdev(dev);
}

bool nwg_is_stock(const struct net_device *dev)
{
	return is_stock(dev) && !READ_ONCE(going);
}

static int netdevice_event(struct notifier_block *block, unsigned long event, void *data)
{
	struct net_device *dev = netdev_notifier_info_to_dev(data);
	struct nwg_relay *relay, *next;
	bool removed = false;

	if (event != NETDEV_UNREGISTER || !is_stock(dev))
		return NOTIFY_DONE;
	list_for_each_entry_safe(relay, next, &nwg_relay_net(dev_net(dev))->relays, net_node) {
		if (relay->dev != dev)
			continue;
		nwg_relay_remove(relay);
		removed = true;
	}
	/* It is not deleted but moves. */
	if (removed && dev->reg_state == NETREG_REGISTERED && !going)
		netdev_notice(dev, "Relays removed: they cannot change namespace\n");
	return NOTIFY_DONE;
}

static struct notifier_block netdevice_notifier = { .notifier_call = netdevice_event };

int __init nwg_stock_init(void)
{
	return register_netdevice_notifier(&netdevice_notifier);
}

void nwg_stock_exit(void)
{
	rtnl_lock();
	WRITE_ONCE(going, true);
	rtnl_unlock();
	/* It is told of each interface that it goes. */
	unregister_netdevice_notifier(&netdevice_notifier);
}
