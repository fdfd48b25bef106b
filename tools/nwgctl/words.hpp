/* SPDX-License-Identifier: GPL-2.0 */
/* A command line of keywords and values, read from the left. */
#ifndef NWGCTL_WORDS_HPP
#define NWGCTL_WORDS_HPP

#include <string>
#include <string_view>

#include <fmt/format.h>

#include "command.hpp"

namespace nwgctl
{

class Words {
    public:
	explicit Words(Arguments words)
		: words(words)
	{
	}
	bool empty() const
	{
		return words.empty();
	}
	/* Whether the next word is @keyword; if so, it is past. */
	bool take(std::string_view keyword)
	{
		if (words.empty() || words.front() != keyword)
			return false;
		taken = words.front();
		words = words.subspan(1);
		return true;
	}
	/* The word behind the keyword. */
	Result<std::string> value()
	{
		if (words.empty())
			return wrong_usage(
				fmt::format("Invalid argument: {}: a value must follow", taken));
		std::string value = words.front();
		words = words.subspan(1);
		return value;
	}
	Error unknown() const
	{
		return wrong_usage(fmt::format("Invalid argument: {}", words.front()));
	}
	Error repeated() const
	{
		return wrong_usage(fmt::format("Invalid argument: `{}' is there twice", taken));
	}

    private:
	Arguments words;
	std::string taken;
};

} // namespace nwgctl

#endif
