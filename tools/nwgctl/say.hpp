/* SPDX-License-Identifier: GPL-2.0 */
/* What is said on standard error. */
#ifndef NWGCTL_SAY_HPP
#define NWGCTL_SAY_HPP

#include <cstdio>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace nwgctl
{

/* As fmt::print(), which throws where nobody can be told; that must not end a change half-way. */
template <typename... Values> void say(fmt::format_string<Values...> format, Values &&...values)
{
	const std::string text = fmt::format(format, std::forward<Values>(values)...);

	fputs(text.c_str(), stderr);
}

} // namespace nwgctl

#endif
