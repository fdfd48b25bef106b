// SPDX-License-Identifier: GPL-2.0
#include "plan.hpp"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "../chain/network.hpp"

namespace nwgctl::migration
{

using chain::contains;
using ruleset::Rule;
using ruleset::Verdict;

/* The peer that packets to an address are for: of those that may have it, the one with the longest prefix. */
static const Peer *peer_for(const Device &device, const Address &address)
{
	const Peer *best = nullptr;
	int length = -1;

	for (const auto &peer : device.peers) {
		for (const auto &prefix : peer.allowed_ips) {
			if (!contains(prefix, address) || prefix.length <= length)
				continue;
			best = &peer;
			length = prefix.length;
		}
	}
	return best;
}

static bool same_rule(const Rule &a, const Rule &b)
{
	return a.program == b.program && a.family == b.family && a.table == b.table &&
	       a.chain == b.chain && a.handle == b.handle;
}

/* Targets of iptables that change no address. */
static bool does_not_translate(const Rule &rule)
{
	static constexpr std::array targets = {
		"LOG", "NFLOG", "MARK", "CONNMARK", "CT", "NOTRACK"
	};

	return !rule.targets.empty() &&
	       std::ranges::find(targets, rule.targets[0]) != targets.end();
}

static bool ends_what_passes(const Rule &rule)
{
	return rule.verdict != Verdict::none && rule.verdict != Verdict::jump &&
	       rule.verdict != Verdict::other;
}

/* Whether it is, or is part of, a network that one of these addresses is in. */
static bool is_of_network(const Prefix &prefix, const std::vector<Prefix> &addresses)
{
	return std::ranges::any_of(addresses, [&](const Prefix &own) {
		return own.length <= prefix.length &&
		       own.address.masked(own.length) == prefix.address.masked(own.length);
	});
}

static Families families_of(const Address &address)
{
	return { address.family == AF_INET, address.family == AF_INET6 };
}

static Families families_of(const Rule &rule)
{
	const auto &packets = rule.packets.empty() ? rule.family : rule.packets;

	if (rule.family == "inet" && rule.to)
		return families_of(*rule.to);
	return { packets != "ip6", packets != "ip" };
}

static bool share(const Families &a, const Families &b)
{
	return (a.v4 && b.v4) || (a.v6 && b.v6);
}

/* Of another match of a rule of the forward chain, whether it keeps none of them away who are new here; what is translated is the translation's. */
static bool takes_all_new(const std::string &match)
{
	return ruleset::takes_new(match) == true || match == "ct status in dnat" ||
	       match == "ct status == dnat";
}

/* Errors and pings. */
static bool is_of_icmp(const Rule &rule)
{
	const auto is_word = [](const std::string &match) {
		const auto names = ruleset::names_in_set(match, "meta l4proto");

		return match.starts_with("icmp") ||
		       (!names.empty() && std::ranges::all_of(names, [](const std::string &name) {
			       return name == "icmp" || name == "ipv6-icmp";
		       }));
	};

	return rule.protocol.value_or("").find("icmp") != std::string::npos ||
	       std::ranges::any_of(rule.others, is_word);
}

class Planner {
    public:
	explicit Planner(const Machine &machine)
		: machine(machine)
		, name(machine.device.name)
	{
		for (const auto &network : machine.networks) {
			if (!network.prefix.length && network.interface != name)
				uplinks.insert(network.interface);
		}
	}
	Plan make()
	{
		for (const auto &rule : machine.ruleset.rules) {
			if (rule.verdict == Verdict::dnat)
				translation(rule);
			else if (rule.verdict == Verdict::other && rule.in_nat &&
				 rule.is_at("prerouting") && !does_not_translate(rule))
				leave(rule, "what it does is not known here",
				      "if it leads into the tunnel, write a [Relay] by hand");
		}
		/* Of a rule for several ports all are carried over, or it stays for the rest. */
		for (const auto &section : plan.relays) {
			for (const auto &rule : section.rules) {
				if (!has(plan.gone, rule) && !has(kept, rule))
					plan.gone.push_back(rule);
			}
		}
		companions();
		return std::move(plan);
	}

