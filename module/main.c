// SPDX-License-Identifier: GPL-2.0

#include <linux/init.h>
#include <linux/module.h>
#include <net/genetlink.h>
#include <net/rtnetlink.h>

#include "device.h"
#include "netlink/netlink.h"
#include "peer.h"
#include "relay/relay.h"
#include "relay/stock.h"
#include "transport/parallel.h"
#include "transport/ratelimiter.h"

static bool drop_in;
module_param(drop_in, bool, 0444);
MODULE_PARM_DESC(drop_in, "serve link kind and generic netlink family \"" NWG_DROP_IN_NAME
			  "\" as well, in place of the stock module, see nwgctl(8) (default: no)");

static int __init nwg_init(void)
{
	int err;

	noise_init();

	err = nwg_ratelimiter_init();
	if (err)
		return err;
	err = nwg_parallel_init();
	if (err)
		goto exit_ratelimiter;
	err = nwg_peer_init();
	if (err)
		goto exit_parallel;
	err = nwg_relay_init();
	if (err)
		goto exit_peer;
	err = nwg_device_init(drop_in);
	if (err)
		goto exit_relay;
	err = nwg_stock_init();
	if (err)
		goto exit_device;
	err = nwg_netlink_init(drop_in);
	if (err)
		goto exit_stock;
	pr_info("%s loaded%s\n", NWG_VERSION,
		drop_in ? ", in place of the module " NWG_DROP_IN_NAME : "");
	return 0;

exit_stock:
	nwg_stock_exit();
exit_device:
	nwg_device_exit(drop_in);
exit_relay:
	nwg_relay_exit();
exit_peer:
	nwg_peer_exit();
exit_parallel:
	nwg_parallel_exit();
exit_ratelimiter:
	nwg_ratelimiter_exit();
	if (err == -EEXIST && drop_in)
		pr_err("drop_in: the module " NWG_DROP_IN_NAME
		       " is loaded, or part of the kernel: modprobe -r it first, which removes its interfaces, or load nwg without drop_in\n");
	/* To who loads a module, EEXIST says that it is loaded already, and all is well. */
	return err == -EEXIST ? -EBUSY : err;
}

static void __exit nwg_exit(void)
{
	/* What can be told of what goes with the interfaces is told by a family that is there. */
	nwg_device_exit(drop_in);
	nwg_stock_exit();
	nwg_netlink_exit(drop_in);
	nwg_relay_exit();
	nwg_peer_exit();
	nwg_parallel_exit();
	nwg_ratelimiter_exit();
}

module_init(nwg_init);
module_exit(nwg_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("WireGuard network device and nested relay");
MODULE_AUTHOR("The nwg developers");
MODULE_VERSION(NWG_VERSION);
MODULE_ALIAS_RTNL_LINK(NWG_LINK_KIND);
MODULE_ALIAS_GENL_FAMILY(NWG_GENL_NAME);
