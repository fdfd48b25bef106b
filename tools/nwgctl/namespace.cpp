// SPDX-License-Identifier: GPL-2.0
#include "namespace.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

namespace nwgctl
{

Status enter_namespace(const std::string &name)
{
	static constexpr const char *list_hint = "see which there are: ip netns list";
	const auto path = fmt::format("{}/{}", namespaces_directory, name);

	if (name.empty() || name.find('/') != name.npos)
		return usage_error(fmt::format("`{}' is not the name of a network namespace", name),
				   list_hint);
	const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return usage_error(fmt::format("Unable to open network namespace {}: {}", name,
					       strerror(errno)),
				   errno == ENOENT ? list_hint : "");
	const int error = setns(file, CLONE_NEWNET) ? errno : 0;
	close(file);
	if (error)
		return Error{ Exit::refused,
			      fmt::format("Unable to enter network namespace {}: {}", name,
					  strerror(error)),
			      {},
			      error == EPERM ? "be root" : "",
			      error };
	return {};
}

} // namespace nwgctl
