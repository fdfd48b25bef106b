/* SPDX-License-Identifier: GPL-2.0 */
/* The home of a chain in the words of RouterOS 7. */
#ifndef NWGCTL_CHAIN_ROUTEROS_HPP
#define NWGCTL_CHAIN_ROUTEROS_HPP

#include <string>
#include <vector>

#include "conf.hpp"
#include "plan.hpp"

namespace nwgctl::chain
{

/* A script for /import: both tunnels, addresses, routes, and the firewall's rules. */
std::string routeros_script(const Plan &plan);
/* A value as a command has it: in quotes where it is not a plain word. */
std::string routeros_value(const std::string &text);
/* The command that adds a client to wg0, which has that name there, without the end of the line. */
std::string routeros_client(const std::string &interface, const std::vector<Prefix> &wg0,
			    const Client &client);
/* The command that makes the interface with that private key, whatever its name is; nullptr if there is none. */
const RouterCommand *routeros_tunnel(const std::vector<RouterCommand> &commands, const Key &key);

} // namespace nwgctl::chain

#endif
