/* SPDX-License-Identifier: GPL-2.0 */
/* What an interface has besides its peers, by rtnetlink: link, addresses, routes, and rules of routing. */
#ifndef NWGCTL_NETLINK_ROUTE_HPP
#define NWGCTL_NETLINK_ROUTE_HPP

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "../address.hpp"
#include "../result.hpp"

namespace nwgctl::netlink
{

/* The protocol of routes and rules that are made here, by which they are told from everybody else's. */
inline constexpr uint8_t made_here = 142;
/* Tables, as rtnetlink has them. */
inline constexpr uint32_t main_table = 254;

/* Any interface. */
struct LinkState {
	int index = 0;
	std::string name, kind;
	uint32_t mtu = 0;
	bool up = false;
};

struct Route {
	Prefix destination;
	uint32_t table = main_table;

	auto operator<=>(const Route &) const = default;
};

/* Of packets that do not have the mark. */
struct Rule {
	uint16_t family = AF_INET;
	uint32_t unless_mark = 0, table = main_table;
	/* Not by a default route. */
	bool no_default = false;

	auto operator<=>(const Rule &) const = default;
};

/* Nothing if there is no interface of that name. */
Result<std::optional<LinkState>> find_link(const std::string &name);
Status add_link(const std::string &name, const std::string &kind);
/* By its name, if it has no index. */
Status delete_link(const LinkState &link);
Status set_mtu(const LinkState &link, uint32_t mtu);
Status set_up(const LinkState &link, bool up);

/* With the host's bits; not those that live for a time only, nor those with another end's. */
Result<std::vector<Prefix>> list_addresses(const LinkState &link);
Status add_address(const LinkState &link, const Prefix &address);
Status delete_address(const LinkState &link, const Prefix &address);

/* What was made here. */
Result<std::vector<Route>> list_routes(const LinkState &link);
Status add_route(const LinkState &link, const Route &route);
Status delete_route(const LinkState &link, const Route &route);
/* A network, and the interface that it is reached by. */
struct Network {
	Prefix prefix;
	std::string interface;
};

/* Those that the main table has, whoever made them; not what has several ways. */
Result<std::vector<Network>> list_networks();
/* Whether a table has no route of anybody's. */
Result<bool> is_table_empty(uint32_t table);

/* What was made here, in both families. */
Result<std::vector<Rule>> list_rules();
Status add_rule(const Rule &rule);
Status delete_rule(const Rule &rule);

/* Where packets go out. */
struct Way {
	std::string interface;
	uint32_t mtu = 0;
};

/* The way to @address for packets with @mark; nothing if there is none. */
Result<std::optional<Way>> find_way(const Address &address, uint32_t mark);
/* The MTU of that. */
Result<std::optional<uint32_t>> path_mtu(const Address &address, uint32_t mark);

} // namespace nwgctl::netlink

#endif
