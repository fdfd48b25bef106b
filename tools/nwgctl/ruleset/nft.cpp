// SPDX-License-Identifier: GPL-2.0
#include "nft.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <sstream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace nwgctl::ruleset
{

using Json = nlohmann::json;

/* Statements that do nothing to a packet. */
static constexpr std::array silent = { "counter", "log", "comment" };

/* "FAMILY TABLE NAME": sets and maps, of which all elements are known. */
using Sets = std::map<std::string, Json>;

static std::string in_table(const Json &object, const std::string &name)
{
	return fmt::format("{} {} {}", object.value("family", ""), object.value("table", ""), name);
}

/* The number behind "# handle" of each line, by its chain. */
static std::map<std::string, std::string> texts_of(const std::string &listing)
{
	static constexpr std::string_view mark = " # handle ";
	std::map<std::string, std::string> texts;
	std::istringstream lines(listing);
	std::string line, table, chain;

	while (std::getline(lines, line)) {
		const auto start = line.find_first_not_of('\t');
		const auto at = line.rfind(mark);

		if (start == line.npos || at == line.npos || at < start)
			continue;
		const auto text = line.substr(start, at - start);
		const auto handle = line.substr(at + mark.size());
		std::istringstream words(text);
		std::string kind, first, second;

		words >> kind >> first >> second;
		if (!start && kind == "table")
			table = first + ' ' + second;
		else if (start == 1)
			chain = kind == "chain" ? first : "";
		else if (!chain.empty())
			texts[fmt::format("{} {} {}", table, chain, handle)] = text;
	}
	return texts;
}

static std::string name_of(const Json &left)
{
	for (const auto &[kind, value] : left.items()) {
		if (!value.is_object())
			break;
		if (kind == "payload" && value.contains("field"))
			return fmt::format("{} {}", value.value("protocol", ""),
					   value.value("field", ""));
		if ((kind == "meta" || kind == "ct") && value.contains("key"))
			return fmt::format("{} {}", kind, value.value("key", ""));
		if (kind == "fib" && value.value("flags", Json()) == Json::array({ "daddr" }))
			return fmt::format("fib daddr {}", value.value("result", ""));
	}
	return left.is_object() && !left.empty() ? left.begin().key() : "?";
}

static std::optional<uint16_t> port_of(const Json &number)
{
	if (!number.is_number_unsigned() || number.get<uint64_t>() > UINT16_MAX)
		return std::nullopt;
	return number.get<uint16_t>();
}

/* A number, FIRST-LAST, or elements of these. */
static bool add_ports(const Json &right, std::vector<Ports> &ports)
{
	if (const auto port = port_of(right)) {
		ports.push_back({ *port, *port });
		return true;
	}
	if (right.is_array())
		return std::ranges::all_of(right, [&](const Json &item) {
			return add_ports(item, ports);
		});
	if (!right.is_object())
		return false;
	if (right.contains("set"))
		return add_ports(right["set"], ports);
	if (!right.contains("range") || !right["range"].is_array() || right["range"].size() != 2)
		return false;
	const auto first = port_of(right["range"][0]), last = port_of(right["range"][1]);
	if (!first || !last)
		return false;
	ports.push_back({ *first, *last });
	return true;
}

/* One rule, or for each element of a map one. */
class NftRule {
    public:
	/* @in_nat: its chain is of type nat, or hangs on others. */
	NftRule(Rule rule, const Sets &sets, bool in_nat)
		: rule(std::move(rule))
		, sets(sets)
		, in_nat(in_nat)
	{
	}
	std::vector<Rule> parse(const Json &expressions)
	{
		for (const auto &expression : expressions) {
			if (!expression.is_object())
				continue;
			for (const auto &[kind, value] : expression.items())
				statement(kind, value);
		}
		if (!elements.empty())
			return elements_as_rules();
		return { rule };
	}

    private:
	void other(const std::string &text)
	{
		rule.others.push_back(text);
	}
	/* Of a named set what is in it. */
	Json resolved(const Json &value) const
	{
		if (!value.is_string() || !value.get_ref<const std::string &>().starts_with('@'))
			return value;
		const auto set = sets.find(fmt::format("{} {} {}", rule.family, rule.table,
						       value.get<std::string>().substr(1)));

		return set == sets.end() ? value : set->second;
	}
	void statement(const std::string &kind, const Json &value)
	{
		static const std::map<std::string, Verdict> verdicts = {
			{ "accept", Verdict::accept },	   { "drop", Verdict::drop },
			{ "reject", Verdict::drop },	   { "return", Verdict::back },
			{ "dnat", Verdict::dnat },	   { "snat", Verdict::snat },
			{ "redirect", Verdict::redirect }, { "masquerade", Verdict::masquerade },
			{ "jump", Verdict::jump },	   { "goto", Verdict::jump },
		};
		const auto verdict = verdicts.find(kind);

		if (kind == "match") {
			match(value);
		} else if (kind == "vmap" && value.is_object()) {
			other(fmt::format("{} vmap {}", name_of(value.value("key", Json::object())),
					  value.value("data", Json()).dump()));
			rule.verdict = Verdict::jump;
			rule.is_goto = rule.others.back().find("\"goto\":") != std::string::npos;
			add_targets(value);
		} else if (verdict != verdicts.end()) {
			rule.verdict = verdict->second;
			if (rule.verdict == Verdict::jump)
				rule.targets.push_back(value.value("target", ""));
			rule.is_goto = kind == "goto";
			if (value.is_object() && value.contains("addr"))
				translation(value);
		} else if (std::ranges::find(silent, kind) == silent.end()) {
			/* Of iptables, if its own program does not show it. */
			other(kind == "xt" ? fmt::format("xt {}", value.value("name", "")) : kind);
			if (kind == "xt" && value.value("type", "") == "target")
				rule.verdict = Verdict::other;
		}
	}
	void add_targets(const Json &value)
	{
		if (value.is_object() && value.contains("target") && value["target"].is_string())
			rule.targets.push_back(value["target"].get<std::string>());
		if (!value.is_structured())
			return;
		for (const auto &item : value)
			add_targets(item);
	}
	void match(const Json &match)
	{
		const auto name = name_of(match.value("left", Json::object()));
		const auto right = resolved(match.value("right", Json()));
		const auto operation = match.value("op", "==");

		if (operation == "!=" && right.is_string() && !rule.not_in &&
		    (name == "meta iifname" || name == "meta iif"))
			rule.not_in = right.get<std::string>();
		else if ((operation != "==" && operation != "in") || !known_match(name, right))
			other(fmt::format("{} {} {}", name, operation,
					  text_of(match.value("right", Json()))));
	}
	/* ADDR, or {"prefix": {"addr": ADDR, "len": LENGTH}} */
	static std::optional<Prefix> prefix_of(const Json &right)
	{
		const auto prefix = right.is_object() ? right.value("prefix", Json()) : right;
		const auto text = prefix.is_object() ? prefix.value("addr", Json()) : prefix;
		const auto address = text.is_string() ?
					     Address::from_text(text.get<std::string>()) :
					     std::nullopt;

		if (!address)
			return std::nullopt;
		const auto length = prefix.is_object() ? prefix.value("len", Json()) : Json();
		if (!length.is_number_unsigned() || length.get<uint64_t>() > address->bits())
			return Prefix{ *address, address->bits() };
		return Prefix{ *address, length.get<uint8_t>() };
	}
	bool known_match(const std::string &name, const Json &right)
	{
		if (name == "ip saddr" || name == "ip6 saddr")
			rule.source = prefix_of(right);
		const bool dport = name.ends_with(" dport");

		if (dport && name != "th dport")
			rule.protocol = name.substr(0, name.find(' '));
		if (dport) {
			std::vector<Ports> ports;

			if (!rule.ports.empty() || !add_ports(right, ports))
				return false;
			rule.ports = ports;
			return true;
		}
		if (!right.is_string())
			return false;
		const auto text = right.get<std::string>();
		/* One that ends in an asterisk is the beginning of names. */
		if (name == "meta iifname" || name == "meta iif")
			return keep(rule.in, text);
		if (name == "meta oifname" || name == "meta oif")
			return keep(rule.out, text);
		if (name == "ip protocol" || name == "ip6 nexthdr")
			rule.packets = name.substr(0, name.find(' '));
		if (name == "meta l4proto" || name == "ip protocol" || name == "ip6 nexthdr")
			return keep(rule.protocol, text);
		if (name == "ip daddr" || name == "ip6 daddr") {
			rule.destination = Address::from_text(text);
			return rule.destination.has_value();
		}
		if (name == "meta nfproto") {
			rule.packets = text == "ipv4" ? "ip" : "ip6";
			return text == "ipv4" || text == "ipv6";
		}
		/* These say nothing where addresses are translated: see RuleParser of iptables. */
		return in_nat && ((name == "fib daddr type" && text == "local") ||
				  (name == "ct state" && text == "new"));
	}
	static bool keep(std::optional<std::string> &place, const std::string &text)
	{
		if (text.ends_with('*') || (place && *place != text))
			return false;
		place = text;
		return true;
	}
	static std::string text_of(const Json &right)
	{
		return right.is_string() ? right.get<std::string>() : right.dump();
	}
	/* To an address, and a port if there is one; or by a map. */
	void translation(const Json &value)
	{
		const Json &address = value["addr"], port = value.value("port", Json());

		if (address.is_object() && address.contains("map"))
			return translation_by_map(address["map"], value);
		rule.to_text = text_of(address);
		if (address.is_string())
			rule.to = Address::from_text(address.get<std::string>());
		if (port.is_null())
			return;
		const bool brackets = rule.to && rule.to->family == AF_INET6;
		rule.to_text = fmt::format("{}{}{}:{}", brackets ? "[" : "", rule.to_text,
					   brackets ? "]" : "", text_of(port));
		if (port.is_number_unsigned())
			rule.to_port = port.get<uint16_t>();
		else
			rule.to.reset();
	}
	void translation_by_map(const Json &map, const Json &whole)
	{
		const auto name = name_of(map.value("key", Json::object()));
		auto data = resolved(map.value("data", Json()));

		if (data.is_object() && data.contains("set"))
			data = data["set"];
		rule.to_text = "a map";
		if (!name.ends_with(" dport") || !rule.ports.empty() || !data.is_array())
			return;
		if (name != "th dport")
			rule.protocol = name.substr(0, name.find(' '));
		for (const auto &item : data) {
			Rule one = rule;

			if (!item.is_array() || item.size() != 2 || !add_ports(item[0], one.ports))
				return elements.clear();
			Json to = { { "addr", item[1] } };
			if (whole.contains("port"))
				to["port"] = whole["port"];
			if (item[1].is_object() && item[1].contains("concat") &&
			    item[1]["concat"].size() == 2)
				to = { { "addr", item[1]["concat"][0] },
				       { "port", item[1]["concat"][1] } };
			std::swap(one, rule);
			translation(to);
			std::swap(one, rule);
			elements.push_back(one);
		}
	}
	/* Matches may have come after it. */
	std::vector<Rule> elements_as_rules()
	{
		for (auto &element : elements) {
			const auto ports = element.ports;
			const auto to = element.to;
			const auto to_port = element.to_port;
			const auto to_text = element.to_text;

			element = rule;
			element.ports = ports;
			element.to = to;
			element.to_port = to_port;
			element.to_text = to_text;
		}
		return elements;
	}

	Rule rule;
	const Sets &sets;
	const bool in_nat;
	std::vector<Rule> elements;
};

/* What comes and goes by itself is not known. */
static bool is_lasting(const Json &set)
{
	const auto flags = set.value("flags", Json::array());

	return !set.contains("timeout") && std::ranges::none_of(flags, [](const Json &flag) {
		return flag == "dynamic" || flag == "timeout";
	});
}

static Chain read_chain(const Json &chain)
{
	const auto &priority = chain.value("prio", Json());

	return { .program = "nft",
		 .family = chain.value("family", ""),
		 .table = chain.value("table", ""),
		 .name = chain.value("name", ""),
		 .hook = chain.value("hook", ""),
		 .priority = priority.is_number() ? priority.get<int>() : 0,
		 .translates = chain.value("type", "") == "nat",
		 .drops = chain.value("policy", "") == "drop" };
}

static Ruleset read_ruleset(const Json &list, const std::string &listing)
{
	const auto texts = texts_of(listing);
	Ruleset ruleset;
	Sets sets;

	for (const auto &object : list) {
		if (object.contains("chain"))
			ruleset.chains.push_back(read_chain(object["chain"]));
		for (const char *kind : { "set", "map" }) {
			if (object.contains(kind) && is_lasting(object[kind]))
				sets[in_table(object[kind], object[kind].value("name", ""))] =
					object[kind].value("elem", Json::array());
		}
	}
	for (const auto &object : list) {
		if (!object.contains("rule") || !object["rule"].contains("expr"))
			continue;
		const Json &source = object["rule"];
		Rule rule;

		rule.program = "nft";
		rule.family = source.value("family", "");
		rule.table = source.value("table", "");
		rule.chain = source.value("chain", "");
		rule.handle = source.value("handle", 0u);
		const auto chain = std::ranges::find_if(ruleset.chains, [&](const Chain &chain) {
			return chain.family == rule.family && chain.table == rule.table &&
			       chain.name == rule.chain;
		});
		const auto text =
			texts.find(in_table(source, fmt::format("{} {}", rule.chain, rule.handle)));
		rule.text = text == texts.end() ? source["expr"].dump() : text->second;
		const bool in_nat = chain != ruleset.chains.end() &&
				    (chain->translates || chain->hook.empty());
		for (auto &one : NftRule(rule, sets, in_nat).parse(source["expr"]))
			ruleset.rules.push_back(std::move(one));
	}
	return ruleset;
}

Result<Ruleset> parse_nft(const std::string &json, const std::string &listing)
{
	const Json list = Json::parse(json, nullptr, false);
	std::string why = "it is no list";

	try {
		if (list.is_object() && list.contains("nftables"))
			return read_ruleset(list["nftables"], listing);
	} catch (const Json::exception &exception) {
		why = exception.what();
	}
	return Error{ Exit::refused,
		      fmt::format("Unable to read what nft -j list ruleset prints: {}", why) };
}

std::vector<std::string> essence_of(std::string_view rule)
{
	std::vector<std::string> words;
	std::string word;
	const auto end_word = [&] {
		if (!word.empty())
			words.push_back(std::move(word));
		word.clear();
	};

	for (const char character : rule) {
		if (character == '#')
			break;
		if (isspace(static_cast<unsigned char>(character)) || character == ';')
			end_word();
		else if (character != '"' && character != '\'')
			word += character;
	}
	end_word();
	/* A comment is its last statement. */
	const auto comment = std::ranges::find(words, "comment");
	words.erase(comment, words.end());
	const auto counter = std::ranges::find(words, "counter");
	if (counter != words.end()) {
		const bool counts = words.end() - counter >= 5 && counter[1] == "packets";

		words.erase(counter, counter + (counts ? 5 : 1));
	}
	return words;
}

} // namespace nwgctl::ruleset
