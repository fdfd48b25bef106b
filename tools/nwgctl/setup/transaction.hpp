/* SPDX-License-Identifier: GPL-2.0 */
/* Steps that are all done, or none. */
#ifndef NWGCTL_SETUP_TRANSACTION_HPP
#define NWGCTL_SETUP_TRANSACTION_HPP

#include <functional>
#include <vector>

#include "../result.hpp"

namespace nwgctl::setup
{

/* What was done so far, and how it is undone. */
class Transaction {
    public:
	using Undo = std::function<Status()>;

	Transaction() = default;
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
};

} // namespace nwgctl::setup

#endif
