// SPDX-License-Identifier: GPL-2.0
#include "iptables.hpp"

#include <algorithm>
#include <array>
#include <sstream>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "../config/value.hpp"

namespace nwgctl::ruleset
{

/* Extensions whose own options are known below, or that say nothing. */
static constexpr std::array known_extensions = { "udp",	     "tcp",	  "multiport", "comment",
						 "addrtype", "conntrack", "state" };

struct BuiltIn {
	const char *table, *chain, *hook;
	int priority;
};

/* Those that packets pass which come from outside, or are sent on. */
static constexpr BuiltIn built_in[] = {
	{ "raw", "PREROUTING", "prerouting", -300 },
	{ "mangle", "PREROUTING", "prerouting", -150 },
	{ "nat", "PREROUTING", "prerouting", -100 },
	{ "mangle", "FORWARD", "forward", -150 },
	{ "filter", "FORWARD", "forward", 0 },
	{ "security", "FORWARD", "forward", 50 },
	{ "mangle", "POSTROUTING", "postrouting", -150 },
	{ "nat", "POSTROUTING", "postrouting", 100 },
	{ "nat", "OUTPUT", "output", -100 },
	{ "raw", "OUTPUT", "output", -300 },
	{ "mangle", "OUTPUT", "output", -150 },
	{ "filter", "OUTPUT", "output", 0 },
	{ "security", "OUTPUT", "output", 50 },
	{ "mangle", "INPUT", "input", -150 },
	{ "nat", "INPUT", "input", 100 },
	{ "filter", "INPUT", "input", 0 },
	{ "security", "INPUT", "input", 50 },
};

std::string family_of(std::string_view program)
{
	return program.starts_with("ip6") ? "ip6" : "ip";
}

std::vector<std::string> split_saved(std::string_view line)
{
	std::vector<std::string> words;
	std::string word;
	bool inside = false, any = false;

	for (std::size_t at = 0; at < line.size(); at++) {
		const char character = line[at];

		if (inside && character == '\\' && at + 1 < line.size()) {
			word += line[++at];
		} else if (character == '"') {
			inside = !inside;
			any = true;
		} else if (!inside && isspace(static_cast<unsigned char>(character))) {
			if (any)
				words.push_back(std::move(word));
			word.clear();
			any = false;
		} else {
			word += character;
			any = true;
		}
	}
	if (any)
		words.push_back(std::move(word));
	return words;
}

/* N or N:N, with commas between; nothing if it is something else, such as the name of a service. */
static std::optional<std::vector<Ports>> parse_ports(std::string_view text)
{
	std::vector<Ports> list;

	for (;;) {
		const auto comma = std::min(text.find(','), text.size());
		const auto item = text.substr(0, comma), head = item.substr(0, item.find(':'));
		const auto first = config::parse_port(head);
		const auto last = head.size() == item.size() ?
					  first :
					  config::parse_port(item.substr(head.size() + 1));

		if (!first || !last)
			return std::nullopt;
		list.push_back({ first.value(), last.value() });
		if (comma == text.size())
			return list;
		text.remove_prefix(comma + 1);
	}
}

/* One address, with the length of one if any. */
static std::optional<Address> parse_single(const std::string &text)
{
	const auto prefix = config::parse_interface_address(text);

	if (!prefix || prefix.value().length != prefix.value().address.bits())
		return std::nullopt;
	return prefix.value().address;
}

/* ADDR, ADDR:PORT or [ADDR]:PORT; of ranges the text is all that is kept. */
static void parse_destination(Rule &rule, const std::string &text)
{
	rule.to_text = text;
	rule.to = Address::from_text(text);
	if (rule.to || text.empty())
		return;
	const auto to = config::parse_transport(text);
	if (!to)
		return;
	rule.to = to.value().address;
	rule.to_port = to.value().port;
}

static Verdict verdict_of(const std::string &target)
{
	static const std::pair<const char *, Verdict> verdicts[] = {
		{ "ACCEPT", Verdict::accept },	   { "DROP", Verdict::drop },
		{ "REJECT", Verdict::drop },	   { "RETURN", Verdict::back },
		{ "DNAT", Verdict::dnat },	   { "SNAT", Verdict::snat },
		{ "REDIRECT", Verdict::redirect }, { "MASQUERADE", Verdict::masquerade },
	};

	for (const auto &[name, verdict] : verdicts) {
		if (target == name)
			return verdict;
	}
	/* Whether it is an extension or a chain, only the chains tell. */
	return Verdict::jump;
}

/* One after the other takes what is its own. */
class RuleParser {
    public:
	RuleParser(Rule &rule, const std::vector<std::string> &words)
		: rule(rule)
		, words(words)
	{
	}
	void parse()
	{
		while (at < words.size()) {
			negated = words[at] == "!";
			if (negated && ++at == words.size())
				break;
			option = words[at++];
			if (!take_option())
				take_unknown();
		}
	}

