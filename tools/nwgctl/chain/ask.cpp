// SPDX-License-Identifier: GPL-2.0
#include "ask.hpp"

#include <iostream>

#include <fmt/format.h>
#include <unistd.h>

#include "../command.hpp"
#include "../say.hpp"

namespace nwgctl::chain
{

bool can_ask()
{
	return isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}

static std::string without_space(const std::string &text)
{
	static constexpr const char *space = " \t\r";
	const std::size_t start = text.find_first_not_of(space);

	return start == text.npos ? "" :
				    text.substr(start, text.find_last_not_of(space) - start + 1);
}

Status ask(const std::string &question, const std::string &by_default,
	   const std::function<Status(const std::string &)> &take)
{
	for (;;) {
		std::string answer;

		say("{}{}: ", question, by_default.empty() ? "" : fmt::format(" [{}]", by_default));
		if (!std::getline(std::cin, answer)) {
			say("\n");
			return usage_error(fmt::format("No answer: {}", question));
		}
		answer = without_space(answer);
		if (answer.empty())
			answer = by_default;
		if (answer.empty())
			continue;
		auto status = take(answer);
		if (status)
			return {};
		print_error(status.error());
	}
}

} // namespace nwgctl::chain
