/* SPDX-License-Identifier: GPL-2.0 */
/* The commands: one file each. */
#ifndef NWGCTL_COMMAND_HPP
#define NWGCTL_COMMAND_HPP

#include <span>
#include <string>

#include "result.hpp"

namespace nwgctl
{

/* Options that every command takes. */
struct Options {
	bool json = false, pretty = false, statistics = false, timestamp = false;
	/* Only of those that say so; main() refuses it elsewhere. */
	bool dry_run = false;
};

/* The words behind the command's own. */
using Arguments = std::span<const std::string>;

Status genkey(const Options &options, Arguments arguments);
Status genpsk(const Options &options, Arguments arguments);
Status pubkey(const Options &options, Arguments arguments);
Status show(const Options &options, Arguments arguments);
Status showconf(const Options &options, Arguments arguments);
Status set(const Options &options, Arguments arguments);
Status setconf(const Options &options, Arguments arguments);
Status addconf(const Options &options, Arguments arguments);
Status syncconf(const Options &options, Arguments arguments);
Status up(const Options &options, Arguments arguments);
Status down(const Options &options, Arguments arguments);
Status reload(const Options &options, Arguments arguments);
Status save(const Options &options, Arguments arguments);
Status migrate(const Options &options, Arguments arguments);
Status doctor(const Options &options, Arguments arguments);
Status relay_add(const Options &options, Arguments arguments);
Status relay_set(const Options &options, Arguments arguments);
Status relay_del(const Options &options, Arguments arguments);
Status relay_show(const Options &options, Arguments arguments);
Status flow_show(const Options &options, Arguments arguments);
Status chain_new(const Options &options, Arguments arguments);
Status chain_add_client(const Options &options, Arguments arguments);
Status chain_qr(const Options &options, Arguments arguments);
Status chain_check(const Options &options, Arguments arguments);
Status chain_show(const Options &options, Arguments arguments);
Status monitor(const Options &options, Arguments arguments);
Status metrics(const Options &options, Arguments arguments);
Status run_top(const Options &options, Arguments arguments);

/* An error on standard error: what, the kernel's words, the remedy. */
void print_error(const Error &error);

/* The arguments do not have the form that the command's usage says; main() shows that. */
Error wrong_usage(const std::string &what);

} // namespace nwgctl

#endif
