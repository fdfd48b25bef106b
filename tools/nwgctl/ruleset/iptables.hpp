/* SPDX-License-Identifier: GPL-2.0 */
/* Rules in the words of iptables(8), as iptables-save(8) prints them or a command has them. */
#ifndef NWGCTL_RULESET_IPTABLES_HPP
#define NWGCTL_RULESET_IPTABLES_HPP

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "rule.hpp"

namespace nwgctl::ruleset
{

/* "ip" or "ip6" of a program such as ip6tables-legacy. */
std::string family_of(std::string_view program);

/* A rule from the words behind its chain. */
Rule parse_iptables_rule(const std::string &program, const std::string &table,
			 const std::string &chain, const std::vector<std::string> &words);

/* What @program's companion, such as iptables-save, has printed. */
Ruleset parse_iptables_save(const std::string &text, const std::string &program);

/* What a line of that has: words, quoted ones without their quotes. */
std::vector<std::string> split_saved(std::string_view line);

/* A command that changes a rule, or looks whether it is there. */
struct RuleCommand {
	Rule rule;
	/* Deletes it; adds it otherwise. */
	bool deletes = false;
};

/* Nothing if it is none of iptables, or does something else. */
std::optional<RuleCommand> parse_iptables_command(const std::vector<std::string> &words);

} // namespace nwgctl::ruleset

#endif
