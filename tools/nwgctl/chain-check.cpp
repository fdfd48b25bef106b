// SPDX-License-Identifier: GPL-2.0
/* chain check: what is wrong with the files of a chain. */
#include "command.hpp"

#include <fmt/format.h>

#include "chain/check.hpp"
#include "chain/directory.hpp"
#include "render/block.hpp"

namespace nwgctl
{

Status chain_check(const Options &options, Arguments arguments)
{
	if (arguments.size() != 1)
		return wrong_usage("one directory must be named");
	const auto directory = chain::directory_name(arguments[0]);
	const auto palette = options.json ? render::Palette(false) : render::Palette::for_output();
	const auto findings = TRY(chain::check_directory(directory));
	auto list = render::Json::array();

	for (const auto &finding : findings) {
		list.push_back({ { "file", finding.file },
				 { "line", finding.line },
				 { "what", finding.what },
				 { "remedy", finding.remedy } });
		if (options.json)
			continue;
		fmt::print("{}: {}\n  hint: {}\n",
			   palette.bold(chain::place_text(finding.file, finding.line)),
			   palette.warning(finding.what), finding.remedy);
	}
	if (options.json)
		render::print_json(list, options);
	if (!findings.empty())
		return usage_error(fmt::format("{}: {} finding{}", directory, findings.size(),
					       findings.size() == 1 ? "" : "s"));
	if (!options.json)
		fmt::print("{}: nothing is wrong\n", directory);
	return {};
}

} // namespace nwgctl
