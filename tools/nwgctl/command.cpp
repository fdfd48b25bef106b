// SPDX-License-Identifier: GPL-2.0
#include "command.hpp"
#include "say.hpp"

#include <fmt/format.h>

namespace nwgctl
{

void print_error(const Error &error)
{
	if (!error.what.empty())
		say("{}\n", error.what);
	if (!error.kernel.empty())
		say("  kernel: {}\n", error.kernel);
	if (!error.hint.empty())
		say("  hint: {}\n", error.hint);
}

Error wrong_usage(const std::string &what)
{
	Error error = usage_error(what);

	error.show_usage = true;
	return error;
}

} // namespace nwgctl
