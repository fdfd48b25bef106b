// SPDX-License-Identifier: GPL-2.0
#include "hooks.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "../ruleset/iptables.hpp"
#include "../ruleset/nft.hpp"

namespace nwgctl::migration
{

using ruleset::Rule;

/* A command, and what follows it up to the next. */
struct Command {
	std::string text;
	std::vector<std::string> words;
	std::string separator;
};

/* Commands one after the other; nothing if the shell is asked for more than that. */
static std::optional<std::vector<Command>> split(const std::string &text)
{
	static constexpr std::array separators = { "&&", "||", ";" };
	std::vector<Command> commands(1);
	std::string word;
	bool has_word = false;
	char quote = 0;
	const auto end_word = [&] {
		if (has_word)
			commands.back().words.push_back(std::move(word));
		word.clear();
		has_word = false;
	};

	for (std::size_t at = 0; at < text.size(); at++) {
		const char character = text[at];

		if (character == '`' || (character == '$' && text[at + 1] == '('))
			return std::nullopt;
		const auto separator = std::ranges::find_if(separators, [&](const char *one) {
			return !quote && text.compare(at, strlen(one), one) == 0;
		});
		if (separator != separators.end()) {
			end_word();
			commands.back().separator = *separator;
			commands.emplace_back();
			at += strlen(*separator) - 1;
			continue;
		}
		commands.back().text += character;
		if (character == '\\' && quote != '\'' && at + 1 < text.size()) {
			commands.back().text += text[++at];
			word += text[at];
			has_word = true;
		} else if (quote) {
			if (character == quote)
				quote = 0;
			else
				word += character;
		} else if (character == '\'' || character == '"') {
			quote = character;
			has_word = true;
		} else if (isspace(static_cast<unsigned char>(character))) {
			end_word();
		} else if (strchr("|()", character) || (character == '&' && !word.ends_with('>')) ||
			   (character == '{' && commands.back().words.empty())) {
			return std::nullopt;
		} else {
			word += character;
			has_word = true;
		}
	}
	end_word();
	if (quote)
		return std::nullopt;
	return commands;
}

static std::vector<std::string> without_redirections(std::vector<std::string> words)
{
	std::erase_if(words, [](const std::string &word) {
		return word.ends_with(">/dev/null") || word.ends_with(">&1");
	});
	return words;
}

class Judge {
    public:
	explicit Judge(const Needless &needless)
		: needless(needless)
	{
	}
	/* Whether a command is needless. Notes which rules it deletes. */
	bool is_needless(const Command &command)
	{
		auto words = without_redirections(command.words);

		for (auto &word : words) {
			for (std::size_t at; (at = word.find("%i")) != word.npos;)
				word.replace(at, 2, needless.interface);
		}
		if (words.empty())
			return false;
		if (const auto parsed = ruleset::parse_iptables_command(words))
			return is_needless_rule(*parsed);
		if (words[0].substr(words[0].rfind('/') + 1) == "nft")
			return is_needless_nft({ words.begin() + 1, words.end() });
		if (!is_switch(words))
			return false;
		note_switches(words);
		return true;
	}
	/* Whether it has the name of a switch that is not needed any more. */
	[[nodiscard]] bool has_switch(std::string text) const
	{
		const auto has = [&](const char *name) { return text.find(name) != text.npos; };

		std::ranges::replace(text, '/', '.');
		return (needless.forwarding.v4 && (has("net.ipv4.ip_forward") ||
						   (has("net.ipv4.conf.") && has(".proxy_arp")))) ||
		       (needless.forwarding.v6 && has("net.ipv6.conf.all.forwarding"));
	}
	std::vector<std::size_t> makes, deletes;
	std::vector<std::string> switches;

