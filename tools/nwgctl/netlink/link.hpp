/* SPDX-License-Identifier: GPL-2.0 */
/* Network interfaces of the WireGuard kinds, by rtnetlink. */
#ifndef NWGCTL_NETLINK_LINK_HPP
#define NWGCTL_NETLINK_LINK_HPP

#include <optional>
#include <string>
#include <vector>

#include <linux/if_link.h>

#include "../result.hpp"

namespace nwgctl::netlink
{

/* Kind of the stock module's interfaces. */
inline constexpr const char *stock_kind = "wireguard";

/* A WireGuard interface: of kind "nwg" or "wireguard", which is the name of its generic netlink family too. */
struct Link {
	int index = 0;
	std::string name, kind;
	/* Where they were asked for. */
	std::optional<rtnl_link_stats64> statistics = {};
};

/* All WireGuard interfaces of the network namespace, by index. */
Result<std::vector<Link>> wireguard_links(bool with_statistics = false);

/* @text, if an interface can have that name. */
Result<std::string> interface_name(std::string text);

/* The WireGuard interface of that name; an error says whether it is absent, or of what other kind it is. */
Result<Link> wireguard_link(const std::string &name);

} // namespace nwgctl::netlink

#endif
