/* SPDX-License-Identifier: GPL-2.0 */
/* What the administrator does, one command after the other, to get from rules to relays. */
#ifndef NWGCTL_MIGRATION_STEPS_HPP
#define NWGCTL_MIGRATION_STEPS_HPP

#include <map>
#include <string>
#include <vector>

#include "../ruleset/rule.hpp"
#include "plan.hpp"

namespace nwgctl::migration
{

struct Step {
	std::string command, why;
};

struct Change {
	std::string interface, kind;
	/* The old one is empty if there is none; then there is one to go back with. */
	std::string old_file, new_file, back_file;
	/* Rules that are to be deleted: the old file's hooks do not. */
	std::vector<ruleset::Rule> gone;
	/* Those that the hooks delete, if none of them fails before. */
	std::vector<ruleset::Rule> deleted_by_hook;
	/* All that are not needed any more. */
	std::vector<ruleset::Rule> needless;
	/* Peers whose endpoint is known from what they have sent, and in no file. */
	std::vector<Peer> dialled_in;
	/* Those of which nothing needs this machine to forward. */
	Families forwarding;
	/* What the old file's hooks switched on, and do no more; as /proc/sys has it. */
	std::vector<std::string> switched_by_hook;
};

/* All that there is to say of it. */
struct Report {
	std::string interface;
	/* The old one is empty if there is none. */
	std::string old_file, new_file;
	Plan plan;
	std::vector<Step> steps;
	/* Of the files. */
	std::string difference;
	bool written = false;
};

/*
 * The tunnel is taken down and made anew first, and that at boot, too: while rules are there, the old file brings all of it
 * back. Then what the relay has no need of goes, and what would bring that back at boot. @minded: what no step does.
 */
std::vector<Step> make_steps(const Change &change, std::vector<Remark> &minded);

/* Whether it is in a file that is known to be read at boot. */
bool is_kept_in_file(const ruleset::Rule &rule);

/* Lines of a file of sysctl.d(5) that switch one of these on, and which; named as /proc/sys has them. */
std::map<unsigned int, std::string> switch_lines(const std::string &text,
						 const std::vector<std::string> &names);

/* Lines of a file for @program that make one of these rules: "iptables" and "ip6tables" as they save, "nft" in blocks. */
std::vector<unsigned int> lines_with(const std::string &text, const std::string &program,
				     const std::vector<ruleset::Rule> &rules);

} // namespace nwgctl::migration

#endif
