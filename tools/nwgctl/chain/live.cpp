// SPDX-License-Identifier: GPL-2.0
#include "live.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../netlink/device.hpp"
#include "../netlink/link.hpp"
#include "../netlink/stock.hpp"
#include "../render/quantity.hpp"

namespace nwgctl::chain
{

/* Seconds: a session ends at 180, and a home that is there and sends keepalives has made the next one long before. */
static constexpr time_t session_life = 180;
/* Milliseconds: a peer that gets data answers within 10 s, with a keepalive if it has nothing to say. */
static constexpr uint64_t recent = 15000, silent = 30000;

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

static Status read_link(Live &live)
{
	const int file = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ifreq request{};

	memcpy(request.ifr_name, live.interface.c_str(),
	       std::min<std::size_t>(live.interface.size(), IFNAMSIZ - 1));
	int error = file < 0 ? errno : 0;
	if (!error && ioctl(file, SIOCGIFFLAGS, &request))
		error = errno;
	live.up = request.ifr_flags & IFF_UP;
	if (!error && ioctl(file, SIOCGIFMTU, &request))
		error = errno;
	live.mtu = static_cast<uint32_t>(request.ifr_mtu);
	if (file >= 0)
		close(file);
	if (error)
		return Error{ Exit::refused,
			      fmt::format("Unable to access interface {}: {}", live.interface,
					  strerror(error)),
			      {},
			      {},
			      error };
	return {};
}

/* One interface: its relays, or itself if it has none. */
static Status look_at(const netlink::Link &link, bool also_without, std::vector<Live> &lives)
{
	const netlink::RelayFilter filter{ link.name, std::nullopt };
	const auto relays = TRY(netlink::list_relays(filter));
	Live live;

	if (relays.empty() && !also_without)
		return {};
	live.interface = link.name;
	live.kind = link.kind;
	TRY(read_link(live));
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

/* wg1: whether the VPS can reach the home at all. */
static void diagnose_tunnel(Live &live, time_t now)
{
	const auto &relay = *live.relay;

	if (!live.up)
		add(live, Part::tunnel, fmt::format("{} is down", live.interface),
		    fmt::format("ip link set {} up", live.interface));
	if (!live.home)
		return add(live, Part::home, fmt::format("{} has no such peer", live.interface),
			   fmt::format("nwgctl set {} peer {} allowed-ips {}/{}", live.interface,
				       relay.peer.base64(), relay.to.address->text(),
				       relay.to.address->bits()));
	const auto &allowed = live.home->allowed_ips;
	if (std::ranges::none_of(allowed, [&relay](const Prefix &prefix) {
		    return prefix.address.family == relay.to.address->family &&
			   relay.to.address->masked(prefix.length) == prefix.address;
	    }))
		add(live, Part::home,
		    fmt::format("{} is not in the allowed IPs of the home",
				relay.to.address->text()),
		    fmt::format("nwgctl set {} peer {} allowed-ips {}/{}", live.interface,
				relay.peer.base64(), relay.to.address->text(),
				relay.to.address->bits()));
	const time_t then = live.home->last_handshake.tv_sec;
	if (!then)
		add(live, Part::tunnel, "The home has never dialled in",
		    fmt::format(
			    "at home: is its wg1 up, with this machine's address, port {}, and key? "
			    "Here: does the provider's firewall let UDP port {} in?",
			    live.port, live.port));
	else if (now - then > session_life)
		add(live, Part::tunnel,
		    fmt::format("The home is gone: its last handshake was {} ago",
				render::short_duration(static_cast<uint64_t>(now - then) * 1000)),
		    "at home: is its line up, and wg1, with a persistent keepalive of 25 s?");
}

static void diagnose_relay(Live &live)
{
	const auto &relay = *live.relay;

	if (relay.pressed)
		add_note(live, Part::relay,
			 "The relay is under pressure: who is new has to show a cookie first",
			 "see who comes: nwgctl flow show; a flood passes by itself");
	if (relay.flows_established + relay.flows_new + relay.flows_tentative >= relay.max_flows)
		add_note(live, Part::relay,
			 fmt::format("All of the {} flows are in use", relay.max_flows),
			 fmt::format("nwgctl relay set listen {} max-flows N",
				     relay.listen.address || !relay.listen.interface.empty() ?
					     relay.listen.text() :
					     fmt::format("{}", relay.listen.port)));
	if (!relay.responder)
		add_note(live, Part::relay,
			 "No responder key: everybody's handshakes go to the home",
			 fmt::format(
				 "nwgctl relay set listen {} responder KEY, the public key of the "
				 "home's wg0",
				 relay.listen.port));
	else if (relay.forward_drops[NWG_DROP_MAC1] && !relay.flows_established &&
		 live.flows.empty())
		add_note(live, Part::relay,
			 fmt::format(
				 "{} for another key than the responder's, and nobody is through",
				 render::count(relay.forward_drops[NWG_DROP_MAC1], "handshake")),
			 "is it the public key of the home's wg0, here and in the clients' files?");
	if (relay.forward_drops[NWG_DROP_NO_ADDRESS] && !relay.flows_established)
		add(live, Part::tunnel,
		    fmt::format("{} has no address to send from, or the pool is used up",
				live.interface),
		    fmt::format("ip address add ADDR/LENGTH dev {}", live.interface));
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
		    flow.reverse_idle.value_or(UINT64_MAX) > silent)
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
	diagnose_relay(live);
	diagnose_flows(live);
	std::ranges::stable_sort(live.troubles, {}, &Trouble::part);
}

} // namespace nwgctl::chain
