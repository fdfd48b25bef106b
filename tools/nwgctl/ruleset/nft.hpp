/* SPDX-License-Identifier: GPL-2.0 */
/* Rules as nft(8) lists them. */
#ifndef NWGCTL_RULESET_NFT_HPP
#define NWGCTL_RULESET_NFT_HPP

#include <string>
#include <string_view>
#include <vector>

#include "../result.hpp"
#include "rule.hpp"

namespace nwgctl::ruleset
{

/*
 * What "nft -j list ruleset" has printed, and "nft -a list ruleset", which has the rules' text. A rule that translates by a
 * map is there once for each element. An error if it is no such list.
 */
Result<Ruleset> parse_nft(const std::string &json, const std::string &listing);

/* The words of a rule without quotes, counters and comments: what is the same for a rule as it was written and as it is listed. */
std::vector<std::string> essence_of(std::string_view rule);

} // namespace nwgctl::ruleset

#endif