    private:
	bool is(std::initializer_list<const char *> names) const
	{
		return std::ranges::any_of(names,
					   [this](const char *name) { return option == name; });
	}
	std::string value()
	{
		return at < words.size() ? words[at++] : "";
	}
	/* A match that is not known, as it was written. */
	void other(const std::string &text)
	{
		rule.others.push_back(fmt::format("{}{}{}{}", negated ? "! " : "", option,
						  text.empty() ? "" : " ", text));
	}
	template <typename Item>
	void keep(std::optional<Item> &place, const std::string &text,
		  const std::optional<Item> &item)
	{
		if (negated || !item)
			other(text);
		else
			place = item;
	}
	/* With a + at its end it is the beginning of names. */
	static std::optional<std::string> interface(const std::string &name)
	{
		if (name.ends_with('+'))
			return std::nullopt;
		return name;
	}
	bool take_option()
	{
		if (is({ "-p", "--protocol", "--proto" })) {
			const auto name = value();

			keep(rule.protocol, name, std::optional(name == "17" ? "udp" : name));
		} else if (is({ "-s", "--source", "--src" })) {
			const auto text = value();

			other(text);
			if (auto prefix = config::parse_interface_address(text); prefix && !negated)
				rule.source = prefix.take();
		} else if (is({ "-d", "--destination", "--dst" })) {
			const auto text = value();

			keep(rule.destination, text, parse_single(text));
		} else if (is({ "-i", "--in-interface" })) {
			const auto name = value();

			if (negated && !rule.not_in && interface(name))
				rule.not_in = name;
			else
				keep(rule.in, name, interface(name));
		} else if (is({ "-o", "--out-interface" })) {
			const auto name = value();

			keep(rule.out, name, interface(name));
		} else if (is({ "--dport", "--dports", "--destination-port",
				"--destination-ports" })) {
			const auto text = value();
			const auto ports = parse_ports(text);

			if (negated || !ports)
				other(text);
			else
				rule.ports = *ports;
		} else {
			return take_extension() || take_target();
		}
		return true;
	}
	/* What says nothing in its place: packets for this machine are all that a relay takes, and NAT sees the first ones only. */
	bool take_extension()
	{
		if (is({ "-m", "--match" })) {
			const auto name = value();

			if (std::ranges::find(known_extensions, name) == known_extensions.end())
				other(name);
		} else if (is({ "--comment" })) {
			value();
		} else if (is({ "--dst-type", "--ctstate", "--state" })) {
			const auto text = value();
			const bool nothing = rule.table == "nat" &&
					     text == (option == "--dst-type" ? "LOCAL" : "NEW");

			if (negated || !nothing)
				other(text);
		} else {
			return false;
		}
		return true;
	}
	bool take_target()
	{
		if (is({ "-j", "--jump", "-g", "--goto" })) {
			const auto target = value();

			rule.verdict = verdict_of(target);
			if (rule.verdict == Verdict::jump)
				rule.targets = { target };
			rule.is_goto = option == "-g" || option == "--goto";
		} else if (is({ "--to-destination", "--to-source", "--to-ports", "--to" })) {
			parse_destination(rule, value());
		} else {
			/* Which source port, and which of several addresses: of no concern where there is one. */
			return is({ "--random", "--random-fully", "--persistent" });
		}
		return true;
	}
	void take_unknown()
	{
		std::string text;

		while (at < words.size() && words[at] != "!" && !words[at].starts_with('-'))
			text += (text.empty() ? "" : " ") + words[at++];
		/* Options of a target change no match. */
		if (rule.verdict == Verdict::none)
			other(text);
	}