    private:
	bool is_needless_rule(const ruleset::RuleCommand &command)
	{
		for (std::size_t index = 0; index < needless.rules.size(); index++) {
			const Rule &rule = needless.rules[index];

			/* As it was written, without the matches of who jumps to it. */
			if (rule.program == "nft" ||
			    !command.rule.does_as(ruleset::parse_iptables_rule(
				    rule.program, rule.table, rule.chain, rule.words)))
				continue;
			if (!command.deletes) {
				makes.push_back(index);
				return true;
			}
			/* Each deletes one, where there are several that are the same. */
			if (std::ranges::find(deletes, index) != deletes.end())
				continue;
			deletes.push_back(index);
			return true;
		}
		return false;
	}
	/* One word may have all of them, and commands behind each other, of which each is to be needless. */
	bool is_needless_nft(const std::vector<std::string> &arguments)
	{
		const auto commands = split_nft(fmt::format("{}", fmt::join(arguments, " ")));
		const auto made = makes, deleted = deletes;
		bool all = !commands.empty();

		for (const auto &command : commands)
			all = all && is_needless_nft_command(ruleset::essence_of(command));
		if (!all) {
			makes = made;
			deletes = deleted;
		}
		return all;
	}
	/* At semicolons and newlines that are in no braces. */
	static std::vector<std::string> split_nft(const std::string &text)
	{
		std::vector<std::string> commands(1);
		int depth = 0;

		for (const char character : text) {
			depth += character == '{' ? 1 : character == '}' ? -1 : 0;
			if (depth || (character != ';' && character != '\n'))
				commands.back() += character;
			else
				commands.emplace_back();
		}
		std::erase_if(commands, [](const std::string &command) {
			return ruleset::essence_of(command).empty();
		});
		return commands;
	}
	bool is_needless_nft_command(const std::vector<std::string> &words)
	{
		if (words.size() < 4)
			return false;
		const auto &verb = words[0], &object = words[1];
		const auto table = words[2] + ' ' + words[3];
		if (verb != "add" && verb != "insert" && verb != "delete" && verb != "create")
			return false;
		const bool whole = std::ranges::find(needless.tables, table) !=
				   needless.tables.end();
		bool found = whole;
		for (std::size_t index = 0; index < needless.rules.size(); index++) {
			const Rule &rule = needless.rules[index];

			if (rule.program != "nft" || rule.family + ' ' + rule.table != table)
				continue;
			if (whole && verb == "delete" && object == "table")
				deletes.push_back(index);
			if (verb == "delete" || object != "rule" || words.size() < 6 ||
			    rule.chain != words[4] ||
			    !std::ranges::equal(ruleset::essence_of(rule.text),
						std::vector(words.begin() + 5, words.end())))
				continue;
			makes.push_back(index);
			found = true;
		}
		return found;
	}
	/* net.ipv4.ip_forward=1, or the same by its file. */
	[[nodiscard]] bool is_switch(const std::vector<std::string> &words) const
	{
		const auto program = words[0].substr(words[0].rfind('/') + 1);
		const auto is_name = [&](const std::string &text) { return has_switch(text); };

		if (program == "sysctl")
			return std::ranges::count_if(words, is_name) &&
			       std::ranges::all_of(std::vector(words.begin() + 1, words.end()),
						   [&](const std::string &word) {
							   return word.starts_with('-') ||
								  is_name(word);
						   });
		return program == "echo" && is_name(words.back()) &&
		       words.back().find("/proc/sys/") != std::string::npos;
	}

	/* Of such a command. */
	void note_switches(const std::vector<std::string> &words)
	{
		static constexpr std::string_view directory = "/proc/sys/";
		const auto at = words.back().find(directory);

		if (at != std::string::npos) {
			if (words[1] != "0")
				switches.push_back(words.back().substr(at + directory.size()));
			return;
		}
		for (const auto &word : words) {
			const auto equals = word.find('=');
			auto key = word.substr(0, equals);

			if (equals == word.npos || word.substr(equals) == "=0")
				continue;
			std::ranges::replace(key, '.', '/');
			switches.push_back(key);
		}
	}

	const Needless &needless;
};

static bool changes_rules(const std::string &text)
{
	return text.find("tables") != text.npos || text.find("nft") != text.npos ||
	       text.find("ufw") != text.npos || text.find("firewall-cmd") != text.npos;
}

static std::string trimmed(std::string text)
{
	text.erase(0, text.find_first_not_of(" \t"));
	text.erase(text.find_last_not_of(" \t") + 1);
	return text;
}

Hook without_needless(const std::string &text, const Needless &needless)
{
	const auto commands = split(text);
	std::string separator;
	Judge judge(needless);
	Hook hook;
	const auto keep = [&](const std::string &command, const std::string &before_next) {
		hook.unclear |= changes_rules(command) || judge.has_switch(command);
		hook.text += (hook.text.empty() ? "" :
			      separator == ";"	? "; " :
						  ' ' + separator + ' ') +
			     command;
		separator = before_next;
	};

	if (!commands)
		return { .text = text,
			 .changed = false,
			 .switches = {},
			 .makes = {},
			 .deletes = {},
			 .unclear = changes_rules(text) };
	for (std::size_t index = 0; index < commands->size(); index++) {
		const Command &command = (*commands)[index];
		const bool needless = judge.is_needless(command);

		if (command.words.empty())
			continue;
		/* What is run if it fails goes with it, or it cannot go. */
		if (command.separator == "||" && index + 1 < commands->size()) {
			const Command &next = (*commands)[++index];
			const bool nothing = next.words == std::vector<std::string>{ "true" } ||
					     next.words == std::vector<std::string>{ ":" };

			if (needless && (nothing || judge.is_needless(next))) {
				hook.changed = true;
				continue;
			}
			if (needless || judge.is_needless(next) || next.separator == "||")
				return { .text = text,
					 .changed = false,
					 .switches = {},
					 .makes = {},
					 .deletes = {},
					 .unclear = true };
			keep(trimmed(command.text) + " || " + trimmed(next.text), next.separator);
		} else if (needless) {
			hook.changed = true;
		} else {
			keep(trimmed(command.text), command.separator);
		}
	}
	hook.switches = judge.switches;
	hook.makes = judge.makes;
	hook.deletes = judge.deletes;
	if (!hook.changed)
		hook.text = text;
	return hook;
}

} // namespace nwgctl::migration
