/* SPDX-License-Identifier: GPL-2.0 */
/* What the commands about relays and about flows share. */
#ifndef NWGCTL_RELAY_HPP
#define NWGCTL_RELAY_HPP

#include "command.hpp"
#include "netlink/relay.hpp"

namespace nwgctl
{

/* [dev IFACE] [listen [[ADDR][%DEV]:]PORT] */
Result<netlink::RelayFilter> parse_relay_filter(Arguments arguments);

} // namespace nwgctl

#endif
