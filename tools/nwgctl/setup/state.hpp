/* SPDX-License-Identifier: GPL-2.0 */
/* All of an interface: as it is, as it is to be, and made so. */
#ifndef NWGCTL_SETUP_STATE_HPP
#define NWGCTL_SETUP_STATE_HPP

#include <cstdint>
#include <set>
#include <utility>
#include <vector>

#include "../config/quick.hpp"
#include "../netlink/link.hpp"
#include "../netlink/relay.hpp"
#include "../netlink/route.hpp"
#include "../result.hpp"
#include "firewall.hpp"
#include "plan.hpp"

namespace nwgctl::setup
{

/* A family and a mark: the rules for packets of that family without that mark are this interface's. */
using RuleOwner = std::pair<uint16_t, uint32_t>;

/* What has no line is of no file. */
struct State {
	DeviceChange device;
	config::AtLine<uint32_t> mtu;
	bool up = true;
	std::vector<config::AtLine<Prefix>> addresses;
	std::vector<config::AtLine<netlink::Route>> routes;
	std::set<RuleOwner> owned;
	std::vector<netlink::Rule> rules;
	std::vector<config::RelaySection> relays;

	/* For a default route. */
	Firewall firewall() const;
};

/* By the peers that packets to everybody go to. */
std::set<RuleOwner> owners_by_peers(const Device &device);

netlink::Link as_link(const netlink::LinkState &link);

/* As a file has it. */
State as_planned(const config::Quick &quick, const Plan &plan);
/* As it is. @quick: its file, now. */
Result<State> as_it_is(const config::Quick &quick, const netlink::LinkState &link,
		       const Device &device);
/* Where there is no module nwg there is no relay, either. */
Result<std::vector<netlink::Relay>> relays_of(const netlink::LinkState &link);

/* Adds and changes what is not so already, and removes addresses, routes and rules; the interface is there. */
Status apply(const config::Quick &quick, const netlink::LinkState &link, const State &wanted);
/* Removes what cannot come back as it was, with sessions and flows: peers and relays. */
Status remove_rest(const netlink::LinkState &link, const State &wanted);
/* The rules of these owners that are there. */
Result<std::vector<netlink::Rule>> rules_of(const std::set<RuleOwner> &owners);
/* Adds what is missing of the rules of these owners, and removes the rest of theirs. */
Status put_rules(const std::set<RuleOwner> &owners, const std::vector<netlink::Rule> &rules);

} // namespace nwgctl::setup

#endif
