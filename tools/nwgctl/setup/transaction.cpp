// SPDX-License-Identifier: GPL-2.0
#include "transaction.hpp"

#include "../command.hpp"

namespace nwgctl::setup
{

Transaction::Transaction()
{
	sigset_t asking;

	sigemptyset(&asking);
	for (const int number : { SIGHUP, SIGINT, SIGTERM })
		sigaddset(&asking, number);
	sigprocmask(SIG_BLOCK, &asking, &signals_before);
}

Transaction::~Transaction()
{
	for (; !steps.empty(); steps.pop_back()) {
		auto status = steps.back()();

		if (!status) {
			status.error().what = "while undoing: " + status.error().what;
			print_error(status.error());
		}
	}
	sigprocmask(SIG_SETMASK, &signals_before, nullptr);
}

} // namespace nwgctl::setup
