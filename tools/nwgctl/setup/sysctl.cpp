// SPDX-License-Identifier: GPL-2.0
#include "sysctl.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>

#include <fmt/format.h>

namespace nwgctl::setup
{

std::string promote_secondaries(const std::string &interface)
{
	return fmt::format("/proc/sys/net/ipv4/conf/{}/promote_secondaries", interface);
}

Result<bool> set_sysctl(const std::string &path, bool on)
{
	int before = 0;

	if (std::ifstream(path) >> before && (before != 0) == on)
		return on;
	std::ofstream file(path);
	file << (on ? 1 : 0) << std::flush;
	if (!file)
		return Error{ Exit::refused,
			      fmt::format("Unable to write {}: {}", path, strerror(errno)),
			      {},
			      errno == EACCES || errno == EPERM ? "be root" : "",
			      errno };
	return before != 0;
}

} // namespace nwgctl::setup
