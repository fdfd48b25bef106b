// SPDX-License-Identifier: GPL-2.0
/* What is wrong with the home's files, and between them and the VPS'. */
#include "checker.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "network.hpp"
#include "plan.hpp"

namespace nwgctl::chain
{

/* Whether @here has a peer with the key of @there. */
void Checker::check_peer_key(const Side &here, const Side &there, const char *whose)
{
	if (!there.private_key)
		return;
	const Key key = there.private_key->public_key();
	if (here.peer(key))
		return;
	const unsigned int line = here.peers.size() == 1 ? here.peers[0].public_key.line :
							   here.line;
	add(here.file, line,
	    fmt::format("No [Peer] has the public key of {}, {}", whose, there.file),
	    fmt::format("PublicKey = {}", key.base64()));
}

/* The tunnel between VPS and home: what each says of the other. */
void Checker::check_wg1()
{
	if (!vps || !wg1)
		return;
	check_peer_key(*vps, *wg1, "the home's wg1");
	check_peer_key(*wg1, *vps, "the VPS");
	const SidePeer *to_vps = vps->private_key ? wg1->peer(vps->private_key->public_key()) :
						    nullptr;
	const SidePeer *to_home = wg1->private_key ? vps->peer(wg1->private_key->public_key()) :
						     nullptr;
	if (to_home && to_vps &&
	    to_home->preshared_key.value.value_or(Key()) !=
		    to_vps->preshared_key.value.value_or(Key()))
		add(wg1->file, to_vps->preshared_key.line,
		    fmt::format("The preshared key is not that of {}",
				place_text(vps->file, to_home->preshared_key.line)),
		    "both have the same one, or none");
	if (!to_vps)
		return;
	if (!to_vps->endpoint)
		add(wg1->file, to_vps->line, "The home does not dial: its [Peer] has no Endpoint",
		    "Endpoint = HOST:PORT of the VPS' wg1");
	else if (vps->port && to_vps->endpoint->second != *vps->port)
		add(wg1->file, to_vps->endpoint.line,
		    fmt::format("The home dials port {}, and the VPS' wg1 listens on {} ({})",
				to_vps->endpoint->second, *vps->port,
				place_text(vps->file, vps->port.line)),
		    fmt::format("Endpoint = {}", host_port(to_vps->endpoint->first, *vps->port)));
	if (!to_vps->keepalive || !*to_vps->keepalive)
		add(wg1->file, to_vps->keepalive.line,
		    "The home is behind NAT, and has no keepalive: the VPS cannot reach it once the "
		    "NAT forgets",
		    fmt::format("PersistentKeepalive = {}", keepalive));
	for (const auto &address : vps->addresses.value.value_or(std::vector<Prefix>())) {
		if (to_vps->allowed && !contains(*to_vps->allowed, address.address))
			add(wg1->file, to_vps->allowed.line,
			    fmt::format(
				    "The VPS' address in wg1, {}, is not in AllowedIPs of its [Peer]",
				    address.address.text()),
			    fmt::format("add {}", single(address.address).text()));
	}
}

/* Networks, as the interfaces' addresses and clients' allowed IPs say them. */
void Checker::check_networks()
{
	std::vector<Network> networks;
	const auto collect = [&networks](const std::optional<Side> &side, const char *name) {
		if (!side || !side->addresses)
			return;
		for (const auto &prefix : *side->addresses)
			networks.push_back(
				{ { prefix.address.masked(prefix.length), prefix.length },
				  name,
				  side->file,
				  side->addresses.line });
	};

	for (const auto *side : { &vps, &wg1, &wg0 }) {
		if (*side && !(*side)->addresses)
			add((*side)->file, (*side)->line, "[Interface] has no Address",
			    "Address = ADDR/LENGTH");
	}
	if (vps && wg1 && vps->addresses && wg1->addresses) {
		for (const auto &address : *vps->addresses) {
			if (std::ranges::find(*wg1->addresses, address.address, &Prefix::address) !=
			    wg1->addresses->end())
				add(wg1->file, wg1->addresses.line,
				    fmt::format("Home and VPS have the same address in wg1, {}",
						address.address.text()),
				    "give the home another, and the relay's To");
		}
	}
	collect(wg1, "wg1");
	collect(wg0, "wg0");
	for (const auto &prefix : notes ? notes->lan : std::vector<Prefix>())
		networks.push_back({ prefix, "lan", path(notes_name), 0 });
	check_vps_apart(networks);
	for (std::size_t a = 0; a < networks.size(); a++) {
		for (std::size_t b = 0; b < a; b++) {
			if (networks[a].file != networks[b].file &&
			    overlap(networks[a].prefix, networks[b].prefix))
				add(networks[a].file, networks[a].line,
				    fmt::format("{} of {} and {} of {} overlap ({})",
						networks[a].prefix.text(), networks[a].name,
						networks[b].prefix.text(), networks[b].name,
						place_text(networks[b].file, networks[b].line)),
				    "give each a network of its own");
		}
	}
	/* Relays' pools are routed into wg1. */
	for (const auto *relay : relays()) {
		for (const auto &network : networks) {
			if (relay->source && relay->source->pool &&
			    overlap(*relay->source->pool, network.prefix))
				add(vps->file, relay->source.line,
				    fmt::format("The pool {} and {} of {} overlap ({})",
						relay->source->pool->text(), network.prefix.text(),
						network.name,
						place_text(network.file, network.line)),
				    "give it a prefix of its own");
		}
	}
}

/* As chain new sees to it: it would be looked for in a tunnel, or at home. */
void Checker::check_vps_apart(const std::vector<Network> &networks)
{
	const SidePeer *to_vps = wg1 && vps && vps->private_key ?
					 wg1->peer(vps->private_key->public_key()) :
					 nullptr;
	const auto address = to_vps && to_vps->endpoint ?
				     Address::from_text(to_vps->endpoint->first) :
				     std::nullopt;

	for (const auto &network : networks) {
		if (!address || !contains(network.prefix, *address))
			continue;
		add(network.file, network.line,
		    fmt::format("The VPS, {}, is in {} of {} ({})", address->text(),
				network.prefix.text(), network.name,
				place_text(wg1->file, to_vps->endpoint.line)),
		    network.line ? "take another network, or the VPS' address on the internet" :
				   "take that out, here and of clients' AllowedIPs");
	}
}

void Checker::check_home_peers()
{
	struct Owner {
		Prefix prefix;
		unsigned int peer, line;
	};
	std::vector<Owner> owners;

	for (const auto &peer : wg0 ? wg0->peers : std::vector<SidePeer>()) {
		if (!peer.allowed)
			add(wg0->file, peer.line,
			    "[Peer] has no AllowedIPs: nothing of it may come in",
			    "AllowedIPs = the client's address");
		for (const auto &prefix : peer.allowed.value.value_or(std::vector<Prefix>())) {
			for (const auto &other : owners) {
				if (overlap(prefix, other.prefix))
					add(wg0->file, peer.allowed.line,
					    fmt::format("{} is also {} of another [Peer] (line {})",
							prefix.text(), other.prefix.text(),
							other.line),
					    "each client has addresses of its own");
			}
			if (wg0->addresses &&
			    std::ranges::any_of(*wg0->addresses, [&prefix](const Prefix &own) {
				    return contains(prefix, own.address);
			    }))
				add(wg0->file, peer.allowed.line,
				    fmt::format("{} has the home's own address in it",
						prefix.text()),
				    "each client has addresses of its own");
		}
		for (const auto &prefix : peer.allowed.value.value_or(std::vector<Prefix>()))
			owners.push_back({ prefix, peer.line, peer.allowed.line });
	}
}

void Checker::check_mtu()
{
	static constexpr uint32_t ethernet = 1500;

	for (const auto *side : { &vps, &wg1, &wg0 }) {
		if (*side && !(*side)->mtu)
			add((*side)->file, (*side)->line, "[Interface] has no MTU",
			    "MTU = what fits: 1420 of wg1, 60 less of wg0 (80, where wg1 is of IPv6)");
	}
	if (vps && wg1 && vps->mtu && wg1->mtu && *vps->mtu != *wg1->mtu)
		add(wg1->file, wg1->mtu.line,
		    fmt::format("wg1 has MTU {} here and {} on the VPS ({})", *wg1->mtu, *vps->mtu,
				place_text(vps->file, vps->mtu.line)),
		    fmt::format("MTU = {} at both ends", std::min(*wg1->mtu, *vps->mtu)));
	for (const auto *side : { &vps, &wg1 }) {
		if (*side && (*side)->mtu && *(*side)->mtu > inner_mtu(ethernet, AF_INET))
			add((*side)->file, (*side)->mtu.line,
			    fmt::format(
				    "With MTU {} wg1 sends {} bytes over IPv4, and a line takes {}",
				    *(*side)->mtu,
				    carrier_size(*(*side)->mtu, *(*side)->mtu, AF_INET), ethernet),
			    fmt::format("MTU = {}", inner_mtu(ethernet, AF_INET6)));
	}
	for (const auto *relay : relays()) {
		if (!relay->to || !vps->mtu || !wg0 || !wg0->mtu)
			continue;
		const uint16_t family = relay->to->address->family;
		const uint32_t fits = inner_mtu(*vps->mtu, family);
		if (*wg0->mtu > fits)
			add(wg0->file, wg0->mtu.line,
			    fmt::format(
				    "With MTU {} wg0 sends {} bytes into wg1, which takes {} ({})",
				    *wg0->mtu, carrier_size(*wg0->mtu, *wg0->mtu, family),
				    *vps->mtu, place_text(vps->file, vps->mtu.line)),
			    fmt::format("MTU = {}, here and at clients", fits));
	}
}

} // namespace nwgctl::chain
