/* SPDX-License-Identifier: GPL-2.0 */
/* Names of what is there: interfaces, peers, relays, network namespaces, files of interfaces, clients of a chain. */
#ifndef NWGCTL_COMPLETION_NAMES_HPP
#define NWGCTL_COMPLETION_NAMES_HPP

#include <vector>

#include "complete.hpp"

namespace nwgctl::completion
{

/* None where they cannot be read, or there are none of that kind. This process is in the namespace that is named then. */
std::vector<Candidate> names_of(const Wanted &wanted);

} // namespace nwgctl::completion

#endif
