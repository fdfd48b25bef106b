/* SPDX-License-Identifier: GPL-2.0 */
/* Signals that ask the program to end: for commands that go on until they come, and for changes that are all or nothing. */
#ifndef NWGCTL_SIGNALS_HPP
#define NWGCTL_SIGNALS_HPP

#include <csignal>
#include <initializer_list>

namespace nwgctl
{

/* While it lives these signals do not end the program, but make a file descriptor readable. */
class Signals {
    public:
	explicit Signals(std::initializer_list<int> numbers = { SIGINT, SIGTERM });
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

/*
 * While it lives they wait, as do those of a terminal or a reader that is gone, so that none of them leaves half of a change.
 * What this program has started they end; of what a terminal sends that is for commands of a file only, see setup/process.cpp.
 */
class WithoutSignals {
    public:
	WithoutSignals();
	~WithoutSignals();
	WithoutSignals(const WithoutSignals &) = delete;
	WithoutSignals &operator=(const WithoutSignals &) = delete;

	/* Whether one waits by which the program is asked to end. */
	static bool is_interrupted();

    private:
	sigset_t before;
};

} // namespace nwgctl

#endif
