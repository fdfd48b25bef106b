// SPDX-License-Identifier: GPL-2.0
/* Rules of nft and iptables that keep a relay from its packets, or that it has replaced. */
#include <algorithm>
#include <set>
#include <sstream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "finding.hpp"

namespace nwgctl::diagnosis
{

using Json = nlohmann::json;

/* Of the relay's hook, which lies behind raw and before conntrack. Chains with lower ones see packets before it. */
static constexpr int relay_priority = -250;

struct RuleSeen {
	/* "table inet filter, chain early" */
	std::string where;
	bool drops = false, translates = false;
	/* Matches on the port; all if there is none. */
	std::set<uint16_t> udp_ports;
	bool has_port = false, has_other_match = false;
	/* Where it translates to. */
	std::string to;
};

/* A chain that packets come to before the relay does, or one that translates their destination. */
struct Chain {
	std::string where;
	bool early = false, translates = false, drops = false;
};

/* Numbers of a right side: one, a set, or ranges, of which the ends are enough to tell. */
static void add_ports(const Json &right, std::set<uint16_t> &ports)
{
	if (right.is_number_unsigned()) {
		ports.insert(right.get<uint16_t>());
	} else if (right.is_object() && right.contains("set")) {
		for (const auto &item : right["set"])
			add_ports(item, ports);
	} else if (right.is_object() && right.contains("range") && right["range"].is_array() &&
		   right["range"].size() == 2 && right["range"][0].is_number_unsigned() &&
		   right["range"][1].is_number_unsigned()) {
		for (unsigned int port = right["range"][0]; port <= right["range"][1]; port++)
			ports.insert(static_cast<uint16_t>(port));
	}
}

static RuleSeen read_rule(const Json &expressions, const std::string &where)
{
	RuleSeen rule{ .where = where, .udp_ports = {}, .to = {} };

	for (const auto &expression : expressions) {
		if (expression.contains("drop") || expression.contains("reject"))
			rule.drops = true;
		if (expression.contains("dnat")) {
			rule.translates = true;
			rule.to = expression["dnat"].value("addr", Json()).dump();
		}
		if (!expression.contains("match"))
			continue;
		const Json &left = expression["match"]["left"];
		const bool port = left.contains("payload") &&
				  left["payload"].value("field", "") == "dport";

		rule.has_port |= port;
		rule.has_other_match |= !port;
		if (port && left["payload"].value("protocol", "") != "tcp" &&
		    expression["match"].value("op", "==") != "!=")
			add_ports(expression["match"]["right"], rule.udp_ports);
	}
	return rule;
}

static std::string chain_name(const Json &object, const char *chain_key)
{
	return fmt::format("table {} {}, chain {}", object.value("family", ""),
			   object.value("table", ""), object.value(chain_key, ""));
}

/* The rules of chains that matter here. */
static std::vector<RuleSeen> read_nft(const std::string &text)
{
	const Json ruleset = Json::parse(text, nullptr, false);
	std::map<std::string, Chain> chains;
	std::vector<RuleSeen> rules;

	if (!ruleset.is_object() || !ruleset.contains("nftables"))
		return rules;
	for (const auto &object : ruleset["nftables"]) {
		if (!object.contains("chain"))
			continue;
		const Json &chain = object["chain"];
		const auto hook = chain.value("hook", "");
		const int priority = chain.contains("prio") && chain["prio"].is_number() ?
					     chain["prio"].get<int>() :
					     0;

		chains[chain_name(chain, "name")] = {
			.where = chain_name(chain, "name"),
			.early = hook == "ingress" ||
				 (hook == "prerouting" && priority < relay_priority),
			.translates = hook == "prerouting" && chain.value("type", "") == "nat",
			.drops = chain.value("policy", "") == "drop",
		};
	}
	for (const auto &[name, chain] : chains) {
		if (chain.early && chain.drops)
			rules.push_back({ .where = name + " (its policy)",
					  .drops = true,
					  .udp_ports = {},
					  .has_other_match = true,
					  .to = {} });
	}
	for (const auto &object : ruleset["nftables"]) {
		if (!object.contains("rule") || !object["rule"].contains("expr"))
			continue;
		const auto chain = chains.find(chain_name(object["rule"], "chain"));
		auto rule = read_rule(object["rule"]["expr"], chain_name(object["rule"], "chain"));

		rule.drops &= chain != chains.end() && chain->second.early;
		if (rule.drops || rule.translates)
			rules.push_back(std::move(rule));
	}
	return rules;
}

/* What iptables-save prints: "*table" and then "-A CHAIN ... -j TARGET". */
static std::vector<RuleSeen> read_iptables(const std::string &text)
{
	std::istringstream lines(text);
	std::string line, table;
	std::vector<RuleSeen> rules;

	while (std::getline(lines, line)) {
		std::istringstream words(line);
		std::string word, chain, before;
		bool udp = false;

		if (line.starts_with('*'))
			table = line.substr(1);
		if (!line.starts_with("-A "))
			continue;
		words >> word >> chain;
		RuleSeen rule{ .where = fmt::format("iptables, table {}, chain {}", table, chain),
			       .udp_ports = {},
			       .to = {} };
		while (words >> word) {
			if (before == "-p")
				udp = word == "udp";
			else if (before == "--dport" && udp)
				rule.udp_ports.insert(
					static_cast<uint16_t>(strtoul(word.c_str(), nullptr, 10)));
			else if (before == "-j")
				rule.drops = table == "raw" && chain == "PREROUTING" &&
					     word == "DROP";
			else if (before == "-s" || before == "-d" || before == "-i")
				rule.has_other_match = true;
			if (before == "-j" && word == "DNAT")
				rule.translates = true;
			if (before == "--to-destination")
				rule.to = word;
			rule.has_port |= before == "--dport";
			before = word;
		}
		if (rule.drops || rule.translates)
			rules.push_back(std::move(rule));
	}
	return rules;
}

std::vector<Finding> check_firewall(const Machine &machine)
{
	auto rules = read_nft(machine.nft);
	std::vector<Finding> findings;

	std::ranges::move(read_iptables(machine.iptables), std::back_inserter(rules));
	for (const auto &relay : machine.relays) {
		const auto where = fmt::format("relay {}", relay.listen.text());

		for (const auto &rule : rules) {
			const bool names_port = rule.udp_ports.contains(relay.listen.port);

			if (rule.drops && (names_port || (!rule.has_port && !rule.has_other_match)))
				findings.push_back(
					{ "raw-drop", where,
					  fmt::format(
						  "A rule drops what comes to the port before the "
						  "relay sees it: {}",
						  rule.where),
					  fmt::format("take it out, or accept UDP port {} before it",
						      relay.listen.port) });
			else if (rule.drops && !rule.has_port)
				findings.push_back(
					{ "raw-may-drop", where,
					  fmt::format(
						  "A rule may drop what comes to the port before "
						  "the relay sees it: {}",
						  rule.where),
					  fmt::format("see that UDP port {} is accepted before it",
						      relay.listen.port) });
			if (rule.translates && names_port)
				findings.push_back(
					{ "old-dnat", where,
					  fmt::format("A rule still translates what comes to the "
						      "port{}, which the relay has now: {}",
						      rule.to.empty() || rule.to == "null" ?
							      "" :
							      fmt::format(" to {}", rule.to),
						      rule.where),
					  "take it out, and the MASQUERADE that goes with it" });
		}
	}
	return findings;
}

} // namespace nwgctl::diagnosis
