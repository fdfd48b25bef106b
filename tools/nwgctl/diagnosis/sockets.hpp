/* SPDX-License-Identifier: GPL-2.0 */
/* Sockets of this network namespace, of whatever program or of the kernel, and addresses that they may have. */
#ifndef NWGCTL_DIAGNOSIS_SOCKETS_HPP
#define NWGCTL_DIAGNOSIS_SOCKETS_HPP

#include <string>
#include <vector>

#include "../address.hpp"

namespace nwgctl::diagnosis
{

struct Socket {
	/* Unspecified: all; of IPv6 that may be IPv4, too. */
	Address local;
	uint16_t port = 0;
	Address remote;
	uint16_t remote_port = 0;
	/* To one remote; of TCP, established. */
	bool connected = false;

	/* Whether what wants to listen there has to do without. */
	[[nodiscard]] bool takes(const Transport &listen) const;
};

/* What a file such as /proc/net/udp6 says. */
std::vector<Socket> parse_sockets(const std::string &text);

/* All addresses of the machine, with the host's bits. */
std::vector<Prefix> local_addresses();

/* Of "udp" or "tcp", in both families. */
std::vector<Socket> list_sockets(const std::string &protocol);

} // namespace nwgctl::diagnosis

#endif
