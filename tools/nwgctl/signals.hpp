/* SPDX-License-Identifier: GPL-2.0 */
/* SIGINT and SIGTERM for commands that go on until they come. */
#ifndef NWGCTL_SIGNALS_HPP
#define NWGCTL_SIGNALS_HPP

#include <csignal>

namespace nwgctl
{

/* While it lives these signals do not end the program, but make a file descriptor readable. */
class Signals {
    public:
	Signals();
	~Signals();
	Signals(const Signals &) = delete;
	Signals &operator=(const Signals &) = delete;

	/* For poll(2). */
	int descriptor() const
	{
		return file;
	}

    private:
	sigset_t before;
	int file;
};

} // namespace nwgctl

#endif
