// SPDX-License-Identifier: GPL-2.0
#include "check.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <map>
#include <tuple>

#include <fmt/format.h>
#include <sys/stat.h>

#include "../config/value.hpp"
#include "network.hpp"
#include "notes.hpp"
#include "plan.hpp"
#include "qr.hpp"
#include "side.hpp"

namespace nwgctl::chain
{

static const char *ip_name(uint16_t family)
{
	return family == AF_INET ? "IPv4" : "IPv6";
}

class Checker {
    public:
	explicit Checker(std::string directory)
		: directory(std::move(directory))
	{
	}

	Result<std::vector<Finding>> run();

    private:
	struct ClientSide {
		std::string name;
		Side side;
	};

	void add(const std::string &file, unsigned int line, std::string what, std::string remedy)
	{
		findings.push_back({ file, line, std::move(what), std::move(remedy) });
	}
	std::string path(const std::string &name) const
	{
		return fmt::format("{}/{}", directory, name);
	}

	void check_modes();
	std::optional<SecretText> read(const std::string &name);
	std::optional<Side> read_tunnel(const std::string &name, bool relays);
	void read_clients();

	void check_keys();
	void check_peer_key(const Side &here, const Side &there, const char *whose);
	void check_wg1();
	void check_relay(const SideRelay &relay);
	void check_relay_source(const SideRelay &relay);
	void check_ports();
	void check_networks();
	void check_home_peers();
	void check_mtu();
	void check_client(const ClientSide &client);
	void check_client_peer(const ClientSide &client, const SidePeer &peer);
	void check_qr(const ClientSide &client);
	void check_notes();
	void check_routeros();
	void check_routeros_tunnel(const std::vector<RouterCommand> &commands, const Side &side,
				   const std::string &interface);
	void check_routeros_peers(const std::vector<RouterCommand> &commands, const Side &side,
				  const std::string &interface);

