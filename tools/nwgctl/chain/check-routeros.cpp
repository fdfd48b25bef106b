// SPDX-License-Identifier: GPL-2.0
/* What of the home's script for RouterOS is not what its files say. */
#include "checker.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include <fmt/format.h>

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
					address.text(), interface));
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
					"remove [find public-key=\"{}\"]",
					key));
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
				    interface, peer.public_key->base64()));
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
}

} // namespace nwgctl::chain
