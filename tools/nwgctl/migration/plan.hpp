/* SPDX-License-Identifier: GPL-2.0 */
/* What relays there are to be in the place of rules that translate, and which rules nobody needs then. */
#ifndef NWGCTL_MIGRATION_PLAN_HPP
#define NWGCTL_MIGRATION_PLAN_HPP

#include <map>
#include <string>
#include <vector>

#include "../device.hpp"
#include "../diagnosis/sockets.hpp"
#include "../netlink/relay.hpp"
#include "../netlink/route.hpp"
#include "../ruleset/rule.hpp"

namespace nwgctl::migration
{

/* What is looked at besides the rules. */
struct Machine {
	Device device;
	/* Of the interface, with the host's bits. */
	std::vector<Prefix> addresses;
	/* All addresses that the machine has, with the host's bits. */
	std::vector<Prefix> local;
	/* Addresses that rules lead to, and by which interface the kernel sends there; empty: by none. */
	std::map<Address, std::string> ways;
	/* What the main table has. */
	std::vector<netlink::Network> networks;
	/* The other WireGuard interfaces. */
	std::vector<Device> others;
	/* Those that there are, and of the interface's file. */
	std::vector<netlink::RelayChange> relays;
	/* Of UDP. */
	std::vector<diagnosis::Socket> sockets;
	ruleset::Ruleset ruleset;
};

/* A relay, and the rules that it replaces. */
struct Section {
	netlink::RelayChange relay;
	std::vector<ruleset::Rule> rules;
};

/* What is not carried over, or not as it was. */
struct Remark {
	std::string what, reason, remedy;
};

/* Address families. */
struct Families {
	bool v4 = false, v6 = false;
};

/* What needs this machine to forward. */
struct User {
	std::string what;
	Families families;
};

struct Plan {
	std::vector<Section> relays;
	/* Rules that lead elsewhere, or that are not known to be for this interface only. */
	std::vector<Remark> left;
	/* What changes with the relays. */
	std::vector<Remark> changes;
	/* Rules that go, each once, in the order in which they are to. */
	std::vector<ruleset::Rule> gone;
	/* What still needs this machine to forward; empty: nothing that is known. */
	std::vector<User> forwarding;

	/* Those of which relays have made forwarding needless. */
	[[nodiscard]] Families needless() const;
};

Plan make_plan(const Machine &machine);

} // namespace nwgctl::migration

#endif
