// SPDX-License-Identifier: GPL-2.0
/* doctor: what is wrong on this machine, and what to do about it. */
#include "command.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "config/value.hpp"
#include "diagnosis/finding.hpp"
#include "render/block.hpp"
#include "render/finding.hpp"
#include "say.hpp"
#include "words.hpp"

namespace nwgctl
{

/* Longer than a peer waits before it initiates again. */
static constexpr unsigned int watched_seconds = 6;

static bool is_healthy(const std::vector<diagnosis::Finding> &findings)
{
	return std::ranges::all_of(findings, &diagnosis::Finding::is_note);
}

static Result<unsigned int> parse_seconds(const std::string &text)
{
	static constexpr unsigned int most = 86400;
	const auto seconds = config::parse_count(text, "seconds");

	if (text == "0")
		return 0u;
	if (!seconds || seconds.value() > most)
		return usage_error(
			fmt::format("seconds is not a number from 0 to {}: `{}'", most, text));
	return seconds.value();
}

static void print(const std::vector<diagnosis::Finding> &findings, const Options &options)
{
	const auto palette = options.json ? render::Palette(false) : render::Palette::for_output();
	auto list = render::Json::array();

	for (const auto &finding : findings) {
		if (options.json)
			list.push_back({ { "id", finding.id },
					 { "where", finding.where },
					 { "what", finding.what },
					 { "remedy", finding.remedy },
					 { "note", finding.is_note } });
		else
			fmt::print("{}", render::finding_text(finding, palette));
	}
	if (options.json)
		render::print_json(list, options);
	else if (is_healthy(findings))
		fmt::print("Nothing is wrong.\n");
}

Status doctor(const Options &options, Arguments arguments)
{
	std::optional<unsigned int> wanted;
	std::vector<diagnosis::Finding> findings;
	Words words(arguments);

	while (!words.empty()) {
		if (!words.take("seconds"))
			return words.unknown();
		if (wanted)
			return words.repeated();
		wanted = TRY(parse_seconds(TRY(words.value())));
	}
	const unsigned int seconds = wanted.value_or(watched_seconds);
	if (seconds && !options.json)
		say("Watching for {} seconds...\n", seconds);
	const auto machine = TRY(diagnosis::examine(seconds));
	for (const auto check :
	     { diagnosis::check_module, diagnosis::check_files, diagnosis::check_interfaces,
	       diagnosis::check_relays, diagnosis::check_firewall }) {
		for (auto &finding : check(machine))
			findings.push_back(std::move(finding));
	}
	print(findings, options);
	if (is_healthy(findings))
		return {};
	return Error{ Exit::usage, "" };
}

} // namespace nwgctl
