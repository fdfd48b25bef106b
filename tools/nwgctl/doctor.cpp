// SPDX-License-Identifier: GPL-2.0
/* doctor: what is wrong on this machine, and what to do about it. */
#include "command.hpp"

#include <fmt/format.h>

#include "config/value.hpp"
#include "diagnosis/finding.hpp"
#include "render/block.hpp"
#include "words.hpp"

namespace nwgctl
{

/* Longer than a peer waits before it initiates again. */
static constexpr unsigned int watched_seconds = 6;

static void print(const std::vector<diagnosis::Finding> &findings, const Options &options)
{
	const auto palette = options.json ? render::Palette(false) : render::Palette::for_output();
	auto list = render::Json::array();

	for (const auto &finding : findings) {
		if (options.json)
			list.push_back({ { "id", finding.id },
					 { "where", finding.where },
					 { "what", finding.what },
					 { "remedy", finding.remedy } });
		else
			fmt::print("{}{}{}\n  {}\n", palette.bold(finding.where),
				   finding.where.empty() ? "" : ": ", finding.what, finding.remedy);
	}
	if (options.json)
		render::print_json(list, options);
	else if (findings.empty())
		fmt::print("Nothing is wrong.\n");
}

Status doctor(const Options &options, Arguments arguments)
{
	unsigned int seconds = watched_seconds;
	std::vector<diagnosis::Finding> findings;
	Words words(arguments);

	while (!words.empty()) {
		if (!words.take("seconds"))
			return words.unknown();
		seconds = TRY(config::parse_port(TRY(words.value())));
	}
	if (seconds && !options.json)
		fmt::print(stderr, "Watching for {} seconds...\n", seconds);
	const auto machine = TRY(diagnosis::examine(seconds));
	for (const auto check :
	     { diagnosis::check_module, diagnosis::check_files, diagnosis::check_interfaces,
	       diagnosis::check_relays, diagnosis::check_firewall }) {
		for (auto &finding : check(machine))
			findings.push_back(std::move(finding));
	}
	print(findings, options);
	if (findings.empty())
		return {};
	return Error{ Exit::usage, "" };
}

} // namespace nwgctl
