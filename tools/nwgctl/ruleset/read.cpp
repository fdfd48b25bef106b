// SPDX-License-Identifier: GPL-2.0
#include "read.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "../setup/process.hpp"
#include "iptables.hpp"
#include "nft.hpp"

namespace nwgctl::ruleset
{

/* What a program prints; nothing if there is none of that name, or it fails, which is noted. */
static std::string output_of(const std::vector<std::string> &command, std::vector<Error> &failed)
{
	if (!setup::has_program(command[0]))
		return {};
	auto output = setup::output_of(command);
	if (output)
		return output.take();
	failed.push_back(output.error());
	return {};
}

void drop_saved(Ruleset &nft, const Ruleset &saved)
{
	const auto is_saved = [&](const std::string &family, const std::string &table,
				  const std::string &name) {
		return std::ranges::any_of(saved.chains, [&](const Chain &chain) {
			return chain.family == family && chain.table == table && chain.name == name;
		});
	};

	std::erase_if(nft.rules, [&](const Rule &rule) {
		return is_saved(rule.family, rule.table, rule.chain);
	});
	std::erase_if(nft.chains, [&](const Chain &chain) {
		return is_saved(chain.family, chain.table, chain.name);
	});
}

static void append(Ruleset &ruleset, Ruleset more)
{
	std::ranges::move(more.chains, std::back_inserter(ruleset.chains));
	std::ranges::move(more.rules, std::back_inserter(ruleset.rules));
}

Ruleset read_rules(std::vector<Error> &failed)
{
	Ruleset nft, by_nft, legacy;

	/* A program without the name of its kind is one of the two: then that kind is not read again. */
	for (const char *program : { "iptables", "ip6tables" }) {
		const auto version = output_of({ program, "-V" }, failed);
		const bool is_nft = version.find("nf_tables") != version.npos;

		for (const char *kind : { "", "-nft", "-legacy" }) {
			const bool kind_is_nft = *kind ? kind[1] == 'n' : is_nft;
			const std::string name = fmt::format("{}{}", program, kind);

			if (*kind && !version.empty() && kind_is_nft == is_nft)
				continue;
			append(kind_is_nft ? by_nft : legacy,
			       parse_iptables_save(output_of({ name + "-save" }, failed), name));
		}
	}
	const auto json = output_of({ "nft", "-j", "list", "ruleset" }, failed);
	if (!json.empty()) {
		auto parsed =
			parse_nft(json, output_of({ "nft", "-a", "list", "ruleset" }, failed));

		if (parsed)
			nft = parsed.take();
		else
			failed.push_back(parsed.error());
	}
	drop_saved(nft, by_nft);
	append(nft, std::move(by_nft));
	append(nft, std::move(legacy));
	return nft;
}

} // namespace nwgctl::ruleset
