// SPDX-License-Identifier: GPL-2.0
#include "interface.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <map>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../command.hpp"
#include "../config/file.hpp"
#include "../netlink/device.hpp"
#include "../netlink/relay.hpp"
#include "../netlink/route.hpp"
#include "dns.hpp"
#include "firewall.hpp"
#include "process.hpp"
#include "transaction.hpp"

namespace nwgctl::setup
{

using config::at_line;
using config::AtLine;
using config::Quick;
using netlink::LinkState;
using netlink::Route;
using netlink::Rule;

/* What a tunnel puts around a packet at most: IPv6, UDP, and WireGuard's header and tag. */
static constexpr uint32_t overhead = 40 + 8 + 32;
/* Of a way that nobody knows. */
static constexpr uint32_t ethernet_mtu = 1500;
/* The first mark and table for a default route, as with wg-quick(8). */
static constexpr uint32_t first_table = 51820;

/* What of an interface is neither in its device nor in its addresses. */
struct Plan {
	DeviceChange device;
	uint32_t mtu = 0;
	/* Of the tunnel's own packets, which a default route does not lead back into it; 0 if there is none. */
	uint32_t mark = 0;
	std::vector<AtLine<Route>> routes;
	std::vector<Rule> rules;
};

static netlink::Link as_link(const LinkState &link)
{
	return { .index = link.index, .name = link.name, .kind = link.kind };
}

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
	for (uint32_t table = first_table; table < first_table + 1000; table++) {
		if (TRY(netlink::is_table_empty(table)) && TRY(netlink::list_rules(table)).empty())
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

/* @before is the interface as it is, if it is. */
static Result<Plan> plan(const Quick &quick, const Device *before)
{
	Plan plan;
	const bool has_default = std::ranges::any_of(quick.device.peers, [](const auto &peer) {
		return std::ranges::any_of(peer.allowed_ips,
					   [](const Prefix &prefix) { return !prefix.length; });
	});

	plan.device = quick.device;
	if (has_default && !quick.table.value.off &&
	    quick.table.value.number == config::Table::automatic) {
		plan.mark = quick.device.fwmark.value_or(0);
		/* The one that it has, if that came about in the same way. */
		if (!plan.mark && before && before->fwmark &&
		    !TRY(netlink::list_rules(before->fwmark)).empty())
			plan.mark = before->fwmark;
		if (!plan.mark)
			plan.mark = TRY(free_table());
		plan.device.fwmark = plan.mark;
	}
	plan.routes = routes_of(quick, plan.mark);
	plan.rules = rules_of(plan.routes, plan.mark);
	plan.mtu = quick.mtu ? quick.mtu->value :
			       TRY(computed_mtu(quick.device, plan.device.fwmark.value_or(0)));
	return plan;
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

/* All of an interface, as it is to be; what has no line is of no file. */
struct Wanted {
	DeviceChange device;
	AtLine<uint32_t> mtu;
	bool up = true;
	std::vector<AtLine<Prefix>> addresses;
	std::vector<AtLine<Route>> routes;
	/* By the mark that their packets do not have. */
	std::map<uint32_t, std::vector<Rule>> rules;
	std::vector<config::RelaySection> relays;
};

/* Adds what is missing and removes the rest. */
template <typename Item, typename Add, typename Remove>
static Status make_list(const std::vector<Item> &have, const std::vector<AtLine<Item>> &want,
			Add add, Remove remove)
{
	for (const auto &item : have) {
		if (std::ranges::none_of(want,
					 [&](const auto &other) { return other.value == item; }))
			TRY(remove(item));
	}
	for (const auto &item : want) {
		if (std::ranges::find(have, item.value) == have.end())
			TRY(add(item));
	}
	return {};
}

template <typename Item>
static std::vector<AtLine<Item>> without_lines(const std::vector<Item> &items)
{
	std::vector<AtLine<Item>> list;

	for (const auto &item : items)
		list.push_back({ item });
	return list;
}

/*
 * Each of the following makes one thing of an interface what is wanted, and leaves alone what is so already. They are in the
 * order in which they are to be: a peer comes before the relay to it; with a small MTU the kernel takes away addresses of IPv6,
 * and with the last address the routes.
 */

static Status put_device(const LinkState &link, const DeviceChange &wanted)
{
	const auto now = TRY(netlink::get_device(as_link(link)));

	return netlink::set_device(as_link(link), config::difference(now, wanted));
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
	std::vector<AtLine<Prefix>> once;

	for (const auto &address : wanted) {
		if (std::ranges::none_of(once, [&](const auto &other) {
			    return other.value == address.value;
		    }))
			once.push_back(address);
	}
	/* With the first address of a network the kernel may remove the others: those are there the second time. */
	for (int round = 0; round < 2; round++) {
		TRY(make_list(
			TRY(netlink::list_addresses(link)), once,
			[&](const AtLine<Prefix> &address) -> Status {
				auto done = netlink::add_address(link, address.value);
				if (!done)
					return at_line(quick, address.line, done.error());
				return {};
			},
			[&](const Prefix &address) {
				return netlink::delete_address(link, address);
			}));
	}
	return {};
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

static Status put_rules(uint32_t mark, const std::vector<Rule> &rules)
{
	return make_list(
		TRY(netlink::list_rules(mark)), without_lines(rules),
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
static Result<std::vector<netlink::Relay>> relays_of(const LinkState &link)
{
	auto relays = netlink::list_relays({ .interface = link.name, .listen = {} });

	if (!relays && relays.error().number == ENOENT)
		return std::vector<netlink::Relay>();
	return relays;
}

static Status put_relays(const Quick &quick, const LinkState &link,
			 const std::vector<config::RelaySection> &wanted)
{
	const auto before = TRY(relays_of(link));

	for (const auto &relay : before) {
		if (std::ranges::none_of(wanted, [&](const auto &other) {
			    return other.value.listen == relay.listen;
		    }))
			TRY(netlink::delete_relay(
				{ .interface = relay.interface, .listen = relay.listen }));
	}
	for (const auto &[section, line] : wanted) {
		const auto relay = completed(section);
		const auto same = std::ranges::find_if(before, [&](const auto &other) {
			return other.listen == relay.listen;
		});
		Status done;

		if (same == before.end())
			done = add_new_relay(relay);
		else if (as_change(*same) != relay)
			done = netlink::set_relay(relay);
		if (!done)
			return at_line(quick, line, done.error());
	}
	return {};
}

/* The interface that the file is for, of which it must be there. */
static Result<LinkState> present_link(const Quick &quick)
{
	const auto link = TRY(netlink::find_link(quick.interface));

	if (!link)
		return Error{ Exit::refused,
			      fmt::format("Unable to find interface {}: {}", quick.interface,
					  strerror(ENODEV)),
			      {},
			      fmt::format("make it: nwgctl up {}", quick.interface),
			      ENODEV };
	if (link->kind != NWG_LINK_KIND && link->kind != netlink::stock_kind)
		return Error{ Exit::refused,
			      fmt::format("{} is not a WireGuard interface", quick.interface),
			      {},
			      "see which there are: nwgctl show interfaces",
			      EOPNOTSUPP };
	return *link;
}

/* All of it; the interface is there. */
static Status apply(const Quick &quick, const Wanted &wanted)
{
	const auto link = TRY(present_link(quick));

	TRY(put_device(link, wanted.device));
	TRY(put_mtu(quick, link, wanted.mtu));
	TRY(put_addresses(quick, link, wanted.addresses));
	TRY(put_up(link, wanted.up));
	TRY(put_routes(quick, link, wanted.routes));
	for (const auto &[mark, rules] : wanted.rules)
		TRY(put_rules(mark, rules));
	return put_relays(quick, link, wanted.relays);
}

static Wanted as_planned(const Quick &quick, const Plan &plan)
{
	Wanted wanted{ .device = plan.device,
		       .mtu = { plan.mtu, quick.mtu ? quick.mtu->line : 0 },
		       .up = true,
		       .addresses = quick.addresses,
		       .routes = plan.routes,
		       .rules = {},
		       .relays = quick.relays };

	if (plan.mark)
		wanted.rules[plan.mark] = plan.rules;
	return wanted;
}

/* The interface as it is. */
static Result<Wanted> as_it_is(const LinkState &link, const Device &device)
{
	Wanted wanted{ .device = back_to(device),
		       .mtu = { link.mtu },
		       .up = link.up,
		       .addresses = without_lines(TRY(netlink::list_addresses(link))),
		       .routes = without_lines(TRY(netlink::list_routes(link))),
		       .rules = {},
		       .relays = {} };

	if (device.fwmark)
		wanted.rules[device.fwmark] = TRY(netlink::list_rules(device.fwmark));
	for (const auto &relay : TRY(relays_of(link)))
		wanted.relays.push_back({ as_change(relay) });
	return wanted;
}

/* For a default route: see firewall.hpp. */
static Status make_firewall(Transaction &transaction, const Quick &quick, const Plan &plan)
{
	std::vector<Prefix> addresses;

	if (!plan.mark)
		return remove_firewall(quick.interface);
	for (const auto &address : quick.addresses)
		addresses.push_back(address.value);
	const bool before = TRY(set_src_valid_mark(true));
	transaction.done([before]() -> Status {
		TRY(set_src_valid_mark(before));
		return {};
	});
	TRY(set_firewall(quick.interface, plan.mark, addresses));
	transaction.done([&quick] { return remove_firewall(quick.interface); });
	return {};
}

static Status make_dns(Transaction &transaction, const Quick &quick, bool is_new)
{
	if (!quick.dns_line)
		return is_new ? Status() : remove_dns(quick.interface);
	auto done = set_dns(quick.interface, quick.dns_servers, quick.dns_domains);
	if (!done)
		return at_line(quick, quick.dns_line, done.error());
	transaction.done([&quick] { return remove_dns(quick.interface); });
	return {};
}

static Status run_hooks(const Quick &quick, const std::vector<AtLine<std::string>> &commands)
{
	for (const auto &[command, line] : commands) {
		auto done = run_hook(command, quick.interface);
		if (!done)
			return at_line(quick, line, done.error());
	}
	return {};
}

/* Those that undo are run even if not all have been that do. */
static Status run_hooks(Transaction &transaction, const Quick &quick,
			const std::vector<AtLine<std::string>> &commands,
			const std::vector<AtLine<std::string>> &opposite)
{
	if (commands.empty())
		return {};
	transaction.done([&quick, &opposite] { return run_hooks(quick, opposite); });
	return run_hooks(quick, commands);
}

Status up(const Quick &quick)
{
	Transaction transaction;

	if (TRY(netlink::find_link(quick.interface)))
		return Error{ Exit::refused,
			      fmt::format("Unable to make interface {}: {}", quick.interface,
					  strerror(EEXIST)),
			      {},
			      fmt::format("nwgctl reload {0} changes it; nwgctl down {0} removes it",
					  quick.interface),
			      EEXIST };
	TRY(run_hooks(transaction, quick, quick.pre_up, quick.post_down));
	const auto planned = TRY(plan(quick, nullptr));
	TRY(netlink::add_link(quick.interface, quick.kind));
	/* With the interface goes all that is applied to it, but for the rules. */
	transaction.done([&quick, mark = planned.mark]() -> Status {
		if (mark)
			TRY(put_rules(mark, {}));
		return netlink::delete_link(TRY(present_link(quick)));
	});
	TRY(apply(quick, as_planned(quick, planned)));
	TRY(make_firewall(transaction, quick, planned));
	TRY(make_dns(transaction, quick, true));
	TRY(run_hooks(transaction, quick, quick.post_up, quick.pre_down));
	transaction.keep();
	return {};
}

/* What the interface was, and the firewall, if there was one for that mark. */
static Status put_back(const Quick &quick, const Wanted &back, uint32_t mark)
{
	const auto rules = back.rules.find(mark);
	std::vector<Prefix> addresses;

	TRY(apply(quick, back));
	if (rules == back.rules.end() || rules->second.empty())
		return {};
	for (const auto &address : back.addresses)
		addresses.push_back(address.value);
	return set_firewall(quick.interface, mark, addresses);
}

Status reload(const Quick &quick)
{
	const auto link = TRY(present_link(quick));
	Transaction transaction;

	if (link.kind != quick.kind)
		return Error{ Exit::refused,
			      fmt::format("{} is of kind {}, and {} says {}", link.name, link.kind,
					  quick.path, quick.kind),
			      {},
			      fmt::format("remove it, and make it anew: nwgctl down {0} && "
					  "nwgctl up {0}",
					  quick.path) };
	const auto before = TRY(netlink::get_device(as_link(link)));
	const auto planned = TRY(plan(quick, &before));
	auto wanted = as_planned(quick, planned), back = TRY(as_it_is(link, before));

	/* Another mark's rules come and go. */
	for (const auto &[mark, rules] : back.rules)
		wanted.rules.try_emplace(mark);
	for (const auto &[mark, rules] : wanted.rules)
		back.rules.try_emplace(mark);
	transaction.done(
		[&quick, back, mark = before.fwmark] { return put_back(quick, back, mark); });
	TRY(apply(quick, wanted));
	TRY(make_firewall(transaction, quick, planned));
	TRY(make_dns(transaction, quick, false));
	transaction.keep();
	return {};
}

Status down(const Quick &quick)
{
	const auto link = TRY(present_link(quick));
	Status first;
	const auto note = [&first](Status status) {
		if (!status && first)
			first = std::move(status);
		else if (!status)
			print_error(status.error());
	};

	TRY(run_hooks(quick, quick.pre_down));
	if (quick.save_config)
		TRY(save(quick));
	const auto device = TRY(netlink::get_device(as_link(link)));
	/* What cannot be removed does not keep the rest. */
	if (device.fwmark)
		note(put_rules(device.fwmark, {}));
	note(remove_firewall(quick.interface));
	if (quick.dns_line)
		note(remove_dns(quick.interface));
	note(netlink::delete_link(link));
	note(run_hooks(quick, quick.post_down));
	return first;
}

/* A new file in the place of the old one, which stays if that cannot be. */
static Status write_file(const std::string &path, const std::string &text)
{
	std::string name = path + ".XXXXXX";
	const int file = mkostemp(name.data(), O_CLOEXEC);
	struct stat status;
	bool written = file >= 0;

	for (std::size_t at = 0; written && at < text.size();) {
		const ssize_t count = write(file, text.data() + at, text.size() - at);

		written = count >= 0 || errno == EINTR;
		at += count > 0 ? static_cast<std::size_t>(count) : 0;
	}
	/* As open to others as it was, and no more. */
	if (written && !stat(path.c_str(), &status))
		written = !fchmod(file, status.st_mode & 0777) &&
			  !fchown(file, status.st_uid, status.st_gid);
	written = written && !fsync(file) && !rename(name.c_str(), path.c_str());
	const int error = errno;
	if (file >= 0) {
		close(file);
		if (!written)
			unlink(name.c_str());
	}
	if (!written)
		return Error{ Exit::refused,
			      fmt::format("Unable to write {}: {}", path, strerror(error)),
			      {},
			      {},
			      error };
	return {};
}

Status save(const Quick &quick)
{
	const auto link = TRY(present_link(quick));
	const auto device = TRY(netlink::get_device(as_link(link)));

	return write_file(quick.path,
			  config::print_quick(quick, device, TRY(netlink::list_addresses(link)),
					      TRY(relays_of(link))));
}

} // namespace nwgctl::setup
