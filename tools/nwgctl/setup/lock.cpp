// SPDX-License-Identifier: GPL-2.0
#include "lock.hpp"

#include <cerrno>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "../say.hpp"

namespace nwgctl::setup
{

static constexpr const char *path = "/run/nwgctl.lock";

Lock::Lock()
	: file(open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600))
{
	take();
}

Lock::~Lock()
{
	if (file >= 0)
		close(file);
}

void Lock::take() const
{
	if (!flock(file, LOCK_EX | LOCK_NB) || errno != EWOULDBLOCK)
		return;
	say("Waiting for another nwgctl, which is changing an interface\n");
	while (flock(file, LOCK_EX) && errno == EINTR)
		;
}

Lock::Released::Released(const Lock &lock)
	: lock(lock)
{
	flock(lock.file, LOCK_UN);
}

Lock::Released::~Released()
{
	lock.take();
}

} // namespace nwgctl::setup
