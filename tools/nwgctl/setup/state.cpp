// SPDX-License-Identifier: GPL-2.0
#include "state.hpp"

#include <algorithm>
#include <cerrno>

#include <fmt/format.h>

#include "../config/file.hpp"
#include "../netlink/device.hpp"
#include "sysctl.hpp"

namespace nwgctl::setup
{

using config::at_line;
using config::AtLine;
using config::Quick;
using netlink::LinkState;
using netlink::Route;
using netlink::Rule;

netlink::Link as_link(const LinkState &link)
{
	return { .index = link.index, .name = link.name, .kind = link.kind };
}

Firewall State::firewall() const
{
	Firewall firewall;

	if (owned.empty())
		return firewall;
	firewall.mark = device.fwmark.value_or(0);
	for (const auto &address : addresses) {
		if (std::ranges::any_of(owned, [&address](const RuleOwner &owner) {
			    return owner.first == address.value.address.family;
		    }))
			firewall.addresses.push_back(address.value);
	}
	return firewall;
}

/* The change that makes an interface what it was. */
static DeviceChange back_to(const Device &device)
{
	DeviceChange change;

	change.private_key = device.private_key.value_or(Key());
	change.listen_port = device.listen_port;
	change.fwmark = device.fwmark;
	change.replace_peers = true;
	for (const auto &peer : device.peers)
		change.peers.push_back({ .public_key = peer.public_key,
					 .preshared_key = peer.preshared_key.value_or(Key()),
					 .endpoint = peer.endpoint,
					 .keepalive = peer.keepalive,
					 .replace_allowed_ips = true,
					 .allowed_ips = peer.allowed_ips });
	return change;
}

template <typename Item>
static std::vector<AtLine<Item>> without_lines(const std::vector<Item> &items)
{
	std::vector<AtLine<Item>> list;

	for (const auto &item : items)
		list.push_back({ item });
	return list;
}

/* Adds what is missing, then removes the rest. */
template <typename Item, typename Add, typename Remove>
static Status make_list(const std::vector<Item> &have, const std::vector<AtLine<Item>> &want,
			Add add, Remove remove)
{
	for (const auto &item : want) {
		if (std::ranges::find(have, item.value) == have.end())
			TRY(add(item));
	}
	for (const auto &item : have) {
		if (std::ranges::none_of(want,
					 [&](const auto &other) { return other.value == item; }))
			TRY(remove(item));
	}
	return {};
}

/*
 * Each of the following makes one thing of an interface what is wanted, and leaves alone what is so already. They are in the
 * order in which they are to be: a peer comes before the relay to it; with a small MTU the kernel takes away addresses of IPv6,
 * and with the last address the routes.
 */

/* Of a peer it is one or the other that is sent. */
static Status put_device(const LinkState &link, const DeviceChange &wanted, bool removals)
{
	const auto now = TRY(netlink::get_device(as_link(link)));
	auto change = config::difference(now, config::completed(wanted));

	std::erase_if(change.peers,
		      [removals](const PeerChange &peer) { return peer.remove != removals; });
	return netlink::set_device(as_link(link), change);
}

/* Where the interface is up the port is taken with the device, else when it comes up. */
static Status at_port(const Quick &quick, Status done)
{
	if (done || done.error().number != EADDRINUSE)
		return done;
	done.error().hint =
		fmt::format("see which program has UDP port {0}: ss -ulpn sport = :{0}; or take "
			    "another ListenPort",
			    quick.device.listen_port.value_or(0));
	return at_line(quick, quick.port_line, done.error());
}

static Status put_mtu(const Quick &quick, const LinkState &link, const AtLine<uint32_t> &wanted)
{
	if (link.mtu == wanted.value)
		return {};
	auto done = netlink::set_mtu(link, wanted.value);
	if (!done)
		return at_line(quick, wanted.line, done.error());
	return {};
}

static Status put_addresses(const Quick &quick, const LinkState &link,
			    const std::vector<AtLine<Prefix>> &wanted)
{
	const auto have = TRY(netlink::list_addresses(link));
	const auto promote = promote_secondaries(link.name);
	std::vector<AtLine<Prefix>> once;
	bool before = true;

	for (const auto &address : wanted) {
		if (std::ranges::none_of(once, [&](const auto &other) {
			    return other.value == address.value;
		    }))
			once.push_back(address);
	}
	/* Without the last one of IPv4 the kernel would remove all routes, those of others, too. */
	if (!have.empty())
		before = TRY(set_sysctl(promote, true));
	auto done = make_list(
		have, once,
		[&](const AtLine<Prefix> &address) -> Status {
			auto done = netlink::add_address(link, address.value);
			if (!done)
				return at_line(quick, address.line, done.error());
			return {};
		},
		[&](const Prefix &address) { return netlink::delete_address(link, address); });
	if (!before)
		TRY(set_sysctl(promote, false));
	return done;
}

static Status put_up(const LinkState &link, bool up)
{
	return link.up == up ? Status() : netlink::set_up(link, up);
}

static Status put_routes(const Quick &quick, const LinkState &link,
			 const std::vector<AtLine<Route>> &wanted)
{
	return make_list(
		TRY(netlink::list_routes(link)), wanted,
		[&](const AtLine<Route> &route) -> Status {
			auto done = netlink::add_route(link, route.value);
			if (!done)
				return at_line(quick, route.line, done.error());
			return {};
		},
		[&](const Route &route) { return netlink::delete_route(link, route); });
}

Result<std::vector<Rule>> rules_of(const std::set<RuleOwner> &owners)
{
	auto rules = TRY(netlink::list_rules());

	std::erase_if(rules, [&](const Rule &rule) {
		return !owners.contains({ rule.family, rule.unless_mark });
	});
	return rules;
}

Status put_rules(const std::set<RuleOwner> &owners, const std::vector<Rule> &rules)
{
	return make_list(
		TRY(rules_of(owners)), without_lines(rules),
		[](const AtLine<Rule> &rule) { return netlink::add_rule(rule.value); },
		[](const Rule &rule) { return netlink::delete_rule(rule); });
}

/* As a change that leaves nothing open. */
static netlink::RelayChange as_change(const netlink::Relay &relay)
{
	return { .interface = relay.interface,
		 .listen = relay.listen,
		 .peer = relay.peer,
		 .to = relay.to,
		 .responder = relay.responder.value_or(Key()),
		 .max_flows = relay.max_flows,
		 .max_flows_per_source = relay.max_flows_per_source,
		 .source = relay.source };
}

/* What a file leaves out is what the kernel takes for a new relay. */
static netlink::RelayChange completed(netlink::RelayChange relay)
{
	relay.responder = relay.responder.value_or(Key());
	relay.max_flows = relay.max_flows.value_or(NWG_RELAY_DEFAULT_MAX_FLOWS);
	relay.max_flows_per_source =
		relay.max_flows_per_source.value_or(NWG_RELAY_DEFAULT_MAX_FLOWS_PER_SOURCE);
	relay.source = relay.source.value_or(netlink::Source());
	return relay;
}

/* A new one has no key that is all zeroes. */
static Status add_new_relay(netlink::RelayChange relay)
{
	if (relay.responder && relay.responder->is_zero())
		relay.responder.reset();
	return netlink::add_relay(relay);
}

/* Where there is no module nwg there is no relay, either. */
Result<std::vector<netlink::Relay>> relays_of(const LinkState &link)
{
	auto relays = netlink::list_relays({ .interface = link.name, .listen = {} });

	if (!relays && relays.error().number == ENOENT)
		return std::vector<netlink::Relay>();
	return relays;
}

static bool is_wanted(const netlink::Relay &relay, const std::vector<config::RelaySection> &wanted)
{
	return std::ranges::any_of(wanted, [&](const auto &other) {
		return other.value.listen == relay.listen;
	});
}

static Status delete_relay(const netlink::Relay &relay)
{
	return netlink::delete_relay({ .interface = relay.interface, .listen = relay.listen });
}

static Status put_relays(const Quick &quick, const LinkState &link,
			 const std::vector<config::RelaySection> &wanted)
{
	const auto before = TRY(relays_of(link));

	for (const auto &[section, line] : wanted) {
		const auto relay = completed(section);
		const auto same = std::ranges::find_if(before, [&](const auto &other) {
			return other.listen == relay.listen;
		});
		Status done;

		if (same != before.end()) {
			if (as_change(*same) != relay)
				done = netlink::set_relay(relay);
		} else {
			/* The one that goes may be in the way of the one that comes. */
			for (const auto &other : before) {
				if (other.listen.port == relay.listen.port &&
				    !is_wanted(other, wanted))
					TRY(delete_relay(other));
			}
			done = add_new_relay(relay);
		}
		if (!done)
			return at_line(quick, line, done.error());
	}
	return {};
}

Status apply(const Quick &quick, const LinkState &link, const State &wanted)
{
	TRY(at_port(quick, put_device(link, wanted.device, false)));
	TRY(put_mtu(quick, link, wanted.mtu));
	TRY(put_addresses(quick, link, wanted.addresses));
	TRY(at_port(quick, put_up(link, wanted.up)));
	TRY(put_routes(quick, link, wanted.routes));
	TRY(put_rules(wanted.owned, wanted.rules));
	return put_relays(quick, link, wanted.relays);
}

Status remove_rest(const LinkState &link, const State &wanted)
{
	for (const auto &relay : TRY(relays_of(link))) {
		if (!is_wanted(relay, wanted.relays))
			TRY(delete_relay(relay));
	}
	return put_device(link, wanted.device, true);
}

State as_planned(const Quick &quick, const Plan &plan)
{
	State wanted{ .device = plan.device,
		      .mtu = plan.mtu,
		      .up = true,
		      .addresses = quick.addresses,
		      .routes = plan.routes,
		      .owned = {},
		      .rules = plan.rules,
		      .relays = quick.relays };

	for (const auto &rule : plan.rules)
		wanted.owned.emplace(rule.family, rule.unless_mark);
	/* As the kernel names the interface that one listens on. */
	for (auto &relay : wanted.relays)
		relay.value.listen = netlink::by_own_name(relay.value.listen);
	return wanted;
}

std::set<RuleOwner> owners_by_peers(const Device &device)
{
	std::set<RuleOwner> owners;

	for (const auto &peer : device.peers) {
		for (const auto &prefix : peer.allowed_ips) {
			if (!prefix.length && device.fwmark)
				owners.emplace(prefix.address.family, device.fwmark);
		}
	}
	return owners;
}

/*
 * Others may have the same mark, to keep out of a tunnel that has the rules: they are of the interface that the default route in
 * the table of that number leads over, or would, if it were up. The mark may be another by now. A table without rules of ours
 * is the file's, and its mark a hook's.
 */
static Result<std::set<RuleOwner>> owners_of(const Quick &quick, const Device &device,
					     const std::vector<Route> &routes)
{
	const auto rules = TRY(netlink::list_rules());
	std::set<RuleOwner> owners;

	if (quick.table.value.is_automatic())
		owners = owners_by_peers(device);
	for (const auto &[destination, table] : routes) {
		const uint16_t family = destination.address.family;
		const bool has_rule = std::ranges::any_of(rules, [&](const Rule &rule) {
			return rule.family == family && rule.unless_mark == table;
		});

		if (!destination.length && has_rule)
			owners.emplace(family, table);
	}
	return owners;
}

Result<State> as_it_is(const Quick &quick, const LinkState &link, const Device &device)
{
	const auto routes = TRY(netlink::list_routes(link));
	State state{ .device = back_to(device),
		     .mtu = { link.mtu },
		     .up = link.up,
		     .addresses = without_lines(TRY(netlink::list_addresses(link))),
		     .routes = without_lines(routes),
		     .owned = TRY(owners_of(quick, device, routes)),
		     .rules = {},
		     .relays = {} };

	state.rules = TRY(rules_of(state.owned));
	for (const auto &relay : TRY(relays_of(link)))
		state.relays.push_back({ as_change(relay) });
	return state;
}

} // namespace nwgctl::setup
