// SPDX-License-Identifier: GPL-2.0
/* What is wrong with what was taken in. */
#include "finding.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <linux/if.h>

#include "../chain/network.hpp"
#include "../render/quantity.hpp"

namespace nwgctl::diagnosis
{

/* When this was written: no clock that is right is before. */
static constexpr time_t earliest = 1764547200;

std::vector<Finding> check_module(const Machine &machine)
{
	std::vector<Finding> findings;

	if (!machine.has_module)
		findings.push_back(
			{ "no-module", "",
			  fmt::format(
				  "The module nwg is not loaded{}",
				  machine.has_stock_module ?
					  "; the stock module wireguard is, which has no relays" :
					  ""),
			  machine.has_stock_module ?
				  "modprobe nwg. With drop_in=1 that loads nothing while the stock "
				  "module is there: then modprobe -r wireguard first, which takes all "
				  "its interfaces away; see `In place of the stock module' in the "
				  "README. If there is none for this kernel, see dkms status" :
				  "modprobe nwg; if there is none for this kernel, see dkms status" });
	if (!machine.unwatched.empty())
		findings.push_back(
			{ "not-watched", "",
			  fmt::format("Why packets were dropped was not seen: {}",
				      machine.unwatched),
			  "be root, and see that tracefs is there: mount -t tracefs tracefs "
			  "/sys/kernel/tracing",
			  true });
	if (machine.now < earliest)
		findings.push_back(
			{ "clock", "",
			  "The clock is wrong: handshakes have its time in them, and a peer that has "
			  "seen a later one takes none of these",
			  "set it, or wait for NTP: timedatectl" });
	return findings;
}

/* What a reason of dropped packets tells. */
struct Symptom {
	const char *reason, *id, *what, *remedy;
};

static constexpr std::array symptoms = {
	Symptom{ "WRONG_MAC1", "wrong-public-key",
		 "handshakes come that were made for another public key than this interface's",
		 "at who dials in, PublicKey is to be {public}" },
	Symptom{ "UNKNOWN_PEER", "unknown-peer", "somebody dials in whose key is no peer's",
		 "add the peer: nwgctl set {name} peer KEY allowed-ips PREFIX" },
	Symptom{
		"OLD_TIMESTAMP", "old-time-stamp",
		"a peer's handshakes are refused, as they are not later than its last: its clock was "
		"set back, or two machines have its key",
		"set the clock there; or here remove the peer, and add it again" },
	Symptom{ "NOT_AUTHENTIC", "not-authentic", "messages come that do not decrypt",
		 "compare PresharedKey at both ends" },
	Symptom{ "NO_PRIVATE_KEY", "no-private-key", "messages come, and there is no private key",
		 "set it: nwgctl set {name} private-key FILE" },
	Symptom{ "NO_PEER", "no-peer-for", "packets go to where no peer's allowed IPs lead",
		 "add the destination to those of a peer, or take the route away" },
	Symptom{ "NO_ENDPOINT", "no-endpoint",
		 "packets wait for a peer of which no endpoint is known",
		 "it has to dial in first; or set its endpoint" },
	Symptom{ "INNER_SOURCE", "inner-source",
		 "a peer sends from addresses that are not in its allowed IPs",
		 "add them, if they may be there: nwgctl set {name} peer KEY allowed-ips ..." },
	Symptom{ "ROUTING_LOOP", "routing-loop",
		 "the route to a peer's endpoint leads into the tunnel",
		 "give the endpoint a route of its own, or the interface a fwmark with a rule" },
};

/* Replaces each {word}. */
static std::string filled(std::string text, const Device &device)
{
	const std::pair<std::string, std::string> words[] = {
		{ "{name}", device.name },
		{ "{public}", device.public_key ? device.public_key->base64() : "?" },
	};

	for (const auto &[word, value] : words) {
		const auto at = text.find(word);

		if (at != text.npos)
			text.replace(at, word.size(), value);
	}
	return text;
}

static void check_mtu(const Interface &interface, const Peer &peer, std::vector<Finding> &findings)
{
	const auto way = netlink::path_mtu(peer.endpoint->address(), interface.after.fwmark);

	if (!way)
		return;
	if (!way.value()) {
		findings.push_back(
			{ "unreachable", interface.link.name,
			  fmt::format("There is no route to {}, the endpoint of peer {}",
				      peer.endpoint->text(), peer.public_key.base64()),
			  fmt::format("see: ip route get {}", peer.endpoint->address().text()) });
		return;
	}
	const uint32_t fits = chain::inner_mtu(*way.value(), peer.endpoint->address().family);
	if (interface.link.mtu > fits)
		findings.push_back(
			{ "mtu", interface.link.name,
			  fmt::format(
				  "An MTU of {} is too large for the way to {}: packets are sent "
				  "in fragments, which many firewalls drop",
				  interface.link.mtu, peer.endpoint->text()),
			  fmt::format("ip link set {} mtu {}", interface.link.name, fits) });
}

/* Why a peer does not answer, if it should. Its own keepalive is not known here. */
static void check_peer(const Machine &machine, const Interface &interface, const Peer &peer,
		       std::vector<Finding> &findings)
{
	const auto &name = interface.link.name;
	const auto before =
		std::ranges::find(interface.before.peers, peer.public_key, &Peer::public_key);
	const bool is_new = before == interface.before.peers.end();
	const bool relayed = is_relayed(machine, interface, peer);
	const bool never = !peer.last_handshake.tv_sec;
	const time_t age = machine.now - peer.last_handshake.tv_sec;
	const auto key = peer.public_key.base64();

	if (!peer.endpoint) {
		if (relayed)
			findings.push_back(
				{ "not-dialled-in", name,
				  fmt::format("Peer {} has not dialled in since {} is up", key,
					      name),
				  "there, the endpoint is to be this machine, with a persistent "
				  "keepalive; and here the port is to be open for UDP" });
		return;
	}
	check_mtu(interface, peer, findings);
	if (has_session(machine, peer) || (!is_new && before->rx_bytes != peer.rx_bytes))
		return;
	/* Something is sent, and be it initiations. */
	const bool wanted = peer.keepalive || (never && peer.tx_bytes) ||
			    (!is_new && before->tx_bytes != peer.tx_bytes);
	const auto since = never ? std::string("never answered") :
				   fmt::format("has not answered for {}",
					       render::duration(static_cast<uint64_t>(age),
								render::Palette(false)));
	if (wanted)
		findings.push_back(
			{ "no-answer", name,
			  fmt::format("Peer {} at {} {}", key, peer.endpoint->text(), since),
			  "see there whether WireGuard runs, the port is open for UDP, and each end "
			  "has the other's public key; and that way and back no firewall drops it" });
	else if (relayed)
		findings.push_back(
			{ "quiet", name,
			  fmt::format("Peer {} at {} {}, and nothing is sent to it", key,
				      peer.endpoint->text(), since),
			  "that is right if it has no persistent keepalive; with one of 25 s, its "
			  "line or its WireGuard is down",
			  true });
}

std::vector<Finding> check_interfaces(const Machine &machine)
{
	std::vector<Finding> findings;

	for (const auto &interface : machine.interfaces) {
		const auto &name = interface.link.name;

		if (!interface.link.up)
			findings.push_back({ "down", name, fmt::format("{} is down", name),
					     fmt::format("ip link set {} up", name) });
		if (!interface.after.private_key && !interface.after.public_key)
			findings.push_back({ "no-private-key", name,
					     fmt::format("{} has no private key", name),
					     fmt::format("nwgctl set {} private-key FILE", name) });
		for (const auto &symptom : symptoms) {
			const auto seen = interface.drops.find(symptom.reason);

			if (seen == interface.drops.end())
				continue;
			findings.push_back({ symptom.id, name,
					     fmt::format("On {}, {} ({})", name, symptom.what,
							 render::count(seen->second, "packet")),
					     filled(symptom.remedy, interface.after) });
		}
		if (!interface.link.up)
			continue;
		for (const auto &peer : interface.after.peers)
			check_peer(machine, interface, peer, findings);
	}
	return findings;
}

static void check_flows(const Machine &machine, const netlink::Relay &relay,
			const std::string &where, std::vector<Finding> &findings)
{
	bool established = false, fresh = false;

	for (const auto &flow : machine.flows) {
		if (flow.listen != relay.listen || flow.interface != relay.interface)
			continue;
		established |= flow.state == NWG_FLOW_ESTABLISHED;
		/* The second attempt comes after five seconds, and is answered at once. */
		fresh |= flow.state == NWG_FLOW_NEW && flow.age > 2000;
		if (flow.mtu)
			findings.push_back(
				{ "inner-mtu", where,
				  fmt::format(
					  "What {} and the home send each other is too large for "
					  "the tunnel, and goes in fragments",
					  flow.client.text()),
				  fmt::format("at both ends of that tunnel: MTU = {}",
					      *flow.mtu) });
	}
	if (fresh && !established)
		findings.push_back(
			{ "home-silent", where,
			  fmt::format("Clients initiate, and nothing answers at {}",
				      relay.to.text()),
			  "at home, WireGuard is to listen there, with the clients as peers; and its "
			  "firewall is to let it in from the tunnel" });
}

/* How many packets were dropped while somebody watched: before, something may have been wrong that is not any more. */
static uint64_t dropped(const Machine &machine, const netlink::Relay &relay, std::size_t reason)
{
	const auto before = std::ranges::find_if(machine.relays_before, [&](const auto &other) {
		return other.interface == relay.interface && other.listen == relay.listen;
	});
	const uint64_t now = relay.forward_drops[reason];

	if (before == machine.relays_before.end() || before->forward_drops[reason] > now)
		return now;
	return now - before->forward_drops[reason];
}

static Finding no_address(const netlink::Relay &relay, const std::string &where)
{
	if (relay.source.pool)
		return { "no-address", where,
			 fmt::format("The pool {} is used up", relay.source.pool->text()),
			 fmt::format("nwgctl relay set listen {} source pool PREFIX, with a larger "
				     "one, which the home allows and routes",
				     relay.listen.words()) };
	return { "no-address", where,
		 fmt::format("{} has no address of the family of {}", relay.interface,
			     relay.to.text()),
		 fmt::format("ip address add ADDR/LENGTH dev {}", relay.interface) };
}

std::vector<Finding> check_relays(const Machine &machine)
{
	std::vector<Finding> findings;

	for (const auto &relay : machine.relays) {
		const auto where = fmt::format("relay {}", relay.listen.text());
		const auto listen = relay.listen.words();
		const auto wrong = dropped(machine, relay, NWG_DROP_MAC1);

		if (relay.peer_present == false)
			findings.push_back(
				{ "no-peer", where,
				  fmt::format("{} does not have the peer {}", relay.interface,
					      relay.peer.base64()),
				  fmt::format("add it: nwgctl set {} peer KEY allowed-ips ...; or "
					      "nwgctl relay set listen {} peer KEY",
					      relay.interface, listen) });
		if (relay.pressed)
			findings.push_back(
				{ "pressed", where,
				  "It is under pressure: many strangers initiate at once, or it is "
				  "nearly full; who is new has to show a cookie, which takes five "
				  "seconds",
				  "nothing is to be done in a flood; if it is never over, raise "
				  "max-flows" });
		if (wrong && !relay.flows_established)
			findings.push_back(
				{ "wrong-responder", where,
				  fmt::format("{} were not made for the responder {}",
					      render::count(wrong, "handshake"),
					      relay.responder ? relay.responder->base64() : ""),
				  "compare it with PublicKey of the clients and the key of the home's "
				  "inner WireGuard" });
		if (dropped(machine, relay, NWG_DROP_NO_ADDRESS))
			findings.push_back(no_address(relay, where));
		if (!relay.responder)
			findings.push_back(
				{ "no-responder", where,
				  "Whatever looks like WireGuard reaches the home, as it does not know "
				  "the inner WireGuard's public key",
				  fmt::format("nwgctl relay set listen {} responder KEY",
					      listen) });
		check_flows(machine, relay, where, findings);
	}
	/* A relay needs it no more. Who routes for others knows. */
	if (!machine.relays.empty() && (machine.forwards_v4 || machine.forwards_v6))
		findings.push_back(
			{ "forwarding", "",
			  fmt::format("The machine forwards {}, which no relay needs",
				      !machine.forwards_v6 ? "IPv4" :
				      !machine.forwards_v4 ? "IPv6" :
							     "IPv4 and IPv6"),
			  "unless it routes for others, as for containers: sysctl -w "
			  "net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0, and take it out of "
			  "/etc/sysctl.d",
			  true });
	return findings;
}

std::vector<Finding> check_files(const Machine &machine)
{
	std::vector<Finding> findings;

	for (const auto &error : machine.broken_files)
		findings.push_back({ "file", "", error.what,
				     error.hint.empty() ? "see nwg.conf(5)" : error.hint });
	for (const auto &file : machine.files) {
		const auto interface =
			std::ranges::find_if(machine.interfaces, [&](const Interface &other) {
				return other.link.name == file.interface;
			});
		const bool is_up = interface != machine.interfaces.end();
		const bool is_ours = file.path.starts_with("/etc/nwg/");

		/* Relays there are none then; that is said once. */
		if (is_up && interface->link.kind != file.kind &&
		    (is_ours || !file.relays.empty())) {
			findings.push_back(
				{ "other-kind", file.interface,
				  fmt::format("{} is of kind {}, and {} says {}", file.interface,
					      interface->link.kind, file.path, file.kind),
				  fmt::format("have nothing else make it at boot, as systemctl "
					      "disable wg-quick@{0}; then ip link del {0} && nwgctl "
					      "up {0}",
					      file.interface) });
			continue;
		}
		if (!is_up && is_ours)
			findings.push_back({ "not-up", file.interface,
					     fmt::format("{} is there, and {} is not up", file.path,
							 file.interface),
					     fmt::format("nwgctl up {}", file.interface) });
		for (const auto &[relay, line] : file.relays) {
			const bool is_there =
				std::ranges::any_of(machine.relays, [&](const auto &other) {
					return other.listen == relay.listen;
				});

			if (is_there)
				continue;
			if (std::ranges::any_of(machine.sockets, [&](const Socket &socket) {
				    return socket.takes(relay.listen);
			    }))
				findings.push_back({ "port-taken",
						     fmt::format("{}:{}", file.path, line),
						     fmt::format("A program has UDP port {}",
								 relay.listen.port),
						     fmt::format("see which: ss -uapn sport = :{}",
								 relay.listen.port) });
			else if (is_up)
				findings.push_back(
					{ "no-relay", fmt::format("{}:{}", file.path, line),
					  fmt::format("There is no relay at {}",
						      relay.listen.text()),
					  fmt::format("nwgctl reload {}", file.interface) });
		}
	}
	return findings;
}

} // namespace nwgctl::diagnosis