	Rule &rule;
	const std::vector<std::string> &words;
	std::size_t at = 0;
	bool negated = false;
	std::string option;
};

Rule parse_iptables_rule(const std::string &program, const std::string &table,
			 const std::string &chain, const std::vector<std::string> &words)
{
	Rule rule;

	rule.program = program;
	rule.family = family_of(program);
	rule.table = table;
	rule.chain = chain;
	rule.words = words;
	for (const auto &word : words)
		rule.text += (rule.text.empty() ? "" : " ") + quoted(word);
	RuleParser(rule, words).parse();
	return rule;
}

Ruleset parse_iptables_save(const std::string &text, const std::string &program)
{
	std::istringstream lines(text);
	std::string line, table;
	Ruleset ruleset;
	unsigned int number = 0;

	while (std::getline(lines, line)) {
		number++;
		if (line.starts_with('*'))
			table = line.substr(1);
		if (line.starts_with(':')) {
			std::istringstream words(line.substr(1));
			Chain chain;
			std::string policy;

			chain.program = program;
			chain.family = family_of(program);
			chain.table = table;
			words >> chain.name >> policy;
			for (const auto &known : built_in) {
				if (table != known.table || chain.name != known.chain)
					continue;
				chain.hook = known.hook;
				chain.priority = known.priority;
			}
			chain.translates = table == "nat";
			chain.drops = policy == "DROP";
			ruleset.chains.push_back(std::move(chain));
		}
		/* [PACKETS:BYTES] before it, with "-c". */
		if (line.starts_with('['))
			line.erase(0, line.find(' ') + 1);
		if (!line.starts_with("-A "))
			continue;
		auto words = split_saved(line);
		if (words.size() < 2)
			continue;
		const auto chain = words[1];
		words.erase(words.begin(), words.begin() + 2);
		ruleset.rules.push_back(parse_iptables_rule(program, table, chain, words));
		ruleset.rules.back().handle = number;
	}
	/* A jump to what is no chain is an extension. */
	for (auto &rule : ruleset.rules) {
		if (rule.verdict == Verdict::jump &&
		    std::ranges::none_of(ruleset.chains, [&](const Chain &chain) {
			    return chain.table == rule.table && chain.name == rule.targets[0];
		    }))
			rule.verdict = Verdict::other;
	}
	return ruleset;
}

std::optional<RuleCommand> parse_iptables_command(const std::vector<std::string> &words)
{
	static constexpr std::array programs = { "iptables",  "iptables-nft",  "iptables-legacy",
						 "ip6tables", "ip6tables-nft", "ip6tables-legacy" };
	std::string table = "filter", chain;
	std::vector<std::string> rest;
	RuleCommand command;

	if (words.empty())
		return std::nullopt;
	const auto program = words[0].substr(words[0].rfind('/') + 1);
	if (std::ranges::find(programs, program) == programs.end())
		return std::nullopt;
	for (std::size_t at = 1; at < words.size(); at++) {
		const auto &word = words[at];
		/* To look whether it is there is part of adding it. */
		const bool add = word == "-A" || word == "--append" || word == "-C" ||
				 word == "--check",
			   insert = word == "-I" || word == "--insert",
			   remove = word == "-D" || word == "--delete";

		if ((word == "-t" || word == "--table") && at + 1 < words.size()) {
			table = words[++at];
		} else if ((add || insert || remove) && at + 1 < words.size()) {
			chain = words[++at];
			command.deletes = remove;
			/* "-I CHAIN [NUMBER]"; to delete by number is about no rule that is known. */
			if (insert && at + 1 < words.size() && config::parse_port(words[at + 1]))
				at++;
		} else if (word == "-w" || word == "--wait") {
			if (at + 1 < words.size() && config::parse_port(words[at + 1]))
				at++;
		} else {
			rest.push_back(word);
		}
	}
	if (chain.empty())
		return std::nullopt;
	command.rule = parse_iptables_rule(program, table, chain, rest);
	return command;
}

} // namespace nwgctl::ruleset
