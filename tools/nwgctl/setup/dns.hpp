/* SPDX-License-Identifier: GPL-2.0 */
/* The name servers of an interface, by resolvconf(8) or else systemd-resolved. */
#ifndef NWGCTL_SETUP_DNS_HPP
#define NWGCTL_SETUP_DNS_HPP

#include <string>
#include <vector>

#include "../result.hpp"

namespace nwgctl::setup
{

/* Without a server there is nothing. */
struct Dns {
	std::vector<std::string> servers, domains;
	/* Whether these servers only are asked for names that are in none of the domains. */
	bool all = false;

	bool operator==(const Dns &) const = default;
};

/* Whether this is not the network namespace that the system has been started in, whose name servers they would be. */
bool is_elsewhere();

/* What the interface has, as far as that can be seen. */
Dns dns_of(const std::string &interface);
Status put_dns(const std::string &interface, const Dns &wanted);
/* Whether any can be seen or not. */
Status remove_dns(const std::string &interface);

} // namespace nwgctl::setup

#endif
