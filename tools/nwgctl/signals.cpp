// SPDX-License-Identifier: GPL-2.0
#include "signals.hpp"

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

WithoutSignals::WithoutSignals()
{
	sigset_t asking;

	sigemptyset(&asking);
	for (const int number : { SIGHUP, SIGINT, SIGPIPE, SIGTERM })
		sigaddset(&asking, number);
	sigprocmask(SIG_BLOCK, &asking, &before);
}

WithoutSignals::~WithoutSignals()
{
	sigprocmask(SIG_SETMASK, &before, nullptr);
}

} // namespace nwgctl
