/* SPDX-License-Identifier: GPL-2.0 */
/* The network namespaces that ip-netns(8) has names for. */
#ifndef NWGCTL_NAMESPACE_HPP
#define NWGCTL_NAMESPACE_HPP

#include <string>

#include "result.hpp"

namespace nwgctl
{

inline constexpr const char *namespaces_directory = "/run/netns";

Status enter_namespace(const std::string &name);

} // namespace nwgctl

#endif
