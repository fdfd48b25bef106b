/* SPDX-License-Identifier: GPL-2.0 */
/* The rules of this network namespace, by the programs that there are. */
#ifndef NWGCTL_RULESET_READ_HPP
#define NWGCTL_RULESET_READ_HPP

#include "../result.hpp"
#include "rule.hpp"

namespace nwgctl::ruleset
{

/* Each rule once, as its own chain has it. @failed: the errors of programs, whose rules are missing then. */
Ruleset read_rules(std::vector<Error> &failed);

/* Takes out of @nft the rules of iptables, which that has in its own words in @saved. */
void drop_saved(Ruleset &nft, const Ruleset &saved);

} // namespace nwgctl::ruleset

#endif
