// SPDX-License-Identifier: GPL-2.0
#include "lock.hpp"

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <thread>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../say.hpp"
#include "process.hpp"

namespace nwgctl::setup
{

using Clock = std::chrono::steady_clock;

/* How long commands of a file are waited for, by one that they may wait for; and how often it looks. */
static constexpr auto patience = std::chrono::seconds(30);
static constexpr auto pause = std::chrono::milliseconds(100);

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

static Error changed_by_another(const std::string &what, std::string hint)
{
	return { Exit::refused,
		 fmt::format("Another nwgctl is changing {}", what),
		 {},
		 std::move(hint) };
}

Status Lock::take_unless_in_hook() const
{
	bool now = take_now();

	if (!now && getenv(hook_variable))
		return changed_by_another(what,
					  "commands of a file do not wait: it may wait for them");
	if (!now)
		say("Waiting for another nwgctl, which is changing {}\n", what);
	for (auto since = Clock::now(); !now; now = take_now()) {
		if (!has_hooks())
			since = Clock::now();
		else if (Clock::now() - since > patience)
			return changed_by_another(
				what, "commands of its file are run, and may wait for this one: "
				      "end them, or try again when they are done");
		std::this_thread::sleep_for(pause);
	}
	/* Who was killed has left it. */
	note_hooks(false);
	return {};
}

void Lock::release() const
{
	flock(file, LOCK_UN);
}

void Lock::note_hooks(bool run) const
{
	/* A file of one byte; without it those who wait go on to do so. */
	static_cast<void>(!ftruncate(file, run ? 1 : 0));
}

bool Lock::has_hooks() const
{
	struct stat status;

	return !fstat(file, &status) && status.st_size > 0;
}

Locks::ForHooks::ForHooks(const Locks &locks)
	: locks(locks)
{
	locks.own.note_hooks(true);
	locks.all.release();
}

Locks::ForHooks::~ForHooks()
{
	locks.own.note_hooks(false);
	locks.all.take();
}

} // namespace nwgctl::setup