    private:
	static bool has(const std::vector<Rule> &rules, const Rule &rule)
	{
		return std::ranges::any_of(rules, [&](const Rule &other) {
			return same_rule(other, rule);
		});
	}
	void leave(const Rule &rule, const std::string &reason, const std::string &remedy)
	{
		const auto what = rule.command();

		kept.push_back(rule);
		if (std::ranges::none_of(plan.left, [&](const Remark &other) {
			    return other.what == what && other.reason == reason;
		    }))
			plan.left.push_back({ what, reason, remedy });
	}
	[[nodiscard]] bool is_near(const Address &address) const
	{
		return std::ranges::any_of(machine.addresses, [&](const Prefix &own) {
			return own.address.masked(own.length) == address.masked(own.length);
		});
	}

	/* By which the main table sends there, but for the tunnel; of what it does not know, its default routes. */
	[[nodiscard]] std::set<std::string> interfaces_to(const Address &address) const
	{
		std::set<std::string> interfaces;
		int length = -1;

		for (const auto &network : machine.networks) {
			if (network.interface == name || !contains(network.prefix, address) ||
			    network.prefix.length < length)
				continue;
			if (network.prefix.length > length)
				interfaces.clear();
			length = network.prefix.length;
			interfaces.insert(network.interface);
		}
		return interfaces;
	}
	/* Where clients of a relay come in. */
	[[nodiscard]] std::set<std::string> sides_of(const Transport &listen) const
	{
		if (!listen.interface.empty())
			return { listen.interface };
		return listen.address ? interfaces_to(*listen.address) : uplinks;
	}
	/* Which interface the kernel sends by; where it was not asked, the tunnel. */
	[[nodiscard]] std::string way_to(const Address &address) const
	{
		const auto way = machine.ways.find(address);

		return way == machine.ways.end() ? name : way->second;
	}
	[[nodiscard]] bool is_behind(const Address &address) const
	{
		return peer_for(machine.device, address) && way_to(address) == name;
	}
	/* Whether it leads into the tunnel; if not, it stays. */
	bool leads_here(const Rule &rule)
	{
		if (!rule.to) {
			leave(rule,
			      fmt::format("it leads to {}, which is no single address",
					  rule.to_text.empty() ? "?" : rule.to_text),
			      "write a [Relay] by hand, if that is in the tunnel: a relay has one "
			      "address and port to lead to");
			return false;
		}
		if (peer_for(machine.device, *rule.to)) {
			const auto way = way_to(*rule.to);

			if (way == name)
				return true;
			leave(rule,
			      way.empty() ?
				      fmt::format("there is no route to {}", rule.to->text()) :
				      fmt::format("{} is reached by another interface, {}",
						  rule.to->text(), way),
			      fmt::format("if it is to be reached by {}, route it there, and "
					  "migrate then",
					  name));
			return false;
		}
		for (const auto &other : machine.others) {
			if (!peer_for(other, *rule.to))
				continue;
			leave(rule,
			      fmt::format("{} is behind another interface, {}", rule.to->text(),
					  other.name),
			      fmt::format("that is migrated by itself: nwgctl migrate {}",
					  other.name));
			return false;
		}
		if (is_near(*rule.to)) {
			leave(rule,
			      fmt::format("no peer of {} has {} in its allowed IPs", name,
					  rule.to->text()),
			      fmt::format(
				      "add {}/{} to AllowedIPs of the peer that it is at, in the "
				      "file and by nwgctl set, and migrate then",
				      rule.to->text(), rule.to->bits()));
		} else {
			leave(rule,
			      fmt::format("it leads to another interface: no WireGuard peer has "
					  "{} in its allowed IPs",
					  rule.to->text()),
			      "it stays as it is, and needs what it has needed");
		}
		return false;
	}
	/* Why there can be no relay in its place; empty: there can. */
	static Remark obstacle(const Rule &rule)
	{
		if (!rule.is_at("prerouting"))
			return { {},
				 rule.hooks.empty() ? "nothing jumps to its chain" :
						      "it is for what this machine sends itself",
				 "a relay takes what comes from outside: send to where it leads" };
		if (rule.protocol != "udp")
			return { {},
				 fmt::format(
					 "it translates {}, and a relay is for WireGuard, which is "
					 "UDP",
					 rule.protocol ? *rule.protocol : "all protocols"),
				 "reach that through the inner tunnel, or let the rule be, and what it "
				 "needs: MASQUERADE, ip_forward" };
		if (rule.is_shared)
			return {
				{},
				"several rules jump to its chain, and who comes there is not known "
				"here",
				rule.table == "firewalld" ?
					"write the [Relay] by hand, and have firewalld translate no "
					"more: firewall-cmd --permanent --remove-forward-port=..." :
					"write the [Relay] by hand, and take the rule out"
			};
		if (!rule.others.empty())
			return { {},
				 fmt::format("it is limited by {}, which a relay cannot be",
					     fmt::join(rule.others, ", ")),
				 "filter in a raw chain, which comes before a relay, and write the "
				 "[Relay] by hand" };
		if (rule.ports.empty())
			return { {},
				 "it is for all ports, and a relay has one",
				 "write a [Relay] for the port of each inner WireGuard" };
		for (const auto &range : rule.ports) {
			if (range.first != range.last)
				return { {},
					 fmt::format("it is for a range of ports, {} to {}, and a "
						     "relay has one",
						     range.first, range.last),
					 "write a [Relay] for the port of each inner WireGuard" };
		}
		return {};
	}
	void translation(const Rule &rule)
	{
		if (!leads_here(rule))
			return;
		auto remark = obstacle(rule);
		if (remark.reason.empty() && rule.not_in && *rule.not_in != name)
			remark = { {},
				   fmt::format("it is for all interfaces but {}", *rule.not_in),
				   "write Listen = %DEV:PORT by hand, once for each interface" };
		if (remark.reason.empty() && rule.destination &&
		    std::ranges::find(machine.local, *rule.destination, &Prefix::address) ==
			    machine.local.end())
			remark = { {},
				   fmt::format("{} is not an address of this machine, and a relay "
					       "takes what is for those",
					       rule.destination->text()),
				   fmt::format(
					   "give it to an interface, as by ip addr add {}/{} dev "
					   "DEV, in place of proxy_arp, and migrate then",
					   rule.destination->text(), rule.destination->bits()) };
		if (!remark.reason.empty())
			return leave(rule, remark.reason, remark.remedy);
		for (const auto &ports : rule.ports)
			relay(rule, ports.first);
	}
	/* Where packets for a port come by a rule that translates them. */
	static Transport led_to(const Rule &rule, uint16_t port)
	{
		return { *rule.to, rule.to_port ? rule.to_port : port };
	}
	void relay(const Rule &rule, uint16_t port)
	{
		netlink::RelayChange relay;

		relay.interface = name;
		relay.listen = { .address = rule.destination,
				 .port = port,
				 .interface = rule.in.value_or("") };
		relay.peer = peer_for(machine.device, *rule.to)->public_key;
		relay.to = led_to(rule, port);
		for (auto &section : plan.relays) {
			if (section.relay.listen == relay.listen)
				return add_to(section, relay, rule);
		}
		const auto taken = [&](const netlink::RelayChange &other) {
			return overlap(other.listen, relay.listen);
		};
		const auto before = std::ranges::find_if(plan.relays, taken, &Section::relay);
		if (before != plan.relays.end())
			return leave(
				rule,
				fmt::format("the relay on {}, of a rule before it, has some of "
					    "what {} is to have",
					    before->relay.listen.text(), relay.listen.text()),
				"have clients come to one of both, or write an address or an "
				"interface into each Listen, so that they are apart");
		const auto present = std::ranges::find_if(machine.relays, taken);
		if (present != machine.relays.end())
			return leave(rule,
				     fmt::format("there is a relay on {} already",
						 present->listen.text()),
				     "take the rule out, or the relay");
		const auto is_taken = [&](bool connected) {
			return std::ranges::any_of(machine.sockets,
						   [&](const diagnosis::Socket &socket) {
							   return socket.connected == connected &&
								  socket.takes(relay.listen);
						   });
		};
		if (port == machine.device.listen_port || is_taken(false))
			return leave(
				rule,
				fmt::format("UDP port {} has a socket, and a relay wants it for "
					    "itself",
					    port),
				fmt::format("end what has it: ss -ulpn sport = :{}", port));
		if (earlier(rule, port))
			return;
		/* The port that a program has for a query may be free the next moment. */
		if (is_taken(true))
			plan.changes.push_back(
				{ fmt::format("relay {}", relay.listen.text()),
				  fmt::format(
					  "a program sends from UDP port {} at the moment, and the "
					  "relay wants it for itself",
					  port),
				  fmt::format("see that it does no more: ss -unp sport = :{}",
					      port) });
		relay.source = source(rule, *relay.to);
		if (rule.family != "ip6" && !rule.destination &&
		    relay.source->kind != NWG_SOURCE_TRANSPARENT)
			plan.changes.push_back(
				{ fmt::format("relay {}", relay.listen.text()),
				  "clients may come over IPv6, too, if the machine has addresses of that",
				  "to keep them out, write an address before the port in Listen" });
		filters(relay);
		plan.relays.push_back({ relay, { rule } });
	}
	/* A rule for the same port and addresses: as of the other address family. */
	void add_to(Section &section, const netlink::RelayChange &relay, const Rule &rule)
	{
		const auto &listen = relay.listen;
		const bool same_to = section.relay.to == relay.to;

		if (section.relay.peer != relay.peer)
			return leave(
				rule,
				fmt::format("{} is relayed to another peer already, by the rule "
					    "before it; clients of both address families go to one",
					    listen.text()),
				"if it is to be a relay, too, have it listen on an address or a "
				"port of its own");
		/* Of a WireGuard the port is what it is known by: it has that on all of its addresses. */
		if (!same_to && (section.relay.to->port != relay.to->port ||
				 section.relay.source->kind == NWG_SOURCE_TRANSPARENT))
			return leave(
				rule,
				fmt::format(
					"{} is relayed to {} already, by the rule before it, and "
					"not to {}; clients of both address families go to one",
					listen.text(), section.relay.to->text(), relay.to->text()),
				"if it is to be a relay, too, have it listen on an address or a "
				"port of its own");
		if (!same_to)
			plan.changes.push_back(
				{ rule.command(),
				  fmt::format("what it leads to {} goes to {} then, as what came by "
					      "the rule before it does",
					      relay.to->text(), section.relay.to->text()),
				  "see that the home's WireGuard listens on that address, too" });
		section.rules.push_back(rule);
	}
	/* Whether a rule that comes before it has the packets, or some of them. */
	bool earlier(const Rule &rule, uint16_t port)
	{
		for (const Rule *at = &rule; at; at = jump_to(*at)) {
			for (const auto &other : machine.ruleset.rules) {
				if (same_rule(other, *at))
					break;
				if (!in_same_chain(other, *at) || !ends_what_passes(other) ||
				    !other.may_match_udp(port) ||
				    (other.destination && rule.destination &&
				     *other.destination != *rule.destination) ||
				    (other.in && rule.in && *other.in != *rule.in))
					continue;
				leave(rule,
				      fmt::format(
					      "another rule comes before it, which may have these "
					      "packets: {}",
					      other.text),
				      "take the one or the other out, and migrate then");
				return true;
			}
		}
		return false;
	}
	static bool in_same_chain(const Rule &a, const Rule &b)
	{
		return a.program == b.program && a.family == b.family && a.table == b.table &&
		       a.chain == b.chain;
	}
	[[nodiscard]] const Rule *jump_to(const Rule &rule) const
	{
		for (const auto &other : machine.ruleset.rules) {
			if (other.program == rule.program && other.family == rule.family &&
			    other.table == rule.table && other.chain != rule.chain &&
			    std::ranges::find(other.targets, rule.chain) != other.targets.end())
				return &other;
		}
		return nullptr;
	}

