// SPDX-License-Identifier: GPL-2.0
#include "finding.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include "screen.hpp"

namespace nwgctl::render
{

std::string finding_text(const diagnosis::Finding &finding, const Palette &palette)
{
	const auto shown = [](const std::string &text) { return text_for(STDOUT_FILENO, text); };

	return fmt::format("{}{}{}{}\n  {}\n", finding.is_note ? "Note: " : "",
			   palette.bold(shown(finding.where)), finding.where.empty() ? "" : ": ",
			   shown(finding.what), shown(finding.remedy));
}

} // namespace nwgctl::render
