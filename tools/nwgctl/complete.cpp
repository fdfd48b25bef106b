// SPDX-License-Identifier: GPL-2.0
/* What is written to the scripts of shells. */
#include "completion/complete.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <iterator>

#include <fmt/format.h>
#include <unistd.h>

#include "completion/names.hpp"

namespace nwgctl
{

using completion::Candidate;

/* Somebody waits at a terminal. */
static constexpr unsigned int most_seconds = 1;

static void print(const Candidate &candidate)
{
	/* A line could not hold it. */
	if (std::ranges::any_of(candidate.word,
				[](unsigned char character) { return iscntrl(character); }))
		return;
	fmt::print("{}{}{}\n", candidate.word, candidate.about.empty() ? "" : "\t",
		   candidate.about);
}

Exit complete(std::vector<std::string> words)
{
	static constexpr const char *files[] = { "none", "files", "directories" };
	const std::string last = words.empty() ? "" : words.back();
	const auto completion = completion::complete(std::move(words));
	std::vector<Candidate> names;

	fmt::print("{}\n", files[static_cast<int>(completion.files)]);
	for (const auto &word : completion.words)
		print(word);
	/* What comes too late is left out. */
	fflush(stdout);
	signal(SIGALRM, [](int) { _exit(static_cast<int>(Exit::ok)); });
	alarm(most_seconds);
	for (const auto &wanted : completion.wanted)
		std::ranges::move(completion::names_of(wanted), std::back_inserter(names));
	alarm(0);
	for (auto &name : names) {
		name.word.insert(0, completion.prefix);
		if (name.word.starts_with(last))
			print(name);
	}
	return Exit::ok;
}

} // namespace nwgctl
