/* SPDX-License-Identifier: GPL-2.0 */
/* Switches of the kernel, each of which is a file. */
#ifndef NWGCTL_SETUP_SYSCTL_HPP
#define NWGCTL_SETUP_SYSCTL_HPP

#include <string>

#include "../result.hpp"

namespace nwgctl::setup
{

/* The reverse path filter looks at marks, too. */
inline constexpr const char *src_valid_mark = "/proc/sys/net/ipv4/conf/all/src_valid_mark";
/* An address that is removed does not take the others of its network along. */
std::string promote_secondaries(const std::string &interface);

/* Returns what it was before. */
Result<bool> set_sysctl(const std::string &path, bool on);

} // namespace nwgctl::setup

#endif
