// SPDX-License-Identifier: GPL-2.0
#include "command.hpp"
#include "render/screen.hpp"
#include "say.hpp"

#include <fmt/format.h>
#include <unistd.h>

namespace nwgctl
{

void print_error(const Error &error)
{
	const auto shown = [](const std::string &text) {
		return render::text_for(STDERR_FILENO, text);
	};

	if (!error.what.empty())
		say("{}\n", shown(error.what));
	if (!error.kernel.empty())
		say("  kernel: {}\n", shown(error.kernel));
	if (!error.hint.empty())
		say("  hint: {}\n", shown(error.hint));
}

Error wrong_usage(const std::string &what)
{
	Error error = usage_error(what);

	error.show_usage = true;
	return error;
}

} // namespace nwgctl
