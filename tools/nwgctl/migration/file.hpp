/* SPDX-License-Identifier: GPL-2.0 */
/* The file that takes the place of an interface's: as it was, with relays, without hooks that make needless rules. */
#ifndef NWGCTL_MIGRATION_FILE_HPP
#define NWGCTL_MIGRATION_FILE_HPP

#include <string>
#include <string_view>
#include <vector>

#include "../config/quick.hpp"
#include "hooks.hpp"
#include "plan.hpp"

namespace nwgctl::migration
{

struct NewFile {
	std::string text;
	/* Which of the needless rules the old file's PreUp and PostUp make, and its PreDown and PostDown delete, by their number. */
	std::vector<std::size_t> makes, deletes;
	/* What these switched on, as in Hook. */
	std::vector<std::string> switches;
	/* Hooks that are kept, and may be about needless rules. */
	std::vector<Remark> unclear;
};

/* @text is the old file's, and @old what it says. */
NewFile make_file(std::string_view text, const config::Quick &old, const Needless &needless,
		  const std::vector<Section> &relays);

/* What is other in @after, as "diff -u" has it without names; empty if nothing is. @show_keys: those that are secret, too. */
std::string difference(std::string_view before, std::string_view after, bool show_keys);

} // namespace nwgctl::migration

#endif
