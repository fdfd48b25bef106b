// SPDX-License-Identifier: GPL-2.0
#include "plan.hpp"

#include <algorithm>

namespace nwgctl::setup
{

using config::AtLine;
using config::Quick;
using netlink::Route;
using netlink::Rule;

/* What a tunnel puts around a packet at most: IPv6, UDP, and WireGuard's header and tag. */
static constexpr uint32_t overhead = 40 + 8 + 32;
/* Of a way that nobody knows. */
static constexpr uint32_t ethernet_mtu = 1500;
/* The first mark and table for a default route, as with wg-quick(8). */
static constexpr uint32_t first_table = 51820;

static bool covers(const Prefix &outer, const Prefix &inner)
{
	return outer.address.family == inner.address.family && outer.length <= inner.length &&
	       inner.address.masked(outer.length) == outer.address.masked(outer.length);
}

/* Whether an address brings the route along. */
static bool is_connected(const Quick &quick, const Prefix &prefix)
{
	return std::ranges::any_of(quick.addresses, [&](const auto &address) {
		return address.value.length < address.value.address.bits() &&
		       covers(address.value, prefix);
	});
}

static Result<uint32_t> free_table()
{
	const auto rules = TRY(netlink::list_rules());

	for (uint32_t table = first_table; table < first_table + 1000; table++) {
		const bool has_rules = std::ranges::any_of(rules, [table](const Rule &rule) {
			return rule.unless_mark == table;
		});

		if (!has_rules && TRY(netlink::is_table_empty(table)))
			return table;
	}
	return Error{ Exit::refused,
		      "Unable to find a routing table that is empty",
		      {},
		      "name one: FwMark = NUMBER" };
}

/* The smallest of the ways to the peers, or else of the way to everybody, less what the tunnel adds. */
static Result<uint32_t> computed_mtu(const DeviceChange &device, uint32_t mark)
{
	/* Of documentation's networks, which only default routes lead to. */
	static const Address everybody[] = { *Address::from_text("192.0.2.1"),
					     *Address::from_text("2001:db8::1") };
	std::optional<uint32_t> smallest;
	const auto look = [&](const Address &address) -> Status {
		const auto mtu = TRY(netlink::path_mtu(address, mark));

		if (mtu && (!smallest || *mtu < *smallest))
			smallest = mtu;
		return {};
	};

	for (const auto &peer : device.peers) {
		if (peer.endpoint)
			TRY(look(peer.endpoint->address()));
	}
	for (const auto &address : everybody) {
		if (!smallest)
			TRY(look(address));
	}
	return smallest.value_or(ethernet_mtu) - overhead;
}

/* Routes to the allowed IPs, in the order of the file. */
static std::vector<AtLine<Route>> routes_of(const Quick &quick, uint32_t mark)
{
	const config::Table &table = quick.table.value;
	std::vector<AtLine<Route>> routes;

	if (table.off)
		return routes;
	for (std::size_t index = 0; index < quick.device.peers.size(); index++) {
		for (const auto &prefix : quick.device.peers[index].allowed_ips) {
			const bool automatic = table.number == config::Table::automatic;
			const Route route{ prefix, !automatic	 ? table.number :
						   prefix.length ? netlink::main_table :
								   mark };

			if (automatic && is_connected(quick, prefix))
				continue;
			if (std::ranges::none_of(routes, [&](const auto &other) {
				    return other.value == route;
			    }))
				routes.push_back({ route, quick.peer_lines[index] });
		}
	}
	return routes;
}

/* Packets without the mark go by the tunnel, unless the main table has more than a default route for them. */
static std::vector<Rule> rules_of(const std::vector<AtLine<Route>> &routes, uint32_t mark)
{
	std::vector<Rule> rules;

	for (const auto &[route, line] : routes) {
		if (!mark || route.destination.length || route.table != mark)
			continue;
		const uint16_t family = route.destination.address.family;
		rules.push_back({ .family = family, .unless_mark = mark, .table = mark });
		rules.push_back({ .family = family, .unless_mark = mark, .no_default = true });
	}
	return rules;
}

Result<Plan> plan(const Quick &quick, const Marks &marks)
{
	Plan plan;
	const bool has_default = std::ranges::any_of(quick.device.peers, [](const auto &peer) {
		return std::ranges::any_of(peer.allowed_ips,
					   [](const Prefix &prefix) { return !prefix.length; });
	});

	plan.device = quick.device;
	if (has_default && quick.table.value.is_automatic()) {
		plan.mark = quick.device.fwmark.value_or(0);
		if (!plan.mark)
			plan.mark = marks.present;
		if (!plan.mark)
			plan.mark = TRY(free_table());
		plan.device.fwmark = plan.mark;
	}
	plan.routes = routes_of(quick, plan.mark);
	plan.rules = rules_of(plan.routes, plan.mark);
	if (quick.mtu) {
		plan.mtu = *quick.mtu;
	} else {
		const uint32_t mark = plan.device.fwmark.value_or(0);

		plan.mtu = { TRY(computed_mtu(quick.device, mark ? mark : marks.kept)) };
	}
	return plan;
}

} // namespace nwgctl::setup
