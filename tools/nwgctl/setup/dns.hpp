/* SPDX-License-Identifier: GPL-2.0 */
/* The name servers of an interface, by resolvconf(8) or else systemd-resolved. */
#ifndef NWGCTL_SETUP_DNS_HPP
#define NWGCTL_SETUP_DNS_HPP

#include <string>
#include <vector>

#include "../result.hpp"

namespace nwgctl::setup
{

/* Names are looked up by these servers only, as long as the interface has them. */
Status set_dns(const std::string &interface, const std::vector<std::string> &servers,
	       const std::vector<std::string> &domains);
/* Whether it has some. */
bool has_dns(const std::string &interface);
Status remove_dns(const std::string &interface);

} // namespace nwgctl::setup

#endif
