// SPDX-License-Identifier: GPL-2.0
#include "signals.hpp"

#include <algorithm>
#include <initializer_list>

#include <sys/signalfd.h>
#include <unistd.h>

namespace nwgctl
{

Signals::Signals(std::initializer_list<int> numbers)
{
	sigset_t set;

	sigemptyset(&set);
	for (const int number : numbers)
		sigaddset(&set, number);
	/* Without a descriptor they stay what they were. */
	file = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	sigprocmask(file < 0 ? SIG_UNBLOCK : SIG_BLOCK, &set, &before);
}

Signals::~Signals()
{
	signalfd_siginfo info;

	/* What has come has been heeded. */
	while (file >= 0 && read(file, &info, sizeof(info)) > 0)
		;
	close(file);
	sigprocmask(SIG_SETMASK, &before, nullptr);
}

/* By which somebody asks a program to end. */
static constexpr int asking[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };

WithoutSignals::WithoutSignals()
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	for (const int number : asking)
		sigaddset(&set, number);
	sigprocmask(SIG_BLOCK, &set, &before);
}

WithoutSignals::~WithoutSignals()
{
	sigprocmask(SIG_SETMASK, &before, nullptr);
}

bool WithoutSignals::is_interrupted()
{
	sigset_t waiting;

	sigpending(&waiting);
	/* What is ignored waits as well, as long as it is blocked: see nohup(1). */
	return std::ranges::any_of(asking, [&waiting](int number) {
		struct sigaction action;

		return sigismember(&waiting, number) && !sigaction(number, nullptr, &action) &&
		       action.sa_handler != SIG_IGN;
	});
}

} // namespace nwgctl
