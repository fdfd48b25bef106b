/* SPDX-License-Identifier: GPL-2.0 */
/* The home of a chain in the words of RouterOS 7. */
#ifndef NWGCTL_CHAIN_ROUTEROS_HPP
#define NWGCTL_CHAIN_ROUTEROS_HPP

#include <string>
#include <vector>

#include "plan.hpp"

namespace nwgctl::chain
{

/* A script for /import: both tunnels, addresses, routes, and the firewall's rules as comments. */
std::string routeros_script(const Plan &plan);
/* The command that adds a client to wg0, without the end of the line. */
std::string routeros_client(const std::vector<Prefix> &wg0, const Client &client);

} // namespace nwgctl::chain

#endif
