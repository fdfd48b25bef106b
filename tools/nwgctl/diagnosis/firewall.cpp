// SPDX-License-Identifier: GPL-2.0
/* Rules of nft and iptables that keep a relay from its packets, or that it has replaced. */
#include <algorithm>
#include <array>

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

static constexpr const char *loopback = "lo";

/* Of the interface that packets come in by; a relay on all has clients on any but the loopback. What a tunnel sends and gets itself does not come by it. */
static Match matches_interface(const Rule &rule, const std::string &listen,
			       const std::string &tunnel)
{
	if (listen.empty()) {
		if (rule.in)
			return rule.in == loopback || rule.in == tunnel ? Match::no : Match::maybe;
		const bool all = !rule.not_in || rule.not_in == loopback || rule.not_in == tunnel;
		return all ? Match::yes : Match::maybe;
	}
	if (rule.in)
		return rule.in == listen ? Match::yes : Match::no;
	return rule.not_in == listen ? Match::no : Match::yes;
}

/* Likewise, of a set of interfaces. */
static bool is_of_these_alone(const std::string &match, const std::string &tunnel)
{
	for (const char *key : { "meta iifname", "meta iif" }) {
		const auto names = ruleset::names_in_set(match, key);

		if (!names.empty() && std::ranges::all_of(names, [&](const std::string &name) {
			    return name == loopback || name == tunnel;
		    }))
			return true;
	}
	return false;
}

/* Of another match, for the first packet of somebody to an address of this machine. @known: of a match for packets of known connections. */
static Match matches_other(const std::string &match, Match known)
{
	static constexpr const char *by_option = "--dst-type ", *by_word = "fib daddr type ";
	const auto fresh = ruleset::takes_new(match);

	if (is_of_other_protocol(match))
		return Match::no;
	/* It may be one of several types. */
	if (match.starts_with(by_option))
		return match.find("LOCAL") == match.npos ? Match::no : Match::yes;
	if (match.starts_with(by_word) && match.find(" != ") == match.npos)
		return match.find("local") == match.npos ? Match::no : Match::yes;
	if (!fresh)
		return Match::maybe;
	return *fresh ? Match::yes : known;
}

static bool is_local(const Address &address, const std::vector<Prefix> &local)
{
	return std::ranges::find(local, address, &Prefix::address) != local.end();
}

/* Those of the other family come to the next rule. */
static bool is_of_one_family(const Rule &rule, const Transport &listen)
{
	return !rule.packets.empty() && rule.packets != rule.family && !listen.address;
}

/* @tunnel: of which these are the packets; empty: of none. */
static Match matches(const Rule &rule, const Transport &listen, const std::vector<Prefix> &local,
		     Match known, const std::string &tunnel = {})
{
	const auto &packets = rule.packets.empty() ? rule.family : rule.packets;
	Match match = matches_interface(rule, listen.interface, tunnel);

	if (!is_of_family(rule.family, listen) || !is_of_family(packets, listen) ||
	    !rule.may_match_udp(listen.port))
		return Match::no;
	/* One that drops all of IPv4 does so for certain, as a rule of iptables. */
	if (is_of_one_family(rule, listen) &&
	    (rule.verdict != Verdict::drop || rule.packets != "ip"))
		match = std::min(match, Match::maybe);
	if (rule.destination && (!is_local(*rule.destination, local) ||
				 (listen.address && *rule.destination != *listen.address)))
		return Match::no;
	if (rule.destination && !listen.address)
		match = std::min(match, Match::maybe);
	for (const auto &other : rule.others)
		match = std::min(match,
				 listen.interface.empty() && is_of_these_alone(other, tunnel) ?
					 Match::no :
					 matches_other(other, known));
	return match;
}

/* Those that keep a tunnel's addresses from others, which "up" and wg-quick(8) make. */
static bool is_of_tunnel(const Rule &rule)
{
	return rule.table.starts_with("nwg-") || rule.table.starts_with("wg-quick-") ||
	       rule.text.find("wg-quick(8) rule") != rule.text.npos;
}

/* What packets come to: a relay, or WireGuard's own port. */
struct Target {
	std::string where;
	Transport listen;
	bool is_relay = false;
	/* All that are to come may be dialled from here, and come in with what answers. */
	bool is_dialled = false;
};

