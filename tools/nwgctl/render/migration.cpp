// SPDX-License-Identifier: GPL-2.0
#include "migration.hpp"

#include <fmt/format.h>

#include "block.hpp"

namespace nwgctl::render
{

using migration::Remark;
using migration::Report;

static Json as_json(const std::vector<Remark> &remarks)
{
	auto list = Json::array();

	for (const auto &[what, reason, remedy] : remarks)
		list.push_back({ { "what", what }, { "reason", reason }, { "remedy", remedy } });
	return list;
}

static Json as_json(const Report &report)
{
	auto relays = Json::array(), steps = Json::array();

	for (const auto &[relay, rules] : report.plan.relays) {
		auto list = Json::array();

		for (const auto &rule : rules)
			list.push_back(rule.command());
		relays.push_back({ { "listen", relay.listen.text() },
				   { "peer", relay.peer->base64() },
				   { "to", relay.to->text() },
				   { "source", relay.source->text() },
				   { "rules", list } });
	}
	for (const auto &[command, why] : report.steps)
		steps.push_back({ { "command", command }, { "why", why } });
	return { { "ifname", report.interface },
		 { "from", report.old_file },
		 { "file", report.new_file },
		 { "written", report.written },
		 { "relays", relays },
		 { "left", as_json(report.plan.left) },
		 { "changes", as_json(report.plan.changes) },
		 { "steps", steps },
		 { "difference", report.difference } };
}

static void print(const char *title, const std::vector<Remark> &remarks, const Palette &palette)
{
	if (!remarks.empty())
		fmt::print("\n{}:\n", title);
	for (const auto &[what, reason, remedy] : remarks)
		fmt::print("  {}\n    {}\n    {}\n", palette.bold(what), reason, remedy);
}

void print_migration(const Report &report, const Options &options)
{
	const auto palette = options.json ? Palette(false) : Palette::for_output();
	const auto count = report.plan.relays.size(), gone = report.plan.gone.size();

	if (options.json)
		return print_json(as_json(report), options);
	if (count)
		fmt::print("{}: {} relay{} in the place of {} rule{}, {} {}\n",
			   palette.bold(report.interface), count, count == 1 ? "" : "s", gone,
			   gone == 1 ? "" : "s", report.written ? "written to" : "for",
			   report.new_file);
	if (count && !report.written)
		fmt::print("\n--- {}\n+++ {}\n{}",
			   report.old_file.empty() ? "(as save would write it)" : report.old_file,
			   report.new_file, report.difference);
	print("Not carried over", report.plan.left, palette);
	print("To be minded", report.plan.changes, palette);
	if (!report.steps.empty())
		fmt::print("\nSteps, as root:\n");
	for (const auto &[command, why] : report.steps)
		fmt::print("  # {}\n  {}\n", why, palette.bold(command));
}

} // namespace nwgctl::render
