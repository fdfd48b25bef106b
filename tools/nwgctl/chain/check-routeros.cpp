// SPDX-License-Identifier: GPL-2.0
/* What of the home's script for RouterOS is not what its files say. */
#include "checker.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include <fmt/format.h>

#include "../config/value.hpp"
#include "network.hpp"
#include "plan.hpp"
#include "routeros.hpp"

namespace nwgctl::chain
{

/* An interface that is not told its MTU, which "export" leaves out, has this one. */
static constexpr uint32_t default_mtu = 1420;

/* Networks, whatever their order and the bits of hosts. Nothing if they cannot be read. */
static std::optional<std::set<Prefix>> networks_of(const std::string &text)
{
	std::set<Prefix> networks;
	const auto list = parse_addresses(text);

	if (!list)
		return std::nullopt;
	for (const auto &prefix : list.value())
		networks.insert({ prefix.address.masked(prefix.length), prefix.length });
	return networks;
}

static bool has_address(const RouterCommand &command, const Prefix &address)
{
	const auto list = parse_addresses(command.value("address"));

	return list && std::ranges::find(list.value(), address) != list.value().end();
}

/* By its key, as its name may be another one there; else by @name, and the key is wrong. */
static const RouterCommand *find_tunnel(const std::vector<RouterCommand> &commands,
					const Side &side, const std::string &name)
{
	const auto *found = side.private_key ? routeros_tunnel(commands, *side.private_key) :
					       nullptr;
	const auto named = std::ranges::find_if(commands, [&](const RouterCommand &command) {
		return command.path == "/interface/wireguard/add" && command.value("name") == name;
	});

	return found || named == commands.end() ? found : &*named;
}

void Checker::check_routeros_tunnel(const std::vector<RouterCommand> &commands, const Side &side,
				    const std::string &name)
{
	const auto file = path("home/mt.rsc");
	const auto *found = find_tunnel(commands, side, name);

	if (!found)
		return add(file, 0, fmt::format("No command makes {}", name),
			   fmt::format("/interface/wireguard/add name={} ...", name));
	const auto interface = found->value("name");
	if (interface.empty())
		return add(file, found->line, fmt::format("It gives {} no name", name),
			   fmt::format("name={}", name));
	if (side.private_key && found->value("private-key") != side.private_key->base64())
		add(file, found->line, fmt::format("The private key is not that of {}", side.file),
		    "one home has one key: take it from there");
	const auto mtu = found->value("mtu");
	if (side.mtu &&
	    (mtu.empty() ? fmt::format("{}", default_mtu) : mtu) != fmt::format("{}", *side.mtu))
		add(file, found->line,
		    fmt::format("The MTU is not that of {}:{}", side.file, side.mtu.line),
		    fmt::format("mtu={}", *side.mtu));
	if (side.port && found->value("listen-port") != fmt::format("{}", *side.port))
		add(file, found->line,
		    fmt::format("The port is not that of {}:{}", side.file, side.port.line),
		    fmt::format("listen-port={}", *side.port));
	for (const auto &address : side.addresses.value.value_or(std::vector<Prefix>())) {
		if (std::ranges::none_of(commands, [&](const RouterCommand &command) {
			    return command.path.ends_with("/address/add") &&
				   command.value("interface") == interface &&
				   has_address(command, address);
		    }))
			add(file, found->line,
			    fmt::format("{} does not get the address {} ({}:{})", interface,
					address.text(), side.file, side.addresses.line),
			    fmt::format("/ip{}/address/add address={} interface={}",
					address.address.family == AF_INET ? "" : "v6",
					address.text(), routeros_value(interface)));
	}
	check_routeros_peers(commands, side, interface);
}

/* What of the interface is not once, and in force, as it is in the file. */
void Checker::check_routeros_surplus(const std::vector<RouterCommand> &commands, const Side &side,
				     const std::string &interface)
{
	const auto file = path("home/mt.rsc");
	std::map<std::string, unsigned int> lines;

	for (const auto &command : commands) {
		const bool is_peer = command.path == "/interface/wireguard/peers/add" &&
				     command.value("interface") == interface;
		const bool is_tunnel = command.path == "/interface/wireguard/add" &&
				       command.value("name") == interface;
		const auto key = command.value("public-key");

		if ((is_peer || is_tunnel) && command.value("disabled") == "yes")
			add(file, command.line,
			    fmt::format("{} is disabled", is_peer ? "The peer" : interface),
			    "take disabled=yes out, here and on the router");
		if (!is_peer)
			continue;
		const auto [first, added] = lines.emplace(key, command.line);
		if (!added)
			add(file, command.line,
			    fmt::format("{} gets the peer twice (line {})", interface,
					first->second),
			    "take one of them out");
		if (std::ranges::none_of(side.peers, [&key](const SidePeer &peer) {
			    return peer.public_key && peer.public_key->base64() == key;
		    }))
			add(file, command.line,
			    fmt::format("{} gets a peer that {} does not have", interface,
					side.file),
			    fmt::format("take it out, and on the router: /interface/wireguard/peers/"
					"remove [find where interface={} and public-key=\"{}\"]",
					routeros_value(interface), key));
	}
}

void Checker::check_routeros_peers(const std::vector<RouterCommand> &commands, const Side &side,
				   const std::string &interface)
{
	const auto file = path("home/mt.rsc");

	check_routeros_surplus(commands, side, interface);
	for (const auto &peer : side.peers) {
		const auto found =
			std::ranges::find_if(commands, [&](const RouterCommand &command) {
				return command.path == "/interface/wireguard/peers/add" &&
				       peer.public_key && command.value("interface") == interface &&
				       command.value("public-key") == peer.public_key->base64();
			});

		if (!peer.public_key)
			continue;
		if (found == commands.end()) {
			add(file, 0,
			    fmt::format("{} does not get the peer of {}:{}", interface, side.file,
					peer.line),
			    fmt::format(
				    "/interface/wireguard/peers/add interface={} public-key=\"{}\" ...",
				    routeros_value(interface), peer.public_key->base64()));
			continue;
		}
		const auto preshared = peer.preshared_key ? peer.preshared_key->base64() : "";
		if (found->value("preshared-key") != preshared)
			add(file, found->line,
			    fmt::format("The preshared key is not that of {}:{}", side.file,
					peer.preshared_key.line),
			    "take it from there");
		const auto allowed = networks_of(found->value("allowed-address"));
		if (peer.allowed && allowed != std::set(peer.allowed->begin(), peer.allowed->end()))
			add(file, found->line,
			    fmt::format("allowed-address is not AllowedIPs of {}:{}", side.file,
					peer.allowed.line),
			    fmt::format("allowed-address={}", join(*peer.allowed, ",")));
		if (peer.endpoint &&
		    (found->value("endpoint-address") != peer.endpoint->first ||
		     found->value("endpoint-port") != fmt::format("{}", peer.endpoint->second)))
			add(file, found->line,
			    fmt::format("The endpoint is not that of {}:{}", side.file,
					peer.endpoint.line),
			    fmt::format("endpoint-address={} endpoint-port={}",
					peer.endpoint->first, peer.endpoint->second));
		if (peer.endpoint && found->value("persistent-keepalive").empty())
			add(file, found->line, "The router is behind NAT, and has no keepalive",
			    fmt::format("persistent-keepalive={}s", keepalive));
	}
}

/* "51820,60000-60100" */
static bool has_port(std::string_view ports, uint16_t port)
{
	while (!ports.empty()) {
		const auto part = ports.substr(0, ports.find(','));
		const auto dash = part.find('-');
		const auto first = config::parse_port(part.substr(0, dash));
		const auto last = config::parse_port(part.substr(dash == part.npos ? 0 : dash + 1));

		if (first && last && first.value() <= port && port <= last.value())
			return true;
		ports.remove_prefix(std::min(part.size() + 1, ports.size()));
	}
	return false;
}

/* Whether a rule's src-address has one of @sources. Of what cannot be read, as a range, it is not known. */
static bool may_have_source(const std::string &text, const std::vector<Prefix> &sources)
{
	const auto networks = networks_of(text);

	return text.empty() || !networks ||
	       std::ranges::any_of(sources, [&networks](const Prefix &source) {
		       return std::ranges::any_of(*networks, [&source](const Prefix &network) {
			       return network.length <= source.length && overlap(network, source);
		       });
	       });
}

/* Whom clients are to the home. */
std::vector<Prefix> Checker::sources_of(const SideRelay &relay) const
{
	const uint16_t family = relay.to->address->family;
	std::vector<Prefix> sources;

	if (relay.source && relay.source->pool)
		return { *relay.source->pool };
	if (relay.source && relay.source->kind == NWG_SOURCE_TRANSPARENT)
		return { everything(family) };
	for (const auto &address : vps->addresses.value.value_or(std::vector<Prefix>())) {
		if (address.address.family == family)
			sources.push_back(single(address.address));
	}
	return sources;
}

/* Whether the interface may be in the list. That the router itself puts it there is not known of its own lists. */
static bool may_be_in(const std::vector<RouterCommand> &commands, const std::string &list,
		      const std::string &interface)
{
	return list.empty() || list.starts_with('!') || list == "all" ||
	       std::ranges::any_of(commands, [&](const RouterCommand &command) {
		       return command.path == "/interface/list/member/add" &&
			      command.value("list") == list &&
			      command.value("interface") == interface;
	       });
}

/* What is wrong with a rule that is to let clients' tunnels in, as it should be; empty if nothing is. */
std::string Checker::router_rule_remedy(const std::vector<RouterCommand> &commands,
					const RouterCommand &rule, const std::string &interface,
					const SideRelay &relay) const
{
	const auto ports = rule.value("dst-port"), in = rule.value("in-interface");
	const auto chain = rule.value("chain"), action = rule.value("action");
	const auto protocol = rule.value("protocol");
	const auto sources = sources_of(relay);

	/* Input may jump to one of the router's own. */
	if (chain == "forward" || chain == "output")
		return "chain=input";
	if (!action.empty() && action != "accept")
		return "action=accept";
	if (!protocol.empty() && protocol != "udp" && protocol != "17")
		return "protocol=udp";
	if (!may_be_in(commands, rule.value("in-interface-list"), interface))
		return fmt::format("in-interface={} in place of in-interface-list",
				   routeros_value(interface));
	if (!ports.empty() && !has_port(ports, *wg0->port))
		return fmt::format("dst-port={}", *wg0->port);
	if (!in.empty() && in != interface)
		return fmt::format("in-interface={}", routeros_value(interface));
	if (!may_have_source(rule.value("src-address"), sources))
		return fmt::format("src-address={}", join(sources, ","));
	return rule.value("disabled") == "yes" ? "take disabled=yes out" : "";
}

/*
 * Of the rules that have to do with clients' tunnels, by port or interface, those of one line let them in: it has one for a
 * router with rules, and one for a router without. A script that has none of them, nor any of what clients may do then, is for
 * a router that does without.
 */
void Checker::check_routeros_firewall(const std::vector<RouterCommand> &commands,
				      const SideRelay &relay)
{
	const auto *tunnel = find_tunnel(commands, *wg1, "wg1");
	std::map<unsigned int, std::string> remedies;

	if (!tunnel || !wg0->port || !relay.to)
		return;
	const auto interface = tunnel->value("name");
	const auto *inner = find_tunnel(commands, *wg0, "wg0");
	unsigned int clients_line = 0;
	const auto path = fmt::format("{}/firewall/filter/add",
				      relay.to->address->family == AF_INET ? "/ip" : "/ipv6");
	for (const auto &command : commands) {
		const auto in = command.value("in-interface");

		if (!command.path.ends_with("/firewall/filter/add"))
			continue;
		if (inner && !clients_line && !in.empty() && in == inner->value("name"))
			clients_line = command.line;
		if (command.path != path ||
		    (in != interface && !has_port(command.value("dst-port"), *wg0->port)))
			continue;
		auto &remedy = remedies[command.line];
		if (remedy.empty())
			remedy = router_rule_remedy(commands, command, interface, relay);
	}
	if (remedies.empty() && clients_line)
		return add_once(
			{ this->path("home/mt.rsc"), clients_line,
			  "The firewall has rules for clients, and none that lets their "
			  "tunnels in to wg0",
			  fmt::format("{} chain=input action=accept protocol=udp dst-port={} "
				      "in-interface={}",
				      path, *wg0->port, routeros_value(interface)) });
	if (!remedies.empty() &&
	    std::ranges::none_of(remedies, [](const auto &line) { return line.second.empty(); }))
		add_once({ this->path("home/mt.rsc"), remedies.begin()->first,
			   "The firewall's rule does not let clients' tunnels in to wg0",
			   remedies.begin()->second });
}

void Checker::check_routeros()
{
	std::error_code unreadable;

	/* A home of Linux needs none. */
	if (!std::filesystem::exists(path("home/mt.rsc"), unreadable))
		return;
	const auto text = read("home/mt.rsc");
	if (!text)
		return;
	const auto commands = parse_routeros({ text->data(), text->size() });
	if (wg1)
		check_routeros_tunnel(commands, *wg1, "wg1");
	if (wg0)
		check_routeros_tunnel(commands, *wg0, "wg0");
	for (const auto *relay : wg0 &&wg1 ? relays() : std::vector<const SideRelay *>())
		check_routeros_firewall(commands, *relay);
}

} // namespace nwgctl::chain
