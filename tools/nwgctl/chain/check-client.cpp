// SPDX-License-Identifier: GPL-2.0
/* What is wrong with a client's files. */
#include "checker.hpp"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "../config/value.hpp"
#include "network.hpp"
#include "plan.hpp"
#include "qr.hpp"

namespace nwgctl::chain
{

/* Of addresses of one family alone that can be told: a name may be of any, and a machine may have several names. */
static bool is_other_host(const std::string &a, const std::string &b)
{
	const auto left = Address::from_text(a), right = Address::from_text(b);

	return left && right && left->family == right->family && left != right;
}

/* That one address is listened on tells what clients have, unless the provider translates it. */
static bool is_elsewhere(const Transport &listen, const std::string &host)
{
	const auto address = Address::from_text(host);

	return listen.address && !is_unreachable(*listen.address) && address &&
	       *address != *listen.address;
}

/* Where the client dials is a relay's; and on the machine that the home dials, unless the relay is on one address of it. */
void Checker::check_client_endpoint(const Side &side, const SidePeer &peer)
{
	const auto own = relays();
	const auto &[host, port] = *peer.endpoint;
	const SidePeer *to_vps = wg1 && vps && vps->private_key ?
					 wg1->peer(vps->private_key->public_key()) :
					 nullptr;
	std::vector<const SideRelay *> listening;
	const auto is_missed = [host = host](const SideRelay *relay) {
		return relay->listen && is_elsewhere(*relay->listen, host);
	};
	const auto takes_all = [](const SideRelay *relay) {
		return !relay->listen || !relay->listen->address ||
		       is_unreachable(*relay->listen->address);
	};

	std::ranges::copy_if(own, std::back_inserter(listening),
			     [port = port](const SideRelay *relay) {
				     return !relay->listen || relay->listen->port == port;
			     });
	if (!own.empty() && listening.empty())
		add(side.file, peer.endpoint.line,
		    fmt::format("No relay listens on port {} ({})", port,
				place_text(vps->file, own[0]->line)),
		    fmt::format("Endpoint = {}", host_port(host, own[0]->listen->port)));
	else if (!listening.empty() && std::ranges::all_of(listening, is_missed))
		add(side.file, peer.endpoint.line,
		    fmt::format("The relay listens on {} ({})", listening[0]->listen->text(),
				place_text(vps->file, listening[0]->listen.line)),
		    fmt::format("Endpoint = {}",
				host_port(listening[0]->listen->address->text(), port)));
	/* One that listens on one address of the internet need not be where the home dials. */
	else if (std::ranges::all_of(listening, takes_all) && to_vps && to_vps->endpoint &&
		 is_other_host(to_vps->endpoint->first, host))
		add(side.file, peer.endpoint.line,
		    fmt::format("The home dials the VPS as {} ({})", to_vps->endpoint->first,
				place_text(wg1->file, to_vps->endpoint.line)),
		    fmt::format("Endpoint = {}", host_port(to_vps->endpoint->first, port)));
}

/* Of what DNS has; the rest are domains to be searched. */
static std::vector<Address> addresses_in(std::string_view text)
{
	std::vector<Address> addresses;

	while (!text.empty()) {
		const std::size_t end = std::min(text.find_first_of(", \t"), text.size());

		if (const auto address = Address::from_text(text.substr(0, end)))
			addresses.push_back(*address);
		text.remove_prefix(std::min(end + 1, text.size()));
	}
	return addresses;
}

/* A private address is at home, where only what is allowed gets; and into the tunnel, only of a family that the client has. */
void Checker::check_client_dns(const Side &side, const SidePeer &peer, const Address &address,
			       unsigned int line)
{
	const bool is_inside =
		contains(peer.allowed.value.value_or(std::vector<Prefix>()), address);

	if (!is_inside && is_private(address))
		add(side.file, line,
		    fmt::format(
			    "It asks {} for names, which is not in AllowedIPs: it gets no answers",
			    address.text()),
		    fmt::format("add {} to AllowedIPs", single(address).text()));
	if (is_inside && side.addresses && !has_family(*side.addresses, address.family))
		add(side.file, line,
		    fmt::format("It asks {} for names, inside the tunnel, and has no Address of {}: "
				"it gets no answers",
				address.text(), family_name(address.family)),
		    "ask one of the other address family");
}

/* What a client says of the home. */
void Checker::check_client_peer(const ClientSide &client, const SidePeer &peer)
{
	const Side &side = client.side;
	const auto allowed = peer.allowed.value.value_or(std::vector<Prefix>());
	const SidePeer *at_home =
		wg0 && side.private_key ? wg0->peer(side.private_key->public_key()) : nullptr;

	if (wg0 && wg0->private_key && peer.public_key &&
	    *peer.public_key != wg0->private_key->public_key())
		add(side.file, peer.public_key.line,
		    fmt::format("PublicKey is not that of the home's wg0, {}", wg0->file),
		    fmt::format("PublicKey = {}", wg0->private_key->public_key().base64()));
	if (at_home && at_home->preshared_key.value.value_or(Key()) !=
			       peer.preshared_key.value.value_or(Key()))
		add(side.file, peer.preshared_key.line,
		    fmt::format("The preshared key is not that of {}",
				place_text(wg0->file, at_home->preshared_key.line)),
		    "both have the same one, or none");
	if (peer.endpoint)
		check_client_endpoint(side, peer);
	else
		add(side.file, peer.line, "[Peer] has no Endpoint",
		    "Endpoint = HOST:PORT of the relay");
	for (const auto &entry : side.dns) {
		for (const auto &address : addresses_in(*entry))
			check_client_dns(side, peer, address, entry.line);
	}
	if (!peer.keepalive || !*peer.keepalive)
		add(side.file, peer.keepalive.line,
		    "A client is mostly behind NAT, and has no keepalive: the home cannot reach it once "
		    "the NAT forgets",
		    fmt::format("PersistentKeepalive = {}", keepalive));
	if (wg0 && wg0->addresses) {
		for (const auto &address : *wg0->addresses) {
			if (!contains(allowed, address.address))
				add(side.file, peer.allowed.line ? peer.allowed.line : peer.line,
				    fmt::format("The home's address {} is not in AllowedIPs",
						address.address.text()),
				    fmt::format("add {}",
						Prefix{ address.address.masked(address.length),
							address.length }
							.text()));
		}
	}
	/* wg-quick(8) and the apps know of /0 alone that the endpoint has to stay outside. */
	const auto endpoint = peer.endpoint ? Address::from_text(peer.endpoint->first) :
					      std::nullopt;
	for (const auto &prefix : allowed) {
		if (endpoint && prefix.length && contains(prefix, *endpoint))
			add(side.file, peer.allowed.line,
			    fmt::format(
				    "The VPS, {}, is in {}: its packets would go into the tunnel "
				    "that they carry",
				    endpoint->text(), prefix.text()),
			    "take that out, or take 0.0.0.0/0, ::/0");
	}
}

void Checker::check_client(const ClientSide &client)
{
	const Side &side = client.side;
	const SidePeer *at_home = nullptr;

	if (wg0 && side.private_key) {
		const Key key = side.private_key->public_key();

		at_home = wg0->peer(key);
		if (!at_home)
			add(side.file, side.private_key.line,
			    fmt::format("The home does not know it: no [Peer] of {} has its key",
					wg0->file),
			    fmt::format("there: PublicKey = {}", key.base64()));
	}
	if (!side.addresses)
		add(side.file, side.line, "[Interface] has no Address",
		    "Address = ADDR in the network of wg0");
	for (const auto &address : side.addresses.value.value_or(std::vector<Prefix>())) {
		if (at_home && at_home->allowed && !contains(*at_home->allowed, address.address))
			add(side.file, side.addresses.line,
			    fmt::format("{} is not in AllowedIPs of its [Peer] at home ({})",
					address.address.text(),
					place_text(wg0->file, at_home->allowed.line)),
			    fmt::format("there: AllowedIPs = {}", single(address.address).text()));
		if (wg0 && wg0->addresses &&
		    std::ranges::none_of(*wg0->addresses, [&address](const Prefix &own) {
			    return contains({ own.address.masked(own.length), own.length },
					    address.address);
		    }))
			add(side.file, side.addresses.line,
			    fmt::format("{} is not in the network of wg0 ({})",
					address.address.text(),
					place_text(wg0->file, wg0->addresses.line)),
			    "take a free one of it, here and in AllowedIPs at home");
	}
	if (!side.mtu)
		add(side.file, side.line,
		    "[Interface] has no MTU: most take 1420, which does not fit",
		    wg0 && wg0->mtu ? fmt::format("MTU = {}", *wg0->mtu) : "MTU = that of wg0");
	else if (wg0 && wg0->mtu && *side.mtu != *wg0->mtu)
		add(side.file, side.mtu.line,
		    fmt::format("wg0 has MTU {} here and {} at home ({})", *side.mtu, *wg0->mtu,
				place_text(wg0->file, wg0->mtu.line)),
		    fmt::format("MTU = {}", *wg0->mtu));
	if (side.peers.size() != 1)
		add(side.file, side.line,
		    fmt::format("There are {} sections [Peer], not 1", side.peers.size()),
		    "a client's only peer is the home");
	else
		check_client_peer(client, side.peers[0]);
	check_qr(client);
}

void Checker::check_qr(const ClientSide &client)
{
	const auto name = path(fmt::format("clients/{}.png", client.name));
	const auto remedy = fmt::format("nwgctl chain qr {} {} png", directory, client.name);
	auto text = config::read_file(client.side.file);

	if (!text)
		return;
	const auto wanted = encode_qr({ text.value().data(), text.value().size() });
	if (!wanted)
		return;
	const auto found = read_qr_png(name);
	if (!found)
		add(name, 0, "The QR code is missing, or no image", remedy);
	else if (found.value() != wanted.value())
		add(name, 0, fmt::format("The QR code is not that of {}", client.side.file),
		    remedy);
}

} // namespace nwgctl::chain
