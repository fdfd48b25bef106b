// SPDX-License-Identifier: GPL-2.0
/* Rules of nft and iptables that keep a relay from its packets, or that it has replaced. */
#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

#include "finding.hpp"

namespace nwgctl::diagnosis
{

using ruleset::Chain;
using ruleset::Rule;
using ruleset::Verdict;

/* Of the relay's hook, which lies behind raw and before conntrack. Chains with lower ones see packets before it. */
static constexpr int relay_priority = -250;
/* Of chains that jump to chains. */
static constexpr int max_depth = 16;

/* Whether what comes for a relay is what a rule is about. */
enum class Match { no, maybe, yes };

static bool is_of_family(const std::string &family, const Transport &listen)
{
	if (family == "ip" || family == "ip6")
		return !listen.address || (listen.address->family == AF_INET) == (family == "ip");
	return family == "inet" || family == "netdev";
}

/* A match on what no UDP packet has, as "icmp type". */
static bool is_of_other_protocol(const std::string &match)
{
	static constexpr std::array protocols = { "ah",	  "arp",    "dccp", "esp",
						  "icmp", "icmpv6", "sctp", "tcp" };

	return std::ranges::find(protocols, match.substr(0, match.find(' '))) != protocols.end();
}

/* Of the interface that packets come in by; a relay on all has clients on any but the loopback. */
static Match matches_interface(const Rule &rule, const std::string &listen)
{
	static constexpr const char *loopback = "lo";

	if (listen.empty()) {
		if (rule.in)
			return rule.in == loopback ? Match::no : Match::maybe;
		return rule.not_in.value_or(loopback) == loopback ? Match::yes : Match::maybe;
	}
	if (rule.in)
		return rule.in == listen ? Match::yes : Match::no;
	return rule.not_in == listen ? Match::no : Match::yes;
}

static Match matches(const Rule &rule, const Transport &listen)
{
	const Match interface = matches_interface(rule, listen.interface);

	if (!is_of_family(rule.family, listen) || !rule.may_match_udp(listen.port) ||
	    interface == Match::no || std::ranges::any_of(rule.others, is_of_other_protocol))
		return Match::no;
	if (rule.destination && listen.address && *rule.destination != *listen.address)
		return Match::no;
	if (!rule.others.empty() || (rule.destination && !listen.address))
		return Match::maybe;
	return interface;
}

/* Those that keep a tunnel's addresses from others, which "up" and wg-quick(8) make. */
static bool is_of_tunnel(const Rule &rule)
{
	return rule.table.starts_with("nwg-") || rule.table.starts_with("wg-quick-") ||
	       rule.text.find("wg-quick(8) rule") != rule.text.npos;
}

/* What becomes of a relay's packets in the chains that they come to before it. */
class Way {
    public:
	Way(const ruleset::Ruleset &ruleset, const netlink::Relay &relay,
	    std::vector<Finding> &findings)
		: ruleset(ruleset)
		, relay(relay)
		, findings(findings)
	{
	}
	void follow()
	{
		for (const auto &chain : ruleset.chains) {
			const bool early =
				chain.hook == "ingress" ||
				(chain.hook == "prerouting" && chain.priority < relay_priority);

			if (!early || !is_of_family(chain.family, relay.listen))
				continue;
			may_pass = false;
			if (!ends_in(chain, 0) && chain.drops)
				tell(may_pass ? Match::maybe : Match::yes,
				     chain.where() + ", its policy");
		}
	}

    private:
	/* Whether none of them comes to the chain's end. */
	bool ends_in(const Chain &chain, int depth)
	{
		for (const auto &rule : ruleset.rules) {
			if (!is_in(rule, chain) || is_of_tunnel(rule))
				continue;
			const Match match = matches(rule, relay.listen);
			if (match == Match::no)
				continue;
			switch (rule.verdict) {
			case Verdict::accept:
				may_pass = true;
				if (match == Match::yes)
					return true;
				break;
			case Verdict::drop:
				tell(match, fmt::format("{}: {}", rule.where(), rule.text));
				if (match == Match::yes)
					return true;
				break;
			case Verdict::jump:
				if (follow_jump(rule, depth) && match == Match::yes)
					return true;
				break;
			case Verdict::back:
				if (match == Match::yes)
					return false;
				break;
			default:
				break;
			}
		}
		return false;
	}
	/* Likewise, of all the chains that it leads to. */
	bool follow_jump(const Rule &rule, int depth)
	{
		std::size_t ended = 0;

		/* A map of verdicts, in which all is possible. */
		if (rule.targets.empty())
			tell(Match::maybe, fmt::format("{}: {}", rule.where(), rule.text));
		for (const auto &target : rule.targets) {
			for (const auto &chain : ruleset.chains) {
				if (depth < max_depth && chain.name == target &&
				    chain.program == rule.program && chain.family == rule.family &&
				    chain.table == rule.table)
					ended += ends_in(chain, depth + 1);
			}
		}
		return ended && ended == rule.targets.size();
	}
	static bool is_in(const Rule &rule, const Chain &chain)
	{
		return rule.chain == chain.name && rule.program == chain.program &&
		       rule.family == chain.family && rule.table == chain.table;
	}
	/* Each rule once, though several may jump to it. */
	void tell(Match match, const std::string &rule)
	{
		const auto where = fmt::format("relay {}", relay.listen.text());

		if (!told.insert(rule).second)
			return;
		if (match == Match::yes)
			findings.push_back(
				{ "raw-drop", where,
				  fmt::format("A rule drops what comes to the port before the relay "
					      "sees it: {}",
					      rule),
				  fmt::format("take it out, or accept UDP port {} before it",
					      relay.listen.port) });
		else
			findings.push_back(
				{ "raw-may-drop", where,
				  fmt::format("A rule may drop some of what comes to the port "
					      "before the relay sees it: {}",
					      rule),
				  fmt::format("see that it lets clients in, or accept UDP port {} "
					      "before it",
					      relay.listen.port),
				  true });
	}

	const ruleset::Ruleset &ruleset;
	const netlink::Relay &relay;
	std::vector<Finding> &findings;
	std::set<std::string> told;
	bool may_pass = false;
};

/* Whatever else it wants: the relay has taken the packet before. */
static bool is_replaced(const Rule &rule, const Transport &listen)
{
	return rule.verdict == Verdict::dnat && rule.hook == "prerouting" &&
	       rule.names_udp(listen.port) && matches(rule, listen) != Match::no;
}

std::vector<Finding> check_firewall(const Machine &machine)
{
	std::vector<Finding> findings;

	if (machine.relays.empty())
		return findings;
	for (const auto &error : machine.unread)
		findings.push_back({ "not-read", "",
				     fmt::format("Rules were not read, so that nothing is said of "
						 "them: {}",
						 error.what),
				     "be root, and see that the program runs", true });
	for (const auto &relay : machine.relays) {
		Way(machine.ruleset, relay, findings).follow();
		for (const auto &rule : machine.ruleset.rules) {
			if (!is_replaced(rule, relay.listen))
				continue;
			findings.push_back(
				{ "old-dnat", fmt::format("relay {}", relay.listen.text()),
				  fmt::format("A rule still translates what comes to the port{}, "
					      "which the relay has now: {}",
					      rule.to_text.empty() ?
						      "" :
						      fmt::format(" to {}", rule.to_text),
					      rule.where()),
				  fmt::format("{}; and the MASQUERADE that goes with it",
					      rule.delete_command()) });
		}
	}
	return findings;
}

} // namespace nwgctl::diagnosis
