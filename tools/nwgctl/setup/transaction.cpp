// SPDX-License-Identifier: GPL-2.0
#include "transaction.hpp"

#include "../command.hpp"

namespace nwgctl::setup
{

Transaction::~Transaction()
{
	for (; !steps.empty(); steps.pop_back()) {
		auto status = steps.back()();

		if (!status) {
			status.error().what = "while undoing: " + status.error().what;
			print_error(status.error());
		}
	}
}

} // namespace nwgctl::setup
