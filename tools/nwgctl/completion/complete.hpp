/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the word at the end of a command line may become.
 *
 * "nwgctl complete -- WORD..." is for the scripts of shells in tools/completion, and no command of the table. The words are
 * those behind the program's name up to the cursor; the last one, which may be empty, is to be completed. The first line that
 * it writes says what of the file system may stand there, too: none, files or directories. Each other line is a whole
 * word, and behind a tab what it is, if there is more to say. It never writes an error, and ends by itself in a second.
 */
#ifndef NWGCTL_COMPLETION_COMPLETE_HPP
#define NWGCTL_COMPLETION_COMPLETE_HPP

#include <optional>
#include <string>
#include <vector>

#include "../command.hpp"

namespace nwgctl::completion
{

struct Candidate {
	std::string word, about = {};
};

/* Names that exist are wanted; see names.hpp. */
struct Wanted {
	/* As the usage has it: IFACE, KEY... */
	std::string kind;
	/* Before it: "peer", "responder"... */
	std::string keyword = {};
	/* Whether it may be a file instead: then it is one that has a file. */
	bool with_file = false;
	/* What the words before it say, or empty: of IFACE, DIR and the option NETNS. */
	std::string interface = {}, directory = {};
	std::optional<std::string> netns = {};
};

struct Completion {
	enum class Files { none, files, directories };

	Files files = Files::none;
	std::vector<Candidate> words = {};
	/* What is to be looked up, and the beginning of the word that goes before each of it. */
	std::vector<Wanted> wanted = {};
	std::string prefix = {};
};

/* What can be said without looking anything up. None of @words is what has no such beginning. */
Completion complete(std::vector<std::string> words);

} // namespace nwgctl::completion

namespace nwgctl
{

Exit complete(std::vector<std::string> words);

} // namespace nwgctl

#endif