/* What becomes of its packets in the chains that they come to before it. */
class Way {
    public:
	Way(const Machine &machine, Target target, std::vector<Finding> &findings)
		: ruleset(machine.ruleset)
		, local(machine.local)
		, target(std::move(target))
		, findings(findings)
	{
	}
	void follow()
	{
		for (const auto &chain : ruleset.chains) {
			const bool early =
				chain.hook == "ingress" ||
				(chain.hook == "prerouting" &&
				 (!target.is_relay || chain.priority < relay_priority)) ||
				(chain.hook == "input" && !target.is_relay);

			if (!early || !is_of_family(chain.family, target.listen))
				continue;
			may_pass = false;
			if (!ends_in(chain, Match::yes, 0) && chain.drops)
				tell({ .rule = chain.where() + ", its policy",
				       .family = chain.family });
		}
		for (const auto &drop : drops)
			report(drop);
	}

    private:
	/* A rule, or a chain's policy, that drops them. */
	struct Drop {
		std::string rule, family;
		Match match = Match::yes;
		/* It is for their port, and for no other. */
		bool is_theirs = false;
	};

	/* Whether none of those that come to the chain, @reach of all, comes to its end. */
	bool ends_in(const Chain &chain, Match reach, int depth)
	{
		bool may_leave = false;

		for (const auto &rule : ruleset.rules) {
			if (!is_in(rule, chain) || is_of_tunnel(rule))
				continue;
			const Match match = match_of(rule);
			const Match comes = may_leave ? Match::maybe : std::min(reach, match);
			bool ends = match == Match::yes && !is_of_one_family(rule, target.listen);
			if (match == Match::no)
				continue;
			switch (rule.verdict) {
			case Verdict::accept:
				may_pass = true;
				break;
			case Verdict::drop:
				tell(drop_by(rule, comes));
				break;
			case Verdict::jump:
				if (follow_jump(rule, comes, depth))
					break;
				/* What comes back from there does not go on here. */
				if (rule.is_goto && ends && !is_by_map(rule))
					return false;
				may_leave |= rule.is_goto;
				ends = false;
				break;
			case Verdict::back:
				if (ends)
					return false;
				may_leave = true;
				break;
			default:
				ends = false;
				break;
			}
			if (ends)
				return !may_leave;
		}
		return false;
	}
	/* What answers comes in by a rule that accepts it; that one drops what is not known is no matter. */
	Match match_of(const Rule &rule) const
	{
		const bool known = target.is_dialled && rule.verdict != Verdict::drop;

		return matches(rule, target.listen, local, known ? Match::maybe : Match::no,
			       target.is_relay ? "" : target.where);
	}
	Drop drop_by(const Rule &rule, Match match) const
	{
		const ruleset::Ports own = { target.listen.port, target.listen.port };

		return { .rule = fmt::format("{}: {}", rule.where(), rule.text),
			 .family = rule.packets.empty() ? rule.family : rule.packets,
			 .match = match,
			 .is_theirs = rule.ports == std::vector{ own } };
	}
	/* Likewise, of all the chains that it leads to. */
	bool follow_jump(const Rule &rule, Match reach, int depth)
	{
		std::size_t ended = 0;

		/* A map of verdicts, in which all is possible. */
		may_pass = may_pass || is_by_map(rule);
		if (rule.targets.empty() && may_drop(rule))
			tell(drop_by(rule, Match::maybe));
		for (const auto &target : rule.targets) {
			for (const auto &chain : ruleset.chains) {
				if (depth < max_depth && chain.name == target &&
				    chain.program == rule.program && chain.family == rule.family &&
				    chain.table == rule.table)
					ended += ends_in(chain, reach, depth + 1);
			}
		}
		return ended && ended == rule.targets.size();
	}
	static bool is_in(const Rule &rule, const Chain &chain)
	{
		return rule.chain == chain.name && rule.program == chain.program &&
		       rule.family == chain.family && rule.table == chain.table;
	}
	/* Its elements accept, too. */
	static bool is_by_map(const Rule &rule)
	{
		return std::ranges::any_of(rule.others, [](const std::string &other) {
			return other.find(" vmap ") != other.npos;
		});
	}
	/* By a map of verdicts, or by one whose elements are not seen here. */
	static bool may_drop(const Rule &rule)
	{
		return std::ranges::any_of(rule.others, [](const std::string &other) {
			const auto map = other.find(" vmap ");

			return map != other.npos && (other.find("\"drop\"", map) != other.npos ||
						     other.find('@', map) != other.npos);
		});
	}
	/* Each once, as the surest of those that jump to it has it. What was let in before does not come to it. */
	void tell(Drop drop)
	{
		const auto before = std::ranges::find(drops, drop.rule, &Drop::rule);

		if (may_pass)
			drop.match = Match::maybe;
		if (before == drops.end())
			drops.push_back(std::move(drop));
		else
			before->match = std::max(before->match, drop.match);
	}
	/* Who comes to an interface may well not come over IPv6. */
	void report(const Drop &drop)
	{
		const bool is_note = drop.match != Match::yes ||
				     (!target.is_relay && drop.family == "ip6");
		const auto what = target.is_relay ?
					  "what comes to the port before the relay sees it" :
					  "what comes to the port, and a peer does not come in";

		findings.push_back(
			{ fmt::format("{}-{}", target.is_relay ? "raw" : "input",
				      is_note ? "may-drop" : "drop"),
			  target.where,
			  fmt::format("A rule {} {}: {}", is_note ? "may drop some of" : "drops",
				      what, drop.rule),
			  fmt::format("{}accept UDP port {} before that",
				      is_note	     ? "see that it lets in who is to come, or " :
				      drop.is_theirs ? "take it out, or " :
						       "",
				      target.listen.port),
			  is_note });
	}

