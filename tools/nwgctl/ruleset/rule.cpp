// SPDX-License-Identifier: GPL-2.0
#include "rule.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace nwgctl::ruleset
{

/* Of chains that jump to chains. */
static constexpr int max_depth = 16;

static std::string place(const std::string &program, const std::string &family,
			 const std::string &table, const std::string &chain)
{
	return program == "nft" ? fmt::format("table {} {}, chain {}", family, table, chain) :
				  fmt::format("{}, table {}, chain {}", program, table, chain);
}

std::string Chain::where() const
{
	return place(program, family, table, name);
}

std::string Rule::where() const
{
	return place(program, family, table, chain);
}

bool Rule::names_udp(uint16_t port) const
{
	return protocol.value_or("udp") == "udp" &&
	       std::ranges::any_of(ports, [port](const Ports &range) {
		       return range.first <= port && port <= range.last;
	       });
}

bool Rule::may_match_udp(uint16_t port) const
{
	return ports.empty() ? protocol.value_or("udp") == "udp" : names_udp(port);
}

bool Rule::is_limited() const
{
	return in || out || not_in || destination || !others.empty();
}

std::optional<bool> takes_new(const std::string &match)
{
	const bool by_word = match.starts_with("ct state "),
		   by_option = match.find("--ctstate ") != match.npos ||
			       match.find("--state ") != match.npos;
	const bool negated = match.starts_with("! ") || match.find(" != ") != match.npos;

	if (!by_word && !by_option)
		return std::nullopt;
	return (match.find(by_word ? "new" : "NEW") != match.npos) != negated;
}

std::string quoted(const std::string &word)
{
	static constexpr std::string_view plain = "_-+=:,./@%!";
	std::string text = "'";

	if (!word.empty() && std::ranges::all_of(word, [](unsigned char character) {
		    return isalnum(character) || plain.find(character) != plain.npos;
	    }))
		return word;
	for (const char character : word)
		text += character == '\'' ? "'\\''" : std::string(1, character);
	return text + "'";
}

static std::string joined(const std::vector<std::string> &words)
{
	std::string text;

	for (const auto &word : words)
		text += ' ' + quoted(word);
	return text;
}

std::string Rule::command() const
{
	if (program == "nft")
		return fmt::format("nft add rule {} {} {} {}", family, table, chain, text);
	return fmt::format("{} -t {} -A {}{}", program, table, quoted(chain), joined(words));
}

std::string Rule::delete_command() const
{
	if (program == "nft")
		return fmt::format("nft delete rule {} {} {} handle {}", family, table, chain,
				   handle);
	return fmt::format("{} -t {} -D {}{}", program, table, quoted(chain), joined(words));
}

bool Rule::does_as(const Rule &other) const
{
	return family == other.family && table == other.table && chain == other.chain &&
	       protocol == other.protocol && in == other.in && out == other.out &&
	       not_in == other.not_in && destination == other.destination && ports == other.ports &&
	       others == other.others && verdict == other.verdict && targets == other.targets &&
	       to == other.to && to_port == other.to_port && to_text == other.to_text;
}

/* What both ask for; if they ask for different things, that is a match that is not known here. */
template <typename Item>
static void merge(std::optional<Item> &value, const std::optional<Item> &more,
		  std::vector<std::string> &others, const Rule &from)
{
	if (value && more && *value != *more)
		others.push_back(from.text);
	else if (more)
		value = more;
}

static void merge_matches(Rule &rule, const Rule &jump)
{
	merge(rule.protocol, jump.protocol, rule.others, jump);
	merge(rule.in, jump.in, rule.others, jump);
	merge(rule.out, jump.out, rule.others, jump);
	merge(rule.not_in, jump.not_in, rule.others, jump);
	merge(rule.destination, jump.destination, rule.others, jump);
	if (!rule.source)
		rule.source = jump.source;
	if (rule.ports.empty())
		rule.ports = jump.ports;
	else if (!jump.ports.empty() && jump.ports != rule.ports)
		rule.others.push_back(jump.text);
	std::ranges::copy(jump.others, std::back_inserter(rule.others));
}

void resolve_jumps(Ruleset &ruleset)
{
	const auto rules = ruleset.rules;
	const auto chain_of = [&](const Rule &rule) {
		return std::ranges::find_if(ruleset.chains, [&](const Chain &chain) {
			return chain.program == rule.program && chain.family == rule.family &&
			       chain.table == rule.table && chain.name == rule.chain;
		});
	};

	for (auto &rule : ruleset.rules) {
		const Rule *at = &rule;

		for (int depth = 0; at && depth < max_depth; depth++) {
			const auto chain = chain_of(*at);

			if (chain != ruleset.chains.end() && !chain->hook.empty()) {
				rule.hook = chain->hook;
				rule.priority = chain->priority;
				rule.in_nat = chain->translates;
				break;
			}
			const Rule *from = nullptr;
			for (const auto &jump : rules) {
				if (jump.program != at->program || jump.family != at->family ||
				    jump.table != at->table ||
				    std::ranges::find(jump.targets, at->chain) ==
					    jump.targets.end())
					continue;
				if (from)
					rule.others.push_back(
						fmt::format("chain {}, which several rules jump to",
							    at->chain));
				else
					from = &jump;
			}
			if (from)
				merge_matches(rule, *from);
			at = from;
		}
	}
}

} // namespace nwgctl::ruleset
