/* SPDX-License-Identifier: GPL-2.0 */
/* Commands of a file's PreUp, PostUp, PreDown and PostDown that make rules, and undo them. */
#ifndef NWGCTL_MIGRATION_HOOKS_HPP
#define NWGCTL_MIGRATION_HOOKS_HPP

#include <optional>
#include <string>
#include <vector>

#include "../ruleset/rule.hpp"
#include "plan.hpp"

namespace nwgctl::migration
{

/* What is not needed any more. */
struct Needless {
	std::string interface;
	std::vector<ruleset::Rule> rules;
	/* Tables of nft, "ip nat", in which there is nothing else. */
	std::vector<std::string> tables;
	/* Those of which nothing needs this machine to forward. */
	Families forwarding;
};

/* A hook without the commands that are not needed any more. */
struct Hook {
	/* What is left of it; empty: all of it goes. */
	std::string text;
	bool changed = false;
	/* What it switched on, and does no more: as /proc/sys has it, "net/ipv4/ip_forward". */
	std::vector<std::string> switches;
	/* Which of the rules it makes, and which it deletes, by their number in Needless. */
	std::vector<std::size_t> makes, deletes;
	/* Something that changes rules is left, which is not known to be needed. */
	bool unclear = false;
};

Hook without_needless(const std::string &text, const Needless &needless);

} // namespace nwgctl::migration

#endif
