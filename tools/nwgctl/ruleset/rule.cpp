// SPDX-License-Identifier: GPL-2.0
#include "rule.hpp"

#include <algorithm>
#include <map>
#include <set>

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

bool Rule::is_at(std::string_view hook) const
{
	return std::ranges::find(hooks, hook) != hooks.end();
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

std::vector<std::string> names_in_set(std::string_view match, std::string_view key)
{
	const auto start = fmt::format(R"({} == {{"set":[)", key);
	std::vector<std::string> names;

	if (!match.starts_with(start))
		return {};
	for (match.remove_prefix(start.size()); match.starts_with('"');) {
		const auto end = match.find('"', 1);

		if (end == match.npos)
			return {};
		names.emplace_back(match.substr(1, end - 1));
		match.remove_prefix(end + 1);
		if (match.starts_with(','))
			match.remove_prefix(1);
	}
	return match == "]}" ? names : std::vector<std::string>();
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
	       is_goto == other.is_goto && to == other.to && to_port == other.to_port &&
	       to_text == other.to_text;
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
	if (rule.packets.empty())
		rule.packets = jump.packets;
	if (rule.ports.empty())
		rule.ports = jump.ports;
	else if (!jump.ports.empty() && jump.ports != rule.ports)
		rule.others.push_back(jump.text);
	std::ranges::copy(jump.others, std::back_inserter(rule.others));
}

/* Chains by their place, and the rules that jump to it. */
class Jumps {
    public:
	explicit Jumps(const Ruleset &ruleset)
	{
		for (const auto &chain : ruleset.chains)
			chains.emplace(chain.where(), &chain);
		for (const auto &rule : ruleset.rules) {
			for (const auto &target :
			     std::set(rule.targets.begin(), rule.targets.end()))
				jumps[place(rule.program, rule.family, rule.table, target)]
					.push_back(&rule);
		}
	}
	/* None to a chain that has a hook. */
	[[nodiscard]] std::vector<const Rule *> to(const std::string &where) const
	{
		const auto found = jumps.find(where);

		return found == jumps.end() || base(where) ? std::vector<const Rule *>() :
							     found->second;
	}
	/* Nothing if it has no hook. */
	[[nodiscard]] const Chain *base(const std::string &where) const
	{
		const auto chain = chains.find(where);

		return chain == chains.end() || chain->second->hook.empty() ? nullptr :
									      chain->second;
	}
	/* Those with hooks that packets come from. */
	[[nodiscard]] std::vector<const Chain *> bases_of(const std::string &where) const
	{
		std::vector<std::string> places = { where };
		std::vector<const Chain *> bases;

		for (std::size_t at = 0; at < places.size(); at++) {
			if (const Chain *chain = base(places[at]))
				bases.push_back(chain);
			for (const Rule *jump : to(places[at])) {
				if (std::ranges::find(places, jump->where()) == places.end())
					places.push_back(jump->where());
			}
		}
		return bases;
	}

    private:
	std::map<std::string, const Chain *> chains;
	std::map<std::string, std::vector<const Rule *>> jumps;
};

static void resolve(Rule &rule, const Jumps &jumps)
{
	const auto bases = jumps.bases_of(rule.where());
	auto where = rule.where();

	if (!bases.empty())
		rule.in_nat = bases[0]->translates;
	for (const Chain *chain : bases)
		rule.hooks.push_back(chain->hook);
	for (int depth = 0; depth < max_depth; depth++) {
		const auto from = jumps.to(where);

		if (from.empty())
			break;
		if (from.size() > 1) {
			rule.is_shared = true;
			rule.others.push_back(
				fmt::format("{}, which several rules jump to", where));
			break;
		}
		merge_matches(rule, *from[0]);
		where = from[0]->where();
	}
}

void resolve_jumps(Ruleset &ruleset)
{
	const auto before = ruleset;
	const Jumps jumps(before);

	for (auto &rule : ruleset.rules)
		resolve(rule, jumps);
}

} // namespace nwgctl::ruleset