	const std::string directory;
	std::vector<Finding> findings;
	std::optional<Side> vps, wg1, wg0;
	std::vector<ClientSide> clients;
};

/* Who may read a key that is in a file of theirs is nobody else. */
void Checker::check_modes()
{
	const auto check = [this](const std::string &name) {
		struct stat found;

		if (stat(name.c_str(), &found) || !(found.st_mode & (S_IRWXG | S_IRWXO)))
			return;
		const bool is_directory = S_ISDIR(found.st_mode);
		add(name, 0,
		    fmt::format("Others may access it: its mode is {:04o}", found.st_mode & 07777u),
		    fmt::format("chmod {} {}", is_directory ? "700" : "600", name));
	};
	std::error_code error;

	check(directory);
	for (const auto &entry : std::filesystem::recursive_directory_iterator(directory, error))
		check(entry.path().string());
}

std::optional<SecretText> Checker::read(const std::string &name)
{
	auto text = config::read_file(path(name));

	if (text)
		return text.take();
	add(path(name), 0, text.error().what, "put it back from a copy, or make a new chain");
	return std::nullopt;
}

std::optional<Side> Checker::read_tunnel(const std::string &name, bool relays)
{
	const auto text = read(name);

	if (!text)
		return std::nullopt;
	return read_side(parse_conf({ text->data(), text->size() }, path(name)), relays,
			 [&](unsigned int line, const std::string &what,
			     const std::string &remedy) { add(path(name), line, what, remedy); });
}

void Checker::read_clients()
{
	std::vector<std::string> names;
	std::error_code error;

	for (const auto &entry : std::filesystem::directory_iterator(path("clients"), error)) {
		if (entry.path().extension() == ".conf" &&
		    !entry.path().filename().string().starts_with('.'))
			names.push_back(entry.path().stem().string());
	}
	if (error)
		add(path("clients"), 0, fmt::format("Unable to read it: {}", error.message()),
		    "put it back from a copy");
	std::ranges::sort(names);
	for (const auto &name : names) {
		if (auto side = read_tunnel(fmt::format("clients/{}.conf", name), false))
			clients.push_back({ name, std::move(*side) });
	}
}

/* No two ends have the same private key: each would take the other's packets. */
void Checker::check_keys()
{
	std::map<Key, const Side *> owners;
	const auto check = [&](const Side &side) {
		if (!side.private_key)
			return;
		const auto [owner, added] = owners.emplace(*side.private_key, &side);
		if (!added)
			add(side.file, side.private_key.line,
			    fmt::format("The private key is that of {}, too", owner->second->file),
			    "give one of them a key of its own: nwgctl genkey");
	};

	for (const auto *side : { &vps, &wg1, &wg0 }) {
		if (*side)
			check(**side);
	}
	for (const auto &client : clients)
		check(client.side);
}

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
		    fmt::format("The preshared key is not that of {}:{}", vps->file,
				to_home->preshared_key.line),
		    "both have the same one, or none");
	if (!to_vps)
		return;
	if (!to_vps->endpoint)
		add(wg1->file, to_vps->line, "The home does not dial: its [Peer] has no Endpoint",
		    "Endpoint = HOST:PORT of the VPS' wg1");
	else if (vps->port && to_vps->endpoint->second != *vps->port)
		add(wg1->file, to_vps->endpoint.line,
		    fmt::format("The home dials port {}, and the VPS' wg1 listens on {} ({}:{})",
				to_vps->endpoint->second, *vps->port, vps->file, vps->port.line),
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

void Checker::check_relay_source(const SideRelay &relay)
{
	const SidePeer *to_vps =
		wg1 && vps->private_key ? wg1->peer(vps->private_key->public_key()) : nullptr;
	const uint16_t family = relay.to->address->family;

	if (!relay.source || relay.source->kind == NWG_SOURCE_MASQUERADE)
		return;
	if (relay.source->pool && relay.source->pool->address.family != family)
		add(vps->file, relay.source.line,
		    fmt::format("The pool {} is not of the inner endpoint's address family",
				relay.source->pool->text()),
		    fmt::format("take a prefix of {}", ip_name(family)));
	const Prefix wanted = relay.source->pool.value_or(everything(family));
	if (to_vps && to_vps->allowed &&
	    std::ranges::none_of(*to_vps->allowed, [&wanted](const Prefix &prefix) {
		    return prefix.length <= wanted.length && overlap(prefix, wanted);
	    }))
		add(wg1->file, to_vps->allowed.line,
		    fmt::format("AllowedIPs of the VPS lacks {}, which clients come from "
				"(`Source', {}:{})",
				wanted.text(), vps->file, relay.source.line),
		    fmt::format("add {}", wanted.text()));
	if (relay.source->kind == NWG_SOURCE_TRANSPARENT && wg0 && !(wg0->mark && *wg0->mark))
		add(wg0->file, wg0->mark.line,
		    "Clients' own addresses are wg0's to answer by wg1, and it has no mark to send them "
		    "there by",
		    fmt::format(
			    "FwMark = {:#x}, and in wg1.conf the rule for it: README of nwg, `Who a "
			    "client is to the home'",
			    transparent_mark));
}

void Checker::check_relay(const SideRelay &relay)
{
	const SidePeer *peer = relay.peer ? vps->peer(*relay.peer) : nullptr;

	if (relay.peer && !peer)
		add(vps->file, relay.peer.line, "Peer is the key of no [Peer] of this file",
		    "it is the home's: the PublicKey of its [Peer]");
	if (!relay.to)
		return;
	const Address to = *relay.to->address;
	if (peer && !contains(peer->allowed.value.value_or(std::vector<Prefix>()), to))
		add(vps->file, relay.to.line,
		    fmt::format("The inner endpoint {} is not in AllowedIPs of its [Peer] (line {})",
				to.text(), peer->line),
		    fmt::format("there: AllowedIPs = {}", single(to).text()));
	if (wg1 && wg1->addresses &&
	    std::ranges::find(*wg1->addresses, to, &Prefix::address) == wg1->addresses->end())
		add(vps->file, relay.to.line,
		    fmt::format("The inner endpoint {} is no Address of the home ({}:{})",
				to.text(), wg1->file, wg1->addresses.line),
		    fmt::format("To = the home's address in wg1, port of its wg0"));
	if (wg0 && wg0->port && relay.to->port != *wg0->port)
		add(vps->file, relay.to.line,
		    fmt::format("The inner endpoint has port {}, and the home's wg0 listens on {} "
				"({}:{})",
				relay.to->port, *wg0->port, wg0->file, wg0->port.line),
		    fmt::format("To = {}", host_port(to.text(), *wg0->port)));
	if (wg0 && !wg0->port)
		add(wg0->file, wg0->line, "The home's wg0 has no ListenPort: it takes any",
		    fmt::format("ListenPort = {}", relay.to->port));
	if (!relay.responder)
		add(vps->file, relay.responder.line,
		    "Without a ResponderKey everybody's handshakes go to the home",
		    "ResponderKey = public key of the home's wg0");
	else if (wg0 && wg0->private_key && *relay.responder != wg0->private_key->public_key())
		add(vps->file, relay.responder.line,
		    fmt::format("ResponderKey is not that of {}: no client would get through",
				wg0->file),
		    fmt::format("ResponderKey = {}", wg0->private_key->public_key().base64()));
	check_relay_source(relay);
}

void Checker::check_ports()
{
	if (vps && !vps->port)
		add(vps->file, vps->line, "wg1 has no ListenPort: the home cannot know where it is",
		    "ListenPort = PORT that the home dials");
	if (vps && vps->relays.empty())
		add(vps->file, 0, "There is no [Relay]", "it leads clients to the home");
	for (std::size_t a = 0; vps && a < vps->relays.size(); a++) {
		const auto &listen = vps->relays[a].listen;

		if (!listen)
			continue;
		if (vps->port && listen->port == *vps->port)
			add(vps->file, listen.line,
			    fmt::format("wg1 has port {}, too (line {})", listen->port,
					vps->port.line),
			    "give one of them another, and change it where clients or the home have it");
		for (std::size_t b = 0; b < a; b++) {
			if (vps->relays[b].listen && *vps->relays[b].listen == *listen)
				add(vps->file, listen.line,
				    fmt::format("Another relay listens there (line {})",
						vps->relays[b].listen.line),
				    "give one of them another port");
		}
	}
	if (wg0 && wg1 && wg0->port && wg1->port && *wg0->port == *wg1->port)
		add(wg1->file, wg1->port.line,
		    fmt::format("The home's wg0 has port {}, too ({}:{})", *wg1->port, wg0->file,
				wg0->port.line),
		    "take ListenPort out: who dials needs none");
}

/* Networks, as the interfaces' addresses and clients' allowed IPs say them. */
void Checker::check_networks()
{
	struct Network {
		Prefix prefix;
		const char *name;
		const Side *side;
		unsigned int line;
	};
	std::vector<Network> networks;
	const auto collect = [&networks](const std::optional<Side> &side, const char *name) {
		if (!side || !side->addresses)
			return;
		for (const auto &prefix : *side->addresses)
			networks.push_back(
				{ { prefix.address.masked(prefix.length), prefix.length },
				  name,
				  &*side,
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
	for (std::size_t a = 0; a < networks.size(); a++) {
		for (std::size_t b = 0; b < a; b++) {
			if (networks[a].side != networks[b].side &&
			    overlap(networks[a].prefix, networks[b].prefix))
				add(networks[a].side->file, networks[a].line,
				    fmt::format("{} of {} and {} of {} overlap ({}:{})",
						networks[a].prefix.text(), networks[a].name,
						networks[b].prefix.text(), networks[b].name,
						networks[b].side->file, networks[b].line),
				    "give each a network of its own");
		}
	}
	/* Relays' pools are routed into wg1. */
	for (const auto &relay : vps ? vps->relays : std::vector<SideRelay>()) {
		for (const auto &network : networks) {
			if (relay.source && relay.source->pool &&
			    overlap(*relay.source->pool, network.prefix))
				add(vps->file, relay.source.line,
				    fmt::format("The pool {} and {} of {} overlap ({}:{})",
						relay.source->pool->text(), network.prefix.text(),
						network.name, network.side->file, network.line),
				    "give it a prefix of its own");
		}
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
		    fmt::format("wg1 has MTU {} here and {} on the VPS ({}:{})", *wg1->mtu,
				*vps->mtu, vps->file, vps->mtu.line),
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
	for (const auto &relay : vps ? vps->relays : std::vector<SideRelay>()) {
		if (!relay.to || !vps->mtu || !wg0 || !wg0->mtu)
			continue;
		const uint16_t family = relay.to->address->family;
		const uint32_t fits = inner_mtu(*vps->mtu, family);
		if (*wg0->mtu > fits)
			add(wg0->file, wg0->mtu.line,
			    fmt::format(
				    "With MTU {} wg0 sends {} bytes into wg1, which takes {} ({}:{})",
				    *wg0->mtu, carrier_size(*wg0->mtu, *wg0->mtu, family),
				    *vps->mtu, vps->file, vps->mtu.line),
			    fmt::format("MTU = {}, here and at clients", fits));
	}
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
		    fmt::format("The preshared key is not that of {}:{}", wg0->file,
				at_home->preshared_key.line),
		    "both have the same one, or none");
	if (!peer.endpoint)
		add(side.file, peer.line, "[Peer] has no Endpoint",
		    "Endpoint = HOST:PORT of the relay");
	else if (vps && !vps->relays.empty() &&
		 std::ranges::none_of(vps->relays, [&peer](const SideRelay &relay) {
			 return !relay.listen || relay.listen->port == peer.endpoint->second;
		 }))
		add(side.file, peer.endpoint.line,
		    fmt::format("No relay listens on port {} ({}:{})", peer.endpoint->second,
				vps->file, vps->relays[0].line),
		    fmt::format("Endpoint = {}",
				host_port(peer.endpoint->first, vps->relays[0].listen->port)));
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
			    fmt::format("{} is not in AllowedIPs of its [Peer] at home ({}:{})",
					address.address.text(), wg0->file, at_home->allowed.line),
			    fmt::format("there: AllowedIPs = {}", single(address.address).text()));
		if (wg0 && wg0->addresses &&
		    std::ranges::none_of(*wg0->addresses, [&address](const Prefix &own) {
			    return contains({ own.address.masked(own.length), own.length },
					    address.address);
		    }))
			add(side.file, side.addresses.line,
			    fmt::format("{} is not in the network of wg0 ({}:{})",
					address.address.text(), wg0->file, wg0->addresses.line),
			    "take a free one of it, here and in AllowedIPs at home");
	}
	if (!side.mtu)
		add(side.file, side.line,
		    "[Interface] has no MTU: most take 1420, which does not fit",
		    wg0 && wg0->mtu ? fmt::format("MTU = {}", *wg0->mtu) : "MTU = that of wg0");
	else if (wg0 && wg0->mtu && *side.mtu != *wg0->mtu)
		add(side.file, side.mtu.line,
		    fmt::format("wg0 has MTU {} here and {} at home ({}:{})", *side.mtu, *wg0->mtu,
				wg0->file, wg0->mtu.line),
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

void Checker::check_notes()
{
	const auto text = read(notes_name);

	if (!text)
		return;
	/* The finding names the file already. */
	const auto notes = parse_notes({ text->data(), text->size() }, notes_name);
	if (!notes)
		return add(path(notes_name), 0, notes.error().what, notes.error().hint);
	uint32_t highest = 0;
	for (const auto &peer : wg0 ? wg0->peers : std::vector<SidePeer>()) {
		for (const auto &prefix : peer.allowed.value.value_or(std::vector<Prefix>())) {
			for (const auto &own : wg0->addresses.value.value_or(std::vector<Prefix>()))
				highest = std::max(
					highest,
					host_number({ own.address.masked(own.length), own.length },
						    prefix.address));
		}
	}
	if (notes.value().last_host < highest)
		add(path(notes_name), 0,
		    fmt::format(
			    "`last_host' is {}, and host {} is in use: its address would be given again",
			    notes.value().last_host, highest),
		    fmt::format("\"last_host\": {}", highest));
}

void Checker::check_routeros_tunnel(const std::vector<RouterCommand> &commands, const Side &side,
				    const std::string &interface)
{
	const auto file = path("home/mt.rsc");
	const auto found = std::ranges::find_if(commands, [&](const RouterCommand &command) {
		return command.path == "/interface/wireguard/add" &&
		       command.value("name") == interface;
	});

	if (found == commands.end())
		return add(file, 0, fmt::format("No command makes {}", interface),
			   fmt::format("/interface/wireguard/add name={} ...", interface));
	if (side.private_key && found->value("private-key") != side.private_key->base64())
		add(file, found->line, fmt::format("The private key is not that of {}", side.file),
		    "one home has one key: take it from there");
	if (side.mtu && found->value("mtu") != fmt::format("{}", *side.mtu))
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
				   command.value("address") == address.text();
		    }))
			add(file, found->line,
			    fmt::format("{} does not get the address {} ({}:{})", interface,
					address.text(), side.file, side.addresses.line),
			    fmt::format("/ip{}/address/add address={} interface={}",
					address.address.family == AF_INET ? "" : "v6",
					address.text(), interface));
	}
}