	const ruleset::Ruleset &ruleset;
	const std::vector<Prefix> &local;
	const Target target;
	std::vector<Finding> &findings;
	std::vector<Drop> drops;
	bool may_pass = false;
};

/* Whatever else it wants: the relay has taken the packet before. */
static bool is_replaced(const Rule &rule, const Transport &listen, const std::vector<Prefix> &local)
{
	return rule.verdict == Verdict::dnat && rule.is_at("prerouting") &&
	       rule.names_udp(listen.port) && matches(rule, listen, local, Match::no) != Match::no;
}

/* Those of its ports that no relay has, "60001-60009"; empty: none. */
static std::string other_ports(const Rule &rule, const Machine &machine)
{
	const auto is_relayed = [&](unsigned int port) {
		return std::ranges::any_of(machine.relays, [&](const netlink::Relay &relay) {
			return relay.listen.port == port &&
			       is_replaced(rule, relay.listen, machine.local);
		});
	};
	std::string text;

	for (const auto &range : rule.ports) {
		for (unsigned int port = range.first; port <= range.last; port++) {
			const unsigned int first = port;

			if (is_relayed(port))
				continue;
			while (port < range.last && !is_relayed(port + 1))
				port++;
			text += fmt::format("{}{}", text.empty() ? "" : ", ", first);
			if (port > first)
				text += fmt::format("-{}", port);
		}
	}
	return text;
}

static Finding old_rule(const Rule &rule, const netlink::Relay &relay, const Machine &machine)
{
	const auto others = other_ports(rule, machine);
	const auto what = fmt::format(
		"A rule still translates what comes to the port{}, which the relay has "
		"now: {}",
		rule.to_text.empty() ? "" : fmt::format(" to {}", rule.to_text), rule.where());
	const auto where = fmt::format("relay {}", relay.listen.text());

	if (!others.empty())
		return { "old-dnat", where, what,
			 fmt::format("take port {} out of it, not all of it: {} may be needed",
				     relay.listen.port, others),
			 true };
	return { "old-dnat", where, what,
		 fmt::format("{}; and the MASQUERADE that goes with it", rule.delete_command()) };
}

/* Where peers are to come in that do not: those that never have, or that a relay sends to. Others are dialled from here. */
static void add_interface(std::vector<Target> &targets, const Machine &machine,
			  const Interface &interface)
{
	const auto &peers = interface.after.peers;
	const bool never =
		std::ranges::any_of(peers, [](const Peer &peer) { return !peer.endpoint; });
	const bool no_more = std::ranges::any_of(peers, [&](const Peer &peer) {
		return is_relayed(machine, interface, peer) && !has_session(machine, peer);
	});

	if (interface.link.up && interface.after.listen_port && (never || no_more))
		targets.push_back(
			{ .where = interface.link.name,
			  .listen = { .address = {}, .port = interface.after.listen_port },
			  .is_relay = false,
			  .is_dialled = !never });
}

std::vector<Finding> check_firewall(const Machine &machine)
{
	std::vector<Finding> findings;
	std::vector<Target> targets;
	auto resolved = machine.ruleset;

	ruleset::resolve_jumps(resolved);
	for (const auto &relay : machine.relays)
		targets.push_back(
			{ fmt::format("relay {}", relay.listen.text()), relay.listen, true });
	for (const auto &interface : machine.interfaces)
		add_interface(targets, machine, interface);
	if (targets.empty())
		return findings;
	for (const auto &error : machine.unread)
		findings.push_back({ "not-read", "",
				     fmt::format("Rules were not read, so that nothing is said of "
						 "them: {}",
						 error.what),
				     "be root, and see that the program runs", true });
	for (const auto &target : targets)
		Way(machine, target, findings).follow();
	for (const auto &relay : machine.relays) {
		for (const auto &rule : resolved.rules) {
			if (is_replaced(rule, relay.listen, machine.local))
				findings.push_back(old_rule(rule, relay, machine));
		}
	}
	return findings;
}

} // namespace nwgctl::diagnosis
