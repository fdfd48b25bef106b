/* SPDX-License-Identifier: GPL-2.0 */
/* The files of a chain, as text. */
#ifndef NWGCTL_CHAIN_FILES_HPP
#define NWGCTL_CHAIN_FILES_HPP

#include <string>
#include <utility>
#include <vector>

#include "plan.hpp"

namespace nwgctl::chain
{

/* Names within the chain's directory, and contents. */
using Files = std::vector<std::pair<std::string, std::string>>;

/* All but the QR codes. @directory is how README.txt calls it. */
Files plan_files(const Plan &plan, const std::string &directory);

/* In wg-quick(8)'s format. */
std::string client_conf(const ClientNetwork &network, const Client &client);
/* A client's section in the home's wg0.conf, with an empty line before it. */
std::string home_peer(const std::vector<Prefix> &wg0, const Client &client);

} // namespace nwgctl::chain

#endif