	/* Whether a rule behind the routing is for what is translated to there, for others, too, or not at all. */
	[[nodiscard]] bool may_be_for(const Rule &rule, const Transport &to) const
	{
		return rule.out.value_or(name) == name && rule.may_match_udp(to.port) &&
		       rule.destination.value_or(*to.address) == *to.address &&
		       share(families_of(rule), families_of(*to.address));
	}
	/* Who clients are to the home: as the first rule has it that is for them. They come from outside, not from a network here. */
	netlink::Source source(const Rule &rule, const Transport &to)
	{
		for (const auto &other : machine.ruleset.rules) {
			if (!other.is_at("postrouting") || !other.in_nat ||
			    !ends_what_passes(other) || !may_be_for(other, to) ||
			    (other.source && is_of_network(*other.source, machine.local)))
				continue;
			const bool translates = other.verdict == Verdict::masquerade ||
						other.verdict == Verdict::snat;
			if (!translates && other.others.empty())
				break;
			if (!translates)
				continue;
			if (!other.others.empty())
				plan.changes.push_back(
					{ other.command(),
					  fmt::format(
						  "it is limited by {}: the relay masquerades all "
						  "of its clients",
						  fmt::join(other.others, ", ")),
					  "write Source as it is to be: nwg.conf(5)" });
			if (other.verdict == Verdict::snat && !is_own(other))
				plan.changes.push_back(
					{ other.command(),
					  fmt::format("clients have the address of {} then, not {}",
						      name, other.to_text),
					  "have the home let that in; or write Source = pool PREFIX" });
			return { .kind = NWG_SOURCE_MASQUERADE };
		}
		plan.changes.push_back(
			{ rule.command(),
			  "nothing masquerades what it translates: the relay is transparent",
			  "clients of the other address family are not for it; if the home is to see "
			  "the address of the tunnel, write Source = masquerade" });
		return { .kind = NWG_SOURCE_TRANSPARENT };
	}
	[[nodiscard]] bool is_own(const Rule &rule) const
	{
		return std::ranges::any_of(machine.addresses, [&](const Prefix &own) {
			return rule.to && own.address == *rule.to;
		});
	}
	/* What the forward chain has kept out, and no longer does. */
	void filters(const netlink::RelayChange &relay)
	{
		for (const auto &rule : machine.ruleset.rules) {
			const bool by_state =
				std::ranges::any_of(rule.others, [](const std::string &other) {
					return ruleset::takes_new(other).has_value();
				});
			const bool accepts_some =
				rule.verdict == Verdict::accept && !rule.others.empty() &&
				(rule.out || rule.destination || !rule.ports.empty());
			const bool drops_some = rule.verdict == Verdict::drop &&
						(rule.is_limited() || !rule.ports.empty());

			if (!rule.is_at("forward") || by_state || (!drops_some && !accepts_some) ||
			    rule.in == name || !may_be_for(rule, *relay.to))
				continue;
			const auto what = rule.command();
			if (std::ranges::none_of(plan.changes, [&](const Remark &other) {
				    return other.what == what;
			    }))
				plan.changes.push_back(
					{ what,
					  "what a relay takes does not pass the forward chain: this "
					  "keeps nobody out then",
					  "filter in a raw chain, which comes before it" });
		}
	}

