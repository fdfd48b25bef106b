// SPDX-License-Identifier: GPL-2.0
#include "live.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "../netlink/device.hpp"
#include "../netlink/link.hpp"
#include "../netlink/route.hpp"
#include "../render/quantity.hpp"
#include "../render/relay.hpp"
#include "network.hpp"
#include "plan.hpp"

namespace nwgctl::chain
{

/* Seconds that a session lasts; and more, in which a handshake is repeated that was lost. */
static constexpr time_t session_life = 180, repeated = 10;
/* Milliseconds: who was heard not longer ago sends. */
static constexpr uint64_t recent = 15000;
/*
 * Milliseconds: what a client sends so long after the home's last packet is no keepalive, which nobody answers, but an
 * initiation, as its session is over.
 */
static constexpr uint64_t silent = (session_life + repeated) * 1000;

const char *part_name(Part part)
{
	switch (part) {
	case Part::clients:
		return "clients";
	case Part::relay:
		return "relay";
	case Part::tunnel:
		return "tunnel";
	default:
		return "home";
	}
}

bool Live::broken(Part part) const
{
	return std::ranges::any_of(troubles, [part](const Trouble &trouble) {
		return trouble.part == part && trouble.broken;
	});
}

/* One interface: its relays, or itself if it has none. */
static Status look_at(const netlink::Link &link, bool also_without, std::vector<Live> &lives)
{
	const netlink::RelayFilter filter{ link.name, std::nullopt };
	const auto relays = TRY(netlink::list_relays(filter));
	Live live;

	if (relays.empty() && !also_without)
		return {};
	const auto state = TRY(netlink::find_link(link.name));
	if (!state)
		return Error{ Exit::refused, fmt::format("Interface {} is gone", link.name) };
	live.interface = link.name;
	live.kind = link.kind;
	live.up = state->up;
	live.mtu = state->mtu;
	live.addresses = TRY(netlink::list_addresses(*state));
	const auto device = TRY(netlink::get_device(link));
	const auto flows = relays.empty() ? std::vector<netlink::Flow>() :
					    TRY(netlink::list_flows(filter));
	live.port = device.listen_port;
	for (const auto &relay : relays) {
		Live one = live;

		one.relay = relay;
		for (const auto &peer : device.peers) {
			if (peer.public_key == relay.peer)
				one.home = peer;
		}
		std::ranges::copy_if(flows, std::back_inserter(one.flows),
				     [&relay](const netlink::Flow &flow) {
					     return flow.listen == relay.listen;
				     });
		lives.push_back(std::move(one));
	}
	if (relays.empty())
		lives.push_back(std::move(live));
	return {};
}

Result<std::vector<Live>> look(const std::optional<std::string> &interface)
{
	std::vector<Live> lives;

	if (interface) {
		TRY(look_at(TRY(netlink::wireguard_link(*interface)), true, lives));
		return lives;
	}
	for (const auto &link : TRY(netlink::wireguard_links()))
		TRY(look_at(link, false, lives));
	return lives;
}

static void add(Live &live, Part part, std::string what, std::string remedy)
{
	live.troubles.push_back({ part, true, std::move(what), std::move(remedy) });
}

static void add_note(Live &live, Part part, std::string what, std::string remedy)
{
	live.troubles.push_back({ part, false, std::move(what), std::move(remedy) });
}

/* With the prefixes that the peer has: the command replaces them. */
static std::string allow_inner_endpoint(const Live &live)
{
	const auto &relay = *live.relay;
	auto allowed = live.home ? live.home->allowed_ips : std::vector<Prefix>();

	allowed.push_back(single(*relay.to.address));
	return fmt::format("nwgctl set {} peer {} allowed-ips {}", live.interface,
			   relay.peer.base64(), join(allowed, ","));
}

/* Whether somebody has something for the home, which is sent by a session that is not older than it may be. */
static bool is_wanted(const Live &live)
{
	return live.home->keepalive || std::ranges::any_of(live.flows, [](const auto &flow) {
		       return flow.forward_idle < recent;
	       });
}

/* A home that is idle needs no handshake; its own keepalive is not known here. */
static void diagnose_handshake(Live &live, time_t now)
{
	const time_t then = live.home->last_handshake.tv_sec, age = now - then;
	const auto ago = render::short_duration(static_cast<uint64_t>(age) * 1000);

	if (!then)
		return add(live, Part::tunnel, "The home has never dialled in",
			   fmt::format("at home: is its wg1 up, with this machine's address, port "
				       "{}, and key? Here: does the provider's firewall let UDP "
				       "port {} in?",
				       live.port, live.port));
	if (age <= std::max<time_t>(session_life, live.home->keepalive) + repeated)
		return;
	if (is_wanted(live))
		return add(
			live, Part::tunnel,
			fmt::format("The home is gone: its last handshake was {} ago", ago),
			"at home: is its line up, and wg1, with a persistent keepalive of 25 s?");
	add_note(
		live, Part::tunnel, fmt::format("The home's last handshake was {} ago", ago),
		"with a persistent keepalive of 25 s at home there is one every two minutes: is its "
		"line up, and wg1? Without one, it may be that nobody sends");
}

/* wg1: whether the VPS can reach the home at all. */
static void diagnose_tunnel(Live &live, time_t now)
{
	const auto &relay = *live.relay;

	if (!live.up)
		add(live, Part::tunnel, fmt::format("{} is down", live.interface),
		    fmt::format("ip link set {} up", live.interface));
	if (!live.home)
		return add(live, Part::home, fmt::format("{} has no such peer", live.interface),
			   allow_inner_endpoint(live));
	if (!contains(live.home->allowed_ips, *relay.to.address))
		add(live, Part::home,
		    fmt::format("{} is not in the allowed IPs of the home",
				relay.to.address->text()),
		    allow_inner_endpoint(live));
	diagnose_handshake(live, now);
}

/* What of the relay's source is not there now; that it was not there once is counted for ever. */
static void diagnose_source(Live &live)
{
	const auto &relay = *live.relay;
	const uint16_t family = relay.to.address->family;

	if (!relay.forward_drops[NWG_DROP_NO_ADDRESS])
		return;
	if (relay.source.kind == NWG_SOURCE_MASQUERADE &&
	    std::ranges::none_of(live.addresses, [family](const Prefix &prefix) {
		    return prefix.address.family == family;
	    }))
		add(live, Part::tunnel,
		    fmt::format("{} has no {} address to send from", live.interface,
				family == AF_INET ? "IPv4" : "IPv6"),
		    fmt::format("ip address add ADDR/LENGTH dev {}", live.interface));
	if (!relay.source.pool)
		return;
	/* This machine's own address and the home's are no client's. */
	auto taken = static_cast<uint32_t>(live.flows.size()) +
		     contains(*relay.source.pool, *relay.to.address);
	for (const auto &own : live.addresses)
		taken += contains(*relay.source.pool, own.address);
	if (!host_of(*relay.source.pool, taken + 1))
		add_note(
			live, Part::relay,
			fmt::format("All addresses of the pool {} are in use",
				    relay.source.pool->text()),
			fmt::format("nwgctl relay set listen {} source pool PREFIX, with a shorter "
				    "one, which the home allows and routes",
				    relay.listen.words()));
}

static void diagnose_relay(Live &live)
{
	const auto &relay = *live.relay;

	if (!relay.forward.packets)
		add_note(
			live, Part::clients,
			fmt::format("No packet of any client has come to UDP port {}",
				    relay.listen.port),
			fmt::format(
				"if one sends: does the provider's firewall let UDP port {} in, and "
				"has the client this machine's address and that port?",
				relay.listen.port));
	if (relay.pressed)
		add_note(live, Part::relay,
			 "The relay is under pressure: who is new has to show a cookie first",
			 "see who comes: nwgctl flow show; a flood passes by itself");
	if (relay.flows_established + relay.flows_new + relay.flows_tentative >= relay.max_flows)
		add_note(live, Part::relay,
			 fmt::format("All of the {} flows are in use", relay.max_flows),
			 fmt::format("nwgctl relay set listen {} max-flows N",
				     relay.listen.words()));
	if (!relay.responder)
		add_note(live, Part::relay,
			 "No responder key: everybody's handshakes go to the home",
			 fmt::format(
				 "nwgctl relay set listen {} responder KEY, the public key of the "
				 "home's wg0",
				 relay.listen.words()));
	/* Strangers' count too: where anybody was let through, the key is right. */
	else if (relay.forward_drops[NWG_DROP_MAC1] && !relay.forward.forwarded_packets)
		add_note(
			live, Part::relay,
			fmt::format(
				"{} for another key than the responder's, and nobody was ever through",
				render::count(relay.forward_drops[NWG_DROP_MAC1], "handshake")),
			"is it the public key of the home's wg0, here and in the clients' files?");
}

/* wg0, of which the VPS sees who speaks and who answers. */
static void diagnose_flows(Live &live)
{
	std::size_t unanswered = 0, quiet = 0, too_large = 0;
	uint32_t mtu = 0;

	for (const auto &flow : live.flows) {
		if (flow.state == NWG_FLOW_NEW && !flow.reverse.responses)
			unanswered++;
		if (flow.state == NWG_FLOW_ESTABLISHED && flow.forward_idle < recent &&
		    flow.reverse_idle && *flow.reverse_idle > flow.forward_idle + silent)
			quiet++;
		if (flow.mtu) {
			too_large++;
			mtu = *flow.mtu;
		}
	}
	if (unanswered)
		live.troubles.push_back(
			{ Part::home, unanswered == live.flows.size(),
			  fmt::format("The home does not answer {}",
				      render::count(unanswered, "client's handshakes",
						    "clients' handshakes")),
			  fmt::format(
				  "at home: is wg0 up on port {}, let in on wg1 by the firewall, and "
				  "has it the client's key and preshared key?",
				  live.relay->to.port) });
	if (quiet)
		live.troubles.push_back({ Part::home, quiet == live.flows.size(),
					  fmt::format("The home has fallen silent to {} that {}",
						      render::count(quiet, "client"),
						      quiet == 1 ? "sends" : "send"),
					  "at home: is wg0 up still?" });
	if (too_large)
		add_note(live, Part::clients,
			 fmt::format("{} {} larger packets than {} takes whole",
				     render::count(too_large, "client"),
				     too_large == 1 ? "has" : "have", live.interface),
			 fmt::format("MTU = {} of wg0, at both of its ends", mtu));
}

void diagnose(Live &live, time_t now)
{
	live.troubles.clear();
	if (!live.relay)
		return add(live, Part::relay, fmt::format("{} has no relay", live.interface),
			   fmt::format("nwgctl relay add dev {} listen PORT peer KEY to ADDR:PORT "
				       "responder KEY",
				       live.interface));
	diagnose_tunnel(live, now);
	diagnose_source(live);
	diagnose_relay(live);
	diagnose_flows(live);
	std::ranges::stable_sort(live.troubles, {}, &Trouble::part);
}

} // namespace nwgctl::chain
