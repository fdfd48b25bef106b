/* SPDX-License-Identifier: GPL-2.0 */
/* What the doctor looks at, and what it finds. */
#ifndef NWGCTL_DIAGNOSIS_FINDING_HPP
#define NWGCTL_DIAGNOSIS_FINDING_HPP

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "../config/quick.hpp"
#include "../device.hpp"
#include "../netlink/relay.hpp"
#include "../netlink/route.hpp"
#include "../ruleset/rule.hpp"
#include "sockets.hpp"

namespace nwgctl::diagnosis
{

/* Something that is wrong, or not needed. */
struct Finding {
	/* Stable, for programs: "no-answer". */
	std::string id;
	/* An interface or a relay; empty: the machine. */
	std::string where;
	std::string what, remedy;
	/* It may be right as it is. */
	bool is_note = false;
};

/* A WireGuard interface, as it was before and after somebody watched. */
struct Interface {
	netlink::LinkState link;
	Device before, after;
	/* Packets dropped meanwhile, by the reasons of the trace event nwg_device_drop. */
	std::map<std::string, unsigned int> drops;
};

/* All that is looked at. */
struct Machine {
	bool has_module = false, has_stock_module = false;
	/* CLOCK_REALTIME */
	time_t now = 0;
	/* Why dropped packets could not be watched; empty if they were, or nobody wanted it. */
	std::string unwatched;
	std::vector<Interface> interfaces;
	/* As they were before, and after somebody watched. */
	std::vector<netlink::Relay> relays_before, relays;
	std::vector<netlink::Flow> flows;
	/* The files of the directories, and those that cannot be read. */
	std::vector<config::Quick> files;
	std::vector<Error> broken_files;
	/* Of UDP. */
	std::vector<Socket> sockets;
	/* All addresses of the machine, with the host's bits. */
	std::vector<Prefix> local;
	bool forwards_v4 = false, forwards_v6 = false;
	/* As far as there are programs that show it, and why others did not. */
	ruleset::Ruleset ruleset;
	std::vector<Error> unread;
};

/* Seconds: whoever sends has a handshake that is not older, but for the time in which one is repeated. */
inline constexpr time_t session_life = 180, repeated = 15;

/* Whether a peer that sends now and then is there. */
inline bool has_session(const Machine &machine, const Peer &peer)
{
	return machine.now - peer.last_handshake.tv_sec <=
	       std::max<time_t>(session_life, peer.keepalive) + repeated;
}

/* Whether a relay sends to the peer. */
inline bool is_relayed(const Machine &machine, const Interface &interface, const Peer &peer)
{
	return std::ranges::any_of(machine.relays, [&](const netlink::Relay &relay) {
		return relay.interface == interface.link.name && relay.peer == peer.public_key;
	});
}

/*
 * Takes it all in, and watches for so many seconds in between. An error if the kernel does not let it be read, or SIGINT or
 * SIGTERM comes meanwhile.
 */
Result<Machine> examine(unsigned int seconds);

/* Each has one subject. */
std::vector<Finding> check_module(const Machine &machine);
std::vector<Finding> check_interfaces(const Machine &machine);
std::vector<Finding> check_relays(const Machine &machine);
std::vector<Finding> check_firewall(const Machine &machine);
std::vector<Finding> check_files(const Machine &machine);

} // namespace nwgctl::diagnosis

#endif
