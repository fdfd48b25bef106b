/* SPDX-License-Identifier: GPL-2.0 */
/* The chains of a VPS that runs: what is up, and where one is broken. */
#ifndef NWGCTL_CHAIN_LIVE_HPP
#define NWGCTL_CHAIN_LIVE_HPP

#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <vector>

#include "../device.hpp"
#include "../netlink/relay.hpp"
#include "../result.hpp"

namespace nwgctl::chain
{

/* In the order in which a client's packets pass them. */
enum class Part { clients, relay, tunnel, home };

struct Trouble {
	Part part;
	/* Nothing can pass; else something is not as it should be. */
	bool broken = true;
	std::string what, remedy;
};

/* One relay, or an interface without one, and what is around it. */
struct Live {
	std::string interface, kind;
	bool up = false;
	uint32_t mtu = 0;
	uint16_t port = 0;
	/* The interface's own. */
	std::vector<Prefix> addresses;
	std::optional<netlink::Relay> relay;
	/* The relay's. */
	std::optional<Peer> home;
	std::vector<netlink::Flow> flows;
	std::vector<Trouble> troubles;

	bool broken(Part part) const;
};

/* Of all WireGuard interfaces that have relays; or of one, also if it has none. */
Result<std::vector<Live>> look(const std::optional<std::string> &interface);

/* Fills in the troubles. @now is CLOCK_REALTIME. */
void diagnose(Live &live, time_t now);

const char *part_name(Part part);

} // namespace nwgctl::chain

#endif
