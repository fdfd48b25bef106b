/* SPDX-License-Identifier: GPL-2.0 */
/* Programs of others: run, and waited for. */
#ifndef NWGCTL_SETUP_PROCESS_HPP
#define NWGCTL_SETUP_PROCESS_HPP

#include <string>
#include <vector>

#include "../result.hpp"

namespace nwgctl::setup
{

/* The path of a program of that name that is in $PATH, or where the administrator's are; empty if there is none. */
std::string find_program(const std::string &name);
bool has_program(const std::string &name);

/*
 * Runs a program of $PATH with @input on standard input; its output goes where this one's does, standard output to standard
 * error. An error says how it ended.
 */
Status run(const std::vector<std::string> &command, const std::string &input = {});

/*
 * What a program of $PATH writes to its standard output; its standard error goes nowhere. An error without a number is what it
 * ended with.
 */
Result<std::string> output_of(const std::vector<std::string> &command);

/* Set for commands of a configuration file. */
inline constexpr const char *hook_variable = "NWGCTL_HOOK";

/*
 * A command of a configuration file: said on standard error, as wg-quick(8) does, and given to a shell with %i replaced. It has
 * this program's standard input.
 */
Status run_hook(const std::string &command, const std::string &interface);

} // namespace nwgctl::setup

#endif