void Checker::check_routeros_peers(const std::vector<RouterCommand> &commands, const Side &side,
				   const std::string &interface)
{
	const auto file = path("home/mt.rsc");

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
		auto allowed = parse_addresses(found->value("allowed-address"));
		if (peer.allowed && (!allowed || allowed.value() != *peer.allowed))
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
	const auto text = read("home/mt.rsc");

	if (!text)
		return;
	const auto commands = parse_routeros({ text->data(), text->size() });
	if (wg1) {
		check_routeros_tunnel(commands, *wg1, "wg1");
		check_routeros_peers(commands, *wg1, "wg1");
	}
	if (wg0) {
		check_routeros_tunnel(commands, *wg0, "wg0");
		check_routeros_peers(commands, *wg0, "wg0");
	}
}

Result<std::vector<Finding>> Checker::run()
{
	struct stat found;

	if (stat(directory.c_str(), &found))
		return usage_error(fmt::format("Unable to read `{}': {}", directory,
					       strerror(errno)),
				   errno == ENOENT ? "make a chain: nwgctl chain new DIR" : "");
	if (!S_ISDIR(found.st_mode))
		return usage_error(fmt::format("`{}' is no directory", directory),
				   "name the one that nwgctl chain new made");
	check_modes();
	vps = read_tunnel("vps/wg1.conf", true);
	wg1 = read_tunnel("home/wg1.conf", false);
	wg0 = read_tunnel("home/wg0.conf", false);
	read_clients();
	check_keys();
	check_wg1();
	for (const auto &relay : vps ? vps->relays : std::vector<SideRelay>())
		check_relay(relay);
	check_ports();
	check_networks();
	check_home_peers();
	check_mtu();
	for (const auto &client : clients)
		check_client(client);
	check_notes();
	check_routeros();
	std::ranges::stable_sort(findings, {}, [](const Finding &finding) {
		return std::tie(finding.file, finding.line);
	});
	return std::move(findings);
}

Result<std::vector<Finding>> check_directory(const std::string &directory)
{
	return Checker(directory).run();
}

} // namespace nwgctl::chain
