/* SPDX-License-Identifier: GPL-2.0 */
/* Questions to who sits at a terminal. */
#ifndef NWGCTL_CHAIN_ASK_HPP
#define NWGCTL_CHAIN_ASK_HPP

#include <functional>
#include <string>

#include "../result.hpp"

namespace nwgctl::chain
{

/* Whether somebody can be asked: standard input and standard error are a terminal. */
bool can_ask();

/*
 * Asks until @take, which is given the answer, is content; an empty answer is @by_default, which is shown, unless that is
 * empty. An error if there are no more answers.
 */
Status ask(const std::string &question, const std::string &by_default,
	   const std::function<Status(const std::string &)> &take);

} // namespace nwgctl::chain

#endif
