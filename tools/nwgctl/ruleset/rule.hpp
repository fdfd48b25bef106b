/* SPDX-License-Identifier: GPL-2.0 */
/* Rules of packet filters, of iptables(8) and nft(8) alike: as far as they say where UDP packets go. */
#ifndef NWGCTL_RULESET_RULE_HPP
#define NWGCTL_RULESET_RULE_HPP

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "../address.hpp"

namespace nwgctl::ruleset
{

enum class Verdict {
	none,
	accept,
	drop,
	jump,
	back,
	dnat,
	snat,
	masquerade,
	redirect,
	/* One that is not known here. */
	other,
};

/* One port, or those from the first to the last. */
struct Ports {
	uint16_t first = 0, last = 0;

	bool operator==(const Ports &) const = default;
};

/* Where a chain hangs. */
struct Chain {
	/* As in Rule. */
	std::string program, family, table, name;
	/* "prerouting", "forward" and so on; empty if other chains jump to it. */
	std::string hook;
	int priority = 0;
	/* Of type nat. */
	bool translates = false;
	/* What comes to its end is dropped. */
	bool drops = false;

	/* "table inet filter, chain early" */
	[[nodiscard]] std::string where() const;
};

struct Rule {
	/* What changes it: "nft", "iptables", "ip6tables-legacy" and so on. */
	std::string program;
	/* "ip", "ip6", "inet" and so on */
	std::string family;
	std::string table, chain;
	/* nft's number of it; of iptables, which line it is. */
	unsigned int handle = 0;
	/* Its matches and its verdict, as that program prints them. */
	std::string text;
	/* That as words, of iptables. */
	std::vector<std::string> words;

	/* Of the chain, or of all those that lead to it. */
	std::vector<std::string> hooks;
	/* Several rules jump to the chain, or to one before it: what they ask for is not among the matches. */
	bool is_shared = false;
	/* In a chain of type nat. */
	bool in_nat = false;

	/* "ip" or "ip6": the family of packets that it is about, where its table has both; empty: any that the table has. */
	std::string packets;
	/* What packets have to be; what is absent does not matter. */
	std::optional<std::string> protocol, in, out;
	std::optional<Address> destination;
	/* Destination ports; any if there is none. */
	std::vector<Ports> ports;
	/* An interface that they do not come in by. */
	std::optional<std::string> not_in;
	/* Where they come from, if that is one prefix: it is among the other matches, too. */
	std::optional<Prefix> source;
	/* All other matches, as text. */
	std::vector<std::string> others;

	Verdict verdict = Verdict::none;
	/* Chains that it jumps to. */
	std::vector<std::string> targets;
	/* What comes to their end goes on behind the rule that led to this one's chain, not behind this one. Of a map, maybe. */
	bool is_goto = false;
	/* Where dnat leads, or who snat makes the sender: an address and, if that is given, a port; as text in any case. */
	std::optional<Address> to;
	uint16_t to_port = 0;
	std::string to_text;

	/* Whether packets come to it from there. */
	[[nodiscard]] bool is_at(std::string_view hook) const;
	/* Whether it may be about UDP packets to that port. */
	[[nodiscard]] bool may_match_udp(uint16_t port) const;
	/* Whether it names that port, of UDP. */
	[[nodiscard]] bool names_udp(uint16_t port) const;
	/* Whether it wants more than a protocol and ports. */
	[[nodiscard]] bool is_limited() const;
	/* "table inet filter, chain early", "iptables, table nat, chain PREROUTING" */
	[[nodiscard]] std::string where() const;
	/* Command that adds it, and the one that deletes it. */
	[[nodiscard]] std::string command() const;
	[[nodiscard]] std::string delete_command() const;
	/* Whether both match the same and do the same, whichever way they were written. */
	[[nodiscard]] bool does_as(const Rule &other) const;
};

/* All that is known of a machine's rules. */
struct Ruleset {
	std::vector<Chain> chains;
	std::vector<Rule> rules;
};

/* Gives a rule of a chain without a hook the hooks of the chains that lead to it, and the matches of the rule that jumps there. */
void resolve_jumps(Ruleset &ruleset);

/* Of a match on the state of connections, whether packets of none that is known have it; nothing of another match. */
std::optional<bool> takes_new(const std::string &match);

/* Of a match of nft on one of several names, as "meta iifname": these; empty if it is another match, or there is more to it. */
std::vector<std::string> names_in_set(std::string_view match, std::string_view key);

/* A word of a command line for a shell. */
std::string quoted(const std::string &word);

} // namespace nwgctl::ruleset

#endif
