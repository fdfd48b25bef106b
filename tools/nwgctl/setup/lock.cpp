// SPDX-License-Identifier: GPL-2.0
#include "lock.hpp"

#include <cerrno>
#include <cstdlib>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../say.hpp"
#include "process.hpp"

namespace nwgctl::setup
{

/* Two namespaces may each have an interface of that name. */
static std::string path_of(const std::string &interface)
{
	struct stat own;
	const bool known = !stat("/proc/self/ns/net", &own);

	return fmt::format("/run/nwgctl.{}.{}.lock", interface, known ? own.st_ino : 0);
}

Lock Lock::of_all()
{
	return Lock("/run/nwgctl.lock", "an interface");
}

Lock Lock::of_interface(const std::string &name)
{
	return Lock(path_of(name), name);
}

Lock::Lock(const std::string &path, std::string what)
	: file(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600))
	, what(std::move(what))
{
}

Lock::~Lock()
{
	if (file >= 0)
		close(file);
}

bool Lock::take_now() const
{
	return !flock(file, LOCK_EX | LOCK_NB) || errno != EWOULDBLOCK;
}

void Lock::take() const
{
	if (take_now())
		return;
	say("Waiting for another nwgctl, which is changing {}\n", what);
	while (flock(file, LOCK_EX) && errno == EINTR)
		;
}

Status Lock::take_unless_in_hook() const
{
	if (!getenv(hook_variable)) {
		take();
		return {};
	}
	if (!take_now())
		return Error{ Exit::refused,
			      fmt::format("Another nwgctl is changing {}", what),
			      {},
			      "commands of a file do not wait: it may wait for them" };
	return {};
}

void Lock::release() const
{
	flock(file, LOCK_UN);
}

Lock::Released::Released(const Lock &lock)
	: lock(lock)
{
	lock.release();
}

Lock::Released::~Released()
{
	lock.take();
}

} // namespace nwgctl::setup
