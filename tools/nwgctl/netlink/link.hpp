/* SPDX-License-Identifier: GPL-2.0 */
/* Network interfaces of the WireGuard kinds, by rtnetlink. */
#ifndef NWGCTL_NETLINK_LINK_HPP
#define NWGCTL_NETLINK_LINK_HPP

#include <string>
#include <vector>

#include "../result.hpp"

namespace nwgctl::netlink
{

/* A WireGuard interface: of kind "nwg" or "wireguard", which is the name of its generic netlink family too. */
struct Link {
	int index = 0;
	std::string name, kind;
};

/* All WireGuard interfaces of the network namespace, by index. */
Result<std::vector<Link>> wireguard_links();

/* The WireGuard interface of that name; an error says whether it is absent, or of what other kind it is. */
Result<Link> wireguard_link(const std::string &name);

} // namespace nwgctl::netlink

#endif