	/* One for another interface than clients come by is somebody else's. */
	[[nodiscard]] bool is_for_relays(const Rule &rule) const
	{
		return std::ranges::any_of(plan.relays, [&](const Section &section) {
			if (rule.in && !sides_of(section.relay.listen).contains(*rule.in))
				return false;
			return std::ranges::any_of(section.rules, [&](const Rule &other) {
				return may_be_for(rule, led_to(other, section.relay.listen.port));
			});
		});
	}
	/* Of a rule that names ports: whether a relay is for each of them. */
	[[nodiscard]] bool is_only_for_relays(const Rule &rule) const
	{
		const auto is_for_relay = [&](unsigned int port) {
			Rule single = rule;

			single.ports = { { static_cast<uint16_t>(port),
					   static_cast<uint16_t>(port) } };
			return is_for_relays(single);
		};

		for (const auto &range : rule.ports) {
			for (unsigned int port = range.first; port <= range.last; port++) {
				if (!is_for_relay(port))
					return false;
			}
		}
		return true;
	}
	/* The translation that stays, and needs a rule behind the routing; nothing if there is none. */
	[[nodiscard]] const Rule *user_of(const Rule &rule) const
	{
		const auto needs = [&](const Rule &user) {
			std::vector<ruleset::Ports> ports = user.ports;

			if (user.verdict != Verdict::dnat || user.protocol.value_or("udp") != "udp")
				return false;
			if (!user.to)
				return true;
			if (!rule.destination && !is_behind(*user.to))
				return false;
			if (user.to_port)
				ports = { { user.to_port, user.to_port } };
			return std::ranges::any_of(rule.ports, [&](const ruleset::Ports &own) {
				const bool shared = std::ranges::any_of(
					ports, [&](const ruleset::Ports &range) {
						return range.first <= own.last &&
						       own.first <= range.last;
					});

				return (shared || ports.empty()) &&
				       may_be_for(rule, { *user.to, own.first });
			});
		};
		const auto user = std::ranges::find_if(kept, needs);

		return user == kept.end() ? nullptr : &*user;
	}
	/* Of the relays' ports only, and nobody else's, it goes. */
	void narrow_companion(const Rule &rule)
	{
		if (const Rule *user = user_of(rule))
			return leave(rule, fmt::format("what stays needs it: {}", user->command()),
				     "take it out when nothing does");
		if (!is_only_for_relays(rule))
			return leave(rule, "it is for other ports, too",
				     "take the relays' ports out of it");
		plan.gone.push_back(rule);
	}
	static bool masquerades(const Rule &rule)
	{
		return rule.is_at("postrouting") &&
		       (rule.verdict == Verdict::masquerade || rule.verdict == Verdict::snat);
	}
	/* Packets of connections that there are, which needs no forwarding that nothing else needs. */
	static bool is_for_answers(const Rule &rule)
	{
		return std::ranges::any_of(rule.others, [](const std::string &other) {
			return ruleset::takes_new(other) == false;
		});
	}
	/* By a map of verdicts, too, of which not all are known. */
	static bool forwards(const Rule &rule)
	{
		const bool by_map = std::ranges::any_of(rule.others, [](const std::string &other) {
			const auto map = other.find(" vmap ");

			return map != other.npos && (other.find("\"accept\"", map) != other.npos ||
						     other.find('@', map) != other.npos);
		});

		return rule.is_at("forward") && (rule.verdict == Verdict::accept ||
						 (rule.verdict == Verdict::jump && by_map));
	}
	/* To a program, which may let them through. */
	static bool queues(const Rule &rule)
	{
		const auto is_queue = [](const std::string &text) {
			return text == "NFQUEUE" || text == "QUEUE" || text == "queue" ||
			       text == "xt NFQUEUE";
		};

		return rule.is_at("forward") && (std::ranges::any_of(rule.targets, is_queue) ||
						 std::ranges::any_of(rule.others, is_queue));
	}
	/* Whether new packets may pass the forward chain by it, other than errors and pings. */
	static bool lets_through(const Rule &rule)
	{
		return (forwards(rule) || queues(rule)) && !is_for_answers(rule) &&
		       !is_of_icmp(rule) && rule.in != "lo";
	}
	/* Likewise, and those are for no relay; one for all packets says nothing of that. */
	[[nodiscard]] bool forwards_others(const Rule &rule) const
	{
		if (!lets_through(rule))
			return false;
		return rule.in || rule.out || rule.not_in || rule.destination ||
		       !std::ranges::all_of(rule.others, takes_all_new) ||
		       (!rule.ports.empty() && !is_only_for_relays(rule));
	}
	/* Whether it translates packets, or may. */
	static bool translates(const Rule &rule)
	{
		return rule.verdict == Verdict::dnat || masquerades(rule) ||
		       (rule.verdict == Verdict::other && rule.in_nat && !does_not_translate(rule));
	}
	/* What comes with a translation, MASQUERADE and FORWARD rules: for the relays, or for all that goes in there. */
	void companions()
	{
		std::vector<Rule> wide;

		if (plan.relays.empty())
			return needs_forwarding({});
		for (const auto &rule : machine.ruleset.rules) {
			const bool narrow = rule.protocol == "udp" && !rule.ports.empty();
			/* The other direction of what is forwarded. */
			const bool answers = forwards(rule) && rule.in == name && !rule.out &&
					     !rule.destination && rule.ports.empty();
			const bool named = rule.out == name || rule.destination;

			if ((!masquerades(rule) && !forwards(rule)) ||
			    (!answers && (!named || !is_for_relays(rule))) ||
			    !std::ranges::all_of(rule.others, takes_all_new))
				continue;
			if (narrow)
				narrow_companion(rule);
			else
				wide.push_back(rule);
		}
		needs_forwarding(wide);
		for (const auto &rule : wide) {
			const auto user =
				std::ranges::find_if(plan.forwarding, [&](const User &one) {
					return share(one.families, families_of(rule));
				});

			if (user == plan.forwarding.end())
				plan.gone.push_back(rule);
			else
				leave(rule,
				      fmt::format("what this machine still forwards may need it: {}",
						  user->what),
				      "take it out when nothing does");
		}
	}
	void needs_forwarding(const std::vector<Rule> &wide)
	{
		for (const auto &rule : machine.ruleset.rules) {
			if ((translates(rule) || forwards_others(rule)) && !has(plan.gone, rule) &&
			    !has(wide, rule))
				plan.forwarding.push_back({ rule.command(), families_of(rule) });
		}
		peers_need_forwarding();
		networks_need_forwarding();
		for (const auto &other : machine.others)
			plan.forwarding.push_back(
				{ fmt::format("interface {}", other.name), { true, true } });
	}
	/* Whether only those are forwarded whose interface a rule names. */
	[[nodiscard]] bool names_who_passes(const Families &families) const
	{
		const auto is_for_any = [&](const Rule &rule) {
			return (!rule.in || rule.in == name) && lets_through(rule) &&
			       share(families_of(rule), families);
		};

		return drops_forward(families) &&
		       std::ranges::none_of(machine.ruleset.rules, is_for_any);
	}
	/* Whether what no rule accepts is not forwarded. */
	[[nodiscard]] bool drops_forward(const Families &families) const
	{
		return std::ranges::any_of(machine.ruleset.chains,
					   [&](const ruleset::Chain &chain) {
						   return chain.hook == "forward" && chain.drops &&
							  (chain.family == "inet" ||
							   (chain.family == "ip" && families.v4) ||
							   (chain.family == "ip6" && families.v6));
					   });
	}
	/* Who is behind another interface than those that lead outside may come by this machine, where no rule has to name that. */
	void networks_need_forwarding()
	{
		std::set<std::pair<std::string, uint16_t>> said;

		for (const auto &[prefix, interface] : machine.networks) {
			const auto families = families_of(prefix.address);

			if (interface == name || interface == "lo" || uplinks.contains(interface) ||
			    is_link_local(prefix.address) || names_who_passes(families) ||
			    !said.insert({ interface, prefix.address.family }).second)
				continue;
			plan.forwarding.push_back(
				{ fmt::format("{}, which is behind {}", prefix.text(), interface),
				  families });
		}
	}
	static bool is_link_local(const Address &address)
	{
		static const Prefix prefix = { *Address::from_text("fe80::"), 10 };

		return contains(prefix, address);
	}
	void peers_need_forwarding()
	{
		unsigned int v4 = 0, v6 = 0;

		for (const auto &peer : machine.device.peers) {
			v4 += has_family(peer, AF_INET);
			v6 += has_family(peer, AF_INET6);
			for (const auto &prefix : peer.allowed_ips) {
				if (!is_in_tunnel(prefix))
					plan.forwarding.push_back(
						{ fmt::format("{}, which is behind a peer of {}",
							      prefix.text(), name),
						  families_of(prefix.address) });
			}
		}
		if (v4 > 1 || v6 > 1)
			plan.forwarding.push_back(
				{ fmt::format("the peers of {}, among each other", name),
				  { v4 > 1, v6 > 1 } });
	}
	static bool has_family(const Peer &peer, uint16_t family)
	{
		return std::ranges::any_of(peer.allowed_ips, [&](const Prefix &prefix) {
			return prefix.address.family == family;
		});
	}
	/* Of the tunnel's own networks, or what a relay leads to; all else is behind a peer, and reached by forwarding. */
	[[nodiscard]] bool is_in_tunnel(const Prefix &prefix) const
	{
		return is_of_network(prefix, machine.addresses) ||
		       std::ranges::any_of(plan.relays, [&](const Section &section) {
			       return prefix == chain::single(*section.relay.to->address);
		       });
	}

	const Machine &machine;
	const std::string name;
	/* The interfaces of default routes. */
	std::set<std::string> uplinks;
	Plan plan;
	/* Translations that stay. */
	std::vector<Rule> kept;
};

Families Plan::needless() const
{
	Families families;

	for (const auto &section : relays) {
		const auto of_relay = families_of(*section.relay.to->address);

		families.v4 |= of_relay.v4;
		families.v6 |= of_relay.v6;
	}
	for (const auto &user : forwarding) {
		families.v4 &= !user.families.v4;
		families.v6 &= !user.families.v6;
	}
	return families;
}

Plan make_plan(const Machine &machine)
{
	return Planner(machine).make();
}

} // namespace nwgctl::migration
