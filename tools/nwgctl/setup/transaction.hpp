/* SPDX-License-Identifier: GPL-2.0 */
/* Steps that are all done, or none. */
#ifndef NWGCTL_SETUP_TRANSACTION_HPP
#define NWGCTL_SETUP_TRANSACTION_HPP

#include <functional>
#include <vector>

#include <signal.h>

#include "../result.hpp"

namespace nwgctl::setup
{

/*
 * What was done so far, and how it is undone. Who asks this program to end meanwhile has to wait for that; what it has started
 * it ends itself, or the terminal does.
 */
class Transaction {
    public:
	using Undo = std::function<Status()>;

	Transaction();
	Transaction(const Transaction &) = delete;
	Transaction &operator=(const Transaction &) = delete;
	/* Undoes all in the opposite order, unless it was kept. What cannot be undone is said on standard error. */
	~Transaction();

	/* Notes a step that was done. */
	void done(Undo undo)
	{
		steps.push_back(std::move(undo));
	}
	void keep()
	{
		steps.clear();
	}

    private:
	std::vector<Undo> steps;
	sigset_t signals_before;
};

} // namespace nwgctl::setup

#endif
